#include "http/read_lag.h"

#include <gtest/gtest.h>

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ReadLag, nobody_sends_any) {
    const ReadLag lag;
    EXPECT_EQ(lag.arrived(seconds(100)), seconds(100));
}

TEST(ReadLag, while_messages_come_back_what_is_read_took_as_long) {
    ReadLag lag;
    lag.sent(seconds(100));
    EXPECT_EQ(lag.arrived(seconds(100)), seconds(100));
    EXPECT_EQ(lag.came_back(seconds(100) + milliseconds(3)), milliseconds(3));
    const auto later = seconds(100) + milliseconds(400);
    EXPECT_EQ(lag.arrived(later), later - milliseconds(3)) << "not since it was sent";
    EXPECT_EQ(lag.arrived(seconds(100) + milliseconds(1)), seconds(100)) << "never before it was";
}

TEST(ReadLag, a_loop_that_stands_still) {
    ReadLag lag;
    lag.sent(seconds(100));
    lag.came_back(seconds(100));
    // Held up behind the message, so that none is under way.
    EXPECT_EQ(lag.arrived(seconds(106)), seconds(100)) << "it may have arrived right then";
    lag.sent(seconds(106));
    EXPECT_EQ(lag.arrived(seconds(107)), seconds(100))
        << "what arrived before it is read before it";
    lag.came_back(seconds(107));
    EXPECT_EQ(lag.arrived(seconds(107)), seconds(106));
    // Held up before the message.
    lag.sent(seconds(108));
    EXPECT_EQ(lag.arrived(seconds(112)), seconds(106));
    EXPECT_EQ(lag.came_back(seconds(112)), seconds(4));
    EXPECT_EQ(lag.arrived(seconds(112)), seconds(108));
    lag.sent(seconds(112));
    lag.came_back(seconds(112));
    EXPECT_EQ(lag.arrived(seconds(112)), seconds(112)) << "it is over";
}

TEST(ReadLag, before_the_first_has_come_back) {
    ReadLag lag;
    lag.sent(seconds(100));
    EXPECT_EQ(lag.arrived(seconds(103)), seconds(100));
    EXPECT_EQ(lag.arrived(seconds(99)), seconds(99)) << "another thread's clock, a moment ago";
}

}  // namespace
}  // namespace helios::http
