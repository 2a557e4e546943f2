#pragma once
/// Time as a parameter. Everything that needs "now" is given a Clock; only the system clock reads
/// the machine's.

#include <atomic>
#include <memory>

#include "base/time.h"

namespace helios {

/// Thread-safe. Outlives whoever holds a reference.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant wall() const = 0;  ///< may jump, forwards or backwards
    virtual Duration monotonic()
        const = 0;  ///< never goes backwards; stands still while the machine sleeps
    virtual Duration boot_time() const = 0;  ///< never goes backwards; counts sleep
};

/// The machine's clocks. The only place in the tree that asks for them.
class SystemClock final : public Clock {
public:
    Instant wall() const override;
    Duration monotonic() const override;
    Duration boot_time() const override;
};

/// A clock that moves when told to. For tests, simulation and offline work.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : wall_ns_(to_nanos(start)) {}
    Instant wall() const override { return from_nanos(wall_ns_.load()); }
    Duration monotonic() const override { return Duration{monotonic_ns_.load()}; }
    Duration boot_time() const override { return Duration{boot_ns_.load()}; }

    /// All three clocks move on by d ≥ 0.
    void advance(Duration d) {
        wall_ns_ += d.count();
        monotonic_ns_ += d.count();
        boot_ns_ += d.count();
    }
    /// Only the wall clock jumps (an operator, or NTP), in either direction.
    void jump_wall(Duration d) { wall_ns_ += d.count(); }
    /// The machine sleeps for d: wall and boot time move, monotonic time does not.
    void sleep_machine(Duration d) {
        wall_ns_ += d.count();
        boot_ns_ += d.count();
    }

private:
    std::atomic<std::int64_t> wall_ns_;
    std::atomic<std::int64_t> monotonic_ns_{0};
    std::atomic<std::int64_t> boot_ns_{0};
};

}  // namespace helios
