#include "log/stage.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <optional>
#include <rapidcheck/gtest.h>
#include <set>
#include <thread>

#include "log/disk_log_test_kit.h"
#include "log/memory_log.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

/// Answers each record "n" of topic::events with n records "<offset>.<i>" on topic::cases, three at
/// a time.
class Echo final : public StageWork {
public:
    explicit Echo(Log& log) : log_(log) {}

    Result<Standing> restore(const Assignment& assignment) override {
        ++restored;
        Standing standing;
        for (const auto& id : log_.partitions_of(topic::events)) {
            if (assignment.includes(id)) {
                standing.read_from[id] = standing.committed[id] = Offset{};
            }
        }
        HELIOS_TRY_ASSIGN(const auto committed, log_.committed("echo"));
        HELIOS_TRY_ASSIGN(standing.partly, log_.partly("echo"));
        for (const auto& [id, offset] : committed) {
            if (assignment.includes(id)) {
                standing.committed[id] = offset;
            } else {
                standing.partly.erase(id);
            }
        }
        HELIOS_TRY_ASSIGN(standing.written, log_.ends_of(beginning_of(log_, {topic::cases})));
        done_ = 0;
        return standing;
    }

    Result<Taken> apply(const StoredRecord& record, bool has_effects, Outputs& out) override {
        seen.emplace_back(record.at.offset, has_effects);
        if (std::exchange(refuse_next, false)) {
            return fail(ErrorKind::corrupt, "this one can't be applied");
        }
        const auto wanted = std::stoul(std::string(record.value));
        for (std::size_t i = 0; i < 3 && done_ < wanted; ++i, ++done_) {
            Record output;
            output.topic = topic::cases;
            output.partition = 0;
            output.value = std::to_string(record.at.offset.value) + "." + std::to_string(done_);
            out.add(std::move(output));
        }
        if (done_ < wanted) {
            return Taken::partly;
        }
        done_ = 0;
        return Taken::whole;
    }

    Result<Offsets> commit(const Outputs& out, const GroupOffsets& position) override {
        if (commits_left == 0) {
            return fail(failing);
        }
        --commits_left;
        largest = std::max(largest, out.records().size());
        return commit_on_log(log_, out, position);
    }
    void stopped() override { was_stopped = true; }

    int restored = 0;
    std::atomic<int> commits_left = 1'000'000;
    Error failing{ErrorKind::unavailable, "the disk is full", ""};
    bool refuse_next = false;
    bool was_stopped = false;
    std::size_t largest = 0;
    std::vector<std::pair<Offset, bool>> seen;  ///< offset, with effects

private:
    Log& log_;
    std::size_t done_ = 0;  ///< of the record that is taken in steps
};

struct Bench {
    ManualClock clock{parse_rfc3339("2026-01-05T12:00:00Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    telemetry::Counter& failures = telemetry.metrics.counter("failures", "of the stage's steps");
    SimDisk disk;
    std::unique_ptr<Log> log = open();

    std::unique_ptr<Log> open() {
        DiskLogOptions options;
        options.directory = "d";
        options.partitions = 2;
        options.reserve_bytes = 0;
        auto opened = open_disk_log(options, test_topics(), disk, clock, telemetry);
        HELIOS_ASSERT(opened.has_value(), "the log opens");
        return *std::move(opened);
    }

    static StageOptions options() {
        return {.room = "log",
                .name = "echo",
                .commit_records_max = 5,
                .poll_wait = std::chrono::milliseconds(1),
                .retry_after = std::chrono::milliseconds(1),
                .failing = "echo fails",
                .works_again = "echo works again"};
    }
    std::unique_ptr<Stage> stage(Echo& work, StageOptions with = options()) {
        return std::make_unique<Stage>(std::move(with), work, *log, telemetry, clock, failures);
    }

    /// One record "n" per count; what is to be answered.
    std::vector<std::string> ask(const std::vector<unsigned>& counts) {
        std::vector<std::string> expected;
        for (const unsigned n : counts) {
            auto record = record_for(topic::events, "", std::to_string(n));
            record.partition = 0;
            const auto outcome = append_now(*log, {record});
            for (unsigned i = 0; i < n; ++i) {
                expected.push_back(std::to_string(outcome[0]->at.offset.value) + "." +
                                   std::to_string(i));
            }
        }
        clock.advance(log_time_grain);
        return expected;
    }
    std::size_t count_lines(std::string_view text) const {
        return static_cast<std::size_t>(std::count_if(
            lines.begin(), lines.end(),
            [&](const std::string& line) { return line.find(text) != std::string::npos; }));
    }
    std::vector<std::string> answers() { return read_values(*reader_of(*log, {topic::cases})); }
};

TEST(Stage, commits_outputs_and_position_together) {
    Bench bench;
    const auto expected = bench.ask({1, 0, 2});
    const Instant last = bench.log->last_log_time();
    Echo work(*bench.log);
    const auto stage = bench.stage(work);
    const auto taken = stage->step(Duration{});
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ(*taken, 3u);
    EXPECT_EQ(bench.answers(), expected);
    EXPECT_EQ(*bench.log->committed("echo"), stage->committed());
    EXPECT_GT(stage->frontier().get(), last);
    EXPECT_EQ(*stage->step(Duration{}), 0u);
}

TEST(Stage, cuts_a_round_between_records_and_a_large_record_into_parts) {
    Bench bench;
    const auto expected = bench.ask({1, 1, 1, 1, 1, 1, 100, 2});
    Echo work(*bench.log);
    ASSERT_TRUE(bench.stage(work)->step(Duration{}));
    EXPECT_EQ(bench.answers(), expected);
    EXPECT_LE(work.largest, 5u + 2u) << "the bound, and what one step goes beyond it";
}

TEST(Stage, tries_the_same_again_after_a_failure_and_says_so_once) {
    Bench bench;
    const auto expected = bench.ask({2, 2});
    Echo work(*bench.log);
    work.commits_left = 0;
    const auto stage = bench.stage(work);
    EXPECT_EQ(stage->step(Duration{}).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(stage->step(Duration{}).error().kind, ErrorKind::unavailable);
    EXPECT_EQ(work.restored, 1);
    EXPECT_EQ(work.seen.size(), 2u) << "applied once";
    work.commits_left = 1;
    EXPECT_TRUE(stage->step(Duration{}));
    EXPECT_EQ(bench.answers(), expected);
}

TEST(Stage, restores_after_a_conflict_and_after_a_record_that_cannot_be_applied) {
    Bench bench;
    const auto expected = bench.ask({2, 2});
    Echo work(*bench.log);
    work.refuse_next = true;
    const auto stage = bench.stage(work);
    EXPECT_EQ(stage->step(Duration{}).error().kind, ErrorKind::corrupt);
    work.commits_left = 0;
    work.failing = {ErrorKind::conflict, "somebody else has moved it", ""};
    EXPECT_EQ(stage->step(Duration{}).error().kind, ErrorKind::conflict);
    work.commits_left = 1;
    EXPECT_TRUE(stage->step(Duration{}));
    EXPECT_EQ(work.restored, 3);
    EXPECT_EQ(bench.answers(), expected);
}

TEST(Stage, what_is_below_the_committed_position_has_no_effects_any_more) {
    Bench bench;
    auto expected = bench.ask({2, 3});
    Echo first(*bench.log);
    ASSERT_TRUE(bench.stage(first)->step(Duration{}));
    const auto more = bench.ask({1});
    expected.insert(expected.end(), more.begin(), more.end());
    Echo second(*bench.log);
    ASSERT_TRUE(bench.stage(second)->step(Duration{}));
    ASSERT_EQ(second.seen.size(), 3u);
    EXPECT_FALSE(second.seen[0].second);
    EXPECT_FALSE(second.seen[1].second);
    EXPECT_TRUE(second.seen[2].second);
    EXPECT_EQ(bench.answers(), expected);
}

TEST(Stage, says_up_to_where_its_effects_are_durable_and_where_they_end) {
    Bench bench;
    const auto ends = [&] {
        return *bench.log->ends_of(beginning_of(*bench.log, {topic::events}));
    };
    const Partition out{topic::cases, 0};
    bench.ask({1, 0, 2});
    Echo work(*bench.log);
    const auto stage = bench.stage(work);
    EXPECT_TRUE(stage->reached().missing(ends())) << "nobody knows yet";
    ASSERT_TRUE(stage->open());
    EXPECT_TRUE(stage->reached().missing(ends()));
    EXPECT_FALSE(stage->reached().wait_for(ends(), Duration{}));
    ASSERT_TRUE(stage->step(Duration{}));
    EXPECT_FALSE(stage->reached().missing(ends()));
    const auto written = stage->reached().wait_for(ends(), Duration{});
    ASSERT_TRUE(written);
    const auto reader = reader_of(*bench.log, {topic::cases});
    const auto batch = reader->poll(100, 1u << 20, Duration{});
    ASSERT_EQ(batch->records.size(), 3u);
    EXPECT_GT(written->at(out), batch->records.back().at.offset);
    EXPECT_LE(written->at(out), batch->records.back().next);
    bench.ask({0});
    EXPECT_EQ(stage->reached().missing(ends()), (Partition{topic::events, 0}));
    ASSERT_TRUE(stage->step(Duration{}));
    EXPECT_FALSE(stage->reached().missing(ends())) << "one that causes nothing is passed, too";
    EXPECT_EQ(stage->reached().get().written, *written);
    EXPECT_FALSE(stage->reached().missing({{{topic::flows, 0}, Offset{99}}}))
        << "it does not read it";
}

TEST(Stage, a_record_taken_in_parts_is_reached_with_its_last_part_whichever_life_writes_it) {
    Bench bench;
    const auto expected = bench.ask({1, 100});
    const auto end = *bench.log->ends_of(beginning_of(*bench.log, {topic::events}));
    Echo first(*bench.log);
    first.commits_left = 3;
    const auto dying = bench.stage(first);
    EXPECT_FALSE(dying->step(Duration{}));
    EXPECT_GT(bench.answers().size(), 10u);
    EXPECT_EQ(dying->reached().missing(end), (Partition{topic::events, 0}));
    Echo second(*bench.log);
    const auto stage = bench.stage(second);
    ASSERT_TRUE(stage->open());
    EXPECT_EQ(stage->reached().missing(end), (Partition{topic::events, 0}));
    const auto written = *bench.log->ends_of(beginning_of(*bench.log, {topic::cases}));
    EXPECT_EQ(stage->reached().get().written, written) << "by the life before";
    ASSERT_TRUE(stage->step(Duration{}));
    EXPECT_FALSE(stage->reached().missing(end));
    EXPECT_EQ(bench.answers(), expected);
}

TEST(Stage, what_is_held_back_until_its_millisecond_is_over_is_not_reached) {
    Bench bench;
    Echo work(*bench.log);
    auto with = Bench::options();
    with.rank = [](TopicId) { return 0u; };
    const auto stage = bench.stage(work, with);
    auto record = record_for(topic::events, "", "1");
    record.partition = 0;
    ASSERT_TRUE(append_now(*bench.log, {record})[0]);
    const auto end = *bench.log->ends_of(beginning_of(*bench.log, {topic::events}));
    ASSERT_TRUE(stage->step(Duration{}));
    EXPECT_EQ(stage->reached().missing(end), (Partition{topic::events, 0}));
    bench.clock.advance(log_time_grain);
    ASSERT_TRUE(stage->step(Duration{}));
    EXPECT_FALSE(stage->reached().missing(end));
}

/// A log whose partitions have clocks of their own, and somebody's open transaction in one.
struct Elsewhere {
    ManualClock clock{parse_rfc3339("2026-01-05T12:00:00Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    telemetry::Counter& failures = telemetry.metrics.counter("failures", "of the stage's steps");
    MemoryLog log{{.seed = 1, .partitions = 2}, test_topics(), clock};
    Echo work{log};
    Stage stage{Bench::options(), work, log, telemetry, clock, failures};

    /// Where it stands, in partition 0 of "events".
    Appended ask(unsigned n) {
        auto record = record_for(topic::events, "", std::to_string(n));
        record.partition = 0;
        const auto outcome = append_now(log, {record});
        clock.advance(std::chrono::seconds(1));
        return *outcome[0];
    }
    static Offsets past(const Appended& at) {
        return {{at.at.partition, Offset{at.at.offset.value + 1}}};
    }
};

TEST(Stage, what_hides_another_partition_holds_its_frontier_back_and_nobody_who_waits_by_offset) {
    Elsewhere it;
    it.log.hold({topic::events, 1});
    it.clock.advance(std::chrono::seconds(1));
    const auto at = it.ask(1);
    ASSERT_TRUE(it.stage.step(Duration{}));
    EXPECT_LE(it.stage.frontier().get(), at.log_time);
    EXPECT_TRUE(it.stage.reached().wait_for(Elsewhere::past(at), Duration{}));
}

TEST(Stage, its_outputs_end_behind_those_that_somebody_hides) {
    Elsewhere it;
    const Partition out{topic::cases, 0};
    it.log.hold(out);
    const auto at = it.ask(2);
    ASSERT_TRUE(it.stage.step(Duration{}));
    const auto written = it.stage.reached().wait_for(Elsewhere::past(at), Duration{});
    ASSERT_TRUE(written);
    const auto visible = *it.log.ends_of({{out, Offset{}}});
    EXPECT_GT(written->at(out), visible.at(out)) << "who waits for that end waits too little";
    it.log.release(out);
    EXPECT_LE(written->at(out), it.log.ends_of({{out, Offset{}}})->at(out));
}

/// Two stages on a log whose partitions they share.
struct Shared {
    ManualClock clock{parse_rfc3339("2026-01-05T12:00:00Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    telemetry::Counter& failures = telemetry.metrics.counter("failures", "of the stage's steps");
    MemoryLog log{{.seed = 1, .partitions = 2}, test_topics(), clock};
    Echo one_work{log};
    Echo other_work{log};
    Stage one{Bench::options(), one_work, log, telemetry, clock, failures};
    Stage other{Bench::options(), other_work, log, telemetry, clock, failures};
    const Partition first{topic::events, 0};
    const Partition second{topic::events, 1};

    void ask(std::uint32_t partition, unsigned n) {
        auto record = record_for(topic::events, "", std::to_string(n));
        record.partition = partition;
        ASSERT_TRUE(append_now(log, {record})[0]);
        clock.advance(std::chrono::seconds(1));
    }
    std::size_t answers() { return read_values(*reader_of(log, {topic::cases})).size(); }
};

TEST(Stage, works_on_what_it_is_assigned_and_on_nothing_else) {
    Shared it;
    it.ask(0, 2);
    it.ask(1, 3);
    it.one.assign(Assignment({it.first}));
    it.other.assign(Assignment(std::set<Partition>{}));
    ASSERT_TRUE(it.one.step(Duration{}));
    ASSERT_TRUE(it.other.step(Duration{}));
    EXPECT_EQ(it.answers(), 2u);
    EXPECT_EQ(it.other_work.seen.size(), 0u);
    EXPECT_FALSE(it.one.committed().contains(it.second));
    it.other.assign(Assignment({it.second}));
    ASSERT_TRUE(it.other.step(Duration{}));
    EXPECT_EQ(it.answers(), 5u);
    EXPECT_EQ(it.log.committed("echo")->size(), 2u) << "each has moved its own, in one group";
}

TEST(Stage, what_is_revoked_in_mid_round_is_done_once_by_whoever_commits_it) {
    Shared it;
    it.ask(0, 2);
    it.ask(1, 3);
    it.one_work.commits_left = 0;
    EXPECT_FALSE(it.one.step(Duration{})) << "applied, and not committed";
    it.other.assign(Assignment({it.second}));
    ASSERT_TRUE(it.other.step(Duration{}));
    EXPECT_EQ(it.answers(), 3u);
    it.one_work.commits_left = 10;
    EXPECT_EQ(it.one.step(Duration{}).error().kind, ErrorKind::conflict)
        << "it does not know yet that it has lost one of them";
    it.one.assign(Assignment({it.first}));
    ASSERT_TRUE(it.one.step(Duration{}));
    EXPECT_EQ(it.answers(), 5u);
    EXPECT_FALSE(it.one.committed().contains(it.second));
}

TEST(Stage, a_partition_that_comes_back_goes_on_where_the_other_has_left_it) {
    Shared it;
    it.one.assign(Assignment({it.first, it.second}));
    it.ask(1, 1);
    ASSERT_TRUE(it.one.step(Duration{}));
    it.one.assign(Assignment({it.first}));
    it.other.assign(Assignment({it.second}));
    it.ask(1, 2);
    ASSERT_TRUE(it.other.step(Duration{}));
    ASSERT_TRUE(it.one.step(Duration{}));
    const Instant before = it.one.frontier().get();
    it.other.assign(Assignment(std::set<Partition>{}));
    it.one.assign(Assignment({it.first, it.second}));
    it.ask(1, 3);
    ASSERT_TRUE(it.one.open());
    EXPECT_LT(it.one.frontier().get(), before) << "nothing is known of what it has been given";
    ASSERT_TRUE(it.one.step(Duration{}));
    EXPECT_EQ(it.answers(), 6u);
    EXPECT_GT(it.one.frontier().get(), before);
}

TEST(Stage, is_waited_for_by_offset) {
    Bench bench;
    Echo work(*bench.log);
    const auto stage = bench.stage(work);
    bench.ask({1});
    const auto end = *bench.log->ends_of(beginning_of(*bench.log, {topic::events}));
    std::optional<Offsets> written;
    std::jthread reader(
        [&] { written = stage->reached().wait_for(end, std::chrono::seconds(30)); });
    ASSERT_TRUE(stage->step(Duration{}));
    reader.join();
    ASSERT_TRUE(written);
    EXPECT_GT(written->at({topic::cases, 0}), Offset{0});
}

TEST(Stage, runs_until_it_is_stopped_and_tells_the_room) {
    Bench bench;
    Echo work(*bench.log);
    work.commits_left = 0;
    const auto stage = bench.stage(work);
    const auto expected = bench.ask({1});
    stage->start();
    while (stage->health()) {
        std::this_thread::yield();
    }
    work.commits_left = 1'000;
    while (stage->frontier().get() <= bench.log->last_log_time() || !stage->health()) {
        bench.clock.advance(log_time_grain);
        std::this_thread::yield();
    }
    stage->stop();
    EXPECT_TRUE(work.was_stopped);
    EXPECT_EQ(bench.answers(), expected);
    EXPECT_EQ(bench.count_lines("echo fails"), 1u);
    EXPECT_EQ(bench.count_lines("echo works again"), 1u);
}

/// All outputs of what has been reached stand below where it says that they end.
bool keeps_its_word(Bench& bench, const std::vector<std::string>& expected, const Reached& said) {
    const auto at = said.get();
    const auto consumed = at.consumed.find({topic::events, 0});
    std::set<std::string> below;
    const auto reader = reader_of(*bench.log, {topic::cases});
    const auto batch = reader->poll(10'000, 1u << 20, Duration{});
    for (const auto& record : batch->records) {
        const auto end = at.written.find(record.at.partition);
        if (end != at.written.end() && record.at.offset < end->second) {
            below.emplace(record.value);
        }
    }
    return std::all_of(expected.begin(), expected.end(), [&](const std::string& output) {
        return consumed == at.consumed.end() || std::stoull(output) >= consumed->second.value ||
               below.contains(output);
    });
}

// A record's outputs are there once and in order, wherever a life ends.
RC_GTEST_PROP(Stage, every_output_is_written_once_over_many_lives, ()) {
    Bench bench;
    const auto counts = *rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0u, 25u));
    const auto expected = bench.ask(counts);
    for (int life = 0; life < 200; ++life) {
        Echo work(*bench.log);
        work.commits_left = *rc::gen::inRange(1, 5);
        auto with = Bench::options();
        with.batch_records_max = *rc::gen::inRange<std::size_t>(1, 6);
        const auto stage = bench.stage(work, with);
        auto taken = stage->step(Duration{});
        while (taken && *taken > 0) {
            taken = stage->step(Duration{});
        }
        RC_ASSERT(keeps_its_word(bench, expected, stage->reached()));
        if (taken) {
            break;
        }
    }
    RC_ASSERT(bench.answers() == expected);
}

}  // namespace
}  // namespace helios::log
