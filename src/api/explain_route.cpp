/// The explanation of one case: collects what it is made of, and lets the engine's own code
/// explain.

#include <algorithm>
#include <charconv>

#include "api/accept.h"
#include "api/route_groups.h"
#include "base/shown.h"
#include "model/topics.h"
#include "reconcile/absences.h"

namespace helios::api {
namespace {

/// Reads the history's records from the log, in the partition's order.
Status collect_records(log::Lookup& log, const store::CaseHistory& history,
                       ExplainRequest& request) {
    request.truncated = history.truncated || history.known_since;
    request.known_since = history.known_since;
    for (const auto& place : history.records) {
        const auto batch = log.read_at(place.pointer);
        if (!batch) {
            if (batch.error().kind == ErrorKind::not_found ||
                batch.error().kind == ErrorKind::corrupt) {
                ++request.expired;
                continue;
            }
            return fail(batch.error());
        }
        for (const auto& record : batch->records) {
            HELIOS_TRY_ASSIGN(auto decoded, model::decode_case_record(record.value));
            request.records.push_back(std::move(decoded));
        }
    }
    return {};
}

Result<ExplainRequest> collect(const Kept& kept, const store::CaseId& id, Instant engine_at) {
    ExplainRequest request(id.tenant);
    request.flow = id.flow;
    request.key = id.key;
    // The revisions first: records found afterwards cover at least what they rest on.
    HELIOS_TRY_ASSIGN(request.revisions, kept.rows.revisions(id));
    if (request.revisions.empty()) {
        return fail(ErrorKind::not_found, "no such case");
    }
    // Absences first: they let nothing pass, and what they move they must move before anything is
    // judged. Whole stretches, since one may have come in more pieces than anybody wants to hold.
    HELIOS_TRY_ASSIGN(const auto pieces,
                      kept.rows.absences(id, request.revisions.front().opened_at));
    const reconcile::Absences absences(pieces);
    request.records.assign(absences.all().begin(), absences.all().end());
    HELIOS_TRY_ASSIGN(const auto history, kept.rows.history(id));
    HELIOS_TRY(collect_records(kept.log, history, request));
    HELIOS_TRY_ASSIGN(request.quarantined, quarantined_for(kept.rows, id.tenant, id.key));
    request.now = std::max(engine_at, request.revisions.back().at);
    return request;
}

/// ?format=text|json wins; else Accept, if it would rather have text/plain than JSON.
bool wants_text(const http::Request& request, const QueryReader& query) {
    if (const auto format = query.text("format")) {
        return *format == "text";
    }
    return prefers(request, "text/plain", "application/json");
}

/// Absent: 0, the text is as wide as it is.
Result<std::size_t> columns_of_screen(const QueryReader& query) {
    constexpr std::size_t columns_max = 10'000;
    const auto text = query.text("columns").value_or("0");
    std::size_t columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (error != std::errc{} || end != text.data() + text.size() || columns > columns_max) {
        return fail(ErrorKind::invalid, "columns: \"" + shown(text) + "\" is no width of a screen",
                    "a number of characters up to 10000, for example 80");
    }
    return columns;
}

Result<http::Response> answer_explain(const Consistency& consistency, const Cases& cases,
                                      const Explain& explain, const http::Request& request,
                                      const Caller& caller) {
    QueryReader query(request);
    const bool text = wants_text(request, query);
    HELIOS_TRY_ASSIGN(const auto columns, columns_of_screen(query));
    HELIOS_TRY_ASSIGN(const bool full_ids, query.yes_or_no("full_ids"));
    HELIOS_TRY_ASSIGN(const auto id, cases.id_of(caller.tenant, query.text("flow"),
                                                 request.path_param("orderId")));
    if (!explain) {
        return fail(ErrorKind::unavailable, "this server was built without explanations");
    }
    const auto found =
        cases.find(request, id, [&] { return collect(cases.kept(), id, consistency.engine_at()); });
    if (!found) {
        return fail(found.error());
    }
    if (found->response) {
        return *found->response;
    }
    auto asked = *found->value;
    asked.columns = columns;
    asked.full_ids = full_ids;
    HELIOS_TRY_ASSIGN(auto explanation, explain(asked));
    auto response = text ? http::Response::text(200, std::move(explanation.text))
                         : http::Response::json(200, std::move(explanation.json));
    response.with("Vary", "Accept");
    return response;
}

}  // namespace

void add_explain_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases,
                       Explain explain) {
    auto route = get(consistency, http::Reads::one_case, "/api/v1/orders/{orderId}/explain",
                     "explainOrder", "Verdicts", "Why the verdict is what it is",
                     [consistency, cases, explain = std::move(explain)](
                         const http::Request& request, const Caller& caller) {
                         return answer_explain(consistency, cases, explain, request, caller);
                     });
    route.description =
        "Timeline, legs side by side, every check with expected, actual and tolerance (tentative "
        "while legs are awaited), what "
        "waits in quarantine, what happens next. JSON, or text "
        "with `Accept: text/plain` or `format=text`.";
    route.params = {
        path_param("orderId", "The order's id."),
        query_param("flow", "The flow; default: the primary one."),
        query_param("after",
                    "A position: waits until everything derived from that event is visible."),
        closed_param("format", "Wins over Accept.", {"json", "text"}),
        query_param("columns",
                    "Text for a screen of so many columns: where the legs don't fit side by side, "
                    "they stand one below the other.",
                    R"({"type":"integer","minimum":0,"maximum":10000,"default":0})"),
        query_param(
            "full_ids",
            "Whether ids stay whole even where only that keeps legs from standing side by side.",
            R"({"type":"boolean","default":false})")};
    http::Answer text;
    text.status = 200;
    text.description = "The explanation.";
    text.media_type = "text/plain";
    text.schema = R"({"type":"string"})";
    add_answers(route, {answer(200, "The explanation.", "Explanation"), std::move(text),
                        http::problem_answer(400, "A parameter is wrong."),
                        http::problem_answer(
                            404, "No such case; `quarantined` lists events that name the key.")});
    table.add(std::move(route));
}

}  // namespace helios::api
