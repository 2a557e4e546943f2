#include "lab/score.h"

#include <gtest/gtest.h>
#include <sstream>

#include "lab/scoreboard.h"

namespace helios::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// An order with this fault, from a plan: the truth under test is the plan's.
PlannedOrder planned(Fault fault) {
    PlanOptions options;
    options.start = parse_rfc3339("2026-01-05T10:00:00Z")->at;
    for (PlannedOrder& order : make_plan(options).orders) {
        if (order.fault == fault) {
            return order;
        }
    }
    ADD_FAILURE() << "no order with " << to_string(fault);
    return {};
}

/// What a faultless server would say.
GotVerdict truthful(const PlannedOrder& order) {
    GotVerdict got;
    got.status = order.truth.status;
    got.missing = order.truth.missing;
    for (const std::string& leg : got.missing) {
        got.findings.push_back({"missing", leg, "", ""});
    }
    for (const ExpectedFinding& f : order.truth.findings) {
        got.findings.push_back({f.kind, "", f.expected, f.actual});
    }
    if (order.truth.at_risk) {
        got.at_risk[order.truth.at_risk->currency] = *Decimal::parse(order.truth.at_risk->amount);
    }
    return got;
}

GotVerdict matched() {
    return {"matched", {}, {}, {}};
}

constexpr Fault all_faults[] = {
    Fault::none,          Fault::duplicate_delivery, Fault::out_of_order,      Fault::late,
    Fault::missing_order, Fault::missing_payment,    Fault::missing_inventory, Fault::declined,
    Fault::wrong_amount,  Fault::other_currency,     Fault::wrong_quantity,    Fault::double_charge,
    Fault::malformed};

class ScoreEveryFault : public testing::TestWithParam<Fault> {};

TEST_P(ScoreEveryFault, truth_is_found) {
    PlannedOrder order = planned(GetParam());
    Score score = score_order(order, truthful(order));
    EXPECT_TRUE(score.right()) << score.expected << " / " << score.got;
}

TEST_P(ScoreEveryFault, no_verdict_and_pending_are_missed) {
    PlannedOrder order = planned(GetParam());
    GotVerdict pending = truthful(order);
    pending.status = "pending";
    for (const std::optional<GotVerdict>& got :
         {std::optional<GotVerdict>{}, std::optional<GotVerdict>{pending}}) {
        Scoreboard board;
        board.add(order, got, Lateness::not_scored);
        EXPECT_EQ(board.row(GetParam()).missed, 1u);
        EXPECT_EQ(board.row(GetParam()).found, 0u);
        EXPECT_EQ(board.row(GetParam()).false_alarms, 0u);
        EXPECT_FALSE(board.perfect());
    }
}

TEST_P(ScoreEveryFault, an_all_clear_misses_a_fault_and_only_a_fault) {
    PlannedOrder order = planned(GetParam());
    Scoreboard board;
    board.add(order, matched(), Lateness::in_time);
    bool healthy = stays_matched(GetParam());
    EXPECT_EQ(board.row(GetParam()).missed, healthy ? 0u : 1u);
    EXPECT_EQ(board.row(GetParam()).false_alarms, 0u);
    EXPECT_EQ(board.perfect(), healthy);
}

TEST_P(ScoreEveryFault, a_finding_nobody_planned_is_a_false_alarm) {
    PlannedOrder order = planned(GetParam());
    GotVerdict got = truthful(order);
    got.findings.push_back({"skew", "payment", "30", "41"});
    Scoreboard board;
    board.add(order, got, Lateness::in_time);
    EXPECT_EQ(board.row(GetParam()).false_alarms, 1u);
    EXPECT_EQ(board.row(GetParam()).missed, 0u);
    EXPECT_FALSE(board.perfect());
    ASSERT_EQ(board.wrong.size(), 1u);
    EXPECT_EQ(board.wrong[0].order_id, order.order.id);
}

TEST_P(ScoreEveryFault, a_cent_too_much_at_risk_is_noticed) {
    PlannedOrder order = planned(GetParam());
    GotVerdict got = truthful(order);
    Decimal& amount = got.at_risk["USD"];
    amount = *Decimal::add(amount, *Decimal::parse("0.01"));
    Scoreboard board;
    board.add(order, got, Lateness::in_time);
    EXPECT_FALSE(board.money_agrees());
    EXPECT_FALSE(board.perfect());
}

INSTANTIATE_TEST_SUITE_P(All, ScoreEveryFault, testing::ValuesIn(all_faults));

TEST(Score, the_wrong_leg_is_missed_and_a_false_alarm) {
    PlannedOrder order = planned(Fault::missing_payment);
    GotVerdict got = truthful(order);
    got.missing = {"inventory"};
    Scoreboard board;
    board.add(order, got, Lateness::in_time);
    EXPECT_EQ(board.row(Fault::missing_payment).missed, 1u);
    EXPECT_EQ(board.row(Fault::missing_payment).false_alarms, 1u);
}

TEST(Score, an_amount_finding_with_another_figure_is_not_the_one) {
    PlannedOrder order = planned(Fault::wrong_amount);
    GotVerdict got = truthful(order);
    got.findings[0].actual = "1.00";
    Score score = score_order(order, got);
    EXPECT_FALSE(score.found);
    EXPECT_TRUE(score.false_alarm);
}

TEST(Score, decimals_are_compared_by_value) {
    PlannedOrder order = planned(Fault::wrong_amount);
    GotVerdict got = truthful(order);
    got.findings[0].expected +=
        got.findings[0].expected.find('.') == std::string::npos ? ".0" : "0";
    EXPECT_TRUE(score_order(order, got).right());
}

TEST(Score, several_findings_of_the_expected_kind_are_one_truth) {
    PlannedOrder order = planned(Fault::wrong_quantity);
    GotVerdict got = truthful(order);
    got.findings.push_back(got.findings.front());
    EXPECT_TRUE(score_order(order, got).right());
}

TEST(Lateness, is_judged_only_where_the_clock_allows) {
    auto at = [](int sent_ms, int answered_ms) {
        return lateness_of(
            {milliseconds(0), milliseconds(10), milliseconds(sent_ms), milliseconds(answered_ms)},
            seconds(5));
    };
    EXPECT_EQ(at(6011, 6020), Lateness::late);
    EXPECT_EQ(at(6010, 6020), Lateness::not_scored) << "exactly 6 s after the first answer";
    EXPECT_EQ(at(4500, 4510), Lateness::not_scored);
    EXPECT_EQ(at(3900, 4000), Lateness::not_scored)
        << "answered exactly 4 s after the first was sent";
    EXPECT_EQ(at(3900, 3999), Lateness::in_time);
    EXPECT_EQ(lateness_of({}, seconds(5)), Lateness::not_scored);
}

TEST(Lateness, counts_found_missed_and_false) {
    PlannedOrder order = planned(Fault::late);
    GotVerdict silent = truthful(order);
    GotVerdict says = silent;
    says.findings.push_back({"late", "payment", "", ""});
    Scoreboard board;
    board.add(order, says, Lateness::late);
    EXPECT_EQ(board.lateness.found, 1u);
    EXPECT_TRUE(board.perfect());
    board.add(order, silent, Lateness::late);
    EXPECT_EQ(board.lateness.missed, 1u);
    board.add(order, says, Lateness::in_time);
    EXPECT_EQ(board.lateness.false_alarms, 1u);
    board.add(order, says, Lateness::not_scored);
    EXPECT_EQ(board.lateness_not_scored, 1u);
    EXPECT_EQ(board.lateness.injected, 2u);
    EXPECT_EQ(board.row(Fault::late).found, 4u) << "the settled verdict was right each time";
    EXPECT_FALSE(board.perfect());
}

TEST(Score, quarantine_must_hold_exactly_what_was_spoiled) {
    Scoreboard board;
    board.quarantined_expected = 3;
    board.quarantined_found = 3;
    EXPECT_TRUE(board.perfect());
    board.quarantined_unexpected = 1;
    EXPECT_FALSE(board.perfect());
    board.quarantined_unexpected = 0;
    board.quarantined_found = 2;
    EXPECT_FALSE(board.perfect());
}

TEST(Score, reads_the_verdict_of_the_contract) {
    auto got =
        parse_verdict(R"({"flow":"order","key":"ORD-1","status":"mismatched","missingEvents":[],
        "findings":[{"kind":"amount","leg":"payment","check":"paid-in-full","expected":"1299.00","actual":"1298.00","final":true}],
        "events":{},"atRisk":[{"currency":"USD","amount":"1299.00"}]})");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, "mismatched");
    EXPECT_EQ(got->findings.at(0).kind, "amount");
    EXPECT_EQ(got->findings.at(0).actual, "1298.00");
    EXPECT_EQ(got->at_risk.at("USD"), *Decimal::parse("1299"));
    EXPECT_FALSE(parse_verdict("[]"));
    EXPECT_FALSE(parse_verdict("{}"));
    EXPECT_FALSE(
        parse_verdict(R"({"status":"matched","atRisk":[{"currency":"USD","amount":"many"}]})"));
}

TEST(Scoreboard, is_aligned_and_readable) {
    Scoreboard board;
    for (Fault fault : all_faults) {
        PlannedOrder order = planned(fault);
        board.add(order, truthful(order), Lateness::in_time);
    }
    std::ostringstream out;
    Terminal terminal(out, Screen{});
    print_scoreboard(terminal, board, DemoOptions{});
    print_times(terminal, {milliseconds(3), milliseconds(40)});
    std::istringstream lines(out.str());
    std::size_t width = 0;
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(columns_of(line), 110u) << line;
        EXPECT_EQ(line.find('\x1b'), std::string::npos) << "no colour was asked for";
        if (line.starts_with("  │") || line.starts_with("  ├")) {
            width = width == 0 ? columns_of(line) : width;
            EXPECT_EQ(columns_of(line), width) << line;
        }
    }
    EXPECT_NE(out.str().find("double charge"), std::string::npos);
    EXPECT_NE(out.str().find("p50 3.0 ms, p99 40 ms"), std::string::npos) << out.str();
}

TEST(Scoreboard, money_is_grouped) {
    EXPECT_EQ(money_in_words({}), "nothing");
    EXPECT_EQ(
        money_in_words({{"USD", *Decimal::parse("1234567.80")}, {"JPY", *Decimal::parse("999")}}),
        "999 JPY · 1,234,567.80 USD");
    EXPECT_EQ(money_in_words({{"EUR", *Decimal::parse("-1000")}}), "-1,000.00 EUR");
}

TEST(Scoreboard, percentiles_are_nearest_rank) {
    std::vector<Duration> sorted;
    for (int i = 1; i <= 200; ++i) {
        sorted.push_back(milliseconds(i));
    }
    EXPECT_EQ(percentile(sorted, 50), milliseconds(100));
    EXPECT_EQ(percentile(sorted, 99), milliseconds(198));
    EXPECT_EQ(percentile(sorted, 100), milliseconds(200));
    EXPECT_EQ(percentile(sorted, 0), milliseconds(1));
    EXPECT_EQ(percentile({}, 50), Duration{});
}

}  // namespace
}  // namespace helios::lab
