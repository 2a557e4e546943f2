/// Opens a data directory from hostile bytes: mutations of a good journal, or arbitrary files.
/// Whatever it holds, the answer is a clean error, or a log that reads, appends, and reads back
/// what it appended.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "log/disk_log.h"
#include "log/records_test_kit.h"
#include "log/sim_disk.h"
#include "log/synchronous.h"
#include "telemetry/telemetry.h"

namespace {

using namespace helios;
using namespace helios::log;

const std::vector<TopicSpec> topics{{topic::events, "events", RetentionClass::data, 0},
                                    {topic::flows, "flows", RetentionClass::control, 1}};

DiskLogOptions small_options() {
    DiskLogOptions options;
    options.directory = "d";
    options.partitions = 2;
    options.segment_bytes = 64u << 10;
    options.zero_ahead_bytes = 0;
    options.read_ahead_bytes = 4096;
    options.reserve_bytes = 0;
    return options;
}

Record record(TopicId topic, std::string value) {
    Record out;
    out.topic = topic;
    out.key = "k";
    out.value = std::move(value);
    return out;
}

/// The files of a small directory after two lives.
const std::vector<std::pair<std::string, std::string>>& good_files() {
    static const auto files = [] {
        SimDisk disk(1);
        ManualClock clock(from_nanos(1'700'000'000'000'000'000));
        telemetry::Telemetry telemetry(clock, telemetry::Level::off);
        for (int life = 0; life < 2; ++life) {
            auto opened = open_disk_log(small_options(), topics, disk, clock, telemetry);
            HELIOS_ASSERT(opened.has_value(), "a fresh directory opens");
            for (int i = 0; i < 5; ++i) {
                append_now(**opened, {record(topic::events, std::string(40, 'a')),
                                      record(topic::flows, "b"), record(topic::events, "c")});
            }
            const Partition id{topic::events, 0};
            const auto at = static_cast<std::uint64_t>(life);
            HELIOS_ASSERT(transact_now(**opened, {record(topic::events, "d")},
                                       {"g", {{id, Offset{at}}}, {{id, Offset{at + 1}}}})
                              .has_value(),
                          "a transaction");
        }
        std::vector<std::pair<std::string, std::string>> out;
        for (const char* directory :
             {"d", "d/log", "d/log/data", "d/log/control", "d/log/health"}) {
            const auto listed = disk.list(directory);
            for (const std::string& name : *listed) {
                if (auto bytes = disk.contents(std::string(directory) + "/" + name)) {
                    out.emplace_back(std::string(directory) + "/" + name, *bytes);
                }
            }
        }
        return out;
    }();
    return files;
}

/// Input: operations of 5 bytes (which file, where, what), then bytes for a file to be replaced
/// altogether.
void spoil(SimDisk& disk, std::string_view input) {
    auto files = good_files();
    const bool replace = !input.empty() && (input[0] & 1) != 0;
    if (!input.empty()) {
        input.remove_prefix(1);
    }
    while (input.size() >= 5 && !replace) {
        auto& [path, bytes] = files[static_cast<unsigned char>(input[0]) % files.size()];
        const std::size_t at =
            (static_cast<unsigned char>(input[1]) |
             static_cast<std::size_t>(static_cast<unsigned char>(input[2])) << 8) %
            (bytes.size() + 1);
        switch (static_cast<unsigned char>(input[3]) % 5) {
            case 0:
                if (at < bytes.size()) {
                    bytes[at] = input[4];
                }
                break;
            case 1:
                bytes.resize(at);
                break;
            case 2:
                bytes.insert(at, 1, input[4]);
                break;
            case 3:
                bytes.erase(at, static_cast<unsigned char>(input[4]));
                break;
            case 4:
                bytes += bytes.substr(at);
                break;
        }
        input.remove_prefix(5);
    }
    if (replace && !input.empty()) {
        files[static_cast<unsigned char>(input[0]) % files.size()].second =
            std::string(input.substr(1));
    }
    for (const auto& [path, bytes] : files) {
        disk.put(path, bytes);
    }
}

std::size_t read_all(Log& log) {
    std::size_t records = 0;
    auto reader = reader_of(log, {topic::events, topic::flows});
    Instant last{};
    for (;;) {
        const auto batch = reader->poll(64, 1u << 16, Duration::zero());
        HELIOS_ASSERT(batch.has_value(), "damage is no error of a poll");
        if (batch->records.empty()) {
            return records;
        }
        for (const StoredRecord& one : batch->records) {
            last = one.log_time;
            ++records;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    SimDisk disk(2);
    ManualClock clock(from_nanos(1'600'000'000'000'000'000));
    telemetry::Telemetry telemetry(clock, telemetry::Level::off);
    spoil(disk, std::string_view(reinterpret_cast<const char*>(data), size));
    if (auto outside = open_read_only(small_options(), topics, disk, clock, telemetry);
        outside && (*outside)->partition_count(topic::events) > 0 &&
        (*outside)->partition_count(topic::flows) > 0) {
        read_all(**outside);
        static_cast<void>((*outside)->committed("g"));
        static_cast<void>(
            (*outside)->offsets_at({{topic::events, 0}}, from_nanos(1'650'000'000'000'000'000)));
    }
    auto opened = open_disk_log(small_options(), topics, disk, clock, telemetry);
    if (!opened) {
        return 0;
    }
    const std::size_t before = read_all(**opened);
    const auto outcome = append_now(**opened, {record(topic::events, "new")});
    HELIOS_ASSERT(outcome[0].has_value(), "a log that opens takes appends");
    const auto found = (*opened)->read_at(outcome[0]->at);
    HELIOS_ASSERT(found && found->records[0].value == "new", "what was appended is there");
    HELIOS_ASSERT(read_all(**opened) == before + 1, "and nothing else has changed");
    return 0;
}
