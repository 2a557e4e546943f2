/// A log on which a newer version has raised the engine's level: what would decide by older rules
/// refuses, with exit 2, and says what to do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/data_directory.h"
#include "app/wiring.h"
#include "base/temporary_directory.h"
#include "log/disk_log.h"
#include "log/posix_disk.h"
#include "log/synchronous.h"
#include "model/engine_level.h"
#include "model/topics.h"

namespace helios::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Level : public ::testing::Test {
protected:
    /// The level's record, as a version that knows it writes one.
    void raise_to(std::uint32_t level) {
        log::DiskLogOptions options;
        options.directory = data_;
        options.folders = folders();
        const auto disk = log::posix_disk();
        const auto log = log::open_disk_log(options, topic_specs(), *disk, clock_, telemetry_);
        ASSERT_TRUE(log) << log.error().message();
        model::EngineLevel raised;
        raised.level = level;
        log::Record record;
        record.topic = model::topic::flows;
        record.type = static_cast<std::uint16_t>(model::RecordType::engine_level);
        record.version = model::engine_level_version;
        record.key = "level";
        record.value = model::encode(raised);
        ASSERT_TRUE(log::append_now(**log, {record})[0]);
    }
    std::size_t records() {
        const auto opened = open_read_only(data_);
        EXPECT_TRUE(opened);
        const auto partitions = opened->log->describe();
        EXPECT_TRUE(partitions);
        std::size_t n = 0;
        for (const auto& partition : *partitions) {
            n += partition.records;
        }
        return n;
    }
    struct Ended {
        int code;
        std::string said;
    };
    Ended run(std::vector<const char*> words) {
        words.insert(words.begin(), "helios");
        words.insert(words.end(), {"--data", data_.c_str()});
        ::testing::internal::CaptureStderr();
        ::testing::internal::CaptureStdout();
        const int code = run_command_line(static_cast<int>(words.size()), words.data(),
                                          {serve_command({}), config_command({})});
        auto said = ::testing::internal::GetCapturedStdout();
        return {code, std::move(said) + ::testing::internal::GetCapturedStderr()};
    }

    const SystemClock clock_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::off};
    TemporaryDirectory scratch_ = *TemporaryDirectory::make("helios-level-");
    const std::string data_ = scratch_.path() + "/data";
};

TEST_F(Level, serve_refuses_one_that_it_does_not_know_and_writes_nothing) {
    raise_to(model::highest_level + 1);
    const auto before = records();
    const auto told =
        AllOf(HasSubstr("this log is at level " + std::to_string(model::highest_level + 1)),
              HasSubstr("this version knows up to " + std::to_string(model::highest_level)),
              HasSubstr("start the version that raised it, or a newer one"),
              HasSubstr("otherwise than was published"));
    const auto served = run({"serve", "--listen", "127.0.0.1:0"});
    EXPECT_EQ(served.code, 2);
    EXPECT_THAT(served.said, told);
    EXPECT_EQ(served.said.find("listening on"), std::string::npos);
    EXPECT_EQ(records(), before);
    const auto checked = run({"config", "check"});
    EXPECT_EQ(checked.code, 1) << "the answer is no";
    EXPECT_THAT(checked.said, told);
}

TEST_F(Level, the_highest_counts_wherever_it_stands) {
    raise_to(model::highest_level + 1);
    raise_to(model::highest_level);
    EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0"}).code, 2);
}

TEST_F(Level, one_that_it_knows_is_left_as_it_is) {
    raise_to(model::highest_level);
    Config config;
    config.data_dir = data_;
    config.http.host = "127.0.0.1";
    config.http.port = 0;
    const auto node = Node::open(std::move(config), clock_, telemetry_);
    ASSERT_TRUE(node) << node.error().message();
}

}  // namespace
}  // namespace helios::app
