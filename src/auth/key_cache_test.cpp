#include "auth/key_cache.h"

#include <gtest/gtest.h>

#include "auth/test_kit.h"

namespace helios::auth {

void PrintTo(FetchStep step, std::ostream* out) {
    *out << to_string(step);
}

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::rsa_key;

class FetchScheduleTest : public ::testing::Test {
protected:
    FetchStep known(Duration now) { return schedule.ask(true, now); }
    FetchStep unknown(Duration now) { return schedule.ask(false, now); }
    void fetched(Duration now, Duration fresh = hours(1)) {
        ASSERT_NE(unknown(now), FetchStep::unavailable);
        schedule.arrived(fresh, now);
    }

    FetchSchedule schedule;
};

TEST_F(FetchScheduleTest, the_first_asks_for_all) {
    EXPECT_EQ(unknown(seconds(0)), FetchStep::fetch_first);
    EXPECT_EQ(unknown(seconds(1)), FetchStep::wait);
    EXPECT_EQ(known(seconds(2)), FetchStep::wait);
    schedule.arrived(hours(1), seconds(3));
    EXPECT_EQ(known(seconds(3)), FetchStep::use);
}

TEST_F(FetchScheduleTest, a_failure_is_tried_again_ever_later) {
    Duration now{};
    for (const int pause : {5, 10, 20, 40, 60, 60}) {
        ASSERT_EQ(unknown(now), FetchStep::fetch_first) << pause;
        schedule.failed(now);
        EXPECT_EQ(unknown(now), FetchStep::unavailable);
        EXPECT_EQ(unknown(now + seconds(pause) - Duration(1)), FetchStep::unavailable) << pause;
        now += seconds(pause);
    }
    EXPECT_EQ(unknown(now), FetchStep::fetch_first);
    schedule.arrived(hours(1), now);
    EXPECT_EQ(known(now), FetchStep::use);
}

TEST_F(FetchScheduleTest, what_is_fetched_serves_as_long_as_it_says) {
    fetched(seconds(0));
    EXPECT_EQ(known(minutes(47)), FetchStep::use);
    EXPECT_EQ(known(minutes(48)), FetchStep::use_and_fetch);  // early: nobody waits for it
    EXPECT_EQ(known(minutes(48)), FetchStep::use);
    schedule.arrived(hours(1), minutes(48) + seconds(1));
    EXPECT_EQ(known(minutes(61)), FetchStep::use);
}

TEST_F(FetchScheduleTest, how_long_that_is_has_bounds) {
    fetched(seconds(0), seconds(0));
    EXPECT_EQ(known(minutes(3)), FetchStep::use);
    EXPECT_EQ(known(minutes(5)), FetchStep::fetch_first);
    schedule.arrived(hours(24 * 365), minutes(5));
    EXPECT_EQ(known(hours(19)), FetchStep::use);
    EXPECT_EQ(known(hours(25)), FetchStep::fetch_first);
    schedule.arrived(std::nullopt, hours(25));
    EXPECT_EQ(known(hours(25) + minutes(40)), FetchStep::use);
    EXPECT_EQ(known(hours(26)), FetchStep::fetch_first);
}

TEST_F(FetchScheduleTest, when_it_has_ended_it_serves_only_after_a_failure) {
    fetched(seconds(0));
    EXPECT_EQ(known(hours(2)), FetchStep::fetch_first);
    EXPECT_EQ(known(hours(2) + seconds(1)), FetchStep::wait);
    schedule.failed(hours(2) + seconds(2));
    EXPECT_EQ(known(hours(2) + seconds(2)), FetchStep::use);
    EXPECT_EQ(known(hours(2) + seconds(7)), FetchStep::use_and_fetch);
    EXPECT_EQ(known(hours(2) + seconds(8)), FetchStep::use);  // a slow server makes nobody wait
}

TEST_F(FetchScheduleTest, stale_keys_serve_a_day_and_no_longer) {
    fetched(seconds(0));
    for (Duration now = hours(1); now < hours(25); now += minutes(5)) {
        const FetchStep step = known(now);
        ASSERT_TRUE(step == FetchStep::fetch_first || step == FetchStep::use_and_fetch)
            << to_string(step);
        schedule.failed(now);
        ASSERT_EQ(known(now), FetchStep::use);
    }
    EXPECT_EQ(known(hours(25)), FetchStep::fetch_first);
    schedule.failed(hours(25));
    EXPECT_EQ(known(hours(25)), FetchStep::unavailable);
}

TEST_F(FetchScheduleTest, what_is_not_in_it_is_fetched_for_once_a_minute) {
    fetched(seconds(0));
    EXPECT_EQ(unknown(seconds(1)), FetchStep::use);  // it was fetched a second ago
    EXPECT_EQ(unknown(seconds(60)), FetchStep::fetch_first);
    EXPECT_EQ(unknown(seconds(61)), FetchStep::wait);
    EXPECT_EQ(known(seconds(61)), FetchStep::use);
    schedule.arrived(hours(1), seconds(62));
    int fetches = 0;
    for (int second = 63; second < 63 + 600; ++second) {
        if (unknown(seconds(second)) == FetchStep::fetch_first) {
            ++fetches;
            schedule.arrived(hours(1), seconds(second));
        }
    }
    EXPECT_EQ(fetches, 10);
}

TEST_F(FetchScheduleTest, a_fetch_that_never_ends_is_given_up) {
    EXPECT_EQ(unknown(seconds(0)), FetchStep::fetch_first);
    EXPECT_EQ(unknown(seconds(59)), FetchStep::wait);
    EXPECT_EQ(unknown(seconds(60)), FetchStep::unavailable);
    EXPECT_EQ(unknown(seconds(65)), FetchStep::fetch_first);
    schedule.arrived(hours(1), seconds(66));  // the first one's, late
    EXPECT_EQ(known(seconds(66)), FetchStep::use);
}

TEST(FetchSchedule, cache_control_is_read) {
    EXPECT_EQ(fresh_for("public, max-age=19204, must-revalidate, no-transform"), seconds(19204));
    EXPECT_EQ(fresh_for("Max-Age = \"60\""), seconds(60));
    EXPECT_EQ(fresh_for("max-age=100, no-store"), Duration::zero());
    EXPECT_EQ(fresh_for("no-cache"), Duration::zero());
    EXPECT_EQ(fresh_for("max-age=999999999999"), hours(366 * 24));
    for (const char* nothing :
         {"", "public", "max-age", "max-age=", "max-age=-1", "max-age=x", "s-maxage=60", ",,,"}) {
        EXPECT_FALSE(fresh_for(nothing)) << nothing;
    }
}

std::string set_with(std::string_view kid) {
    return "{\"keys\":[" + rsa_key().jwk(kid) + "]}";
}

TEST(KeyCache, keys_come_when_they_are_asked_for) {
    KeyCache cache;
    EXPECT_EQ(cache.ask("a", seconds(0)).step, FetchStep::fetch_first);
    EXPECT_EQ(cache.ask("a", seconds(0)).keys, nullptr);
    ASSERT_TRUE(cache.arrived(set_with("a"), "max-age=3600", seconds(1)));
    const auto answer = cache.ask("a", seconds(1));
    EXPECT_EQ(answer.step, FetchStep::use);
    ASSERT_NE(answer.keys, nullptr);
    EXPECT_TRUE(answer.keys->has("a"));
    EXPECT_EQ(cache.ask(std::nullopt, seconds(1)).step, FetchStep::use);
}

TEST(KeyCache, a_rotation_is_noticed_by_its_first_token) {
    KeyCache cache;
    EXPECT_EQ(cache.ask("a", seconds(0)).step, FetchStep::fetch_first);
    ASSERT_TRUE(cache.arrived(set_with("a"), "", seconds(0)));
    EXPECT_EQ(cache.ask("b", seconds(90)).step, FetchStep::fetch_first);
    EXPECT_EQ(cache.ask("a", seconds(90)).step, FetchStep::use);
    ASSERT_TRUE(cache.arrived(set_with("b"), "", seconds(91)));
    EXPECT_TRUE(cache.ask("b", seconds(91)).keys->has("b"));
    EXPECT_FALSE(cache.ask("a", seconds(92)).keys->has("a"));  // taken back
}

TEST(KeyCache, what_is_no_key_set_changes_nothing) {
    KeyCache cache;
    EXPECT_EQ(cache.ask("a", seconds(0)).step, FetchStep::fetch_first);
    EXPECT_FALSE(cache.arrived("<html>", "", seconds(1)));
    EXPECT_EQ(cache.ask("a", seconds(1)).step, FetchStep::unavailable);
    EXPECT_EQ(cache.unavailable().refusal, Refusal::keys_unavailable);
    EXPECT_NE(cache.unavailable().text.find("key set"), std::string::npos);
    EXPECT_EQ(cache.ask("a", seconds(7)).step, FetchStep::fetch_first);
    ASSERT_TRUE(cache.arrived(set_with("a"), "", seconds(7)));
    EXPECT_EQ(cache.ask("a", hours(3)).step, FetchStep::fetch_first);
    EXPECT_FALSE(cache.arrived(std::string(10 << 20, ' '), "", hours(3)));
    EXPECT_TRUE(cache.ask("a", hours(3)).keys->has("a"));  // stale, and better than none
    cache.failed({ErrorKind::timeout, "no answer within 5s", ""}, hours(4));
    EXPECT_NE(cache.unavailable().text.find("no answer"), std::string::npos);
}

TEST(KeyCache, what_is_skipped_is_told) {
    KeyCache cache;
    EXPECT_EQ(cache.ask("a", seconds(0)).step, FetchStep::fetch_first);
    const auto skipped = cache.arrived(
        "{\"keys\":[" + rsa_key().jwk("a") + R"(,{"kid":"odd","kty":"PQC"}]})", "", seconds(0));
    ASSERT_TRUE(skipped);
    ASSERT_EQ(skipped->size(), 1u);
    EXPECT_NE(skipped->front().what.find("odd"), std::string::npos);
}

}  // namespace
}  // namespace helios::auth
