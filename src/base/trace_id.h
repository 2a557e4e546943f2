#pragma once
/// A trace's id (W3C Trace Context): what ties log lines, records and spans of one request
/// together.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace helios {

struct TraceId {
    std::array<std::uint8_t, 16> bytes{};  ///< all zero: none

    explicit operator bool() const { return bytes != std::array<std::uint8_t, 16>{}; }
    friend bool operator==(const TraceId&, const TraceId&) = default;
};

std::string to_hex(const TraceId& id);  ///< 32 lower-case digits
/// None: not 32 lower-case hex digits. Also takes a whole `traceparent` and reads its id.
TraceId trace_id_of(std::string_view text);

}  // namespace helios
