/// The directory of a disk log: whose it is, what it keeps, who holds it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/directory.h"
#include "log/disk_log.h"
#include "log/disk_log_test_kit.h"
#include "log/format.h"
#include "log/segments.h"
#include "log/sim_disk.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DiskLogTest, refuses_a_foreign_directory_and_a_newer_format) {
    disk_.put("d/FORMAT", "something else\n");
    EXPECT_EQ(try_open().error().kind, ErrorKind::corrupt);
    EXPECT_THAT(try_open().error().what, HasSubstr("foreign"));
    disk_.put("d/FORMAT", encode_format({1, 9, 3}));
    EXPECT_EQ(try_open().error().kind, ErrorKind::corrupt);
    EXPECT_THAT(try_open().error().what, HasSubstr("newer Helios"));
    EXPECT_THAT(try_open().error().what, HasSubstr("format 9"));
    disk_.put("d/FORMAT", encode_format({directory_format, directory_format, 3}));
    EXPECT_TRUE(try_open());
    EXPECT_EQ(open_read_only(options_, test_topics(), disk_, clock_, telemetry_).has_value(), true);
    disk_.put("d/FORMAT", encode_format({directory_format + 1, directory_format + 1, 3}));
    EXPECT_EQ(open_read_only(options_, test_topics(), disk_, clock_, telemetry_).error().kind,
              ErrorKind::corrupt);
    disk_.put("e/log/data/x", "");
    options_.directory = "e";
    EXPECT_THAT(try_open().error().what, HasSubstr("foreign")) << "a log without a FORMAT";
}

TEST_F(DiskLogTest, does_not_adopt_a_directory_with_something_in_it) {
    for (const std::string name : {"notes.txt", ".hidden", "store/current.db", "LOCK.old"}) {
        options_.directory = "f-" + name.substr(0, 5);
        disk_.put(options_.directory + "/" + name, "x");
        const auto refused = try_open();
        ASSERT_FALSE(refused) << name;
        EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);
        EXPECT_THAT(refused.error().what,
                    HasSubstr(options_.directory + " has no FORMAT file but is not empty"));
        EXPECT_THAT(refused.error().hint, HasSubstr("an empty or new directory"));
        EXPECT_EQ(disk_.list(options_.directory)->size(), 1u) << "a refusal leaves nothing behind";
    }
}

TEST_F(DiskLogTest, takes_a_directory_whose_making_was_interrupted) {
    disk_.put("f/LOCK", "12345\n");
    disk_.put("f/FORMAT.new", "helios data dir");
    ASSERT_TRUE(disk_.make_directories("f/lost+found"));
    options_.directory = "f";
    EXPECT_TRUE(try_open());
    ASSERT_TRUE(disk_.make_directories("g"));
    options_.directory = "g";
    EXPECT_TRUE(try_open()) << "an empty one";
}

TEST_F(DiskLogTest, a_directory_whose_making_was_interrupted_twice_is_still_ours) {
    for (std::uint64_t first = 1; first <= 12; ++first) {
        for (std::uint64_t second = 1; second <= 12; ++second) {
            options_.directory = "d-" + std::to_string(first) + "-" + std::to_string(second);
            disk_.crash_after(first);
            EXPECT_FALSE(try_open());
            disk_.restart_process();  // what it saw last need not be durable
            disk_.crash_after(second);
            static_cast<void>(try_open());
            disk_.power_cycle();
            const auto third = try_open();
            EXPECT_TRUE(third) << options_.directory << ": " << third.error().message();
        }
    }
}

TEST_F(DiskLogTest, a_reader_may_be_older_than_a_writer) {
    open();
    log_.reset();
    disk_.put("d/FORMAT", encode_format({directory_format, directory_format + 1, 3}));
    EXPECT_FALSE(try_open());
    EXPECT_TRUE(open_read_only(options_, test_topics(), disk_, clock_, telemetry_));
}

TEST_F(DiskLogTest, keeps_the_partition_count_of_a_directory) {
    open();
    log_.reset();
    options_.partitions = 4;
    const auto refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("3 partitions"));
    EXPECT_THAT(refused.error().message(), HasSubstr("log.partitions"));
}

TEST_F(DiskLogTest, a_topic_of_the_directory_that_nobody_numbers_shows_by_its_name_alone) {
    open();
    ASSERT_TRUE(append("1"));
    log_.reset();
    const auto opened = open_disk_log(options_, {{topic::added, "added", RetentionClass::data, 1}},
                                      disk_, clock_, telemetry_);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ((*opened)->partition_count(topic::events), 0u);
    EXPECT_TRUE((*opened)->name_of(topic::events).empty());
    const auto described = *(*opened)->describe();
    EXPECT_EQ(described.front().topic, "events");
    EXPECT_EQ(described.front().id.topic, no_topic);
    EXPECT_EQ(described.back().topic, "added");
    EXPECT_EQ(described.back().id, (Partition{topic::added, 0}));
}

TEST_F(DiskLogTest, refuses_a_number_that_is_none_or_anothers) {
    for (const TopicId number : {no_topic, topic::events}) {
        auto topics = test_topics();
        topics.push_back({number, "added", RetentionClass::data, 1});
        const auto refused = open_disk_log(options_, topics, disk_, clock_, telemetry_);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
        EXPECT_THAT(refused.error().what, HasSubstr("added"));
    }
}

TEST_F(DiskLogTest, keeps_topics_and_adds_new_ones) {
    open();
    ASSERT_TRUE(append("1"));
    log_.reset();
    auto topics = test_topics();
    topics.push_back({topic::added, "added", RetentionClass::control, 2});
    auto more = open_disk_log(options_, topics, disk_, clock_, telemetry_);
    ASSERT_TRUE(more) << more.error().message();
    EXPECT_EQ((*more)->partition_count(topic::added), 2u);
    EXPECT_EQ((*more)->partition_count(topic::events), 3u) << "known topics stay readable";
    more->reset();
    EXPECT_EQ(open_disk_log(options_, {{topic::events, "events", RetentionClass::control, 0}},
                            disk_, clock_, telemetry_)
                  .error()
                  .kind,
              ErrorKind::conflict);
    EXPECT_EQ(open_disk_log(options_, {{topic::events, "events", RetentionClass::data, 7}}, disk_,
                            clock_, telemetry_)
                  .error()
                  .kind,
              ErrorKind::conflict);
    EXPECT_EQ(open_disk_log(options_, {{topic::added, "bad name", RetentionClass::data, 0}}, disk_,
                            clock_, telemetry_)
                  .error()
                  .kind,
              ErrorKind::invalid);
    open();
    EXPECT_THAT(values(), ElementsAre("1"));
    log_.reset();
    flip("d/log/topics", 20);
    EXPECT_EQ(try_open().error().kind, ErrorKind::corrupt);
}

TEST_F(DiskLogTest, names_the_holder_to_a_second_server) {
    open();
    const auto second = try_open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_THAT(second.error().what, HasSubstr("in use by process"));
    log_.reset();
    EXPECT_TRUE(try_open());
}

TEST_F(DiskLogTest, a_refused_second_server_has_changed_nothing) {
    options_.folders = {"other"};
    open();
    ASSERT_TRUE(append("one"));
    const auto refused = [&](const std::string& why) {
        const std::uint64_t before = disk_.steps();
        const auto second = try_open();
        ASSERT_FALSE(second) << why;
        EXPECT_EQ(second.error().kind, ErrorKind::conflict) << why;
        EXPECT_EQ(disk_.steps(), before) << why;
    };
    refused("the directory is held");
    static_cast<void>(disk_.remove("d/LOCK"));
    refused("LOCK is gone");
    log_.reset();
    ASSERT_TRUE(disk_.make_directories("d/other"));
    for (const std::string folder :
         {"d/log", "d/log/data", "d/log/control", "d/log/health", "d/other"}) {
        const auto held = disk_.lock(folder, "");
        ASSERT_TRUE(held);
        refused(folder + " is held, through a link from elsewhere");
    }
    EXPECT_TRUE(try_open());
}

}  // namespace
}  // namespace helios::log
