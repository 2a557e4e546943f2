#pragma once
/// What every backend of log.h must do, as one test suite; what only a disk can promise is
/// disk_log_contract.h. A backend's test names itself:
///   INSTANTIATE_TEST_SUITE_P(disk, LogContract, ::testing::Values(&make_posix_log));
/// Only for test programs.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "log/log.h"
#include "log/records_test_kit.h"
#include "log/synchronous.h"

namespace helios::log {

/// A log of test_topics(), and what surrounds it.
class LogUnderTest {
public:
    virtual ~LogUnderTest() = default;
    virtual Log& log() = 0;
    /// Closes the log and opens it again: the same data in a new life.
    virtual void reopen() = 0;
    virtual ManualClock& clock() = 0;
    virtual std::size_t record_bytes_max() const = 0;
};

/// Where records stand, per partition in order: the only order that every backend promises.
using PartitionOrder = std::map<Partition, std::vector<std::pair<Offset, Instant>>>;

/// Keeps nothing of `at` that ends with its log.
inline void add_to(PartitionOrder& order, const Appended& at) {
    order[at.at.partition].emplace_back(at.at.offset, at.log_time);
}

inline void add_to(PartitionOrder& order, const Batch& batch) {
    for (const StoredRecord& record : batch.records) {
        order[record.at.partition].emplace_back(record.at.offset, record.log_time);
    }
}

/// Until a poll is empty.
inline PartitionOrder read_in_partition_order(Reader& reader, std::size_t max_records) {
    PartitionOrder out;
    for (;;) {
        const auto batch = reader.poll(max_records, 1u << 20, Duration::zero());
        HELIOS_ASSERT(batch.has_value(), "the log can be read");
        if (batch->records.empty()) {
            return out;
        }
        add_to(out, *batch);
    }
}

/// Threads that append `each` records, no two values alike. To be joined.
inline std::vector<std::thread> append_from_threads(Log& log, std::size_t threads,
                                                    std::size_t each) {
    std::vector<std::thread> appenders;
    for (std::size_t t = 0; t < threads; ++t) {
        appenders.emplace_back([&log, each, t] {
            for (std::size_t i = 0; i < each; ++i) {
                const auto outcome = append_now(
                    log, {record_for(i % 7 ? topic::events : topic::flows, "k" + std::to_string(i),
                                     std::to_string(t) + "-" + std::to_string(i))});
                EXPECT_TRUE(outcome[0]);
            }
        });
    }
    return appenders;
}

using MakeLogUnderTest = std::unique_ptr<LogUnderTest> (*)();

class LogContract : public ::testing::TestWithParam<MakeLogUnderTest> {
protected:
    void SetUp() override { under_test_ = GetParam()(); }
    Log& log() { return under_test_->log(); }
    ManualClock& clock() { return under_test_->clock(); }
    std::vector<PartitionInfo> described() {
        auto partitions = log().describe();
        EXPECT_TRUE(partitions);
        return partitions ? *std::move(partitions) : std::vector<PartitionInfo>();
    }
    std::unique_ptr<LogUnderTest> under_test_;
};

TEST_P(LogContract, answers_each_record_in_order) {
    const auto outcomes =
        append_now(log(), {record_for(topic::events, "a", "1"), record_for(topic::flows, "", "2"),
                           record_for(topic::events, "a", "3")});
    ASSERT_EQ(outcomes.size(), 3u);
    for (const auto& outcome : outcomes) {
        ASSERT_TRUE(outcome) << outcome.error().message();
    }
    EXPECT_EQ(outcomes[0]->at.partition.topic, topic::events);
    EXPECT_EQ(outcomes[1]->at.partition.topic, topic::flows);
    EXPECT_EQ(outcomes[0]->at.partition.index, outcomes[2]->at.partition.index);
    EXPECT_LT(outcomes[0]->at.offset, outcomes[2]->at.offset);
    EXPECT_LE(outcomes[0]->log_time, outcomes[2]->log_time);
    EXPECT_EQ(log().last_log_time(), std::max(outcomes[1]->log_time, outcomes[2]->log_time));
}

TEST_P(LogContract, places_a_record_by_its_key_or_where_it_says) {
    auto told = record_for(topic::events, "key", "v");
    const std::uint32_t partitions = log().partition_count(topic::events);
    told.partition = (partition_of("key", partitions) + 1) % partitions;
    const auto outcomes = append_now(log(), {record_for(topic::events, "key", "v"), told});
    ASSERT_TRUE(outcomes[0] && outcomes[1]);
    EXPECT_EQ(outcomes[0]->at.partition.index, partition_of("key", partitions));
    EXPECT_EQ(outcomes[1]->at.partition.index, *told.partition);
}

TEST_P(LogContract, refuses_what_cannot_be_appended_and_takes_the_rest) {
    auto elsewhere = record_for(topic::events, "k", "v");
    elsewhere.partition = log().partition_count(topic::events);
    const auto outcomes = append_now(
        log(),
        {record_for(topic::nowhere, "k", "v"), record_for(topic::events, "k", "good"), elsewhere,
         record_for(topic::events, "k", std::string(under_test_->record_bytes_max(), 'x'))});
    ASSERT_EQ(outcomes.size(), 4u);
    EXPECT_EQ(outcomes[0].error().kind, ErrorKind::invalid);
    EXPECT_TRUE(outcomes[1]);
    EXPECT_EQ(outcomes[2].error().kind, ErrorKind::invalid);
    EXPECT_EQ(outcomes[3].error().kind, ErrorKind::invalid);
    EXPECT_EQ(read_values(*reader_of(log(), {topic::events})), std::vector<std::string>{"good"});
}

TEST_P(LogContract, refuses_every_number_that_is_no_topic_of_it) {
    for (unsigned number = 0; number < 256; ++number) {
        const auto unknown = static_cast<TopicId>(number);
        if (!log().name_of(unknown).empty()) {
            continue;
        }
        const auto outcomes = append_now(log(), {record_for(unknown, "k", "v")});
        EXPECT_EQ(outcomes[0].error().kind, ErrorKind::invalid) << number;
        EXPECT_TRUE(log().partitions_of(unknown).empty()) << number;
        EXPECT_EQ(log().read_at({{unknown, 0}, Offset{0}}).error().kind, ErrorKind::invalid);
    }
    EXPECT_EQ(log().name_of(topic::events), "events");
    EXPECT_EQ(to_text(log(), {topic::cases, 1}), "cases/1");
}

TEST_P(LogContract, answers_an_append_of_nothing) {
    EXPECT_TRUE(append_now(log(), {}).empty());
}

TEST_P(LogContract, reads_back_everything_that_was_written) {
    std::string key("k\0ey", 4);
    const auto outcome =
        append_now(log(), {record_for(topic::events, key, std::string("\0\xff value", 8))});
    ASSERT_TRUE(outcome[0]);
    auto reader = reader_of(log(), {topic::events});
    const auto batch = reader->poll(10, 1000, Duration::zero());
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->records.size(), 1u);
    const StoredRecord& record = batch->records[0];
    EXPECT_EQ(record.at.partition.topic, topic::events);
    EXPECT_EQ(record.at.partition.index, outcome[0]->at.partition.index);
    EXPECT_EQ(record.at.offset, outcome[0]->at.offset);
    EXPECT_EQ(record.log_time, outcome[0]->log_time);
    EXPECT_EQ(record.type, 7);
    EXPECT_EQ(record.version, 2);
    EXPECT_EQ(record.payload_key_id, 5u);
    EXPECT_EQ(record.key, key);
    EXPECT_EQ(record.value, std::string_view("\0\xff value", 8));
}

// A backend keeps them for other people's tools or drops them: nobody of ours is shown any.
TEST_P(LogContract, headers_change_nothing_of_a_record) {
    auto with = record_for(topic::flows, "k", "v");
    with.headers = {{"type", "flow_activation"}, {"traceparent", ""}, {"type", "again"}};
    const auto outcomes = append_now(log(), {with, record_for(topic::flows, "k", "v")});
    ASSERT_TRUE(outcomes[0] && outcomes[1]);
    for (const auto& outcome : outcomes) {
        const auto found = log().read_at(outcome->at);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->records.at(0).key, "k");
        EXPECT_EQ(found->records.at(0).value, "v");
        EXPECT_EQ(found->records.at(0).type, 7);
    }
    EXPECT_EQ(read_values(*reader_of(log(), {topic::flows})), (std::vector<std::string>{"v", "v"}));
}

TEST_P(LogContract, reads_all_topics_and_classes_each_partition_in_order) {
    PartitionOrder written;
    const TopicId topics[] = {topic::events, topic::flows, topic::cases};
    for (int i = 0; i < 300; ++i) {
        add_to(written, *append_now(log(), {record_for(topics[i % 3], "k" + std::to_string(i),
                                                       std::to_string(i))})[0]);
    }
    auto reader = reader_of(log(), {topic::events, topic::cases, topic::flows});
    EXPECT_EQ(read_in_partition_order(*reader, 7), written);
}

TEST_P(LogContract, reads_only_the_partitions_asked_for) {
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(append_now(log(), {record_for(topic::events, "k" + std::to_string(i), "e"),
                                       record_for(topic::cases, "k", "c" + std::to_string(i))})[0]);
    }
    const auto values = read_values(*reader_of(log(), {topic::cases}));
    ASSERT_EQ(values.size(), 50u);
    EXPECT_EQ(values.front(), "c0");
    EXPECT_EQ(values.back(), "c49");
    auto one = log().read({{{topic::events, 0}, Offset{0}}});
    ASSERT_TRUE(one);
    for (;;) {
        const auto batch = (*one)->poll(10, 1000, Duration::zero());
        ASSERT_TRUE(batch);
        if (batch->records.empty()) {
            break;
        }
        for (const auto& record : batch->records) {
            EXPECT_EQ(record.at.partition.index, 0u);
        }
    }
    EXPECT_EQ(log().read({{{topic::nowhere, 0}, Offset{0}}}).error().kind, ErrorKind::invalid);
    EXPECT_EQ(log().read({{{topic::flows, 1}, Offset{0}}}).error().kind, ErrorKind::invalid);
}

TEST_P(LogContract, bounds_a_batch_and_gives_at_least_one) {
    std::vector<Record> records;
    for (int i = 0; i < 20; ++i) {
        records.push_back(record_for(topic::cases, "k", std::string(1000, 'x')));
    }
    for (const auto& outcome : append_now(log(), records)) {
        ASSERT_TRUE(outcome);
    }
    auto reader = reader_of(log(), {topic::cases});
    EXPECT_EQ(reader->poll(3, 1u << 20, Duration::zero())->records.size(), 3u);
    EXPECT_EQ(reader->poll(100, 1, Duration::zero())->records.size(), 1u);
    EXPECT_LE(reader->poll(100, 4000, Duration::zero())->records.size(), 5u);
}

TEST_P(LogContract, goes_on_where_a_reader_stood) {
    PartitionOrder written;
    for (int i = 0; i < 30; ++i) {
        add_to(written, *append_now(log(), {record_for(i % 3 ? topic::events : topic::flows,
                                                       "k" + std::to_string(i), "")})[0]);
    }
    auto first = reader_of(log(), {topic::events, topic::flows});
    PartitionOrder read;
    for (int i = 0; i < 4; ++i) {
        const auto batch = first->poll(3, 1u << 20, Duration::zero());
        ASSERT_TRUE(batch);
        add_to(read, *batch);
    }
    const Offsets position = first->position();
    first.reset();
    under_test_->reopen();
    auto second = log().read(position);
    ASSERT_TRUE(second);
    for (const auto& [id, records] : read_in_partition_order(**second, 4)) {
        read[id].insert(read[id].end(), records.begin(), records.end());
    }
    EXPECT_EQ(read, written);
}

TEST_P(LogContract, reads_from_any_offset) {
    std::vector<Offset> offsets;
    for (int i = 0; i < 40; ++i) {
        offsets.push_back(append_now(log(), {record_for(topic::flows, "k", std::to_string(i)),
                                             record_for(topic::events, "k", "e")})[0]
                              ->at.offset);
    }
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        for (const std::uint64_t beside : {0u, 1u}) {
            auto reader = log().read({{{topic::flows, 0}, Offset{offsets[i].value + beside}}});
            ASSERT_TRUE(reader);
            EXPECT_EQ(read_values(**reader).size(), offsets.size() - i - beside)
                << i << " + " << beside;
        }
    }
}

TEST_P(LogContract, tells_silence_from_a_backlog) {
    auto reader = reader_of(log(), {topic::events});
    const auto empty = reader->poll(1, 1, Duration::zero());
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->records.empty());
    clock().advance(std::chrono::seconds(5));
    const auto later = reader->poll(1, 1, Duration::zero());
    EXPECT_GE(later->complete_below, empty->complete_below + std::chrono::seconds(5));
    std::multiset<Instant> undelivered;
    for (const auto& outcome : append_now(
             log(), {record_for(topic::events, "a", "1"), record_for(topic::events, "b", "2"),
                     record_for(topic::events, "c", "3")})) {
        EXPECT_GE(outcome->log_time, later->complete_below);
        undelivered.insert(outcome->log_time);
    }
    const Instant last = *undelivered.rbegin();
    Instant before = later->complete_below;
    while (!undelivered.empty()) {
        const auto batch = reader->poll(1, 1u << 20, Duration::zero());
        ASSERT_EQ(batch->records.size(), 1u);
        undelivered.erase(undelivered.find(batch->records[0].log_time));
        EXPECT_GE(batch->complete_below, before);
        EXPECT_TRUE(undelivered.empty() || batch->complete_below <= *undelivered.begin());
        before = batch->complete_below;
    }
    clock().advance(std::chrono::milliseconds(1));
    EXPECT_GT(reader->poll(1, 1, Duration::zero())->complete_below, last);
}

TEST_P(LogContract, stamps_nothing_below_a_watermark_it_has_named) {
    Instant before{};
    for (int i = 0; i < 20; ++i) {
        const Instant mark = log().low_watermark();
        const Instant now = log().now();
        EXPECT_GE(mark, before);
        const auto outcome =
            append_now(log(), {record_for(topic::events, "k" + std::to_string(i), "v")});
        EXPECT_GE(outcome[0]->log_time, mark);
        EXPECT_GE(outcome[0]->log_time, now);
        before = mark;
        clock().advance(std::chrono::milliseconds(i % 3));
        clock().jump_wall(std::chrono::milliseconds(i % 5 - 2));
    }
}

TEST_P(LogContract, log_time_never_falls_within_a_partition) {
    Instant last{};
    for (int i = 0; i < 20; ++i) {
        const Instant stamp =
            append_now(log(), {record_for(topic::events, "k", std::to_string(i))})[0]->log_time;
        EXPECT_GE(stamp, last);
        last = stamp;
        clock().jump_wall(i % 2 == 0 ? -std::chrono::hours(3) : std::chrono::hours(2));
        if (i % 7 == 6) {
            under_test_->reopen();
        }
    }
    EXPECT_EQ(read_values(*reader_of(log(), {topic::events})).back(), "19");
}

TEST_P(LogContract, wakes_a_waiting_reader_for_its_topics) {
    auto reader = reader_of(log(), {topic::cases});
    auto waiting = std::async(std::launch::async,
                              [&] { return reader->poll(10, 1000, std::chrono::seconds(60)); });
    ASSERT_TRUE(append_now(log(), {record_for(topic::cases, "k", "come")})[0]);
    const auto batch = waiting.get();
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->records.size(), 1u);
    EXPECT_EQ(batch->records[0].value, "come");
    auto woken = std::async(std::launch::async,
                            [&] { return reader->poll(10, 1000, std::chrono::seconds(60)); });
    reader->wake();
    EXPECT_TRUE(woken.get()->records.empty());
}

TEST_P(LogContract, behind_every_record_stands_the_next) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(append_now(log(), {record_for(topic::flows, "k", std::to_string(i)),
                                       record_for(topic::events, "k", "e")})[0]);
    }
    auto reader = reader_of(log(), {topic::flows});
    std::size_t left = 40;
    const auto batch = reader->poll(100, 1u << 20, Duration::zero());
    ASSERT_TRUE(batch);
    for (const StoredRecord& record : batch->records) {
        auto behind = log().read({{{topic::flows, 0}, record.next}});
        ASSERT_TRUE(behind);
        EXPECT_EQ(read_values(**behind).size(), --left);
        const auto alone = log().read_at(record.at);
        ASSERT_TRUE(alone);
        EXPECT_EQ(alone->records.at(0).next, record.next);
    }
}

TEST_P(LogContract, one_record_by_its_position) {
    const auto outcomes =
        append_now(log(), {record_for(topic::events, "k", std::string(9000, 'a')),
                           record_for(topic::events, "k", "b"), record_for(topic::flows, "", "c")});
    const Position& at = outcomes[0]->at;
    for (int life = 0; life < 2; ++life) {
        const auto found = log().read_at(at);
        ASSERT_TRUE(found) << found.error().message();
        ASSERT_EQ(found->records.size(), 1u);
        EXPECT_EQ(found->records[0].value, std::string(9000, 'a'));
        EXPECT_EQ(found->records[0].log_time, outcomes[0]->log_time);
        const auto missing = [&](const Partition& id, Offset offset) {
            return log().read_at({id, offset}).error().kind;
        };
        EXPECT_EQ(missing({topic::events, at.partition.index}, Offset{1ull << 60}),
                  ErrorKind::not_found);
        EXPECT_EQ(missing({topic::events,
                           (at.partition.index + 1) % log().partition_count(topic::events)},
                          at.offset),
                  ErrorKind::not_found);
        EXPECT_EQ(missing({topic::nowhere, 0}, at.offset), ErrorKind::invalid);
        under_test_->reopen();
    }
}

TEST_P(LogContract, finds_offsets_by_time) {
    std::vector<Appended> flows;
    for (int i = 0; i < 200; ++i) {
        clock().advance(std::chrono::milliseconds(10));
        const auto outcomes =
            append_now(log(), {record_for(topic::flows, "", std::to_string(i)),
                               record_for(topic::events, "k", std::string(1000, 'x'))});
        flows.push_back(*outcomes[0]);
    }
    const Partition id{topic::flows, 0};
    const auto at = [&](Instant t) { return log().offsets_at({id}, t)->at(id); };
    for (int life = 0; life < 2; ++life) {
        EXPECT_EQ(at(Instant{}), flows.front().at.offset);
        for (std::size_t i = 0; i < flows.size(); i += 13) {
            EXPECT_EQ(at(flows[i].log_time), flows[i].at.offset);
            EXPECT_TRUE(i == 0 || at(flows[i - 1].log_time + Duration{1}) == flows[i].at.offset)
                << i;
        }
        auto behind = log().read({{id, at(flows.back().log_time + Duration{1})}});
        ASSERT_TRUE(behind);
        EXPECT_TRUE(read_values(**behind).empty());
        behind->reset();
        under_test_->reopen();
    }
    EXPECT_EQ(log().offsets_at({{topic::cases, 1}}, Instant{})->at({topic::cases, 1}), Offset{0});
}

TEST_P(LogContract, a_transaction_moves_its_group_and_writes_its_outputs) {
    const Partition id{topic::events, 0};
    EXPECT_TRUE(log().committed("route")->empty());
    const auto done = transact_now(
        log(), {record_for(topic::cases, "a", "1"), record_for(topic::cases, "b", "2")},
        {"route", {{id, Offset{0}}}, {{id, Offset{10}}}});
    ASSERT_TRUE(done) << done.error().message();
    ASSERT_EQ(done->size(), 2u);
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{10}}}));
    EXPECT_TRUE(log().committed("engine")->empty());
    ASSERT_TRUE(transact_now(log(), {record_for(topic::flows, "", "3")},
                             {"route", {{id, Offset{10}}}, {{id, Offset{20}}}}));
    under_test_->reopen();
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{20}}}));
    ASSERT_TRUE(transact_now(log(), {},
                             {"route",
                              {{id, Offset{20}}, {{topic::events, 1}, Offset{0}}},
                              {{id, Offset{30}}, {{topic::events, 1}, Offset{5}}},
                              {{{topic::events, 1}, 3}}}));
    under_test_->reopen();
    EXPECT_EQ(*log().committed("route"),
              (Offsets{{id, Offset{30}}, {{topic::events, 1}, Offset{5}}}));
    EXPECT_EQ(log().partly("route")->at({topic::events, 1}), 3u);
    EXPECT_EQ(read_values(*reader_of(log(), {topic::cases})).size(), 2u);
    EXPECT_EQ(read_values(*reader_of(log(), {topic::flows})), std::vector<std::string>{"3"});
}

TEST_P(LogContract, a_record_taken_in_parts_goes_on_from_the_part_before_and_only_from_there) {
    const Partition id{topic::events, 0};
    const auto move = [&](Offset to, std::uint64_t written_before, std::uint64_t written) {
        return transact_now(log(), {record_for(topic::cases, "a", std::to_string(written))},
                            {"route",
                             {{id, Offset{0}}},
                             {{id, to}},
                             written > 0 ? Parts{{id, written}} : Parts{},
                             written_before > 0 ? Parts{{id, written_before}} : Parts{}});
    };
    ASSERT_TRUE(move(Offset{0}, 0, 1));
    under_test_->reopen();
    const auto again = move(Offset{0}, 0, 1);
    ASSERT_FALSE(again) << "its offset alone says nothing of the part that is written";
    EXPECT_EQ(again.error().kind, ErrorKind::conflict);
    EXPECT_FALSE(move(Offset{0}, 2, 3));
    EXPECT_FALSE(move(Offset{10}, 0, 0));
    ASSERT_TRUE(move(Offset{0}, 1, 2));
    ASSERT_TRUE(move(Offset{10}, 2, 0));
    EXPECT_TRUE(log().partly("route")->empty());
    EXPECT_EQ(read_values(*reader_of(log(), {topic::cases})).size(), 3u);
}

TEST_P(LogContract, a_transaction_from_elsewhere_is_a_conflict_and_leaves_nothing) {
    const Partition id{topic::events, 0};
    ASSERT_TRUE(transact_now(log(), {record_for(topic::cases, "a", "1")},
                             {"route", {{id, Offset{0}}}, {{id, Offset{10}}}}));
    const auto late = transact_now(log(), {record_for(topic::cases, "a", "2")},
                                   {"route", {{id, Offset{0}}}, {{id, Offset{20}}}});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::conflict);
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{10}}}));
    EXPECT_EQ(read_values(*reader_of(log(), {topic::cases})), std::vector<std::string>{"1"});
}

TEST_P(LogContract, transactions_in_flight_follow_one_another) {
    const Partition id{topic::events, 0};
    std::vector<std::promise<Result<std::vector<Appended>>>> answers(40);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const bool control = i % 5 == 4;
        log().transact({record_for(control ? topic::flows : topic::cases, "k", std::to_string(i))},
                       {"route", {{id, Offset{i}}}, {{id, Offset{i + 1}}}},
                       [&answers, i](Result<std::vector<Appended>> outcome) {
                           answers[i].set_value(std::move(outcome));
                       });
    }
    for (auto& answer : answers) {
        EXPECT_TRUE(answer.get_future().get());
    }
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{answers.size()}}}));
    under_test_->reopen();
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{answers.size()}}}));
}

TEST_P(LogContract, refuses_a_transaction_that_makes_no_sense) {
    const Partition id{topic::events, 0};
    const auto kind = [&](std::vector<Record> outputs, GroupOffsets offsets) {
        auto outcome = transact_now(log(), std::move(outputs), std::move(offsets));
        return outcome ? ErrorKind::timeout : outcome.error().kind;
    };
    EXPECT_EQ(kind({}, {"g", {{id, Offset{0}}}, {{{topic::events, 1}, Offset{1}}}}),
              ErrorKind::invalid)
        << "other partitions in to than in from";
    EXPECT_EQ(
        kind({}, {"g", {{{topic::nowhere, 0}, Offset{0}}}, {{{topic::nowhere, 0}, Offset{1}}}}),
        ErrorKind::invalid);
    EXPECT_EQ(kind({}, {"", {{id, Offset{0}}}, {{id, Offset{1}}}}), ErrorKind::invalid);
    EXPECT_EQ(kind({record_for(topic::cases, "", ""), record_for(topic::flows, "", "")},
                   {"g", {{id, Offset{0}}}, {{id, Offset{1}}}}),
              ErrorKind::invalid)
        << "two classes";
    EXPECT_EQ(
        kind({record_for(topic::nowhere, "", "")}, {"g", {{id, Offset{0}}}, {{id, Offset{1}}}}),
        ErrorKind::invalid);
    EXPECT_TRUE(log().committed("g")->empty());
}

TEST_P(LogContract, keeps_everything_over_many_lives) {
    PartitionOrder written;
    for (int life = 0; life < 5; ++life) {
        for (int i = 0; i < 60; ++i) {
            const std::string value = std::to_string(life * 60 + i);
            add_to(written, *append_now(log(), {record_for(i % 4 ? topic::events : topic::flows,
                                                           "k" + value, value)})[0]);
        }
        under_test_->reopen();
    }
    EXPECT_EQ(read_in_partition_order(*reader_of(log(), {topic::events, topic::flows}), 64),
              written);
    EXPECT_TRUE(log().damage().empty());
}

TEST_P(LogContract, serves_many_threads_and_a_follower) {
    constexpr std::size_t threads = 8;
    constexpr std::size_t each = 150;
    auto appenders = append_from_threads(log(), threads, each);
    std::set<std::string> seen;
    std::map<Partition, std::pair<Instant, Offset>> last;
    Instant complete_below{};
    auto reader = reader_of(log(), {topic::events, topic::flows});
    while (seen.size() < threads * each) {
        const auto batch = reader->poll(64, 1u << 20, std::chrono::seconds(30));
        ASSERT_TRUE(batch);
        for (const auto& record : batch->records) {
            auto& before = last[record.at.partition];
            EXPECT_GE(record.log_time, before.first);
            EXPECT_GE(record.at.offset, before.second);
            EXPECT_GE(record.log_time, complete_below) << "a record behind the promise";
            before = {record.log_time, Offset{record.at.offset.value + 1}};
            EXPECT_TRUE(seen.emplace(record.value).second) << record.value << " twice";
        }
        EXPECT_GE(batch->complete_below, complete_below);
        complete_below = batch->complete_below;
    }
    for (auto& appender : appenders) {
        appender.join();
    }
}

TEST_P(LogContract, describes_what_it_holds) {
    const auto outcomes =
        append_now(log(), {record_for(topic::flows, "", "1"), record_for(topic::flows, "", "2")});
    for (int life = 0; life < 2; ++life) {
        bool found = false;
        for (const PartitionInfo& info : described()) {
            if (info.id.topic != topic::flows) {
                EXPECT_EQ(info.records, 0u);
                continue;
            }
            found = true;
            EXPECT_EQ(info.records, 2u);
            EXPECT_EQ(info.first, outcomes[0]->at.offset);
            EXPECT_GT(info.end, outcomes[1]->at.offset);
            EXPECT_EQ(info.first_time, outcomes[0]->log_time);
            EXPECT_EQ(info.last_time, outcomes[1]->log_time);
        }
        EXPECT_TRUE(found);
        Offsets of;
        Offsets ends;
        for (const PartitionInfo& info : described()) {
            of[info.id] = Offset{0};
            ends[info.id] = info.end;
        }
        of[{topic::events, 1'000}] = Offset{0};
        of[{topic::nowhere, 0}] = Offset{0};
        EXPECT_EQ(*log().ends_of(of), ends);
        EXPECT_EQ(log().ends_of({{{topic::flows, 0}, Offset{0}}})->size(), 1u);
        under_test_->reopen();
    }
    EXPECT_EQ(log().partitions_of(topic::cases).size(), 2u);
    EXPECT_EQ(log().partition_count(topic::flows), 1u);
    EXPECT_EQ(log().partition_count(topic::nowhere), 0u);
    EXPECT_TRUE(log().health());
}

TEST_P(LogContract, closing_answers_what_waits_and_refuses_the_rest) {
    auto reader = reader_of(log(), {topic::events});
    auto waiting = std::async(std::launch::async,
                              [&] { return reader->poll(10, 1000, std::chrono::seconds(60)); });
    std::promise<bool> durable;
    log().append({record_for(topic::flows, "", "v")}, [&](std::span<const AppendOutcome> outcomes) {
        durable.set_value(outcomes[0].has_value());
    });
    auto answered = durable.get_future();
    log().close();
    EXPECT_EQ(answered.wait_for(std::chrono::seconds(0)), std::future_status::ready)
        << "close waits for what was accepted";
    EXPECT_TRUE(answered.get());
    EXPECT_EQ(waiting.get().error().kind, ErrorKind::stopping);
    EXPECT_EQ(append_now(log(), {record_for(topic::events, "k", "v")})[0].error().kind,
              ErrorKind::stopping);
    EXPECT_EQ(transact_now(log(), {}, {"g", {}, {}}).error().kind, ErrorKind::stopping);
    log().close();
    reader.reset();
    under_test_->reopen();
    EXPECT_EQ(read_values(*reader_of(log(), {topic::flows})), std::vector<std::string>{"v"});
}

// What is appended while it is looked for is not passed over.
TEST_P(LogContract, offsets_at_pass_over_nothing_that_is_appended_meanwhile) {
    constexpr std::size_t threads = 3;
    std::atomic<std::size_t> left{threads};
    std::vector<std::thread> appenders;
    for (std::size_t t = 0; t < threads; ++t) {
        appenders.emplace_back([&, t] {
            for (std::size_t i = 0; i < 400; ++i) {
                auto record = record_for(topic::events, "k" + std::to_string(i), std::to_string(t));
                EXPECT_TRUE(append_now(log(), {std::move(record)})[0]);
            }
            --left;
        });
    }
    const auto ids = log().partitions_of(topic::events);
    std::map<Instant, Offsets> furthest;  // what was answered for a time, at most
    while (left > 0) {
        const Instant t = log().last_log_time();
        const auto offsets = log().offsets_at(ids, t);
        ASSERT_TRUE(offsets) << offsets.error().message();
        for (const auto& [id, offset] : *offsets) {
            Offset& most = furthest[t][id];
            most = std::max(most, offset);
        }
        clock().advance(std::chrono::microseconds(50));
    }
    for (auto& appender : appenders) {
        appender.join();
    }
    clock().advance(std::chrono::seconds(1));
    auto reader = reader_of(log(), {topic::events});
    for (;;) {
        const auto batch = reader->poll(100, 1u << 20, Duration::zero());
        ASSERT_TRUE(batch);
        if (batch->records.empty()) {
            break;
        }
        for (const auto& record : batch->records) {
            const Partition id = record.at.partition;
            for (auto it = furthest.begin(); it != furthest.end() && it->first <= record.log_time;
                 ++it) {
                ASSERT_GE(record.at.offset, it->second.at(id)) << "passed over";
            }
        }
    }
}

}  // namespace helios::log
