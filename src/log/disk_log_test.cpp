#include "log/disk_log.h"

#include <future>

#include <gtest/gtest.h>

#include "log/sim_disk.h"
#include "telemetry/telemetry.h"

namespace helios::log {
namespace {

TEST(DiskLog, smoke) {
    SimDisk disk;
    ManualClock clock(from_nanos(1'000'000'000));
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry(clock, telemetry::Level::debug, lines);
    DiskLogOptions options;
    options.directory = "d";
    options.segment_bytes = 64 << 10;
    std::vector<TopicSpec> topics{{"a", RetentionClass::data, 0}, {"c", RetentionClass::control, 1}};
    for (int life = 0; life < 2; ++life) {
        auto log = open_disk_log(options, topics, disk, clock, telemetry);
        ASSERT_TRUE(log) << log.error().message();
        std::vector<Record> records;
        for (int i = 0; i < 1000; ++i) records.push_back({i % 10 ? "a" : "c", {}, 1, 1, 0, "k" + std::to_string(i), std::string(100, 'x')});
        std::promise<void> done;
        (*log)->append(records, [&](std::span<const AppendOutcome> out) {
            for (auto& o : out) EXPECT_TRUE(o.has_value()) << o.error().message();
            done.set_value();
        });
        done.get_future().get();
        Offsets from;
        for (const auto& id : (*log)->partitions_of("a")) from[id] = {};
        for (const auto& id : (*log)->partitions_of("c")) from[id] = {};
        auto reader = (*log)->read(from);
        ASSERT_TRUE(reader);
        std::size_t n = 0;
        Instant last{};
        while (n < static_cast<std::size_t>(1000 * (life + 1))) {
            auto batch = (*reader)->poll(128, 1 << 20, Duration{1});
            ASSERT_TRUE(batch);
            ASSERT_FALSE(batch->records.empty());
            for (auto& r : batch->records) {
                EXPECT_LT(last, r.log_time);
                last = r.log_time;
                auto one = (*log)->read_at({std::string(r.topic), r.partition}, r.offset);
                ASSERT_TRUE(one);
                EXPECT_EQ(one->records[0].key, r.key);
            }
            n += batch->records.size();
        }
        EXPECT_EQ(n, 1000u * (life + 1));
    }
    for (auto& l : lines) std::puts(l.c_str());
}

}  // namespace
}  // namespace helios::log
