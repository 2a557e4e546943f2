#include "auth/encoding.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/hash.h"

namespace helios::auth {

namespace {

/// Depth is bounded by the limits the document was parsed with.
bool repeats_a_name(json::Value value) {
    if (value.is_object() && value.has_duplicate_keys()) {
        return true;
    }
    if (!value.is_object() && !value.is_array()) {
        return false;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (repeats_a_name(value.at(i))) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
    std::string out;
    if (text.find_first_of("+/=") != std::string_view::npos || !base64_decode(text, out)) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string out;
    if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos ||
        !base64_decode(text, out)) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::string> decode_hex(std::string_view text) {
    std::string out(text.size() / 2, '\0');
    const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(out.data()), out.size());
    if (!from_hex(ascii::lower(text), bytes)) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
    constexpr std::size_t digits_max = 12;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || text.size() > digits_max || !std::ranges::all_of(text, is_digit)) {
        return std::nullopt;
    }
    std::int64_t seconds = 0;
    for (const char c : text) {
        seconds = seconds * 10 + (c - '0');
    }
    return seconds;
}

Result<json::Document> parse_strict_object(std::string_view bytes, const json::Limits& limits) {
    HELIOS_TRY_ASSIGN(auto document, json::Document::parse(bytes, limits));
    if (!document.root().is_object()) {
        return fail(ErrorKind::invalid, "not a JSON object");
    }
    if (repeats_a_name(document.root())) {
        return fail(ErrorKind::invalid, "an object with a name twice");
    }
    return document;
}

}  // namespace helios::auth
