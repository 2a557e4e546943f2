#include "base/clock.h"

#include <gtest/gtest.h>

namespace helios {
namespace {

using namespace std::chrono_literals;

TEST(ManualClock, keeps_the_three_clocks_apart) {
    const Instant start = from_nanos(1'767'608'625'000'000'000);
    ManualClock clock(start);
    EXPECT_EQ(clock.wall(), start);
    clock.advance(5s);
    EXPECT_EQ(clock.wall(), start + 5s);
    EXPECT_EQ(clock.monotonic(), 5s);
    EXPECT_EQ(clock.boot_time(), 5s);
    clock.jump_wall(-1h);
    EXPECT_EQ(clock.wall(), start + 5s - 1h);
    EXPECT_EQ(clock.monotonic(), 5s);
    EXPECT_EQ(clock.boot_time(), 5s);
    clock.sleep_machine(1h);
    EXPECT_EQ(clock.wall(), start + 5s);
    EXPECT_EQ(clock.monotonic(), 5s);
    EXPECT_EQ(clock.boot_time(), 1h + 5s);
}

TEST(SystemClock, never_goes_backwards_and_counts_sleep_in_boot_time) {
    const SystemClock clock;
    const Duration first = clock.monotonic();
    const Duration boot = clock.boot_time();
    EXPECT_GE(clock.monotonic(), first);
    EXPECT_GE(clock.boot_time(), boot);
    EXPECT_GE(boot, first);  // both count from boot, one stands still in sleep
    EXPECT_GT(clock.wall(), earliest_instant + 40 * 365 * 24h);
    EXPECT_LT(clock.wall(), latest_instant);
}

}  // namespace
}  // namespace helios
