#pragma once
/// Log time: whole milliseconds that never fall, from the wall clock and the monotonic one. Records
/// stamped within one millisecond tie.

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace helios::log {

/// Follows the wall clock when it is ahead, the monotonic clock when it isn't: a wall clock that
/// jumps back, or starts behind the log, neither stops time nor rewinds it. Not thread-safe.
class LogClock {
public:
    /// No stamp will be less than `least`.
    LogClock(const Clock& clock, Instant least)
        : clock_(clock),
          least_(std::chrono::ceil<std::chrono::milliseconds>(least)),
          anchor_(std::max(clock.wall(), least_)),
          anchor_monotonic_(clock.monotonic()) {}

    /// No stamp taken from now on is less than this.
    void pass(Instant least) { least_ = std::max(least_, least); }

    /// A stamp. None taken from now on is less.
    Instant now() {
        least_ = std::max<Instant>(least_, std::chrono::floor<std::chrono::milliseconds>(exact()));
        return least_;
    }

private:
    Instant exact() {
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
    Instant least_;
    Instant anchor_;
    Duration anchor_monotonic_;
};

}  // namespace helios::log
