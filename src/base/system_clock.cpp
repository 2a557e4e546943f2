#include <ctime>

#include "base/assert.h"
#include "base/clock.h"

namespace helios {
namespace {

std::int64_t read_clock(clockid_t id) {
    timespec ts{};
    const int rc = ::clock_gettime(id, &ts);
    HELIOS_ASSERT(rc == 0, "clock_gettime failed");
    return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

Instant SystemClock::wall() const {
    return from_nanos(read_clock(CLOCK_REALTIME));
}
Duration SystemClock::monotonic() const {
    return Duration{read_clock(CLOCK_MONOTONIC)};
}
Duration SystemClock::boot_time() const {
    return Duration{read_clock(CLOCK_BOOTTIME)};
}

}  // namespace helios
