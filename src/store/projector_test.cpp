#include "store/projector.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sstream>
#include <thread>

#include "store/database.h"
#include "store/migrations.h"
#include "store/queries.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using model::FindingKind;
using model::VerdictStatus;
using testing::a_finding;
using testing::a_verdict;
using testing::an_event;
using testing::Bench;
using testing::epoch_of_tests;

Instant after(std::int64_t seconds) {
    return epoch_of_tests + std::chrono::seconds(seconds);
}

model::Quarantined a_quarantined(std::string id, std::string key) {
    model::Quarantined item(default_tenant());
    item.id = std::move(id);
    item.source = "gcp";
    item.endpoint = "/api/v1/events/ingest";
    item.reason = "missing_field";
    item.detail = "amount is missing";
    item.key = std::move(key);
    item.body = "{}";
    item.headers = "{}";
    return item;
}

/// A little of everything, the way the stages write it.
void fill(Bench& bench, int orders) {
    bench.append(testing::an_activation("order", 1, "flow: order", "abc"));
    bench.append(
        model::CaseRecord(testing::a_flow_record(after(0), "order", 1, "flow: order", "abc")), "",
        0);
    for (int i = 0; i < orders; ++i) {
        const auto key = "ORD-" + std::to_string(i);
        bench.append(an_event("e-" + std::to_string(i), "OrderPlaced", key));
        bench.append(an_event("p-" + std::to_string(i), "PaymentProcessed", key, "gcp"));
        model::LegRecord leg(default_tenant());
        leg.flow = "order";
        leg.key = key;
        leg.leg = "order";
        leg.at = after(i);
        bench.append(model::CaseRecord(leg), model::case_log_key(default_tenant(), "order", key));
        bench.append(a_verdict(key, 1, VerdictStatus::pending, std::nullopt));
        if (i % 3 != 0) {
            auto verdict =
                a_verdict(key, 2, i % 3 == 1 ? VerdictStatus::matched : VerdictStatus::partial,
                          after(60 + i));
            if (verdict.status == VerdictStatus::partial) {
                verdict.findings = {a_finding(FindingKind::missing)};
                verdict.at_risk = {{"USD", "0.10"}};
            }
            bench.append(verdict);
        }
        if (i % 3 == 1) {
            bench.append(an_event("p-" + std::to_string(i), "PaymentProcessed", key, "gcp"));
            bench.append(an_event("e-" + std::to_string(i / 3), "OrderPlaced",
                                  "ORD-" + std::to_string(i / 3)));
        }
        if (i % 4 == 0) {
            bench.append(a_quarantined("q-" + std::to_string(i % 8), key));
        }
        bench.append(testing::some_counts("gateway", after(0), {{"received", 1}, {"appended", 1}}));
    }
    bench.append(model::CaseRecord(testing::absence_until(100)), "", 0);
    bench.append(model::CaseRecord(model::TickRecord{after(100)}), "", 0);
}

/// Those that name it.
std::string lines_of(const std::string& text, std::string_view name) {
    std::string found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find(name) != std::string::npos) {
            found += line + "\n";
        }
    }
    return found;
}

TEST(Projector, makes_its_file_anew_when_it_is_gone) {
    Bench bench;
    fill(bench, 9);
    auto projector = *Projector::open(bench.options, *bench.log, bench.telemetry, bench.clock);
    ASSERT_TRUE(projector->catch_up(bench.log->low_watermark()));
    auto queries = *Queries::open(bench.options, bench.clock);
    const CaseId one{default_tenant(), "order", "ORD-1"};
    ASSERT_TRUE(queries->latest(one));
    ASSERT_TRUE(projector->check_file());
    const auto store = bench.options.file.parent_path();
    std::filesystem::remove_all(store);
    EXPECT_FALSE(projector->check_file());
    EXPECT_FALSE(projector->file_health());
    EXPECT_TRUE(projector->health()) << "it is no reason to send traffic elsewhere";
    EXPECT_TRUE(queries->latest(one)) << "what was open answers meanwhile";
    projector->start();
    const auto remade = [&] {
        while (!projector->check_file()) {
            std::this_thread::yield();
        }
        EXPECT_TRUE(queries->latest(one));
        EXPECT_TRUE(projector->file_health());
    };
    remade();
    std::filesystem::remove(std::filesystem::path(bench.options.file).concat("-wal"));
    EXPECT_FALSE(projector->check_file());
    remade();
    std::filesystem::rename(store, bench.folder.path() + "/moved");
    std::filesystem::create_directory(store);
    std::ofstream(bench.options.file) << "something else";
    EXPECT_FALSE(projector->check_file());
    remade();
    bench.append(a_verdict("ORD-NEW", 1, VerdictStatus::matched, after(500)));
    while (projector->frontier().get() <= bench.log->last_log_time()) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(queries->latest({default_tenant(), "order", "ORD-NEW"}));
    projector->stop();
}

TEST(Projector, rows_appear_and_a_restart_goes_on_where_it_stopped) {
    Bench bench;
    fill(bench, 6);
    bench.project();
    const auto first = bench.dumped();
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 12u);

    bench.project();  // nothing new: nothing changes
    EXPECT_EQ(first, bench.dumped());

    bench.append(an_event("late", "OrderPlaced", "ORD-99"));
    bench.project();
    EXPECT_THAT(bench.dumped(), ::testing::HasSubstr("\"event_id\":\"late\""));
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 13u);
}

TEST(Projector, a_second_delivery_of_the_same_records_changes_no_row) {
    Bench bench;
    fill(bench, 8);
    bench.project();
    const auto before = bench.dumped();
    {
        // As if the offsets had been lost but the rows not: sums are then the only thing that may
        // not be repeated.
        auto database = Database::open(bench.options.file, Database::Mode::write);
        ASSERT_TRUE(database);
        ASSERT_TRUE(database->execute(
            "DELETE FROM applied_offsets; DELETE FROM counts WHERE hop <> 'store'"));
    }
    bench.project();
    EXPECT_EQ(before, bench.dumped());
}

TEST(Projector, the_frontier_passes_what_is_visible_and_follows_silence) {
    Bench bench;
    const auto position = bench.append(an_event("e", "OrderPlaced", "ORD-1"));
    auto projector = bench.open();
    ASSERT_TRUE(projector);
    EXPECT_LE((*projector)->frontier().get(), position.log_time);
    ASSERT_TRUE((*projector)->step(Duration{0}));
    EXPECT_GT((*projector)->frontier().get(), position.log_time);
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 1u);

    bench.clock.advance(std::chrono::seconds(5));
    ASSERT_EQ((*projector)->step(Duration{0}).value(), 0u);
    EXPECT_GE((*projector)->frontier().get(), position.log_time + std::chrono::seconds(5));
}

TEST(Projector, runs_on_its_own_thread_and_stops) {
    Bench bench;
    auto projector = bench.open();
    ASSERT_TRUE(projector);
    (*projector)->start();
    Instant last{};
    for (int i = 0; i < 50; ++i) {
        last = bench.append(an_event("e-" + std::to_string(i), "OrderPlaced", "ORD-1")).log_time;
    }
    bench.clock.advance(log::log_time_grain);
    ASSERT_TRUE((*projector)->frontier().wait_for(last + Duration{1}, std::chrono::seconds(30)));
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 50u);
    EXPECT_TRUE((*projector)->health());
    (*projector)->stop();
    (*projector)->stop();
}

TEST(Projector, a_record_that_cannot_be_decoded_is_counted_logged_and_passed) {
    Bench bench;
    bench.append(model::topic::orders, model::RecordType::event, 1, "k", "not an event");
    bench.append(an_event("good", "OrderPlaced", "ORD-1"));
    bench.project();
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 1u);
    EXPECT_EQ(bench.telemetry.metrics.counter("helios_store_undecodable_total", "").value(), 1);
    EXPECT_THAT(bench.lines, ::testing::Contains(::testing::HasSubstr("could not be decoded")));
}

TEST(Projector, a_batch_that_cannot_be_written_waits_and_is_written_once) {
    Bench bench;
    bench.options.retry_pause = std::chrono::milliseconds(1);
    bench.project();
    auto other = Database::open(bench.options.file, Database::Mode::write);
    ASSERT_TRUE(other);
    ASSERT_TRUE(
        other->execute("CREATE TRIGGER full BEFORE INSERT ON verdicts BEGIN SELECT RAISE(ABORT, "
                       "'no space'); END"));
    auto projector = bench.open();
    ASSERT_TRUE(projector);
    bench.append(an_event("e", "OrderPlaced", "A"));
    const Instant last =
        bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt)).log_time;
    EXPECT_FALSE((*projector)->step(Duration{0}));
    EXPECT_FALSE((*projector)->step(Duration{0}));
    EXPECT_TRUE(bench.queries()
                    ->events(EventFilter(default_tenant()))
                    .value()
                    .items.empty());  // all of the batch or nothing
    EXPECT_LE((*projector)->frontier().get(), last);
    (*projector)->start();
    while ((*projector)->health()) {
        std::this_thread::yield();
    }
    EXPECT_THAT((*projector)->health().error().what, ::testing::HasSubstr("no space"));
    ASSERT_TRUE(other->execute("DROP TRIGGER full"));
    bench.clock.advance(log::log_time_grain);
    ASSERT_TRUE((*projector)->frontier().wait_for(last + Duration{1}, std::chrono::seconds(30)));
    while (!(*projector)->health()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(bench.queries()->events(EventFilter(default_tenant())).value().items.size(), 1u);
    EXPECT_EQ(bench.queries()->counts(CountFilter(default_tenant())).value().at(0).value, 1u);
}

TEST(Projector, observes_how_long_verdicts_took_to_show) {
    Bench bench;
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 2, VerdictStatus::matched, after(3)));
    bench.append(a_verdict("A", 3, VerdictStatus::mismatched, after(9)));
    bench.clock.advance(std::chrono::seconds(10));
    bench.project();
    const auto text = bench.telemetry.metrics.expose();
    EXPECT_THAT(text,
                ::testing::HasSubstr(
                    "helios_reconciliation_duration_seconds_count 2"));  // every decided revision
    EXPECT_THAT(text,
                ::testing::HasSubstr(
                    "helios_store_time_to_verdict_seconds_count 1"));  // the first decision only
    EXPECT_THAT(text,
                ::testing::HasSubstr("helios_reconciliation_duration_seconds_bucket{le=\"2\"} 1"));
}

TEST(Projector, counts_stored_events_per_source_and_minute) {
    Bench bench;
    bench.append(an_event("a", "OrderPlaced", "1"));
    bench.append(an_event("b", "OrderPlaced", "2"));
    bench.append(an_event("c", "OrderPlaced", "3", "gcp"));
    bench.clock.advance(std::chrono::minutes(1));
    bench.append(an_event("d", "OrderPlaced", "4"));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 2}}));
    bench.append(testing::some_counts("route", epoch_of_tests, {{"judged", 1}}));
    bench.project();
    const auto counts = bench.queries()->counts(CountFilter(default_tenant())).value();
    std::vector<std::string> seen;
    for (const auto& row : counts) {
        seen.push_back(format_rfc3339(row.minute).substr(11, 5) + " " + row.source + " " + row.hop +
                       "." + row.counter + "=" + std::to_string(row.value));
    }
    EXPECT_THAT(seen,
                ::testing::ElementsAre("10:00 aws route.judged=3", "10:00 aws store.stored=2",
                                       "10:00 gcp store.stored=1", "10:01 aws store.stored=1"));
}

TEST(Projector, refuses_a_file_that_is_newer_foreign_or_of_another_log) {
    Bench bench;
    fill(bench, 2);
    bench.project();
    {
        auto database = Database::open(bench.options.file, Database::Mode::write);
        ASSERT_TRUE(database->set_user_version(newest_migration() + 1));
    }
    auto newer = bench.open();
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(newer.error().what, ::testing::HasSubstr("newer"));
    EXPECT_FALSE(Queries::open(bench.options, bench.clock));
    {
        auto database = Database::open(bench.options.file, Database::Mode::write);
        ASSERT_TRUE(database->set_user_version(newest_migration()));
        ASSERT_TRUE(database->set_application_id(7));
    }
    EXPECT_THAT(bench.open().error().what, ::testing::HasSubstr("not one of Helios"));
    {
        auto database = Database::open(bench.options.file, Database::Mode::write);
        ASSERT_TRUE(database->set_application_id(store_application_id));
        ASSERT_TRUE(database->execute("UPDATE applied_offsets SET next_offset = 1000000"));
    }
    EXPECT_THAT(bench.open().error().hint, ::testing::HasSubstr("rebuild"));
}

TEST(Projector, refuses_a_file_that_is_no_database) {
    Bench bench;
    std::filesystem::create_directories(bench.options.file.parent_path());
    std::FILE* file = std::fopen(bench.options.file.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs(std::string(10'000, 'x').c_str(), file);
    std::fclose(file);
    auto opened = bench.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
}

TEST(Migrations, are_recorded_and_applied_once) {
    Bench bench;
    bench.project();
    auto database = Database::open(bench.options.file, Database::Mode::write);
    ASSERT_TRUE(database);
    EXPECT_TRUE(migrate(*database));
    auto count = database->prepare("SELECT count(*), max(number) FROM migrations");
    ASSERT_TRUE(count->row());
    EXPECT_EQ(count->integer(0), newest_migration() - 1) << "the first is number 2";
    EXPECT_EQ(newest_migration(), count->integer(1));
    EXPECT_EQ(newest_migration(), database->user_version().value());
}

TEST(Migrations, a_file_of_a_build_before_the_first_step_is_refused_and_left_alone) {
    Bench bench;
    bench.project();
    auto database = Database::open(bench.options.file, Database::Mode::write);
    ASSERT_TRUE(database && database->set_user_version(1));
    const auto refused = bench.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(refused.error().hint, ::testing::HasSubstr("rebuild"));
    EXPECT_EQ(database->user_version().value(), 1);
}

TEST(Dump, is_the_same_whatever_the_batches_and_after_a_rebuild) {
    EXPECT_TRUE(rc::check("dump does not depend on batching", [] {
        const auto orders = *rc::gen::inRange(1, 15);
        const auto size = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
        const auto restart_at = *rc::gen::inRange(0, 20);
        Bench bench(size);
        fill(bench, orders);
        {
            auto projector = bench.open();
            for (int i = 0; i < restart_at; ++i) {
                RC_ASSERT((*projector)->step(Duration{0}).has_value());
            }
        }
        bench.project();
        const auto in_pieces = bench.dumped();
        const auto verdicts = bench.dumped_verdicts();
        bench.options.batch_records_max = 20'000;
        RC_ASSERT(rebuild(bench.options, *bench.log, bench.telemetry, bench.clock).has_value());
        RC_ASSERT(in_pieces == bench.dumped());
        RC_ASSERT(verdicts == bench.dumped_verdicts());
    }));
}

TEST(Dump, of_several_revisions_in_a_batch_is_that_of_one_by_one) {
    const auto dumped = [](std::size_t batch_records_max) {
        Bench bench(batch_records_max);
        for (const std::string key : {"A", "B", "C"}) {
            bench.append(a_verdict(key, 1, VerdictStatus::pending, std::nullopt));
            bench.append(a_verdict(key, 3, VerdictStatus::matched, after(3)));
            bench.append(a_verdict(key, 2, VerdictStatus::partial, after(2)));
        }
        bench.append(a_verdict("A", 4, VerdictStatus::mismatched, after(9)));
        bench.append(a_verdict("B", 4, VerdictStatus::pending, std::nullopt));
        bench.append(a_verdict("B", 4, VerdictStatus::matched, after(8)));
        bench.project();
        return bench.dumped() + lines_of(bench.telemetry.metrics.expose(), "_to_verdict_seconds") +
               lines_of(bench.telemetry.metrics.expose(),
                        "helios_reconciliation_duration_seconds_count");
    };
    const auto one_by_one = dumped(1);
    EXPECT_EQ(dumped(3), one_by_one);
    EXPECT_EQ(dumped(100), one_by_one);
}

TEST(Dump, verdicts_are_every_revision_sorted_as_reconcile_prints_them) {
    Bench bench;
    auto other = a_verdict("A", 1, VerdictStatus::pending, std::nullopt);
    other.flow = "refund";
    bench.append(other);
    bench.append(a_verdict("B", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 2, VerdictStatus::matched, after(5)));
    bench.project();
    std::string expected;
    for (const auto& verdict : {a_verdict("A", 1, VerdictStatus::pending, std::nullopt),
                                a_verdict("A", 2, VerdictStatus::matched, after(5)),
                                a_verdict("B", 1, VerdictStatus::pending, std::nullopt), other}) {
        json::Writer line;
        model::write_json(line, verdict);
        expected += line.take() + "\n";
    }
    EXPECT_EQ(expected, bench.dumped_verdicts());
}

TEST(Dump, settled_is_one_line_per_instance_in_the_order_of_bytes) {
    Bench bench;
    auto late = a_verdict("B", 2, VerdictStatus::mismatched, after(70));
    model::Finding finding;
    finding.kind = model::FindingKind::late;
    late.findings.push_back(finding);
    bench.append(late);
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A B", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 2, VerdictStatus::matched, after(5)));
    bench.project();
    const std::string dumped = bench.dumped_settled();
    EXPECT_EQ(std::count(dumped.begin(), dumped.end(), '\n'), 3);
    const auto blank = dumped.find(R"("key":"A B","status":"pending")");
    const auto a = dumped.find(R"("key":"A","status":"matched")");
    const auto b = dumped.find(R"("key":"B","status":"mismatched")");
    ASSERT_NE(blank, std::string::npos) << dumped;
    ASSERT_NE(b, std::string::npos) << dumped;
    EXPECT_LT(blank, a) << "a space before the closing quote";
    EXPECT_LT(a, b);
    EXPECT_EQ(dumped.find("late"), std::string::npos);
    for (const auto* own : {"instance", "revision", "openedAt", "reconciledAt", "receivedAt"}) {
        EXPECT_EQ(dumped.find(own), std::string::npos) << own;
    }
}

TEST(Projector, keeps_rows_whose_records_are_past_retention) {
    Bench bench;
    fill(bench, 5);
    bench.project();
    const auto before = bench.dumped_verdicts();
    bench.drop_all();
    bench.project();
    EXPECT_EQ(bench.dumped_verdicts(), before);
}

TEST(Projector, a_new_store_beside_a_log_that_was_cut_begins_there_only_if_told_to) {
    Bench bench;
    fill(bench, 5);
    bench.project();
    bench.drop_all();
    const auto refused = rebuild(bench.options, *bench.log, bench.telemetry, bench.clock);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::not_found);
    EXPECT_THAT(refused.error().what, ::testing::HasSubstr("past the log's retention"));
    bench.project();  // the old file is there
    EXPECT_NE(bench.dumped_verdicts(), "");

    auto told = bench.options;
    told.from_log_start = true;
    const auto made = rebuild(told, *bench.log, bench.telemetry, bench.clock);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(bench.dumped_verdicts(), "");
    bench.append(a_verdict("LATER", 1, VerdictStatus::matched, after(3)));
    bench.project();  // and whoever opens it later goes on
    EXPECT_THAT(bench.dumped_verdicts(), ::testing::HasSubstr("LATER"));
}

TEST(Projector, a_copy_of_an_event_past_retention_is_a_copy_as_far_as_copies_reach) {
    Bench bench;
    bench.options.copies_within = std::chrono::days(90);
    const auto first = bench.append(an_event("e", "OrderPlaced", "A"));
    bench.project();
    bench.drop_all();
    bench.append(an_event("e", "OrderPlaced", "A"));
    bench.project();
    auto queries = bench.queries();
    const auto events = queries->events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].log_time, first.log_time);
    EXPECT_EQ(events[0].copies, 1u) << "in a slice of weeks later";

    bench.clock.advance(std::chrono::days(91));
    bench.append(an_event("e", "OrderPlaced", "A"));
    bench.project();
    EXPECT_EQ(queries->events(EventFilter(default_tenant())).value().items.size(), 2u)
        << "an older copy is a row of its own";
    EXPECT_EQ(queries->records_under(default_tenant(), events[0]).value().size(), 3u);
}

TEST(Projector, a_store_made_from_a_log_that_was_cut_knows_the_first_copy_that_is_left) {
    Bench bench;
    bench.append(an_event("e", "OrderPlaced", "A"));
    bench.project();
    bench.drop_all();
    const auto left = bench.append(an_event("e", "OrderPlaced", "A"));
    bench.append(an_event("e", "OrderPlaced", "A"));
    bench.options.from_log_start = true;
    ASSERT_TRUE(rebuild(bench.options, *bench.log, bench.telemetry, bench.clock));
    const auto made = bench.dumped();
    const auto events = bench.queries()->events(EventFilter(default_tenant())).value().items;
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].log_time, left.log_time);
    EXPECT_EQ(events[0].copies, 1u);
    bench.options.batch_records_max = 1;
    ASSERT_TRUE(rebuild(bench.options, *bench.log, bench.telemetry, bench.clock));
    EXPECT_EQ(bench.dumped(), made);
}

TEST(Dump, of_a_rebuild_from_an_empty_log_is_empty) {
    Bench bench;
    const auto records = rebuild(bench.options, *bench.log, bench.telemetry, bench.clock);
    ASSERT_TRUE(records) << records.error().message();
    EXPECT_EQ(*records, 0u);
    EXPECT_EQ(bench.dumped(), "");
}

}  // namespace
}  // namespace helios::store
