/// What waits in quarantine (the dead-letter queue).

#include "api/endpoint.h"
#include "api/page.h"
#include "api/render.h"

namespace helios::api {
namespace {

Result<http::Response> answer_list(const Dependencies& d, const http::Request& request) {
    QueryReader query(request, {"source", "reason", "order_id", "start_time", "end_time", "limit", "cursor"});
    HELIOS_TRY(query.check());
    store::QuarantineFilter filter;
    HELIOS_TRY(read_page(query, d.options, &store::QuarantineFilter::last, decode_quarantine_cursor, filter));
    filter.source = query.text("source");
    filter.reason = query.text("reason");
    filter.key = query.text("order_id");
    HELIOS_TRY_ASSIGN(const auto page, d.store.quarantined(filter));
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& row : page.items) {
        write_quarantine_summary(out, row);
    }
    out.end_array();
    write_next_cursor(out, page.next);
    return http::Response::json(200, out.end_object().take());
}

Result<http::Response> answer_item(const Dependencies& d, const http::Request& request) {
    QueryReader query(request, {});
    HELIOS_TRY(query.check());
    const auto id = request.path_param("dlqId");
    const Instant acknowledged = d.barrier.now();
    auto row = d.store.quarantined_item(tenant, id);
    if (!row && row.error().kind == ErrorKind::not_found) {
        if (const auto waited = d.barrier.wait_stored(acknowledged, d.options.barrier_limit); !waited) {
            return unavailable(waited.error());
        }
        row = d.store.quarantined_item(tenant, id);
    }
    if (!row) {
        return fail(row.error());
    }
    json::Writer out;
    write_quarantine_item(out, *row, fetch_quarantined(d.log, *row));
    return http::Response::json(200, out.take());
}

}  // namespace

void add_quarantine_routes(http::RouteTable& table, const Shared& shared) {
    auto list = get("/api/v1/dlq", "listQuarantine", "Quarantine", "What could not be accepted, newest first",
                    [shared](const http::Request& request) { return answer_list(*shared, request); });
    list.description =
        "One entry per item: a sender's retry of the same one only raises `times`. SNS handshakes kept for a person have kind "
        "`confirmation`.";
    list.params = with_page_params({query_param("source", "Only this source."),
                                    query_param("reason", "Only this reason code, for example missing_field."),
                                    query_param("order_id", "Only items whose key could be read and is this.")});
    list.answers = {answer(200, "One page.", "QuarantinePage"), problem_answer(400, "A parameter is wrong.")};
    table.add(std::move(list));

    auto one = get("/api/v1/dlq/{dlqId}", "getQuarantined", "Quarantine", "One item, whole",
                   [shared](const http::Request& request) { return answer_item(*shared, request); });
    one.description =
        "With its body as it came (base64 if it is not UTF-8) and its headers, credentials replaced by fingerprints.";
    one.params = {path_param("dlqId", "As `dlqId` of the list or of a 422.")};
    one.answers = {answer(200, "The item.", "QuarantinedItem"), problem_answer(400, "There is no such parameter."),
                   problem_answer(404, "Nothing in quarantine has this id."),
                   problem_answer(503, "The store has not caught up within a second: retry.")};
    table.add(std::move(one));
}

}  // namespace helios::api
