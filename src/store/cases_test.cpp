/// Lists of cases: every number of the figures has one, in one order, whatever is asked for.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <rapidcheck.h>
#include <set>
#include <tuple>

#include "store/database.h"
#include "store/migrations.h"
#include "store/read_statements.h"
#include "store/records_test_kit.h"
#include "store/tables.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

using model::FindingKind;
using model::VerdictStatus;
using testing::epoch_of_tests;

constexpr int kinds = 11;

Instant after(std::int64_t seconds) {
    return epoch_of_tests + std::chrono::seconds(seconds);
}

/// A store without a log.
struct Written {
    Written() {
        options.file = folder.path() + "/current.db";
        tables = Tables::open(options).value();
        queries = Queries::open(options, clock).value();
    }
    void write(const std::vector<model::Verdict>& verdicts) {
        testing::Records records(next);
        for (const auto& verdict : verdicts) {
            records.add(verdict);
        }
        next += verdicts.size();
        HELIOS_ASSERT(tables->write(records.rows()).has_value(), "the rows are written");
    }

    const TemporaryDirectory folder = testing::a_folder();
    ManualClock clock{epoch_of_tests};
    Options options;
    std::unique_ptr<Tables> tables;
    std::unique_ptr<Queries> queries;
    std::uint64_t next = 0;
};

/// What a case is called in lists.
using Name = std::tuple<std::int64_t, std::string, std::string, std::uint32_t>;

Name name_of(const model::Verdict& verdict, CaseTime by) {
    const Instant at = by == CaseTime::opened ? verdict.opened_at : *verdict.reconciled_at;
    return {to_nanos(at), verdict.flow, verdict.key, verdict.instance};
}

/// Page by page.
std::vector<Name> walk(Queries& queries, CaseFilter filter) {
    std::vector<Name> seen;
    do {
        const auto page = queries.cases(filter);
        RC_ASSERT(page.has_value());
        RC_ASSERT(page->items.size() <= filter.limit);
        for (const auto& verdict : page->items) {
            seen.push_back(name_of(verdict, filter.by));
        }
        filter.after = page->next;
    } while (filter.after);
    return seen;
}

model::Verdict any_revision(std::string flow, std::string key, std::uint32_t instance,
                            std::uint32_t revision) {
    const auto status = static_cast<VerdictStatus>(*rc::gen::inRange(0, 4));
    // Few times, so that many share one.
    auto verdict = testing::a_verdict(std::move(key), revision, status, std::nullopt);
    verdict.flow = std::move(flow);
    verdict.instance = instance;
    verdict.opened_at = after(instance);
    if (status != VerdictStatus::pending) {
        verdict.reconciled_at = after(*rc::gen::inRange(0, 6));
    }
    for (int mask = *rc::gen::inRange(0, 1 << kinds), kind = 0; kind < kinds; ++kind) {
        if ((mask >> kind & 1) != 0) {
            verdict.findings.push_back(testing::a_finding(static_cast<FindingKind>(kind)));
        }
    }
    return verdict;
}

/// The latest revision of each case.
using LatestOfEach = std::map<std::tuple<std::string, std::string, std::uint32_t>, model::Verdict>;

LatestOfEach write_any(Written& store) {
    LatestOfEach latest;
    const auto revisions = *rc::gen::inRange(1, 4);
    for (int revision = 1; revision <= revisions; ++revision) {
        std::vector<model::Verdict> batch;
        for (int i = *rc::gen::inRange(0, 25); i > 0; --i) {
            const std::string flow(1, *rc::gen::element('a', 'b', 'c'));
            const std::string key = "K" + std::to_string(*rc::gen::inRange(0, 5));
            const auto instance = *rc::gen::inRange<std::uint32_t>(1, 4);
            auto verdict = any_revision(flow, key, instance, static_cast<std::uint32_t>(revision));
            if (latest.contains({flow, key, instance}) &&
                latest.at({flow, key, instance}).revision == verdict.revision) {
                continue;
            }
            latest.insert_or_assign({flow, key, instance}, verdict);
            batch.push_back(verdict);
        }
        store.write(batch);
    }
    return latest;
}

bool in(const TimeRange& range, Instant at) {
    return (!range.start || at >= *range.start) && (!range.end || at < *range.end);
}

std::vector<Name> expected(const LatestOfEach& latest, const CaseFilter& filter) {
    std::vector<Name> names;
    for (const auto& [id, verdict] : latest) {
        const bool listed = filter.by == CaseTime::opened
                                ? in(filter.times, verdict.opened_at)
                                : verdict.reconciled_at && in(filter.times, *verdict.reconciled_at);
        const bool of_kind =
            !filter.kind ||
            std::any_of(verdict.findings.begin(), verdict.findings.end(),
                        [&](const auto& finding) { return finding.kind == *filter.kind; });
        const bool of_status = std::find(filter.statuses.begin(), filter.statuses.end(),
                                         verdict.status) != filter.statuses.end();
        if (listed && of_kind && of_status && (!filter.flow || verdict.flow == *filter.flow)) {
            names.push_back(name_of(verdict, filter.by));
        }
    }
    std::sort(names.begin(), names.end(), std::greater{});
    return names;
}

CaseFilter any_filter() {
    CaseFilter filter(default_tenant());
    filter.by = *rc::gen::element(CaseTime::opened, CaseTime::reconciled);
    filter.limit = *rc::gen::inRange<std::size_t>(1, 8);
    if (*rc::gen::arbitrary<bool>()) {
        filter.flow = std::string(1, *rc::gen::element('a', 'b', 'c', 'd'));
    }
    if (*rc::gen::arbitrary<bool>()) {
        filter.kind = static_cast<FindingKind>(*rc::gen::inRange(0, kinds));
    }
    if (*rc::gen::arbitrary<bool>()) {
        filter.statuses = {static_cast<VerdictStatus>(*rc::gen::inRange(0, 4))};
    }
    if (*rc::gen::arbitrary<bool>()) {
        filter.times = {after(*rc::gen::inRange(0, 4)), after(*rc::gen::inRange(1, 7))};
    }
    return filter;
}

TEST(Cases, every_filter_lists_just_these_in_one_order_page_by_page) {
    EXPECT_TRUE(rc::check("as a list of all cases says", [] {
        Written store;
        const auto latest = write_any(store);
        for (int i = 0; i < 20; ++i) {
            const auto filter = any_filter();
            RC_ASSERT(walk(*store.queries, filter) == expected(latest, filter));
        }
    }));
}

TEST(Cases, every_number_of_the_figures_has_a_list) {
    EXPECT_TRUE(rc::check("number and list agree", [] {
        Written store;
        write_any(store);
        StatsFilter asked(default_tenant());
        CaseFilter filter(default_tenant());
        if (*rc::gen::arbitrary<bool>()) {
            asked.flow = filter.flow = std::string(1, *rc::gen::element('a', 'b', 'c'));
        }
        if (*rc::gen::arbitrary<bool>()) {
            asked.reconciled = {after(*rc::gen::inRange(0, 3)), after(*rc::gen::inRange(2, 6))};
        }
        const auto stats = store.queries->stats(asked).value();
        const auto pending = [&] {
            auto open = filter;
            open.statuses = {VerdictStatus::pending};
            return walk(*store.queries, open).size();
        };
        RC_ASSERT(stats.by_status[0] == pending());
        filter.by = CaseTime::reconciled;
        filter.times = asked.reconciled;
        for (int kind = 0; kind < kinds; ++kind) {
            filter.kind = static_cast<FindingKind>(kind);
            RC_ASSERT(stats.by_kind.at(static_cast<std::size_t>(kind)) ==
                      walk(*store.queries, filter).size());
        }
        filter.kind.reset();
        for (int status = 1; status < 4; ++status) {
            filter.statuses = {static_cast<VerdictStatus>(status)};
            RC_ASSERT(stats.by_status.at(static_cast<std::size_t>(status)) ==
                      walk(*store.queries, filter).size());
        }
    }));
}

/// Decided over three hours, many of them just where sums begin.
std::vector<model::Verdict> any_decided() {
    std::vector<model::Verdict> decided;
    for (int i = *rc::gen::inRange(0, 60); i > 0; --i) {
        const auto status = static_cast<VerdictStatus>(*rc::gen::inRange(1, 4));
        const int at = *rc::gen::inRange(0, 3 * 3600);
        const bool on_the_edge = *rc::gen::arbitrary<bool>();
        auto verdict = testing::a_verdict("K" + std::to_string(i), 1, status,
                                          after(on_the_edge ? at - at % 30 : at));
        verdict.flow = std::string(1, *rc::gen::element('a', 'b'));
        verdict.at_risk = {{"EUR", std::to_string(at)}};
        verdict.findings = {testing::a_finding(static_cast<FindingKind>(at % kinds))};
        decided.push_back(verdict);
    }
    return decided;
}

/// What lies before, then stretches, then what lies behind.
std::vector<TimeRange> any_parts() {
    std::vector<TimeRange> parts{{std::nullopt, after(*rc::gen::inRange(0, 3600))}};
    while (*parts.back().end < after(3 * 3600)) {
        const int seconds = *rc::gen::element(30, 60, 300, 3600, *rc::gen::inRange(1, 4000));
        parts.push_back({parts.back().end, *parts.back().end + std::chrono::seconds(seconds)});
    }
    parts.push_back({parts.back().end, std::nullopt});
    return parts;
}

void expect_the_same(const Stats& stats, const Stats& expected) {
    RC_ASSERT(stats.by_status == expected.by_status);
    RC_ASSERT(stats.by_kind == expected.by_kind);
    RC_ASSERT(stats.at_risk == expected.at_risk);
    RC_ASSERT(stats.mean_to_verdict == expected.mean_to_verdict);
    RC_ASSERT(stats.p99_to_verdict == expected.p99_to_verdict);
}

TEST(Cases, figures_of_parts_are_those_of_each_asked_for_alone_and_add_up) {
    EXPECT_TRUE(rc::check("whatever the parts are", [] {
        Written store;
        const auto decided = any_decided();
        store.write(decided);
        StatsFilter asked(default_tenant());
        if (*rc::gen::arbitrary<bool>()) {
            asked.flow = std::string(1, *rc::gen::element('a', 'b', 'c'));
        }
        const auto parts = any_parts();
        const auto figures = store.queries->stats_of(asked.tenant, asked.flow, parts).value();
        expect_the_same(figures.all, store.queries->stats(asked).value());
        RC_ASSERT(figures.parts.size() == parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            asked.reconciled = parts[i];
            expect_the_same(figures.parts[i], store.queries->stats(asked).value());
            const auto matched = std::ranges::count_if(decided, [&](const auto& verdict) {
                return verdict.status == VerdictStatus::matched &&
                       in(parts[i], *verdict.reconciled_at) &&
                       (!asked.flow || verdict.flow == *asked.flow);
            });
            RC_ASSERT(figures.parts[i].by_status[1] == static_cast<std::uint64_t>(matched));
        }
    }));
}

TEST(Cases, a_walk_by_opening_shows_each_that_was_there_once_whatever_happens_meanwhile) {
    Written store;
    std::vector<model::Verdict> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(testing::a_verdict("K" + std::to_string(i), 1, VerdictStatus::pending, {}));
        all.back().opened_at = after(i / 7);
    }
    store.write(all);
    CaseFilter filter(default_tenant());
    filter.limit = 3;
    std::multiset<std::string> seen;
    for (std::uint32_t revision = 2;; ++revision) {
        const auto page = store.queries->cases(filter).value();
        for (const auto& verdict : page.items) {
            seen.insert(verdict.key);
        }
        if (!page.next) {
            break;
        }
        filter.after = page.next;
        for (auto& verdict : all) {
            verdict.revision = revision;
            verdict.status = static_cast<VerdictStatus>(1 + revision % 3);
            verdict.reconciled_at = after(100 + revision);
            verdict.findings = {testing::a_finding(static_cast<FindingKind>(revision % kinds))};
        }
        auto newer =
            testing::a_verdict("N" + std::to_string(revision), 1, VerdictStatus::pending, {});
        newer.opened_at = after(50);
        all.push_back(newer);
        store.write(all);
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(seen.count("K" + std::to_string(i)), 1u);
    }
    EXPECT_EQ(seen.size(), 20u);
}

/// A range of one index: every equality, then the place where the page begins.
template <class S>
void expect_range(Database& database, std::string_view range) {
    const auto plan = database.plan_of(S::sql);
    ASSERT_TRUE(plan) << plan.error().what;
    ASSERT_EQ(plan->size(), 1u) << ::testing::PrintToString(*plan);
    EXPECT_THAT(plan->front(), ::testing::StartsWith("SEARCH"));
    EXPECT_THAT(plan->front(), ::testing::EndsWith(std::string(range)));
}

TEST(Cases, no_list_walks_past_what_it_does_not_show) {
    Written store;
    auto database = *Database::open(store.options.file, Database::Mode::read);
    expect_range<CasesByOpening>(database,
                                 "COVERING INDEX cases_by_opening (tenant=? AND flow=? AND "
                                 "status=? AND opened_at>? AND (opened_at,key,instance)<(?,?,?))");
    expect_range<CasesByDecision>(
        database,
        "COVERING INDEX cases_by_decision (tenant=? AND flow=? AND status=? AND reconciled_at>? "
        "AND (reconciled_at,key,instance)<(?,?,?))");
    expect_range<CasesOfKindByOpening>(
        database,
        "COVERING INDEX case_kinds_by_opening (tenant=? AND flow=? AND kind=? AND status=? AND "
        "opened_at>? AND (opened_at,key,instance)<(?,?,?))");
    expect_range<CasesOfKindByDecision>(
        database,
        "INDEX case_kinds_by_decision (tenant=? AND flow=? AND kind=? AND status=? AND "
        "reconciled_at>? AND (reconciled_at,key,instance)<(?,?,?))");
    expect_range<DecidedIn>(
        database,
        "COVERING INDEX cases_by_decision (tenant=? AND flow=? AND status=? AND "
        "reconciled_at>? AND reconciled_at<?)");
}

}  // namespace
}  // namespace helios::store
