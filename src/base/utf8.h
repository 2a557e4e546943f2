#pragma once
/// UTF-8: validation (simdjson), encoding of one code point, and where a text stops being valid.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::utf8 {

bool is_valid(std::string_view text);

/// Bytes of the longest valid prefix made of whole code points; text.size() if all of it is valid.
/// Plain scan, for error paths.
std::size_t valid_prefix(std::string_view text);

/// Length of the well-formed sequence at the start of a non-empty `text` (no overlong forms, no
/// surrogates, ≤ U+10FFFF); 0 if there is none.
std::size_t sequence_length(std::string_view text);

/// The character at the start of `text`, if it is one that steers a terminal or the order of what
/// is read: control characters (U+0000–001F, 007F–009F), marks and embeddings of direction, line
/// and paragraph separators, the byte order mark.
std::optional<std::uint32_t> steering(std::string_view text);

/// The same, and also what looks like U+0020 or like nothing: other blanks, soft hyphens, marks of
/// no width.
std::optional<std::uint32_t> unseen(std::string_view text);

/// Appends one code point (≤ U+10FFFF, no surrogate).
void append(std::string& out, std::uint32_t code_point);

}  // namespace helios::utf8
