#pragma once
/// Text of strangers on a terminal.

#include <string>
#include <string_view>

namespace helios::app {

/// `text` with '?' for each character that would steer a terminal or change the order of what is read: control characters
/// (U+0000–001F, 007F–009F), but for those in `keep`, and the bidirectional ones (U+202A–202E, 2066–2069).
std::string printable(std::string_view text, std::string_view keep = "");

}  // namespace helios::app
