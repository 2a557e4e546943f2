#include "reconcile/judge.h"

#include <algorithm>
#include <map>
#include <set>

#include "reconcile/extract.h"

namespace helios::reconcile {
namespace {

using model::Finding;
using model::FindingKind;
using model::ReadValue;
using model::Severity;
using model::VerdictStatus;
using Outcome = CheckOutcome;

constexpr std::size_t item_findings_max = 50;

/// An event with its views, unpacked once.
struct Taken {
    const HeldEvent* held = nullptr;
    EventView view;
};

/// What one leg brings: the events that are taken, those too many, and those that don't count.
struct LegEvents {
    std::vector<Taken> taken;
    std::vector<Taken> duplicates;
    std::vector<Taken> not_counting;
};

/// A decimal over the taken events of a leg, with its currency.
struct Amount {
    enum class State : std::uint8_t { leg_absent, absent, bad, good } state = State::absent;
    Decimal value;
    std::string currency;        ///< empty: not said
    std::string other_currency;  ///< set: the leg's own events disagree
    std::string why;             ///< bad though each event by itself is not
};

/// Quantities over the taken events of a leg.
struct Items {
    enum class State : std::uint8_t { absent, bad, good } state = State::good;
    std::map<std::string_view, Decimal> totals;
    std::string why;  ///< bad though each event by itself is not
};

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return out;
}

std::string join(const std::vector<std::string>& words, std::string_view last) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        out += i == 0 ? "" : i + 1 == words.size() ? std::string(last) : ", ";
        out += words[i];
    }
    return out;
}

std::string source_names(const Leg& leg) {
    return leg.sources.empty() ? "any source" : join(leg.sources, " or ");
}

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

class Judge {
public:
    Judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below)
        : case_(c), flow_(*c.flow), deadlines_(deadlines), passed_below_(passed_below) {}

    Judgement run(bool with_outcomes);

private:
    void gather();
    void presence(Judgement& out);
    void orphans(Judgement& out);
    void lateness(std::vector<Finding>& findings);
    void duplicates(std::vector<Finding>& findings);
    void data(std::vector<Finding>& findings);
    void data_of(const Leg& leg, const Taken& event, std::vector<Finding>& findings);
    void run_checks(std::vector<Finding>& findings, std::vector<Outcome>* outcomes);
    Outcome amount(const Check& check, std::vector<Finding>& findings);
    Outcome quantity(const Check& check, std::vector<Finding>& findings);
    Outcome equal(const Check& check, std::vector<Finding>& findings);
    Outcome skew(const Check& check, std::vector<Finding>& findings);
    void chosen(Judgement& out);
    void at_risk(Judgement& out);

    bool present(std::size_t leg) const { return !legs_[leg].taken.empty(); }
    bool passed(std::size_t leg) const { return deadlines_[leg] < passed_below_; }
    std::string missing_reason(std::size_t leg, std::string& actual) const;
    void currencies_of(ReadRef ref, Amount& out) const;
    Amount amount_of(ReadRef ref) const;
    Items items_of(ReadRef ref) const;
    bool is_money(ReadRef ref) const;
    std::string name_of(ReadRef ref) const { return flow_.legs[ref.leg].name + "." + flow_.legs[ref.leg].reads[ref.read].name; }
    Finding too_long(const Check& check, ReadRef ref, const std::string& what, int scale) const;
    std::string assumed_currency(const std::string& own) const;
    bool compare_possible(const Check& check, Outcome& outcome) const;
    Finding finding(FindingKind kind, std::size_t leg) const;
    static void take_over(Outcome& outcome, const Finding& finding);

    const Case& case_;
    const Flow& flow_;
    const std::vector<Instant>& deadlines_;
    Instant passed_below_;
    std::vector<LegEvents> legs_;
};

void Judge::gather() {
    legs_.resize(flow_.legs.size());
    for (const HeldEvent& event : case_.events) {
        LegEvents& leg = legs_[event.leg];
        (event.counts ? leg.taken : leg.not_counting).push_back({&event, event.view()});
    }
    const auto when = [](const Taken& t) {  // without a time: last
        return t.held->occurred_ns == HeldEvent::no_time ? std::numeric_limits<std::int64_t>::max() : t.held->occurred_ns;
    };
    const auto earlier = [&](const Taken& a, const Taken& b) {
        return std::pair(when(a), a.view.identity) < std::pair(when(b), b.view.identity);
    };
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        LegEvents& leg = legs_[i];
        std::sort(leg.taken.begin(), leg.taken.end(), earlier);
        std::sort(leg.not_counting.begin(), leg.not_counting.end(), earlier);
        if (!flow_.legs[i].many && leg.taken.size() > 1) {
            leg.duplicates.assign(std::make_move_iterator(leg.taken.begin() + 1), std::make_move_iterator(leg.taken.end()));
            leg.taken.resize(1);
        }
    }
}

Finding Judge::finding(FindingKind kind, std::size_t leg) const {
    Finding f;
    f.kind = kind;
    f.leg = flow_.legs[leg].name;
    return f;
}

std::string Judge::missing_reason(std::size_t index, std::string& actual) const {
    const Leg& leg = flow_.legs[index];
    const auto& refused = legs_[index].not_counting;
    if (refused.empty()) {
        return "no " + leg.type + " from " + source_names(leg);
    }
    std::vector<std::string> parts;
    for (const Taken& event : refused) {
        if (parts.size() == 3) {
            parts.push_back(std::to_string(refused.size() - 3) + " more");
            break;
        }
        const std::string status = upper(event.view.reads.back().text);
        actual += (actual.empty() ? "" : ", ") + status;
        parts.push_back(std::string(event.view.identity) + " is " + status);
    }
    return leg.name + " " + join(parts, " and ") + ", which does not count";
}

void Judge::presence(Judgement& out) {
    bool overdue = false;
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (flow_.legs[i].optional || present(i)) {
            continue;
        }
        if (!passed(i)) {
            out.awaited = true;
            continue;
        }
        overdue = true;
        out.missing.push_back(flow_.legs[i].name);
        Finding f = finding(FindingKind::missing, i);
        f.detail = missing_reason(i, f.actual);
        out.findings.push_back(std::move(f));
    }
    out.status = overdue ? VerdictStatus::partial : out.awaited ? VerdictStatus::pending : VerdictStatus::matched;
}

void Judge::orphans(Judgement& out) {
    if (!flow_.anchor || present(*flow_.anchor) || !passed(*flow_.anchor)) {
        return;
    }
    const Leg& anchor = flow_.legs[*flow_.anchor];
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (i != *flow_.anchor && present(i)) {
            Finding f = finding(FindingKind::orphan, i);
            f.detail = flow_.legs[i].name + " " + std::string(legs_[i].taken.front().view.identity) + " has no " + anchor.name +
                       ": no " + anchor.type + " from " + source_names(anchor);
            out.findings.push_back(std::move(f));
        }
    }
}

void Judge::lateness(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        const auto at = case_.late_at(i);
        const auto timed = [](const Taken& event) { return event.held->timed; };
        if (!at || std::none_of(legs_[i].taken.begin(), legs_[i].taken.end(), timed)) {
            continue;  // when it came says nothing of when it happened
        }
        Finding f = finding(FindingKind::late, i);
        f.severity = Severity::warning;
        f.expected = format_rfc3339(deadlines_[i]);
        f.actual = format_rfc3339(*at);
        f.detail = flow_.legs[i].name + " came " + seconds(*at - deadlines_[i]) + " s after its deadline";
        findings.push_back(std::move(f));
    }
}

void Judge::duplicates(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const Taken& other : legs_[i].duplicates) {
            const std::string& name = flow_.legs[i].name;
            Finding f = finding(FindingKind::duplicate, i);
            f.expected = legs_[i].taken.front().view.identity;
            f.actual = other.view.identity;
            f.detail = "a second " + name + " counts: " + f.actual + " beside " + f.expected;
            findings.push_back(std::move(f));
        }
    }
}

void Judge::data_of(const Leg& leg, const Taken& event, std::vector<Finding>& findings) {
    const auto add = [&](std::string actual, std::string detail) {
        Finding f = finding(FindingKind::data, event.held->leg);
        f.actual = std::move(actual);
        f.detail = std::move(detail);
        findings.push_back(std::move(f));
    };
    for (std::size_t r = 0; r < leg.reads.size(); ++r) {
        const ReadView& value = event.view.reads[r];
        if (value.kind == ReadValue::Kind::bad) {
            add("", leg.name + "." + leg.reads[r].name + ": " + std::string(value.text));
        } else if (value.kind == ReadValue::Kind::absent && leg.reads[r].required) {
            add("", leg.name + "." + leg.reads[r].name + " is required and absent");
        } else if ((event.held->differs >> r & 1u) != 0) {
            add("", "events of " + leg.name + " " + std::string(event.view.identity) + " differ in " + leg.reads[r].name);
        }
    }
    if (leg.status && event.view.reads.back().kind == ReadValue::Kind::bad) {
        add("", leg.name + "." + std::string(status_read) + ": " + std::string(event.view.reads.back().text));
    }
    if (event.held->unknown_status) {
        const std::string status(event.view.reads.back().text);
        add(status, leg.name + " status \"" + status + "\" is not one that the flow knows");
    }
    for (const auto reason : event.view.unreadable) {
        add("", leg.name + ": " + std::string(reason));
    }
    for (const auto doubt : event.view.doubts) {
        add("", leg.name + ": " + std::string(doubt));
        findings.back().severity = Severity::warning;
    }
}

void Judge::data(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const Taken& event : legs_[i].taken) {
            data_of(flow_.legs[i], event, findings);
        }
        for (std::size_t r = 0; present(i) && r < flow_.legs[i].reads.size(); ++r) {
            const Read::Type type = flow_.legs[i].reads[r].type;
            const bool sum = type == Read::Type::items && legs_[i].taken.size() > 1;
            const std::string why = type == Read::Type::decimal ? amount_of({i, r}).why : sum ? items_of({i, r}).why : "";
            if (!why.empty()) {
                Finding f = finding(FindingKind::data, i);
                f.detail = name_of({i, r}) + ": " + why;
                findings.push_back(std::move(f));
            }
        }
        if ((case_.overflowed >> i & 1u) != 0) {
            Finding f = finding(FindingKind::data, i);
            f.detail = "more " + flow_.legs[i].name + " identities than are kept for one case";
            findings.push_back(std::move(f));
        }
    }
}

/// Does what is read have a currency, and so that currency's minor units?
bool Judge::is_money(ReadRef ref) const {
    const auto same = [&](ReadRef other) { return other.leg == ref.leg && other.read == ref.read; };
    return flow_.legs[ref.leg].reads[ref.read].currency || std::any_of(flow_.at_risk.begin(), flow_.at_risk.end(), same) ||
           std::any_of(flow_.checks.begin(), flow_.checks.end(), [&](const Check& check) {
               return check.kind == Check::Kind::amount && (same(check.expected) || same(check.actual));
           });
}

void Judge::currencies_of(ReadRef ref, Amount& out) const {
    const Read& read = flow_.legs[ref.leg].reads[ref.read];
    if (!read.currency) {
        return;
    }
    for (const Taken& event : legs_[ref.leg].taken) {
        const ReadView& currency = event.view.reads[*read.currency];
        const std::string code = currency.kind == ReadValue::Kind::text ? upper(currency.text) : "";
        if (out.currency.empty()) {
            out.currency = code;
        } else if (!code.empty() && code != out.currency && out.other_currency.empty()) {
            out.other_currency = code;
        }
    }
}

Amount Judge::amount_of(ReadRef ref) const {
    Amount out;
    if (!present(ref.leg)) {
        out.state = Amount::State::leg_absent;
        return out;
    }
    currencies_of(ref, out);
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
    for (const Taken& event : legs_[ref.leg].taken) {
        const ReadView& value = event.view.reads[ref.read];
        if (value.kind != ReadValue::Kind::items) {
            out.state = value.kind == ReadValue::Kind::bad ? Items::State::bad : Items::State::absent;
            return out;
        }
        for (const auto& [key, text] : value.items()) {
            Decimal& total = out.totals[key];
            const auto quantity = Decimal::parse(text);
            const auto sum = quantity ? Decimal::add(total, *quantity) : quantity;
            if (!sum) {
                out.state = Items::State::bad;
                out.why = "the sum of " + std::string(key) + " over its events has more than 38 digits";
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
    f.detail = check.name + ": " + what + " written with " + std::to_string(scale) + " decimals has more than 38 digits";
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
                if (!other.currency.empty()) {
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
            outcome.state =
                passed(ref.leg) || flow_.legs[ref.leg].optional ? Outcome::State::not_compared : Outcome::State::waiting;
            outcome.note = outcome.state == Outcome::State::waiting ? "waits for " + flow_.legs[ref.leg].name
                                                                    : flow_.legs[ref.leg].name + " is missing";
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
    const Amount expected = amount_of(check.expected);
    const Amount actual = amount_of(check.actual);
    std::string one = expected.currency;
    std::string two = !actual.other_currency.empty() && actual.currency == one ? actual.other_currency : actual.currency;
    if (!expected.other_currency.empty() && two == one) {
        two = expected.other_currency;
    }
    if (!one.empty() && !two.empty() && one != two) {
        Finding f = finding(FindingKind::currency, check.actual.leg);
        f.check = check.name;
        f.expected = one;
        f.actual = two;
        f.detail = flow_.legs[check.expected.leg].name + " is in " + one + ", " + flow_.legs[check.actual.leg].name + " in " +
                   two + ": amounts are not compared";
        take_over(outcome, f);
        findings.push_back(std::move(f));
        return outcome;
    }
    for (const auto& [side, ref] : {std::pair(&expected, check.expected), std::pair(&actual, check.actual)}) {
        if (side->state != Amount::State::good) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = name_of(ref) + (side->state == Amount::State::bad ? " can't be read" : " is absent");
            return outcome;
        }
    }
    const std::string unit = assumed_currency(one.empty() ? two : one);
    if (one.empty() != two.empty()) {
        outcome.note = "only one of them names a currency: assumed equal";
    } else if (one.empty()) {
        outcome.note = "no currency is named";
    }
    const int scale = std::max({expected.value.scale(), actual.value.scale(), currency_minor_units(unit)});
    for (const auto& [side, ref] : {std::pair(&expected, check.expected), std::pair(&actual, check.actual)}) {
        if (!side->value.fits(scale)) {
            findings.push_back(too_long(check, ref, name_of(ref), scale));
            take_over(outcome, findings.back());
            outcome.state = Outcome::State::not_compared;
            return outcome;
        }
    }
    const auto difference = Decimal::subtract(expected.value, actual.value);  // beyond 38 digits: beyond any tolerance
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
    f.detail = flow_.legs[check.actual.leg].name + " is " + f.actual + " " + unit + ", " + flow_.legs[check.expected.leg].name +
               " asks for " + f.expected + " " + unit;
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
            outcome.note = name_of(ref) + (side.state == Items::State::bad ? " can't be read" : " is absent");
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
            f = too_long(check, expected.fits(scale) ? check.actual : check.expected, std::string(key), scale);
        } else {
            f.check = check.name;
            f.expected = expected.to_string(scale);
            f.actual = actual.to_string(scale);
            f.unit = key;
            f.detail = std::string(key) + ": " + flow_.legs[check.expected.leg].name + " asks for " + f.expected + ", " +
                       flow_.legs[check.actual.leg].name + " has " + f.actual;
        }
        if (outcome.state == Outcome::State::passed) {
            take_over(outcome, f);
        }
        findings.push_back(std::move(f));
    }
    if (differing > item_findings_max) {
        findings.back().detail += "; " + std::to_string(differing - item_findings_max) + " more items differ";
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
    const ReadView& expected = legs_[check.expected.leg].taken.front().view.reads[check.expected.read];
    outcome.state = Outcome::State::passed;
    outcome.expected = expected.text;
    outcome.actual = expected.text;
    for (const Taken& event : legs_[check.actual.leg].taken) {
        const ReadView& actual = event.view.reads[check.actual.read];
        for (const ReadView* side : {&expected, &actual}) {
            if (side->kind == ReadValue::Kind::absent || side->kind == ReadValue::Kind::bad) {
                outcome.state = Outcome::State::not_compared;
                outcome.note = side == &expected ? "the expected value can't be read" : "the actual value can't be read";
                return outcome;
            }
        }
        const auto x = Decimal::parse(expected.text);
        const auto y = Decimal::parse(actual.text);
        const bool numbers = expected.kind == ReadValue::Kind::decimal && x && y;
        if (numbers ? *x == *y : expected.text == actual.text) {
            continue;
        }
        Finding f = finding(FindingKind::data, check.actual.leg);
        f.check = check.name;
        f.expected = expected.text;
        f.actual = actual.text;
        f.detail = check.name + ": " + flow_.legs[check.expected.leg].name + " says " + f.expected + ", " +
                   flow_.legs[check.actual.leg].name + " says " + f.actual;
        take_over(outcome, f);
        findings.push_back(std::move(f));
        return outcome;
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
            if (event.held->occurred_ns == HeldEvent::no_time) {
                continue;
            }
            has_time = true;
            const std::pair when(event.held->occurred_ns, l);
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
    f.detail = flow_.legs[last->second].name + " happened " + f.actual + " s after " + flow_.legs[first->second].name +
               "; at most " + f.expected + " s are allowed";
    outcome.note = f.detail;
    findings.push_back(std::move(f));
    return outcome;
}

void Judge::run_checks(std::vector<Finding>& findings, std::vector<Outcome>* outcomes) {
    for (const Check& check : flow_.checks) {
        Outcome outcome = check.kind == Check::Kind::amount     ? amount(check, findings)
                          : check.kind == Check::Kind::quantity ? quantity(check, findings)
                          : check.kind == Check::Kind::equal    ? equal(check, findings)
                                                                : skew(check, findings);
        if (outcomes != nullptr) {
            outcome.check = check.name;
            outcome.kind = check.kind;
            outcomes->push_back(std::move(outcome));
        }
    }
}

void Judge::chosen(Judgement& out) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const Taken& event : legs_[i].taken) {
            model::VerdictEvent e;
            e.leg = flow_.legs[i].name;
            e.event_id = event.view.event_id;
            e.source = event.view.source;
            e.type = event.view.type;
            e.time = event.held->occurred();
            e.received_at = from_nanos(event.held->at_ns);
            e.pointer = {std::string(event.view.topic), event.view.partition, event.view.offset};
            out.events.push_back(std::move(e));
        }
    }
}

void Judge::at_risk(Judgement& out) {
    if (out.status != VerdictStatus::partial && out.status != VerdictStatus::mismatched) {
        return;
    }
    for (const ReadRef ref : flow_.at_risk) {
        const Amount amount = amount_of(ref);
        if (amount.state == Amount::State::good) {
            const std::string currency = assumed_currency(amount.currency);
            out.at_risk.push_back(
                {currency, amount.value.to_string(std::max(amount.value.scale(), currency_minor_units(currency)))});
            return;
        }
    }
}

Judgement Judge::run(bool with_outcomes) {
    Judgement out;
    gather();
    presence(out);
    orphans(out);
    std::vector<Finding> rest;
    if (!out.awaited || with_outcomes) {
        lateness(rest);
        duplicates(rest);
        data(rest);
        run_checks(rest, with_outcomes ? &out.checks : nullptr);
    }
    if (out.awaited) {
        for (Finding& f : out.findings) {
            f.final = false;
        }
        for (Finding& f : rest) {
            f.final = false;
        }
        out.tentative = std::move(rest);
    } else {
        const bool wrong = std::any_of(rest.begin(), rest.end(), [](const Finding& f) { return f.severity == Severity::error; });
        if (out.status == VerdictStatus::matched && wrong) {
            out.status = VerdictStatus::mismatched;
        }
        std::move(rest.begin(), rest.end(), std::back_inserter(out.findings));
    }
    chosen(out);
    at_risk(out);
    return out;
}

}  // namespace

std::string_view to_string(CheckOutcome::State state) {
    switch (state) {
        case Outcome::State::passed:
            return "passed";
        case Outcome::State::failed:
            return "failed";
        case Outcome::State::waiting:
            return "waiting";
        case Outcome::State::not_compared:
            return "not compared";
    }
    return "";
}

Judgement judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below, bool with_outcomes) {
    return Judge(c, deadlines, passed_below).run(with_outcomes);
}

model::VerdictStatus pending_or_partial(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below,
                                        bool& awaited) {
    bool overdue = false;
    awaited = false;
    for (std::size_t i = 0; i < c.flow->legs.size(); ++i) {
        if (!c.flow->legs[i].optional && !c.is_satisfied(i)) {
            (deadlines[i] < passed_below ? overdue : awaited) = true;
        }
    }
    return overdue ? VerdictStatus::partial : awaited ? VerdictStatus::pending : VerdictStatus::matched;
}

}  // namespace helios::reconcile
