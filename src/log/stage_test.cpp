#include "log/stage.h"

#include <atomic>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <thread>

#include "log/disk_log_test_kit.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

/// Answers each record "n" of topic::events with n records "<offset>.<i>" on topic::cases, three at
/// a time.
class Echo final : public StageWork {
public:
    explicit Echo(Log& log) : log_(log) {}

    Result<Standing> restore() override {
        ++restored;
        Standing standing;
        for (const auto& id : log_.partitions_of(topic::events)) {
            standing.read_from[id] = standing.committed[id] = Offset{};
        }
        HELIOS_TRY_ASSIGN(const auto committed, log_.committed("echo"));
        for (const auto& [id, offset] : committed) {
            standing.committed[id] = offset;
        }
        HELIOS_TRY_ASSIGN(standing.partly, log_.partly("echo"));
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

    Status commit(const Outputs& out, const GroupOffsets& position) override {
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
        if (taken) {
            break;
        }
    }
    RC_ASSERT(bench.answers() == expected);
}

}  // namespace
}  // namespace helios::log
