#include "gateway/answer_pace.h"

#include <gtest/gtest.h>
#include <vector>

namespace helios::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Place = AnswerPace::Place;

constexpr std::size_t mib = 1u << 20;

TEST(AnswerPace, nobody_waits) {
    AnswerPace pace;
    EXPECT_EQ(pace.expected_wait(seconds(5)), Duration::zero());
    Place one;
    pace.begin(one, 16 * mib, seconds(5));
    pace.end(one, true, seconds(9));
    EXPECT_EQ(pace.expected_wait(seconds(9)), Duration::zero()) << "however slow it was";
}

TEST(AnswerPace, as_long_as_the_one_that_has_waited_longest) {
    AnswerPace pace;
    std::vector<Place> places(4);
    int n = 0;
    for (auto& place : places) {
        pace.begin(place, 100, seconds(n++));
    }
    EXPECT_EQ(pace.expected_wait(seconds(10)), seconds(10));
    pace.end(places[1], true, seconds(10));
    EXPECT_EQ(pace.expected_wait(seconds(10)), seconds(10));
    pace.end(places[0], true, seconds(10));
    EXPECT_EQ(pace.expected_wait(seconds(10)), seconds(8));
    pace.end(places[3], true, seconds(10));
    pace.end(places[2], true, seconds(10));
    EXPECT_EQ(pace.expected_wait(seconds(10)), Duration::zero());
    pace.end(places[2], true, seconds(10));  // it does not wait any more: nothing
    pace.begin(places[2], 100, seconds(11));
    EXPECT_EQ(pace.expected_wait(seconds(10)), Duration::zero()) << "of another thread, just now";
    EXPECT_EQ(pace.expected_wait(seconds(12)), seconds(1));
    pace.end(places[2], true, seconds(12));
}

TEST(AnswerPace, what_waits_at_the_pace_of_late) {
    AnswerPace pace;
    std::vector<Place> places(8);
    for (auto& place : places) {
        pace.begin(place, mib, seconds(100));
    }
    EXPECT_EQ(pace.expected_wait(seconds(100)), Duration::zero()) << "nothing is known of the pace";
    int n = 0;
    for (auto place = places.begin(); place != places.begin() + 4; ++place) {  // 2 MiB a second
        pace.end(*place, true, seconds(100) + milliseconds(500) * ++n);
    }
    EXPECT_EQ(pace.expected_wait(seconds(102)), seconds(2)) << "4 MiB, as they have waited, too";
    std::vector<Place> more(4);
    for (auto& place : more) {
        pace.begin(place, 4 * mib, seconds(102));
    }
    EXPECT_NEAR(static_cast<double>(pace.expected_wait(seconds(102)) / milliseconds(1)), 10'000, 1);
    for (std::size_t i = 4; i < places.size(); ++i) {
        pace.end(places[i], true, seconds(102));
    }
    for (auto& place : more) {
        pace.end(place, true, seconds(102));
    }
}

TEST(AnswerPace, small_ones_and_what_was_not_stored_tell_nothing_of_it) {
    AnswerPace pace;
    Place slow;
    pace.begin(slow, 1'000, seconds(1));
    pace.end(slow, true, seconds(2));
    Place duplicate;
    pace.begin(duplicate, mib, seconds(2));
    pace.end(duplicate, false, seconds(4));
    Place large;
    pace.begin(large, 16 * mib, seconds(4));
    EXPECT_EQ(pace.expected_wait(seconds(4)), Duration::zero());
    pace.end(large, true, seconds(4));
}

TEST(AnswerPace, what_was_slow_once_is_not_believed_for_ever) {
    AnswerPace pace;
    Place slow;
    pace.begin(slow, mib, seconds(100));
    pace.end(slow, true, seconds(104));
    Place small;
    pace.begin(small, mib, seconds(105));
    EXPECT_EQ(pace.expected_wait(seconds(105)), seconds(4));
    EXPECT_EQ(pace.expected_wait(seconds(104) + AnswerPace::late), seconds(9)) << "its own";
    pace.end(small, false, seconds(115));
    pace.begin(small, mib, seconds(115));
    EXPECT_EQ(pace.expected_wait(seconds(115)), Duration::zero());
    pace.end(small, true, seconds(115) + milliseconds(10));
    pace.begin(small, 10 * mib, seconds(116));
    EXPECT_NEAR(static_cast<double>(pace.expected_wait(seconds(116)) / milliseconds(1)), 100, 1)
        << "learnt anew";
    pace.end(small, true, seconds(116));
}

TEST(AnswerPace, the_pace_follows) {
    AnswerPace pace;
    const auto go = [&](int times, Duration each) {
        for (int i = 0; i < times; ++i) {
            Place place;
            pace.begin(place, mib, seconds(200));
            pace.end(place, true, seconds(200) + each);
        }
        Place place;
        pace.begin(place, mib, seconds(200));
        const auto expected = pace.expected_wait(seconds(200));
        pace.end(place, false, seconds(200));
        return expected / milliseconds(1);
    };
    EXPECT_NEAR(static_cast<double>(go(1, milliseconds(100))), 100, 1);
    EXPECT_LT(go(1, seconds(1)), 200) << "one alone changes little";
    EXPECT_GT(go(100, seconds(1)), 990);
    EXPECT_LT(go(100, milliseconds(10)), 20);
}

}  // namespace
}  // namespace helios::gateway
