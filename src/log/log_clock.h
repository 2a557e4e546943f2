#pragma once
/// Log time: strictly growing stamps, from the wall clock and the monotonic one.

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace helios::log {

/// Follows the wall clock when it is ahead, the monotonic clock when it isn't: a wall clock that
/// jumps back, or starts behind the log, neither stops time nor rewinds it. Not thread-safe.
class LogClock {
public:
    /// Every stamp will be greater than `last`.
    LogClock(const Clock& clock, Instant last)
        : clock_(clock),
          last_(last),
          anchor_(std::max(clock.wall(), last + Duration{1})),
          anchor_monotonic_(clock.monotonic()) {}

    /// The first of `count` consecutive stamps, 1 ns apart.
    Instant take(std::uint64_t count) {
        const Instant first = floor();
        last_ = first + Duration{static_cast<std::int64_t>(count) - 1};
        return first;
    }

    /// No stamp taken from now on is less than the answer.
    Instant floor() {
        const Instant now = std::max(this->now(), last_ + Duration{1});
        last_ = now - Duration{1};
        return now;
    }

private:
    Instant now() {
        const Duration monotonic = clock_.monotonic();
        const Instant steady = anchor_ + (monotonic - anchor_monotonic_);
        const Instant wall = clock_.wall();
        if (wall > steady) {
            anchor_ = wall;
            anchor_monotonic_ = monotonic;
            return wall;
        }
        return steady;
    }

    const Clock& clock_;
    Instant last_;
    Instant anchor_;
    Duration anchor_monotonic_;
};

}  // namespace helios::log
