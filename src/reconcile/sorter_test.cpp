#include "reconcile/sorter.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

#include "base/file_limit_test_kit.h"
#include "base/temporary_directory.h"

namespace helios::reconcile {
namespace {

using Records = std::vector<std::pair<std::string, std::string>>;

/// Long common beginnings, keys that begin like others, equal ones, NULs and bytes above 0x7f.
Records records(std::uint32_t seed, std::size_t count) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return random() % n; };
    Records out;
    for (std::size_t i = 0; i < count; ++i) {
        std::string key(below(3) == 0 ? "tenant\0flow\0"
                                      : std::string(below(30), static_cast<char>(below(3))));
        for (std::size_t n = below(12); n > 0; --n) {
            key.push_back("\0\1a\xff"[below(4)]);
        }
        out.emplace_back(std::move(key), std::to_string(i) + std::string(below(40), 'v'));
    }
    return out;
}

class SorterTest : public ::testing::Test {
protected:
    SorterOptions options(std::size_t memory, std::size_t chunk, std::size_t files = 64) const {
        return {.directory = directory_.path(),
                .memory_bytes = memory,
                .chunk_bytes = chunk,
                .files_max = files,
                .stop = {}};
    }
    static Records sorted(Sorter& sorter, const Records& in) {
        for (const auto& [key, value] : in) {
            EXPECT_TRUE(sorter.add(key, value));
        }
        Records out;
        for (;;) {
            const auto record = sorter.next();
            EXPECT_TRUE(record) << record.error().message();
            if (!record || *record == nullptr) {
                return out;
            }
            out.emplace_back((*record)->key, (*record)->value);
        }
    }
    static Records expected(Records in) {
        std::stable_sort(in.begin(), in.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        return in;
    }

    TemporaryDirectory directory_ = *TemporaryDirectory::make("helios-sorter-");
    Workers workers_{2};
};

Status fill(Sorter& sorter, const Records& in) {
    for (const auto& [key, value] : in) {
        HELIOS_TRY(sorter.add(key, value));
    }
    HELIOS_TRY(sorter.next());
    return {};
}

TEST_F(SorterTest, sorts_as_a_stable_sort_does_whatever_fits_into_memory) {
    for (std::uint32_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const auto in = records(seed, seed * 37 % 2000);
        for (const std::size_t chunk : {1u, 300u, 1024u, 1u << 20}) {
            for (const std::size_t memory : {std::size_t{0}, 6 * chunk, std::size_t{1} << 24}) {
                if (chunk == 1 && in.size() > 200) {
                    continue;  // a file for each record
                }
                Sorter sorter(options(memory, chunk), workers_);
                ASSERT_EQ(sorted(sorter, in), expected(in)) << chunk << " of " << memory;
            }
        }
    }
}

TEST_F(SorterTest, merges_files_when_there_are_many) {
    const auto in = records(5, 3000);
    for (const std::size_t memory : {0u, 5u * 512}) {
        Sorter sorter(options(memory, 512, 4), workers_);
        ASSERT_EQ(sorted(sorter, in), expected(in));
        EXPECT_LE(sorter.files(), 3u * 5) << "of each size less than four";
    }
}

// As the digits of a binary number: else all would be written again with each few records.
TEST_F(SorterTest, what_was_merged_is_merged_again_only_with_its_like) {
    const auto in = records(10, 40);
    for (std::size_t count = 1; count <= in.size(); ++count) {
        Sorter sorter(options(0, 1, 2), workers_);  // a file for each record
        ASSERT_TRUE(fill(sorter, {in.begin(), in.begin() + static_cast<std::ptrdiff_t>(count)}));
        EXPECT_EQ(sorter.files(), static_cast<std::size_t>(count == 1 ? 0 : std::popcount(count)));
    }
}

TEST_F(SorterTest, merging_many_files_can_be_stopped) {
    auto stopped = options(0, 512, 4);
    stopped.stop = [] { return true; };
    Sorter sorter(stopped, workers_);
    const auto outcome = fill(sorter, records(9, 3000));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::stopping);
}

TEST_F(SorterTest, what_fits_into_memory_touches_no_disk) {
    auto in_memory = options(1u << 20, 1u << 16);
    in_memory.directory = "/nowhere";
    const auto in = records(6, 5000);
    Sorter sorter(in_memory, workers_);
    EXPECT_EQ(sorted(sorter, in), expected(in));
    EXPECT_EQ(sorter.files(), 0u);
}

TEST_F(SorterTest, a_record_may_be_longer_than_a_chunk) {
    const Records in{{"b", std::string(1u << 20, 'x')}, {"a", "y"}, {std::string(5000, 'a'), "z"}};
    Sorter sorter(options(0, 1024), workers_);
    EXPECT_EQ(sorted(sorter, in), expected(in));
}

TEST_F(SorterTest, its_files_have_no_name) {
    Sorter sorter(options(0, 1024), workers_);
    for (const auto& [key, value] : records(7, 1000)) {
        ASSERT_TRUE(sorter.add(key, value));
    }
    ASSERT_TRUE(sorter.next());
    EXPECT_GT(sorter.files(), 1u);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(SorterTest, a_disk_that_takes_no_more_is_named) {
    const auto in = records(8, 5000);
    auto nowhere = options(0, 1024);
    nowhere.directory = directory_.path() + "/absent";
    Sorter homeless(nowhere, workers_);
    const auto absent = fill(homeless, in);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().kind, ErrorKind::unavailable);
    EXPECT_NE(absent.error().message().find("/absent"), std::string::npos);
    EXPECT_NE(absent.error().message().find("TMPDIR"), std::string::npos);

    Sorter full(options(0, 4096), workers_);
    const auto refused = [&] {
        const FileLimit small(512);
        return fill(full, in);
    }();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_NE(refused.error().message().find(directory_.path()), std::string::npos);
}

TEST(Sortable, byte_order_is_numeric_order) {
    const std::vector<std::int64_t> numbers{INT64_MIN, -256, -1, 0, 1, 255, 256, INT64_MAX};
    std::vector<std::string> bytes;
    for (const auto number : numbers) {
        append_sortable(bytes.emplace_back(), number);
        EXPECT_EQ(read_sortable(bytes.back()), number);
    }
    EXPECT_TRUE(std::is_sorted(bytes.begin(), bytes.end()));
}

}  // namespace
}  // namespace helios::reconcile
