#include "gateway/dlq_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/shown.h"
#include "gateway/answers.h"
#include "gateway/redrive.h"

namespace helios::gateway {

namespace {

constexpr std::string_view tag = "Quarantine";
constexpr std::size_t reason_bytes_max = 1'024;
constexpr std::string_view ingest_answer = R"({"$ref":"#/components/schemas/IngestAnswer"})";

/// What the handlers share.
struct Parts {
    Gateway& gateway;
    DlqItems& items;
    Redrives& redrives;
    WriteAudit audit;
};
using Handling = std::function<void(const Parts&, http::Request, Caller, http::Responder)>;

void send(http::Responder& responder, http::Response response) {
    responder.send(http::with_security_headers(std::move(response)));
}

http::Response not_possible(std::string_view what, std::string_view hint) {
    return http::problem(409, "Not possible for this item", what, hint);
}

model::AuditRecord audited(const http::Request& request, const Caller& caller, std::string what) {
    model::AuditRecord record(caller.tenant);
    record.who = caller.subject;
    record.from = request.remote;
    record.what = std::move(what);
    return record;
}

/// What a try has come to, in a word for the audit: and what the item is now.
void settle(model::AuditRecord& record, const Receipt& receipt) {
    if (receipt.kind != Receipt::Kind::items) {
        record.outcome = "failed";
        record.after = receipt.error.what;
        return;
    }
    const ItemReceipt& item = receipt.items.front();
    const bool is_event =
        item.status == ItemStatus::accepted || item.status == ItemStatus::duplicate;
    record.outcome = is_event ? "done" : item.status == ItemStatus::failed ? "failed" : "refused";
    record.after =
        is_event ? fmt::format("{}: {} {}", to_string(item.status), item.source, item.event_id)
                 : fmt::format("{}: {}", to_string(item.status),
                               item.error ? item.error->what : item.reason);
}

/// Why an item can't be tried; absent: it can.
std::optional<http::Response> why_not(const KeptItem& kept, const Edits& edits) {
    if (kept.confirmation) {
        return not_possible("an SNS handshake is no event",
                            "visit its SubscribeURL, or discard it");
    }
    if (kept.status == model::DlqStatus::accepted && edits.any()) {
        return not_possible("it has become the event " + shown(kept.became) + " already",
                            "send an event of its own instead");
    }
    if (kept.expired && !edits.any()) {
        return not_possible("its body is past retention",
                            "give `body`, or what its event needs, anew");
    }
    return std::nullopt;
}

/// Asked again for what has been done: nothing is.
http::Response answer_done(const KeptItem& kept) {
    Receipt receipt;
    receipt.items.resize(1);
    receipt.items[0].status = ItemStatus::duplicate;
    receipt.items[0].source = kept.item.source;
    receipt.items[0].event_id = kept.became;
    return answer(Endpoint::ingest, receipt);
}

void resubmit(const Parts& parts, const http::Request& request, Caller caller,
              http::Responder responder) {
    auto edits = parse_edits(request.body);
    if (!edits) {
        return send(responder, http::problem(edits.error()));
    }
    const std::string id(request.path_param("dlqId"));
    auto kept = parts.items.find(caller.tenant, id);
    if (!kept) {
        return send(responder, http::problem(kept.error()));
    }
    if (auto refused = why_not(*kept, *edits)) {
        return send(responder, *std::move(refused));
    }
    if (kept->status == model::DlqStatus::accepted) {
        return send(responder, answer_done(*kept));
    }
    auto record = audited(request, caller, "dlq.resubmit " + id);
    record.before = model::to_string(kept->status);
    if (edits->any()) {
        record.before += fmt::format(", edited: {}", fmt::join(edits->names(), ", "));
    }
    Resubmission again{std::move(kept->item), *std::move(edits), kept->attempts + 1, {}};
    parts.gateway.resubmit(std::move(again), std::move(caller),
                           [audit = parts.audit, record = std::move(record),
                            responder = std::move(responder)](const Receipt& receipt) mutable {
                               settle(record, receipt);
                               audit(std::move(record));
                               send(responder, answer(Endpoint::ingest, receipt));
                           });
}

Result<std::string> reason_of(std::string_view body) {
    constexpr std::string_view hint = R"(send {"reason":"why nobody wants it"})";
    HELIOS_TRY_ASSIGN(const auto document, json::Document::parse(body));
    const auto root = document.root();
    const auto reason = root.is_object() ? root.find("reason") : json::Value();
    if (!reason.is_string() || reason.text().find_first_not_of(" \t") == std::string_view::npos) {
        return fail(ErrorKind::invalid, "reason: required, absent", std::string(hint));
    }
    if (root.size() != 1) {
        return fail(ErrorKind::invalid, "there is more than a reason", std::string(hint));
    }
    if (reason.text().size() > reason_bytes_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("reason: longer than {} bytes", reason_bytes_max),
                    "say it shorter");
    }
    return std::string(reason.text());
}

http::Response discarded(std::string_view id) {
    json::Writer out;
    out.begin_object().field("status", "discarded").field("dlqId", id).end_object();
    return http::Response::json(200, out.take());
}

void discard(const Parts& parts, const http::Request& request, const Caller& caller,
             http::Responder responder) {
    auto reason = reason_of(request.body);
    if (!reason) {
        return send(responder, http::problem(reason.error()));
    }
    const std::string id(request.path_param("dlqId"));
    const auto kept = parts.items.find(caller.tenant, id);
    if (!kept) {
        return send(responder, http::problem(kept.error()));
    }
    if (kept->status == model::DlqStatus::accepted) {
        return send(responder,
                    not_possible("it has become the event " + shown(kept->became) + " already",
                                 "there is nothing left to discard"));
    }
    if (kept->status == model::DlqStatus::discarded) {
        return send(responder, discarded(id));
    }
    auto record = audited(request, caller, "dlq.discard " + id);
    record.before = model::to_string(kept->status);
    record.reason = *reason;
    parts.gateway.discard(kept->item, *std::move(reason), caller,
                          [audit = parts.audit, record = std::move(record), id,
                           responder = std::move(responder)](const Status& done) mutable {
                              record.outcome = done ? "done" : "failed";
                              record.after = done ? "discarded" : done.error().what;
                              audit(std::move(record));
                              send(responder, done ? discarded(id) : http::problem(done.error()));
                          });
}

struct RedriveRequest {
    DlqFilter filter;
    bool dry = false;
};

Result<RedriveRequest> redrive_request_of(std::string_view body) {
    constexpr std::string_view hint = R"(send {"filter":{…},"dryRun":true} or without dryRun)";
    HELIOS_TRY_ASSIGN(const auto document, json::Document::parse(body));
    const auto root = document.root();
    if (!root.is_object() || !root.find("filter")) {
        return fail(ErrorKind::invalid, "filter: required, absent", std::string(hint));
    }
    const auto dry = root.find("dryRun");
    if (root.has_duplicate_keys() || root.size() != (dry ? 2u : 1u) ||
        (dry && !dry.is(json::Kind::boolean))) {
        return fail(ErrorKind::invalid, "there is more than a filter and dryRun, true or false",
                    std::string(hint));
    }
    HELIOS_TRY_ASSIGN(auto filter, parse_dlq_filter(root.find("filter")));
    return RedriveRequest{std::move(filter), dry && dry.boolean()};
}

std::string to_json(const RedrivePreview& preview) {
    json::Writer out;
    out.begin_object().field("matched", preview.matched).field("wouldPass", preview.would_pass);
    out.key("wouldFail").begin_object();
    for (const auto& [reason, count] : preview.would_fail) {
        out.field(reason, count);
    }
    out.end_object().key("examples").begin_array();
    for (const auto& example : preview.examples) {
        out.begin_object()
            .field("dlqId", std::string_view(example.dlq_id))
            .field("source", std::string_view(example.source))
            .field("eventType", std::string_view(example.event_type))
            .field("wouldPass", example.reason.empty());
        if (!example.reason.empty()) {
            out.field("reason", std::string_view(example.reason));
        }
        out.end_object();
    }
    return out.end_array().end_object().take();
}

void redrive(const Parts& parts, const http::Request& request, const Caller& caller,
             http::Responder responder) {
    const auto asked = redrive_request_of(request.body);
    if (!asked) {
        return send(responder, http::problem(asked.error()));
    }
    if (asked->dry) {
        const auto preview = parts.redrives.preview(asked->filter, caller);
        return send(responder, preview ? http::Response::json(200, to_json(*preview))
                                       : http::problem(preview.error()));
    }
    const auto begun = parts.redrives.begin(asked->filter, caller, request.remote);
    if (!begun) {
        return send(responder, http::problem(begun.error()));
    }
    json::Writer out;
    out.begin_object()
        .field("id", std::string_view(begun->id))
        .field("status", "running")
        .field("total", begun->total)
        .end_object();
    send(responder, http::Response::json(202, out.take()));
}

http::Route post(Parts parts, std::string path, std::string operation_id, std::string summary,
                 Handling handling) {
    http::Route route;
    route.method = http::Method::post;
    route.path = std::move(path);
    route.operation_id = std::move(operation_id);
    route.summary = std::move(summary);
    route.tag = tag;
    route.changes_state = true;
    route.access = http::Access::operator_;
    route.reads = http::Reads::nothing;
    route.blocking = true;
    route.query_checked = true;
    route.request_media_type = "application/json";
    route.handler = [parts = std::move(parts), handling = std::move(handling)](
                        http::Request request, Caller caller, http::Responder responder) {
        if (const auto ready = parts.gateway.ready(); !ready) {
            return send(responder, http::problem(ready.error()));
        }
        handling(parts, std::move(request), std::move(caller), std::move(responder));
    };
    return route;
}

void add_dlq_id(http::Route& route) {
    route.params.push_back({http::Param::In::path, "dlqId", "As `dlqId` of the list, whole.", true,
                            R"({"type":"string","minLength":1,"maxLength":1024})"});
    route.answers.push_back(http::problem_answer(404, "Nothing in quarantine has this id"));
}

http::Route resubmit_route(const Parts& parts, std::size_t body_bytes_max) {
    auto route = post(parts, "/api/v1/dlq/{dlqId}/resubmit", "resubmitQuarantined",
                      "Take an item in again, as it came or edited", resubmit);
    route.body_bytes_max = body_bytes_max;
    route.description =
        "The kept item goes through its endpoint's door once more: adapter, known source, "
        "catalogue, limits, deduplication; who asks answers for it in place of its sender. Answers "
        "as `/api/v1/events/ingest` does. What fails stays in quarantine under the same `dlqId`, "
        "with one of `attempts` more; after three only this route tries it again. An empty body or "
        "`{}`: as it came.";
    route.request_schema =
        R"({"type":"object","additionalProperties":false,"properties":{"payload":{"type":"object"},"eventType":{"type":"string"},"id":{"type":["string","integer"]},)"
        R"("time":{"type":["string","integer"]},"source":{"type":"string"},"body":{"type":"string","description":"In place of the whole body, as its sender would send it."}}})";
    route.request_example = R"({"payload":{"orderId":"ORD-1","amount":"12.50"}})";
    route.answers.push_back(
        {202, "It is an event now", "application/json", std::string(ingest_answer),
         R"({"status":"accepted","eventId":"e-1","position":"…","warnings":[]})"});
    route.answers.push_back({200, "It was an event already", "application/json",
                             std::string(ingest_answer),
                             R"({"status":"duplicate","eventId":"e-1"})"});
    add_dlq_id(route);
    route.answers.push_back(http::problem_answer(400, "Not an object of such members"));
    route.answers.push_back(
        {409,
         "The id is taken by an event with other content; or this item can't be tried: a "
         "handshake, past retention, or an event already and edited now",
         "application/json", std::string(ingest_answer),
         R"({"status":"conflict","eventId":"e-1","dlqId":"3f0e0f0c-6f0a-5d0e-9d8c-0a4f5a9f2f10","detail":"an event with this id and other content is on the log already"})"});
    route.answers.push_back(
        http::problem_answer(422, "A rule is broken still: `reason` and `errors`"));
    route.answers.push_back(
        http::problem_answer(429, "Not tried: too much at once (`Retry-After`)"));
    route.answers.push_back(http::problem_answer(
        503,
        "Not tried: not ready, full disk, or being tried right now; or nobody knows yet. Ask again "
        "(`Retry-After`)"));
    return route;
}

http::Route discard_route(const Parts& parts) {
    auto route = post(parts, "/api/v1/dlq/{dlqId}/discard", "discardQuarantined",
                      "Decide that an item is not wanted", discard);
    route.description =
        "It is listed under `status=discarded` from then on, with the reason; `resubmit` still "
        "takes it in.";
    route.request_schema =
        R"({"type":"object","required":["reason"],"additionalProperties":false,"properties":{"reason":{"type":"string","minLength":1,"maxLength":1024}}})";
    route.request_example = R"({"reason":"a test of the shop's"})";
    route.answers.push_back(
        {200, "It is discarded", "application/json",
         R"({"type":"object","required":["status","dlqId"],"properties":{"status":{"type":"string","enum":["discarded"]},"dlqId":{"type":"string"}}})",
         R"({"status":"discarded","dlqId":"3f0e0f0c-6f0a-5d0e-9d8c-0a4f5a9f2f10"})"});
    add_dlq_id(route);
    route.answers.push_back(http::problem_answer(400, "Not an object with a reason"));
    route.answers.push_back(http::problem_answer(409, "It has become an event"));
    route.answers.push_back(http::problem_answer(429, "Too many questions at once; ask again"));
    route.answers.push_back(http::problem_answer(503, "Not ready, or a full disk (`Retry-After`)"));
    return route;
}

http::Route redrive_route(const Parts& parts) {
    auto route =
        post(parts, "/api/v1/dlq/redrive", "redriveQuarantine",
             "Take what waits and matches in again, or say what would come of it", redrive);
    route.description =
        "Each item once, as it came, in the order in which they came; those that came before the "
        "redrive began. It goes on after a restart, and ends itself (`stopped`) after 10 failures "
        "in a row, or when 5 % of at least 100 have failed. What is exhausted is tried only if "
        "`ids` names it. With `dryRun` nothing is changed, and the first 10,000 are looked at.";
    route.request_schema =
        R"({"type":"object","required":["filter"],"additionalProperties":false,"properties":{"dryRun":{"type":"boolean"},"filter":{"type":"object","additionalProperties":false,"properties":{)"
        R"("reason":{"type":"string","minLength":1},"source":{"type":"string","minLength":1},"eventType":{"type":"string","minLength":1},"key":{"type":"string","minLength":1},)"
        R"("startTime":{"type":"string","format":"date-time","description":"Came last at or after."},"endTime":{"type":"string","format":"date-time","description":"Came last before."},)"
        R"("ids":{"type":"array","minItems":1,"maxItems":1000,"items":{"type":"string","minLength":1}}}}}})";
    route.request_example = R"({"filter":{"reason":"unknown_source"},"dryRun":true})";
    route.answers.push_back(
        {200, "What would come of it", "application/json",
         R"({"type":"object","required":["matched","wouldPass","wouldFail","examples"],"properties":{"matched":{"type":"integer"},"wouldPass":{"type":"integer"},"wouldFail":{"type":"object","additionalProperties":{"type":"integer"}},"examples":{"type":"array","items":{"type":"object"}}}})",
         R"({"matched":2,"wouldPass":1,"wouldFail":{"missing_field":1},"examples":[]})"});
    route.answers.push_back(
        {202, "It has begun: see /api/v1/dlq/redrive/{id}", "application/json",
         R"({"type":"object","required":["id","status","total"],"properties":{"id":{"type":"string"},"status":{"type":"string"},"total":{"type":"integer"}}})",
         R"({"id":"8f434346648f6b96df89dda901c5176b","status":"running","total":2})"});
    route.answers.push_back(http::problem_answer(400, "Not an object with such a filter"));
    route.answers.push_back(
        http::problem_answer(429, "Too many items match, or too many redrives wait"));
    route.answers.push_back(http::problem_answer(503, "Not ready, or a full disk (`Retry-After`)"));
    return route;
}

}  // namespace

void add_dlq_routes(http::RouteTable& routes, Gateway& gateway, DlqItems& items, Redrives& redrives,
                    WriteAudit audit) {
    const Parts parts{gateway, items, redrives, std::move(audit)};
    routes.add(resubmit_route(parts, gateway.options().body_bytes_max));
    routes.add(discard_route(parts));
    routes.add(redrive_route(parts));
}

}  // namespace helios::gateway
