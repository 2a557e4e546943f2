#include "base/trace_id.h"

#include "base/hash.h"

namespace helios {

std::string to_hex(const TraceId& id) {
    return to_hex(
        std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
}

TraceId trace_id_of(std::string_view text) {
    constexpr std::size_t digits = 32;
    if (text.size() >= 3 + digits && text[2] == '-') {
        text = text.substr(3);
        if (text.size() > digits && text[digits] != '-') {
            return {};
        }
        text = text.substr(0, digits);
    }
    TraceId id;
    if (text.size() != digits) {
        return {};
    }
    for (std::size_t i = 0; i < digits; ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f')) {
            return {};
        }
        const auto nibble = static_cast<std::uint8_t>(digit ? c - '0' : c - 'a' + 10);
        id.bytes[i / 2] = static_cast<std::uint8_t>(id.bytes[i / 2] << 4 | nibble);
    }
    return id;
}

}  // namespace helios
