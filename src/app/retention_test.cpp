/// A data directory whose log has lost its beginning: what starts, what is read, what is said.

#include <atomic>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "app/completeness.h"
#include "app/data_directory.h"
#include "app/holds.h"
#include "app/log_export.h"
#include "app/wiring.h"
#include "base/temporary_directory.h"
#include "log/disk_log.h"
#include "log/posix_disk.h"
#include "log/synchronous.h"
#include "model/event.h"
#include "model/topics.h"

namespace helios::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Duration day = std::chrono::hours(24);

/// The machine's clock, ahead of it by what a test says: a server's stages wait for the end of a
/// millisecond.
class AheadClock final : public Clock {
public:
    Instant wall() const override { return machine_.wall() + ahead(); }
    Duration monotonic() const override { return machine_.monotonic() + ahead(); }
    Duration boot_time() const override { return machine_.boot_time() + ahead(); }
    void advance(Duration d) { ahead_ns_ += d.count(); }

private:
    Duration ahead() const { return Duration{ahead_ns_.load()}; }
    SystemClock machine_;
    std::atomic<std::int64_t> ahead_ns_{0};
};

class CutLog : public ::testing::Test {
protected:
    Config config() {
        Config config;
        config.data_dir = data_;
        config.http.host = "127.0.0.1";
        config.http.port = 0;
        return config;
    }
    /// A server's first life: level and flow are on the log, and what route made of them.
    void live() {
        const auto node = Node::open(config(), clock_, telemetry_);
        ASSERT_TRUE(node) << node.error().message();
        (*node)->start();
        (*node)->stop();
    }
    /// Appends an event, and later drops everything before it that retention lets go.
    void cut() {
        log::DiskLogOptions options;
        options.directory = data_;
        options.keep = 10 * day;
        options.keep_interval = Duration::zero();
        const auto disk = log::posix_disk();
        for (int life = 0; life < 2; ++life) {
            const auto log = log::open_disk_log(options, topic_specs(), *disk, clock_, telemetry_);
            ASSERT_TRUE(log) << log.error().message();
            model::Event event(default_tenant());
            event.source = "aws";
            event.type = "OrderPlaced";
            event.id = "e-" + std::to_string(life);
            event.key = "ORD-1";
            event.payload = "{}";
            log::Record record;
            record.topic = model::topic::orders;
            record.type = static_cast<std::uint16_t>(model::RecordType::event);
            record.version = model::event_version;
            record.key = event.key;
            record.value = model::encode(event);
            ASSERT_TRUE(log::append_now(**log, {record})[0]);
            (*log)->keep({});
            clock_.advance(11 * day);
            ASSERT_TRUE((*log)->drop_expired());
        }
    }

    AheadClock clock_;
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::off, lines_};
    TemporaryDirectory scratch_ = *TemporaryDirectory::make("helios-cut-");
    const std::string data_ = scratch_.path() + "/data";
};

TEST_F(CutLog, a_stage_that_stands_before_its_beginning_keeps_the_server_from_starting) {
    live();
    cut();
    const auto node = Node::open(config(), clock_, telemetry_);
    ASSERT_FALSE(node);
    EXPECT_THAT(node.error().what,
                AllOf(HasSubstr("route would go on before the log begins"),
                      HasSubstr("helios.events.orders/"), HasSubstr("past the log's retention")));
    EXPECT_THAT(node.error().hint, HasSubstr("helios log export"));
}

TEST_F(CutLog, the_store_is_named_with_its_own_way_out) {
    live();
    cut();
    const auto opened = open_read_only(data_);
    ASSERT_TRUE(opened);
    auto all = holds(*opened->log, data_ + "/no-store");
    EXPECT_FALSE(check_holds(*opened->log, all));
    std::erase_if(all, [](const log::Hold& hold) { return hold.by != "store"; });
    const auto refused = check_holds(*opened->log, all);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("store would go on"), HasSubstr("store rebuild --from-log-start")));
}

TEST_F(CutLog, an_export_says_first_where_it_begins) {
    live();
    cut();
    const auto opened = open_read_only(data_);
    ASSERT_TRUE(opened);
    std::vector<std::string> lines;
    const auto counts =
        export_log(*opened->log, [&](std::string_view line) { lines.emplace_back(line); });
    ASSERT_TRUE(counts) << counts.error().message();
    EXPECT_EQ(counts->events, 1u);
    ASSERT_GE(lines.size(), 2u);
    const auto until = dropped_until(*opened->log);
    ASSERT_TRUE(until);
    EXPECT_EQ(lines.front(), R"({"control":"start","at":")" + format_rfc3339(*until) + R"("})");
    EXPECT_THAT(lines.at(1), HasSubstr(R"("control":"level")")) << "control is kept for ever";
    const auto backlog = Completeness(*opened->log, data_, Stage::store).backlog();
    ASSERT_TRUE(backlog) << backlog.error().message();
    EXPECT_GE(backlog->route, 1u) << "the event that is left";
    EXPECT_LE(backlog->route, 3u) << "and flow and level, if the first life was as short";
}

TEST_F(CutLog, a_server_that_drops_nothing_of_what_it_needs_starts_again) {
    auto options = config();
    options.log.keep = std::chrono::seconds(1);
    options.gateway.dedup_horizon = std::chrono::seconds(1);
    for (int life = 0; life < 3; ++life) {
        const auto node = Node::open(options, clock_, telemetry_);
        ASSERT_TRUE(node) << node.error().message();
        (*node)->start();
        (*node)->stop();
        clock_.advance(day);
    }
    const auto opened = open_read_only(data_);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->log->damage().empty());
}

}  // namespace
}  // namespace helios::app
