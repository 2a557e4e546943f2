/// The index on a disk that fails: what a write, a flush and a close make of it.

#include "gateway/dedup_index.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "base/file_limit_test_kit.h"
#include "log/sim_disk.h"
#include "log/sim_files.h"
#include "log/sim_test_kit.h"
#include "model/topics.h"

namespace helios::gateway {
namespace {

namespace fs = std::filesystem;

constexpr Duration hour = std::chrono::hours(1);
constexpr Partition orders{model::topic::orders, 0};

Digest128 id(std::uint64_t n) {
    Digest128 digest{};
    for (std::size_t i = 0; i < 8; ++i) {
        digest[i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return digest;
}

class DedupIndexOnDisk : public ::testing::Test {
public:
    ~DedupIndexOnDisk() override {
        index_.reset();
        fs::remove_all(root_);
    }

protected:
    DedupIndexOnDisk() {
        std::string pattern = (fs::temp_directory_path() / "helios-index-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        options_.index_directory = (root_ / "data" / "dedup").string();
        options_.dedup_horizon = 8 * hour;
    }

    Status open() {
        index_.reset();
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_));
        return {};
    }
    /// One id, `after` the first one's time.
    Status write(std::uint64_t n, Duration after) {
        const Instant start = from_nanos(1'700'000'000'000'000'000);
        return index_->write({{id(n), {orders, Offset{n}}, start + after}},
                             {{orders, Offset{n + 1}}});
    }
    bool has(std::uint64_t n) {
        const auto found = index_->find(id(n));
        return found && found->has_value() && (*found)->offset.value == n;
    }

    fs::path root_;
    Options options_;
    std::unique_ptr<DedupIndex> index_;
};

/// Bytes that this process has asked its files for.
std::uint64_t bytes_read() {
    std::ifstream file("/proc/self/io");
    std::string name;
    std::uint64_t bytes = 0;
    file >> name >> bytes;
    EXPECT_EQ(name, "rchar:");
    return bytes;
}

TEST_F(DedupIndexOnDisk, a_question_in_vain_reads_little_however_many_ids_there_are) {
    constexpr std::uint64_t ids = 600'000;
    constexpr std::uint64_t questions = 2'000;
    options_.index_cache_bytes = 2u << 20;
    ASSERT_TRUE(open());
    std::mt19937_64 random(7);
    for (std::uint64_t written = 0; written < ids; written += 50'000) {
        std::vector<IndexEntry> entries;
        for (std::uint64_t n = 0; n < 50'000; ++n) {
            entries.push_back({id(random()), {orders, Offset{written + n}}, from_nanos(1)});
        }
        ASSERT_TRUE(index_->write(entries, {{orders, Offset{written + 50'000}}}));
    }
    ASSERT_TRUE(index_->flush());
    const auto before = bytes_read();
    for (std::uint64_t n = 0; n < questions; ++n) {
        const auto found = index_->find(id(random()));
        ASSERT_TRUE(found);
        EXPECT_FALSE(*found);
    }
    EXPECT_LT((bytes_read() - before) / questions, 16u << 10)
        << "a piece of a filter, seldom a block; not the whole filter each time";
}

/// With the RocksDB of Debian 13 this was the end of the process, at the close.
TEST_F(DedupIndexOnDisk, a_generation_begins_whatever_can_be_written_of_its_options) {
    ASSERT_TRUE(open());
    {
        const FileLimit no_options(3'000);  // enough for the MANIFEST
        const auto written = write(1, {});
        ASSERT_TRUE(written) << written.error().message();
    }
    EXPECT_TRUE(has(1));
    ASSERT_TRUE(write(2, hour / 2));
    ASSERT_TRUE(index_->close());
    ASSERT_TRUE(open());
    EXPECT_TRUE(has(1));
    EXPECT_TRUE(has(2));
    EXPECT_EQ(index_->position_at_open(), (log::Offsets{{orders, Offset{3}}}));
}

/// With the RocksDB of Debian 13 the last write of one in ten was gone.
TEST_F(DedupIndexOnDisk, what_is_closed_is_there_though_a_flush_was_under_way) {
    options_.index_write_buffer_bytes = 64u << 10;
    const Instant start = from_nanos(1'700'000'000'000'000'000);
    std::uint64_t next = 0;
    for (std::uint64_t life = 0; life < 50; ++life) {
        ASSERT_TRUE(open());
        ASSERT_EQ(
            index_->position_at_open().empty() ? 0 : index_->position_at_open().at(orders).value,
            next);
        for (std::uint64_t write = 0; write < 10 + life % 7; ++write) {
            std::vector<IndexEntry> entries;
            for (std::uint64_t n = 0; n < 200; ++n, ++next) {
                entries.push_back(
                    {id(next),
                     {orders, Offset{next}},
                     start + static_cast<std::int64_t>(next) * std::chrono::seconds(3)});
            }
            ASSERT_TRUE(index_->write(entries, {{orders, Offset{next}}}));
        }
        ASSERT_TRUE(index_->close());
        index_.reset();
    }
}

TEST_F(DedupIndexOnDisk, what_fails_on_a_full_disk_is_told_and_leaves_what_stood_there) {
    for (const rlim_t limit : {0u, 100u, 3'000u, 20'000u}) {
        fs::remove_all(options_.index_directory);
        ASSERT_TRUE(open());
        ASSERT_TRUE(write(1, {}));
        ASSERT_TRUE(index_->close());
        ASSERT_TRUE(open());
        {
            const FileLimit full(limit);
            for (std::uint64_t n = 2; n < 2'000; ++n) {
                if (!write(n, static_cast<std::int64_t>(n) * hour / 1'000)) {
                    break;  // told; a later one may do
                }
            }
            EXPECT_TRUE(has(1)) << limit;
            EXPECT_EQ(index_->close().has_value(), false) << limit;
            index_.reset();
        }
        ASSERT_TRUE(open()) << limit;
        EXPECT_TRUE(has(1)) << limit;
        EXPECT_EQ(index_->position_at_open(), (log::Offsets{{orders, Offset{2}}})) << limit;
        ASSERT_TRUE(write(5'000, hour));
        ASSERT_TRUE(index_->close());
    }
}

TEST_F(DedupIndexOnDisk, a_folder_that_goes_at_any_moment_ends_nothing) {
    const fs::path data = fs::path(options_.index_directory).parent_path();
    for (std::uint64_t writes_before : {0u, 1u, 3u}) {
        for (const bool replaced : {false, true}) {
            fs::remove_all(data);
            ASSERT_TRUE(open());
            std::uint64_t n = 1;
            for (; n <= writes_before; ++n) {
                ASSERT_TRUE(write(n, {}));
            }
            ASSERT_TRUE(index_->check_files());
            fs::remove_all(root_ / "moved");
            fs::rename(data, root_ / "moved");
            if (replaced) {
                fs::copy(root_ / "moved", data, fs::copy_options::recursive);
            }
            for (int i = 0; i < 3; ++i, ++n) {
                static_cast<void>(write(n, static_cast<std::int64_t>(i) * hour));
                EXPECT_FALSE(index_->check_files());
            }
            static_cast<void>(index_->close());
            index_.reset();
        }
    }
}

/// The index over a disk that loses power, fills up and fails. Record n of the log always brings
/// the same id; so after any crash the index must hold what the first `position` of them bring,
/// and whoever follows the log goes on from there. Or it says that it is damaged, and is made anew;
/// never after a life that ended in good order.
class IndexHistory {
public:
    explicit IndexHistory(std::uint64_t seed)
        : random_(seed),
          disk_(seed, log::SimDisk::Durability::tracked),
          env_(log::files_over(disk_)) {
        options_.index_directory = "sim/dedup";
        options_.dedup_horizon = 8 * hour;
        options_.index_write_buffer_bytes = 64u << 10;
        options_.index_cache_bytes = 64u << 10;
    }

    void run() {
        for (std::uint64_t lives = 3 + below(4); lives > 0 && !::testing::Test::HasFailure();
             --lives) {
            was_bad_ = closed_ = false;
            live();
            torn_ = torn_ || was_bad_ || !closed_ || disk_.crashed();
            index_.reset();
            if (below(3) == 0) {
                disk_.restart_process();
            } else {
                disk_.power_cycle();
            }
        }
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    void live() {
        disk_.short_reads(below(2) == 0);
        if (below(4) != 0) {
            disk_.crash_after(1 + below(below(3) == 0 ? 30 : 300));
        }
        auto opened = DedupIndex::open(options_, {&disk_, env_.get()});
        if (std::exchange(torn_, false) && !opened && !disk_.crashed()) {
            ASSERT_EQ(opened.error().kind, ErrorKind::corrupt) << opened.error().message();
            torn_ = !disk_.remove_all(options_.index_directory);
            closed_at_ = 0;
            return;  // it is made anew
        }
        if (!opened || disk_.crashed()) {
            ASSERT_TRUE(disk_.crashed()) << opened.error().message();
            return;
        }
        index_ = *std::move(opened);
        const auto& position = index_->position_at_open();
        next_ = position.contains(orders) ? position.at(orders).value : 0;
        maybe_ = 0;
        ASSERT_GE(next_, closed_at_) << "what was closed is gone";
        look();
        for (std::uint64_t acts = 10 + below(100); acts > 0 && !over(); --acts) {
            act();
        }
        if (!over() && below(2) == 0) {
            const auto closed = index_->close();
            ASSERT_TRUE(closed || disk_.crashed() || was_bad_) << closed.error().message();
            closed_at_ = closed ? next_ : closed_at_;
            closed_ = closed.has_value();
        }
    }
    bool over() const { return disk_.crashed() || ::testing::Test::HasFailure(); }

    void act() {
        if (below(12) != 0) {
            return write();
        }
        was_bad_ = true;
        if (below(2) == 0) {
            disk_.set_capacity(disk_.bytes_used() + below(4'000));
        } else {
            disk_.fail_step_after(1 + below(30));
        }
        for (std::uint64_t n = below(60); n > 0 && !over(); --n) {
            write();
        }
        disk_.set_capacity(0);
        disk_.fail_step_after(0);
        if (!over() && below(2) == 0) {
            reopen();
        }
    }

    /// As whoever follows the log does after a failed write.
    void reopen() {
        if (const auto may = index_->may_reopen(); !may) {
            ASSERT_TRUE(disk_.crashed()) << may.error().message();
            return;
        }
        if (const auto reopened = index_->reopen(); !reopened) {
            ASSERT_TRUE(disk_.crashed() || reopened.error().kind == ErrorKind::corrupt)
                << reopened.error().message();
            ASSERT_FALSE(index_->find(id(0)));
            ASSERT_FALSE(index_->write({}, {{orders, Offset{next_}}}));
            disk_.cut_power();  // this life is over
            return;
        }
        const auto& position = index_->position_at_open();
        const std::uint64_t at = position.contains(orders) ? position.at(orders).value : 0;
        ASSERT_GE(at, closed_at_) << "what was closed is gone";
        ASSERT_LE(at, std::max(next_, maybe_));
        next_ = at;
        maybe_ = 0;
        look();
    }

    static Digest128 id_of(std::uint64_t record) {
        return id(record % 5 == 0 && record > 7 ? record - 7 : record);
    }
    static Instant time_of(std::uint64_t record) {
        return from_nanos(1'700'000'000'000'000'000) +
               static_cast<std::int64_t>(record) * std::chrono::seconds(3);
    }

    void write() {
        std::vector<IndexEntry> entries;
        std::uint64_t to = next_;
        for (std::uint64_t n = 1 + below(200); n > 0; --n, ++to) {
            entries.push_back({id_of(to), {orders, Offset{to}}, time_of(to)});
        }
        latest_ = std::max(latest_, to - 1);
        const auto written = index_->write(entries, {{orders, Offset{to}}});
        if (written) {
            next_ = to;
        } else {  // it may be there: dropping an old generation comes after it
            maybe_ = std::max(maybe_, to);
            ASSERT_TRUE(disk_.crashed() || was_bad_) << written.error().message();
        }
        if (!over()) {
            look();
        }
    }

    void look() {
        for (int i = 0; i < 20 && !over(); ++i) {
            const std::uint64_t record = below(next_ + 300);
            std::optional<std::uint64_t> expected;
            for (const std::uint64_t n : {record, record + 7}) {
                if (n < next_ && id_of(n) == id(record)) {
                    expected = n;
                }
            }
            const auto found = index_->find(id(record));
            if (!found) {
                ASSERT_TRUE(disk_.crashed() || was_bad_) << found.error().message();
            } else if (*found && (*found)->offset.value >= next_) {
                ASSERT_LT((*found)->offset.value, maybe_) << record;
                ASSERT_EQ(id_of((*found)->offset.value), id(record));
            } else if (expected && time_of(*expected) < time_of(latest_) - 8 * hour) {
                ASSERT_TRUE(!*found || (*found)->offset.value == *expected) << record;
            } else {
                ASSERT_EQ(found->has_value(), expected.has_value()) << record << " of " << next_;
                ASSERT_TRUE(!expected || (*found)->offset.value == *expected) << record;
            }
        }
    }

    std::mt19937_64 random_;
    log::SimDisk disk_;
    const std::shared_ptr<rocksdb::Env> env_;
    Options options_;
    std::unique_ptr<DedupIndex> index_;
    std::uint64_t next_ = 0;
    std::uint64_t maybe_ = 0;      ///< up to here a failed write may have come, in this life
    std::uint64_t latest_ = 0;     ///< record ever tried
    std::uint64_t closed_at_ = 0;  ///< in good order
    bool was_bad_ = false;         ///< the disk, in this life
    bool closed_ = false;          ///< this life ended in good order
    bool torn_ = false;            ///< its MANIFEST may be: RocksDB reads over a cut end alone
};

TEST(DedupIndexHistory, what_is_there_is_what_the_log_brings_up_to_its_position) {
    log::run_seeds(12, [](std::uint64_t seed) { IndexHistory(seed).run(); });
}

}  // namespace
}  // namespace helios::gateway
