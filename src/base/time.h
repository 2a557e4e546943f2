#pragma once
/// Instants and durations: int64 nanoseconds since the Unix epoch, UTC. Text is RFC 3339.
/// Nothing here reads a clock (see clock.h).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace helios {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Times that sources may claim: [1970-01-01, 2200-01-01). Outside it a time is bad input.
inline constexpr Instant earliest_instant{std::chrono::sys_days{std::chrono::year{1970} / 1 / 1}};
inline constexpr Instant latest_instant{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};

constexpr std::int64_t to_nanos(Instant t) {
    return t.time_since_epoch().count();
}
constexpr Instant from_nanos(std::int64_t n) {
    return Instant{Duration{n}};
}

struct ParsedTime {
    Instant at;
    bool had_zone =
        true;  ///< false: no offset was written and UTC was assumed (noted for the reader)
};

/// RFC 3339 date-time, any fraction length (beyond nanoseconds is truncated), any offset,
/// `T`/`t`/space, `Z`/`z`, also
/// `+0000` without colon; leap second :60 (at 23:59 UTC only) reads as :59.999999999. invalid:
/// anything else, or outside [1970, 2200).
Result<ParsedTime> parse_rfc3339(std::string_view text);

/// "2026-01-05T10:23:45.120Z": always UTC; three, six or nine fraction digits, the least that loses
/// nothing.
std::string format_rfc3339(Instant t);

/// "250ms", "60s", "5m", "2h", "31d", also compounds "1m30s" (units from large to small) and
/// fractions "1.5s". invalid: no unit, negative, overflow, finer than a nanosecond.
Result<Duration> parse_duration(std::string_view text);

/// One number with the largest unit that keeps it whole ("1m", "90s", "250ms"); seconds with a
/// fraction above one second
/// ("1.5s"); zero is "0s". parse_duration reads it back (negative ones, for messages only, it
/// refuses).
std::string format_duration(Duration d);

}  // namespace helios
