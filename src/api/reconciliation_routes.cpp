/// Verdicts: of one case, of the broken ones, of all.

#include <fmt/format.h>

#include "api/page.h"
#include "api/render.h"
#include "api/route_groups.h"

namespace helios::api {
namespace {

constexpr std::string_view cases_example =
    R"({"items":[{"flow":"order","flowVersion":1,"key":"ORD-1","orderId":"ORD-1","instance":1,"revision":2,"status":"mismatched",)"
    R"("missingEvents":[],"findings":[{"kind":"amount","leg":"payment","check":"paid-in-full","expected":"1299.00",)"
    R"("actual":"1298.00","tolerance":"0.00","unit":"USD","severity":"error","final":true}],"events":{},)"
    R"("atRisk":[{"currency":"USD","amount":"1299.00"}],"openedAt":"2026-01-05T10:23:45.500Z",)"
    R"("deadline":"2026-01-05T10:24:45.500Z","reconciledAt":"2026-01-05T10:23:47.000Z"}],"nextCursor":null,)"
    R"("asOf":"2026-01-05T10:23:48.120Z"})";

/// The verdict with what only the API adds.
http::Response render_verdict(log::Lookup& log, const model::Verdict& verdict,
                              const std::vector<std::string>& flows) {
    std::size_t bytes = 0;
    json::Writer out;
    out.begin_object();
    model::write_members(out, verdict, payloads_from(log, bytes));
    out.key("otherFlows").begin_array();
    for (const auto& flow : flows) {
        if (flow != verdict.flow) {
            out.string(flow);
        }
    }
    out.end_array().end_object();
    return http::Response::json(200, out.take());
}

Result<http::Response> answer_case(const Cases& cases, const http::Request& request,
                                   const store::CaseId& id) {
    const Kept& kept = cases.kept();
    auto found = cases.find(request, id, [&] { return kept.rows.latest(id); });
    if (!found) {
        return fail(found.error());
    }
    if (found->response) {
        return *found->response;
    }
    HELIOS_TRY(DeadlineMover(kept.rows).move(*found->value));
    HELIOS_TRY_ASSIGN(const auto flows, kept.rows.flows_with(id.tenant, id.key));
    return render_verdict(kept.log, *found->value, flows);
}

Result<http::Response> answer_revisions(const Cases& cases, const http::Request& request,
                                        const store::CaseId& id) {
    const auto found = cases.find(request, id, [&]() -> Result<std::vector<model::Verdict>> {
        auto revisions = cases.kept().rows.revisions(id);
        if (revisions && revisions->empty()) {
            return fail(ErrorKind::not_found, "no such case");
        }
        return revisions;
    });
    if (!found) {
        return fail(found.error());
    }
    if (found->response) {
        return *found->response;
    }
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& verdict : *found->value) {
        model::write_json(out, verdict);
    }
    out.end_array().end_object();
    return http::Response::json(200, out.take());
}

Result<http::Response> answer_order(const Cases& cases, const http::Request& request,
                                    const Caller& caller) {
    QueryReader query(request);
    HELIOS_TRY_ASSIGN(const auto id, cases.id_of(caller.tenant, query.text("flow"),
                                                 request.path_param("orderId")));
    return answer_case(cases, request, id);
}

Result<http::Response> answer_order_revisions(const Cases& cases, const http::Request& request,
                                              const Caller& caller) {
    QueryReader query(request);
    HELIOS_TRY_ASSIGN(const auto id, cases.id_of(caller.tenant, query.text("flow"),
                                                 request.path_param("orderId")));
    return answer_revisions(cases, request, id);
}

Result<http::Response> answer_any_case(const Cases& cases, const http::Request& request,
                                       const Caller& caller) {
    HELIOS_TRY_ASSIGN(const auto id,
                      cases.id_of(caller.tenant, std::string(request.path_param("flow")),
                                  request.path_param("key")));
    return answer_case(cases, request, id);
}

Result<http::Response> answer_case_by_key(const Cases& cases, const http::Request& request,
                                          const Caller& caller) {
    QueryReader query(request);
    HELIOS_TRY_ASSIGN(const auto id,
                      cases.id_of(caller.tenant, std::string(request.path_param("flow")),
                                  query.text("key").value_or("")));
    return answer_case(cases, request, id);
}

/// Status, kind, flow, range, limit, cursor; `list` says what else.
Result<store::CaseFilter> case_filter(const Cases& cases, const Options& options, CaseList list,
                                      store::CaseFilter filter, const QueryReader& query) {
    const auto mark = cursor_mark(cases.kept(), filter.tenant);
    const auto decode = [mark, list](std::string_view text) {
        return decode_case_cursor(mark, list, text);
    };
    HELIOS_TRY(read_page(query, options, &store::CaseFilter::times, decode, filter));
    filter.flow = query.text("flow");
    HELIOS_TRY(cases.check_flow(filter.tenant, filter.flow));
    if (const auto text = query.text("status")) {
        HELIOS_TRY_ASSIGN(const auto status, model::parse_status(*text));
        filter.statuses = {status};
    }
    if (const auto kind = query.text("kind")) {
        HELIOS_TRY_ASSIGN(filter.kind, model::parse_finding_kind(*kind));
    }
    return filter;
}

/// Where the page would end with its item `last`.
store::CaseCursor cursor_at(store::CaseTime by, const model::Verdict& last) {
    return {by,
            by == store::CaseTime::opened ? last.opened_at : last.reconciled_at.value_or(Instant{}),
            last.flow, last.key, last.instance};
}

Result<http::Response> answer_page(const Consistency& consistency, const Kept& kept,
                                   const Options& options, CaseList list,
                                   const store::CaseFilter& filter) {
    const Instant as_of = consistency.judged_before();
    HELIOS_TRY_ASSIGN(auto page, kept.rows.cases(filter));
    std::size_t bytes = 0;
    DeadlineMover mover(kept.rows);
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        auto& verdict = page.items[i];
        HELIOS_TRY(mover.move(verdict));
        model::write_json(out, verdict, payloads_from(kept.log, bytes));
        if (bytes >= options.page_bytes_max && i + 1 < page.items.size()) {
            page.next = cursor_at(filter.by, verdict);
            break;
        }
    }
    out.end_array();
    const auto mark = cursor_mark(kept, filter.tenant);
    write_next_cursor(out, page.next.transform([mark, list](const store::CaseCursor& cursor) {
        return encode_cursor(mark, list, cursor);
    }));
    write_as_of(out, as_of);
    return http::Response::json(200, out.end_object().take());
}

Result<http::Response> answer_mismatches(const Consistency& consistency, const Cases& cases,
                                         const Options& options, const http::Request& request,
                                         const Caller& caller) {
    constexpr auto list = CaseList::mismatches;
    HELIOS_TRY_ASSIGN(const auto filter, case_filter(cases, options, list,
                                                     store::CaseFilter::mismatches(caller.tenant),
                                                     QueryReader(request)));
    return answer_page(consistency, cases.kept(), options, list, filter);
}

constexpr std::string_view by_opening = "opened";
constexpr std::string_view by_decision = "reconciled";

Result<http::Response> answer_cases(const Consistency& consistency, const Cases& cases,
                                    const Options& options, const http::Request& request,
                                    const Caller& caller) {
    const QueryReader query(request);
    store::CaseFilter all(caller.tenant);
    auto list = CaseList::by_opening;
    if (query.text("by") == by_decision) {
        list = CaseList::by_decision;
        all.by = store::CaseTime::reconciled;
    }
    HELIOS_TRY_ASSIGN(const auto filter, case_filter(cases, options, list, std::move(all), query));
    if (list == CaseList::by_decision && query.text("status") == "pending") {
        return fail(ErrorKind::invalid,
                    "pending cases have not been reconciled, so no time to go by",
                    "leave by=reconciled out");
    }
    return answer_page(consistency, cases.kept(), options, list, filter);
}

http::Param flow_param() {
    return query_param("flow",
                       "The flow whose verdict is asked for. Default: the primary flow (`order` if "
                       "active, else the first given).");
}
http::Param after_param() {
    return query_param("after",
                       "A position from an ingest answer. What was acknowledged before the request "
                       "is waited for anyway, at most "
                       "a second; a position "
                       "that is none of this server's is refused.");
}

std::vector<http::Answer> case_answers(std::string description, std::string_view schema) {
    return {answer(200, std::move(description), schema),
            http::problem_answer(400, "A parameter is wrong."),
            http::problem_answer(
                404,
                "The flow has no case for this key, and everything acknowledged before "
                "the request has been taken "
                "into account. `quarantined` "
                "lists events that name the key and wait in quarantine.")};
}

http::Param kind_param() {
    return closed_param("kind", "Only cases with a finding of this kind.", finding_kinds());
}

void add_mismatches_route(http::RouteTable& table, const Consistency& consistency,
                          const Cases& cases, const Options& options) {
    auto route =
        get(consistency, http::Reads::list, "/api/v1/reconciliation/mismatches", "listMismatches",
            "Verdicts", "Cases that are partial or mismatched",
            [consistency, cases, &options](const http::Request& request, const Caller& caller) {
                return answer_mismatches(consistency, cases, options, request, caller);
            });
    route.description =
        "The latest revision of each such case, newest `reconciledAt` first: a view of "
        "/api/v1/reconciliation/cases. A case that is "
        "amended while you page moves to the "
        "front; no other case is skipped or shown "
        "twice on its account. `nextCursor` is null on the last page.";
    route.params =
        with_page_params({closed_param("status", "Only this status.", {"partial", "mismatched"}),
                          kind_param(), query_param("flow", "Only this flow.")});
    add_answers(route, {answer(200, "One page.", "CasePage", cases_example),
                        http::problem_answer(400, "A parameter is wrong."), no_such_flow()});
    table.add(std::move(route));
}

void add_cases_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases,
                     const Options& options) {
    auto route =
        get(consistency, http::Reads::list, "/api/v1/reconciliation/cases", "listCases", "Verdicts",
            "Cases of every status",
            [consistency, cases, &options](const http::Request& request, const Caller& caller) {
                return answer_cases(consistency, cases, options, request, caller);
            });
    route.description =
        "The latest revision of each case, newest `openedAt` first: a walk shows every case that "
        "was there at its start once, whatever becomes of it meanwhile. With `by=reconciled` the "
        "decided ones, newest `reconciledAt` first, and the times are of the decision: just what "
        "/api/v1/reconciliation/stats counts; a case that is amended while you page moves to the "
        "front. `nextCursor` is null on the last page.";
    route.params = with_page_params(
        {closed_param("status", "Only this status.", statuses()), kind_param(),
         query_param("flow", "Only this flow."),
         closed_param("by", "The time that order and range go by. Default: opened.",
                      {std::string(by_opening), std::string(by_decision)})});
    add_answers(route, {answer(200, "One page.", "CasePage", cases_example),
                        http::problem_answer(400, "A parameter is wrong."), no_such_flow()});
    table.add(std::move(route));
}

}  // namespace

void add_reconciliation_routes(http::RouteTable& table, const Consistency& consistency,
                               const Cases& cases, const Options& options) {
    add_mismatches_route(table, consistency, cases, options);
    add_cases_route(table, consistency, cases, options);

    auto order = get(consistency, http::Reads::one_case, "/api/v1/reconciliation/{orderId}",
                     "getReconciliation", "Verdicts", "The verdict of one order",
                     [cases](const http::Request& request, const Caller& caller) {
                         return answer_order(cases, request, caller);
                     });
    order.description =
        "The latest revision, with the payloads it rests on. Answers what was acknowledged before "
        "the request: 404 only when "
        "every stage has taken that in. The words "
        "`cases`, `mismatches` and `stats` are not order ids here; use /api/v1/cases/{flow}/{key} "
        "for such "
        "keys.";
    order.params = {path_param("orderId", "The order's id, percent-encoded; a slash is %2F."),
                    flow_param(), after_param()};
    add_answers(order, case_answers("The verdict.", "Verdict"));
    table.add(std::move(order));

    auto revisions =
        get(consistency, http::Reads::one_case, "/api/v1/reconciliation/{orderId}/revisions",
            "listRevisions", "Verdicts", "Every revision of an order's verdict",
            [cases](const http::Request& request, const Caller& caller) {
                return answer_order_revisions(cases, request, caller);
            });
    revisions.description =
        "Oldest first, all instances, without payloads; each as it was when it was made.";
    revisions.params = {path_param("orderId", "The order's id."), flow_param(), after_param()};
    add_answers(revisions, case_answers("The revisions.", "RevisionList"));
    table.add(std::move(revisions));

    auto any = get(consistency, http::Reads::one_case, "/api/v1/cases/{flow}/{key}", "getCase",
                   "Verdicts", "The verdict of one case of any flow",
                   [cases](const http::Request& request, const Caller& caller) {
                       return answer_any_case(cases, request, caller);
                   });
    any.params = {path_param("flow", "The flow's name."),
                  path_param("key", "The case's key, percent-encoded."), after_param()};
    add_answers(any, case_answers("The verdict.", "Verdict"));
    table.add(std::move(any));

    auto by_key = get(consistency, http::Reads::one_case, "/api/v1/cases/{flow}", "getCaseByKey",
                      "Verdicts", "The same, for keys that do not fit into a path",
                      [cases](const http::Request& request, const Caller& caller) {
                          return answer_case_by_key(cases, request, caller);
                      });
    by_key.params = {path_param("flow", "The flow's name."), query_param("key", "The case's key."),
                     after_param()};
    by_key.params[1].required = true;
    add_answers(by_key, case_answers("The verdict.", "Verdict"));
    table.add(std::move(by_key));
}

}  // namespace helios::api
