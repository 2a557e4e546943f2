#include "reconcile/explain.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "reconcile/checks/check_kind.h"
#include "reconcile/history.h"

namespace helios::reconcile {
namespace {

using model::FindingKind;
using model::VerdictStatus;

/// In sentences; members of their own have every digit.
std::string to_the_millisecond(Instant t) {
    return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(t));
}

std::string upper_status(VerdictStatus status) {
    return std::string(model::to_string(status));
}

std::string revision_line(const model::Verdict& v) {
    std::string text = "revision " + std::to_string(v.revision) + ": " + upper_status(v.status);
    for (const auto& f : v.findings) {
        text += std::string(", ") + std::string(model::to_string(f.kind)) + " " + f.leg;
    }
    return text;
}

std::string event_line(const model::LegRecord& r) {
    return r.leg + ": " + r.type + " " + r.event_id + " from " + r.source +
           (r.occurred ? ", happened " + to_the_millisecond(*r.occurred) : "");
}

std::string away_line(const model::AbsenceRecord& absence) {
    std::string text = "Helios had been away for " + format_duration(absence.to - absence.from) +
                       ": " + describe(absence) + "; open deadlines move by that and " +
                       format_duration(absence.grace);
    if (absence.max > Duration::zero()) {
        text += ", by at most " + format_duration(absence.max) + " in all";
    }
    return text;
}

/// Runs the records through an engine and notes what happened when.
class Walk {
public:
    explicit Walk(const ExplainRequest& request) : request_(request), engine_(closed_) {}

    void run() {
        for (const auto& record : request_.records) {
            take(record);
        }
        note_revisions(engine_.on_record(model::TickRecord{request_.now}), Instant::max());
        note_absences();
    }

    std::vector<TimelineEntry> timeline;
    std::vector<LegEvent> events;
    std::vector<Revision> revisions;
    std::map<std::uint32_t, std::shared_ptr<const Flow>> flows;
    std::optional<CaseView> view() const {
        return engine_.inspect(request_.tenant, request_.flow, request_.key);
    }

private:
    void take(const model::CaseRecord& record) {
        if (const auto* flow = std::get_if<model::FlowRecord>(&record)) {
            take_flow(*flow);
            return;
        }
        const auto* leg = std::get_if<model::LegRecord>(&record);
        if (leg != nullptr && (leg->key != request_.key || leg->flow != request_.flow ||
                               leg->tenant != request_.tenant)) {
            return;
        }
        const auto made = engine_.on_record(record);
        const Instant at = model::at_of(record);
        const auto first_after = note_revisions(made, at);
        if (leg != nullptr) {
            events.push_back({*leg, false, "superseded"});
            timeline.push_back({at, "event", leg->leg, event_line(*leg)});
        } else if (const auto* absence = std::get_if<model::AbsenceRecord>(&record)) {
            absences_.add(*absence);
        }
        note_rest(made, first_after);
    }

    /// Whole stretches, where they end: of one that came in many pieces nobody wants to read each.
    void note_absences() {
        if (revisions.empty()) {
            return;
        }
        for (const auto& absence : absences_.all()) {
            if (absence.to <= revisions.front().verdict.opened_at) {
                continue;
            }
            const auto later = std::find_if(timeline.begin(), timeline.end(),
                                            [&](const auto& e) { return e.at > absence.to; });
            timeline.insert(later, {absence.to, "away", "", away_line(absence)});
        }
    }

    void take_flow(const model::FlowRecord& record) {
        if (record.flow != request_.flow || record.tenant != request_.tenant) {
            return;
        }
        if (auto flow = parse_flow(record.text, record.flow + ".yaml")) {
            auto shared = std::make_shared<const Flow>(std::move(*flow));
            engine_.use_flow(record.tenant, shared);
            flows[record.version] = std::move(shared);
            if (!events.empty()) {
                timeline.push_back(
                    {record.at, "flow", "",
                     "flow " + record.flow + " version " + std::to_string(record.version) +
                         " became active; this case keeps the version it opened with"});
            }
        }
    }

    /// Notes those stamped before `at`; returns how many.
    std::size_t note_revisions(const std::vector<Revision>& made, Instant at) {
        std::size_t i = 0;
        while (i < made.size() && made[i].verdict.at < at) {
            note(made[i++]);
        }
        return i;
    }
    void note_rest(const std::vector<Revision>& made, std::size_t i) {
        for (; i < made.size(); ++i) {
            note(made[i]);
        }
    }
    void note(const Revision& revision) {
        timeline.push_back({revision.verdict.at, "revision", "", revision_line(revision.verdict)});
        revisions.push_back(revision);
    }

    const ExplainRequest& request_;
    Absences absences_;
    MemoryClosedCases closed_;
    Engine engine_;
};

/// A record and what is held of it meet by leg, identity, id and source.
using EventName = std::tuple<std::size_t, std::string_view, std::string_view, std::string_view>;

EventName name_of(const HeldEvent& held) {
    const EventView view = held.view();
    return {held.leg, view.identity, view.event_id, view.source};
}

std::map<EventName, std::string_view> roles_of(const std::vector<LegHistory>& histories) {
    std::map<EventName, std::string_view> out;
    const auto give = [&](const std::vector<Taken>& identities, std::string_view role) {
        for (const Taken& identity : identities) {
            for (const auto& [held, last] : identity.events) {
                out[name_of(*held)] = last && !identity.ties.empty()      ? "ambiguous"
                                      : !identity.counts && !held->counts ? "does not count"
                                                                          : "superseded";
            }
            if (identity.ties.empty()) {
                out[name_of(*identity.held)] = role;
            }
        }
    };
    for (const LegHistory& leg : histories) {
        give(leg.taken, "taken");
        give(leg.duplicates, "duplicate");
        give(leg.not_counting, "does not count");
    }
    return out;
}

void give_roles(Explanation& out) {
    const Flow& flow = *out.flow;
    const auto histories = read_histories(out.view.state);
    const auto roles = roles_of(histories);
    std::set<EventName> seen;
    for (LegEvent& event : out.events) {
        const auto leg = flow.leg_index(event.record.leg);
        if (event.record.flow_version != flow.version || !leg) {
            event.role = "other version";
            continue;
        }
        const EventName name{*leg, event.record.identity, event.record.event_id,
                             event.record.source};
        if (const auto role = roles.find(name); role != roles.end()) {
            event.role = role->second;
        }
        if (out.view.state.is_overflowed(*leg)) {
            event.role = "not compared";
        }
        if (!seen.insert(name)
                 .second) {  // of an event that is held a redelivery plays no part of its own
            event.role = "redelivered";
        }
        event.taken = event.role == "taken" || event.role == "ambiguous";
    }
}

/// A person reads a few hundred lines, a program some megabytes.
void shorten(Explanation& out) {
    constexpr std::size_t of_leg_max = 200;
    constexpr std::size_t timeline_max = 400;
    std::map<std::string, std::size_t> shown;
    const std::size_t all = out.events.size();
    std::erase_if(out.events,
                  [&](const LegEvent& event) { return ++shown[event.record.leg] > of_leg_max; });
    if (out.events.size() < all) {
        out.caveats.push_back(std::to_string(all - out.events.size()) +
                              " events are not shown one by one: of each leg the first " +
                              std::to_string(of_leg_max) +
                              " are; the verdict rests on all of them");
    }
    if (out.timeline.size() > timeline_max) {
        const auto begin = out.timeline.begin() + timeline_max / 2;
        const auto end = out.timeline.end() - timeline_max / 2;
        *begin = {begin->at, "more", "", std::to_string(end - begin) + " more entries"};
        out.timeline.erase(begin + 1, end);
    }
}

std::string key_hint(const Leg& leg, const std::string& key) {
    return leg.type + " from " + (leg.sources.empty() ? "any source" : leg.sources.front()) +
           " with " + leg.key_paths.front().text() + " " + key;
}

/// Of a kind of finding that checks alone make.
std::string check_remedy(const Flow& flow, const model::Finding& f) {
    const auto check = std::find_if(flow.checks.begin(), flow.checks.end(),
                                    [&](const Check& c) { return c.name == f.check; });
    return check == flow.checks.end() ? "" : kind_of(check->kind).remedy(f);
}

std::string would_match(const Flow& flow, const model::Finding& f, const std::string& key) {
    const auto index = flow.leg_index(f.leg);
    const Leg* leg = index ? &flow.legs[*index] : nullptr;
    switch (f.kind) {
        case FindingKind::missing:
            return leg == nullptr ? ""
                                  : "a " + key_hint(*leg, key) +
                                        (leg->status ? " and a status that counts" : "");
        case FindingKind::duplicate:
            return f.leg + " without " + f.actual + " (voided or refunded by its source)";
        case FindingKind::ambiguous:
            return f.leg +
                   " whose events say which came last: by a finer time, or by what the leg's "
                   "`sequence` reads";
        case FindingKind::data:
            return f.severity == model::Severity::warning
                       ? ""
                       : f.leg + " sent again with a value that can be read";
        case FindingKind::amount:
        case FindingKind::currency:
        case FindingKind::quantity:
        case FindingKind::skew:
            return check_remedy(flow, f);
        case FindingKind::late:
        case FindingKind::orphan:
        case FindingKind::order:
            return "";
    }
    return "";
}

void say_next(Explanation& out, Instant now) {
    const Flow& flow = *out.flow;
    const Case& c = out.view.state;
    const auto when = [](Instant t) { return to_the_millisecond(t); };
    if (out.view.open) {
        for (std::size_t i = 0; i < flow.legs.size(); ++i) {
            if (!c.is_satisfied(i) && !flow.legs[i].optional && out.view.deadlines[i] >= now) {
                if (out.view.deadlines[i] == never) {
                    out.next.push_back("waits for " + flow.legs[i].name +
                                       ", which has no deadline");
                    continue;
                }
                out.next.push_back("waits for " + flow.legs[i].name + " until " +
                                   when(out.view.deadlines[i]) + " (" +
                                   format_duration(std::chrono::floor<std::chrono::seconds>(
                                       out.view.deadlines[i] - now)) +
                                   " from now); then it is missing");
            }
        }
        const Instant last =
            *std::max_element(out.view.deadlines.begin(), out.view.deadlines.end());
        out.next.push_back(last == never ? "the case stays open until it matches"
                                         : "the case closes at " + when(last) + " at the latest");
        return;
    }
    const Instant last = *std::max_element(out.view.deadlines.begin(), out.view.deadlines.end());
    const Instant amend_until = later(last == never ? c.closed_at : last, flow.amend_for);
    if (amend_until == never) {
        out.next.push_back("closed since " + when(c.closed_at) +
                           "; a later fact amends it, whenever it comes");
        return;
    }
    out.next.push_back("closed since " + when(c.closed_at) + "; a fact that comes by " +
                       when(amend_until) + " amends it");
    out.next.push_back("after that an event with this key opens instance " +
                       std::to_string(c.instance + 1));
}

}  // namespace

Result<Explanation> explain(const ExplainRequest& request) {
    Walk walk(request);
    walk.run();
    auto view = walk.view();
    if (!view || walk.revisions.empty()) {
        return fail(ErrorKind::not_found,
                    "flow " + request.flow + " has no case for " + request.key,
                    request.quarantined.empty()
                        ? "check the key; an event that has not been accepted is no case"
                        : "events that name it wait in quarantine");
    }
    Explanation out(std::move(walk.revisions.back().verdict));
    out.flow = walk.flows.at(out.verdict.flow_version);
    out.view = std::move(*view);
    if (model::awaits_legs(out.verdict)) {
        out.verdict.deadline =
            *std::max_element(out.view.deadlines.begin(), out.view.deadlines.end());
    }
    out.events = std::move(walk.events);
    out.timeline = std::move(walk.timeline);
    give_roles(out);
    const auto& findings =
        out.view.judgement.awaited ? out.view.judgement.tentative : out.view.judgement.findings;
    for (const auto& f : findings) {
        if (auto remedy = would_match(*out.flow, f, request.key); !remedy.empty()) {
            out.would_match.push_back(std::move(remedy));
        }
    }
    out.revised = out.view.judgement.revised;
    say_next(out, request.now);
    if (request.expired > 0) {
        out.caveats.push_back(
            std::to_string(request.expired) +
            " records of this case are past retention: what they said is not shown");
    }
    if (request.truncated) {
        // What the records that are here would give is the verdict of a part.
        if (request.latest) {
            out.verdict = *request.latest;
        }
        out.view.judgement.checks.clear();
        out.view.judgement.tentative.clear();
        out.would_match.clear();
        const std::string what = request.known_since
                                     ? "the case has records of before " +
                                           format_rfc3339(*request.known_since) +
                                           ", which are past retention"
                                     : "the case has more records than an explanation reads";
        out.caveats.push_back(what +
                              ": the verdict is the published one, its checks are not shown");
    }
    shorten(out);
    return out;
}

namespace {

void write_value(json::Writer& w, const model::ReadValue& value) {
    using Kind = model::ReadValue::Kind;
    w.begin_object();
    switch (value.kind) {
        case Kind::absent:
            w.field("kind", "absent");
            break;
        case Kind::text:
            w.field("kind", "text").field("value", value.text);
            break;
        case Kind::decimal:
            w.field("kind", "decimal").field("value", value.text);
            break;
        case Kind::bad:
            w.field("kind", "bad").field("reason", value.text);
            break;
        case Kind::items:
            w.field("kind", "items").key("value").begin_object();
            for (const auto& [key, quantity] : value.items) {
                w.field(key, quantity);
            }
            w.end_object();
            break;
    }
    if (!value.path.empty()) {
        w.field("path", value.path);
    }
    w.end_object();
}

void write_event(json::Writer& w, const LegEvent& event) {
    const model::LegRecord& r = event.record;
    w.begin_object()
        .field("role", event.role)
        .field("eventId", r.event_id)
        .field("source", r.source)
        .field("type", r.type)
        .field("identity", r.identity);
    if (r.occurred) {
        w.field("occurred", format_rfc3339(*r.occurred));
    }
    w.field("receivedAt", format_rfc3339(r.at)).key("reads").begin_object();
    for (const auto& [name, value] : r.reads) {
        w.key(name);
        write_value(w, value);
    }
    w.end_object().key("notes").begin_array();
    for (const auto& note : r.notes) {
        w.string(note);
    }
    w.end_array().end_object();
}

void write_legs(json::Writer& w, const Explanation& e) {
    w.key("legs").begin_array();
    for (std::size_t i = 0; i < e.flow->legs.size(); ++i) {
        const Leg& leg = e.flow->legs[i];
        w.begin_object()
            .field("leg", leg.name)
            .field("type", leg.type)
            .field("optional", leg.optional);
        if (e.view.deadlines[i] != never) {
            w.field("deadline", format_rfc3339(e.view.deadlines[i]));
        }
        w.field("present", e.view.state.is_satisfied(i)).key("events").begin_array();
        for (const LegEvent& event : e.events) {
            if (event.record.leg == leg.name) {
                write_event(w, event);
            }
        }
        w.end_array().end_object();
    }
    w.end_array();
}

void write_finding(json::Writer& w, const model::Finding& f) {
    w.begin_object().field("kind", model::to_string(f.kind)).field("leg", f.leg);
    for (const auto& [name, text] :
         {std::pair("check", &f.check), std::pair("expected", &f.expected),
          std::pair("actual", &f.actual), std::pair("tolerance", &f.tolerance),
          std::pair("unit", &f.unit), std::pair("detail", &f.detail)}) {
        if (!text->empty()) {
            w.field(name, *text);
        }
    }
    w.field("severity", model::to_string(f.severity)).field("final", f.final).end_object();
}

void write_strings(json::Writer& w, std::string_view name, const std::vector<std::string>& texts) {
    w.key(name).begin_array();
    for (const auto& text : texts) {
        w.string(text);
    }
    w.end_array();
}

void write_checks(json::Writer& w, const Explanation& e) {
    w.key("checks").begin_array();
    for (const CheckOutcome& c : e.view.judgement.checks) {
        w.begin_object()
            .field("check", c.check)
            .field("kind", to_string(c.kind))
            .field("state", to_string(c.state));
        for (const auto& [name, text] :
             {std::pair("leg", &c.leg), std::pair("expected", &c.expected),
              std::pair("actual", &c.actual), std::pair("tolerance", &c.tolerance),
              std::pair("unit", &c.unit), std::pair("note", &c.note)}) {
            if (!text->empty()) {
                w.field(name, *text);
            }
        }
        w.field("final", !e.view.judgement.awaited).end_object();
    }
    w.end_array();
}

}  // namespace

std::string to_json(const Explanation& e, const ExplainRequest& request) {
    json::Writer w;
    w.begin_object().key("verdict");
    model::write_json(w, e.verdict);
    w.field("flowHash", e.flow->hash)
        .field("open", e.view.open)
        .field("asOf", format_rfc3339(request.now));
    write_legs(w, e);
    write_checks(w, e);
    w.key("tentative").begin_array();
    for (const auto& f : e.view.judgement.tentative) {
        write_finding(w, f);
    }
    w.end_array();
    write_strings(w, "wouldMatch", e.would_match);
    write_strings(w, "revised", e.revised);
    w.key("timeline").begin_array();
    for (const auto& entry : e.timeline) {
        w.begin_object().field("at", format_rfc3339(entry.at)).field("what", entry.what);
        if (!entry.leg.empty()) {
            w.field("leg", entry.leg);
        }
        w.field("text", entry.text).end_object();
    }
    w.end_array().key("quarantined").begin_array();
    for (const auto& item : request.quarantined) {
        w.begin_object()
            .field("dlqId", item.id)
            .field("source", item.source)
            .field("eventType", item.event_type)
            .field("eventId", item.event_id);
        w.field("reason", item.reason).field("detail", item.detail);
        if (item.received_at) {
            w.field("receivedAt", format_rfc3339(*item.received_at));
        }
        w.end_object();
    }
    w.end_array();
    write_strings(w, "next", e.next);
    write_strings(w, "caveats", e.caveats);
    return w.end_object().take();
}

}  // namespace helios::reconcile
