#include "telemetry/trace_context.h"

#include <fmt/format.h>

namespace helios::telemetry {
namespace {

bool is_lower_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}
unsigned digit(char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
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
    if (!is_lower_hex(version) || !is_lower_hex(trace_id) || !is_lower_hex(parent_id) ||
        !is_lower_hex(flags)) {
        return std::nullopt;
    }
    if (version == "ff" || is_zero(trace_id) || is_zero(parent_id)) {
        return std::nullopt;
    }
    if (header.size() > length_00 && (version == "00" || header[length_00] != '-')) {
        return std::nullopt;
    }
    return TraceContext{std::string(trace_id), std::string(parent_id),
                        digit(flags[0]) << 4 | digit(flags[1])};
}

}  // namespace helios::telemetry
