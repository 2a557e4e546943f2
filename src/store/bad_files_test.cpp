/// Files that are damaged, foreign, or can't be written: who is told what, and what goes on.

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file_limit_test_kit.h"
#include "store/file_set.h"
#include "store/migrations.h"
#include "store/single_file.h"
#include "store/slice.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using testing::an_event;
using testing::Bench;
using testing::epoch_of_tests;
using ::testing::HasSubstr;

constexpr Duration minute = std::chrono::minutes(1);

/// One bit of each page but the first, which says what the file is.
void flip_bits(const std::filesystem::path& file) {
    constexpr std::streamoff page_bytes = 8'192;
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto bytes = static_cast<std::streamoff>(std::filesystem::file_size(file));
    for (std::streamoff at = page_bytes; at < bytes; at += page_bytes) {
        char first = 0;
        pages.seekg(at).get(first);
        pages.seekp(at).put(static_cast<char>(first ^ 4));
    }
}

/// Slices of a minute. Event n comes in minute n.
class BadFiles : public ::testing::Test {
protected:
    BadFiles() {
        bench_.options.slice = minute;
        bench_.options.copies_within = Duration{1};
        bench_.options.retention_interval = Duration{1};
    }

    void append_in_minute(int n, const std::string& id) {
        bench_.clock.advance(epoch_of_tests + n * minute - bench_.clock.wall());
        bench_.append(an_event(id, "OrderPlaced", "A"));
    }
    /// All but the last slice are sealed.
    void fill(int minutes) {
        for (int n = 0; n < minutes; ++n) {
            append_in_minute(n, "e" + std::to_string(n));
            bench_.project();
        }
    }
    std::filesystem::path file_of(int n) const {
        return slice_file(bench_.options.file, epoch_of_tests + n * minute);
    }
    Instant begin_of(int n) const { return epoch_of_tests + n * minute; }
    Status catch_up(Projector& projector) {
        return projector.catch_up(bench_.log->last_log_time() + Duration{1});
    }
    Result<std::vector<std::string>> ids(TimeRange received = {}) {
        EventFilter filter(default_tenant());
        filter.received = received;
        HELIOS_TRY_ASSIGN(const auto page, bench_.queries()->events(filter));
        std::vector<std::string> ids;
        for (const auto& row : page.items) {
            ids.push_back(row.event_id);
        }
        return ids;
    }
    /// Says which file it is, and what to do.
    static void expect_named(const Status& status, const std::filesystem::path& file,
                             const std::string& hint = "helios store rebuild") {
        ASSERT_FALSE(status);
        EXPECT_THAT(status.error().what, HasSubstr(file.string()));
        EXPECT_THAT(status.error().hint, HasSubstr(hint));
    }
    template <class T>
    static Status status_of(const Result<T>& result) {
        return result ? Status{} : Status(fail(result.error()));
    }

    Bench bench_;
};

TEST_F(BadFiles, a_damaged_slice_is_named_and_the_others_go_on) {
    fill(4);
    flip_bits(file_of(0));
    EXPECT_EQ(ids({begin_of(1), std::nullopt}).value().size(), 3u);
    const auto all = status_of(ids());
    expect_named(all, file_of(0));
    EXPECT_EQ(all.error().kind, ErrorKind::corrupt);
    append_in_minute(4, "e4");
    bench_.project();
    EXPECT_EQ(ids({begin_of(1), std::nullopt}).value().size(), 4u);
}

TEST_F(BadFiles, a_damaged_slice_in_which_copies_are_looked_for_stops_nothing_and_is_told) {
    bench_.options.copies_within = std::chrono::hours(1);
    fill(4);
    flip_bits(file_of(1));
    append_in_minute(4, "e4");
    append_in_minute(4, "e2");  // a copy
    auto projector = bench_.open().value();
    const auto caught_up = catch_up(*projector);
    ASSERT_TRUE(caught_up) << caught_up.error().message();
    EXPECT_EQ(ids({begin_of(2), std::nullopt}).value(),
              (std::vector<std::string>{"e4", "e3", "e2"}));
    expect_named(projector->check_file(), file_of(1));
    expect_named(projector->check_file(), file_of(1));
}

TEST_F(BadFiles, a_damaged_slice_that_is_written_to_stops_the_writer_which_names_it) {
    fill(2);
    flip_bits(file_of(1));
    append_in_minute(1, "late");
    auto projector = bench_.open();
    expect_named(projector ? catch_up(**projector) : status_of(projector), file_of(1));
}

TEST_F(BadFiles, a_damaged_current_file_is_named) {
    fill(2);
    flip_bits(bench_.options.file);
    const auto queries = Queries::open(bench_.options, bench_.clock);
    expect_named(
        queries ? status_of((*queries)->cases(CaseFilter(default_tenant()))) : status_of(queries),
        bench_.options.file);
    expect_named(status_of(bench_.open()), bench_.options.file);
}

TEST_F(BadFiles, a_slice_under_the_name_of_another_is_refused) {
    bench_.options.copies_within = std::chrono::hours(1);
    fill(3);
    ASSERT_TRUE(remove_file_set(file_of(1)));
    std::filesystem::copy(file_of(0), file_of(1));
    expect_named(status_of(ids()), file_of(1));
    auto projector = bench_.open().value();
    append_in_minute(4, "e4");
    EXPECT_TRUE(catch_up(*projector));
    expect_named(projector->check_file(), file_of(1));
}

TEST_F(BadFiles, a_folder_in_its_place_is_named) {
    fill(3);
    ASSERT_TRUE(remove_file_set(file_of(1)));
    std::filesystem::create_directory(file_of(1));
    const auto asked = status_of(ids());
    expect_named(asked, file_of(1));
    EXPECT_THAT(asked.error().what, HasSubstr("is a folder"));
    ASSERT_TRUE(remove_file_set(bench_.options.file));
    std::filesystem::create_directory(bench_.options.file);
    expect_named(status_of(bench_.open()), bench_.options.file);
}

TEST_F(BadFiles, a_slice_that_others_remove_is_told_and_not_made_empty) {
    bench_.options.copies_within = std::chrono::hours(1);
    fill(3);
    auto projector = bench_.open().value();
    ASSERT_TRUE(projector->check_file());
    ASSERT_TRUE(remove_file_set(file_of(0)));
    append_in_minute(4, "e4");
    ASSERT_TRUE(catch_up(*projector));
    EXPECT_FALSE(std::filesystem::exists(file_of(0)));
    expect_named(projector->check_file(), file_of(0));
    EXPECT_EQ(ids().value(), (std::vector<std::string>{"e4", "e2", "e1"}));
}

// ---- Disks that take no more

TEST_F(BadFiles, what_could_not_be_written_is_written_when_there_is_room) {
    fill(2);
    auto projector = bench_.open().value();
    for (int n = 2; n < 5; ++n) {
        for (int i = 0; i < 50; ++i) {
            append_in_minute(n,
                             std::to_string(n) + "-" + std::to_string(i) + std::string(900, 'x'));
        }
    }
    for (const rlim_t limit : {100u, 8'192u, 40'000u, 100'000u}) {
        const FileLimit full(limit);
        const auto stepped = projector->step(Duration{0});
        ASSERT_FALSE(stepped) << limit;
        EXPECT_EQ(stepped.error().kind, ErrorKind::unavailable) << stepped.error().message();
        EXPECT_THAT(stepped.error().what, HasSubstr("/store/")) << "says which file";
    }
    ASSERT_TRUE(catch_up(*projector));
    EventFilter filter(default_tenant());
    filter.limit = 1'000;
    EXPECT_EQ(bench_.queries()->events(filter).value().items.size(), 152u);
    const auto counts = bench_.queries()->counts(CountFilter(default_tenant())).value();
    std::uint64_t stored = 0;
    for (const auto& row : counts) {
        stored += row.value;
    }
    EXPECT_EQ(stored, 152u) << "once each";
}

TEST_F(BadFiles, old_slices_leave_also_while_nothing_can_be_written) {
    bench_.options.keep_events = std::chrono::minutes(5);
    fill(3);
    auto projector = bench_.open().value();
    for (int i = 0; i < 100; ++i) {
        append_in_minute(20, std::to_string(i) + std::string(900, 'x'));
    }
    {
        const FileLimit full(150'000);
        ASSERT_FALSE(projector->step(Duration{0}));
        ASSERT_FALSE(projector->step(Duration{0}));
        EXPECT_FALSE(std::filesystem::exists(file_of(0))) << "else no room would ever come";
    }
    ASSERT_TRUE(catch_up(*projector));
    EventFilter filter(default_tenant());
    filter.limit = 1'000;
    EXPECT_EQ(bench_.queries()->events(filter).value().items.size(), 100u);
}

TEST_F(BadFiles, a_store_of_one_file_that_finds_no_room_is_split_at_the_next_start) {
    const auto single = bench_.options.file.parent_path() / "store.db";
    {
        auto database = Database::open(single, Database::Mode::write).value();
        ASSERT_TRUE(migrate(database, FileKind::current, first_migration));
        ASSERT_TRUE(database.execute(R"sql(
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
INSERT INTO events SELECT 1767607200000000000 + i * 1000000000, 1, 0, i, 'default', 'aws', '',
  'e' || i || hex(zeroblob(400)), i, 0, 'OrderPlaced', 'A', NULL, NULL FROM n)sql"));
    }
    for (const rlim_t limit : {100u, 8'192u, 60'000u, 200'000u}) {
        const FileLimit full(limit);
        const auto split = split_single_file(bench_.options);
        ASSERT_FALSE(split) << limit;
        EXPECT_EQ(split.error().kind, ErrorKind::unavailable) << split.error().message();
        EXPECT_TRUE(std::filesystem::exists(single));
    }
    const auto opened = bench_.open();
    ASSERT_TRUE(opened) << opened.error().message();
    EventFilter filter(default_tenant());
    filter.limit = 1'000;
    EXPECT_EQ(bench_.queries()->events(filter).value().items.size(), 300u);
}

}  // namespace
}  // namespace helios::store
