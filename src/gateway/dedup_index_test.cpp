/// The index on a disk that fails: what a write, a flush and a close make of it.

#include "gateway/dedup_index.h"

#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>

#include "model/topics.h"

namespace helios::gateway {
namespace {

namespace fs = std::filesystem;

constexpr Duration hour = std::chrono::hours(1);
const log::TopicPartition orders{"helios.events.orders", 0};

Digest128 id(std::uint64_t n) {
    Digest128 digest{};
    for (std::size_t i = 0; i < 8; ++i) {
        digest[i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return digest;
}

/// No file can grow beyond this many bytes: it stands for a full disk.
class FileLimit {
public:
    explicit FileLimit(rlim_t bytes) : previous_(std::signal(SIGXFSZ, SIG_IGN)) {
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit small{bytes, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    }
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, previous_);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    void (*previous_)(int);
    rlimit before_{};
};

class DedupIndexOnDisk : public ::testing::Test {
protected:
    DedupIndexOnDisk() {
        std::string pattern = (fs::temp_directory_path() / "helios-index-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        options_.index_directory = (root_ / "data" / "dedup").string();
        options_.dedup_horizon = 8 * hour;
    }
    ~DedupIndexOnDisk() override {
        index_.reset();
        fs::remove_all(root_);
    }

    Status open() {
        index_.reset();
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_));
        return {};
    }
    /// One id, `after` the first one's time.
    Status write(std::uint64_t n, Duration after) {
        const Instant start = from_nanos(1'700'000'000'000'000'000);
        return index_->write({{id(n), {model::TopicId::orders, 0, n}, start + after}},
                             {{orders, log::Offset{n + 1}}});
    }
    bool has(std::uint64_t n) {
        const auto found = index_->find(id(n));
        return found && found->has_value() && (*found)->offset == n;
    }

    fs::path root_;
    Options options_;
    std::unique_ptr<DedupIndex> index_;
};

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
    EXPECT_EQ(index_->position_at_open(), (log::Offsets{{orders, log::Offset{3}}}));
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
        EXPECT_EQ(index_->position_at_open(), (log::Offsets{{orders, log::Offset{2}}})) << limit;
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

}  // namespace
}  // namespace helios::gateway
