#pragma once
/// What is wrong with a text that the YAML parser could not read. The parser says where it gave up,
/// which is often a line below the mistake; this looks for the mistakes that people make: tabs, a
/// missing colon, a bracket or quotation mark left open, indentation that fits nowhere. Private to
/// yaml.cpp.

#include <string_view>
#include <vector>

#include "base/yaml.h"

namespace helios::yaml {

struct SyntaxMistake {
    Mark mark;
    std::string what;
    std::string hint;
};

/// Tabs in the indentation of lines that are no text: wrong whether or not a parser lets them pass.
std::vector<SyntaxMistake> find_tabs(std::string_view text);

/// All that can be named, in order of lines; empty: the parser's own words must do.
std::vector<SyntaxMistake> find_mistakes(std::string_view text);

}  // namespace helios::yaml
