/// Slices: what lies where, what leaves, and what a crash between two files leaves behind.

#include "store/slices.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "store/file_set.h"
#include "store/migrations.h"
#include "store/records_test_kit.h"
#include "store/tables.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using model::VerdictStatus;
using testing::a_verdict;
using testing::an_event;
using testing::Bench;
using ::testing::ElementsAre;
using testing::epoch_of_tests;

constexpr Duration minute = std::chrono::minutes(1);

std::vector<std::string> slices_of(const Options& options) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options.file.parent_path())) {
        if (slice_start(entry.path())) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

std::vector<std::string> ids_of(const std::vector<EventRow>& rows) {
    std::vector<std::string> ids;
    for (const auto& row : rows) {
        ids.push_back(row.event_id);
    }
    return ids;
}

/// Every page of the filter.
std::vector<std::string> walk(Queries& queries, EventFilter filter) {
    std::vector<std::string> ids;
    do {
        const auto page = queries.events(filter);
        EXPECT_TRUE(page) << page.error().message();
        if (!page) {
            break;
        }
        const auto some = ids_of(page->items);
        ids.insert(ids.end(), some.begin(), some.end());
        filter.after = page->next;
    } while (filter.after);
    return ids;
}

TEST(Slice, files_are_named_by_their_start_and_nothing_else_is_one) {
    const std::filesystem::path current = "data/store/current.db";
    EXPECT_EQ(slice_file(current, epoch_of_tests), "data/store/events-20260105T100000Z.db");
    EXPECT_EQ(slice_start("x/events-20260105T100000Z.db"), epoch_of_tests);
    for (const auto* other : {"current.db", "events-.db", "events-20260105T100000Z.db-wal",
                              "events-20261305T100000Z.db", "events-20260105T100000Z.db.new",
                              "events-2026-01-05T10:00.db"}) {
        EXPECT_EQ(slice_start(other), std::nullopt) << other;
    }
}

TEST(Slice, is_a_stretch_counted_from_1970) {
    const auto day = slice_at(epoch_of_tests, std::chrono::hours(24));
    EXPECT_EQ(format_rfc3339(day.start), "2026-01-05T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(day.end), "2026-01-06T00:00:00.000Z");
    EXPECT_EQ(slice_at(day.end, std::chrono::hours(24)).start, day.end);
    EXPECT_EQ(slice_at(Instant{Duration{-1}}, minute).end, Instant{});
}

TEST(Slices, a_list_goes_over_all_of_them_newest_first) {
    Bench bench;
    bench.options.slice = minute;
    std::vector<std::string> expected;
    for (int i = 0; i < 30; ++i) {
        const auto id = "e" + std::to_string(i);
        bench.append(an_event(id, i % 3 == 0 ? "OrderPlaced" : "PaymentProcessed", "A",
                              i % 2 == 0 ? "aws" : "gcp"));
        bench.clock.advance(std::chrono::seconds(17));
        expected.insert(expected.begin(), id);
    }
    bench.project();
    EXPECT_EQ(slices_of(bench.options).size(), 9u);
    auto queries = bench.queries();
    EventFilter filter(default_tenant());
    filter.limit = 4;
    EXPECT_EQ(walk(*queries, filter), expected);
    filter.key = "A";
    EXPECT_EQ(walk(*queries, filter), expected);
    filter.type = "OrderPlaced";
    filter.source = "gcp";
    EXPECT_THAT(walk(*queries, filter), ElementsAre("e27", "e21", "e15", "e9", "e3"));
    filter.received = {epoch_of_tests + std::chrono::seconds(9 * 17),
                       epoch_of_tests + std::chrono::seconds(21 * 17)};
    EXPECT_THAT(walk(*queries, filter), ElementsAre("e15", "e9"));
}

TEST(Slices, a_walk_shows_once_what_was_there_while_events_arrive) {
    Bench bench;
    bench.options.slice = minute;
    std::set<std::string> there;
    int next = 0;
    const auto arrive = [&](int events) {
        for (int i = 0; i < events; ++i, ++next) {
            bench.append(an_event("e" + std::to_string(next), "T" + std::to_string(next % 4), "A"));
            bench.clock.advance(std::chrono::seconds(7));
        }
        bench.project();
    };
    arrive(40);
    for (int i = 0; i < next; ++i) {
        there.insert("e" + std::to_string(i));
    }
    auto queries = bench.queries();
    std::vector<std::string> seen;
    EventFilter filter(default_tenant());
    filter.limit = 3;
    do {
        const auto page = queries->events(filter).value();
        for (const auto& id : ids_of(page.items)) {
            if (there.contains(id)) {
                seen.push_back(id);
            }
        }
        filter.after = page.next;
        arrive(2);
    } while (filter.after);
    EXPECT_EQ(seen.size(), there.size());
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), there);
}

TEST(Slices, many_types_share_the_kind_of_the_rest_and_lists_are_right) {
    Bench bench;
    bench.options.kinds_max = 5;
    for (int i = 0; i < 60; ++i) {
        bench.append(an_event("e" + std::to_string(i), "T" + std::to_string(i % 20), "A"));
    }
    bench.append(an_event("e7", "T7", "A"));  // a copy of one of the rest
    bench.project();
    auto queries = bench.queries();
    EventFilter filter(default_tenant());
    filter.limit = 7;
    EXPECT_EQ(walk(*queries, filter).size(), 60u);
    filter.type = "T7";
    EXPECT_THAT(walk(*queries, filter), ElementsAre("e47", "e27", "e7"));
    EXPECT_EQ(queries->events(filter).value().items.back().copies, 1u);
    filter.type = "T2";
    EXPECT_THAT(walk(*queries, filter), ElementsAre("e42", "e22", "e2"));
    filter.type = "T99";
    EXPECT_THAT(walk(*queries, filter), ElementsAre());
}

TEST(Slices, a_copy_in_a_later_slice_is_a_copy_and_one_that_comes_too_late_a_row) {
    Bench bench;
    bench.options.slice = minute;
    bench.options.copies_within = std::chrono::minutes(3);
    const auto event = an_event("e", "OrderPlaced", "A");
    bench.append(event);
    bench.clock.advance(std::chrono::minutes(2));
    bench.append(event);
    bench.clock.advance(std::chrono::minutes(2));
    bench.append(event);  // of the copy
    bench.clock.advance(std::chrono::minutes(4));
    bench.append(event);
    bench.project();
    auto queries = bench.queries();
    const auto rows = queries->events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].copies, 0u);
    EXPECT_EQ(rows[1].copies, 1u) << "within reach of the row";
    EXPECT_EQ(queries->records_under(default_tenant(), rows[1]).value().size(), 4u);
    EXPECT_EQ(queries->events_by_id(default_tenant(), "e", {}).value().size(), 2u);
}

TEST(Slices, the_length_may_change_and_those_that_are_there_keep_theirs) {
    Bench bench;
    bench.options.slice = std::chrono::hours(1);
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.project();
    bench.clock.advance(minute);
    bench.options.slice = minute;
    bench.append(an_event("e2", "OrderPlaced", "A"));
    bench.clock.advance(std::chrono::hours(1));
    bench.append(an_event("e3", "OrderPlaced", "A"));
    bench.clock.advance(minute);
    bench.options.slice = std::chrono::hours(24);
    bench.append(an_event("e4", "OrderPlaced", "A"));
    bench.project();
    EXPECT_THAT(slices_of(bench.options),
                ElementsAre("events-20260105T100000Z.db", "events-20260105T110000Z.db"));
    EXPECT_THAT(walk(*bench.queries(), EventFilter(default_tenant())),
                ElementsAre("e4", "e3", "e2", "e1"));
}

TEST(Slices, old_ones_leave_whole_with_their_counts_and_do_not_come_back) {
    Bench bench;
    bench.options.slice = minute;
    bench.options.keep_events = std::chrono::minutes(5);
    bench.options.retention_interval = Duration{1};
    auto projector = bench.open().value();
    for (int i = 0; i < 20; ++i) {
        bench.append(an_event("e" + std::to_string(i), "OrderPlaced", "A"));
        bench.append(testing::some_counts("route", bench.clock.wall(), {{"judged", 1}}));
        ASSERT_TRUE(projector->catch_up(bench.log->last_log_time() + Duration{1}));
        bench.clock.advance(minute);
    }
    ASSERT_TRUE(projector->step(Duration{0}));
    EXPECT_LE(slices_of(bench.options).size(), 6u);
    auto queries = bench.queries();
    const auto ids = walk(*queries, EventFilter(default_tenant()));
    EXPECT_EQ(ids.front(), "e19");
    EXPECT_EQ(ids.size(), slices_of(bench.options).size());
    EXPECT_EQ(queries->counts(CountFilter(default_tenant())).value().size(), 2 * ids.size());
    EXPECT_TRUE(queries->events_by_id(default_tenant(), "e0", {}).value().empty());
    projector.reset();
    ASSERT_TRUE(rebuild(bench.options, *bench.log, bench.telemetry, bench.clock));
    auto again = bench.open().value();
    ASSERT_TRUE(again->step(Duration{0}));
    EXPECT_EQ(walk(*bench.queries(), EventFilter(default_tenant())), ids)
        << "the log has them all, and retention lets them go";
}

TEST(Slices, the_oldest_leave_when_there_are_too_many_bytes_and_the_newest_stays) {
    Bench bench;
    bench.options.slice = minute;
    bench.options.keep_events_bytes_max = 1;
    bench.options.retention_interval = Duration{1};
    auto projector = bench.open().value();
    for (int i = 0; i < 3; ++i) {
        bench.append(an_event("e" + std::to_string(i), "OrderPlaced", "A"));
        ASSERT_TRUE(projector->catch_up(bench.log->last_log_time() + Duration{1}));
        bench.clock.advance(minute);
    }
    EXPECT_EQ(slices_of(bench.options).size(), 1u);
    EXPECT_THAT(walk(*bench.queries(), EventFilter(default_tenant())), ElementsAre("e2"));
}

TEST(Slices, a_question_that_meets_a_slice_that_has_left_goes_on) {
    Bench bench;
    bench.options.slice = minute;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.clock.advance(minute);
    bench.append(an_event("e2", "OrderPlaced", "A"));
    bench.project();
    ASSERT_TRUE(remove_file_set(slice_file(bench.options.file, epoch_of_tests)));
    EXPECT_THAT(walk(*bench.queries(), EventFilter(default_tenant())), ElementsAre("e2"));
}

TEST(Slices, decided_cases_and_quarantined_items_leave_and_figures_follow) {
    Bench bench;
    bench.options.keep_cases = std::chrono::hours(1);
    bench.options.keep_quarantine = std::chrono::hours(1);
    bench.options.retention_interval = Duration{1};
    bench.options.rows_per_retention = 2;
    for (int i = 0; i < 7; ++i) {
        bench.append(a_verdict("old" + std::to_string(i), 1, VerdictStatus::mismatched,
                               epoch_of_tests + std::chrono::seconds(i)));
        model::Quarantined item(default_tenant());
        item.id = "q" + std::to_string(i);
        bench.append(item);
    }
    bench.append(a_verdict("pending", 1, VerdictStatus::pending, std::nullopt));
    bench.project();
    EXPECT_GT(bench.queries()->quarantine_size().value().bytes, 7u * 20);
    bench.clock.advance(std::chrono::hours(2));
    bench.append(a_verdict("new", 1, VerdictStatus::matched, bench.clock.wall()));
    auto projector = bench.open().value();
    ASSERT_TRUE(projector->catch_up(bench.log->last_log_time() + Duration{1}));
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(projector->step(Duration{0}));
        bench.clock.advance(std::chrono::milliseconds(1));
    }
    auto queries = bench.queries();
    EXPECT_EQ(queries->cases(CaseFilter(default_tenant())).value().items.size(), 2u);
    EXPECT_TRUE(queries->cases(CaseFilter::mismatches(default_tenant())).value().items.empty());
    EXPECT_TRUE(queries->quarantined(QuarantineFilter(default_tenant())).value().items.empty());
    EXPECT_EQ(queries->quarantine_size().value().bytes, 0u) << "what has left waits no more";
    const auto stats = queries->stats(StatsFilter(default_tenant())).value();
    EXPECT_EQ(stats.by_status, (std::array<std::uint64_t, 4>{1, 1, 0, 0}));
    EXPECT_TRUE(queries->latest({default_tenant(), "order", "pending"}));
    EXPECT_EQ(queries->latest({default_tenant(), "order", "old3"}).error().kind,
              ErrorKind::not_found);
    EXPECT_EQ(bench.dumped_verdicts().find("old"), std::string::npos);
}

TEST(Slices, history_says_since_when_it_is_known) {
    Bench bench;
    bench.options.slice = minute;
    bench.options.keep_events = std::chrono::minutes(2);
    bench.options.retention_interval = Duration{1};
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "A";
    const auto key = model::case_log_key(default_tenant(), "order", "A");
    leg.at = epoch_of_tests;
    bench.append(model::CaseRecord(leg), key);
    leg.at = epoch_of_tests + std::chrono::minutes(9);
    bench.append(model::CaseRecord(leg), key);
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.project();
    EXPECT_EQ(bench.queries()->history({default_tenant(), "order", "A"}).value().records.size(),
              2u);
    bench.clock.advance(std::chrono::minutes(10));
    auto projector = bench.open().value();
    ASSERT_TRUE(projector->step(Duration{0}));
    const auto history = bench.queries()->history({default_tenant(), "order", "A"}).value();
    EXPECT_EQ(history.records.size(), 1u);
    EXPECT_EQ(history.known_since, epoch_of_tests + minute);
}

// ---- Crashes

/// Copies a store as it is at this moment, as a crash would leave it.
void copy_store(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::create_directories(to);
    std::filesystem::copy(from, to,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
}

TEST(Slices, what_a_slice_has_and_the_current_file_has_not_is_written_again_and_counts_once) {
    Bench bench;
    bench.options.slice = minute;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 1}}));
    bench.project();
    const auto store = bench.options.file.parent_path();
    const auto before = std::filesystem::path(bench.folder.path()) / "before";
    copy_store(store, before);
    bench.append(an_event("e2", "OrderPlaced", "A"));
    bench.clock.advance(minute);
    bench.append(an_event("e3", "OrderPlaced", "A"));
    bench.append(an_event("e2", "OrderPlaced", "A"));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 1}}));
    bench.project();
    const auto dumped = bench.dumped();
    // The process ended between its commits.
    ASSERT_TRUE(remove_file_set(bench.options.file));
    std::filesystem::copy(before / bench.options.file.filename(), bench.options.file);
    bench.project();
    EXPECT_EQ(bench.dumped(), dumped);
}

TEST(Slices, what_a_power_cut_took_from_an_open_slice_alone_is_written_again) {
    Bench bench;
    bench.options.slice = minute;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 1}}));
    bench.project();
    const auto slice = slice_file(bench.options.file, epoch_of_tests);
    const auto before = std::filesystem::path(bench.folder.path()) / "before.db";
    std::filesystem::copy(slice, before);
    bench.append(an_event("e2", "OrderPlaced", "B"));
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 1}}));
    model::Quarantined item(default_tenant());
    item.id = "q";
    bench.append(item);
    bench.append(item);
    bench.project();
    const auto dumped = bench.dumped();
    const auto offsets = applied_offsets(bench.options.file, Database::Mode::read).value();
    ASSERT_TRUE(remove_file_set(slice));
    std::filesystem::copy(before, slice);
    EXPECT_NE(bench.dumped(), dumped);
    EXPECT_NE(applied_offsets(bench.options.file, Database::Mode::read).value(), offsets)
        << "the log must hold what the slice lacks";
    bench.project();
    EXPECT_EQ(bench.dumped(), dumped) << "and what the current file had is not added twice";
    EXPECT_EQ(applied_offsets(bench.options.file, Database::Mode::read).value(), offsets);
}

TEST(Slices, a_file_that_is_gone_keeps_the_store_from_opening_and_is_named) {
    Bench bench;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    bench.project();
    ASSERT_TRUE(remove_file_set(
        slice_file(bench.options.file, slice_at(epoch_of_tests, bench.options.slice).start)));
    const auto opened = bench.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), ::testing::HasSubstr("events-20260105T000000Z.db"));
    EXPECT_THAT(opened.error().hint, ::testing::HasSubstr("rebuild"));
}

TEST(Slices, one_that_a_crash_left_before_anything_was_committed_is_made_again) {
    Bench bench;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    std::filesystem::create_directories(bench.options.file.parent_path());
    const auto slice =
        slice_file(bench.options.file, slice_at(epoch_of_tests, bench.options.slice).start);
    for (const bool with_tables : {false, true}) {
        ASSERT_TRUE(remove_file_set(bench.options.file));
        ASSERT_TRUE(remove_file_set(slice));
        std::ofstream(slice).close();
        if (with_tables) {
            auto database = Database::open(slice, Database::Mode::write);
            ASSERT_TRUE(database && migrate(*database, FileKind::slice));
        }
        bench.project();
        EXPECT_EQ(walk(*bench.queries(), EventFilter(default_tenant())).size(), 1u);
    }
}

TEST(Slices, one_that_is_no_slice_of_ours_is_refused) {
    Bench bench;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    std::filesystem::create_directories(bench.options.file.parent_path());
    std::ofstream(slice_file(bench.options.file, epoch_of_tests)) << std::string(9000, 'x');
    const auto opened = bench.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
}

TEST(Slices, an_open_one_that_is_removed_is_made_anew) {
    Bench bench;
    bench.append(an_event("e1", "OrderPlaced", "A"));
    auto projector = bench.open().value();
    ASSERT_TRUE(projector->catch_up(bench.log->last_log_time() + Duration{1}));
    auto queries = bench.queries();
    EXPECT_EQ(walk(*queries, EventFilter(default_tenant())).size(), 1u);
    const auto slice =
        slice_file(bench.options.file, slice_at(epoch_of_tests, bench.options.slice).start);
    ASSERT_TRUE(remove_file_set(slice));
    EXPECT_FALSE(projector->check_file());
    EXPECT_EQ(walk(*queries, EventFilter(default_tenant())).size(), 1u) << "what is open answers";
    ASSERT_TRUE(projector->step(Duration{0}));
    EXPECT_TRUE(projector->check_file());
    EXPECT_EQ(walk(*queries, EventFilter(default_tenant())).size(), 1u);
    EXPECT_EQ(walk(*bench.queries(), EventFilter(default_tenant())).size(), 1u);
}

}  // namespace
}  // namespace helios::store
