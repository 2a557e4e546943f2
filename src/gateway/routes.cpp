#include "gateway/routes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/json.h"
#include "gateway/answers.h"
#include "gateway/sender_patience.h"

namespace helios::gateway {

namespace {

constexpr std::string_view tag_webhooks = "Webhooks";
constexpr std::string_view tag_events = "Events";

// Among the components of the document (api).
constexpr std::string_view event_schema = R"({"$ref":"#/components/schemas/EventLine"})";
constexpr std::string_view ingest_answer_schema = R"({"$ref":"#/components/schemas/IngestAnswer"})";
constexpr std::string_view batch_answer_schema = R"({"$ref":"#/components/schemas/BatchAnswer"})";
constexpr std::string_view event_example =
    R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","time":"2026-01-05T10:23:45.120Z","payload":{"orderId":"ORD-1","customerId":"C-7","totalAmount":"12.50"},"metadata":{}})";
constexpr std::string_view counts_schema =
    R"({"type":"object","properties":{"accepted":{"type":"integer"},"duplicate":{"type":"integer"},"conflict":{"type":"integer"},)"
    R"("quarantined":{"type":"integer"},"failed":{"type":"integer"}}})";
// What a webhook takes for its sender's (adapters), said by which members there are: the rest of it
// may be anything, and what is no event is kept in quarantine.
constexpr std::string_view eventbridge_schema =
    R"({"type":"object","description":"An EventBridge event, one wrapped by SNS, or a CloudEvent. What has something wrong inside is kept in quarantine.",)"
    R"("anyOf":[{"required":["specversion"]},{"required":["detail-type"]},{"required":["detail","source"]},)"
    R"({"required":["Type","TopicArn"],"properties":{"Type":{"type":"string"}}},{"required":["Type","MessageId"],"properties":{"Type":{"type":"string"}}}],)"
    R"("properties":{"id":{"description":"With account and region the event's identity."},"detail-type":{"description":"The event's type."},"source":{},"account":{},"time":{"description":"RFC 3339."},"region":{},)"
    R"("resources":{},"detail":{"description":"The payload, an object."},"Type":{"description":"Of SNS: Notification, SubscriptionConfirmation, UnsubscribeConfirmation."},"TopicArn":{},"MessageId":{},)"
    R"("Message":{"description":"Of SNS: the EventBridge event as text."}}})";
constexpr std::string_view pubsub_schema =
    R"({"type":"object","description":"A wrapped push, or a CloudEvent. What has something wrong inside is kept in quarantine.","anyOf":[{"required":["specversion"]},)"
    R"({"required":["message","subscription"],"properties":{"message":{"type":"object"}}},{"required":["message","subscription"],"properties":{"subscription":{"type":"string"}}},)"
    R"({"required":["message"],"properties":{"message":{"type":"object","anyOf":[{"required":["data"]},{"required":["attributes"]},{"required":["messageId"]},{"required":["message_id"]}]}}}],)"
    R"("properties":{"message":{"properties":{"data":{"description":"Base64 of the payload, an object."},"attributes":{"description":"Among them the type."},)"
    R"("messageId":{"description":"With the subscription the event's identity."},"publishTime":{},"orderingKey":{}}},"subscription":{}}})";

/// Two of the members that every Event Grid event has, or a CloudEvent's mark.
std::string event_grid_schema() {
    constexpr std::array<std::string_view, 6> members{"id",        "eventType", "subject",
                                                      "eventTime", "data",      "dataVersion"};
    std::string any = R"({"required":["specversion"]},{"required":["cloudEventsVersion"]})";
    for (std::size_t i = 0; i < members.size(); ++i) {
        for (std::size_t j = i + 1; j < members.size(); ++j) {
            any += fmt::format(R"(,{{"required":["{}","{}"]}})", members[i], members[j]);
        }
    }
    const auto event =
        R"({"type":"object","description":"At least two of these; Event Grid sends all. What has something wrong inside is kept in quarantine.",)"
        R"("properties":{"id":{"description":"With the topic the event's identity."},"topic":{},"subject":{},"eventType":{},"eventTime":{"description":"RFC 3339."},)"
        R"("data":{"description":"The payload, an object."},"dataVersion":{},"metadataVersion":{}},"anyOf":[)" +
        any + "]}";
    return R"({"anyOf":[{"type":"array","minItems":1,"description":"Beside an event there may be anything: it is kept in quarantine.","contains":)" +
           event + "}," + event + "]}";
}

http::Answer json_answer(int status, std::string description, std::string_view schema,
                         std::string_view example) {
    return {status, std::move(description), "application/json", std::string(schema),
            std::string(example)};
}

http::Param trace_param() {
    return {http::Param::In::header, "traceparent", "W3C trace context, kept with the event", false,
            R"({"type":"string"})"};
}

http::Handler taker(Gateway& gateway, const Door& door) {
    return [&gateway, door](http::Request request, Caller caller, http::Responder responder) {
        gateway.accept(door, std::move(request), std::move(caller),
                       [door, responder = std::move(responder)](const Receipt& receipt) mutable {
                           responder.send(answer(door, receipt));
                       });
    };
}

http::Route post(Gateway& gateway, const Door& door, std::string_view tag) {
    http::Route route;
    route.method = http::Method::post;
    route.path = door.path();
    route.handler = taker(gateway, door);
    route.changes_state = true;
    route.access = http::Access::sender;
    route.reads = http::Reads::nothing;
    route.body_bytes_max = door.endpoint == Endpoint::ingest ? gateway.options().direct_bytes_max
                                                             : gateway.options().body_bytes_max;
    route.takes_gzip = true;
    route.leaves_percent = [endpoint = door.endpoint](const http::Request& request) {
        return leaves_percent(sender_of(endpoint, request));
    };
    route.tag = tag;
    route.params.push_back(trace_param());
    route.request_media_type = "application/json";
    return route;
}

void add_unproved(http::Route& route) {
    route.answers.push_back(http::problem_answer(
        401, "The sender did not prove who he is, and this kind of sender is told so"));
    route.answers.push_back(http::problem_answer(
        403,
        "Nothing will make this credential hold; or it does not speak for the event's source; "
        "or it does not hold, and this kind of sender is told so"));
}

void add_webhook_problems(http::Route& route) {
    route.answers.push_back(http::problem_answer(
        400, "Not JSON by its structure, or not this sender's envelope; nothing was stored"));
    route.answers.push_back(http::problem_answer(413, "Above the read limit; nothing was stored"));
    add_unproved(route);
    route.answers.push_back(http::problem_answer(
        503,
        "Not stored: overload, full disk, or not ready yet; or nobody knows yet, and the sender "
        "waits no longer: what will have been stored is a duplicate then. Send it again "
        "(`Retry-After`)"));
}

http::Answer too_fast_answer() {
    return http::problem_answer(
        429, "Not stored: more than the sender may send in a second; slow down (`Retry-After`)");
}

http::Route aws(Gateway& gateway) {
    auto route = post(gateway, Endpoint::aws_eventbridge, tag_webhooks);
    route.operation_id = "postAwsEventBridge";
    route.summary = "AWS EventBridge: one event, as it is or by SNS; or CloudEvents";
    route.description =
        "For an EventBridge API destination, or an SNS topic with an HTTPS subscription (its "
        "text/plain is accepted, and raw delivery). CloudEvents are taken in binary, structured "
        "and batched mode. "
        "SNS subscription confirmations are kept and shown; their URL is visited if the signature "
        "is "
        "verified and the topic listed. Success "
        "means stored durably: as a new "
        "event, "
        "recognised as a duplicate, or kept in quarantine. The position is in the header "
        "`Helios-Position`.";
    route.request_schema = eventbridge_schema;
    route.request_example =
        R"({"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"OrderPlaced","source":"shop.orders","account":"123456789012",)"
        R"("time":"2026-01-05T10:23:45Z","region":"eu-central-1","resources":[],"detail":{"orderId":"ORD-1","customerId":"C-7","totalAmount":"12.50"}})";
    route.answers.push_back(json_answer(
        200, "Stored durably",
        R"({"type":"object","properties":{"status":{"enum":["accepted","duplicate","conflict","quarantined","noted"]},"eventId":{"type":"string"}}})",
        R"({"status":"accepted","eventId":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","position":"…","warnings":[]})"));
    add_webhook_problems(route);
    route.answers.push_back(too_fast_answer());
    return route;
}

http::Route gcp(Gateway& gateway) {
    auto route = post(gateway, Endpoint::gcp_pubsub, tag_webhooks);
    route.operation_id = "postGcpPubSub";
    route.summary = "GCP Pub/Sub: one push, wrapped or unwrapped; or CloudEvents";
    route.description =
        "`message.data` is base64 of a JSON object. The event type is in the attribute eventType, "
        "event_type, type or ce-type, "
        "else in the payload. Without the wrapper (`noWrapper`) the body is the payload, and with "
        "`writeMetadata` the rest is in headers. CloudEvents are taken inside a message, or posted "
        "in binary, structured and batched mode. "
        "Success means stored durably: as a new event, recognised as a duplicate, or kept in "
        "quarantine. The position is in the "
        "header `Helios-Position`.";
    route.request_schema = pubsub_schema;
    route.request_example =
        R"({"message":{"data":"eyJvcmRlcklkIjoiT1JELTEiLCJhbW91bnQiOiIxMi41MCJ9","attributes":{"eventType":"PaymentProcessed"},"messageId":"2070443601311540",)"
        R"("publishTime":"2026-01-05T10:23:47.2Z"},"subscription":"projects/shop/subscriptions/helios"})";
    route.answers.push_back({204, "Stored durably", "", "", ""});
    add_webhook_problems(route);
    return route;
}

http::Route azure(Gateway& gateway) {
    auto route = post(gateway, Endpoint::azure_eventgrid, tag_webhooks);
    route.operation_id = "postAzureEventGrid";
    route.summary = "Azure Event Grid: an array of events, or the validation handshake";
    route.description =
        "Event Grid schema, or CloudEvents: binary, structured, batched. "
        "`Contoso.Orders.OrderPlaced` becomes `OrderPlaced`. 200 if every event "
        "is stored durably (new, "
        "duplicate, or in quarantine), "
        "else 503 for all: those that were stored are duplicates next time. A subscription "
        "validation is answered with its code. "
        "One position for all of the events is in the header `Helios-Position`.";
    route.request_schema = event_grid_schema();
    route.request_example =
        R"([{"id":"2d1781af-3a4c-4d7c-bd0c-e34b19da4e66","topic":"/subscriptions/5b4b650e/resourceGroups/shop/providers/Microsoft.EventGrid/topics/stock",)"
        R"("subject":"orders/ORD-1","eventType":"Contoso.Stock.InventoryReserved","eventTime":"2026-01-05T10:23:48.1234567Z",)"
        R"("data":{"orderId":"ORD-1","reservationId":"R-1","items":[{"sku":"S-1","quantity":1}]},"dataVersion":"1.0","metadataVersion":"1"}])";
    route.answers.push_back(
        json_answer(200, "All stored durably; or the validation's answer", counts_schema,
                    R"({"accepted":1,"duplicate":0,"conflict":0,"quarantined":0,"failed":0})"));
    add_webhook_problems(route);
    return route;
}

http::Route ingest(Gateway& gateway) {
    auto route = post(gateway, Endpoint::ingest, tag_events);
    route.operation_id = "ingestEvent";
    route.summary = "Ingest one event";
    route.description =
        "Answered when it is durable. The same id with the same type and payload is a duplicate; "
        "with another payload a "
        "conflict, kept once for inspection. "
        "`position` can be given as `after=` to read what follows from the event.";
    route.request_schema = event_schema;
    route.request_example = event_example;
    route.answers.push_back(
        json_answer(202, "Stored durably", ingest_answer_schema,
                    R"({"status":"accepted","eventId":"e-1","position":"…","warnings":[]})"));
    route.answers.push_back(
        json_answer(200, "Already stored", ingest_answer_schema,
                    R"({"status":"duplicate","eventId":"e-1","position":"…"})"));
    route.answers.push_back(json_answer(
        409, "The id is taken by an event with other content; this one is kept once in the DLQ",
        ingest_answer_schema,
        R"({"status":"conflict","eventId":"e-1","dlqId":"3f0e0f0c-6f0a-5d0e-9d8c-0a4f5a9f2f10","detail":"an event with this id and other content is on the log already"})"));
    route.answers.push_back(
        http::problem_answer(400,
                             "Not JSON by its structure, or not an object, or more than one "
                             "Content-Type; nothing was stored"));
    add_unproved(route);
    route.answers.push_back(http::problem_answer(413, "Too large; nothing was stored"));
    route.answers.push_back(
        http::problem_answer(415, "Not application/json, or not utf-8; nothing was stored"));
    route.answers.push_back(http::problem_answer(
        422, "A rule is broken: kept whole in the DLQ under `dlqId`, with `errors`",
        R"({"type":"about:blank","title":"Event quarantined","status":422,"detail":"orderId: required, absent","reason":"missing_field","dlqId":"3f0e0f0c-6f0a-5d0e-9d8c-0a4f5a9f2f10","errors":["orderId: required, absent"]})"));
    route.answers.push_back(http::problem_answer(
        429,
        "Not stored: too much at once, so that the answer would take longer than "
        "ten seconds; slow down (`Retry-After`)"));
    route.answers.push_back(http::problem_answer(
        503,
        "Not stored: full disk, or not ready yet; or nobody knows after eight seconds: what will "
        "have been stored is a duplicate then. Send it again (`Retry-After`)"));
    return route;
}

http::Route batch(Gateway& gateway) {
    auto route = post(gateway, Endpoint::batch, tag_events);
    route.operation_id = "ingestEvents";
    route.summary = "Ingest many events: a JSON array, or NDJSON";
    route.description =
        "application/json: an array of events. application/x-ndjson: one event per line, blank "
        "lines skipped. Every item gets "
        "its own outcome: what is wrong inside one (text that is no UTF-8, say) quarantines that "
        "one; "
        "send those that failed with `retryable` again.";
    route.request_schema =
        R"({"anyOf":[{"type":"array","items":{"anyOf":[)" + std::string(event_schema) +
        R"(,{"description":"Anything else: quarantined."}]}},{"type":"object","description":"As an array of one."}]})";
    route.request_example = "[" + std::string(event_example) + "]";
    route.request_lines_example = std::string(event_example) + "\n";
    route.answers.push_back(json_answer(
        200, "Each item's outcome", batch_answer_schema,
        R"({"accepted":1,"duplicate":0,"conflict":0,"quarantined":0,"failed":0,"position":"…","items":[{"index":0,"status":"accepted","retryable":false,"eventId":"e-1","position":"…","warnings":[]}]})"));
    route.answers.push_back(http::problem_answer(
        400,
        "Not JSON by its structure, or neither array nor object, or more than one Content-Type; "
        "nothing was stored"));
    add_unproved(route);
    route.answers.push_back(http::problem_answer(413, "Above the read limit; nothing was stored"));
    route.answers.push_back(http::problem_answer(
        415,
        "Neither application/json nor application/x-ndjson, or not utf-8; nothing was stored"));
    route.answers.push_back(http::problem_answer(
        429,
        "Nothing stored: too much at once, so that the answer would take longer "
        "than ten seconds; slow down (`Retry-After`)"));
    route.answers.push_back(http::problem_answer(
        503,
        "Nothing could be made durable; or nobody knows after eight seconds: what will have been "
        "stored is a duplicate then. Send it again (`Retry-After`)"));
    return route;
}

std::string capitalised(std::string_view name) {
    std::string out;
    bool upper = true;
    for (const char c : name) {
        if (c == '-' || c == '_') {
            upper = true;
            continue;
        }
        out += upper ? ascii::upper(c) : c;
        upper = false;
    }
    return out;
}

http::Route cloudevents(Gateway& gateway) {
    auto route = post(gateway, Endpoint::cloudevents, tag_webhooks);
    route.operation_id = "postCloudEvents";
    route.summary = "CloudEvents 1.0 from anybody: binary, structured or batched";
    route.description =
        "The mode is in the Content-Type and the headers `ce-…`. The source is that of "
        "`sources.cloudevents.map`, else `cloudevents`; an event's identity is its id and its "
        "`source`. One event is answered as by ingest, a batch item by item.";
    route.request_media_type = "application/cloudevents+json";
    route.request_schema =
        R"({"type":"object","description":"What lacks one of specversion (1.0), id, source and type, or has something wrong inside, is kept in quarantine.",)"
        R"("properties":{"specversion":{"description":"1.0"},"id":{"description":"With source the event's identity."},"source":{"description":"A URI reference."},"type":{},"time":{"description":"RFC 3339."},"datacontenttype":{},"data":{"description":"The payload, an object."},"data_base64":{}}})";
    route.request_example =
        R"({"specversion":"1.0","id":"e-1","source":"https://shop.example/orders","type":"OrderPlaced","time":"2026-01-05T10:23:45Z","data":{"orderId":"ORD-1","customerId":"C-7","totalAmount":"12.50"}})";
    route.answers.push_back(
        json_answer(202, "Stored durably", ingest_answer_schema,
                    R"({"status":"accepted","eventId":"e-1","position":"…","warnings":[]})"));
    route.answers.push_back(
        json_answer(200, "Already stored; or each outcome of a batch",
                    R"({"anyOf":[)" + std::string(ingest_answer_schema) + "," +
                        std::string(batch_answer_schema) + "]}",
                    R"({"status":"duplicate","eventId":"e-1","position":"…"})"));
    route.answers.push_back(json_answer(409, "The id is taken by an event with other content",
                                        ingest_answer_schema, ""));
    route.answers.push_back(
        http::problem_answer(415, "A format of CloudEvents that is not read; nothing was stored"));
    route.answers.push_back(http::problem_answer(422, "Kept whole in the DLQ under `dlqId`"));
    add_webhook_problems(route);
    route.answers.push_back(too_fast_answer());
    return route;
}

http::Route greeting(Gateway& gateway, Endpoint endpoint, std::string name) {
    http::Route route;
    route.method = http::Method::options;
    route.path = path_of(endpoint);
    route.access = http::Access::sender;
    route.reads = http::Reads::nothing;
    route.operation_id = "options" + std::move(name);
    route.tag = tag_webhooks;
    route.summary = "May I send? The abuse protection of CloudEvents' webhooks";
    route.params.push_back({http::Param::In::header, "WebHook-Request-Origin",
                            "Who would send; answered in WebHook-Allowed-Origin if he may", false,
                            R"({"type":"string"})"});
    route.answers.push_back({200, "What may be sent here", "", "", ""});
    add_unproved(route);
    route.answers.push_back(http::problem_answer(503, "As 401, to Event Grid"));
    route.handler = [&gateway, endpoint](const http::Request& request, const Caller&,
                                         http::Responder responder) {
        responder.send(gateway.greet(endpoint, request));
    };
    return route;
}

http::Route declared(Gateway& gateway, const DeclaredSender& sender) {
    auto route = post(gateway, Door(sender), tag_webhooks);
    route.operation_id = "postDeclared" + capitalised(sender.name());
    route.summary = "What " + sender.name() + " posts, as the configuration describes it";
    route.description =
        "Success means that every item is stored durably: as a new event, recognised as a "
        "duplicate, or kept in quarantine.";
    route.request_schema = "{}";
    route.answers.push_back({sender.status, "All stored durably", "", "", ""});
    add_webhook_problems(route);
    route.answers.push_back(
        http::problem_answer(429, "Not stored: too much at once; slow down (`Retry-After`)"));
    return route;
}

http::Response health_of(const Gateway& gateway, std::string_view source) {
    const auto ready = gateway.ready();
    const auto activity = gateway.activity(source);
    json::Writer out;
    out.begin_object().field("status", ready ? "healthy" : "unavailable").field("source", source);
    out.field("policy", std::string_view(gateway.options().senders.described(source)));
    if (!ready) {
        out.field("detail", std::string_view(ready.error().message()));
    }
    out.key("lastEventAt");
    if (activity.last_received_at) {
        out.string(format_rfc3339(*activity.last_received_at));
    } else {
        out.null();
    }
    out.key("sinceStart").begin_object();
    out.field("received", activity.received)
        .field("accepted", activity.appended)
        .field("duplicate", activity.duplicate);
    out.field("conflict", activity.conflict)
        .field("quarantined", activity.quarantined)
        .field("refused", activity.refused);
    out.end_object();
    return http::Response::json(ready ? 200 : 503, out.end_object().take());
}

double in_seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

void write_pull(json::Writer& out, const PullReport* pull) {
    out.key("pull");
    if (pull == nullptr) {
        out.null();
        return;
    }
    out.begin_object().key("lag");
    if (pull->lag) {
        out.number_u64(*pull->lag);
    } else {
        out.null();
    }
    out.key("oldestSeconds");
    if (pull->oldest) {
        out.raw(fmt::format("{:.3f}", in_seconds(*pull->oldest)));
    } else {
        out.null();
    }
    out.key("lastError");
    if (pull->last_error.empty()) {
        out.null();
    } else {
        out.string(pull->last_error);
    }
    out.end_object();
}

/// `pull`: of its queue, or nullptr. `policy` "fetched": it is a queue beside a cloud's own, and
/// what came by it counts with its cloud, too.
void write_source(json::Writer& out, const Gateway& gateway, std::string_view source,
                  std::string_view policy, const SourceActivity& activity, const PullReport* pull) {
    out.begin_object().field("source", source).field("policy", policy);
    out.key("lastEventAt");
    if (activity.last_received_at) {
        out.string(format_rfc3339(*activity.last_received_at));
        const Duration silent = gateway.clock().wall() - *activity.last_received_at;
        out.field("silentForSeconds", std::max<std::int64_t>(0, silent / std::chrono::seconds(1)));
    } else {
        out.null().key("silentForSeconds").null();
    }
    out.field("eventsPerMinute", activity.last_minute)
        .field("received", activity.received)
        .field("accepted", activity.appended)
        .field("duplicates", activity.duplicate)
        .field("conflicts", activity.conflict)
        .field("quarantined", activity.quarantined)
        .field("refused", activity.refused);
    out.key("refusals").begin_array();
    for (const auto& refused : gateway.refusals(source)) {
        out.begin_object().field("reason", std::string_view(refused.reason));
        out.field("count", refused.count).field("lastAt", format_rfc3339(refused.last_at));
        out.end_object();
    }
    out.end_array().key("clockSkewSeconds");
    if (activity.behind) {
        out.raw(fmt::format("{:.3f}", in_seconds(*activity.behind)));
    } else {
        out.null();
    }
    write_pull(out, pull);
    out.end_object();
}

http::Route sources(Gateway& gateway, PullReports pulls) {
    http::Route route;
    route.path = "/api/v1/sources";
    route.access = http::Access::viewer;
    route.reads = http::Reads::nothing;
    route.query_checked = true;
    route.operation_id = "listSources";
    route.tag = "Sources";
    route.summary =
        "Each source: how its senders prove who they are, what has come since this "
        "server began, why senders were refused";
    route.description =
        "Behind the sources stand queues beside the clouds' own, by name, with `policy` fetched "
        "and "
        "what came by them, which counts with their cloud, too. "
        "`eventsPerMinute`: in the last whole minute. `clockSkewSeconds`: the least of our clock "
        "minus the time that an event claims, in the last minutes; negative if their clock is "
        "ahead. `pull`: of a source that Helios fetches itself: how many messages wait and how old "
        "the oldest was that came last, as far as the cloud says, and why it can't be fetched now. "
        "`refusals`: by reason, of requests and of items: what was wrong with credentials; rate, "
        "topic, source (its credential speaks for others); unreadable, media_type, too_large; and "
        "what was refused because of us: overload, overdue, not_ready, stopping, disk, dlq_full, "
        "no_room.";
    route.answers.push_back(json_answer(
        200, "Sources with an endpoint of their own, then whatever else has come",
        R"({"type":"object","properties":{"items":{"type":"array","items":{"type":"object","properties":{"source":{"type":"string"},"policy":{"type":"string"},"lastEventAt":{"type":["string","null"]},"silentForSeconds":{"type":["integer","null"]},"eventsPerMinute":{"type":"integer"},"received":{"type":"integer"},"accepted":{"type":"integer"},"duplicates":{"type":"integer"},"conflicts":{"type":"integer"},"quarantined":{"type":"integer"},"refused":{"type":"integer"},"refusals":{"type":"array","items":{"type":"object","properties":{"reason":{"type":"string"},"count":{"type":"integer"},"lastAt":{"type":"string"}}}},"clockSkewSeconds":{"type":["number","null"]},"pull":{"type":["object","null"],"properties":{"lag":{"type":["integer","null"]},"oldestSeconds":{"type":["number","null"]},"lastError":{"type":["string","null"]}}}}}}}})",
        R"({"items":[{"source":"aws","policy":"api_key","lastEventAt":"2026-01-05T10:23:48.123Z","silentForSeconds":3,"eventsPerMinute":812,"received":9120,"accepted":9101,"duplicates":17,"conflicts":0,"quarantined":2,"refused":0,"refusals":[{"reason":"wrong_secret","count":4,"lastAt":"2026-01-05T10:20:01.000Z"}],"clockSkewSeconds":0.412,"pull":{"lag":12,"oldestSeconds":0.31,"lastError":null}}]})"));
    route.handler = [&gateway, pulls = std::move(pulls)](const http::Request&, const Caller&,
                                                         http::Responder responder) {
        json::Writer out;
        out.begin_object().key("items").begin_array();
        auto reports = pulls ? pulls() : std::vector<PullReport>();
        for (const auto& source : gateway.sources()) {
            const auto own = std::ranges::find(reports, source, &PullReport::name);
            write_source(out, gateway, source, gateway.options().senders.described(source),
                         gateway.activity(source), own == reports.end() ? nullptr : &*own);
        }
        for (const auto& report : reports) {
            if (report.name != report.source) {
                write_source(out, gateway, report.name, "fetched", report.activity, &report);
            }
        }
        out.end_array().end_object();
        responder.send(http::with_security_headers(http::Response::json(200, out.take())));
    };
    return route;
}

http::Route health(Gateway& gateway, std::string source, std::string name) {
    http::Route route;
    route.path = "/api/v1/webhooks/" + source + "/health";
    route.reads = http::Reads::nothing;
    route.operation_id = "get" + name + "Health";
    route.summary =
        "What has come from " + source + " since this server began, and whether it can come now";
    route.tag = tag_webhooks;
    const std::string schema =
        R"({"type":"object","properties":{"status":{"enum":["healthy","unavailable"]},"source":{"type":"string"},"policy":{"type":"string","description":"What its senders may prove themselves with, any one of these; none: nobody need; off: nobody may."},"lastEventAt":{"type":["string","null"]},"sinceStart":{"type":"object"}}})";
    const std::string example =
        R"({"status":"healthy","source":")" + source +
        R"(","policy":"none","lastEventAt":"2026-01-05T10:23:48.123Z","sinceStart":{"received":3,"accepted":2,"duplicate":1,"conflict":0,"quarantined":0,"refused":0}})";
    route.answers.push_back(json_answer(200, "Events are taken", schema, example));
    route.answers.push_back(
        json_answer(503, "Events are refused for now; `detail` says why", schema, ""));
    route.access = http::Access::everyone;
    route.handler = [&gateway, source = std::move(source)](const http::Request&, const Caller&,
                                                           http::Responder responder) {
        responder.send(http::with_security_headers(health_of(gateway, source)));
    };
    return route;
}

}  // namespace

void add_routes(http::RouteTable& routes, Gateway& gateway, PullReports pulls) {
    for (const auto make : {aws, gcp, azure, cloudevents, ingest, batch}) {
        routes.add(make(gateway));
    }
    routes.add(greeting(gateway, Endpoint::aws_eventbridge, "AwsEventBridge"));
    routes.add(greeting(gateway, Endpoint::gcp_pubsub, "GcpPubSub"));
    routes.add(greeting(gateway, Endpoint::azure_eventgrid, "AzureEventGrid"));
    routes.add(greeting(gateway, Endpoint::cloudevents, "CloudEvents"));
    for (const auto& [name, sender] : gateway.options().senders.declared) {
        routes.add(declared(gateway, sender));
    }
    routes.add(sources(gateway, std::move(pulls)));
    routes.add(health(gateway, "aws", "Aws"));
    routes.add(health(gateway, "gcp", "Gcp"));
    routes.add(health(gateway, "azure", "Azure"));
}

}  // namespace helios::gateway
