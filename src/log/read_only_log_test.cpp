#include "log/disk_log_test_kit.h"

namespace helios::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// ---- Another process

TEST_F(DiskLogTest, a_read_only_log_follows_a_living_writer) {
    EXPECT_EQ(open_read_only(options_, test_topics(), disk_, clock_, telemetry_).error().kind,
              ErrorKind::not_found);
    open();
    ASSERT_TRUE(append("one"));
    auto opened = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(opened) << opened.error().message();
    Log& outside = **opened;
    auto reader = reader_of(outside, {topic::events, topic::flows});
    EXPECT_THAT(read_values(*reader), ElementsAre("one"));
    const auto two = append("two", topic::flows);
    EXPECT_THAT(read_values(*reader), ElementsAre("two"));
    EXPECT_EQ(outside.read_at(two->at)->records[0].value, "two");
    auto waiting = std::async(std::launch::async,
                              [&] { return reader->poll(10, 1u << 20, std::chrono::seconds(60)); });
    ASSERT_TRUE(append("three"));
    const auto batch = waiting.get();
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->records.size(), 1u);
    EXPECT_GT(batch->complete_below, batch->records[0].log_time);
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(append(std::string(6000, 'x')));  // over several segments
    }
    EXPECT_EQ(read_values(*reader).size(), 30u);
    EXPECT_EQ(outside.last_log_time(), log_->last_log_time());
    const auto infos = *outside.describe();
    EXPECT_EQ(infos.size(), 6u);
    std::uint64_t records = 0;
    for (const auto& info : infos) {
        records += info.records;
    }
    EXPECT_EQ(records, 33u);
    EXPECT_EQ(append_now(outside, {record_for(topic::events, "k", "v")})[0].error().kind,
              ErrorKind::denied);
    const Partition id{topic::events, 0};
    ASSERT_TRUE(transact_now(*log_, {}, {"route", {{id, Offset{0}}}, {{id, Offset{3}}}}));
    EXPECT_EQ(*outside.committed("route"), (Offsets{{id, Offset{3}}}));
    EXPECT_TRUE(outside.damage().empty());
    open();  // the writer's next life
    ASSERT_TRUE(append("later"));
    EXPECT_THAT(read_values(*reader), ElementsAre("later"));
}

TEST_F(DiskLogTest, a_read_only_log_follows_over_idle_restarts) {
    open();
    auto outside = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(outside);
    auto reader = reader_of(**outside, {topic::events});
    for (int life = 0; life < 3; ++life) {
        open();  // each replaces the empty segment that the reader knows
    }
    ASSERT_TRUE(append("one"));
    EXPECT_THAT(read_values(*reader), ElementsAre("one"));
    EXPECT_TRUE((*outside)->damage().empty());
}

TEST_F(DiskLogTest, a_read_only_log_reads_what_a_crash_left_and_changes_nothing) {
    open();
    for (const char* value : {"one", "two", "three"}) {
        ASSERT_TRUE(append(value));
    }
    disk_.cut_power();
    log_.reset();
    disk_.restart_process();
    const std::uint64_t steps = disk_.steps();
    auto opened = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(opened);
    EXPECT_THAT(read_values(*reader_of(**opened, {topic::events})),
                ElementsAre("one", "two", "three"));
    EXPECT_EQ(disk_.steps(), steps);
    disk_.put("d/log/mark", "");
    auto unmarked = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    EXPECT_THAT(read_values(*reader_of(**unmarked, {topic::events})), ElementsAre("one", "two"))
        << "the last group's header vouches for those before it";
}

// ---- Signs of life

}  // namespace
}  // namespace helios::log
