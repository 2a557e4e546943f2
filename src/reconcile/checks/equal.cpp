// kind: equal. Two legs say the same text, or the same number.
#include <algorithm>
#include <utility>

#include "reconcile/checks/compared.h"

namespace helios::reconcile {
namespace {

using model::Finding;
using model::FindingKind;
using model::ReadValue;

void parse(ReferenceReader& in, const yaml::Node& node, Check& check) {
    in.is_map(node, "check '" + check.name + "'", {"kind", "expected", "actual"});
    if (parse_compared(in, node, std::nullopt, check) &&
        in.legs()[check.expected.leg].reads[check.expected.read].type == Read::Type::items) {
        in.complain(node.find("expected")->mark, "'equal' compares texts and decimals",
                    "for items use  kind: quantity");
    }
}

bool same(const ReadView& expected, const ReadView& actual) {
    const auto x = Decimal::parse(expected.text);
    const auto y = Decimal::parse(actual.text);
    const bool numbers = expected.kind == ReadValue::Kind::decimal && x && y;
    return numbers ? *x == *y : expected.text == actual.text;
}

/// All of a leg's events must say the same: none of them is compared before another.
CheckOutcome run(const Check& check, const CaseReading& c, std::vector<Finding>& findings) {
    CheckOutcome outcome = begin_compared(check, c);
    if (!outcome.note.empty()) {
        return outcome;
    }
    for (const ReadRef ref : {check.expected, check.actual}) {
        const auto unusable = [&](const Taken& event) {
            const auto kind = event.view.reads[ref.read].kind;
            return kind == ReadValue::Kind::absent || kind == ReadValue::Kind::bad;
        };
        if (c.tied(ref)) {
            return not_compared(std::move(outcome), c.name(ref) + " is ambiguous");
        }
        if (std::ranges::any_of(c.history(ref.leg).taken, unusable)) {
            return not_compared(std::move(outcome), ref.leg == check.expected.leg
                                                        ? "the expected value can't be read"
                                                        : "the actual value can't be read");
        }
    }
    const ReadView& expected =
        c.history(check.expected.leg).taken.front().view.reads[check.expected.read];
    outcome.state = CheckOutcome::State::passed;
    outcome.expected = expected.text;
    outcome.actual = expected.text;
    for (const ReadRef ref : {check.actual, check.expected}) {
        for (const Taken& event : c.history(ref.leg).taken) {
            const ReadView& actual = event.view.reads[ref.read];
            if (same(expected, actual)) {
                continue;
            }
            Finding f = c.finding(FindingKind::data, ref.leg);
            f.check = check.name;
            f.expected = expected.text;
            f.actual = actual.text;
            f.detail = check.name + ": " + c.leg(check.expected.leg).name + " says " +
                       shown(expected) + ", " + f.leg + " says " + shown(actual);
            take_over(outcome, f);
            findings.push_back(std::move(f));
            return outcome;
        }
    }
    return outcome;
}

/// What it finds is bad data, which others find too.
std::string remedy(const Finding&) {
    return {};
}

}  // namespace

constexpr CheckKind equal_check{
    .word = "equal", .parse = parse, .run = run, .describe = describe_compared, .remedy = remedy};

}  // namespace helios::reconcile
