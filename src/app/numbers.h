#pragma once
/// Whole numbers and times from command-line text.

#include <charconv>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace helios::app {

/// Leaves `into` as it is when `text` is empty. invalid: names the option.
template <class Integer>
Status read_number(const std::string& text, std::string_view option, Integer& into) {
    if (text.empty()) {
        return {};
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorKind::invalid,
                    fmt::format("{} \"{}\" is not a whole number", option, text));
    }
    return {};
}

/// A time to wait: "30s", "500ms", "2m", or a number of seconds. Leaves `into` as it is when `text`
/// is empty. invalid: names the option.
inline Status read_wait(const std::string& text, std::string_view option, Duration& into) {
    if (text.empty()) {
        return {};
    }
    const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
    const auto parsed = parse_duration(bare ? text + "s" : text);
    if (!parsed || *parsed < Duration::zero() || *parsed > std::chrono::hours(24 * 365)) {
        return fail(ErrorKind::invalid, fmt::format("{} \"{}\" is no time to wait", option, text),
                    "write 30s, 500ms or 2m");
    }
    into = *parsed;
    return {};
}

/// invalid: no RFC 3339, or no zone, as the API has it; names the option.
inline Result<Instant> read_time(const std::string& text, std::string_view option) {
    const auto parsed = parse_rfc3339(text);
    if (!parsed || !parsed->had_zone) {
        return fail(ErrorKind::invalid,
                    parsed ? fmt::format("{} \"{}\" has no time zone", option, text)
                           : fmt::format("{}: {}", option, parsed.error().what),
                    "write RFC 3339 with a zone, for example 2026-01-05T10:23:45Z");
    }
    return parsed->at;
}

/// "12,000"
inline std::string with_thousands(std::uint64_t number) {
    auto text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) {
        text.insert(at - 3, ",");
    }
    return text;
}

}  // namespace helios::app
