/// GET /api/v1/stream: verdicts as they are made, over a WebSocket.

#include "api/route_groups.h"

namespace helios::api {
namespace {

Result<http::Response> answer_stream(Stream& stream, const Cases& cases,
                                     const http::Request& request, const Caller& caller) {
    QueryReader query(request);
    StreamFilter filter(caller.tenant);
    filter.flow = query.text("flow");
    HELIOS_TRY(cases.check_flow(caller.tenant, filter.flow));
    filter.key = query.text("key");
    if (const auto status = query.text("status")) {
        HELIOS_TRY_ASSIGN(filter.status, model::parse_status(*status));
    }
    if (const auto kind = query.text("kind")) {
        HELIOS_TRY_ASSIGN(filter.kind, model::parse_finding_kind(*kind));
    }
    HELIOS_TRY_ASSIGN(filter.payloads, query.yes_or_no("payloads"));
    HELIOS_TRY_ASSIGN(auto events, stream.listen(std::move(filter), query.text("after")));
    return http::Response::accept_websocket(std::move(events));
}

constexpr std::string_view description =
    "A WebSocket (RFC 6455). Each text message is one revision of one case, in the order in which "
    "the log has them: a `Verdict` "
    "with "
    "`position`. After the handshake nothing comes until there is a revision; pings every 20 s "
    "keep the connection awake. What a "
    "client sends is not read; anything but short texts ends the connection (1003, 1009).\n\n"
    "Without `after` it begins now: subscribe first, then read the present state, and nothing "
    "falls between. A client that lost "
    "its "
    "connection passes the `position` of the last message it has handled and gets everything that "
    "came after it, once; also "
    "after "
    "a restart of the server. No revision is left out for a slow client: it gets them later. One "
    "that takes nothing for "
    "`http.write_timeout` is disconnected. When the server stops, it closes with 1001: connect "
    "again with `after`.\n\n"
    "Filters choose revisions, not cases: with `status=mismatched` the revision that makes a case "
    "`matched` is not shown.\n\n"
    "A message, shortened:\n\n"
    "```json\n"
    R"({"flow":"order","flowVersion":1,"key":"ORD-1","orderId":"ORD-1","instance":1,"revision":2,"status":"mismatched",)"
    R"("missingEvents":[],"findings":[{"kind":"amount","leg":"payment","check":"paid-in-full","expected":"1299.00",)"
    R"("actual":"1298.00","severity":"error","final":true}],"events":{"order":{"eventId":"e-1","source":"aws",)"
    R"("type":"OrderPlaced","receivedAt":"2026-01-05T10:23:45.5Z"}},"atRisk":[{"currency":"USD","amount":"1299.00"}],)"
    R"("openedAt":"2026-01-05T10:23:45.5Z","deadline":"2026-01-05T10:24:45.5Z","reconciledAt":"2026-01-05T10:23:47Z",)"
    R"("position":"AQYDgAiA"})"
    "\n```";

}  // namespace

void add_stream_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases,
                      std::shared_ptr<Stream> stream) {
    auto route = get(
        consistency, http::Reads::stream, "/api/v1/stream", "streamVerdicts", "Verdicts",
        "Verdicts as they are made, over a WebSocket",
        [stream = std::move(stream), cases](const http::Request& request, const Caller& caller) {
            return answer_stream(*stream, cases, request, caller);
        });
    route.websocket = true;
    route.description = description;
    route.params = {
        query_param("flow", "Only this flow."),
        query_param("key", "Only the case of this key (an order's id)."),
        closed_param("status", "Only revisions with this status.", statuses()),
        closed_param("kind", "Only revisions with a finding of this kind.", finding_kinds()),
        query_param(
            "after",
            "A `position` of this stream or of an ingest answer: begin behind it. Default: now."),
        query_param(
            "payloads",
            "Whether events carry their payloads, as they do in /api/v1/reconciliation/{orderId}.",
            R"({"type":"boolean","default":false})")};
    http::Answer accepted;
    accepted.status = 101;
    accepted.description = "The WebSocket is open; messages are `StreamedVerdict`s.";
    accepted.media_type = "";
    for (auto& answer : route.answers) {  // one status has one description
        if (answer.status == 503) {
            answer.description += " Or as many streams are open as may be (`http.websockets_max`).";
        }
    }
    add_answers(route, {std::move(accepted),
                        http::problem_answer(400,
                                             "A parameter is wrong, `after` is no position of this "
                                             "server, or the handshake is broken."),
                        http::problem_answer(403, "A page of another site asked."), no_such_flow(),
                        http::problem_answer(426, "This is no WebSocket request of version 13.")});
    table.add(std::move(route));
}

}  // namespace helios::api
