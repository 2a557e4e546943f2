#include "telemetry/trace_context.h"

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <span>

#include "base/hash.h"

namespace helios::telemetry {
namespace {

bool is_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

constexpr std::size_t length_00 = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
constexpr unsigned known_flags =
    0x03;  // sampled, random trace id; the others are zero when passed on

}  // namespace

std::string TraceContext::to_traceparent() const {
    return fmt::format("00-{}-{}-{:02x}", trace_id, parent_id, flags & known_flags);
}

std::optional<TraceContext> parse_traceparent(std::string_view header) {
    if (header.size() < length_00 || header[2] != '-' || header[35] != '-' || header[52] != '-') {
        return std::nullopt;
    }
    const std::string_view version = header.substr(0, 2);
    const std::string_view trace_id = header.substr(3, 32);
    const std::string_view parent_id = header.substr(36, 16);
    const std::string_view flags = header.substr(53, 2);
    std::array<std::uint8_t, 16> bytes{};
    const std::span all(bytes);
    if (!from_hex(version, all.first(1)) || !from_hex(trace_id, all) ||
        !from_hex(parent_id, all.first(8)) || !from_hex(flags, all.first(1))) {
        return std::nullopt;
    }
    if (version == "ff" || is_zero(trace_id) || is_zero(parent_id)) {
        return std::nullopt;
    }
    if (header.size() > length_00 && (version == "00" || header[length_00] != '-')) {
        return std::nullopt;
    }
    return TraceContext{std::string(trace_id), std::string(parent_id), bytes[0]};
}

}  // namespace helios::telemetry
