#include "base/frontier.h"

#include <gtest/gtest.h>
#include <thread>

namespace helios {
namespace {

using namespace std::chrono_literals;

TEST(Frontier, never_falls) {
    Frontier frontier;
    EXPECT_EQ(frontier.get(), Instant{});
    frontier.advance_to(from_nanos(5));
    frontier.advance_to(from_nanos(3));
    EXPECT_EQ(frontier.get(), from_nanos(5));
}

TEST(Frontier, waiters_wake_when_it_is_reached_and_not_before) {
    Frontier frontier;
    frontier.advance_to(from_nanos(5));
    EXPECT_TRUE(frontier.wait_for(from_nanos(5), 0ns));
    EXPECT_FALSE(frontier.wait_for(from_nanos(6), 1ms));
    bool reached = false;
    std::thread waiter([&] { reached = frontier.wait_for(from_nanos(9), 1h); });
    frontier.advance_to(from_nanos(8));
    frontier.advance_to(from_nanos(10));
    waiter.join();
    EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace helios
