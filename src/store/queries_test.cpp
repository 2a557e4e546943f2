#include "store/queries.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <set>
#include <thread>

#include "base/patience.h"
#include "store/database.h"
#include "store/slice.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

// Forgetting the tenant must not compile.
template <class... T>
constexpr bool has_no_default = (!std::is_default_constructible_v<T> && ...);
static_assert(
    has_no_default<CaseId, CaseFilter, StatsFilter, EventFilter, QuarantineFilter, CountFilter>);

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

model::Verdict broken(std::string key, std::uint32_t revision, std::int64_t seconds,
                      FindingKind kind = FindingKind::amount,
                      VerdictStatus status = VerdictStatus::mismatched) {
    auto verdict = a_verdict(std::move(key), revision, status, after(seconds));
    verdict.findings = {a_finding(kind)};
    return verdict;
}

std::vector<std::string> keys_of(const std::vector<model::Verdict>& verdicts) {
    std::vector<std::string> keys;
    for (const auto& verdict : verdicts) {
        keys.push_back(verdict.key);
    }
    return keys;
}

TEST(Latest, is_the_newest_revision_of_the_newest_instance) {
    Bench bench;
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 2, VerdictStatus::partial, after(60)));
    bench.project();
    auto queries = bench.queries();
    EXPECT_EQ(VerdictStatus::partial,
              queries->latest({default_tenant(), "order", "A"}).value().status);
    auto second = a_verdict("A", 1, VerdictStatus::pending, std::nullopt);
    second.instance = 2;
    bench.append(second);
    bench.append(a_verdict("A", 3, VerdictStatus::matched,
                           after(70)));  // an amendment of the first instance
    bench.project();
    EXPECT_EQ(queries->latest({default_tenant(), "order", "A"}).value().instance, 2u);
    EXPECT_EQ(queries->revisions({default_tenant(), "order", "A"}).value().size(), 4u);
    EXPECT_EQ(queries->latest({default_tenant(), "order", "a"}).error().kind, ErrorKind::not_found);
    EXPECT_EQ(queries->latest({*TenantId::parse("other"), "order", "A"}).error().kind,
              ErrorKind::not_found);
    EXPECT_THAT(queries->flows_with(default_tenant(), "A").value(),
                ::testing::ElementsAre("order"));
}

TEST(Latest, keys_are_text_of_any_bytes) {
    Bench bench;
    const std::vector<std::string> keys{
        "0012", "12",  "a/b", "../../etc/passwd", "Привет ☃", "' OR 1=1 --", std::string(1024, 'k'),
        "%",    "a\nb"};
    for (const auto& key : keys) {
        bench.append(a_verdict(key, 1, VerdictStatus::pending, std::nullopt));
    }
    bench.project();
    auto queries = bench.queries();
    for (const auto& key : keys) {
        EXPECT_EQ(key, queries->latest({default_tenant(), "order", key}).value().key);
    }
}

TEST(Mismatches, newest_first_with_filters) {
    Bench bench;
    bench.append(broken("A", 2, 10));
    bench.append(broken("B", 2, 20, FindingKind::missing, VerdictStatus::partial));
    bench.append(a_verdict("C", 2, VerdictStatus::matched, after(30)));
    bench.append(a_verdict("D", 1, VerdictStatus::pending, std::nullopt));
    bench.append(broken("E", 2, 20));
    auto other_flow = broken("A", 1, 15, FindingKind::skew);
    other_flow.flow = "refund";
    bench.append(other_flow);
    bench.project();
    auto queries = bench.queries();
    EXPECT_THAT(keys_of(queries->cases(CaseFilter::mismatches(default_tenant())).value().items),
                ::testing::ElementsAre("E", "B", "A", "A"));
    auto filter = CaseFilter::mismatches(default_tenant());
    filter.statuses = {VerdictStatus::partial};
    EXPECT_THAT(keys_of(queries->cases(filter).value().items), ::testing::ElementsAre("B"));
    filter = CaseFilter::mismatches(default_tenant());
    filter.kind = FindingKind::skew;
    EXPECT_EQ(queries->cases(filter).value().items.at(0).flow, "refund");
    filter = CaseFilter::mismatches(default_tenant());
    filter.flow = "order";
    filter.times = {after(10), after(20)};  // [start, end)
    EXPECT_THAT(keys_of(queries->cases(filter).value().items), ::testing::ElementsAre("A"));
}

/// Pages through everything; `between` runs after each page.
template <class Between>
std::vector<std::string> walk(Queries& queries, std::size_t limit, Between between) {
    std::vector<std::string> seen;
    auto filter = CaseFilter::mismatches(default_tenant());
    filter.limit = limit;
    for (;;) {
        auto page = queries.cases(filter);
        RC_ASSERT(page.has_value());
        RC_ASSERT(page->items.size() <= limit);
        for (const auto& verdict : page->items) {
            seen.push_back(verdict.key);
        }
        if (!page->next) {
            return seen;
        }
        filter.after = page->next;
        between();
    }
}

TEST(Mismatches, a_walk_shows_every_case_once_and_amended_ones_move_to_the_front) {
    EXPECT_TRUE(rc::check("cursor is stable", [] {
        const auto cases = *rc::gen::inRange(1, 25);
        const auto limit = static_cast<std::size_t>(*rc::gen::inRange(1, 7));
        Bench bench;
        for (int i = 0; i < cases; ++i) {
            bench.append(broken("K" + std::to_string(i), 1,
                                *rc::gen::inRange(0, 4)));  // many share a reconciledAt
        }
        bench.project();
        auto queries = bench.queries();
        std::set<std::string> amended;
        std::uint32_t revision = 1;
        const auto seen = walk(*queries, limit, [&] {
            const auto key = "K" + std::to_string(*rc::gen::inRange(0, cases));
            ++revision;
            bench.append(broken(key, revision, 100 + revision));
            bench.project();
            amended.insert(key);
        });
        for (int i = 0; i < cases; ++i) {
            const auto key = "K" + std::to_string(i);
            const auto times = std::count(seen.begin(), seen.end(), key);
            if (amended.contains(key)) {
                RC_ASSERT(times <= 1);  // moved in front of the walk, or was shown before
            } else {
                RC_ASSERT(times == 1);
            }
        }
    }));
}

TEST(Mismatches, a_case_that_is_amended_to_matched_leaves_the_list) {
    Bench bench;
    bench.append(broken("A", 1, 10));
    bench.project();
    EXPECT_EQ(bench.queries()->cases(CaseFilter::mismatches(default_tenant())).value().items.size(),
              1u);
    bench.append(a_verdict("A", 2, VerdictStatus::matched, after(20)));
    bench.project();
    EXPECT_TRUE(
        bench.queries()->cases(CaseFilter::mismatches(default_tenant())).value().items.empty());
}

TEST(Mismatches, an_older_revision_that_comes_late_changes_nothing) {
    Bench bench;
    bench.append(broken("A", 3, 30));
    bench.append(a_verdict("A", 2, VerdictStatus::matched, after(20)));
    bench.project();
    EXPECT_EQ(bench.queries()->latest({default_tenant(), "order", "A"}).value().revision, 3u);
    EXPECT_EQ(bench.queries()->cases(CaseFilter::mismatches(default_tenant())).value().items.size(),
              1u);
}

TEST(Stats, counts_and_exact_sums) {
    Bench bench;
    for (int i = 0; i < 10; ++i) {
        auto verdict = broken("K" + std::to_string(i), 2, 10 + i);
        verdict.at_risk = {{"EUR", "0.1"}, {"USD", "90071992547409930.01"}};
        bench.append(verdict);
    }
    bench.append(a_verdict("M", 2, VerdictStatus::matched, after(5)));
    bench.append(a_verdict("P", 1, VerdictStatus::pending, std::nullopt));
    auto late = a_verdict("L", 2, VerdictStatus::matched, after(1000));
    late.findings = {a_finding(FindingKind::late), a_finding(FindingKind::late)};
    bench.append(late);
    bench.project();
    auto queries = bench.queries();
    const auto all = queries->stats(StatsFilter(default_tenant())).value();
    EXPECT_EQ(all.by_status[0], 1u);
    EXPECT_EQ(all.by_status[1], 2u);
    EXPECT_EQ(all.by_status[3], 10u);
    EXPECT_EQ(all.by_kind[static_cast<std::size_t>(FindingKind::amount)], 10u);
    EXPECT_EQ(all.by_kind[static_cast<std::size_t>(FindingKind::late)], 1u);  // cases, not findings
    EXPECT_THAT(all.at_risk, ::testing::ElementsAre(model::Money{"EUR", "1.00"},
                                                    model::Money{"USD", "900719925474099300.10"}));
    EXPECT_NEAR(std::chrono::duration<double>(*all.p99_to_verdict).count(), 1000, 10) << "1 %";
    StatsFilter filter(default_tenant());
    filter.reconciled = {after(5), after(11)};
    const auto some = queries->stats(filter).value();
    EXPECT_EQ(some.by_status[1], 1u);
    EXPECT_EQ(some.by_status[3], 1u);
    EXPECT_EQ(std::chrono::milliseconds(7500), some.mean_to_verdict);
    EXPECT_FALSE(queries->stats(StatsFilter(*TenantId::parse("nobody"))).value().mean_to_verdict);
}

TEST(Stats, one_absurd_amount_does_not_take_the_figures_away) {
    Bench bench;
    const std::string nines(38, '9');
    for (const auto& [key, amount] : std::map<std::string, std::string>{
             {"A", nines + ".00"}, {"B", "0.01"}, {"C", nines + ".00"}}) {
        auto verdict = broken(key, 2, 10);
        verdict.at_risk = {{"USD", amount}};
        bench.append(verdict);
    }
    auto verdict = broken("D", 2, 10);
    verdict.at_risk = {{"US dollars\nand more", "1.00"}};
    bench.append(verdict);
    bench.project();
    const auto stats = bench.queries()->stats(StatsFilter(default_tenant()));
    ASSERT_TRUE(stats) << stats.error().what;
    EXPECT_THAT(stats->at_risk,
                ::testing::ElementsAre(model::Money{"US dollars and more", "1.00"},
                                       model::Money{"USD", "1" + std::string(37, '9') + "8.01"}));
}

TEST(Stats, time_to_verdict_is_that_of_the_first_decision) {
    Bench bench;
    bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    bench.append(a_verdict("A", 2, VerdictStatus::partial, after(60)));
    bench.append(a_verdict("A", 3, VerdictStatus::matched, after(86'400)));
    bench.project();
    EXPECT_EQ(std::chrono::seconds(60),
              bench.queries()->stats(StatsFilter(default_tenant())).value().mean_to_verdict);
}

TEST(Events, pages_newest_first_by_every_filter) {
    EXPECT_TRUE(rc::check("event pages", [] {
        Bench bench;
        const auto n = *rc::gen::inRange(0, 40);
        std::vector<model::Event> appended;
        for (int i = 0; i < n; ++i) {
            appended.push_back(
                an_event("e" + std::to_string(i),
                         *rc::gen::element<std::string>("OrderPlaced", "PaymentProcessed", "Odd"),
                         *rc::gen::element<std::string>("A", "B", ""),
                         *rc::gen::element<std::string>("aws", "gcp")));
            bench.append(appended.back());
        }
        bench.project();
        auto queries = bench.queries();
        EventFilter filter(default_tenant());
        filter.limit = static_cast<std::size_t>(*rc::gen::inRange(1, 9));
        if (*rc::gen::arbitrary<bool>()) {
            filter.key = "A";
        }
        if (*rc::gen::arbitrary<bool>()) {
            filter.type = "OrderPlaced";
        }
        if (*rc::gen::arbitrary<bool>()) {
            filter.source = "gcp";
        }
        std::vector<std::string> expected;
        for (auto it = appended.rbegin(); it != appended.rend(); ++it) {
            if ((!filter.key || it->key == *filter.key) &&
                (!filter.type || it->type == *filter.type) &&
                (!filter.source || it->source == *filter.source)) {
                expected.push_back(it->id);
            }
        }
        std::vector<std::string> seen;
        for (;;) {
            const auto page = queries->events(filter);
            RC_ASSERT(page.has_value());
            for (const auto& row : page->items) {
                seen.push_back(row.event_id);
            }
            if (!page->next) {
                break;
            }
            filter.after = page->next;
        }
        RC_ASSERT(expected == seen);
    }));
}

TEST(Events, by_id_of_several_origins_and_with_what_was_extracted) {
    Bench bench;
    const auto position = bench.append(an_event("x", "OrderPlaced", "A"));
    bench.append(an_event("x", "PaymentProcessed", "A", "gcp"));
    bench.project();
    auto queries = bench.queries();
    EXPECT_EQ(queries->events_by_id(default_tenant(), "x", std::nullopt).value().size(), 2u);
    const auto one = queries->events_by_id(default_tenant(), "x", "aws").value();
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].customer, "C-A");
    EXPECT_EQ(one[0].pointer, position.at);
    EXPECT_EQ(one[0].pointer.partition.topic, model::topic::orders);
    EXPECT_EQ(position.log_time, one[0].log_time);
}

TEST(Quarantine, one_row_per_id_that_knows_how_often_it_came) {
    Bench bench;
    model::Quarantined item(default_tenant());
    item.id = "q1";
    item.source = "aws";
    item.reason = "missing_field";
    item.key = "ORD-1";
    item.body = "{";
    const auto first = bench.append(item);
    bench.clock.advance(std::chrono::seconds(10));
    bench.append(item);
    item.id = "q2";
    item.key = "";
    bench.append(item);
    bench.project();
    auto queries = bench.queries();
    const auto page = queries->quarantined(QuarantineFilter(default_tenant())).value();
    ASSERT_EQ(page.items.size(), 2u);
    EXPECT_EQ(page.items[0].dlq_id, "q2");
    EXPECT_EQ(page.items[1].times, 2u);
    EXPECT_EQ(first.log_time, page.items[1].first_at);
    QuarantineFilter filter(default_tenant());
    filter.key = "ORD-1";
    EXPECT_EQ(queries->quarantined(filter).value().items.size(), 1u);
    filter = QuarantineFilter(default_tenant());
    filter.limit = 1;
    const auto one = queries->quarantined(filter).value();
    ASSERT_TRUE(one.next);
    filter.after = one.next;
    EXPECT_EQ(queries->quarantined(filter).value().items.at(0).dlq_id, "q1");
    EXPECT_EQ(queries->quarantined_item(default_tenant(), "q3").error().kind, ErrorKind::not_found);
}

TEST(Quarantine, lists_are_of_one_status_and_an_item_knows_what_became_of_it) {
    Bench bench;
    std::size_t undecided = 0;
    const auto keep = [&](const std::string& id, const std::string& type) {
        model::Quarantined item(default_tenant());
        item.id = id;
        item.source = "aws";
        item.reason = "missing_field";
        item.event_type = type;
        const auto value = model::encode(item);
        bench.append(model::topic::dlq, model::RecordType::quarantined, model::quarantined_version,
                     id, value);
        if (id == "a" || id == "c") {
            undecided += id.size() + value.size();
        }
    };
    const auto comes = [&](const std::string& id, model::DlqResult what, std::uint32_t attempt) {
        model::DlqOutcome outcome(default_tenant());
        outcome.id = id;
        outcome.what = what;
        outcome.attempt = attempt;
        outcome.event_id = "e-" + id;
        outcome.who = "ann";
        outcome.edited = {"id", "time"};
        bench.append(outcome);
    };
    using model::DlqResult;
    using model::DlqStatus;
    for (const auto* id : {"a", "b", "c", "d"}) {
        keep(id, id == std::string("a") ? "OrderPlaced" : "X");
    }
    comes("a", DlqResult::failed, 1);
    comes("b", DlqResult::failed, 1);
    comes("b", DlqResult::accepted, 2);
    comes("b", DlqResult::discarded, 0);
    comes("c", DlqResult::exhausted, 3);
    comes("d", DlqResult::exhausted, 3);
    comes("d", DlqResult::discarded, 0);
    comes("d", DlqResult::failed, 4);
    comes("nobody", DlqResult::accepted, 1);
    bench.project();
    const auto queries = bench.queries();
    const auto ids = [&](QuarantineFilter filter) {
        std::string out;
        const auto page = queries->quarantined(filter).value();
        for (const auto& row : page.items) {
            out += row.dlq_id;
        }
        return out;
    };
    const auto size = queries->quarantine_size().value();
    EXPECT_EQ(size.bytes, undecided) << "a and c: nobody has decided about them";
    EXPECT_FALSE(size.next_offsets.empty());
    QuarantineFilter filter(default_tenant());
    EXPECT_EQ(ids(filter), "a") << "what waits, unless something else is asked for";
    filter.type = "X";
    EXPECT_EQ(ids(filter), "");
    for (const auto& [status, expected] :
         {std::pair(DlqStatus::waiting, ""), std::pair(DlqStatus::accepted, "b"),
          std::pair(DlqStatus::exhausted, "c"), std::pair(DlqStatus::discarded, "d")}) {
        filter.status = status;
        EXPECT_EQ(ids(filter), expected) << model::to_string(status);
    }
    EXPECT_EQ(queries->quarantined_item(default_tenant(), "d").value().attempts, 4u);
    const auto outcomes = queries->dlq_outcomes(default_tenant(), "b").value();
    ASSERT_EQ(outcomes.size(), 3u);
    EXPECT_EQ(outcomes[1].what, DlqResult::accepted);
    EXPECT_EQ(outcomes[1].attempt, 2u);
    EXPECT_EQ(outcomes[1].event_id, "e-b");
    EXPECT_EQ(outcomes[1].who, "ann");
    EXPECT_EQ(outcomes[1].edited, "id time");
    EXPECT_TRUE(queries->dlq_outcomes(default_tenant(), "nobody").value().empty());
    const auto before = bench.dumped();
    bench.project();
    EXPECT_EQ(bench.dumped(), before);
}

TEST(Quarantine, a_redrive_is_open_until_its_end_and_adds_up_what_became_of_its_items) {
    Bench bench;
    const auto append = [&](const model::RedriveRecord& record) {
        bench.append(model::topic::dlq, model::RecordType::redrive, model::redrive_version,
                     record.id, model::encode(record));
    };
    model::RedriveRecord record(default_tenant());
    record.id = "r";
    record.filter = "{}";
    record.who = "ann";
    record.at = after(1);
    record.until = after(2);
    record.total = 5;
    append(record);
    using model::DlqResult;
    for (const auto& [what, reason] :
         {std::pair(DlqResult::accepted, ""), std::pair(DlqResult::accepted, ""),
          std::pair(DlqResult::duplicate, ""), std::pair(DlqResult::exhausted, "conflict"),
          std::pair(DlqResult::exhausted, "missing_field")}) {
        model::DlqOutcome outcome(default_tenant());
        outcome.id = "q";
        outcome.what = what;
        outcome.reason = reason;
        outcome.redrive = "r";
        bench.append(outcome);
    }
    bench.project();
    auto queries = bench.queries();
    const auto open = queries->open_redrives().value();
    ASSERT_EQ(open.size(), 1u);
    EXPECT_EQ(open[0].id, "r");
    EXPECT_EQ(open[0].who, "ann");
    EXPECT_EQ(open[0].until, after(2));
    EXPECT_EQ(open[0].accepted, 2u);
    EXPECT_EQ(open[0].duplicate, 1u);
    EXPECT_EQ(open[0].conflict, 1u);
    EXPECT_EQ(open[0].failed, 1u);
    EXPECT_FALSE(open[0].ended_at);
    record.phase = model::RedrivePhase::stopped;
    record.skipped = 1;
    record.detail = "why";
    append(record);
    bench.project();
    EXPECT_TRUE(queries->open_redrives().value().empty());
    const auto row = queries->redrive(default_tenant(), "r").value();
    EXPECT_EQ(row.phase, model::RedrivePhase::stopped);
    EXPECT_EQ(row.total, 5u);
    EXPECT_EQ(row.skipped, 1u);
    EXPECT_EQ(row.detail, "why");
    EXPECT_EQ(queries->redrive(default_tenant(), "x").error().kind, ErrorKind::not_found);
}

TEST(Quarantine, a_repeat_raises_times_and_moves_the_item_to_the_front) {
    Bench bench;
    model::Quarantined item(default_tenant());
    item.id = "q1";
    item.body = "{";
    const auto first = bench.append(item);
    item.id = "q2";
    bench.append(item);
    bench.clock.advance(std::chrono::seconds(10));
    const auto append = [&](const model::QuarantineRepeat& repeat) {
        bench.append(model::topic::dlq, model::RecordType::quarantine_repeat,
                     model::quarantine_repeat_version, repeat.id, model::encode(repeat));
    };
    const auto last = bench.clock.wall();
    append(testing::a_repeat("q1", 300, last));
    append(testing::a_repeat("q1", 2, first.log_time));
    append(testing::a_repeat("never kept", 2, last));
    bench.project();
    const auto page = bench.queries()->quarantined(QuarantineFilter(default_tenant())).value();
    ASSERT_EQ(page.items.size(), 2u);
    EXPECT_EQ(page.items[0].dlq_id, "q1");
    EXPECT_EQ(page.items[0].times, 303u);
    EXPECT_EQ(first.log_time, page.items[0].first_at);
    EXPECT_EQ(last, page.items[0].last_at);
    EXPECT_EQ(page.items[1].times, 1u);
}

TEST(History, legs_and_what_else_could_change_the_verdict_in_order) {
    Bench bench;
    const auto key = model::case_log_key(default_tenant(), "order", "A");
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "A";
    const auto partition = bench.append(model::CaseRecord(leg), key).at.partition.index;
    bench.append(model::CaseRecord(model::TickRecord{after(1)}), "", partition);
    bench.append(model::CaseRecord(testing::absence_until(2)), "", partition);
    bench.append(model::CaseRecord(testing::absence_until(9)), "", (partition + 1) % 4);
    bench.append(model::CaseRecord(testing::a_flow_record(after(3), "refund", 1, "", "")), "",
                 partition);
    const auto flow = bench.append(
        model::CaseRecord(testing::a_flow_record(after(3), "order", 2, "", "")), "", partition);
    const auto last = bench.append(model::CaseRecord(leg), key);
    bench.project();
    const auto history = bench.queries()->history({default_tenant(), "order", "A"}).value();
    ASSERT_EQ(history.records.size(), 3u);
    EXPECT_EQ(history.records[1].pointer, flow.at);
    EXPECT_EQ(history.records[2].pointer, last.at);
    const auto absences =
        bench.queries()->absences({default_tenant(), "order", "A"}, after(0)).value();
    ASSERT_EQ(absences.size(), 1u);
    EXPECT_EQ(testing::absence_until(2), absences[0]);
    EXPECT_TRUE(
        bench.queries()->absences({default_tenant(), "order", "A"}, after(2)).value().empty())
        << "over by then";
    EXPECT_TRUE(bench.queries()->history({default_tenant(), "order", "B"}).value().records.empty());
}

TEST(History, what_route_read_of_our_absence_is_no_record_of_a_case) {
    Bench bench;
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "A";
    bench.append(model::CaseRecord(leg), model::case_log_key(default_tenant(), "order", "A"), 0);
    const model::CaseRecord absence(testing::absence_until(2));
    bench.append(model::topic::flows, model::RecordType::absence, model::absence_version, "absence",
                 model::encode(testing::absence_until(2)));
    bench.append(absence, "", 0);
    bench.project();
    const auto absences =
        bench.queries()->absences({default_tenant(), "order", "A"}, after(0)).value();
    EXPECT_EQ(absences.size(), 1u) << "one partition 0 is not the other";
}

TEST(Queries, many_threads_share_few_connections_while_the_writer_writes) {
    Bench bench;
    bench.options.readers_max = 2;
    bench.append(broken("A", 1, 10));
    auto projector = bench.open();
    ASSERT_TRUE(projector);
    ASSERT_TRUE((*projector)->catch_up(bench.log->last_log_time() + Duration{1}));
    (*projector)->start();
    auto queries = bench.queries();
    std::vector<std::jthread> threads;
    std::atomic<int> failures = 0;
    for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                failures += queries->latest({default_tenant(), "order", "A"}) ? 0 : 1;
                failures += queries->stats(StatsFilter(default_tenant())) ? 0 : 1;
            }
        });
    }
    for (std::uint32_t i = 2; i < 100; ++i) {
        bench.append(broken("A", i, 10 + i));
    }
    threads.clear();
    EXPECT_EQ(failures, 0);
}

TEST(Queries, a_query_that_runs_too_long_is_stopped) {
    Bench bench;
    for (int i = 0; i < 300; ++i) {
        bench.append(a_verdict("K" + std::to_string(i), 1, VerdictStatus::pending, std::nullopt));
    }
    bench.project();
    SystemClock clock;
    auto database = Database::open(bench.options.file, Database::Mode::read);
    ASSERT_TRUE(database);
    auto product =
        database->prepare("SELECT count(*) FROM verdicts a, verdicts b, verdicts c, verdicts d");
    ASSERT_TRUE(product);
    database->set_deadline(clock, clock.monotonic() + std::chrono::milliseconds(20));
    EXPECT_FALSE(product->row());
    EXPECT_EQ(product->status().error().kind, ErrorKind::timeout);
    EXPECT_EQ(product->status().error().message().find("SQLite"), std::string::npos)
        << "what to do, not which library";
}

TEST(Queries, a_query_ends_with_the_patience_of_whoever_asked) {
    Bench bench;
    for (int i = 0; i < 300; ++i) {
        bench.append(a_verdict("K" + std::to_string(i), 1, VerdictStatus::pending, std::nullopt));
    }
    bench.project();
    SystemClock clock;
    auto database = Database::open(bench.options.file, Database::Mode::read);
    ASSERT_TRUE(database);
    const auto ends = [&](const Patience& patience) {
        auto product = database->prepare(
            "SELECT count(*) FROM verdicts a, verdicts b, verdicts c, verdicts d");
        const PatienceScope scope(patience);
        database->set_deadline(clock, clock.monotonic() + std::chrono::hours(1));
        return product && !product->row() ? product->status().error().kind : ErrorKind::invalid;
    };
    EXPECT_EQ(ends({.until = clock.monotonic() + std::chrono::milliseconds(20)}),
              ErrorKind::timeout);
    std::atomic<bool> gone = false;
    std::jthread leaves([&] { gone = true; });
    EXPECT_EQ(ends({.gone = &gone}), ErrorKind::stopping);
}

TEST(Queries, a_file_that_another_process_has_locked_is_waited_for_as_long_as_whoever_asks_waits) {
    Bench bench;
    const auto at = bench.append(an_event("e", "OrderPlaced", "A")).log_time;
    bench.project();
    auto other =
        Database::open(slice_file(bench.options.file, slice_at(at, bench.options.slice).start),
                       Database::Mode::write);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->execute("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE;"));
    SystemClock clock;
    const auto locked = [&](const Patience& patience) {
        const PatienceScope scope(patience);
        auto queries = Queries::open(bench.options, clock);
        EXPECT_TRUE(queries);
        return (*queries)->events(EventFilter(default_tenant())).error();
    };
    const auto told = locked({.until = clock.monotonic() + std::chrono::milliseconds(200)});
    EXPECT_EQ(told.kind, ErrorKind::unavailable);
    EXPECT_EQ(told.what, "the store is locked by another process");
    std::atomic<bool> gone = false;
    std::jthread leaves([&] { gone = true; });
    const auto began = clock.monotonic();
    EXPECT_FALSE(locked({.gone = &gone}).what.empty());
    EXPECT_LT(clock.monotonic() - began, std::chrono::seconds(4)) << "nobody waits for it";
}

TEST(Flows, every_version_by_activation) {
    Bench bench;
    bench.append(testing::an_activation("order", 1, "a", "ha"));
    bench.append(testing::an_activation("order", 2, "b", "hb"));
    bench.append(testing::an_activation("order", 1, "a", "ha"));  // activated again
    bench.project();
    const auto flows = bench.queries()->flows(default_tenant()).value();
    ASSERT_EQ(flows.size(), 2u);
    EXPECT_EQ(flows.back().version, 1u);
}

}  // namespace
}  // namespace helios::store
