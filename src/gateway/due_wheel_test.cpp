#include "gateway/due_wheel.h"

#include <deque>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

namespace helios::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Item : DueLink {
    explicit Item(int n) : number(n) {}
    int number;
};

std::vector<int> due(DueWheel<Item>& wheel, Duration now) {
    std::vector<int> numbers;
    EXPECT_TRUE(
        wheel.take_due(now, 1'000'000, [&](Item& item) { numbers.push_back(item.number); }));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}
using Numbers = std::vector<int>;

TEST(DueWheel, each_is_told_once_when_it_is_due) {
    DueWheel<Item> wheel;
    Item a(1);
    Item b(2);
    Item c(3);
    wheel.add(a, seconds(4));
    wheel.add(b, seconds(24));
    wheel.add(c, seconds(8));
    EXPECT_EQ(due(wheel, seconds(4) - milliseconds(1)), Numbers{}) << "not a moment too early";
    EXPECT_EQ(due(wheel, seconds(4)), Numbers{1});
    EXPECT_EQ(due(wheel, seconds(4)), Numbers{});
    wheel.remove(c);
    wheel.remove(c);
    EXPECT_EQ(due(wheel, seconds(1'000)), Numbers{2});
    wheel.add(a, seconds(1));
    EXPECT_EQ(due(wheel, seconds(1'000)), Numbers{1}) << "due before it came";
}

TEST(DueWheel, at_most_so_many_at_once) {
    DueWheel<Item> wheel;
    std::deque<Item> items;
    for (int i = 0; i < 25; ++i) {
        wheel.add(items.emplace_back(i), milliseconds(i));
    }
    std::size_t told = 0;
    int calls = 1;
    while (!wheel.take_due(seconds(1), 10, [&](Item&) { ++told; })) {
        EXPECT_EQ(told, 10U * static_cast<unsigned>(calls++));
    }
    EXPECT_EQ(told, 25u);
    EXPECT_EQ(calls, 3);
}

TEST(DueWheel, whatever_is_added_removed_and_asked_for) {
    std::mt19937 random(7);
    DueWheel<Item> wheel;
    std::deque<Item> items;
    std::set<std::pair<Duration, int>> model;
    Duration now = seconds(3'000);
    for (int i = 0; i < 20'000; ++i) {
        const auto at = now + milliseconds(random() % 90'000) - seconds(1);
        wheel.add(items.emplace_back(i), at);
        model.insert({at, i});
        if (random() % 2 == 0) {
            const auto which =
                std::next(model.begin(),
                          static_cast<int>(random() % std::min<std::size_t>(model.size(), 50)));
            wheel.remove(items[static_cast<std::size_t>(which->second)]);
            model.erase(which);
        }
        if (random() % 8 == 0) {
            now += milliseconds(random() % (random() % 100 == 0 ? 100'000 : 900));
            Numbers expected;
            while (!model.empty() && model.begin()->first <= now) {
                expected.push_back(model.begin()->second);
                model.erase(model.begin());
            }
            std::sort(expected.begin(), expected.end());
            ASSERT_EQ(due(wheel, now), expected) << i;
        }
    }
}

}  // namespace
}  // namespace helios::gateway
