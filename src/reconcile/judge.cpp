#include "reconcile/judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "base/ascii.h"
#include "base/currency.h"
#include "reconcile/case_reading.h"
#include "reconcile/checks/check_kind.h"
#include "reconcile/extract.h"
#include "reconcile/quote.h"

namespace helios::reconcile {

using model::Finding;
using model::FindingKind;
using model::ReadValue;
using model::Severity;
using model::VerdictStatus;

namespace {

// A verdict is one record on the log whatever its case holds.
constexpr std::size_t listed_events_max = 100;      // per leg
constexpr std::size_t findings_of_a_kind_max = 50;  // per leg and severity
constexpr std::size_t findings_max = 500;

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

/// `actual`: the statuses that do not count.
std::string missing_reason(const CaseReading& c, std::size_t index, std::string& actual) {
    const Leg& leg = c.leg(index);
    const auto& refused = c.history(index).not_counting;
    if (refused.empty()) {
        return "no " + leg.type + " from " + source_names(leg);
    }
    std::vector<std::string> parts;
    for (const Taken& event : refused) {
        if (parts.size() == 3) {
            parts.push_back(std::to_string(refused.size() - 3) + " more");
            break;
        }
        const std::string status = ascii::upper(event.view.reads.back().text);
        actual += (actual.empty() ? "" : ", ") + status;
        parts.push_back(named(event.view.identity) + " is " + named(status));
    }
    return leg.name + " " + join(parts, " and ") + ", which does not count";
}

void presence(const CaseReading& c, Judgement& out) {
    bool overdue = false;
    for (std::size_t i = 0; i < c.legs(); ++i) {
        if (c.leg(i).optional || c.present(i)) {
            continue;
        }
        if (!c.passed(i)) {
            out.awaited = true;
            continue;
        }
        overdue = true;
        out.missing.push_back(c.leg(i).name);
        Finding f = c.finding(FindingKind::missing, i);
        f.detail = missing_reason(c, i, f.actual);
        out.findings.push_back(std::move(f));
    }
    out.status = overdue       ? VerdictStatus::partial
                 : out.awaited ? VerdictStatus::pending
                               : VerdictStatus::matched;
}

void orphans(const CaseReading& c, Judgement& out) {
    if (!c.flow().anchor || c.present(*c.flow().anchor) || !c.passed(*c.flow().anchor)) {
        return;
    }
    const Leg& anchor = c.leg(*c.flow().anchor);
    for (std::size_t i = 0; i < c.legs(); ++i) {
        if (i != *c.flow().anchor && c.present(i)) {
            Finding f = c.finding(FindingKind::orphan, i);
            const bool whole = !c.history(i).taken.empty();
            f.detail = c.leg(i).name +
                       (whole ? " " + named(c.history(i).taken.front().view.identity) : "") +
                       " has no " + anchor.name + ": no " + anchor.type + " from " +
                       source_names(anchor);
            out.findings.push_back(std::move(f));
        }
    }
}

/// A leg came when an identity that counts now first counted: what an identity says later does not
/// make it late.
void lateness(const CaseReading& c, std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        std::int64_t at = std::numeric_limits<std::int64_t>::max();
        bool timed = false;
        for (const auto* identities : {&c.history(i).taken, &c.history(i).duplicates}) {
            for (const Taken& identity : *identities) {
                at = std::min(at, identity.arrived_ns);
                timed = timed || (identity.first != nullptr && identity.first->timed());
            }
        }
        // Without a time of its own, when it came says nothing of when it happened.
        if (!c.present(i) || !timed || from_nanos(at) <= c.deadline(i)) {
            continue;
        }
        Finding f = c.finding(FindingKind::late, i);
        f.severity = Severity::warning;
        f.expected = format_rfc3339(c.deadline(i));
        f.actual = format_rfc3339(from_nanos(at));
        f.detail = c.leg(i).name + " came " + seconds(from_nanos(at) - c.deadline(i)) +
                   " s after its deadline";
        findings.push_back(std::move(f));
    }
}

void duplicates(const CaseReading& c, std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        for (const Taken& other : c.history(i).duplicates) {
            const std::string& name = c.leg(i).name;
            Finding f = c.finding(FindingKind::duplicate, i);
            f.expected = c.history(i).taken.front().view.identity;
            f.actual = other.view.identity;
            f.detail =
                "a second " + name + " counts: " + named(f.actual) + " beside " + named(f.expected);
            findings.push_back(std::move(f));
        }
    }
}

/// What nothing orders and yet decides: two events of an identity of which one counts, or which say
/// different things.
void ties(const CaseReading& c, std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        for (const auto* identities : {&c.history(i).taken, &c.history(i).duplicates}) {
            for (const Taken& identity : *identities) {
                for (const Tie& tie : identity.ties) {
                    const Leg& leg = c.leg(i);
                    Finding f = c.finding(FindingKind::ambiguous, i);
                    f.expected = tie.one;
                    f.actual = tie.other;
                    f.detail = leg.name + " " + named(identity.view.identity) + ": ";
                    f.detail += tie.read == Tie::of_status
                                    ? named(tie.one_by) + " says " + tie.one +
                                          ", which counts, and " + named(tie.other_by) + " says " +
                                          tie.other + ", which does not"
                                    : leg.reads[tie.read].name + " is " + tie.one + " by " +
                                          named(tie.one_by) + " and " + tie.other + " by " +
                                          named(tie.other_by);
                    f.detail += "; nothing tells which is the later";
                    findings.push_back(std::move(f));
                }
            }
        }
    }
}

/// More than a leg takes: whatever could be compared would be a part.
void overflows(const CaseReading& c, std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        if (c.overflowed(i)) {
            Finding f = c.finding(FindingKind::data, i);
            f.expected = std::to_string(c.leg(i).events_max);
            f.detail = c.leg(i).name + " has more than " + f.expected +
                       " events, its events_max: nothing of this case is compared, for that would "
                       "be a part";
            findings.push_back(std::move(f));
        }
    }
}

/// Keeps a verdict short: of one kind, leg and severity so many, and the last of them says how many
/// more there are.
void cap(std::vector<Finding>& findings) {
    std::map<std::tuple<FindingKind, std::string, Severity>, std::pair<std::size_t, std::size_t>>
        seen;  // last kept, how many
    std::vector<Finding> kept;
    for (Finding& f : findings) {
        const bool listed = f.kind == FindingKind::data || f.kind == FindingKind::duplicate ||
                            f.kind == FindingKind::ambiguous;
        auto& [last, count] = seen[{f.kind, f.leg, f.severity}];
        ++count;
        if ((listed && count > findings_of_a_kind_max) || kept.size() >= findings_max) {
            continue;
        }
        last = kept.size();
        kept.push_back(std::move(f));
    }
    std::map<std::size_t, std::size_t> more;
    for (const auto& [key, entry] : seen) {
        if (std::get<0>(key) != FindingKind::quantity && entry.second > findings_of_a_kind_max &&
            entry.first < kept.size()) {
            kept[entry.first].detail +=
                "; " + std::to_string(entry.second - findings_of_a_kind_max) + " more like this";
        }
    }
    findings = std::move(kept);
}

/// What later events of an identity have changed, as the flow lets them.
void notes(const CaseReading& c, Judgement& out) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        for (const Taken& identity : c.history(i).taken) {
            for (const RevisedRead& revised : identity.revised) {
                if (out.revised.size() < findings_of_a_kind_max) {
                    out.revised.push_back(c.leg(i).name + " " + named(identity.view.identity) +
                                          ": " + c.leg(i).reads[revised.read].name + " " +
                                          revised.from + " → " + revised.to + " by " +
                                          named(revised.by));
                }
            }
        }
    }
}

void data_of(const CaseReading& c, std::size_t index, const Taken& event,
             std::vector<Finding>& findings) {
    const Leg& leg = c.leg(index);
    const auto add = [&](std::string actual, std::string detail) {
        Finding f = c.finding(FindingKind::data, index);
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
        } else if ((event.differs >> r & 1u) != 0) {
            add("", "events of " + leg.name + " " + named(event.view.identity) + " differ in " +
                        leg.reads[r].name);
        }
        if (const auto number = leg.reads[r].positive ? Decimal::parse(value.text) : Decimal{};
            number && number->is_negative()) {
            add(std::string(value.text),
                leg.name + "." + leg.reads[r].name + " is " + in_quotes(value.text) + ", below 0");
            findings.back().severity = Severity::warning;
        }
    }
    if (leg.status && event.view.reads.back().kind == ReadValue::Kind::bad) {
        add("", leg.name + "." + std::string(status_read) + ": " +
                    std::string(event.view.reads.back().text));
    }
    if (event.unknown_status) {
        const std::string_view status = event.view.reads.back().text;
        add(shown(event.view.reads.back()),
            leg.name + " status " + in_quotes(status) + " is not one that the flow knows");
    }
    for (const auto reason : event.view.unreadable) {
        add("", leg.name + ": " + std::string(reason));
    }
    for (const auto doubt : event.view.doubts) {
        add("", leg.name + ": " + std::string(doubt));
        findings.back().severity = Severity::warning;
    }
}

/// Accepted, for lists grow old, but said.
void unknown_currencies(const CaseReading& c, std::size_t index, std::vector<Finding>& findings) {
    for (std::size_t r = 0; r < c.leg(index).reads.size(); ++r) {
        std::set<std::string_view> unknown;
        for (const Taken& event : c.history(index).taken) {
            const ReadView& value = event.view.reads[r];
            if (c.leg(index).reads[r].names_currency && value.kind == ReadValue::Kind::text &&
                !is_iso_4217(value.text)) {
                unknown.insert(value.text);
            }
        }
        for (const auto code : unknown) {
            Finding f = c.finding(FindingKind::data, index);
            f.severity = Severity::warning;
            f.actual = code;
            f.detail =
                c.name({index, r}) + " is " + in_quotes(code) + ", which ISO 4217 does not list";
            findings.push_back(std::move(f));
        }
    }
}

void data(const CaseReading& c, std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        for (const Taken& event : c.history(i).taken) {
            data_of(c, i, event, findings);
        }
        unknown_currencies(c, i, findings);
        for (std::size_t r = 0; c.present(i) && r < c.leg(i).reads.size(); ++r) {
            const Read::Type type = c.leg(i).reads[r].type;
            const bool sum = type == Read::Type::items && c.history(i).taken.size() > 1;
            const std::string why = type == Read::Type::decimal ? c.amount({i, r}).why
                                    : sum                       ? c.items({i, r}).why
                                                                : "";
            if (!why.empty()) {
                Finding f = c.finding(FindingKind::data, i);
                f.detail = c.name({i, r}) + ": " + why;
                findings.push_back(std::move(f));
            }
        }
    }
}

void run_checks(const CaseReading& c, std::vector<Finding>& findings,
                std::vector<CheckOutcome>* outcomes) {
    for (const Check& check : c.flow().checks) {
        CheckOutcome outcome = c.overflowed()
                                   ? not_compared({}, "a leg has more events than its events_max")
                                   : kind_of(check.kind).run(check, c, findings);
        if (outcomes != nullptr) {
            outcome.check = check.name;
            outcome.kind = check.kind;
            outcomes->push_back(std::move(outcome));
        }
    }
}

void chosen(const CaseReading& c, Judgement& out) {
    for (std::size_t i = 0; i < c.legs(); ++i) {
        if (c.history(i).taken.size() > listed_events_max) {
            out.unlisted.emplace_back(c.leg(i).name, c.history(i).taken.size() - listed_events_max);
        }
        for (const Taken& event : c.history(i).taken) {
            if (&event - c.history(i).taken.data() ==
                static_cast<std::ptrdiff_t>(listed_events_max)) {
                break;
            }
            model::VerdictEvent e;
            e.leg = c.leg(i).name;
            e.event_id = event.view.event_id;
            e.source = event.view.source;
            e.type = event.view.type;
            e.time = event.held->occurred();
            e.received_at = from_nanos(event.held->at_ns);
            e.pointer = event.view.at;
            out.events.push_back(std::move(e));
        }
    }
}

void at_risk(const CaseReading& c, Judgement& out) {
    if (out.status != VerdictStatus::partial && out.status != VerdictStatus::mismatched) {
        return;
    }
    for (const ReadRef ref : c.flow().at_risk) {
        const Amount& amount = c.amount(ref);
        if (amount.state == Amount::State::good) {
            const std::string currency = c.assumed_currency(amount.currency);
            out.at_risk.push_back(
                {currency, amount.value.to_string(
                               std::max(amount.value.scale(), currency_minor_units(currency)))});
            return;
        }
    }
}

Judgement judgement_of(const CaseReading& c, bool with_outcomes) {
    Judgement out;
    presence(c, out);
    orphans(c, out);
    std::vector<Finding> rest;
    if (!out.awaited || with_outcomes) {
        overflows(c, rest);
        if (rest.empty()) {
            lateness(c, rest);
            duplicates(c, rest);
            ties(c, rest);
            data(c, rest);
        }
        run_checks(c, rest, with_outcomes ? &out.checks : nullptr);
    }
    if (with_outcomes) {
        notes(c, out);
    }
    const bool wrong = std::any_of(rest.begin(), rest.end(),
                                   [](const Finding& f) { return f.severity == Severity::error; });
    cap(rest);
    if (out.awaited) {
        for (Finding& f : out.findings) {
            f.final = false;
        }
        for (Finding& f : rest) {
            f.final = false;
        }
        out.tentative = std::move(rest);
    } else {
        if (out.status == VerdictStatus::matched && wrong) {
            out.status = VerdictStatus::mismatched;
        }
        std::move(rest.begin(), rest.end(), std::back_inserter(out.findings));
    }
    chosen(c, out);
    at_risk(c, out);
    return out;
}

}  // namespace

bool Judgement::late(std::string_view leg) const {
    const auto is_late = [leg](const Finding& f) {
        return f.kind == FindingKind::late && f.leg == leg;
    };
    return std::any_of(findings.begin(), findings.end(), is_late) ||
           std::any_of(tentative.begin(), tentative.end(), is_late);
}

std::string_view to_string(CheckOutcome::State state) {
    switch (state) {
        case CheckOutcome::State::passed:
            return "passed";
        case CheckOutcome::State::failed:
            return "failed";
        case CheckOutcome::State::waiting:
            return "waiting";
        case CheckOutcome::State::not_compared:
            return "not compared";
    }
    return "";
}

Judgement judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below,
                bool with_outcomes) {
    return judgement_of(CaseReading(c, deadlines, passed_below), with_outcomes);
}

model::VerdictStatus pending_or_partial(const Case& c, const std::vector<Instant>& deadlines,
                                        Instant passed_below) {
    bool overdue = false;
    bool awaited = false;
    for (std::size_t i = 0; i < c.flow->legs.size(); ++i) {
        if (!c.flow->legs[i].optional && !c.is_satisfied(i)) {
            (deadlines[i] < passed_below ? overdue : awaited) = true;
        }
    }
    return overdue   ? VerdictStatus::partial
           : awaited ? VerdictStatus::pending
                     : VerdictStatus::matched;
}

}  // namespace helios::reconcile
