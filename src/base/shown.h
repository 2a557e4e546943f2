#pragma once
/// Strangers' text where a person reads it: inside a sentence, in a cell of a terminal, in JSON.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"

namespace helios {

inline constexpr std::size_t shown_bytes_max = 60;

/// `text` as it may stand between quotes in a message, a log line or a finding: at most `bytes_max`
/// bytes of it, then "…"; a quote, a backslash, what steers a terminal or the order of reading and
/// what nobody sees as escapes (\", \n, \u202e, \u00a0), a byte that is no UTF-8 as \xff. Never a
/// whole document, never a second line.
std::string shown(std::string_view text, std::size_t bytes_max = shown_bytes_max);

/// A whole message that may quote somebody without shown(): the same escapes, but for quotes and
/// backslashes, and nothing cut.
std::string one_line(std::string_view text);

/// `text` with '?' for each character that would steer a terminal or change the order of what is
/// read (utf8::steering), but for those in `keep`, and for each byte that is no UTF-8. For cells
/// and lines, where width counts.
std::string printable(std::string_view text, std::string_view keep = "");

/// The members `name` and `nameEncoding`: "utf-8" with the bytes as text, or "base64". Every byte,
/// and still JSON.
void write_bytes(json::Writer& out, std::string_view name, std::string_view bytes);

}  // namespace helios
