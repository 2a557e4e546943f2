#include "gateway/deduplicator.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "base/pause.h"
#include "gateway/dedup_index.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

std::string metric(Rig& rig, std::string_view name) {
    const auto text = rig.telemetry.metrics.expose();
    const auto at = text.find("\n" + std::string(name) + " ");
    return at == std::string::npos
               ? "absent"
               : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
}

TEST(Deduplicator, an_index_behind_the_log_catches_up) {
    Rig rig;
    rig.open();
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    rig.close();
    const auto behind = rig.directory.path() + "/behind";
    std::filesystem::copy(rig.options.index_directory, behind,
                          std::filesystem::copy_options::recursive);
    rig.open();
    for (int i = 50; i < 100; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    rig.close();
    std::filesystem::remove_all(rig.options.index_directory);
    std::filesystem::rename(behind, rig.options.index_directory);
    rig.open();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 200) << i;
    }
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "0");
    EXPECT_EQ(rig.events().size(), 100u);
}

/// As kill -9 leaves the index: what is in its memory is gone.
TEST(Deduplicator, a_start_after_a_kill_reads_what_came_since_the_index_was_last_written_out) {
    Rig rig;
    rig.options.index_flush_interval = std::chrono::seconds(30);
    rig.open();
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    const auto at_open = rig.gateway->indexed_durably();
    pause_for(std::stop_token(), std::chrono::milliseconds(100));
    EXPECT_EQ(rig.gateway->indexed_durably(), at_open) << "it is not time yet";
    const auto ends = *rig.log->ends_of(at_open);
    while (std::ranges::any_of(rig.gateway->indexed_durably(), [&](const auto& durable) {
        return durable.second < ends.at(durable.first);
    })) {
        rig.clock.advance(std::chrono::seconds(30));
        pause_for(std::stop_token(), std::chrono::milliseconds(5));
    }
    const auto killed = rig.directory.path() + "/killed";
    std::filesystem::copy(rig.options.index_directory, killed,
                          std::filesystem::copy_options::recursive);
    const auto durable = rig.gateway->indexed_durably();
    for (int i = 50; i < 60; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    rig.close();
    std::filesystem::remove_all(rig.options.index_directory);
    std::filesystem::rename(killed, rig.options.index_directory);
    {
        const auto index = DedupIndex::open(rig.options);
        ASSERT_TRUE(index) << index.error().message();
        EXPECT_EQ((*index)->position_at_open(), durable);
    }
    rig.open();
    for (int i = 0; i < 60; ++i) {
        EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 200) << i;
    }
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "0");
}

TEST(Deduplicator, an_index_ahead_of_the_log_is_rebuilt) {
    Rig rig;
    rig.open();
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(rig.ingest(order("old-" + std::to_string(i))).status, 202);
    }
    rig.close();
    rig.log_options.directory = "another";  // a log that is shorter: an older backup, say
    rig.open();
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "1");
    EXPECT_EQ(rig.ingest(order("old-1")).status, 202) << "this log does not have it";
    EXPECT_EQ(rig.ingest(order("old-1")).status, 200);
}

TEST(Deduplicator, an_index_of_another_log_is_rebuilt) {
    Rig rig;
    rig.open();
    ASSERT_EQ(rig.ingest(order("old")).status, 202);
    rig.close();
    const auto foreign = rig.directory.path() + "/foreign";
    std::filesystem::rename(rig.options.index_directory, foreign);
    rig.log_options.directory = "another";  // longer than what the index has seen, but other events
    rig.open();
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(rig.ingest(order("new-" + std::to_string(i))).status, 202);
    }
    rig.close();
    std::filesystem::remove_all(rig.options.index_directory);
    std::filesystem::rename(foreign, rig.options.index_directory);
    rig.open();
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "1");
    EXPECT_EQ(rig.ingest(order("old")).status, 202);
    EXPECT_EQ(rig.ingest(order("new-7")).status, 200);
}

TEST(Deduplicator, a_damaged_index_is_rebuilt) {
    Rig rig;
    rig.open();
    ASSERT_EQ(rig.ingest(order("e-1")).status, 202);
    rig.close();
    for (const auto& entry : std::filesystem::directory_iterator(rig.options.index_directory)) {
        if (entry.path().filename().string().starts_with("MANIFEST")) {
            std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << "not a manifest";
        }
    }
    rig.open();
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "1");
    EXPECT_EQ(rig.ingest(order("e-1")).status, 200);
}

/// As a patient sender: an index that is being rebuilt is told by 503.
int status_in_the_end(Rig& rig, const std::string& body) {
    while (true) {
        const int status = rig.ingest(body).status;
        if (status != 503) {
            return status;
        }
        std::this_thread::yield();
    }
}

TEST(Deduplicator, no_flipped_bit_of_the_index_takes_an_event_in_twice) {
    Rig rig;
    rig.open();
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    rig.close();
    const std::string good = rig.directory.path() + "/good";
    namespace fs = std::filesystem;
    fs::rename(rig.options.index_directory, good);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(good)) {
        const auto name = entry.path().filename().string();
        if (name == "CURRENT" || name.starts_with("MANIFEST") || name.ends_with(".sst")) {
            files.push_back(entry.path());
        }
    }
    ASSERT_EQ(files.size(), 4u) << "tables of the position and of one generation";
    int flips = 0;
    for (const auto& file : files) {
        const auto size = fs::file_size(file);
        for (std::uintmax_t at = 0; at < size; at += size / 16 + 1, ++flips) {
            fs::remove_all(rig.options.index_directory);
            fs::copy(good, rig.options.index_directory);
            const auto path = fs::path(rig.options.index_directory) / file.filename();
            std::fstream spoiled(path, std::ios::in | std::ios::out | std::ios::binary);
            spoiled.seekg(static_cast<std::streamoff>(at));
            const char byte = static_cast<char>(spoiled.get());
            spoiled.seekp(static_cast<std::streamoff>(at));
            spoiled.put(static_cast<char>(byte ^ (1 << at % 8)));
            spoiled.close();
            rig.open();
            static_cast<void>(rig.gateway->check_files());  // reads the tables through
            for (int i = 0; i < 5; ++i) {
                EXPECT_EQ(status_in_the_end(rig, order("e-" + std::to_string(i))), 200)
                    << path << " byte " << at;
            }
            rig.close();
            EXPECT_EQ(std::stoi(metric(rig, "helios_gateway_index_rebuilds_total")), flips + 1)
                << path << " byte " << at;
        }
    }
    EXPECT_THAT(rig.lines,
                ::testing::Contains(::testing::HasSubstr("the deduplication index is damaged")));
}

TEST(Deduplicator, takes_nothing_in_while_the_index_is_gone) {
    Rig rig;
    rig.open();
    ASSERT_EQ(rig.ingest(order("e-1")).status, 202);
    ASSERT_TRUE(rig.gateway->check_files());
    std::filesystem::rename(rig.options.index_directory, rig.directory.path() + "/elsewhere");
    EXPECT_FALSE(rig.gateway->check_files());
    EXPECT_FALSE(rig.gateway->ready());
    EXPECT_EQ(rig.ingest(order("e-2")).status, 503);
    std::filesystem::create_directory(rig.options.index_directory);
    EXPECT_FALSE(rig.gateway->check_files()) << "another folder of that name";
    std::filesystem::remove(rig.options.index_directory);
    std::filesystem::rename(rig.directory.path() + "/elsewhere", rig.options.index_directory);
    EXPECT_TRUE(rig.gateway->check_files());
    EXPECT_EQ(rig.ingest(order("e-2")).status, 202);
}

TEST(Deduplicator, without_a_folder_the_index_is_in_memory) {
    Rig rig;
    rig.options.index_directory.clear();
    rig.open();
    ASSERT_EQ(rig.ingest(order("e-1")).status, 202);
    rig.reopen();
    EXPECT_EQ(rig.ingest(order("e-1")).status, 200) << "read again from the log";
}

TEST(Deduplicator, memory_forgets_what_the_index_knows) {
    Rig rig;
    rig.options.recent_ids_max = 0;
    rig.open();
    for (int i = 0; i < 500; ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 500; ++i) {
            EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 200);
            EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i), "ORD-1", "99")).status, 409);
        }
    }
    // Each shard lets go of what is indexed when something new becomes durable in it.
    for (int i = 500; i < 20'000 && std::stod(metric(rig, "helios_gateway_dedup_memory_ids")) > 400;
         ++i) {
        ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    }
    EXPECT_LE(std::stod(metric(rig, "helios_gateway_dedup_memory_ids")), 400);
}

TEST(Deduplicator, too_many_unindexed_ids_are_refused_retryably) {
    Rig rig;
    rig.options.recent_ids_max = 0;
    rig.options.unindexed_ids_max = 1'000;
    rig.open();
    rig.syncs.shut(true);
    std::vector<std::future<http::Response>> answers;
    for (int i = 0; i < 3'000; ++i) {
        answers.push_back(
            rig.post(Endpoint::ingest, Rig::request(order("e-" + std::to_string(i)))));
    }
    rig.syncs.shut(false);
    std::map<int, int> statuses;
    for (auto& answer : answers) {
        ++statuses[answer.get().status];
    }
    EXPECT_GT(statuses[429], 0);
    EXPECT_GT(statuses[202], 900);
    EXPECT_EQ(statuses[429] + statuses[202], 3'000);
}

/// Many senders, few ids, a disk that fails and loses power: an id is on the log at most once, and
/// never missing once acknowledged.
TEST(Deduplicator, at_most_once_whatever_the_disk_does) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Rig rig;
        rig.options.recent_ids_max = seed % 2 == 0 ? 200'000 : 0;
        std::mt19937_64 random(seed);
        std::set<std::string> acknowledged;
        Mutex mutex;
        for (int life = 0; life < 4; ++life) {
            rig.open();
            if (life < 3) {
                rig.disk.fail_sync_after(5 + random() % 40);
            }
            std::vector<std::jthread> threads;
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back([&, engine = std::mt19937_64(random())]() mutable {
                    for (int i = 0; i < 60; ++i) {
                        const auto id = "e-" + std::to_string(engine() % 40);
                        const auto response = rig.ingest(order(id));
                        if (response.status == 202 || response.status == 200) {
                            const MutexLock lock(mutex);
                            acknowledged.insert(id);
                        } else {
                            EXPECT_EQ(response.status, 503) << response.body;
                        }
                    }
                });
            }
            threads.clear();
            rig.gateway.reset();
            rig.log.reset();
            rig.disk.power_cycle();
        }
        rig.open();
        std::map<std::string, int> found;
        for (const auto& record : rig.events()) {
            ++found[record.event().id];
        }
        for (const auto& [id, n] : found) {
            EXPECT_EQ(n, 1) << id;
        }
        for (const auto& id : acknowledged) {
            EXPECT_TRUE(found.contains(id)) << id;
        }
        EXPECT_FALSE(acknowledged.empty());
    }
}

/// The same log, but the first readings fail.
class FailingReader final : public log::Reader {
public:
    FailingReader(std::unique_ptr<log::Reader> reader, int failures)
        : reader_(std::move(reader)), failures_(failures) {}
    Result<log::Batch> poll(std::size_t records, std::size_t bytes, Duration wait) override {
        if (failures_-- > 0) {
            return fail(ErrorKind::unavailable, "too many open files");
        }
        return reader_->poll(records, bytes, wait);
    }
    const log::Offsets& position() const override { return reader_->position(); }
    void wake() override { reader_->wake(); }

private:
    std::unique_ptr<log::Reader> reader_;
    int failures_;
};

class LogWithFailingReaders final : public log::Log {
public:
    LogWithFailingReaders(log::Log& log, int failures) : log_(log), failures_(failures) {}
    log::LogId id() const override { return log_.id(); }
    void append(std::vector<log::Record> records, log::AppendDone done) override {
        log_.append(std::move(records), std::move(done));
    }
    void transact(std::vector<log::Record> outputs, log::GroupOffsets offsets,
                  log::TransactDone done) override {
        log_.transact(std::move(outputs), std::move(offsets), std::move(done));
    }
    Result<std::unique_ptr<log::Reader>> read(log::Offsets from) override {
        auto reader = log_.read(std::move(from));
        if (!reader) {
            return reader;
        }
        return std::make_unique<FailingReader>(*std::move(reader), failures_);
    }
    Result<log::Batch> read_at(const Position& at) override { return log_.read_at(at); }
    Result<log::Offsets> offsets_at(const std::vector<Partition>& ids, Instant t) override {
        return log_.offsets_at(ids, t);
    }
    Result<log::Offsets> committed(std::string_view group) override {
        return log_.committed(group);
    }
    Result<log::Parts> partly(std::string_view group) override { return log_.partly(group); }
    Instant low_watermark() override { return log_.low_watermark(); }
    Instant now() override { return log_.now(); }
    void show_life(const log::SignOfLife& sign) override { log_.show_life(sign); }
    log::SignOfLife last_sign_of_life() override { return log_.last_sign_of_life(); }
    Instant last_log_time() override { return log_.last_log_time(); }
    std::string_view name_of(TopicId topic) const override { return log_.name_of(topic); }
    std::vector<Partition> partitions_of(TopicId topic) const override {
        return log_.partitions_of(topic);
    }
    std::uint32_t partition_count(TopicId topic) const override {
        return log_.partition_count(topic);
    }
    Result<std::vector<log::PartitionInfo>> describe() override { return log_.describe(); }
    Result<log::Offsets> ends_of(const log::Offsets& of) override { return log_.ends_of(of); }
    std::vector<log::Damage> damage() override { return log_.damage(); }
    Status health() override { return log_.health(); }
    void close() override { log_.close(); }

private:
    log::Log& log_;
    const int failures_;
};

TEST(Deduplicator, a_log_that_cannot_be_read_for_a_while_is_read_later) {
    Rig rig;
    rig.open();
    ASSERT_EQ(rig.ingest(order("e-1")).status, 202);
    rig.gateway.reset();
    LogWithFailingReaders log(*rig.log, 2);
    const auto opened = Deduplicator::open(rig.options, log, rig.telemetry, rig.clock);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_TRUE((*opened)->wait_caught_up(std::chrono::seconds(10)));
    (*opened)->close();
}

}  // namespace
}  // namespace helios::gateway
