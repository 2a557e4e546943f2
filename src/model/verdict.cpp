#include "model/verdict.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/forever.h"
#include "base/hash.h"
#include "base/position_bytes.h"
#include "model/record_bytes.h"

namespace helios::model {
namespace {

constexpr std::array<std::string_view, 4> status_names{"pending", "matched", "partial",
                                                       "mismatched"};
constexpr std::array<std::string_view, 11> finding_names{
    "missing",   "late",   "amount",    "currency", "quantity", "data",
    "duplicate", "orphan", "ambiguous", "skew",     "order"};

void write(ByteWriter& out, const Finding& finding) {
    out.u8(static_cast<std::uint8_t>(finding.kind));
    out.string(finding.leg);
    out.string(finding.check);
    out.string(finding.expected);
    out.string(finding.actual);
    out.string(finding.tolerance);
    out.string(finding.unit);
    out.u8(static_cast<std::uint8_t>(finding.severity));
    out.boolean(finding.final);
    out.string(finding.detail);
}

bool read(ByteReader& in, Finding& finding) {
    const auto kind = in.u8();
    finding.kind = static_cast<FindingKind>(kind);
    finding.leg = in.string();
    finding.check = in.string();
    finding.expected = in.string();
    finding.actual = in.string();
    finding.tolerance = in.string();
    finding.unit = in.string();
    const auto severity = in.u8();
    finding.severity = static_cast<Severity>(severity);
    finding.final = in.boolean();
    finding.detail = in.string();
    return kind < finding_names.size() && severity <= 1;
}

void write(ByteWriter& out, const VerdictEvent& event) {
    out.string(event.leg);
    out.string(event.event_id);
    out.string(event.source);
    out.string(event.type);
    write_time(out, event.time);
    out.zigzag(to_nanos(event.received_at));
    write_position(out, event.pointer);
}

VerdictEvent read_event(ByteReader& in) {
    VerdictEvent event;
    event.leg = in.string();
    event.event_id = in.string();
    event.source = in.string();
    event.type = in.string();
    event.time = read_time(in);
    event.received_at = from_nanos(in.zigzag());
    event.pointer = read_pointer(in);
    return event;
}

void optional_field(json::Writer& out, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        out.field(name, text);
    }
}

void write_finding(json::Writer& out, const Finding& finding) {
    out.begin_object().field("kind", to_string(finding.kind));
    optional_field(out, "leg", finding.leg);
    optional_field(out, "check", finding.check);
    optional_field(out, "expected", finding.expected);
    optional_field(out, "actual", finding.actual);
    optional_field(out, "tolerance", finding.tolerance);
    optional_field(out, "unit", finding.unit);
    out.field("severity", to_string(finding.severity)).field("final", finding.final);
    optional_field(out, "detail", finding.detail);
    out.end_object();
}

void write_event_members(json::Writer& out, const VerdictEvent& event) {
    out.field("eventId", event.event_id).field("source", event.source).field("type", event.type);
    if (event.time) {
        out.field("time", format_rfc3339(*event.time));
    }
}

void write_event(json::Writer& out, const VerdictEvent& event, const HydratePayload& hydrate) {
    out.begin_object();
    write_event_members(out, event);
    out.field("receivedAt", format_rfc3339(event.received_at));
    if (hydrate) {
        const auto payload = hydrate(event);
        if (payload.empty()) {
            out.key("payload").null().field("expired", true);
        } else {
            out.key("payload").raw(payload);
        }
    }
    out.end_object();
}

// Events of one leg stand together in `verdict.events` (flow order), so one pass groups them.
template <class WriteEvent>
void write_events(json::Writer& out, const Verdict& verdict, const WriteEvent& write_one) {
    out.key("events").begin_object();
    for (std::size_t i = 0; i < verdict.events.size();) {
        const auto& leg = verdict.events[i].leg;
        std::size_t end = i;
        while (end < verdict.events.size() && verdict.events[end].leg == leg) {
            ++end;
        }
        const bool many =
            end - i > 1 || std::find(verdict.multi_legs.begin(), verdict.multi_legs.end(), leg) !=
                               verdict.multi_legs.end();
        out.key(leg);
        if (many) {
            out.begin_array();
        }
        for (; i < end; ++i) {
            write_one(verdict.events[i]);
        }
        if (many) {
            out.end_array();
        }
    }
    out.end_object();
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names,
                                    std::string_view text) {
    const auto it = std::find(names.begin(), names.end(), text);
    if (it == names.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(it - names.begin());
}

}  // namespace

std::string_view to_string(VerdictStatus status) {
    return status_names.at(static_cast<std::size_t>(status));
}
std::string_view to_string(FindingKind kind) {
    return finding_names.at(static_cast<std::size_t>(kind));
}
std::string_view to_string(Severity severity) {
    return severity == Severity::error ? "error" : "warning";
}

Result<VerdictStatus> parse_status(std::string_view text) {
    if (const auto i = index_of(status_names, text)) {
        return static_cast<VerdictStatus>(*i);
    }
    return fail(ErrorKind::invalid, "unknown status \"" + std::string(text) + "\"",
                "one of pending, matched, partial, mismatched");
}

Result<FindingKind> parse_finding_kind(std::string_view text) {
    if (const auto i = index_of(finding_names, text)) {
        return static_cast<FindingKind>(*i);
    }
    return fail(ErrorKind::invalid, "unknown finding kind \"" + std::string(text) + "\"",
                "one of missing, late, amount, currency, quantity, data, duplicate, orphan, "
                "ambiguous, skew, order");
}

bool awaits_legs(const Verdict& verdict) {
    return verdict.status == VerdictStatus::pending ||
           std::any_of(verdict.findings.begin(), verdict.findings.end(),
                       [](const Finding& f) { return !f.final; });
}

std::string verdict_id(const Verdict& verdict) {
    ByteWriter name;
    name.string(verdict.tenant.text());
    name.string(verdict.flow);
    name.string(verdict.key);
    name.u32(verdict.instance);
    name.u32(verdict.revision);
    return uuid5(name.view());
}

std::string encode(const Verdict& verdict) {
    ByteWriter out;
    out.string(verdict.tenant.text());
    out.string(verdict.flow);
    out.varint(verdict.flow_version);
    out.string(verdict.key_name);
    out.string(verdict.key);
    out.varint(verdict.instance);
    out.varint(verdict.revision);
    out.u8(static_cast<std::uint8_t>(verdict.status));
    write_strings(out, verdict.missing);
    out.varint(verdict.findings.size());
    for (const auto& finding : verdict.findings) {
        write(out, finding);
    }
    out.varint(verdict.events.size());
    for (const auto& event : verdict.events) {
        write(out, event);
    }
    write_strings(out, verdict.multi_legs);
    out.varint(verdict.unlisted.size());
    for (const auto& [leg, count] : verdict.unlisted) {
        out.string(leg);
        out.varint(count);
    }
    out.varint(verdict.at_risk.size());
    for (const auto& money : verdict.at_risk) {
        out.string(money.currency);
        out.string(money.amount);
    }
    out.zigzag(to_nanos(verdict.opened_at));
    out.zigzag(to_nanos(verdict.deadline));
    write_time(out, verdict.reconciled_at);
    out.zigzag(to_nanos(verdict.at));
    out.varint(verdict.level);
    write_fields(out, {{FieldTag::trace, trace_bytes(verdict.trace)}}, verdict.unknown);
    return out.take();
}

Result<Verdict> decode_verdict(std::string_view bytes) {
    ByteReader in(bytes);
    Verdict verdict(read_tenant(in));
    verdict.flow = in.string();
    verdict.flow_version = static_cast<std::uint32_t>(in.varint());
    verdict.key_name = in.string();
    verdict.key = in.string();
    verdict.instance = static_cast<std::uint32_t>(in.varint());
    verdict.revision = static_cast<std::uint32_t>(in.varint());
    const auto status = in.u8();
    verdict.status = static_cast<VerdictStatus>(status);
    verdict.missing = read_strings(in);
    bool good = status < status_names.size();
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        good = read(in, verdict.findings.emplace_back()) && good;
    }
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        verdict.events.push_back(read_event(in));
    }
    verdict.multi_legs = read_strings(in);
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        std::string leg{in.string()};
        verdict.unlisted.emplace_back(std::move(leg), in.varint());
    }
    for (auto n = in.varint(); n > 0 && in.ok(); --n) {
        auto& money = verdict.at_risk.emplace_back();
        money.currency = in.string();
        money.amount = in.string();
    }
    verdict.opened_at = from_nanos(in.zigzag());
    verdict.deadline = from_nanos(in.zigzag());
    verdict.reconciled_at = read_time(in);
    verdict.at = from_nanos(in.zigzag());
    verdict.level = static_cast<std::uint32_t>(in.varint());
    for (FieldReader field(in); field.next();) {
        if (field.tag() == FieldTag::trace) {
            good = read_trace(field.bytes(), verdict.trace) && good;
        } else {
            field.keep(verdict.unknown);
        }
    }
    if (!in.at_end() || !good) {
        return fail(ErrorKind::corrupt, "not a verdict record");
    }
    return verdict;
}

namespace {

void write_decision(json::Writer& out, const Verdict& verdict, bool with_late) {
    out.field("status", to_string(verdict.status)).key("missingEvents").begin_array();
    for (const auto& leg : verdict.missing) {
        out.string(leg);
    }
    out.end_array().key("findings").begin_array();
    for (const auto& finding : verdict.findings) {
        if (with_late || finding.kind != FindingKind::late) {
            write_finding(out, finding);
        }
    }
    out.end_array();
}

void write_at_risk(json::Writer& out, const Verdict& verdict) {
    out.key("atRisk").begin_array();
    for (const auto& money : verdict.at_risk) {
        out.begin_object()
            .field("currency", money.currency)
            .field("amount", money.amount)
            .end_object();
    }
    out.end_array();
}

}  // namespace

void write_members(json::Writer& out, const Verdict& verdict, const HydratePayload& hydrate) {
    out.field("flow", verdict.flow)
        .field("flowVersion", std::uint64_t{verdict.flow_version})
        .field("key", verdict.key);
    if (!verdict.key_name.empty() && verdict.key_name != "key") {
        out.field(verdict.key_name, verdict.key);
    }
    out.field("instance", std::uint64_t{verdict.instance})
        .field("revision", std::uint64_t{verdict.revision});
    write_decision(out, verdict, true);
    write_events(out, verdict,
                 [&](const VerdictEvent& event) { write_event(out, event, hydrate); });
    if (!verdict.unlisted.empty()) {
        out.key("eventsNotListed").begin_object();
        for (const auto& [leg, count] : verdict.unlisted) {
            out.field(leg, count);
        }
        out.end_object();
    }
    write_at_risk(out, verdict);
    out.field("openedAt", format_rfc3339(verdict.opened_at));
    if (verdict.deadline != never) {
        out.field("deadline", format_rfc3339(verdict.deadline));
    }
    if (verdict.reconciled_at) {
        out.field("reconciledAt", format_rfc3339(*verdict.reconciled_at));
    }
}

void write_json(json::Writer& out, const Verdict& verdict, const HydratePayload& hydrate) {
    out.begin_object();
    write_members(out, verdict, hydrate);
    out.end_object();
}

void write_settled_json(json::Writer& out, const Verdict& verdict) {
    out.begin_object()
        .field("tenant", verdict.tenant.text())
        .field("flow", verdict.flow)
        .field("key", verdict.key);
    write_decision(out, verdict, false);
    write_events(out, verdict, [&](const VerdictEvent& event) {
        out.begin_object();
        write_event_members(out, event);
        out.end_object();
    });
    write_at_risk(out, verdict);
    out.end_object();
}

}  // namespace helios::model
