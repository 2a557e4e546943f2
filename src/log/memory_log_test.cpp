// What the log in memory does on purpose: the weaknesses of which log_contract.h says nothing.
#include "log/memory_log.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "log/stage.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

constexpr TopicId in_topic{1};
constexpr TopicId out_topic{2};
const Partition in{in_topic, 0};

class MemoryLogTest : public ::testing::Test {
protected:
    Appended append(std::string value, std::uint32_t partition = 0) {
        Record record;
        record.topic = in_topic;
        record.partition = partition;
        record.value = std::move(value);
        return *append_now(log_, {std::move(record)})[0];
    }
    Status transact(std::string value, Offset from, Offset to) {
        Record record;
        record.topic = out_topic;
        record.value = std::move(value);
        auto done = transact_now(log_, {std::move(record)}, {"g", {{in, from}}, {{in, to}}});
        return done ? Status{} : Status(std::unexpected(std::move(done).error()));
    }
    std::vector<std::string> values(TopicId topic) {
        return read_values(*reader_of(log_, {topic}));
    }

    ManualClock clock_{from_nanos(1'700'000'000'000'000'000)};
    MemoryLog log_{
        {},
        {{in_topic, "in", RetentionClass::data, 2}, {out_topic, "out", RetentionClass::data, 1}},
        clock_};
};

TEST_F(MemoryLogTest, stamps_tie_and_stand_still_while_the_brokers_clock_is_back) {
    const Instant first = append("a").log_time;
    clock_.advance(std::chrono::microseconds(900));
    EXPECT_EQ(append("b").log_time, first);
    clock_.advance(std::chrono::milliseconds(5));
    const Instant third = append("c").log_time;
    EXPECT_EQ(third, first + std::chrono::milliseconds(5));
    log_.step_clock(in, -std::chrono::seconds(3));
    clock_.advance(std::chrono::seconds(2));
    EXPECT_EQ(append("d").log_time, third);
    EXPECT_EQ(append("e", 1).log_time, third + std::chrono::seconds(2)) << "another broker's";
    EXPECT_EQ(log_.watermark(in), third);
}

TEST_F(MemoryLogTest, an_open_transaction_hides_what_lies_behind_it) {
    append("before");
    clock_.advance(std::chrono::seconds(1));
    log_.hold(in);
    const Instant held = log_.watermark(in);
    clock_.advance(std::chrono::seconds(1));
    append("behind");
    append("beside", 1);
    auto reader = reader_of(log_, {in_topic});
    auto seen = read_values(*reader);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<std::string>{"before", "beside"}));
    EXPECT_EQ(reader->poll(1, 1, Duration::zero())->complete_below, held);
    EXPECT_EQ(log_.low_watermark(), held);
    log_.release(in);
    EXPECT_EQ(read_values(*reader), std::vector<std::string>{"behind"});
    EXPECT_GT(log_.watermark(in), held);
}

TEST_F(MemoryLogTest, an_aborted_transaction_leaves_offsets_alone) {
    const Offset end = log_.describe()->back().end;
    log_.fail_transactions({.aborted_in = 1});
    EXPECT_EQ(transact("a", Offset{0}, Offset{1}).error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(values(out_topic).empty());
    EXPECT_TRUE(log_.committed("g")->empty());
    EXPECT_GT(log_.describe()->back().end, end);
    log_.fail_transactions({});
    EXPECT_TRUE(transact("a", Offset{0}, Offset{1}));
}

TEST_F(MemoryLogTest, an_unknown_outcome_is_known_when_asked_for_again) {
    bool happened = false;
    bool did_not = false;
    for (std::uint64_t i = 0; i < 40; ++i) {
        log_.fail_transactions({.unknown_in = 1});
        const std::string value = std::to_string(i);
        EXPECT_EQ(transact(value, Offset{i}, Offset{i + 1}).error().kind, ErrorKind::timeout);
        (values(out_topic).size() == i + 1 ? happened : did_not) = true;
        log_.fail_transactions({});
        EXPECT_TRUE(transact(value, Offset{i}, Offset{i + 1}));
        EXPECT_EQ(values(out_topic).size(), i + 1) << "there once";
        EXPECT_EQ(transact(value, Offset{i}, Offset{i + 1}).error().kind, ErrorKind::conflict);
    }
    EXPECT_TRUE(happened && did_not);
}

TEST_F(MemoryLogTest, an_unknown_outcome_that_moves_nothing_is_there_once_too) {
    for (std::size_t i = 1; i <= 20; ++i) {
        log_.fail_transactions({.unknown_in = 1});
        EXPECT_FALSE(transact(std::to_string(i), Offset{0}, Offset{0}));
        log_.fail_transactions({});
        EXPECT_TRUE(transact(std::to_string(i), Offset{0}, Offset{0}));
        EXPECT_EQ(values(out_topic).size(), i);
    }
}

TEST_F(MemoryLogTest, a_fence_holds_until_the_position_is_read_again) {
    EXPECT_TRUE(transact("a", Offset{0}, Offset{1}));
    log_.fence("g");
    EXPECT_EQ(transact("b", Offset{1}, Offset{2}).error().kind, ErrorKind::conflict);
    EXPECT_EQ(transact("b", Offset{1}, Offset{2}).error().kind, ErrorKind::conflict);
    EXPECT_EQ(log_.committed("g")->at(in), Offset{1});
    EXPECT_TRUE(transact("b", Offset{1}, Offset{2}));
}

TEST_F(MemoryLogTest, partitions_come_in_any_order_each_in_its_own) {
    std::vector<std::string> in_turn;
    for (int i = 0; i < 20; ++i) {
        append(std::to_string(i), static_cast<std::uint32_t>(i % 2));
        in_turn.push_back(std::to_string(i));
        clock_.advance(std::chrono::milliseconds(1));
    }
    const auto seen = values(in_topic);
    EXPECT_NE(seen, in_turn);
    EXPECT_TRUE(std::is_permutation(seen.begin(), seen.end(), in_turn.begin(), in_turn.end()));
    for (const char odd : {0, 1}) {
        std::vector<int> mine;
        for (const auto& value : seen) {
            if (std::stoi(value) % 2 == odd) {
                mine.push_back(std::stoi(value));
            }
        }
        EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    }
}

TEST_F(MemoryLogTest, keeps_headers_for_others) {
    Record record;
    record.topic = in_topic;
    record.headers = {{"type", "event"}, {"traceparent", "00-1-2-01"}};
    const Headers sent = record.headers;
    const auto outcome = append_now(log_, {std::move(record)})[0];
    ASSERT_TRUE(outcome);
    EXPECT_EQ(log_.headers_at(outcome->at), sent);
    EXPECT_EQ(log_.headers_at(append("none").at), Headers{});
    EXPECT_EQ(log_.headers_at({in, Offset{1u << 20}}).error().kind, ErrorKind::not_found);
}

TEST_F(MemoryLogTest, a_reader_that_has_all_stands_behind_what_nobody_is_shown) {
    append("a");
    auto reader = reader_of(log_, {in_topic});
    log_.hold(in);
    read_values(*reader);
    log_.release(in);
    read_values(*reader);
    EXPECT_EQ(reader->position().at(in), log_.describe()->front().end);
}

}  // namespace
}  // namespace helios::log
