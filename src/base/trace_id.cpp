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
    return from_hex(text, id.bytes) ? id : TraceId{};
}

}  // namespace helios
