#include "base/bounded_queue.h"

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <thread>

namespace helios {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, is_first_in_first_out) {
    BoundedQueue<int> queue(3);
    for (int i = 1; i <= 3; ++i) {
        EXPECT_EQ(queue.push(int{i}), PushOutcome::taken);
    }
    EXPECT_EQ(queue.size(), 3u);
    for (int i = 1; i <= 3; ++i) {
        EXPECT_EQ(queue.pop(0ns), i);
    }
    EXPECT_EQ(queue.pop(0ns), std::nullopt);
}

TEST(BoundedQueue, refuses_when_full_and_leaves_the_item_alone) {
    BoundedQueue<std::unique_ptr<int>> queue(1);
    EXPECT_EQ(queue.push(std::make_unique<int>(1)), PushOutcome::taken);
    auto second = std::make_unique<int>(2);
    EXPECT_EQ(queue.push(std::move(second)), PushOutcome::full);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(**queue.pop(0ns), 1);
    EXPECT_EQ(queue.push(std::move(second)), PushOutcome::taken);
    EXPECT_EQ(**queue.pop(0ns), 2);
}

TEST(BoundedQueue, drains_after_close_and_takes_nothing_more) {
    BoundedQueue<int> queue(2);
    EXPECT_EQ(queue.push(7), PushOutcome::taken);
    queue.close();
    queue.close();
    EXPECT_TRUE(queue.closed());
    EXPECT_EQ(queue.push(8), PushOutcome::closed);
    EXPECT_EQ(queue.pop(1h), 7);
    EXPECT_EQ(queue.pop(1h), std::nullopt);  // at once, not after an hour
}

TEST(BoundedQueue, pop_many_takes_what_waits_up_to_the_maximum) {
    BoundedQueue<int> queue(10);
    for (int i = 0; i < 5; ++i) {
        queue.push(int{i});
    }
    std::vector<int> out{-1};
    EXPECT_EQ(queue.pop_many(out, 3, 0ns), 3u);
    EXPECT_EQ(queue.pop_many(out, 100, 0ns), 2u);
    EXPECT_EQ(queue.pop_many(out, 100, 0ns), 0u);
    EXPECT_EQ(out, (std::vector<int>{-1, 0, 1, 2, 3, 4}));
}

TEST(BoundedQueue, close_wakes_a_waiting_consumer) {
    BoundedQueue<int> queue(1);
    std::thread consumer([&] { EXPECT_EQ(queue.pop(1h), std::nullopt); });
    queue.close();
    consumer.join();
}

TEST(BoundedQueue, loses_and_doubles_nothing_between_threads) {
    constexpr int producers = 3;
    constexpr int per_producer = 5'000;
    BoundedQueue<int> queue(16);
    std::atomic<long> sum = 0;
    std::atomic<int> count = 0;
    std::vector<std::thread> threads;
    for (int c = 0; c < 2; ++c) {
        threads.emplace_back([&] {
            while (auto item = queue.pop(1h)) {
                sum += *item;
                ++count;
            }
        });
    }
    std::vector<std::thread> pushing;
    for (int p = 0; p < producers; ++p) {
        pushing.emplace_back([&] {
            for (int i = 1; i <= per_producer; ++i) {
                while (queue.push(int{i}) == PushOutcome::full) {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (auto& t : pushing) {
        t.join();
    }
    queue.close();
    for (auto& t : threads) {
        t.join();
    }
    EXPECT_EQ(count, producers * per_producer);
    EXPECT_EQ(sum, producers * (long{per_producer} * (per_producer + 1) / 2));
}

}  // namespace
}  // namespace helios
