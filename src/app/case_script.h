#pragma once
/// The text form of a pipeline test: one step per line (README.md). Knows the words, not what they do.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace helios::pipeline {

struct Step {
    int line = 0;
    std::string verb;                ///< "at", "advance", "expect", …
    std::vector<std::string> words;  ///< the rest, split at blanks; a word with = may quote its value
    std::string body;                ///< JSON from the first '{' on, or the lines of an inline flow
};

/// A script is a list of cases; each `case NAME` begins with a fresh pipeline.
struct Case {
    std::string name;
    int line = 0;
    std::vector<Step> steps;
};

/// invalid: "file:line: what".
Result<std::vector<Case>> parse_script(std::string_view text, std::string_view file);

}  // namespace helios::pipeline
