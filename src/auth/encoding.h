#pragma once
/// Encodings as credentials are written: one text for each value, so that no credential has a
/// second spelling. (base/hash.h reads more than that.) Private to the room.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace helios::auth {

/// RFC 7515's base64url: no padding, no '+' or '/', no white space, no bits left over. nullopt:
/// anything else. Empty text is empty bytes.
std::optional<std::string> decode_base64url(std::string_view text);

/// RFC 4648's base64: with padding, no '-' or '_', no bits left over.
std::optional<std::string> decode_base64(std::string_view text);

/// Hex digits in either case.
std::optional<std::string> decode_hex(std::string_view text);

/// Whole seconds since 1970: digits alone, at most twelve.
std::optional<std::int64_t> parse_seconds(std::string_view text);

/// A JSON object in which no object, at any depth, has a name twice: two readers of such a document
/// would see two documents. invalid: anything else, or beyond the limits.
Result<json::Document> parse_strict_object(std::string_view bytes, const json::Limits& limits);

}  // namespace helios::auth
