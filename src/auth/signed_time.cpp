#include "auth/signed_time.h"

#include <fmt/format.h>

namespace helios::auth {

bool within(Duration window, std::int64_t seconds, Instant now) {
    const auto ours = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const auto allowed = std::chrono::duration_cast<std::chrono::seconds>(window).count();
    return seconds >= ours - allowed && seconds <= ours + allowed;
}

Proof outside_window(std::int64_t seconds, Instant now) {
    const auto ours = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    return Proof::refused(
        Refusal::outside_window,
        seconds < ours
            ? fmt::format("signed {} s ago: sent again by somebody, or by a "
                          "clock that is behind",
                          ours - seconds)
            : fmt::format("signed {} s from now: by a clock that is ahead", seconds - ours));
}

}  // namespace helios::auth
