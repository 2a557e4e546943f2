#pragma once
/// Durations without end, and instants that never come.

#include "base/time.h"

namespace helios {

/// Longer than anything that can be told, and what lies beyond every time: a deadline that never
/// passes.
inline constexpr Duration forever = Duration::max();
inline constexpr Instant never = Instant::max();

/// t + d for d ≥ 0; `never` where that is beyond what can be told. never stays never.
constexpr Instant later(Instant t, Duration d) {
    const bool beyond =
        d == forever || (to_nanos(t) > 0 && d.count() >= to_nanos(never) - to_nanos(t));
    return beyond ? never : t + d;
}

}  // namespace helios
