#include "log/ordered_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "log/disk_log_test_kit.h"
#include "log/memory_log.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

std::uint32_t flows_first(TopicId topic) {
    return topic == topic::flows ? 0 : topic == topic::cases ? 1 : 2;
}

struct Bench {
    ManualClock clock{parse_rfc3339("2026-01-05T12:00:00Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    SimDisk disk{1};
    std::unique_ptr<Log> log;

    Bench() {
        DiskLogOptions options;
        options.directory = "d";
        options.partitions = 3;
        options.segment_bytes = 1u << 20;
        options.zero_ahead_bytes = 4096;
        options.reserve_bytes = 0;
        options.scrub_interval = Duration::zero();
        log = *open_disk_log(options, test_topics(), disk, clock, telemetry);
    }
    std::unique_ptr<OrderedReader> reader() {
        return std::make_unique<OrderedReader>(
            reader_of(*log, {topic::events, topic::flows, topic::cases}), flows_first);
    }
    Appended append(TopicId topic, const std::string& value) {
        return *append_now(*log, {record_for(topic, "k" + value, value)})[0];
    }
};

std::vector<std::string> values_of(const Batch& batch) {
    std::vector<std::string> out;
    for (const auto& record : batch.records) {
        out.emplace_back(record.value);
    }
    return out;
}

TEST(OrderedReader, ranks_what_ties_and_waits_until_its_millisecond_is_over) {
    Bench bench;
    const auto reader = bench.reader();
    bench.append(topic::events, "e1");
    bench.append(topic::cases, "c");
    bench.append(topic::flows, "f");
    const auto early = reader->poll(10, 1u << 20, Duration::zero());
    ASSERT_TRUE(early);
    EXPECT_TRUE(early->records.empty()) << "more may come in this millisecond";
    EXPECT_EQ(early->complete_below, bench.log->now());
    for (const auto& [id, offset] : reader->position()) {
        EXPECT_EQ(offset, Offset{0}) << id.index;
    }
    bench.clock.advance(log_time_grain);
    bench.append(topic::events, "later");
    const auto batch = reader->poll(10, 1u << 20, Duration::zero());
    ASSERT_TRUE(batch);
    EXPECT_EQ(values_of(*batch), (std::vector<std::string>{"f", "c", "e1"}));
    EXPECT_EQ(batch->complete_below, bench.log->now());
}

TEST(OrderedReader, a_small_batch_ends_within_a_millisecond_and_the_next_goes_on) {
    Bench bench;
    bench.append(topic::events, "e");
    bench.append(topic::flows, "f");
    const Instant tied = bench.log->last_log_time();
    bench.clock.advance(log_time_grain);
    auto reader = bench.reader();
    const auto first = reader->poll(1, 1u << 20, Duration::zero());
    EXPECT_EQ(values_of(*first), std::vector<std::string>{"f"});
    EXPECT_EQ(first->complete_below, tied) << "e carries it too";
    // Another reader goes on where this one stands.
    OrderedReader second(*bench.log->read(reader->position()), flows_first);
    EXPECT_EQ(values_of(*second.poll(9, 1u << 20, Duration::zero())),
              std::vector<std::string>{"e"});
    EXPECT_EQ(values_of(*reader->poll(9, 1u << 20, Duration::zero())),
              std::vector<std::string>{"e"});
}

TEST(OrderedReader, a_batch_keeps_the_bytes_of_all_polls_that_it_came_from) {
    Bench bench;
    auto reader = bench.reader();
    const std::string first(100, 'a');
    const std::string second(100, 'b');
    bench.append(topic::events, first);
    ASSERT_TRUE(reader->poll(10, 1u << 20, Duration::zero())->records.empty());
    bench.append(topic::events, second);
    ASSERT_TRUE(reader->poll(10, 1u << 20, Duration::zero())->records.empty());
    bench.clock.advance(log_time_grain);
    const auto batch = reader->poll(10, 1u << 20, Duration::zero());
    ASSERT_TRUE(batch);
    reader.reset();
    EXPECT_EQ(batch->storage.size(), 2u);
    EXPECT_THAT(values_of(*batch), ::testing::UnorderedElementsAre(first, second));
}

TEST(OrderedReader, a_waiting_poll_wakes_at_the_end_of_the_millisecond) {
    Bench bench;
    const auto reader = bench.reader();
    bench.append(topic::events, "e");
    std::thread later([&] { bench.clock.advance(log_time_grain); });
    const auto batch = reader->poll(10, 1u << 20, std::chrono::seconds(30));
    later.join();
    ASSERT_TRUE(batch);
    EXPECT_EQ(values_of(*batch), std::vector<std::string>{"e"});
}

TEST(OrderedReader, wake_ends_a_poll_that_holds_something_back) {
    Bench bench;
    const auto reader = bench.reader();
    bench.append(topic::events, "e");
    std::thread later([&] { reader->wake(); });
    const auto batch = reader->poll(10, 1u << 20, std::chrono::seconds(30));
    later.join();
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->records.empty());
}

// Polled at any time in batches of any size: one order, the same for everybody, nothing twice.
TEST(OrderedReader, every_reader_sees_the_same_order) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        Bench bench;
        const auto follower = bench.reader();
        std::vector<std::string> followed;
        const auto follow = [&](std::size_t max) {
            const auto batch = follower->poll(max, 1u << 20, Duration::zero());
            ASSERT_TRUE(batch);
            for (auto& value : values_of(*batch)) {
                followed.push_back(std::move(value));
            }
        };
        const TopicId topics[] = {topic::events, topic::flows, topic::cases};
        for (int i = 0; i < 200; ++i) {
            bench.append(topics[random() % 3], std::to_string(i));
            if (random() % 4 == 0) {
                bench.clock.advance(log_time_grain);
            }
            if (random() % 3 == 0) {
                follow(1 + random() % 7);
            }
        }
        bench.clock.advance(log_time_grain);
        const auto late = bench.reader();
        const auto expected = read_values(*late, 1000);
        ASSERT_EQ(expected.size(), 200u);
        while (followed.size() < expected.size()) {
            follow(5);
        }
        EXPECT_EQ(followed, expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace helios::log
