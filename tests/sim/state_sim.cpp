/// A stage's State on a disk that loses power, fills up and fails, against a model of what was
/// frozen.
///
/// One seed is one history of several lives of one partition. In each life entries change, are
/// frozen and written, and at a step drawn from the seed the power fails or the process dies. After
/// every restart:
///  - it begins from the newest checkpoint that was reported as made, or from a later one
///  - whatever it begins from is whole: entries and digest are those that were frozen there
///  - no checkpoint is passed over: one that has its name is good
/// A disk that is full or fails is reported, changes nothing that is read, and the next write on a
/// disk that works succeeds, at the latest the one after it; then two checkpoints stand there, and
/// nothing half-made. A failing seed is printed with the command that repeats it, as far as
/// RocksDB's threads let it.

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "log/sim_disk.h"
#include "log/sim_files.h"
#include "log/sim_test_kit.h"
#include "log/state.h"

namespace helios::log {
namespace {

using Map = std::map<std::string, std::string>;

const LogId this_log{{1, 2, 3}};
constexpr std::uint32_t partition = 3;
constexpr const char* folder = "sim/engine/3";

class History {
public:
    explicit History(std::uint64_t seed)
        : seed_(seed),
          random_(seed),
          disk_(seed, SimDisk::Durability::tracked),
          env_(files_over(disk_)) {
        options_.directory = "sim/engine";
        options_.topic = "helios.cases";
        options_.cache_bytes = 256u << 10;
        options_.disk = &disk_;
        options_.env = env_.get();
    }

    void run() {
        const std::uint64_t lives = 2 + below(5);
        for (std::uint64_t life = 0; life < lives && !::testing::Test::HasFailure(); ++life) {
            SCOPED_TRACE(fmt::format("HELIOS_SIM_SEED={} state_sim, life {}", seed_, life));
            live();
        }
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    void live() {
        disk_.short_reads(below(2) == 0);
        if (below(4) != 0) {
            disk_.crash_after(1 + below(below(3) == 0 ? 40 : 500));
        }
        for (std::uint64_t openings = 1 + below(2); openings > 0 && !over(); --openings) {
            if (!open()) {
                break;
            }
            for (std::uint64_t acts = 20 + below(150); acts > 0 && !over(); --acts) {
                act();
            }
        }
        if (below(2) == 0) {
            disk_.cut_power();  // else an orderly end, if the power lasts
        }
        close();
        if (below(3) == 0) {
            disk_.restart_process();
        } else {
            disk_.power_cycle();
        }
    }
    bool over() const { return disk_.crashed() || ::testing::Test::HasFailure(); }

    void close() {
        state_.reset();
        states_.reset();
    }

    bool open() {
        close();
        was_bad_ = false;
        states_ = *StateDirectory::open(options_, this_log);
        std::vector<StateDirectory::PassedOver> passed_over;
        auto opened = states_->open(partition, nullptr, passed_over);
        if (!opened || disk_.crashed()) {
            EXPECT_TRUE(disk_.crashed()) << "cannot open: " << opened.error().message();
            return false;
        }
        state_ = *std::move(opened);
        EXPECT_TRUE(passed_over.empty())
            << passed_over[0].path << ": " << passed_over[0].why.message();
        inspect();
        return !over();
    }

    void inspect() {
        const auto& header = state_->began_from();
        next_ = header ? header->next.value : 0;
        ASSERT_GE(next_, done_) << "what was reported as made is gone";
        ASSERT_TRUE(frozen_there_.contains(next_)) << next_;
        Map found;
        const auto scanned = state_->scan("", [&](std::string_view key, std::string_view value) {
            found.emplace(key, value);
            return Status{};
        });
        if (!scanned) {
            ASSERT_TRUE(disk_.crashed()) << scanned.error().message();
            return;
        }
        ASSERT_EQ(found, frozen_there_[next_]) << "not what was frozen at " << next_;
        now_ = found;
        frozen_at_.reset();
        // It may have its name in memory alone: the power can still take it, down to what was done.
        std::erase_if(frozen_there_, [&](const auto& it) { return it.first > next_; });
        look();
    }

    void act() {
        switch (below(16)) {
            case 0:
            case 1:
                return look();
            case 2:
                return freeze();
            case 3:
                freeze();
                return write();
            case 4:
                return write_on_a_bad_disk();
            default:
                return change();
        }
    }

    void change() {
        const std::string key = "k" + std::to_string(below(60));
        if (below(3) == 0) {
            state_->erase(key);
            now_.erase(key);
        } else {
            const std::uint64_t bytes = below(20) == 0 ? below(40'000) : below(50);
            const std::string value(bytes, static_cast<char>('a' + below(26)));
            state_->put(key, value);
            now_[key] = value;
        }
    }

    void look() {
        const std::string key = "k" + std::to_string(below(60));
        const auto got = state_->get(key);
        if (!got) {
            ASSERT_TRUE(disk_.crashed()) << got.error().message();
            return;
        }
        const auto found = now_.find(key);
        ASSERT_EQ(*got, found == now_.end() ? std::nullopt : std::optional(found->second));
    }

    void freeze() {
        CheckpointHeader header;
        header.log = this_log;
        header.topic = options_.topic;
        header.partition = partition;
        header.next = Offset{next_ += 1 + below(3)};
        state_->freeze(header);
        frozen_at_ = next_;
        frozen_there_[next_] = now_;
    }

    void write() {
        auto written = state_->write();
        if (!written && std::exchange(was_bad_, false)) {
            written = state_->write();  // what was merged in the background is heard of only now
        }
        if (!written) {
            ASSERT_TRUE(disk_.crashed()) << written.error().message();
            return;
        }
        if (frozen_at_ && !disk_.crashed()) {
            expect_nothing_else();
        }
        note_written();
    }
    void note_written() {
        done_ = frozen_at_.value_or(done_);
        frozen_at_.reset();
    }

    /// The two newest at most, what the State works on, and nothing half-made.
    void expect_nothing_else() {
        const auto names = disk_.list(folder);
        if (!names) {
            return;  // no power
        }
        std::uint64_t checkpoints = 0;
        for (const std::string& name : *names) {
            const bool number =
                std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
            checkpoints += number ? 1 : 0;
            EXPECT_TRUE(number || name.starts_with("live") || name.ends_with(".bad")) << name;
        }
        EXPECT_LE(checkpoints, 2u) << fmt::format("{}", fmt::join(*names, " "));
    }

    void write_on_a_bad_disk() {
        freeze();
        was_bad_ = true;
        switch (below(4)) {
            case 0:
                disk_.set_capacity(disk_.bytes_used() + below(below(2) == 0 ? 2'000 : 60'000));
                break;
            case 1:
                disk_.fail_step_after(1 + below(60));
                break;
            case 2:
                disk_.fail_sync_after(1 + below(8));
                break;
            default:
                disk_.fail_steps(true);
        }
        const auto written = state_->write();
        if (written) {
            note_written();
        } else if (!disk_.crashed()) {
            EXPECT_EQ(written.error().kind, ErrorKind::unavailable) << written.error().message();
        }
        disk_.set_capacity(0);
        disk_.fail_step_after(0);
        disk_.fail_sync_after(0);
        disk_.fail_steps(false);
        look();
        if (!over() && below(2) == 0) {
            if (below(2) == 0) {
                freeze();
            }
            write();
        }
    }

    const std::uint64_t seed_;
    std::mt19937_64 random_;
    SimDisk disk_;
    const std::shared_ptr<rocksdb::Env> env_;
    StateOptions options_;
    std::unique_ptr<StateDirectory> states_;
    std::unique_ptr<State> state_;

    Map now_;
    std::uint64_t next_ = 0;
    std::optional<std::uint64_t> frozen_at_;  ///< not yet written
    std::map<std::uint64_t, Map> frozen_there_{{0, {}}};
    bool was_bad_ = false;    ///< the disk, in this life
    std::uint64_t done_ = 0;  ///< the highest that was reported as made
};

TEST(StateSim, every_life_begins_from_a_whole_checkpoint) {
    run_seeds(60, [](std::uint64_t seed) { History(seed).run(); });
}

}  // namespace
}  // namespace helios::log
