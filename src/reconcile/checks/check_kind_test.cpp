#include "reconcile/checks/check_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
using model::Finding;
using model::FindingKind;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr const char* pair_flow =
    "flow: pair\nversion: 1\nkey: {paths: [id]}\nlegs:\n"
    "  left: {source: any, type: L, deadline: 5s, read: {n: {type: decimal, first: [n]}}}\n"
    "  right: {source: any, type: R, deadline: 9s, read: {n: {type: decimal, first: [n]}}}\n"
    "checks:\n  same: {kind: amount, expected: left.n, actual: right.n, tolerance: 0.05}\n";

std::string complaint_about(std::string_view from, std::string_view to) {
    std::string text = pair_flow;
    text.replace(text.find(from), from.size(), to);
    const auto reading = read_flow(text, "f.yaml");
    return reading.errors.empty() ? "" : reading.errors.front().message();
}

TEST(CheckKind, each_has_one_word_in_the_language_and_all_its_functions) {
    const Names words = check_words();
    EXPECT_EQ(std::set(words.begin(), words.end()).size(), words.size());
    EXPECT_THAT(words, IsSupersetOf({"amount", "quantity", "equal", "skew"}));
    for (const auto word : words) {
        const auto kind = check_kind_named(word);
        ASSERT_TRUE(kind) << word;
        EXPECT_EQ(to_string(*kind), word);
        const CheckKind& row = kind_of(*kind);
        EXPECT_TRUE(row.parse != nullptr && row.run != nullptr && row.describe != nullptr &&
                    row.remedy != nullptr)
            << word;
    }
    EXPECT_FALSE(check_kind_named(""));
    EXPECT_FALSE(check_kind_named("amounts"));
}

TEST(CheckKind, an_unknown_word_is_answered_with_all_that_are_known) {
    EXPECT_EQ(complaint_about("kind: amount", "kind: identical"),
              "f.yaml:8:16: unknown kind 'identical'; one of " + listed(check_words()));
}

TEST(CheckKind, a_parameter_of_another_kind_is_unknown) {
    EXPECT_EQ(complaint_about("kind: amount", "kind: equal"),
              "f.yaml:8:58: unknown key 'tolerance' in check 'same'; known here: kind, expected, "
              "actual");
}

/// No engine and no verdict: a check needs a case and its deadlines alone.
TEST(CheckKind, a_check_is_made_on_a_reading_of_the_case) {
    const auto flow = parse_flow(pair_flow, "f.yaml");
    ASSERT_TRUE(flow) << flow.error().message();
    const Check& check = flow->checks.front();
    Case c;
    c.flow = &*flow;
    const std::vector<Instant> deadlines{noon(5), noon(9)};
    const auto outcome = [&](double now) {
        std::vector<Finding> findings;
        auto made = kind_of(check.kind).run(check, CaseReading(c, deadlines, noon(now)), findings);
        EXPECT_EQ(findings.empty(), made.state != CheckOutcome::State::failed);
        return made;
    };
    const auto take = [&](const char* type, const char* payload) {
        for (const auto& leg : legs_of(*flow, event("s", type, type, payload), noon(0))) {
            const auto index = *flow->leg_index(leg.leg);
            c.take(flow->legs[index], index, leg);
        }
        c.settle_legs();
    };
    EXPECT_EQ(outcome(1).note, "waits for left");
    EXPECT_EQ(outcome(6).note, "left is missing");
    take("L", R"({"id":"A1","n":"12.50"})");
    EXPECT_EQ(outcome(6).note, "waits for right");
    take("R", R"({"id":"A1","n":"12.44"})");
    EXPECT_EQ(outcome(6).state, CheckOutcome::State::failed);
    EXPECT_EQ(kind_of(check.kind).describe(outcome(6)), "12.44 of 12.50 XXX ± 0.05");
}

TEST(CheckKind, what_was_compared_is_said_in_a_few_words) {
    CheckOutcome o;
    o.expected = "2";
    o.actual = "3";
    o.unit = "X1";
    EXPECT_EQ(quantity_check.describe(o), "3 of 2 X1");
    EXPECT_EQ(equal_check.describe(o), "3 of 2 X1");
    EXPECT_EQ(amount_check.describe(o), "3 of 2 X1");
    EXPECT_EQ(skew_check.describe(o), "3 of at most 2 X1");
}

TEST(CheckKind, a_remedy_says_what_would_have_agreed) {
    Finding f;
    f.kind = FindingKind::amount;
    f.leg = "payment";
    f.expected = "12.50";
    f.actual = "12.05";
    f.unit = "USD";
    EXPECT_EQ(amount_check.remedy(f), "payment of 12.50 USD (0.45 more)");
    std::swap(f.expected, f.actual);
    EXPECT_EQ(amount_check.remedy(f), "payment of 12.05 USD (0.45 less)");
    EXPECT_EQ(quantity_check.remedy(f), "payment of 12.05 × USD instead of 12.50");
    EXPECT_EQ(skew_check.remedy(f), "payment within 12.05 s of the others");
    EXPECT_THAT(equal_check.remedy(f), IsEmpty());
    f.kind = FindingKind::currency;
    f.expected = "EUR";
    EXPECT_EQ(amount_check.remedy(f), "payment in EUR");
}

}  // namespace
}  // namespace helios::reconcile
