#include "log/disk_log.h"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "log/directory.h"
#include "log/disk_log_test_kit.h"
#include "log/format.h"
#include "log/segments.h"
#include "log/sim_disk.h"
#include "log/synchronous.h"
#include "telemetry/telemetry.h"

namespace helios::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// ---- Torn tail and damage

TEST_F(DiskLogTest, cuts_a_torn_tail) {
    open();
    for (const char* value : {"one", "two", "three"}) {
        ASSERT_TRUE(append(value));
    }
    const std::string segment = last_segment();
    log_.reset();
    flip(segment, disk_.contents(segment)->size() - 1);  // the last byte of the last group
    forget_mark();
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two"));
    EXPECT_TRUE(log_->damage().empty()) << "a torn tail is no damage";
    ASSERT_TRUE(append("four"));
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two", "four"));
}

TEST_F(DiskLogTest, tells_damage_below_the_mark_from_a_torn_tail) {
    open();
    for (const char* value : {"one", "two", "three"}) {
        ASSERT_TRUE(append(value));
    }
    const std::string segment = last_segment();
    log_.reset();
    flip(segment,
         disk_.contents(segment)->size() - 1);  // but the mark file says that it was durable
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two"));
    ASSERT_EQ(log_->damage().size(), 1u);
    EXPECT_EQ(log_->damage()[0].file, segment);
    auto reader = reader_of(*log_, {topic::events, topic::flows});
    EXPECT_EQ(read_values(*reader).size(), 2u);
    const auto ends = *log_->ends_of(reader->position());
    for (const auto& [id, end] : ends) {
        EXPECT_GE(reader->position().at(id), end) << "who waits for what is gone waits no longer";
    }
    EXPECT_EQ(reader->position().at({topic::flows, 0}), Offset{0}) << "that journal is whole";
    ASSERT_TRUE(append("four"));
    EXPECT_EQ(read_values(*reader).size(), 1u);
    reader.reset();
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two", "four"));
}

TEST_F(DiskLogTest, a_reader_that_has_delivered_everything_stands_at_the_ends) {
    open();
    ASSERT_TRUE(append("one"));
    const auto last = append("two");
    ASSERT_TRUE(last);
    const Partition id = last->at.partition;
    ASSERT_TRUE(append("other", topic::cases));
    const auto reader = log_->read({{id, Offset{last->at.offset.value + 1}}});
    ASSERT_TRUE(reader);
    EXPECT_THAT(read_values(**reader), ElementsAre());
    EXPECT_EQ((*reader)->position(), *log_->ends_of((*reader)->position()));
    const auto next = append("three");
    ASSERT_TRUE(next);
    EXPECT_THAT(read_values(**reader), ElementsAre("three"));
    EXPECT_EQ((*reader)->position(), *log_->ends_of((*reader)->position()));
}

TEST_F(DiskLogTest, a_later_group_proves_that_a_bad_one_was_durable) {
    open();
    std::vector<Appended> positions;
    for (const char* value : {"one", "two", "three"}) {
        positions.push_back(*append(value));
    }
    const std::string segment = last_segment();
    log_.reset();
    flip(segment, positions[1].at.offset.value + format::frame_header_bytes + 1);
    forget_mark();
    open();
    EXPECT_THAT(values(), ElementsAre("one", "three"))
        << "the group behind the bad one says that it was durable";
    ASSERT_EQ(log_->damage().size(), 1u);
    EXPECT_EQ(log_->damage()[0].begin, positions[1].at.offset.value);
    EXPECT_EQ(log_->damage()[0].end,
              positions[1].at.offset.value + format::frame_header_bytes + 1 + 3);
    EXPECT_EQ(log_->read_at(positions[2].at)->records[0].value, "three") << "nothing is renumbered";
    EXPECT_EQ(log_->read_at(positions[1].at).error().kind, ErrorKind::corrupt);
    EXPECT_THAT(lines_, ::testing::Contains(HasSubstr("\"level\":\"error\"")));
}

TEST_F(DiskLogTest, serves_the_rest_of_a_damaged_group) {
    open();
    std::vector<Record> records;
    for (int i = 0; i < 5; ++i) {
        records.push_back(record_for(topic::flows, "", "value " + std::to_string(i)));
    }
    const auto outcomes = append_now(*log_, records);
    ASSERT_TRUE(append("after", topic::flows));
    const std::string segment = last_segment("d/log/control");
    log_.reset();
    for (const std::uint64_t field : {0u, 9u, 50u}) {  // a length, a position, a value
        flip(segment, outcomes[2]->at.offset.value + field);
        open();
        EXPECT_THAT(values({topic::flows}),
                    ElementsAre("value 0", "value 1", "value 3", "value 4", "after"))
            << "field at " << field;
        EXPECT_EQ(log_->damage().size(), 1u);
        log_.reset();
        flip(segment, outcomes[2]->at.offset.value + field);
    }
    flip(segment, outcomes[0]->at.offset.value - 3);  // the group's own header
    open();
    EXPECT_EQ(values({topic::flows}).size(), 6u) << "frames name themselves";
}

TEST_F(DiskLogTest, cuts_good_groups_behind_the_first_bad_byte) {
    open();
    ASSERT_TRUE(append("one"));
    ASSERT_TRUE(append("two"));
    const std::string path = last_segment();
    SegmentTable table(disk_, "d/log/data", 0);
    ASSERT_TRUE(table.load());
    const Segment segment = *table.all().back();
    log_.reset();
    // One write of two groups, of which the first sector was lost: the second group is whole, and
    // says what was durable then.
    const std::uint64_t end = segment.base + disk_.contents(path)->size();
    const std::uint64_t second = end + 200;
    std::string frames;
    format::Frame frame;
    frame.position = second + format::group_header_bytes;
    frame.log_time = from_nanos(1'800'000'000'000'000'000);
    frame.topic = 1;
    format::append_frame(frames, frame, "k", "late", segment.salt);
    std::string group(format::group_header_bytes, '\0');
    format::encode_group_header({segment.salt, second, static_cast<std::uint32_t>(frames.size()), 1,
                                 end, frame.log_time, frame.log_time, 2},
                                group.data());
    disk_.damage(path, second - segment.base, group + frames);
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two"));
    EXPECT_TRUE(log_->damage().empty());
}

TEST_F(DiskLogTest, a_stale_group_of_another_life_is_ruled_out_by_its_salt) {
    open();
    ASSERT_TRUE(append("one"));
    const std::string path = last_segment();
    SegmentTable table(disk_, "d/log/data", 0);
    ASSERT_TRUE(table.load());
    const Segment segment = *table.all().back();
    log_.reset();
    const std::uint64_t end = segment.base + disk_.contents(path)->size();
    for (const std::uint64_t salt : {segment.salt + 1, segment.salt}) {
        std::string frames;
        format::Frame frame;
        frame.position = end + format::group_header_bytes;
        frame.log_time = from_nanos(1'800'000'000'000'000'000);
        frame.topic = 1;
        format::append_frame(frames, frame, "k", "stale", salt);
        std::string group(format::group_header_bytes, '\0');
        format::encode_group_header({salt, end, static_cast<std::uint32_t>(frames.size()), 1, end,
                                     frame.log_time, frame.log_time, 2},
                                    group.data());
        disk_.damage(path, end - segment.base, group + frames);
        open();
        EXPECT_THAT(values(), ElementsAre("one"))
            << (salt == segment.salt ? "the next segment's base rules it out by now"
                                     : "its salt rules it out");
        log_.reset();
    }
}

TEST_F(DiskLogTest, survives_a_damaged_segment_header) {
    open();
    const Partition id{topic::events, 0};
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(append("first life " + std::to_string(i)));
    }
    ASSERT_TRUE(transact_now(*log_, {}, {"route", {{id, Offset{0}}}, {{id, Offset{5}}}}));
    open();
    ASSERT_TRUE(append("second life"));
    const std::string newest = last_segment();
    log_.reset();
    flip(newest, 20);
    for (int life = 0; life < 2; ++life) {
        open();
        EXPECT_EQ(values().size(), 4u);
        EXPECT_EQ(log_->damage().size(), 1u);
        EXPECT_EQ(*log_->committed("route"), (Offsets{{id, Offset{5}}}));
        ASSERT_TRUE(append("more", topic::cases));
    }
    const std::string oldest = "d/log/data/" + disk_.list("d/log/data")->front();
    log_.reset();
    flip(oldest, 30);
    open();
    EXPECT_EQ(values().size(), 4u);
}

TEST_F(DiskLogTest, survives_a_missing_segment) {
    open();
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(append(std::to_string(i) + std::string(5000, 'x')));
    }
    const auto names = *disk_.list("d/log/data");
    ASSERT_GE(names.size(), 3u);
    log_.reset();
    ASSERT_TRUE(disk_.remove("d/log/data/" + names[1]));
    open();
    const auto left = values();
    EXPECT_LT(left.size(), 30u);
    EXPECT_EQ(left.front().substr(0, 2), "0x");
    EXPECT_EQ(left.back().substr(0, 2), "29");
    ASSERT_FALSE(log_->damage().empty());
    EXPECT_EQ(log_->damage()[0].file, "d/log/data/" + names[0]);
}

// ---- Options and the clock

TEST_F(DiskLogTest, names_a_bad_option) {
    options_.partitions = 0;
    EXPECT_THAT(try_open().error().message(), HasSubstr("log.partitions"));
    options_.partitions = 3;
    options_.segment_bytes = 1;
    EXPECT_THAT(try_open().error().message(), HasSubstr("log.segment_bytes"));
}

TEST_F(DiskLogTest, goes_on_from_the_log_when_the_wall_clock_is_behind) {
    open();
    const Instant before = append("1")->log_time;
    log_.reset();
    clock_.jump_wall(-std::chrono::hours(24));
    open();
    EXPECT_GE(append("2")->log_time, before);
    EXPECT_THAT(lines_, ::testing::Contains(::testing::AllOf(HasSubstr("\"level\":\"warn\""),
                                                             HasSubstr("wall clock"))));
}

// ---- Groups, bounds, failures

/// Holds syncs until released.
class Hold {
public:
    explicit Hold(SimDisk& disk) : disk_(disk) {
        disk_.on_sync([state = state_] {
            MutexLock lock(state->mutex);
            state->waiting = true;
            state->changed.notify_all();
            state->changed.wait(lock, [&] { return state->released; });
        });
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
        release();
        disk_.on_sync({});
    }
    void wait_for_a_sync() {
        MutexLock lock(state_->mutex);
        state_->changed.wait(lock, [&] { return state_->waiting; });
    }
    void release() {
        const MutexLock lock(state_->mutex);
        state_->released = true;
        state_->changed.notify_all();
    }

private:
    struct State {  // outlives the hold: a sync may still be leaving it
        Mutex mutex;
        Condition changed;
        bool waiting = false;
        bool released = false;
    };
    SimDisk& disk_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST_F(DiskLogTest, whatever_waits_shares_one_fsync) {
    open();
    std::vector<std::promise<bool>> answers(101);
    const auto send = [&](std::size_t i) {
        log_->append({record_for(topic::events, std::to_string(i), "v")},
                     [&answers, i](std::span<const AppendOutcome> o) {
                         answers[i].set_value(o[0].has_value());
                     });
    };
    const std::uint64_t before = disk_.syncs();
    {
        Hold hold(disk_);
        send(0);
        hold.wait_for_a_sync();
        for (std::size_t i = 1; i < answers.size(); ++i) {
            send(i);
        }
        hold.release();
        for (auto& answer : answers) {
            EXPECT_TRUE(answer.get_future().get());
        }
    }
    EXPECT_EQ(disk_.syncs() - before, 2u);
    EXPECT_EQ(values().size(), 101u);
}

TEST_F(DiskLogTest, readers_see_only_what_is_durable) {
    open();
    auto reader = reader_of(*log_, {topic::events});
    auto other_process = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(other_process);
    auto outside = reader_of(**other_process, {topic::events});
    std::promise<void> answered;
    {
        Hold hold(disk_);
        log_->append({record_for(topic::events, "k", "v")},
                     [&](std::span<const AppendOutcome>) { answered.set_value(); });
        hold.wait_for_a_sync();  // the bytes are in the file
        const Instant mark = log_->low_watermark();
        clock_.advance(std::chrono::seconds(1));
        EXPECT_EQ(log_->low_watermark(), mark) << "an append not yet visible holds the watermark";
        EXPECT_TRUE(read_values(*reader).empty());
        EXPECT_TRUE(read_values(*outside).empty());
    }
    answered.get_future().get();
    EXPECT_THAT(read_values(*reader), ElementsAre("v"));
    EXPECT_THAT(read_values(*outside), ElementsAre("v"));
}

TEST_F(DiskLogTest, pushes_back_when_too_much_waits) {
    options_.pending_records_max = 3;
    open();
    std::promise<void> answered;
    std::vector<std::promise<ErrorKind>> refusals(2);
    const auto refused = [&](std::size_t i) {
        return [&refusals, i](std::span<const AppendOutcome> o) {
            refusals[i].set_value(o[0] ? ErrorKind::timeout : o[0].error().kind);
        };
    };
    {
        Hold hold(disk_);
        log_->append({3, record_for(topic::events, "k", "v")},
                     [&](std::span<const AppendOutcome> o) {
                         EXPECT_TRUE(o[0]);
                         answered.set_value();
                     });
        hold.wait_for_a_sync();
        log_->append({record_for(topic::events, "k", "v")}, refused(0));
        log_->append({4, record_for(topic::events, "k", "v")}, refused(1));
    }
    answered.get_future().get();
    EXPECT_EQ(refusals[0].get_future().get(), ErrorKind::exhausted);
    EXPECT_EQ(refusals[1].get_future().get(), ErrorKind::invalid) << "more than may ever wait";
    EXPECT_TRUE(append("again"));
}

TEST_F(DiskLogTest, a_failed_fsync_fails_its_appends_and_nothing_else) {
    open();
    ASSERT_TRUE(append("one"));
    disk_.fail_sync_after(1);
    const auto failed = append("lost");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
    EXPECT_TRUE(log_->health()) << "a new segment was begun at once";
    ASSERT_TRUE(append("two"));
    EXPECT_THAT(values(), ElementsAre("one", "two"));
    disk_.cut_power();
    log_.reset();
    disk_.power_cycle();
    open();
    EXPECT_THAT(values(), ElementsAre("one", "two"))
        << "what failed must not come back behind what came later";
    EXPECT_TRUE(log_->damage().empty());
}

TEST_F(DiskLogTest, says_so_while_the_disk_fails_and_recovers) {
    options_.retry_interval = std::chrono::milliseconds(1);
    open();
    ASSERT_TRUE(append("one"));
    disk_.fail_syncs(true);
    EXPECT_EQ(append("lost").error().kind, ErrorKind::unavailable);
    EXPECT_EQ(append("lost").error().kind, ErrorKind::unavailable);
    ASSERT_FALSE(log_->health());
    EXPECT_EQ(log_->health().error().kind, ErrorKind::unavailable);
    const Instant held = log_->low_watermark();
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(log_->low_watermark(), held)
        << "until the failed group is ruled out it might still appear";
    disk_.fail_syncs(false);
    while (!append("two")) {
    }
    EXPECT_TRUE(log_->health());
    EXPECT_GT(log_->low_watermark(), held);
    EXPECT_THAT(values(), ElementsAre("one", "two"));
}

TEST_F(DiskLogTest, a_full_disk_refuses_appends_lets_stages_finish_and_heals) {
    options_.reserve_bytes = 128u << 10;
    open();
    const Partition id{topic::events, 0};
    disk_.set_capacity(disk_.bytes_used() + (4u << 10));
    std::size_t taken = 0;
    AppendOutcome outcome = append(std::string(5000, 'x'));
    while (outcome) {
        ++taken;
        outcome = append(std::string(5000, 'x'));
    }
    EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(outcome.error().what,
                HasSubstr("the disk of d is full: 0.0 MiB are free, 0.1 MiB are needed"));
    EXPECT_THAT(outcome.error().hint, HasSubstr("free at least 0.1 MiB there"));
    EXPECT_EQ(log_->health().error().kind, ErrorKind::unavailable);
    const auto staged = transact_now(*log_, {record_for(topic::cases, "k", "from the reserve")},
                                     {"route", {{id, Offset{0}}}, {{id, Offset{9}}}});
    EXPECT_TRUE(staged) << staged.error().message();
    EXPECT_EQ(append("x").error().kind, ErrorKind::unavailable)
        << "the reserve is not for new events";
    EXPECT_EQ(values().size(), taken) << "reading goes on";

    disk_.set_capacity(0);
    clock_.advance(options_.retry_interval);
    ASSERT_TRUE(append("space again"));
    EXPECT_TRUE(log_->health());
    open();
    EXPECT_EQ(values().size(), taken + 1);
    EXPECT_THAT(values({topic::cases}), ElementsAre("from the reserve"));
    EXPECT_EQ(*log_->committed("route"), (Offsets{{id, Offset{9}}}));
}

TEST_F(DiskLogTest, opens_on_a_full_disk) {
    open();
    ASSERT_TRUE(append("one"));
    log_.reset();
    disk_.set_capacity(disk_.bytes_used() + 100);
    open();
    EXPECT_THAT(values(), ElementsAre("one"));
    EXPECT_EQ(append("two").error().kind, ErrorKind::unavailable);
    EXPECT_FALSE(log_->health());
    const Instant held = log_->low_watermark();
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(log_->low_watermark(), held) << "no segment rules out what the last life left";
    disk_.set_capacity(0);
    clock_.advance(options_.retry_interval);
    EXPECT_TRUE(append("three"));
    EXPECT_THAT(values(), ElementsAre("one", "three"));
}

TEST_F(DiskLogTest, a_write_that_fails_on_a_full_disk_leaves_the_disk_full) {
    options_.reserve_bytes = 256u << 10;
    open();
    const Partition id{topic::events, 0};
    const auto stage = [&](std::uint64_t from, std::uint64_t to) {
        return transact_now(*log_, {record_for(topic::cases, "k", std::to_string(to))},
                            {"route", {{id, Offset{from}}}, {{id, Offset{to}}}});
    };
    disk_.set_capacity(disk_.bytes_used() + (4u << 10));
    while (append(std::string(5000, 'x'))) {
    }
    ASSERT_TRUE(stage(0, 1));
    disk_.fail_sync_after(1);
    EXPECT_EQ(stage(1, 2).error().kind, ErrorKind::unavailable);
    EXPECT_THAT(log_->health().error().what, HasSubstr("the disk of d is full"));
    const Instant held = log_->low_watermark();
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(log_->low_watermark(), held)
        << "until the failed group is ruled out it might still appear";

    EXPECT_TRUE(stage(1, 3)) << "in another segment of the reserve";
    EXPECT_GT(log_->low_watermark(), held);
    EXPECT_THAT(append("x").error().what, HasSubstr("the disk of d is full"));
    disk_.set_capacity(0);
    clock_.advance(options_.retry_interval);
    ASSERT_TRUE(append("space again"));
    EXPECT_TRUE(log_->health());
    disk_.cut_power();
    log_.reset();
    disk_.power_cycle();
    open();
    EXPECT_THAT(values({topic::cases}), ElementsAre("1", "3"));
    EXPECT_EQ(*log_->committed("route"), (Offsets{{id, Offset{3}}}));
}

TEST_F(DiskLogTest, a_failed_group_is_not_ruled_out_while_the_disk_is_full) {
    open();
    ASSERT_TRUE(append("one"));
    const std::uint64_t used = disk_.bytes_used();
    disk_.set_capacity(used);
    disk_.fail_sync_after(1);
    EXPECT_EQ(append("lost").error().kind, ErrorKind::unavailable);
    EXPECT_FALSE(log_->health()) << "no space for the segment that would follow";
    const Instant held = log_->low_watermark();
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(log_->low_watermark(), held);
    disk_.set_capacity(0);
    clock_.advance(options_.retry_interval);
    ASSERT_TRUE(append("two"));
    EXPECT_GT(log_->low_watermark(), held);
    EXPECT_THAT(values(), ElementsAre("one", "two"));
}

TEST_F(DiskLogTest, rolls_segments_and_takes_records_larger_than_one) {
    open();
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(append(std::string(static_cast<std::size_t>(i) * 300, 'x')));
    }
    ASSERT_TRUE(append(std::string(200u << 10, 'L')));
    ASSERT_TRUE(append("after"));
    EXPECT_GE(disk_.list("d/log/data")->size(), 4u);
    for (int life = 0; life < 2; ++life) {
        const auto all = values();
        ASSERT_EQ(all.size(), 42u);
        EXPECT_EQ(all[40].size(), 200u << 10);
        EXPECT_EQ(all[41], "after");
        open();
    }
}

TEST_F(DiskLogTest, an_idle_restart_leaves_no_segments_behind) {
    open();
    ASSERT_TRUE(append("one"));
    open();
    const auto before = disk_.list("d/log/data")->size();
    for (int i = 0; i < 5; ++i) {
        open();
    }
    EXPECT_EQ(disk_.list("d/log/data")->size(), before);
    EXPECT_THAT(values(), ElementsAre("one"));
}

TEST_F(DiskLogTest, counts_what_it_does) {
    open();
    ASSERT_TRUE(append("one"));
    ASSERT_TRUE(append_now(*log_, {2, record_for(topic::events, "k", "v")})[0]);
    EXPECT_EQ(append_now(*log_, {record_for(topic::nowhere, "k", "v")})[0].error().kind,
              ErrorKind::invalid);
    const std::string text = telemetry_.metrics.expose();
    EXPECT_THAT(text, HasSubstr("helios_log_appended_records_total 3"));
    EXPECT_THAT(text, HasSubstr("helios_log_fsyncs_total 2"));
    EXPECT_THAT(text, HasSubstr("helios_log_append_seconds_count"));
}

// ---- Files that are gone

TEST_F(DiskLogTest, acknowledges_nothing_that_goes_to_a_deleted_file) {
    open();
    ASSERT_TRUE(append("one"));
    ASSERT_TRUE(disk_.remove(last_segment()));
    const auto lost = append("two");
    ASSERT_FALSE(lost) << "a sync of a deleted file succeeds";
    EXPECT_EQ(lost.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(lost.error().what, HasSubstr("was deleted while it was written to"));
    for (const TopicId topic : {topic::events, topic::flows}) {
        EXPECT_EQ(append("three", topic).error().kind, ErrorKind::unavailable)
            << "what stood before it is gone, too";
    }
    EXPECT_EQ(transact_now(*log_, {}, {"g", {}, {}}).error().kind, ErrorKind::unavailable);
    EXPECT_FALSE(log_->health());
    EXPECT_FALSE(log_->check_files());
    EXPECT_FALSE(disk_.open(last_segment("d/log/control") + ".new", OpenMode::read))
        << "and nothing new is begun";
}

TEST_F(DiskLogTest, looks_whether_its_files_are_still_there) {
    open();
    ASSERT_TRUE(append("one"));
    ASSERT_TRUE(log_->check_files());
    for (const std::string& path :
         {std::string("d/FORMAT"), std::string("d/log/topics"), std::string("d/log/mark"),
          "d/log/data/" + disk_.list("d/log/data")->front()}) {
        ASSERT_TRUE(disk_.rename(path, "d/elsewhere"));
        EXPECT_THAT(log_->check_files().error().what, HasSubstr(path + " is gone")) << path;
        EXPECT_EQ(append("x").error().kind, ErrorKind::unavailable);
        EXPECT_THAT(log_->health().error().what, HasSubstr(path));
        disk_.put(path, *disk_.contents("d/elsewhere"));
        EXPECT_THAT(log_->check_files().error().what,
                    HasSubstr(path + " is not the one that was opened"))
            << path;
        ASSERT_TRUE(disk_.rename("d/elsewhere", path));
        EXPECT_TRUE(log_->check_files()) << "back as it was";
        EXPECT_TRUE(append("and on"));
    }
    EXPECT_EQ(values().size(), 5u);
}

TEST_F(DiskLogTest, the_last_sign_of_life_is_what_the_next_process_finds) {
    open();
    EXPECT_EQ(log_->last_sign_of_life().at, Instant{}) << "nobody was here before";
    ASSERT_TRUE(append("one"));
    clock_.advance(std::chrono::seconds(8));
    const Instant alive = log_->now();
    log_->show_life({alive, false});
    open();
    EXPECT_EQ(log_->last_sign_of_life().at, alive);
    EXPECT_FALSE(log_->last_sign_of_life().absent);
    ASSERT_TRUE(append("two"));
    open();
    EXPECT_EQ(log_->last_sign_of_life().at, alive)
        << "opening and appending alone is none: kept until the next";
    EXPECT_GE(log_->now(), alive);
}

TEST_F(DiskLogTest, a_sign_of_life_needs_no_space_and_log_time_never_falls_behind_it) {
    open();
    ASSERT_TRUE(append("one"));
    disk_.set_capacity(1);
    clock_.advance(std::chrono::seconds(5));
    const Instant since = log_->now();
    log_->show_life({since, true});
    disk_.cut_power();
    log_.reset();
    disk_.power_cycle();
    disk_.set_capacity(0);
    clock_.jump_wall(-std::chrono::hours(1));
    open();
    EXPECT_EQ(log_->last_sign_of_life().at, since)
        << "synced: a crash of the machine does not take it back";
    EXPECT_TRUE(log_->last_sign_of_life().absent);
    EXPECT_GE(append("two")->log_time, since);
}

}  // namespace
}  // namespace helios::log
