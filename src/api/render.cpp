#include "api/render.h"

#include "base/shown.h"
#include "model/position.h"
#include "model/topics.h"

namespace helios::api {
namespace {

/// The bytes of a record stamped at `kept_since` or later, or nullopt.
std::optional<std::string> fetch(log::Lookup& log, const Position& at,
                                 Instant kept_since = Instant::min()) {
    const auto batch = log.read_at(at);
    if (!batch || batch->records.empty() || batch->records.front().log_time < kept_since) {
        return std::nullopt;
    }
    return std::string(batch->records.front().value);
}

void optional_text(json::Writer& out, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        out.field(name, text);
    }
}

void write_strings(json::Writer& out, std::string_view name,
                   const std::vector<std::string>& items) {
    out.key(name).begin_array();
    for (const auto& item : items) {
        out.string(item);
    }
    out.end_array();
}

void write_quarantine_members(json::Writer& out, const store::QuarantineRow& row) {
    out.field("dlqId", row.dlq_id).field("kind", row.confirmation ? "confirmation" : "event");
    out.field("reason", row.reason)
        .field("detail", row.detail)
        .field("source", row.source)
        .field("endpoint", row.endpoint);
    optional_text(out, "scope", row.scope);
    optional_text(out, "eventId", row.event_id);
    optional_text(out, "eventType", row.event_type);
    optional_text(out, "orderId", row.key);
    out.field("firstReceivedAt", format_rfc3339(row.first_at))
        .field("lastReceivedAt", format_rfc3339(row.last_at))
        .field("times", row.times)
        .field("status", model::to_string(row.status))
        .field("attempts", std::uint64_t{row.attempts});
}

void write_outcomes(json::Writer& out, const std::vector<store::DlqOutcomeRow>& outcomes) {
    out.key("outcomes").begin_array();
    for (const auto& outcome : outcomes) {
        out.begin_object()
            .field("what", model::to_string(outcome.what))
            .field("attempt", std::uint64_t{outcome.attempt})
            .field("who", outcome.who)
            .field("at", format_rfc3339(outcome.at));
        optional_text(out, "source", outcome.source);
        optional_text(out, "scope", outcome.scope);
        optional_text(out, "eventId", outcome.event_id);
        optional_text(out, "reason", outcome.reason);
        optional_text(out, "detail", outcome.detail);
        optional_text(out, "redrive", outcome.redrive);
        optional_text(out, "edited", outcome.edited);
        out.end_object();
    }
    out.end_array();
}

}  // namespace

std::optional<model::Event> fetch_event(log::Lookup& log, const Position& pointer) {
    const auto bytes = fetch(log, pointer);
    if (!bytes) {
        return std::nullopt;
    }
    auto event = model::decode_event(*bytes);
    return event ? std::optional(*std::move(event)) : std::nullopt;
}

std::optional<model::Quarantined> fetch_quarantined(log::Lookup& log,
                                                    const store::QuarantineRow& row,
                                                    Instant kept_since) {
    const auto bytes = fetch(log, row.pointer, kept_since);
    if (!bytes) {
        return std::nullopt;
    }
    auto item = model::decode_quarantined(*bytes);
    return item ? std::optional(*std::move(item)) : std::nullopt;
}

model::HydratePayload payloads_from(log::Lookup& log, std::size_t& bytes) {
    return [&log, &bytes](const model::VerdictEvent& event) -> std::string {
        auto found = fetch_event(log, event.pointer);
        if (!found) {
            return {};
        }
        bytes += found->payload.size();
        return std::move(found->payload);
    };
}

namespace {

void write_other_records(json::Writer& out, std::uint32_t log, const store::EventRow& row,
                         std::span<const store::EventRecord> records) {
    out.key("otherRecords").begin_array();
    for (const auto& [place, content] : records) {
        if (place == row.place()) {
            continue;
        }
        out.begin_object()
            .field("receivedAt", format_rfc3339(place.log_time))
            .field("position", model::encode_position({log, place.pointer, place.log_time}))
            .field("sameContent", content == row.content)
            .end_object();
    }
    out.end_array();
}

}  // namespace

void write_event(json::Writer& out, std::uint32_t log, const store::EventRow& row,
                 const std::optional<model::Event>& event,
                 std::span<const store::EventRecord> records) {
    out.begin_object()
        .field("eventId", row.event_id)
        .field("source", row.source)
        .field("scope", row.scope)
        .field("eventType", row.type);
    if (row.event_time) {
        out.field("time", format_rfc3339(*row.event_time));
    }
    out.field("receivedAt", format_rfc3339(row.log_time));
    if (!row.key.empty()) {
        out.field("key", row.key).field("orderId", row.key);
    }
    if (row.customer) {
        out.field("customerId", *row.customer);
    }
    out.field("position", model::encode_position({log, row.pointer, row.log_time}));
    out.field("identity", row.identity == model::IdentityKind::content ? "content" : "native");
    if (row.copies > 0) {
        out.field("copies", row.copies);
    }
    if (records.size() > 1) {
        write_other_records(out, log, row, records);
    }
    if (event) {
        out.key("payload").raw(event->payload).key("metadata").raw(event->metadata);
        write_strings(out, "warnings", event->warnings);
        optional_text(out, "traceparent", event->traceparent);
    } else {
        out.key("payload").null().field("expired", true);
    }
    out.end_object();
}

void write_quarantine_summary(json::Writer& out, const store::QuarantineRow& row) {
    out.begin_object();
    write_quarantine_members(out, row);
    out.end_object();
}

void write_quarantine_item(json::Writer& out, const store::QuarantineRow& row,
                           const std::optional<model::Quarantined>& item,
                           const std::vector<store::DlqOutcomeRow>& outcomes) {
    out.begin_object();
    write_quarantine_members(out, row);
    write_outcomes(out, outcomes);
    if (!item) {
        out.key("body").null().field("expired", true).end_object();
        return;
    }
    write_strings(out, "errors", item->errors);
    out.key("headers").raw(item->headers.empty() ? "{}" : item->headers);
    optional_text(out, "traceparent", item->traceparent);
    write_bytes(out, "body", item->body);
    out.end_object();
}

void write_quarantined_member(json::Writer& out, const std::vector<store::QuarantineRow>& rows) {
    out.key("quarantined").begin_array();
    for (const auto& row : rows) {
        write_quarantine_summary(out, row);
    }
    out.end_array();
}

std::string inside(json::Writer& object) {
    auto text = object.take();
    return text.substr(1, text.size() - 2);
}

}  // namespace helios::api
