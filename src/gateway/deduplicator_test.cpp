#include "gateway/deduplicator.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

std::string metric(Rig& rig, std::string_view name) {
    const auto text = rig.telemetry.metrics.expose();
    const auto at = text.find("\n" + std::string(name) + " ");
    return at == std::string::npos ? "absent" : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
}

TEST(Deduplicator, an_index_behind_the_log_catches_up) {
    Rig rig;
    rig.open();
    for (int i = 0; i < 50; ++i) ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    rig.close();
    const auto behind = rig.directory.path() + "/behind";
    std::filesystem::copy(rig.options.index_directory, behind, std::filesystem::copy_options::recursive);
    rig.open();
    for (int i = 50; i < 100; ++i) ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    rig.close();
    std::filesystem::remove_all(rig.options.index_directory);
    std::filesystem::rename(behind, rig.options.index_directory);
    rig.open();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 200) << i;
    EXPECT_EQ(metric(rig, "helios_gateway_index_rebuilds_total"), "0");
    EXPECT_EQ(rig.events().size(), 100u);
}

TEST(Deduplicator, an_index_ahead_of_the_log_is_rebuilt) {
    Rig rig;
    rig.open();
    for (int i = 0; i < 20; ++i) ASSERT_EQ(rig.ingest(order("old-" + std::to_string(i))).status, 202);
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
    for (int i = 0; i < 100; ++i) ASSERT_EQ(rig.ingest(order("new-" + std::to_string(i))).status, 202);
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
    for (int i = 0; i < 500; ++i) ASSERT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 202);
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 500; ++i) {
            EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i))).status, 200);
            EXPECT_EQ(rig.ingest(order("e-" + std::to_string(i), "ORD-1", "99")).status, 409);
        }
    }
    // Each shard lets go of what is indexed when something new becomes durable in it.
    for (int i = 500; i < 20'000 && std::stod(metric(rig, "helios_gateway_dedup_memory_ids")) > 400; ++i) {
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
    for (int i = 0; i < 3'000; ++i) answers.push_back(rig.post(Endpoint::ingest, Rig::request(order("e-" + std::to_string(i)))));
    rig.syncs.shut(false);
    std::map<int, int> statuses;
    for (auto& answer : answers) ++statuses[answer.get().status];
    EXPECT_GT(statuses[429], 0);
    EXPECT_GT(statuses[202], 900);
    EXPECT_EQ(statuses[429] + statuses[202], 3'000);
}

/// Many senders, few ids, a disk that fails and loses power: an id is on the log at most once, and never missing once acknowledged.
TEST(Deduplicator, at_most_once_whatever_the_disk_does) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Rig rig;
        rig.options.recent_ids_max = seed % 2 == 0 ? 200'000 : 0;
        std::mt19937_64 random(seed);
        std::set<std::string> acknowledged;
        std::mutex mutex;
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
                            const std::lock_guard lock(mutex);
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
        for (const auto& record : rig.events()) ++found[record.event().id];
        for (const auto& [id, n] : found) EXPECT_EQ(n, 1) << id;
        for (const auto& id : acknowledged) EXPECT_TRUE(found.contains(id)) << id;
        EXPECT_FALSE(acknowledged.empty());
    }
}

}  // namespace
}  // namespace helios::gateway
