/// A store of the first release was one file. What it held is where it belongs now.

#include "store/single_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/migrations.h"
#include "store/tables.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using testing::epoch_of_tests;

/// Two events of which one came twice, a leg, and three cases: mismatched with two kinds of
/// findings, matched, pending.
constexpr SqlText first_release_rows{R"sql(
INSERT INTO topics(id, name) VALUES(1, 'helios.events.orders');
INSERT INTO applied_offsets VALUES(1, 0, 7);
INSERT INTO events VALUES
  (1767607200000000000, 1, 0, 1, 'default', 'aws', '', 'e1', 11, 0, 'OrderPlaced', 'A', 'C-A', 1767607200000000000),
  (1767607260000000000, 1, 0, 3, 'default', 'gcp', '', 'e2', 12, 0, 'OrderPlaced', 'B', NULL, NULL);
INSERT INTO event_copies VALUES('default', 'e1', 11, 1767607320000000000, 1, 0, 5, 'aws', '');
INSERT INTO case_records VALUES('default', 'A', 'order', 2, 9, 1767607200000000000);
INSERT INTO verdicts VALUES
  (1, 'default', 'A', 'order', 1, 2, 0, 4, 1767607203000000000, x'00'),
  (2, 'default', 'B', 'order', 1, 1, 0, 5, 1767607204000000000, x'00'),
  (3, 'default', 'C', 'order', 1, 1, 0, 6, 1767607205000000000, x'00');
INSERT INTO cases VALUES
  ('default', 'A', 'order', 1, 2, 1, 3, 1025, 1767607200000000000, 1767607260000000000, 1767607203000000000, 1767607202000000000, 'USD 12.50'),
  ('default', 'B', 'order', 1, 1, 2, 1, 0, 1767607200000000000, 1767607260000000000, 1767607204000000000, 1767607204000000000, ''),
  ('default', 'C', 'order', 1, 1, 3, 0, 0, 1767607200000000000, 1767607260000000000, NULL, NULL, '');
INSERT INTO quarantine VALUES
  ('default', 'q1', 2, 'missing_field', 'amount', 'gcp', '/in', '', 'x', 'OrderPlaced', 'A', 1767607200000000000, 1767607200000000000, 2, 0, 0);
INSERT INTO counts VALUES
  ('default', 1767607200000000000, 'aws', 'store', 'stored', 1),
  ('default', 1767607200000000000, 'aws', 'gateway', 'received', 2);
)sql"};

/// Made as the first release made it.
void make_store_of_first_release(const Bench& bench) {
    const auto file = bench.options.file.parent_path() / "store.db";
    auto database = Database::open(file, Database::Mode::write);
    ASSERT_TRUE(database) << database.error().message();
    ASSERT_TRUE(migrate(*database, FileKind::current, first_migration));
    ASSERT_TRUE(database->execute("DELETE FROM topics"));
    const auto filled = database->execute(first_release_rows);
    ASSERT_TRUE(filled) << filled.error().message();
}

void expect_all_to_be_there(Queries& queries) {
    const auto events = queries.events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].event_id, "e2");
    EXPECT_EQ(events[1].copies, 1u);
    EXPECT_EQ(events[1].customer, "C-A");
    EXPECT_EQ(queries.records_under(default_tenant(), events[1]).value().size(), 2u);
    EXPECT_EQ(queries.history({default_tenant(), "order", "A"}).value().records.size(), 1u);
    const auto stats = queries.stats(StatsFilter(default_tenant())).value();
    EXPECT_EQ(stats.by_status, (std::array<std::uint64_t, 4>{1, 1, 0, 1}));
    EXPECT_EQ(stats.by_kind.at(0), 1u);
    EXPECT_EQ(stats.by_kind.at(10), 1u);
    EXPECT_EQ(stats.mean_to_verdict, Duration(std::chrono::seconds(3)));
    EXPECT_EQ(stats.at_risk, (std::vector<model::Money>{{"USD", "12.50"}}));
    QuarantineFilter quarantine(default_tenant());
    quarantine.reason = "missing_field";
    EXPECT_EQ(queries.quarantined(quarantine).value().items.at(0).times, 2u);
    std::vector<std::string> counts;
    const auto rows = queries.counts(CountFilter(default_tenant())).value();
    for (const auto& row : rows) {
        counts.push_back(row.source + " " + row.hop + "." + row.counter + "=" +
                         std::to_string(row.value));
    }
    EXPECT_THAT(counts, ElementsAre("aws gateway.received=2", "aws store.stored=1",
                                    "gcp store.stored=1", "aws store.copies=1"));
}

TEST(SingleFile, becomes_the_current_file_and_slices) {
    Bench bench;
    make_store_of_first_release(bench);
    ASSERT_TRUE(split_single_file(bench.options));
    EXPECT_FALSE(std::filesystem::exists(bench.options.file.parent_path() / "store.db"));
    ASSERT_TRUE(Tables::open(bench.options)) << "which knows its slices";
    ASSERT_TRUE(Tables::open(bench.options).value()->write({}));
    expect_all_to_be_there(*bench.queries());
    auto database = *Database::open(bench.options.file, Database::Mode::read);
    auto kinds = database.prepare("SELECT group_concat(kind, ' ') FROM case_kinds");
    ASSERT_TRUE(kinds->row());
    EXPECT_EQ(kinds->text(0), "0 10");
    EXPECT_EQ(applied_offsets(bench.options.file, Database::Mode::read).value(),
              (log::Offsets{{{TopicId{1}, 0}, Offset{7}}}));
}

TEST(SingleFile, that_was_left_in_the_middle_is_split_again_and_comes_to_the_same) {
    Bench bench;
    make_store_of_first_release(bench);
    const auto single = bench.options.file.parent_path() / "store.db";
    const auto kept = std::filesystem::path(bench.folder.path()) / "kept.db";
    std::filesystem::copy(single, kept);
    ASSERT_TRUE(split_single_file(bench.options));
    std::filesystem::remove(bench.options.file);
    std::filesystem::copy(kept, single);  // slices are there, the rest is as it was
    ASSERT_TRUE(Tables::open(bench.options).value()->write({}));
    expect_all_to_be_there(*bench.queries());
}

/// Back to when sums were per minute.
constexpr SqlText to_minutes{R"sql(
UPDATE case_sums SET "start" = "start" - "start" % 60000000000 WHERE level = 0;
DELETE FROM migrations WHERE number = 7;
PRAGMA user_version = 6)sql"};

TEST(Migration, sums_of_minutes_become_sums_of_half_minutes) {
    Bench bench;
    const auto after = [](int s) { return epoch_of_tests + std::chrono::seconds(s); };
    bench.append(testing::a_verdict("A", 1, model::VerdictStatus::matched, after(45)));
    bench.append(testing::a_verdict("B", 1, model::VerdictStatus::pending, std::nullopt));
    bench.project();
    {
        auto database = *Database::open(bench.options.file, Database::Mode::write);
        ASSERT_TRUE(database.execute(to_minutes));
    }
    ASSERT_TRUE(Tables::open(bench.options));
    auto queries = bench.queries();
    StatsFilter filter(default_tenant());
    for (const auto& [start, matched] : {std::pair(0, 0U), std::pair(30, 1U)}) {
        filter.reconciled = {after(start), after(start + 30)};
        const auto stats = queries->stats(filter).value();
        EXPECT_EQ(stats.by_status[1], matched);
        EXPECT_EQ(stats.by_status[0], 1U) << "pending";
    }
    ASSERT_TRUE(Tables::open(bench.options)) << "and stays";
    EXPECT_EQ(queries->stats(filter).value().by_status[1], 1U);
}

TEST(SingleFile, where_there_is_none_nothing_happens) {
    Bench bench;
    EXPECT_TRUE(split_single_file(bench.options));
    bench.append(testing::an_event("e", "OrderPlaced", "A"));
    bench.project();
    EXPECT_TRUE(split_single_file(bench.options));
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 1u);
}

}  // namespace
}  // namespace helios::store
