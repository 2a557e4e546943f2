#include "gateway/handshake_routes.h"

#include "base/json.h"

namespace helios::gateway {
namespace {

constexpr std::string_view tag = "Sources";
constexpr std::string_view path = "/api/v1/sources/azure/handshakes";
constexpr std::string_view item_schema =
    R"({"type":"object","required":["id","topic","receivedAt","until"],"properties":{"id":{"type":"string"},"topic":{"type":"string"},"eventId":{"type":"string"},"host":{"type":"string","description":"Of the URL that is visited to confirm it."},"receivedAt":{"type":"string"},"until":{"type":"string","description":"Event Grid waits no longer."}}})";
constexpr std::string_view item_example =
    R"({"id":"6a7e8feb-b491-5cf7-a9f1-bf3703467718","topic":"/subscriptions/5b4b650e/resourceGroups/shop/providers/Microsoft.EventGrid/topics/stock","eventId":"2d1781af-3a4c-4d7c-bd0c-e34b19da4e66","host":"rp-westeurope.eventgrid.azure.net:553","receivedAt":"2026-01-05T10:23:48.123Z","until":"2026-01-05T10:33:48.123Z"})";

void send(http::Responder& responder, http::Response response) {
    responder.send(http::with_security_headers(std::move(response)));
}

/// Its URL holds what confirms it, so that is not told.
void write(json::Writer& out, const WaitingHandshake& one) {
    out.begin_object()
        .field("id", std::string_view(one.id))
        .field("topic", std::string_view(one.topic))
        .field("eventId", std::string_view(one.event_id))
        .field("host", one.url.authority())
        .field("receivedAt", format_rfc3339(one.received_at))
        .field("until", format_rfc3339(one.until))
        .end_object();
}

http::Route list_route(Gateway& gateway) {
    http::Route route;
    route.path = path;
    route.access = http::Access::viewer;
    route.reads = http::Reads::nothing;
    route.query_checked = true;
    route.operation_id = "listHandshakes";
    route.tag = tag;
    route.summary = "Subscriptions of Event Grid that wait for a person to confirm them";
    route.description =
        "Where `sources.azure.handshake` is manual, or the topic is not in `sources.azure.topics`. "
        "The oldest first; each for ten minutes, and none after a restart: updating the "
        "subscription makes Event Grid ask again.";
    route.answers.push_back(
        {200, "Those that wait", "application/json",
         R"({"type":"object","required":["items"],"properties":{"items":{"type":"array","items":)" +
             std::string(item_schema) + "}}}",
         R"({"items":[)" + std::string(item_example) + "]}"});
    route.handler = [&gateway](const http::Request&, const Caller&, http::Responder responder) {
        json::Writer out;
        out.begin_object().key("items").begin_array();
        for (const auto& one : gateway.handshakes()) {
            write(out, one);
        }
        out.end_array().end_object();
        send(responder, http::Response::json(200, out.take()));
    };
    return route;
}

http::Response answer_of(const Result<WaitingHandshake>& done) {
    if (done) {
        json::Writer out;
        out.begin_object().field("status", "confirmed").field("id", std::string_view(done->id));
        out.field("topic", std::string_view(done->topic)).end_object();
        return http::Response::json(200, out.take());
    }
    if (done.error().kind == ErrorKind::not_found || done.error().kind == ErrorKind::stopping) {
        return http::problem(done.error());
    }
    return http::problem(502, "Event Grid did not take it", done.error().what,
                         "it waits on: try again, or update the subscription in Azure");
}

http::Route confirm_route(Gateway& gateway, WriteAudit audit) {
    http::Route route;
    route.method = http::Method::post;
    route.path = std::string(path) + "/{handshakeId}/confirm";
    route.access = http::Access::operator_;
    route.reads = http::Reads::nothing;
    route.changes_state = true;
    route.query_checked = true;
    route.operation_id = "confirmHandshake";
    route.tag = tag;
    route.summary = "Confirm a subscription of Event Grid";
    route.description =
        "Helios visits the handshake's URL, if it is Event Grid's own (https, a host below "
        "eventgrid.azure.net, port 443 or 553, a public address, no redirect); then Event Grid "
        "begins to send.";
    route.request_media_type = "application/json";
    route.request_schema = "{}";
    route.request_example = "{}";
    route.params.push_back({http::Param::In::path, "handshakeId", "As `id` of the list.", true,
                            R"({"type":"string","minLength":1,"maxLength":1024})"});
    route.answers.push_back(
        {200, "Event Grid sends from now on", "application/json",
         R"({"type":"object","required":["status","id","topic"],"properties":{"status":{"enum":["confirmed"]},"id":{"type":"string"},"topic":{"type":"string"}}})",
         R"({"status":"confirmed","id":"6a7e8feb-b491-5cf7-a9f1-bf3703467718","topic":"/subscriptions/5b4b650e/resourceGroups/shop/providers/Microsoft.EventGrid/topics/stock"})"});
    route.answers.push_back(
        http::problem_answer(404, "No such handshake waits, or its time is over"));
    route.answers.push_back(
        http::problem_answer(502, "Event Grid can't be reached, or did not take it; it waits on"));
    route.answers.push_back(http::problem_answer(503, "The server is stopping (`Retry-After`)"));
    route.handler = [&gateway, audit = std::move(audit)](const http::Request& request,
                                                         const Caller& caller,
                                                         http::Responder responder) {
        const std::string id(request.path_param("handshakeId"));
        model::AuditRecord record(caller.tenant);
        record.who = caller.subject;
        record.from = request.remote;
        record.what = "eventgrid.subscription.confirm " + id;
        gateway.confirm_handshake(
            id, [audit, record = std::move(record),
                 responder = std::move(responder)](const Result<WaitingHandshake>& done) mutable {
                record.outcome = done                                        ? "done"
                                 : done.error().kind == ErrorKind::not_found ? "refused"
                                                                             : "failed";
                record.after = done ? done->topic : done.error().what;
                audit(std::move(record));
                send(responder, answer_of(done));
            });
    };
    return route;
}

}  // namespace

void add_handshake_routes(http::RouteTable& routes, Gateway& gateway, WriteAudit audit) {
    routes.add(list_route(gateway));
    routes.add(confirm_route(gateway, std::move(audit)));
}

}  // namespace helios::gateway
