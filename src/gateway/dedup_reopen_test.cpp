/// The index after its disk has failed: it is opened again, and no id is lost or made up.

#include <algorithm>
#include <array>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <random>
#include <set>
#include <stop_token>

#include "base/pause.h"
#include "gateway/dedup_index.h"
#include "gateway/deduplicator.h"
#include "gateway/test_kit.h"
#include "log/sim_files.h"
#include "log/sim_test_kit.h"
#include "log/synchronous.h"

namespace helios::gateway {
namespace {

using ::testing::HasSubstr;

constexpr Duration flush_interval = std::chrono::seconds(1);

bool is_merging_thread() {
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    return std::string_view(name.data()).starts_with("rocksdb:low");
}

void pause(Duration d) {
    pause_for(std::stop_token(), d);
}

enum class Outcome { fresh, copy, refused };

/// A deduplicator whose index stands on a disk of its own, and a sender who knows what he sent.
class IndexOnDisk {
public:
    explicit IndexOnDisk(std::uint64_t seed = 1)
        : disk(seed, log::SimDisk::Durability::tracked), env_(log::files_over(disk)) {
        disk.on_sync([this] {
            if (merges_fail && is_merging_thread()) {
                disk.fail_sync_after(1);
                ++merges_failed;
            }
        });
        rig.options.index_directory = "sim/dedup";
        rig.options.index_write_buffer_bytes = 64u << 10;
        rig.options.index_flush_interval = flush_interval;
        rig.options.recent_ids_max = 0;  // ids leave memory as soon as the index has them
        rig.open_log();
        open();
    }
    ~IndexOnDisk() { close(); }

    void open() {
        auto opened = Deduplicator::open(rig.options, IndexFiles{&disk, env_.get()}, *rig.log,
                                         rig.telemetry, rig.clock);
        ASSERT_TRUE(opened) << opened.error().message();
        deduplicator = *std::move(opened);
        ASSERT_TRUE(deduplicator->wait_caught_up(std::chrono::seconds(20)));
    }
    void close() { deduplicator.reset(); }

    Outcome bring(std::uint64_t n) {
        model::Event event(default_tenant());
        event.source = "aws";
        event.type = "OrderPlaced";
        event.id = "e-" + std::to_string(n);
        event.payload = R"({"orderId":")" + std::to_string(n) + "\"}";
        const auto identity = model::identity_of(event);
        const auto claim =
            deduplicator->claim(identity, Content{model::content_of(event), event.source});
        if (!claim) {
            EXPECT_EQ(claim.error().kind, ErrorKind::unavailable) << claim.error().message();
            return Outcome::refused;
        }
        if (const auto* taken = std::get_if<Taken>(&*claim)) {
            EXPECT_TRUE(taken->same) << n;
            return Outcome::copy;
        }
        EXPECT_TRUE(std::holds_alternative<Fresh>(*claim));
        log::Record record;
        record.topic = model::topic::orders;
        record.type = static_cast<std::uint16_t>(model::RecordType::event);
        record.version = model::event_version;
        record.key = event.id;
        record.value = model::encode(event);
        deduplicator->settle(identity, log::append_now(*rig.log, {record})[0]);
        return Outcome::fresh;
    }
    Outcome bring_patiently(std::uint64_t n) {
        auto outcome = bring(n);
        for (; outcome == Outcome::refused; ++refused, outcome = bring(n)) {
            pause(std::chrono::milliseconds(1));
        }
        return outcome;
    }
    /// So many new ones.
    void bring_new(int n) {
        for (; n > 0; --n) {
            ASSERT_EQ(bring_patiently(sent++), Outcome::fresh);
        }
    }
    void expect_all_known() {
        for (std::uint64_t n = 0; n < sent; ++n) {
            ASSERT_EQ(bring_patiently(n), Outcome::copy) << n;
        }
    }

    template <class Condition>
    static void wait_for(Condition condition) {
        for (int i = 0; i < 12'000 && !condition(); ++i) {
            pause(std::chrono::milliseconds(5));
        }
        ASSERT_TRUE(condition()) << "waited in vain";
    }
    /// New ones, until the index takes no more in.
    void bring_until_it_fails() {
        for (int i = 0; i < 4'000 && deduplicator->index_health(); ++i) {
            bring_new(5);
            rig.clock.advance(flush_interval / 100);
            pause(std::chrono::milliseconds(1));
        }
        ASSERT_FALSE(deduplicator->index_health());
    }
    bool is_on_disk(const log::Offsets& position) const {
        const auto durable = deduplicator->indexed_durably();
        return std::ranges::all_of(
            position, [&](const auto& at) { return durable.at(at.first) >= at.second; });
    }
    log::Offsets ends() const { return *rig.log->ends_of(deduplicator->indexed_durably()); }
    void flush() {
        const auto to = ends();
        wait_for([&] {
            rig.clock.advance(flush_interval);
            return is_on_disk(to);
        });
    }
    int reopenings() {
        const auto text = rig.telemetry.metrics.expose();
        const std::string name = "\nhelios_gateway_index_reopenings_total ";
        return std::stoi(text.substr(text.find(name) + name.size()));
    }
    auto count_lines(std::string_view with) const {
        return std::ranges::count_if(
            rig.lines, [&](const std::string& line) { return line.find(with) != line.npos; });
    }

    Rig rig;
    log::SimDisk disk;
    std::atomic<bool> merges_fail{false};
    std::atomic<int> merges_failed{0};
    std::uint64_t sent = 0;
    int refused = 0;
    std::unique_ptr<Deduplicator> deduplicator;

private:
    const std::shared_ptr<rocksdb::Env> env_;
};

void expect_recovery(IndexOnDisk& index) {
    IndexOnDisk::wait_for([&] { return index.deduplicator->index_health().has_value(); });
    index.flush();
    EXPECT_GE(index.reopenings(), 1);
    index.expect_all_known();
    index.bring_new(500);
    index.expect_all_known();
    index.close();
    EXPECT_THAT(index.rig.lines,
                ::testing::Not(::testing::Contains(HasSubstr("rebuilt from the log"))));
    index.open();
    index.expect_all_known();
    index.close();
}

TEST(DedupReopen, after_a_flush_that_failed) {
    IndexOnDisk index;
    index.bring_new(100);
    index.flush();
    index.bring_new(100);
    index.disk.fail_steps(true);
    index.bring_until_it_fails();
    index.bring_new(500);
    index.expect_all_known();
    pause(std::chrono::seconds(1));
    index.expect_all_known();
    EXPECT_FALSE(index.deduplicator->index_health());
    EXPECT_TRUE(index.deduplicator->health());
    EXPECT_EQ(index.refused, 0);
    EXPECT_EQ(index.reopenings(), 0);
    index.disk.fail_steps(false);
    expect_recovery(index);
    EXPECT_EQ(index.count_lines("can't follow the log"), 1);
    EXPECT_EQ(index.count_lines("took no writes any more"), 1);
}

TEST(DedupReopen, after_its_memory_was_full) {
    IndexOnDisk index;
    index.rig.options.index_flush_interval = std::chrono::hours(1);
    index.close();
    index.open();
    index.bring_new(100);
    index.disk.fail_steps(true);
    index.bring_until_it_fails();
    index.expect_all_known();
    index.disk.fail_steps(false);
    expect_recovery(index);
}

TEST(DedupReopen, after_a_merge_that_failed) {
    IndexOnDisk index;
    index.merges_fail = true;
    for (int i = 0; i < 100 && index.merges_failed == 0; ++i) {
        index.bring_new(20);
        index.rig.clock.advance(flush_interval);
        pause(std::chrono::milliseconds(50));
    }
    ASSERT_GT(index.merges_failed, 0);
    index.bring_until_it_fails();
    index.expect_all_known();
    index.merges_fail = false;
    expect_recovery(index);
}

/// Not into another's folder, and not into none.
TEST(DedupReopen, not_while_its_folder_is_gone) {
    IndexOnDisk index;
    index.bring_new(100);
    index.flush();
    ASSERT_TRUE(index.disk.rename("sim/dedup", "sim/elsewhere"));
    index.bring_until_it_fails();
    pause(std::chrono::milliseconds(500));
    EXPECT_FALSE(index.disk.exists("sim/dedup").value());
    ASSERT_TRUE(index.disk.make_directory("sim/dedup"));
    pause(std::chrono::milliseconds(500));
    EXPECT_TRUE(index.disk.list("sim/dedup")->empty());
    EXPECT_EQ(index.reopenings(), 0);
    ASSERT_TRUE(index.disk.remove_all("sim/dedup"));
    ASSERT_TRUE(index.disk.rename("sim/elsewhere", "sim/dedup"));
    expect_recovery(index);
}

TEST(DedupReopen, whatever_step_fails_no_id_is_lost_or_made_up) {
    int reopenings = 0;
    log::run_seeds(6, [&](std::uint64_t seed) {
        std::mt19937_64 random(seed);
        IndexOnDisk index(seed);
        std::set<std::uint64_t> taken;
        for (int i = 0; i < 1'500 && !::testing::Test::HasFailure(); ++i) {
            const std::uint64_t n = random() % 2'000;
            const auto outcome = index.bring(n);
            if (outcome != Outcome::refused) {
                ASSERT_EQ(outcome, taken.contains(n) ? Outcome::copy : Outcome::fresh) << n;
                taken.insert(n);
            }
            if (random() % 20 == 0) {
                index.rig.clock.advance(flush_interval / 2);
                pause(std::chrono::milliseconds(random() % 20));
            }
            if (random() % 150 == 0) {
                index.disk.fail_step_after(1 + random() % 40);
            }
            if (random() % 300 == 0) {
                index.disk.fail_steps(true);
                index.rig.clock.advance(flush_interval);
                pause(std::chrono::milliseconds(random() % 300));
                index.disk.fail_steps(false);
            }
        }
        index.disk.fail_step_after(0);
        IndexOnDisk::wait_for([&] { return index.deduplicator->index_health().has_value(); });
        for (std::uint64_t n = 0; n < 2'000; ++n) {
            ASSERT_EQ(index.bring(n), taken.contains(n) ? Outcome::copy : Outcome::fresh) << n;
        }
        reopenings += index.reopenings();
    });
    EXPECT_GT(reopenings, 0);
}

}  // namespace
}  // namespace helios::gateway
