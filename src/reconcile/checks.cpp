// Comparisons across legs, and what they are made on.
#include <algorithm>
#include <map>

#include "base/currency.h"
#include "reconcile/judging.h"
#include "reconcile/quote.h"

namespace helios::reconcile {

using model::Finding;
using model::FindingKind;
using model::ReadValue;

namespace {

constexpr std::size_t item_findings_max = 50;

}  // namespace

/// Seconds with as many digits as needed: "45", "30.5".
std::string seconds(Duration d) {
    const auto ns = d.count();
    std::string text = std::to_string(ns / 1'000'000'000);
    if (const auto rest = ns % 1'000'000'000; rest != 0) {
        std::string digits = std::to_string(1'000'000'000 + rest).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += "." + digits;
    }
    return text;
}

/// Does what is read have a currency, and so that currency's minor units?
bool Judge::is_money(ReadRef ref) const {
    const auto same = [&](ReadRef other) { return other.leg == ref.leg && other.read == ref.read; };
    return flow_.legs[ref.leg].reads[ref.read].currency ||
           std::any_of(flow_.at_risk.begin(), flow_.at_risk.end(), same) ||
           std::any_of(flow_.checks.begin(), flow_.checks.end(), [&](const Check& check) {
               return check.kind == Check::Kind::amount &&
                      (same(check.expected) || same(check.actual));
           });
}

bool Judge::is_tied(ReadRef ref) const {
    const auto& taken = legs_[ref.leg].taken;
    return std::any_of(taken.begin(), taken.end(), [&](const Taken& identity) {
        return std::any_of(identity.ties.begin(), identity.ties.end(),
                           [&](const Tie& tie) { return tie.read == ref.read; });
    });
}

void Judge::currencies_of(ReadRef ref, Amount& out) const {
    const Read& read = flow_.legs[ref.leg].reads[ref.read];
    if (!read.currency) {
        return;
    }
    for (const Taken& event : legs_[ref.leg].taken) {
        const ReadView& currency = event.view.reads[*read.currency];
        if (currency.kind == ReadValue::Kind::bad || is_tied({ref.leg, *read.currency})) {
            out.no_currency = true;
            out.currency = "XXX";
            out.other_currency.clear();
            return;
        }
        const std::string code(currency.text);
        if (out.currency.empty()) {
            out.currency = code;
        } else if (!code.empty() && code != out.currency && out.other_currency.empty()) {
            out.other_currency = code;
        }
    }
}

const Amount& Judge::amount_of(ReadRef ref) const {
    const auto known = amounts_.find({ref.leg, ref.read});
    return known != amounts_.end()
               ? known->second
               : amounts_.emplace(std::pair(ref.leg, ref.read), add_up(ref)).first->second;
}

Amount Judge::add_up(ReadRef ref) const {
    Amount out;
    if (!present(ref.leg)) {
        out.state = Amount::State::leg_absent;
        return out;
    }
    currencies_of(ref, out);
    if (is_tied(ref)) {
        out.state = Amount::State::tied;
        return out;
    }
    for (const Taken& event : legs_[ref.leg].taken) {
        const ReadView& value = event.view.reads[ref.read];
        if (value.kind == ReadValue::Kind::bad) {
            out.state = Amount::State::bad;
            return out;
        }
        if (value.kind != ReadValue::Kind::decimal) {
            continue;
        }
        const auto parsed = Decimal::parse(value.text);
        const auto sum = parsed ? Decimal::add(out.value, *parsed) : parsed;
        if (!sum) {
            out.state = Amount::State::bad;
            out.why = "the sum over its events has more than 38 digits";
            return out;
        }
        out.state = Amount::State::good;
        out.value = *sum;
    }
    if (out.state == Amount::State::good && is_money(ref)) {
        const std::string currency = assumed_currency(out.currency);
        if (!out.value.fits(currency_minor_units(currency))) {
            out.state = Amount::State::bad;
            out.why = "written in " + currency + " it has more than 38 digits";
        }
    }
    return out;
}

Items Judge::items_of(ReadRef ref) const {
    Items out;
    if (is_tied(ref)) {
        out.state = Items::State::tied;
        return out;
    }
    for (const Taken& event : legs_[ref.leg].taken) {
        const ReadView& value = event.view.reads[ref.read];
        if (value.kind != ReadValue::Kind::items) {
            out.state =
                value.kind == ReadValue::Kind::bad ? Items::State::bad : Items::State::absent;
            return out;
        }
        for (const auto& [key, text] : value.items()) {
            Decimal& total = out.totals[key];
            const auto quantity = Decimal::parse(text);
            const auto sum = quantity ? Decimal::add(total, *quantity) : quantity;
            if (!sum) {
                out.state = Items::State::bad;
                out.why =
                    "the sum of " + std::string(key) + " over its events has more than 38 digits";
                return out;
            }
            total = *sum;
        }
    }
    return out;
}

/// Two numbers are written with as many decimals as the one that has more; this one can't be.
Finding Judge::too_long(const Check& check, ReadRef ref, const std::string& what, int scale) const {
    Finding f = finding(FindingKind::data, ref.leg);
    f.check = check.name;
    f.detail = check.name + ": " + what + " written with " + std::to_string(scale) +
               " decimals has more than 38 digits";
    return f;
}

/// Absent on one: assumed equal to the first that says; absent on all: the flow's.
std::string Judge::assumed_currency(const std::string& own) const {
    if (!own.empty()) {
        return own;
    }
    for (std::size_t l = 0; l < legs_.size(); ++l) {
        for (std::size_t r = 0; present(l) && r < flow_.legs[l].reads.size(); ++r) {
            if (flow_.legs[l].reads[r].currency) {
                Amount other;
                currencies_of({l, r}, other);
                if (!other.currency.empty() && !other.no_currency) {
                    return other.currency;
                }
            }
        }
    }
    return flow_.currency;
}

void Judge::take_over(Outcome& outcome, const Finding& f) {
    outcome.state = Outcome::State::failed;
    outcome.expected = f.expected;
    outcome.actual = f.actual;
    outcome.tolerance = f.tolerance;
    outcome.unit = f.unit;
    outcome.note = f.detail;
}

bool Judge::compare_possible(const Check& check, Outcome& outcome) const {
    for (const ReadRef ref : {check.expected, check.actual}) {
        if (!present(ref.leg)) {
            outcome.state = passed(ref.leg) || flow_.legs[ref.leg].optional
                                ? Outcome::State::not_compared
                                : Outcome::State::waiting;
            outcome.note = outcome.state == Outcome::State::waiting
                               ? "waits for " + flow_.legs[ref.leg].name
                               : flow_.legs[ref.leg].name + " is missing";
            return false;
        }
        if (legs_[ref.leg].tied) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = "nothing tells which " + flow_.legs[ref.leg].name +
                           " came first, so none is compared";
            return false;
        }
    }
    return true;
}

Outcome Judge::amount(const Check& check, std::vector<Finding>& findings) {
    Outcome outcome;
    outcome.leg = flow_.legs[check.actual.leg].name;
    if (!compare_possible(check, outcome)) {
        return outcome;
    }
    const Amount& expected = amount_of(check.expected);
    const Amount& actual = amount_of(check.actual);
    for (const auto& [side, ref] :
         {std::pair(&expected, check.expected), std::pair(&actual, check.actual)}) {
        if (side->no_currency) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = "the currency of " + name_of(ref) + " can't be known";
            return outcome;
        }
    }
    std::string one = expected.currency;
    std::string two = !actual.other_currency.empty() && actual.currency == one
                          ? actual.other_currency
                          : actual.currency;
    if (!expected.other_currency.empty() && two == one) {
        two = expected.other_currency;
    }
    if (!one.empty() && !two.empty() && one != two) {
        Finding f = finding(FindingKind::currency, check.actual.leg);
        f.check = check.name;
        f.expected = one;
        f.actual = two;
        f.detail = flow_.legs[check.expected.leg].name + " is in " + one + ", " +
                   flow_.legs[check.actual.leg].name + " in " + two + ": amounts are not compared";
        take_over(outcome, f);
        findings.push_back(std::move(f));
        return outcome;
    }
    for (const auto& [side, ref] :
         {std::pair(&expected, check.expected), std::pair(&actual, check.actual)}) {
        if (side->state != Amount::State::good) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = name_of(ref) + (side->state == Amount::State::bad    ? " can't be read"
                                           : side->state == Amount::State::tied ? " is ambiguous"
                                                                                : " is absent");
            return outcome;
        }
    }
    const std::string unit = assumed_currency(one.empty() ? two : one);
    if (one.empty() != two.empty()) {
        outcome.note = "only one of them names a currency: assumed equal";
    } else if (one.empty()) {
        outcome.note = "no currency is named";
    }
    const int scale =
        std::max({expected.value.scale(), actual.value.scale(), currency_minor_units(unit)});
    for (const auto& [side, ref] :
         {std::pair(&expected, check.expected), std::pair(&actual, check.actual)}) {
        if (!side->value.fits(scale)) {
            findings.push_back(too_long(check, ref, name_of(ref), scale));
            take_over(outcome, findings.back());
            outcome.state = Outcome::State::not_compared;
            return outcome;
        }
    }
    const auto difference =
        Decimal::subtract(expected.value, actual.value);  // beyond 38 digits: beyond any tolerance
    Finding f = finding(FindingKind::amount, check.actual.leg);
    f.check = check.name;
    f.expected = expected.value.to_string(scale);
    f.actual = actual.value.to_string(scale);
    f.tolerance = check.tolerance.to_string(check.tolerance.fits(scale) ? scale : 0);
    f.unit = unit;
    std::string note = std::move(outcome.note);
    take_over(outcome, f);
    outcome.note = std::move(note);
    if (difference && difference->abs() <= check.tolerance) {
        outcome.state = Outcome::State::passed;
        return outcome;
    }
    f.detail = flow_.legs[check.actual.leg].name + " is " + f.actual + " " + unit + ", " +
               flow_.legs[check.expected.leg].name + " asks for " + f.expected + " " + unit;
    findings.push_back(std::move(f));
    return outcome;
}

Outcome Judge::quantity(const Check& check, std::vector<Finding>& findings) {
    Outcome outcome;
    outcome.leg = flow_.legs[check.actual.leg].name;
    if (!compare_possible(check, outcome)) {
        return outcome;
    }
    std::map<std::string_view, std::pair<Decimal, Decimal>> items;
    for (const bool is_actual : {false, true}) {
        const ReadRef ref = is_actual ? check.actual : check.expected;
        const Items side = items_of(ref);
        if (side.state != Items::State::good) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = name_of(ref) + (side.state == Items::State::bad    ? " can't be read"
                                           : side.state == Items::State::tied ? " is ambiguous"
                                                                              : " is absent");
            return outcome;
        }
        for (const auto& [key, total] : side.totals) {
            (is_actual ? items[key].second : items[key].first) = total;
        }
    }
    outcome.state = Outcome::State::passed;
    std::size_t differing = 0;
    for (const auto& [key, pair] : items) {
        const auto& [expected, actual] = pair;
        if (expected == actual) {
            continue;
        }
        if (++differing > item_findings_max) {
            continue;
        }
        const int scale = std::max(expected.scale(), actual.scale());
        Finding f = finding(FindingKind::quantity, check.actual.leg);
        if (!expected.fits(scale) || !actual.fits(scale)) {
            f = too_long(check, expected.fits(scale) ? check.actual : check.expected,
                         std::string(key), scale);
        } else {
            f.check = check.name;
            f.expected = expected.to_string(scale);
            f.actual = actual.to_string(scale);
            f.unit = key;
            f.detail = std::string(key) + ": " + flow_.legs[check.expected.leg].name +
                       " asks for " + f.expected + ", " + flow_.legs[check.actual.leg].name +
                       " has " + f.actual;
        }
        if (outcome.state == Outcome::State::passed) {
            take_over(outcome, f);
        }
        findings.push_back(std::move(f));
    }
    if (differing > item_findings_max) {
        findings.back().detail +=
            "; " + std::to_string(differing - item_findings_max) + " more items differ";
    }
    if (differing > 1) {
        outcome.note += "; " + std::to_string(differing - 1) + " more differ";
    } else if (differing == 0) {
        outcome.expected = outcome.actual = std::to_string(items.size());
        outcome.unit = items.size() == 1 ? "item" : "items";
    }
    return outcome;
}

Outcome Judge::equal(const Check& check, std::vector<Finding>& findings) {
    Outcome outcome;
    outcome.leg = flow_.legs[check.actual.leg].name;
    if (!compare_possible(check, outcome)) {
        return outcome;
    }
    // All of a leg's events must say the same: none of them is compared before another.
    for (const ReadRef ref : {check.expected, check.actual}) {
        const auto unusable = [&](const Taken& event) {
            const auto kind = event.view.reads[ref.read].kind;
            return kind == ReadValue::Kind::absent || kind == ReadValue::Kind::bad;
        };
        if (is_tied(ref)) {
            outcome.note = name_of(ref) + " is ambiguous";
        } else if (std::ranges::any_of(legs_[ref.leg].taken, unusable)) {
            outcome.note = ref.leg == check.expected.leg ? "the expected value can't be read"
                                                         : "the actual value can't be read";
        }
        if (!outcome.note.empty()) {
            outcome.state = Outcome::State::not_compared;
            return outcome;
        }
    }
    const ReadView& expected =
        legs_[check.expected.leg].taken.front().view.reads[check.expected.read];
    outcome.state = Outcome::State::passed;
    outcome.expected = expected.text;
    outcome.actual = expected.text;
    for (const ReadRef ref : {check.actual, check.expected}) {
        for (const Taken& event : legs_[ref.leg].taken) {
            const ReadView& actual = event.view.reads[ref.read];
            const auto x = Decimal::parse(expected.text);
            const auto y = Decimal::parse(actual.text);
            const bool numbers = expected.kind == ReadValue::Kind::decimal && x && y;
            if (numbers ? *x == *y : expected.text == actual.text) {
                continue;
            }
            Finding f = finding(FindingKind::data, ref.leg);
            f.check = check.name;
            f.expected = expected.text;
            f.actual = actual.text;
            f.detail = check.name + ": " + flow_.legs[check.expected.leg].name + " says " +
                       shown(expected) + ", " + flow_.legs[ref.leg].name + " says " + shown(actual);
            take_over(outcome, f);
            findings.push_back(std::move(f));
            return outcome;
        }
    }
    return outcome;
}

Outcome Judge::skew(const Check& check, std::vector<Finding>& findings) {
    Outcome outcome;
    std::optional<std::pair<std::int64_t, std::size_t>> first, last;
    std::size_t with_time = 0;
    for (const std::size_t l : check.legs) {
        if (!present(l) && !flow_.legs[l].optional && !passed(l)) {
            outcome.note = "waits for " + flow_.legs[l].name;
            return outcome;
        }
        bool has_time = false;
        for (const Taken& event : legs_[l].taken) {
            if (event.happened_ns == HeldEvent::no_time) {
                continue;
            }
            has_time = true;
            const std::pair when(event.happened_ns, l);
            first = !first || when.first < first->first ? when : *first;
            last = !last || when.first > last->first ? when : *last;
        }
        with_time += has_time ? 1 : 0;
    }
    if (with_time < 2) {
        outcome.state = Outcome::State::not_compared;
        outcome.note = "fewer than two legs have a time";
        return outcome;
    }
    const Duration distance{last->first - first->first};
    Finding f = finding(FindingKind::skew, last->second);
    f.check = check.name;
    f.expected = seconds(check.max);
    f.actual = seconds(distance);
    f.unit = "s";
    take_over(outcome, f);
    outcome.leg = f.leg;
    if (distance <= check.max) {
        outcome.state = Outcome::State::passed;
        return outcome;
    }
    f.detail = flow_.legs[last->second].name + " happened " + f.actual + " s after " +
               flow_.legs[first->second].name + "; at most " + f.expected + " s are allowed";
    outcome.note = f.detail;
    findings.push_back(std::move(f));
    return outcome;
}

}  // namespace helios::reconcile
