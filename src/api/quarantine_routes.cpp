/// What waits in quarantine (the dead-letter queue).

#include <algorithm>

#include "api/page.h"
#include "api/prefix.h"
#include "api/render.h"
#include "api/route_groups.h"
#include "model/dlq_outcome.h"
#include "model/quarantined.h"

namespace helios::api {
namespace {

constexpr std::size_t prefix_bytes_min =
    4;  // the ids are ours, and none is the beginning of another

constexpr std::string_view quarantine_example =
    R"({"items":[{"dlqId":"af2f90cc-8cc2-550f-837b-265dbc67867c","kind":"event","reason":"missing_field",)"
    R"("detail":"amount: required, absent","source":"gcp","endpoint":"/api/v1/events/ingest","eventType":"PaymentProcessed",)"
    R"("orderId":"ORD-1","firstReceivedAt":"2026-01-05T10:23:45.500Z","lastReceivedAt":"2026-01-05T10:23:45.500Z","times":1,"status":"waiting","attempts":0}],)"
    R"("nextCursor":null,"asOf":"2026-01-05T10:23:48.120Z"})";

Result<http::Response> answer_list(const Consistency& consistency, const Kept& kept,
                                   const Options& options, const http::Request& request,
                                   const Caller& caller) {
    QueryReader query(request);
    store::QuarantineFilter filter(caller.tenant);
    const auto mark = cursor_mark(kept, caller.tenant);
    const auto decode = [mark](std::string_view text) {
        return decode_quarantine_cursor(mark, text);
    };
    HELIOS_TRY(read_page(query, options, &store::QuarantineFilter::last, decode, filter));
    if (const auto status = query.text("status")) {
        HELIOS_TRY_ASSIGN(filter.status, model::parse_dlq_status(*status));
    }
    filter.source = query.text("source");
    filter.type = query.text("event_type");
    filter.reason = query.text("reason");
    filter.key = query.text("order_id");
    const Instant as_of = consistency.stored_before();
    HELIOS_TRY_ASSIGN(const auto page, kept.rows.quarantined(filter));
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& row : page.items) {
        write_quarantine_summary(out, row);
    }
    out.end_array();
    write_next_cursor(out, mark, page.next);
    write_as_of(out, as_of);
    if (page.items.empty()) {
        HELIOS_TRY(write_spelling_hint(out, kept.rows, caller.tenant, SourcesOf::all, filter.source,
                                       filter.type));
    }
    return http::Response::json(200, out.end_object().take());
}

/// `keep_for`: how long bodies are answered; 0: as long as the log has them.
Result<http::Response> answer_item(const Kept& kept, Duration keep_for,
                                   const http::Request& request, const Caller& caller) {
    const auto id = request.path_param("dlqId");
    auto found = kept.rows.quarantined_item(caller.tenant, id);
    if (!found && found.error().kind == ErrorKind::not_found) {
        if (const auto prefix = prefix_of(id, prefix_bytes_min); !prefix.empty()) {
            HELIOS_TRY_ASSIGN(const auto ids, kept.rows.quarantine_ids(caller.tenant, prefix,
                                                                       prefix_candidates_max + 1));
            if (ids.size() > 1) {
                return ambiguous_prefix(prefix, "dlqId", ids);
            }
            if (ids.size() == 1) {
                found = kept.rows.quarantined_item(caller.tenant, ids.front());
            }
        }
    }
    HELIOS_TRY_ASSIGN(const auto row, std::move(found));
    HELIOS_TRY_ASSIGN(const auto outcomes, kept.rows.dlq_outcomes(caller.tenant, row.dlq_id));
    const Instant kept_since =
        keep_for > Duration::zero() ? kept.log.now() - keep_for : Instant::min();
    json::Writer out;
    write_quarantine_item(out, row, fetch_quarantined(kept.log, row, kept_since), outcomes);
    return http::Response::json(200, out.take());
}

constexpr std::string_view redrive_example =
    R"({"id":"8f434346648f6b96df89dda901c5176b","status":"running","total":3,"done":2,"accepted":1,"duplicate":0,"conflict":0,"failed":1,)"
    R"("skipped":0,"who":"local","filter":{"reason":"unknown_source"},"begunAt":"2026-01-05T10:23:45.500Z"})";

Result<http::Response> answer_redrive(const Kept& kept, const http::Request& request,
                                      const Caller& caller) {
    HELIOS_TRY_ASSIGN(const auto row, kept.rows.redrive(caller.tenant, request.path_param("id")));
    const auto done = row.accepted + row.duplicate + row.conflict + row.failed + row.skipped;
    json::Writer out;
    out.begin_object()
        .field("id", row.id)
        .field("status", model::to_string(row.phase))
        .field("total", row.total)
        .field("done", std::min(done, row.total))
        .field("accepted", row.accepted)
        .field("duplicate", row.duplicate)
        .field("conflict", row.conflict)
        .field("failed", row.failed)
        .field("skipped", row.skipped)
        .field("who", row.who)
        .field("begunAt", format_rfc3339(row.begun_at));
    if (row.ended_at) {
        out.field("endedAt", format_rfc3339(*row.ended_at));
    }
    if (!row.detail.empty()) {
        out.field("detail", row.detail);
    }
    out.key("filter").raw(row.filter).end_object();
    return http::Response::json(200, out.take());
}

void add_redrive_route(http::RouteTable& table, const Consistency& consistency, const Kept& kept) {
    auto route = get(consistency, http::Reads::one_record, "/api/v1/dlq/redrive/{id}", "getRedrive",
                     "Quarantine", "How far a redrive is",
                     [kept](const http::Request& request, const Caller& caller) {
                         return answer_redrive(kept, request, caller);
                     });
    route.params = {path_param("id", "As the answer that began it says.")};
    add_answers(route, {answer(200, "As far as it is.", "Redrive", redrive_example),
                        http::problem_answer(400, "There is no such parameter."),
                        http::problem_answer(404, "There is no such redrive.")});
    table.add(std::move(route));
}

}  // namespace

void add_quarantine_routes(http::RouteTable& table, const Consistency& consistency,
                           const Kept& kept, const Options& options) {
    auto list =
        get(consistency, http::Reads::list, "/api/v1/dlq", "listQuarantine", "Quarantine",
            "What could not be accepted and waits, newest first",
            [consistency, kept, &options](const http::Request& request, const Caller& caller) {
                return answer_list(consistency, kept, options, request, caller);
            });
    list.description =
        "One entry per item: a sender's retry of the same one only raises `times`. SNS handshakes "
        "kept for a person have kind "
        "`confirmation`.";
    list.params = with_page_params(
        {closed_param("status", "Only items of this status; absent: those that wait.",
                      {"waiting", "accepted", "discarded", "exhausted"}),
         query_param("source", "Only this source."),
         query_param("event_type", "Only items whose type could be read and is this."),
         closed_param("reason", "Only this reason.",
                      {model::quarantine_reasons.begin(), model::quarantine_reasons.end()}),
         query_param("order_id", "Only items whose key could be read and is this.")});
    add_answers(list, {answer(200, "One page.", "QuarantinePage", quarantine_example),
                       http::problem_answer(400, "A parameter is wrong.")});
    table.add(std::move(list));

    auto one = get(consistency, http::Reads::one_record, "/api/v1/dlq/{dlqId}", "getQuarantined",
                   "Quarantine", "One item, whole",
                   [kept, keep_for = options.quarantine_keep](const http::Request& request,
                                                              const Caller& caller) {
                       return answer_item(kept, keep_for, request, caller);
                   });
    one.description =
        "With what has become of it (`outcomes`), its body as it came (base64 if it is not UTF-8) "
        "and its headers, credentials replaced by fingerprints. Past `retention.quarantine` "
        "`\"body\":null,\"expired\":true`.";
    one.params = {path_param("dlqId",
                             "As `dlqId` of the list or of a 422; or its beginning, at least 4 "
                             "characters, if only one has it.")};
    add_answers(one, {answer(200, "The item.", "QuarantinedItem"),
                      http::problem_answer(400, "There is no such parameter."),
                      http::problem_answer(404, "Nothing in quarantine has this id."),
                      http::problem_answer(409, "Several ids begin with it: `candidates`.")});
    table.add(std::move(one));
    add_redrive_route(table, consistency, kept);
}

}  // namespace helios::api
