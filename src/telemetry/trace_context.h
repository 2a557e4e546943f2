#pragma once
/// W3C Trace Context, level 1: the `traceparent` header, read and passed on.

#include <optional>
#include <string>
#include <string_view>

namespace helios::telemetry {

struct TraceContext {
    std::string trace_id;   ///< 32 lower-case hex digits, not all zero
    std::string parent_id;  ///< 16 lower-case hex digits, not all zero
    unsigned flags = 0;     ///< bit 0 sampled
    /// "00-…-…-01", always emitted as version 00.
    std::string to_traceparent() const;
};

/// nullopt: the header must be ignored (version ff, upper case, zero ids, wrong length; 00 is
/// exactly 55 characters, a higher version at least that, then '-' or the end).
std::optional<TraceContext> parse_traceparent(std::string_view header);

}  // namespace helios::telemetry
