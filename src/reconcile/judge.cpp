#include "reconcile/judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "base/ascii.h"
#include "base/currency.h"
#include "reconcile/extract.h"
#include "reconcile/judging.h"
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

}  // namespace

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
        const std::string status = ascii::upper(event.view.reads.back().text);
        actual += (actual.empty() ? "" : ", ") + status;
        parts.push_back(named(event.view.identity) + " is " + named(status));
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
    out.status = overdue       ? VerdictStatus::partial
                 : out.awaited ? VerdictStatus::pending
                               : VerdictStatus::matched;
}

void Judge::orphans(Judgement& out) {
    if (!flow_.anchor || present(*flow_.anchor) || !passed(*flow_.anchor)) {
        return;
    }
    const Leg& anchor = flow_.legs[*flow_.anchor];
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (i != *flow_.anchor && present(i)) {
            Finding f = finding(FindingKind::orphan, i);
            const bool whole = !legs_[i].taken.empty();
            f.detail = flow_.legs[i].name +
                       (whole ? " " + named(legs_[i].taken.front().view.identity) : "") +
                       " has no " + anchor.name + ": no " + anchor.type + " from " +
                       source_names(anchor);
            out.findings.push_back(std::move(f));
        }
    }
}

/// A leg came when an identity that counts now first counted: what an identity says later does not
/// make it late.
void Judge::lateness(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        std::int64_t at = std::numeric_limits<std::int64_t>::max();
        bool timed = false;
        for (const auto* identities : {&legs_[i].taken, &legs_[i].duplicates}) {
            for (const Taken& identity : *identities) {
                at = std::min(at, identity.arrived_ns);
                timed = timed || (identity.first != nullptr && identity.first->timed());
            }
        }
        // Without a time of its own, when it came says nothing of when it happened.
        if (!present(i) || !timed || from_nanos(at) <= deadlines_[i]) {
            continue;
        }
        Finding f = finding(FindingKind::late, i);
        f.severity = Severity::warning;
        f.expected = format_rfc3339(deadlines_[i]);
        f.actual = format_rfc3339(from_nanos(at));
        f.detail = flow_.legs[i].name + " came " + seconds(from_nanos(at) - deadlines_[i]) +
                   " s after its deadline";
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
            f.detail =
                "a second " + name + " counts: " + named(f.actual) + " beside " + named(f.expected);
            findings.push_back(std::move(f));
        }
    }
}

/// What nothing orders and yet decides: two events of an identity of which one counts, or which say
/// different things.
void Judge::ties(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const auto* identities : {&legs_[i].taken, &legs_[i].duplicates}) {
            for (const Taken& identity : *identities) {
                for (const Tie& tie : identity.ties) {
                    const Leg& leg = flow_.legs[i];
                    Finding f = finding(FindingKind::ambiguous, i);
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
void Judge::overflows(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (case_.is_overflowed(i)) {
            Finding f = finding(FindingKind::data, i);
            f.expected = std::to_string(flow_.legs[i].events_max);
            f.detail = flow_.legs[i].name + " has more than " + f.expected +
                       " events, its events_max: nothing of this case is compared, for that would "
                       "be a part";
            findings.push_back(std::move(f));
        }
    }
}

/// Keeps a verdict short: of one kind, leg and severity so many, and the last of them says how many
/// more there are.
void Judge::cap(std::vector<Finding>& findings) const {
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
void Judge::notes(Judgement& out) const {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const Taken& identity : legs_[i].taken) {
            for (const RevisedRead& revised : identity.revised) {
                if (out.revised.size() < findings_of_a_kind_max) {
                    out.revised.push_back(flow_.legs[i].name + " " + named(identity.view.identity) +
                                          ": " + flow_.legs[i].reads[revised.read].name + " " +
                                          revised.from + " → " + revised.to + " by " +
                                          named(revised.by));
                }
            }
        }
    }
}

void Judge::data_of(std::size_t index, const Taken& event, std::vector<Finding>& findings) {
    const Leg& leg = flow_.legs[index];
    const auto add = [&](std::string actual, std::string detail) {
        Finding f = finding(FindingKind::data, index);
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
void Judge::unknown_currencies(std::size_t index, std::vector<Finding>& findings) {
    for (std::size_t r = 0; r < flow_.legs[index].reads.size(); ++r) {
        std::set<std::string_view> unknown;
        for (const Taken& event : legs_[index].taken) {
            const ReadView& value = event.view.reads[r];
            if (flow_.legs[index].reads[r].names_currency && value.kind == ReadValue::Kind::text &&
                !is_iso_4217(value.text)) {
                unknown.insert(value.text);
            }
        }
        for (const auto code : unknown) {
            Finding f = finding(FindingKind::data, index);
            f.severity = Severity::warning;
            f.actual = code;
            f.detail =
                name_of({index, r}) + " is " + in_quotes(code) + ", which ISO 4217 does not list";
            findings.push_back(std::move(f));
        }
    }
}

void Judge::data(std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        for (const Taken& event : legs_[i].taken) {
            data_of(i, event, findings);
        }
        unknown_currencies(i, findings);
        for (std::size_t r = 0; present(i) && r < flow_.legs[i].reads.size(); ++r) {
            const Read::Type type = flow_.legs[i].reads[r].type;
            const bool sum = type == Read::Type::items && legs_[i].taken.size() > 1;
            const std::string why = type == Read::Type::decimal ? amount_of({i, r}).why
                                    : sum                       ? items_of({i, r}).why
                                                                : "";
            if (!why.empty()) {
                Finding f = finding(FindingKind::data, i);
                f.detail = name_of({i, r}) + ": " + why;
                findings.push_back(std::move(f));
            }
        }
    }
}

void Judge::run_checks(std::vector<Finding>& findings, std::vector<Outcome>* outcomes) {
    for (const Check& check : flow_.checks) {
        Outcome outcome = case_.overflowed != 0                 ? Outcome{}
                          : check.kind == Check::Kind::amount   ? amount(check, findings)
                          : check.kind == Check::Kind::quantity ? quantity(check, findings)
                          : check.kind == Check::Kind::equal    ? equal(check, findings)
                                                                : skew(check, findings);
        if (case_.overflowed != 0) {
            outcome.state = Outcome::State::not_compared;
            outcome.note = "a leg has more events than its events_max";
        }
        if (outcomes != nullptr) {
            outcome.check = check.name;
            outcome.kind = check.kind;
            outcomes->push_back(std::move(outcome));
        }
    }
}

void Judge::chosen(Judgement& out) {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        if (legs_[i].taken.size() > listed_events_max) {
            out.unlisted.emplace_back(flow_.legs[i].name,
                                      legs_[i].taken.size() - listed_events_max);
        }
        for (const Taken& event : legs_[i].taken) {
            if (&event - legs_[i].taken.data() == static_cast<std::ptrdiff_t>(listed_events_max)) {
                break;
            }
            model::VerdictEvent e;
            e.leg = flow_.legs[i].name;
            e.event_id = event.view.event_id;
            e.source = event.view.source;
            e.type = event.view.type;
            e.time = event.held->occurred();
            e.received_at = from_nanos(event.held->at_ns);
            e.pointer = {event.view.topic, event.view.partition, event.view.offset};
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
                {currency, amount.value.to_string(
                               std::max(amount.value.scale(), currency_minor_units(currency)))});
            return;
        }
    }
}

Judgement Judge::run(bool with_outcomes) {
    Judgement out;
    presence(out);
    orphans(out);
    std::vector<Finding> rest;
    if (!out.awaited || with_outcomes) {
        overflows(rest);
        if (rest.empty()) {
            lateness(rest);
            duplicates(rest);
            ties(rest);
            data(rest);
        }
        run_checks(rest, with_outcomes ? &out.checks : nullptr);
    }
    if (with_outcomes) {
        notes(out);
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
    chosen(out);
    at_risk(out);
    return out;
}

bool Judgement::late(std::string_view leg) const {
    const auto is_late = [leg](const Finding& f) {
        return f.kind == FindingKind::late && f.leg == leg;
    };
    return std::any_of(findings.begin(), findings.end(), is_late) ||
           std::any_of(tentative.begin(), tentative.end(), is_late);
}

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

Judgement judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below,
                bool with_outcomes) {
    return Judge(c, deadlines, passed_below).run(with_outcomes);
}

model::VerdictStatus pending_or_partial(const Case& c, const std::vector<Instant>& deadlines,
                                        Instant passed_below, bool& awaited) {
    bool overdue = false;
    awaited = false;
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
