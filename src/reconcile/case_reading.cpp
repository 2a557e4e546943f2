#include "reconcile/case_reading.h"

#include <algorithm>

#include "base/currency.h"
#include "reconcile/checks/check_kind.h"

namespace helios::reconcile {

using model::Finding;
using model::FindingKind;
using model::ReadValue;

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
bool CaseReading::is_money(ReadRef ref) const {
    const auto same = [&](ReadRef other) { return other.leg == ref.leg && other.read == ref.read; };
    return read(ref).currency || std::any_of(flow().at_risk.begin(), flow().at_risk.end(), same) ||
           std::any_of(flow().checks.begin(), flow().checks.end(), [&](const Check& check) {
               return kind_of(check.kind).of_money && (same(check.expected) || same(check.actual));
           });
}

bool CaseReading::tied(ReadRef ref) const {
    const auto& taken = history(ref.leg).taken;
    return std::any_of(taken.begin(), taken.end(), [&](const Taken& identity) {
        return std::any_of(identity.ties.begin(), identity.ties.end(),
                           [&](const Tie& tie) { return tie.read == ref.read; });
    });
}

void CaseReading::currencies_of(ReadRef ref, Amount& out) const {
    const auto named_by = read(ref).currency;
    if (!named_by) {
        return;
    }
    for (const Taken& event : history(ref.leg).taken) {
        const ReadView& currency = event.view.reads[*named_by];
        if (currency.kind == ReadValue::Kind::bad || tied({ref.leg, *named_by})) {
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

const Amount& CaseReading::amount(ReadRef ref) const {
    const auto known = amounts_.find({ref.leg, ref.read});
    return known != amounts_.end()
               ? known->second
               : amounts_.emplace(std::pair(ref.leg, ref.read), add_up(ref)).first->second;
}

Amount CaseReading::add_up(ReadRef ref) const {
    Amount out;
    if (!present(ref.leg)) {
        out.state = Amount::State::leg_absent;
        return out;
    }
    currencies_of(ref, out);
    if (tied(ref)) {
        out.state = Amount::State::tied;
        return out;
    }
    for (const Taken& event : history(ref.leg).taken) {
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

Items CaseReading::items(ReadRef ref) const {
    Items out;
    if (tied(ref)) {
        out.state = Items::State::tied;
        return out;
    }
    for (const Taken& event : history(ref.leg).taken) {
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

std::string CaseReading::assumed_currency(const std::string& own) const {
    if (!own.empty()) {
        return own;
    }
    for (std::size_t l = 0; l < legs(); ++l) {
        for (std::size_t r = 0; present(l) && r < leg(l).reads.size(); ++r) {
            if (leg(l).reads[r].currency) {
                Amount other;
                currencies_of({l, r}, other);
                if (!other.currency.empty() && !other.no_currency) {
                    return other.currency;
                }
            }
        }
    }
    return flow().currency;
}

Finding CaseReading::finding(FindingKind kind, std::size_t i) const {
    Finding f;
    f.kind = kind;
    f.leg = leg(i).name;
    return f;
}

}  // namespace helios::reconcile
