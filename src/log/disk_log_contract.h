#pragma once
/// What a log on a disk promises beyond log_contract.h: log times never fall over the whole log,
/// whatever the wall clock does, so a millisecond is complete as soon as it is over. Offsets are
/// places in a journal.
/// Only for test programs.

#include "log/log_contract.h"
#include "log/ordered_reader.h"

namespace helios::log {

class DiskLogContract : public LogContract {};

TEST_P(DiskLogContract, stamps_never_fall_over_the_whole_log) {
    const auto outcomes =
        append_now(log(), {record_for(topic::events, "a", "1"), record_for(topic::flows, "", "2"),
                           record_for(topic::events, "a", "3")});
    ASSERT_EQ(outcomes.size(), 3u);
    for (const auto& outcome : outcomes) {
        ASSERT_TRUE(outcome) << outcome.error().message();
    }
    EXPECT_EQ(outcomes[0]->at.partition.topic, topic::events);
    EXPECT_EQ(outcomes[1]->at.partition.topic, topic::flows);
    EXPECT_LE(outcomes[0]->log_time, outcomes[1]->log_time);
    EXPECT_LE(outcomes[1]->log_time, outcomes[2]->log_time);
    EXPECT_EQ(outcomes[0]->at.partition.index, outcomes[2]->at.partition.index);
    EXPECT_LT(outcomes[0]->at.offset, outcomes[2]->at.offset);
    EXPECT_EQ(log().last_log_time(), outcomes[2]->log_time);
}

TEST_P(DiskLogContract, merges_topics_and_classes_by_log_time) {
    std::vector<std::string> written;
    const TopicId topics[] = {topic::events, topic::flows, topic::cases};
    for (int i = 0; i < 300; ++i) {
        written.push_back(std::to_string(i));
        ASSERT_TRUE(append_now(
            log(), {record_for(topics[i % 3], "k" + std::to_string(i), written.back())})[0]);
        clock().advance(log_time_grain);
    }
    EXPECT_EQ(read_values(*reader_of(log(), {topic::events, topic::cases, topic::flows}), 7),
              written);
}

TEST_P(DiskLogContract, goes_on_in_the_order_in_which_a_reader_stood) {
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(append_now(log(), {record_for(i % 3 ? topic::events : topic::flows,
                                                  "k" + std::to_string(i), std::to_string(i))})[0]);
        clock().advance(log_time_grain);
    }
    auto first = reader_of(log(), {topic::events, topic::flows});
    std::vector<std::string> values;
    for (int i = 0; i < 4; ++i) {
        const auto batch = first->poll(3, 1u << 20, Duration::zero());
        ASSERT_TRUE(batch);
        for (const auto& record : batch->records) {
            values.emplace_back(record.value);
        }
    }
    const Offsets position = first->position();
    first.reset();
    under_test_->reopen();
    auto second = log().read(position);
    ASSERT_TRUE(second);
    for (const auto& value : read_values(**second, 4)) {
        values.push_back(value);
    }
    ASSERT_EQ(values.size(), 30u);
    for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(values[static_cast<std::size_t>(i)], std::to_string(i));
    }
}

TEST_P(DiskLogContract, reads_from_the_middle_of_a_record) {
    std::vector<Offset> offsets;
    for (int i = 0; i < 40; ++i) {
        offsets.push_back(append_now(log(), {record_for(topic::flows, "k", std::to_string(i)),
                                             record_for(topic::events, "k", "e")})[0]
                              ->at.offset);
    }
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        for (const std::uint64_t beside : {0u, 1u, 17u}) {
            auto reader = log().read({{{topic::flows, 0}, Offset{offsets[i].value + beside}}});
            ASSERT_TRUE(reader);
            const auto values = read_values(**reader);
            EXPECT_EQ(values.size(), offsets.size() - i - (beside > 0 ? 1 : 0))
                << i << " + " << beside;
        }
    }
}

TEST_P(DiskLogContract, a_millisecond_is_complete_when_it_is_over) {
    auto reader = reader_of(log(), {topic::events});
    const auto empty = reader->poll(1, 1, Duration::zero());
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->records.empty());
    clock().advance(std::chrono::seconds(5));
    const auto later = reader->poll(1, 1, Duration::zero());
    EXPECT_GE(later->complete_below, empty->complete_below + std::chrono::seconds(5));
    const auto outcomes =
        append_now(log(), {record_for(topic::events, "a", "1"), record_for(topic::events, "b", "2"),
                           record_for(topic::flows, "", "3")});
    EXPECT_GE(outcomes[0]->log_time, later->complete_below);
    const auto first = reader->poll(1, 1u << 20, Duration::zero());
    ASSERT_EQ(first->records.size(), 1u);
    clock().advance(log_time_grain);
    EXPECT_LE(first->complete_below, outcomes[1]->log_time)
        << "the second record has not been delivered";
    const auto second = reader->poll(1, 1u << 20, Duration::zero());
    ASSERT_EQ(second->records.size(), 1u);
    EXPECT_GT(reader->poll(1, 1, Duration::zero())->complete_below, outcomes[2]->log_time);
    EXPECT_LE(reader->poll(1, 1, Duration::zero())->complete_below, log().low_watermark());
}

TEST_P(DiskLogContract, what_is_visible_lies_below_the_watermark_when_its_millisecond_is_over) {
    for (int i = 0; i < 20; ++i) {
        const Instant mark = log().low_watermark();
        const auto outcome = append_now(log(), {record_for(topic::events, "k", "v")});
        EXPECT_GE(outcome[0]->log_time, mark);
        EXPECT_GE(log().low_watermark(), outcome[0]->log_time);
        clock().advance(log_time_grain);
        EXPECT_GT(log().low_watermark(), outcome[0]->log_time);
    }
}

TEST_P(DiskLogContract, log_time_survives_a_wall_clock_that_jumps_back) {
    const Instant before = append_now(log(), {record_for(topic::events, "k", "1")})[0]->log_time;
    clock().jump_wall(-std::chrono::hours(3));
    const Instant jumped = append_now(log(), {record_for(topic::events, "k", "2")})[0]->log_time;
    EXPECT_GE(jumped, before);
    EXPECT_LT(jumped, before + std::chrono::seconds(1));
    clock().advance(std::chrono::seconds(10));
    const Instant later = append_now(log(), {record_for(topic::events, "k", "3")})[0]->log_time;
    EXPECT_GE(later, before + std::chrono::seconds(10))
        << "a backward wall clock must not stop log time";
    under_test_->reopen();
    const Instant reopened = append_now(log(), {record_for(topic::events, "k", "4")})[0]->log_time;
    EXPECT_GE(reopened, later);
    clock().jump_wall(std::chrono::hours(4));
    EXPECT_GE(append_now(log(), {record_for(topic::events, "k", "5")})[0]->log_time,
              later + std::chrono::minutes(30));
    EXPECT_EQ(read_values(*reader_of(log(), {topic::events})),
              (std::vector<std::string>{"1", "2", "3", "4", "5"}));
}

TEST_P(DiskLogContract, no_record_begins_in_the_middle_of_another) {
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
        const auto missing = [&](const Partition& id, std::uint64_t offset) {
            return log().read_at({id, Offset{offset}}).error().kind;
        };
        EXPECT_EQ(missing({topic::events, at.partition.index}, at.offset.value + 1),
                  ErrorKind::not_found);
        EXPECT_EQ(missing({topic::events, at.partition.index}, 0), ErrorKind::not_found);
        EXPECT_EQ(missing({topic::events, at.partition.index}, 1ull << 60), ErrorKind::not_found);
        EXPECT_EQ(missing({topic::events,
                           (at.partition.index + 1) % log().partition_count(topic::events)},
                          at.offset.value),
                  ErrorKind::not_found);
        EXPECT_EQ(missing({topic::nowhere, 0}, at.offset.value), ErrorKind::invalid);
        under_test_->reopen();
    }
}

TEST_P(DiskLogContract, a_transactions_outputs_are_stamped_and_read_in_order) {
    const Partition id{topic::events, 0};
    EXPECT_TRUE(log().committed("route")->empty());
    const auto done = transact_now(
        log(), {record_for(topic::cases, "a", "1"), record_for(topic::cases, "b", "2")},
        {"route", {{id, Offset{0}}}, {{id, Offset{10}}}});
    ASSERT_TRUE(done) << done.error().message();
    ASSERT_EQ(done->size(), 2u);
    EXPECT_LE((*done)[0].log_time, (*done)[1].log_time);
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{10}}}));
    EXPECT_TRUE(log().committed("engine")->empty());
    // In another journal and the same millisecond: the later move counts all the same.
    const auto control = transact_now(log(), {record_for(topic::flows, "", "3")},
                                      {"route", {{id, Offset{10}}}, {{id, Offset{20}}}});
    ASSERT_TRUE(control);
    under_test_->reopen();
    EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{20}}}));
    ASSERT_TRUE(transact_now(log(), {},
                             {"route",
                              {{id, Offset{20}}, {{topic::events, 1}, Offset{0}}},
                              {{id, Offset{30}}, {{topic::events, 1}, Offset{5}}}}));
    under_test_->reopen();
    EXPECT_EQ(*log().committed("route"),
              (Offsets{{id, Offset{30}}, {{topic::events, 1}, Offset{5}}}));
    EXPECT_EQ(read_values(*reader_of(log(), {topic::cases, topic::flows})),
              (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(DiskLogContract, of_moves_in_two_journals_within_a_millisecond_the_last_counts) {
    const Partition id{topic::events, 0};
    std::uint64_t at = 0;
    for (const std::uint64_t to : {10u, 30u, 20u, 15u, 40u}) {
        const TopicId topic = to % 20 == 0 ? topic::flows : topic::cases;
        ASSERT_TRUE(transact_now(log(), {record_for(topic, "k", std::to_string(to))},
                                 {"route", {{id, Offset{at}}}, {{id, Offset{to}}}}));
        EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{to}}}));
        under_test_->reopen();
        EXPECT_EQ(*log().committed("route"), (Offsets{{id, Offset{to}}}));
        at = to;
    }
    EXPECT_LE(log().now(), clock().wall() + 4 * log_time_grain);
}

TEST_P(DiskLogContract, keeps_the_order_over_many_lives) {
    std::vector<std::string> written;
    std::vector<Appended> positions;
    for (int life = 0; life < 5; ++life) {
        for (int i = 0; i < 60; ++i) {
            written.push_back(std::to_string(written.size()));
            positions.push_back(
                *append_now(log(), {record_for(i % 4 ? topic::events : topic::flows,
                                               "k" + written.back(), written.back())})[0]);
            clock().advance(log_time_grain);
        }
        under_test_->reopen();
    }
    auto reader = reader_of(log(), {topic::events, topic::flows});
    std::size_t i = 0;
    for (;;) {
        const auto batch = reader->poll(64, 1u << 20, Duration::zero());
        ASSERT_TRUE(batch);
        if (batch->records.empty()) {
            break;
        }
        for (const auto& record : batch->records) {
            ASSERT_LT(i, written.size());
            EXPECT_EQ(record.value, written[i]);
            EXPECT_EQ(record.at.offset, positions[i].at.offset);
            EXPECT_EQ(record.at.partition.index, positions[i].at.partition.index);
            EXPECT_EQ(record.log_time, positions[i].log_time);
            ++i;
        }
    }
    EXPECT_EQ(i, written.size());
    EXPECT_TRUE(log().damage().empty());
}

TEST_P(DiskLogContract, a_follower_sees_one_order_of_many_threads) {
    constexpr std::size_t threads = 8;
    constexpr std::size_t each = 150;
    auto appenders = append_from_threads(log(), threads, each);
    std::set<std::string> seen;
    Instant last{};
    OrderedReader reader(reader_of(log(), {topic::events, topic::flows}),
                         [](TopicId topic) { return topic == topic::flows ? 0u : 1u; });
    while (seen.size() < threads * each) {
        clock().advance(log_time_grain);
        const auto batch = reader.poll(64, 1u << 20, std::chrono::milliseconds(20));
        ASSERT_TRUE(batch);
        for (const auto& record : batch->records) {
            EXPECT_GE(record.log_time, last);
            last = record.log_time;
            EXPECT_TRUE(seen.emplace(record.value).second) << record.value << " twice";
        }
        EXPECT_GE(batch->complete_below, last);
    }
    for (auto& appender : appenders) {
        appender.join();
    }
}

}  // namespace helios::log
