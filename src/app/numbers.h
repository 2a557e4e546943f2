#pragma once
/// Whole numbers from command-line text.

#include <charconv>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "base/result.h"

namespace helios::app {

/// Leaves `into` as it is when `text` is empty. invalid: names the option.
template <class Integer>
Status read_number(const std::string& text, std::string_view option, Integer& into) {
    if (text.empty()) {
        return {};
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorKind::invalid, fmt::format("{} \"{}\" is not a whole number", option, text));
    }
    return {};
}

}  // namespace helios::app
