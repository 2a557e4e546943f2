/// Every single bit of a small log, flipped: whoever comes across it says so, and nothing is lost
/// in silence.

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "log/damage_list.h"
#include "log/directory.h"
#include "log/disk_log.h"
#include "log/records_test_kit.h"
#include "log/scrub.h"
#include "log/sim_disk.h"
#include "log/stored_log.h"
#include "log/synchronous.h"
#include "telemetry/telemetry.h"

namespace helios::log {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr Instant now_of_tests = from_nanos(1'700'000'000'000'000'000);

std::vector<TopicSpec> topics() {
    return {{topic::events, "events", RetentionClass::data, 0},
            {topic::cases, "cases", RetentionClass::data, 2},
            {topic::flows, "flows", RetentionClass::control, 1}};
}

DiskLogOptions small_options() {
    DiskLogOptions options;
    options.directory = "d";
    options.partitions = 1;
    options.segment_bytes = 64u << 10;
    options.zero_ahead_bytes = 0;
    options.record_bytes_max = 256u << 10;
    options.read_ahead_bytes = 4096;
    options.cache_bytes = 0;
    options.reserve_bytes = 0;
    options.scrub_interval = Duration::zero();  // off: who comes across it is what is asked here
    return options;
}

Record record_for(TopicId topic, std::string value) {
    Record record;
    record.topic = topic;
    record.key = "k";
    record.value = std::move(value);
    return record;
}

/// The files of a directory after three lives: a sealed segment, one that ends with a group that
/// nothing follows, and an empty one.
class Original {
public:
    Original() {
        SimDisk disk(1);
        ManualClock clock(now_of_tests);
        telemetry::Telemetry telemetry(clock, telemetry::Level::off);
        const auto life = [&](const std::function<void(Log&)>& live) {
            auto log = open_disk_log(small_options(), topics(), disk, clock, telemetry);
            ASSERT_TRUE(log) << log.error().message();
            live(**log);
        };
        const Partition id{topic::events, 0};
        life([&](Log& log) {
            add(log, {record_for(topic::events, "e1"), record_for(topic::cases, "c1"),
                      record_for(topic::flows, "f1")});
            ASSERT_TRUE(transact_now(log, {record_for(topic::cases, "c2")},
                                     {"g", {{id, Offset{0}}}, {{id, Offset{9}}}}));
            add(log, {record_for(topic::events, "e2")});
        });
        life([&](Log& log) {
            add(log, {record_for(topic::cases, "c3"), record_for(topic::events, "e3"),
                      record_for(topic::flows, "f2")});
        });
        life([&](Log&) {});
        for (const char* directory :
             {"d", "d/log", "d/log/data", "d/log/control", "d/log/health"}) {
            const auto names = disk.list(directory);
            for (const std::string& name : *names) {
                const std::string path = std::string(directory) + "/" + name;
                if (auto bytes = disk.contents(path)) {
                    files[path] = *bytes;
                }
            }
        }
    }

    std::map<std::string, std::string> files;
    std::map<std::string, Position> positions;  ///< by value

private:
    void add(Log& log, const std::vector<Record>& records) {
        const auto outcomes = append_now(log, records);
        for (std::size_t i = 0; i < records.size(); ++i) {
            ASSERT_TRUE(outcomes[i]);
            positions.emplace(records[i].value, outcomes[i]->at);
        }
    }
};

class EveryBit : public ::testing::Test {
protected:
    /// Calls `look` with a disk for every bit of the file, and whether anything was said must be
    /// its answer.
#if defined(__SANITIZE_THREAD__)
    static constexpr std::size_t every = 7;  // each takes ten times as long
#else
    static constexpr std::size_t every = 1;
#endif
    void flip_all(const std::string& path,
                  const std::function<bool(SimDisk&, std::size_t bit)>& look) {
        const std::string& bytes = original_.files.at(path);
        for (std::size_t bit = 0; bit < bytes.size() * 8; bit += every) {
            SimDisk disk(2);
            for (const auto& [name, content] : original_.files) {
                disk.put(name, content);
            }
            disk.damage(path, bit / 8,
                        std::string(1, static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8))));
            ASSERT_TRUE(look(disk, bit))
                << path << " byte " << bit / 8 << " bit " << bit % 8 << " was not noticed";
        }
    }

    Result<std::unique_ptr<Log>> open(SimDisk& disk, bool writing) {
        if (writing) {
            return open_disk_log(small_options(), topics(), disk, clock_, telemetry_);
        }
        return open_read_only(small_options(), topics(), disk, clock_, telemetry_);
    }

    /// Reads these topics, finds nothing that was never written, and names damage if something is
    /// missing.
    void read_some(Log& log, std::initializer_list<TopicId> wanted) {
        std::set<std::string> found;
        for (const std::string& value : read_values(*reader_of(log, wanted))) {
            found.insert(value);
        }
        for (const auto& [value, at] : original_.positions) {
            const bool asked =
                std::find(wanted.begin(), wanted.end(), at.partition.topic) != wanted.end();
            EXPECT_TRUE(!asked || found.contains(value) || !log.damage().empty())
                << value << " is missing";
            found.erase(value);
        }
        found.erase("c2");
        EXPECT_TRUE(found.empty()) << "something was read that nobody wrote";
    }

    void ask_for_each(Log& log) {
        for (const auto& [value, at] : original_.positions) {
            const auto found = log.read_at(at);
            if (found) {
                EXPECT_EQ(found->records[0].value, value);
            } else {
                EXPECT_EQ(found.error().kind, ErrorKind::corrupt)
                    << value << ": " << found.error().what;
            }
        }
    }

    /// One flipped bit, met by a log that is opened in this way and read.
    bool noticed(SimDisk& disk, bool writing) {
        auto log = open(disk, writing);
        if (!log) {
            EXPECT_EQ(log.error().kind, ErrorKind::corrupt) << log.error().message();
            return true;
        }
        ask_for_each(**log);
        read_some(**log, {topic::flows});
        read_some(**log, {topic::events, topic::cases, topic::flows});
        if (writing) {
            EXPECT_TRUE(append_now(**log, {record_for(topic::events, "later")})[0]) << "it goes on";
        }
        EXPECT_TRUE((*log)->read_through());
        return !(*log)->damage().empty();
    }

    Original original_;
    ManualClock clock_{now_of_tests};
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::off};
};

TEST_F(EveryBit, of_the_segments_is_noticed) {
    for (const auto& [path, bytes] : original_.files) {
        if (!path.ends_with(".seg")) {
            continue;
        }
        for (const bool writing : {false, true}) {
            flip_all(path, [&](SimDisk& disk, std::size_t) { return noticed(disk, writing); });
        }
    }
}

TEST_F(EveryBit, of_mark_topics_and_format_is_noticed) {
    for (const char* path : {"d/log/mark", "d/log/topics", "d/FORMAT"}) {
        for (const bool writing : {false, true}) {
            flip_all(path, [&](SimDisk& disk, std::size_t) { return noticed(disk, writing); });
        }
    }
}

// A group that holds nothing wanted is hopped over by its verified header; within one that does,
// all is looked at.
TEST_F(EveryBit, of_an_unwanted_frame_is_noticed_by_who_passes_it) {
    const Position& unwanted = original_.positions.at("c1");
    const Position& wanted = original_.positions.at("e1");
    ASSERT_EQ(unwanted.offset.value, wanted.offset.value + 44 + 3) << "neighbours in one group";
    const std::string path = "d/log/data/0000000000000000.seg";
    const std::size_t begin = unwanted.offset.value * 8;
    flip_all(path, [&](SimDisk& disk, std::size_t bit) {
        if (bit < begin || bit >= begin + (44 + 3) * 8) {
            return true;
        }
        auto log = open(disk, false);
        EXPECT_TRUE(log);
        EXPECT_THAT(read_values(*reader_of(**log, {topic::events})),
                    ::testing::ElementsAre("e1", "e2", "e3"));
        return !(*log)->damage().empty();
    });
}

// What a live log holds in memory, or has long passed, only the scrub looks at.
TEST_F(EveryBit, is_found_by_the_scrub_of_a_running_log) {
    for (const auto& [path, bytes] : original_.files) {
        if (path == "d/LOCK" || path == "d/log/mark") {
            continue;
        }
        SimDisk disk(2);
        for (const auto& [name, content] : original_.files) {
            disk.put(name, content);
        }
        ManualClock clock(now_of_tests);
        std::vector<std::string> lines;
        telemetry::Telemetry telemetry(clock, telemetry::Level::info, lines);
        auto opened = open_disk_log(small_options(), topics(), disk, clock, telemetry);
        ASSERT_TRUE(opened);
        auto& log = dynamic_cast<StoredLog&>(**opened);
        Scrub scrub(log, clock, telemetry);
        Duration paused{};
        const auto pause = [&](Duration time) {
            paused += time;
            clock.advance(time);
            return true;
        };
        ASSERT_TRUE(scrub.pass(pause));
        EXPECT_TRUE(log.damage().empty());
        EXPECT_THAT(telemetry.metrics.expose(),
                    HasSubstr("helios_log_scrub_last_pass_timestamp_seconds 1700000000"));
        if (bytes.empty()) {
            continue;
        }
        // The last byte of a segment file belongs to a frame or a header: closed logs keep no space
        // behind the end. An empty last segment was replaced at open.
        const auto now = disk.contents(path);
        if (!now || *now != bytes) {
            continue;
        }
        disk.damage(path, bytes.size() / 2,
                    std::string(1, static_cast<char>(bytes[bytes.size() / 2] ^ 4)));
        ASSERT_TRUE(scrub.pass(pause));
        ASSERT_EQ(log.damage().size(), 1u) << path;
        EXPECT_EQ(log.damage()[0].file, path);
        EXPECT_THAT(lines, Contains(HasSubstr("is damaged")));
    }
}

TEST(Scrub, keeps_to_its_rate_and_stops_when_told) {
    SimDisk disk(2);
    ManualClock clock(now_of_tests);
    telemetry::Telemetry telemetry(clock, telemetry::Level::off);
    DiskLogOptions options = small_options();
    options.scrub_bytes_per_second = 1'000'000;
    auto opened = open_disk_log(options, topics(), disk, clock, telemetry);
    ASSERT_TRUE(opened);
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(
            append_now(**opened, {record_for(topic::events, std::string(100'000, 'x'))})[0]);
    }
    Scrub scrub(dynamic_cast<StoredLog&>(**opened), clock, telemetry);
    Duration paused{};
    ASSERT_TRUE(scrub.pass([&](Duration time) {
        paused += time;
        clock.advance(time);
        return true;
    }));
    EXPECT_GE(paused, std::chrono::milliseconds(2900));
    EXPECT_LE(paused, std::chrono::milliseconds(3200));
    EXPECT_THAT(telemetry.metrics.expose(), HasSubstr("helios_log_scrub_bytes_total 30"));
    EXPECT_FALSE(scrub.pass([](Duration) { return false; }));
}

TEST(DamageList, one_line_then_sums) {
    ManualClock clock(now_of_tests);
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry(clock, telemetry::Level::debug, lines);
    {
        DamageList list(clock, telemetry);
        for (std::uint64_t i = 0; i < 677; ++i) {
            list.note({"d/1.seg", i * 100, i * 100 + 10, "bad"});
        }
        ASSERT_EQ(lines.size(), 1u);
        EXPECT_THAT(lines[0], HasSubstr("\"file\":\"d/1.seg\",\"begin\":0,\"end\":10"));
        clock.advance(std::chrono::seconds(10));
        list.tell();
        ASSERT_EQ(lines.size(), 2u);
        EXPECT_THAT(lines[1], HasSubstr("\"more\":676,\"stretches\":677,\"bytes\":6770"));
        list.tell();
        EXPECT_EQ(lines.size(), 2u);
        for (std::uint64_t i = 0; i < 677; ++i) {
            list.note({"d/1.seg", i * 100 + 2, i * 100 + 5, "bad"});
        }
        list.note({"d/1.seg", 5, 20, "bad"});
        EXPECT_EQ(list.all().size(), 677u) << "another reader, the same stretch";
        EXPECT_EQ(list.all()[0].end, 20u);
        EXPECT_THAT(telemetry.metrics.expose(), HasSubstr("helios_log_damage_total 677"));
        list.note({"d/2.seg", 0, 1, "bad"});
    }
    EXPECT_EQ(lines.size(), 3u) << "the rest is told at the end";
}

}  // namespace
}  // namespace helios::log
