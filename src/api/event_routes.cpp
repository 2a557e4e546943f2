/// Accepted events: lists and single ones, with their payloads from the log.

#include <algorithm>
#include <fmt/format.h>

#include "api/endpoint.h"
#include "api/known_position.h"
#include "api/page.h"
#include "api/prefix.h"
#include "api/render.h"
#include "api/route_groups.h"
#include "base/shown.h"

namespace helios::api {
namespace {

constexpr std::size_t prefix_bytes_min =
    8;  // senders choose ids, and one may be the beginning of another

constexpr std::string_view events_example =
    R"({"items":[{"eventId":"e-1","source":"aws","scope":"","eventType":"OrderPlaced","receivedAt":"2026-01-05T10:23:45.500Z",)"
    R"("key":"ORD-1","orderId":"ORD-1","customerId":"C-7","position":"AQYDgAiA","identity":"native",)"
    R"("payload":{"orderId":"ORD-1","customerId":"C-7","totalAmount":"12.50"},"metadata":{},"warnings":[]}],"nextCursor":null,)"
    R"("asOf":"2026-01-05T10:23:48.120Z"})";

Result<http::Response> answer_events(const Consistency& consistency, const Kept& kept,
                                     const Options& options, const http::Request& request,
                                     const Caller& caller) {
    QueryReader query(request);
    store::EventFilter filter(caller.tenant);
    const auto mark = cursor_mark(kept, caller.tenant);
    const auto decode = [mark](std::string_view text) { return decode_event_cursor(mark, text); };
    HELIOS_TRY(read_page(query, options, &store::EventFilter::received, decode, filter));
    filter.key = query.text("order_id");
    filter.type = query.text("event_type");
    filter.source = query.text("source");
    if (const auto after = query.text("after")) {
        HELIOS_TRY_ASSIGN(const auto positions, read_positions(kept.log, *after));
        if (const auto waited = consistency.wait(beyond(positions)); !waited) {
            return unavailable(waited.error());
        }
    }
    const Instant as_of = consistency.stored_before();
    HELIOS_TRY_ASSIGN(auto page, kept.rows.events(filter));
    std::size_t bytes = 0;
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        const auto& row = page.items[i];
        const auto event = fetch_event(kept.log, row.pointer);
        write_event(out, log::hash_of(kept.log.id()), row, event);
        bytes += event ? event->payload.size() + event->metadata.size() : 0;
        if (bytes >= options.page_bytes_max && i + 1 < page.items.size()) {
            page.next = store::EventCursor{row.log_time, row.pointer};
            break;
        }
    }
    out.end_array();
    write_next_cursor(out, mark, page.next);
    write_as_of(out, as_of);
    if (page.items.empty()) {
        HELIOS_TRY(write_spelling_hint(out, kept.rows, caller.tenant, SourcesOf::events,
                                       filter.source, filter.type));
    }
    return http::Response::json(200, out.end_object().take());
}

http::Response ambiguous(std::uint32_t log, std::string_view event_id,
                         const std::vector<store::EventRow>& rows) {
    json::Writer members;
    members.begin_object().key("candidates").begin_array();
    for (const auto& row : rows) {
        members.begin_object()
            .field("source", row.source)
            .field("scope", row.scope)
            .field("eventType", row.type);
        members.field("receivedAt", format_rfc3339(row.log_time))
            .field("position", model::encode_position({log, row.pointer, row.log_time}))
            .end_object();
    }
    members.end_array().end_object();
    return http::problem(
        409, "Ambiguous event id",
        fmt::format("{} events of different origin have the id {}", rows.size(), event_id),
        "name the origin: ?source=… and, if one source uses it in two scopes, &scope=…",
        inside(members));
}

/// Leaves one row per origin, the newest: an identity is (source, scope, id), and may stand for
/// several contents.
void keep_origins(std::vector<store::EventRow>& rows, const std::optional<std::string>& scope) {
    std::vector<store::EventRow> kept;
    for (auto& row : rows) {
        const bool seen = std::any_of(kept.begin(), kept.end(), [&](const auto& k) {
            return k.source == row.source && k.scope == row.scope;
        });
        if (!seen && (!scope || row.scope == *scope)) {
            kept.push_back(std::move(row));
        }
    }
    rows = std::move(kept);
}

/// "aws, gcp", each once.
std::string sources_of(const std::vector<store::EventRow>& rows) {
    std::string text;
    std::vector<std::string_view> seen;
    for (const auto& row : rows) {
        if (std::ranges::find(seen, row.source) == seen.end()) {
            text += (seen.empty() ? "" : ", ") + shown(row.source);
            seen.push_back(row.source);
        }
    }
    return text;
}

/// 404. Says what would do: the scopes or sources that an event of this id has, or how others write
/// the source that was asked for.
Result<http::Response> no_such_event(const Kept& kept, const Caller& caller, std::string_view id,
                                     const std::optional<std::string>& source,
                                     const std::optional<std::string>& scope) {
    const auto title = "No such event";
    HELIOS_TRY_ASSIGN(const auto rows, kept.rows.events_by_id(caller.tenant, id, {}));
    const auto of_source = std::ranges::find_if(
        rows, [&](const auto& row) { return !source || row.source == *source; });
    if (scope && of_source != rows.end()) {
        return http::problem(404, title,
                             fmt::format("no accepted event has the id {} and this scope", id),
                             fmt::format("one has: ?source={}&scope={}", shown(of_source->source),
                                         shown(of_source->scope)));
    }
    if (!rows.empty()) {
        return http::problem(404, title,
                             fmt::format("no accepted event of this source has the id {}", id),
                             fmt::format("there is one of that id from {}", sources_of(rows)));
    }
    HELIOS_TRY_ASSIGN(auto hint,
                      spelling_hint(kept.rows, caller.tenant, SourcesOf::events, source));
    return http::problem(404, title, fmt::format("no accepted event has the id {}", id),
                         hint.empty() ? "refused ones wait in quarantine: /api/v1/dlq" : hint);
}

Result<http::Response> answer_event(const Kept& kept, const http::Request& request,
                                    const Caller& caller) {
    QueryReader query(request);
    const auto id = request.path_param("eventId");
    const auto source = query.text("source");
    const auto of = source ? std::optional<std::string_view>(*source) : std::nullopt;
    HELIOS_TRY_ASSIGN(auto rows, kept.rows.events_by_id(caller.tenant, id, of));
    if (rows.empty()) {
        if (const auto prefix = prefix_of(id, prefix_bytes_min); !prefix.empty()) {
            HELIOS_TRY_ASSIGN(const auto ids, kept.rows.event_ids(caller.tenant, prefix, of,
                                                                  prefix_candidates_max + 1));
            if (ids.size() > 1) {
                return ambiguous_prefix(prefix, "eventId", ids);
            }
            if (ids.size() == 1) {
                HELIOS_TRY_ASSIGN(rows, kept.rows.events_by_id(caller.tenant, ids.front(), of));
            }
        }
    }
    const auto scope = query.text("scope");
    keep_origins(rows, scope);
    if (rows.empty()) {
        return no_such_event(kept, caller, id, source, scope);
    }
    if (rows.size() > 1) {
        return ambiguous(log::hash_of(kept.log.id()), rows.front().event_id, rows);
    }
    const auto& row = rows.front();
    HELIOS_TRY_ASSIGN(const auto records, kept.rows.records_under(caller.tenant, row));
    json::Writer out;
    write_event(out, log::hash_of(kept.log.id()), row, fetch_event(kept.log, row.pointer), records);
    return http::Response::json(200, out.take());
}

}  // namespace

void add_event_routes(http::RouteTable& table, const Consistency& consistency, const Kept& kept,
                      const Options& options) {
    auto list =
        get(consistency, http::Reads::list, "/api/v1/events", "listEvents", "Events",
            "Accepted events, newest first",
            [consistency, kept, &options](const http::Request& request, const Caller& caller) {
                return answer_events(consistency, kept, options, request, caller);
            });
    list.description =
        "Times filter `receivedAt`. A payload past the log's retention reads "
        "`\"payload\":null,\"expired\":true`.";
    list.params = with_page_params({query_param("order_id", "Only events with this key."),
                                    query_param("event_type", "Only this type, written just so."),
                                    query_param("source", "Only this source, written just so."),
                                    query_param("after",
                                                "A position, of one event or of a batch: waits "
                                                "until everything derived from that is visible, "
                                                "at most a second.")});
    add_answers(list, {answer(200, "One page.", "EventPage", events_example),
                       http::problem_answer(400, "A parameter is wrong.")});
    table.add(std::move(list));

    auto one =
        get(consistency, http::Reads::one_record, "/api/v1/events/{eventId}", "getEvent", "Events",
            "One event by its id", [kept](const http::Request& request, const Caller& caller) {
                return answer_event(kept, request, caller);
            });
    one.description =
        "An id is unique only within its source and scope. `otherRecords` are what else the log "
        "holds under that identity: copies, which are this event again, and records with other "
        "content, which are events of their own (of several the newest is answered).";
    one.params = {
        path_param(
            "eventId",
            "The sender's id, or the content hash of an event that came without one. If no event "
            "has it: the beginning of one "
            "that no other shares, at least 8 characters, or any with an ellipsis at its end."),
        query_param("source", "The event's source."),
        query_param("scope",
                    "The event's scope: EventBridge account/region, Pub/Sub subscription, Event "
                    "Grid topic.")};
    one.params.front().schema =
        R"({"type":"string","minLength":1,"maxLength":1024,"pattern":"^[^\\u0000]*$","not":{"enum":["ingest","batch"]}})";
    add_answers(
        one,
        {answer(200, "The event.", "Event"), http::problem_answer(400, "A parameter is wrong."),
         http::problem_answer(404, "No accepted event has this id."),
         http::problem_answer(405, "`ingest` and `batch` are paths of their own."),
         http::problem_answer(409,
                              "Several do (`candidates` lists them; name source and scope), or "
                              "several ids begin with it.")});
    table.add(std::move(one));
}

}  // namespace helios::api
