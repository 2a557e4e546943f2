#pragma once
/// A disk log on a disk in memory, with small segments: for tests of the disk log.

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/directory.h"
#include "log/disk_log.h"
#include "log/format.h"
#include "log/records_test_kit.h"
#include "log/segments.h"
#include "log/sim_disk.h"
#include "log/synchronous.h"
#include "telemetry/telemetry.h"

namespace helios::log {

class DiskLogTest : public ::testing::Test {
public:
    ~DiskLogTest() override { disk_.on_sync({}); }

protected:
    DiskLogTest() {
        options_.directory = "d";
        options_.partitions = 3;
        options_.segment_bytes = 64u << 10;
        options_.zero_ahead_bytes = 4096;
        options_.record_bytes_max = 256u << 10;
        options_.reserve_bytes = 0;
        options_.keep_interval = Duration::zero();
        options_.retry_interval = std::chrono::hours(1);
    }

    Result<std::unique_ptr<Log>> try_open() {
        return open_disk_log(options_, test_topics(), disk_, clock_, telemetry_);
    }
    void open() {
        log_.reset();
        auto opened = try_open();
        ASSERT_TRUE(opened) << opened.error().message();
        log_ = std::move(*opened);
    }
    AppendOutcome append(std::string value, TopicId topic = topic::events) {
        return append_now(*log_, {record_for(std::move(topic), "k", std::move(value))})[0];
    }
    std::vector<std::string> values(std::initializer_list<TopicId> topics = {topic::events}) {
        return read_values(*reader_of(*log_, topics));
    }

    std::string last_segment(const std::string& directory = "d/log/data") {
        const auto names = disk_.list(directory);
        EXPECT_TRUE(names && !names->empty());
        return directory + "/" + names->back();
    }
    void flip(const std::string& path, std::uint64_t offset) {
        auto bytes = disk_.contents(path);
        ASSERT_TRUE(bytes);
        ASSERT_LT(offset, bytes->size());
        disk_.damage(path, offset, std::string(1, static_cast<char>((*bytes)[offset] ^ 0x40)));
    }
    void forget_mark() { disk_.put("d/log/mark", ""); }

    SimDisk disk_{11, SimDisk::Durability::tracked};
    ManualClock clock_{from_nanos(1'700'000'000'000'000'000)};
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::debug, lines_};
    DiskLogOptions options_;
    std::unique_ptr<Log> log_;
};

}  // namespace helios::log
