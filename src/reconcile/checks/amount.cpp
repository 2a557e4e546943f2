// kind: amount. Money, or other decimals, of two legs differ by at most a tolerance.
#include <algorithm>
#include <utility>

#include "base/currency.h"
#include "reconcile/checks/compared.h"

namespace helios::reconcile {
namespace {

using model::Finding;
using model::FindingKind;

void parse(ReferenceReader& in, const yaml::Node& node, Check& check) {
    in.is_map(node, "check '" + check.name + "'", {"kind", "expected", "actual", "tolerance"});
    parse_compared(in, node, Read::Type::decimal, check);
    if (const yaml::Node* tolerance = node.find("tolerance")) {
        const auto value = Decimal::parse(tolerance->text);
        if (!value || value->is_negative()) {
            in.complain(tolerance->mark,
                        "tolerance '" + tolerance->text + "' is not a decimal of 0 or more",
                        "write for example  0.01");
        } else {
            check.tolerance = *value;
        }
    }
}

/// What the sides are in, empty where none says; two that differ, if any do.
std::pair<std::string, std::string> currencies(const Amount& expected, const Amount& actual) {
    const std::string& one = expected.currency;
    const std::string& two = !actual.other_currency.empty() && actual.currency == one
                                 ? actual.other_currency
                                 : actual.currency;
    return {one, !expected.other_currency.empty() && two == one ? expected.other_currency : two};
}

Finding other_currency(const Check& check, const CaseReading& c, std::string expected,
                       std::string actual) {
    Finding f = c.finding(FindingKind::currency, check.actual.leg);
    f.check = check.name;
    f.expected = std::move(expected);
    f.actual = std::move(actual);
    f.detail = c.leg(check.expected.leg).name + " is in " + f.expected + ", " + f.leg + " in " +
               f.actual + ": amounts are not compared";
    return f;
}

/// In one currency, and both can be written with `scale` decimals.
CheckOutcome compare(const Check& check, const CaseReading& c, const std::string& unit, int scale,
                     CheckOutcome outcome, std::vector<Finding>& findings) {
    const Decimal& expected = c.amount(check.expected).value;
    const Decimal& actual = c.amount(check.actual).value;
    Finding f = c.finding(FindingKind::amount, check.actual.leg);
    f.check = check.name;
    f.expected = expected.to_string(scale);
    f.actual = actual.to_string(scale);
    f.tolerance = check.tolerance.to_string(check.tolerance.fits(scale) ? scale : 0);
    f.unit = unit;
    std::string note = std::move(outcome.note);
    take_over(outcome, f);
    outcome.note = std::move(note);
    const auto difference =
        Decimal::subtract(expected, actual);  // beyond 38 digits: beyond any tolerance
    if (difference && difference->abs() <= check.tolerance) {
        outcome.state = CheckOutcome::State::passed;
        return outcome;
    }
    f.detail = f.leg + " is " + f.actual + " " + unit + ", " + c.leg(check.expected.leg).name +
               " asks for " + f.expected + " " + unit;
    findings.push_back(std::move(f));
    return outcome;
}

CheckOutcome run(const Check& check, const CaseReading& c, std::vector<Finding>& findings) {
    CheckOutcome outcome = begin_compared(check, c);
    if (!outcome.note.empty()) {
        return outcome;
    }
    const Amount& expected = c.amount(check.expected);
    const Amount& actual = c.amount(check.actual);
    const auto sides = {std::pair(&expected, check.expected), std::pair(&actual, check.actual)};
    for (const auto& [side, ref] : sides) {
        if (side->no_currency) {
            return not_compared(std::move(outcome),
                                "the currency of " + c.name(ref) + " can't be known");
        }
    }
    const auto [one, two] = currencies(expected, actual);
    if (!one.empty() && !two.empty() && one != two) {
        findings.push_back(other_currency(check, c, one, two));
        take_over(outcome, findings.back());
        return outcome;
    }
    for (const auto& [side, ref] : sides) {
        if (side->state != Amount::State::good) {
            return not_compared(
                std::move(outcome),
                c.name(ref) + (side->state == Amount::State::bad    ? " can't be read"
                               : side->state == Amount::State::tied ? " is ambiguous"
                                                                    : " is absent"));
        }
    }
    const std::string unit = c.assumed_currency(one.empty() ? two : one);
    const int scale =
        std::max({expected.value.scale(), actual.value.scale(), currency_minor_units(unit)});
    for (const auto& [side, ref] : sides) {
        if (!side->value.fits(scale)) {
            findings.push_back(too_long(check, c, ref, c.name(ref), scale));
            take_over(outcome, findings.back());
            outcome.state = CheckOutcome::State::not_compared;
            return outcome;
        }
    }
    if (one.empty() != two.empty()) {
        outcome.note = "only one of them names a currency: assumed equal";
    } else if (one.empty()) {
        outcome.note = "no currency is named";
    }
    return compare(check, c, unit, scale, std::move(outcome), findings);
}

std::string describe(const CheckOutcome& outcome) {
    return describe_compared(outcome) +
           (outcome.tolerance.empty() ? "" : " ± " + outcome.tolerance);
}

std::string remedy(const Finding& f) {
    if (f.kind == FindingKind::currency) {
        return f.leg + " in " + f.expected;
    }
    const auto expected = Decimal::parse(f.expected);
    const auto actual = Decimal::parse(f.actual);
    const auto difference =
        expected && actual ? Decimal::subtract(*expected, *actual) : Result<Decimal>(Decimal{});
    return f.leg + " of " + f.expected + " " + f.unit +
           (difference ? " (" + difference->abs().to_string() +
                             (difference->is_negative() ? " less" : " more") + ")"
                       : "");
}

}  // namespace

constexpr CheckKind amount_check{.word = "amount",
                                 .of_money = true,
                                 .parse = parse,
                                 .run = run,
                                 .describe = describe,
                                 .remedy = remedy};

}  // namespace helios::reconcile
