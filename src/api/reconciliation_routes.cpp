/// Verdicts: of one case, of the broken ones, in figures.

#include <algorithm>
#include <fmt/ranges.h>
#include <set>

#include "api/endpoint.h"
#include "api/known_position.h"
#include "api/lookup.h"
#include "api/page.h"
#include "api/render.h"
#include "reconcile/absences.h"

namespace helios::api {
namespace {

constexpr std::size_t key_bytes_max = 1024;  // docs/contracts.md

constexpr std::string_view mismatches_example =
    R"({"items":[{"flow":"order","flowVersion":1,"key":"ORD-1","orderId":"ORD-1","instance":1,"revision":2,"status":"mismatched",)"
    R"("missingEvents":[],"findings":[{"kind":"amount","leg":"payment","check":"paid-in-full","expected":"1299.00",)"
    R"("actual":"1298.00","tolerance":"0.00","unit":"USD","severity":"error","final":true}],"events":{},)"
    R"("atRisk":[{"currency":"USD","amount":"1299.00"}],"openedAt":"2026-01-05T10:23:45.500Z",)"
    R"("deadline":"2026-01-05T10:24:45.500Z","reconciledAt":"2026-01-05T10:23:47.000Z"}],"nextCursor":null,)"
    R"("asOf":"2026-01-05T10:23:48.120Z"})";
constexpr std::string_view stats_example =
    R"({"status":{"pending":1,"matched":96,"partial":2,"mismatched":2},"kinds":{"missing":2,"amount":2},"decided":100,)"
    R"("matchRate":0.96,"timeToVerdictSeconds":{"mean":1.204,"p99":60.031},"atRisk":[{"currency":"USD","amount":"2598.00"}],)"
    R"("asOf":"2026-01-05T10:23:48.120Z"})";

/// The verdict with what only the API adds.
http::Response render_verdict(const Dependencies& d, const model::Verdict& verdict,
                              const std::vector<std::string>& flows) {
    std::size_t bytes = 0;
    json::Writer out;
    out.begin_object();
    model::write_members(out, verdict, payloads_from(d.log, bytes));
    out.key("otherFlows").begin_array();
    for (const auto& flow : flows) {
        if (flow != verdict.flow) {
            out.string(flow);
        }
    }
    out.end_array().end_object();
    return http::Response::json(200, out.take());
}

Result<http::Response> answer_case(const Dependencies& d, const http::Request& request,
                                   const store::CaseId& id) {
    auto found = find_case(d, request, id, [&] { return d.store.latest(id); });
    if (!found) {
        return fail(found.error());
    }
    if (found->response) {
        return *found->response;
    }
    HELIOS_TRY(DeadlineMover(d).move(*found->value));
    HELIOS_TRY_ASSIGN(const auto flows, d.store.flows_with(id.tenant, id.key));
    return render_verdict(d, *found->value, flows);
}

Result<http::Response> answer_revisions(const Dependencies& d, const http::Request& request,
                                        const store::CaseId& id) {
    const auto found = find_case(d, request, id, [&]() -> Result<std::vector<model::Verdict>> {
        auto revisions = d.store.revisions(id);
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

Result<http::Response> answer_order(const Dependencies& d, const http::Request& request,
                                    const Caller& caller) {
    QueryReader query(request, {"flow", "after"});
    HELIOS_TRY(query.check());
    HELIOS_TRY_ASSIGN(const auto id,
                      case_of(d, caller.tenant, query.text("flow"), request.path_param("orderId")));
    return answer_case(d, request, id);
}

Result<http::Response> answer_order_revisions(const Dependencies& d, const http::Request& request,
                                              const Caller& caller) {
    QueryReader query(request, {"flow", "after"});
    HELIOS_TRY(query.check());
    HELIOS_TRY_ASSIGN(const auto id,
                      case_of(d, caller.tenant, query.text("flow"), request.path_param("orderId")));
    return answer_revisions(d, request, id);
}

Result<http::Response> answer_any_case(const Dependencies& d, const http::Request& request,
                                       const Caller& caller) {
    QueryReader query(request, {"after"});
    HELIOS_TRY(query.check());
    HELIOS_TRY_ASSIGN(const auto id,
                      case_of(d, caller.tenant, std::string(request.path_param("flow")),
                              request.path_param("key")));
    return answer_case(d, request, id);
}

Result<http::Response> answer_case_by_key(const Dependencies& d, const http::Request& request,
                                          const Caller& caller) {
    QueryReader query(request, {"key", "after"});
    HELIOS_TRY(query.check());
    const auto key = query.text("key");
    if (!key) {
        return fail(ErrorKind::invalid, "query parameter \"key\" is missing",
                    "/api/v1/cases/{flow}?key=… names one case");
    }
    HELIOS_TRY_ASSIGN(const auto id,
                      case_of(d, caller.tenant, std::string(request.path_param("flow")), *key));
    return answer_case(d, request, id);
}

Result<store::MismatchFilter> mismatch_filter(const Dependencies& d, const TenantId& tenant,
                                              const QueryReader& query) {
    store::MismatchFilter filter(tenant);
    HELIOS_TRY(read_page(query, d.options, &store::MismatchFilter::reconciled,
                         decode_mismatch_cursor, filter));
    filter.flow = query.text("flow");
    if (const auto status = query.text("status")) {
        HELIOS_TRY_ASSIGN(filter.status, model::parse_status(*status));
        if (*filter.status != model::VerdictStatus::partial &&
            *filter.status != model::VerdictStatus::mismatched) {
            return fail(ErrorKind::invalid,
                        fmt::format("status: \"{}\" cases are not mismatches", *status),
                        "partial or mismatched");
        }
    }
    if (const auto kind = query.text("kind")) {
        HELIOS_TRY_ASSIGN(filter.kind, model::parse_finding_kind(*kind));
    }
    return filter;
}

Result<http::Response> answer_mismatches(const Dependencies& d, const http::Request& request,
                                         const Caller& caller) {
    QueryReader query(request,
                      {"start_time", "end_time", "limit", "cursor", "status", "kind", "flow"});
    HELIOS_TRY(query.check());
    HELIOS_TRY_ASSIGN(const auto filter, mismatch_filter(d, caller.tenant, query));
    const Instant as_of = d.progress.judged_before();
    HELIOS_TRY_ASSIGN(auto page, d.store.mismatches(filter));
    std::size_t bytes = 0;
    DeadlineMover mover(d);
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        auto& verdict = page.items[i];
        HELIOS_TRY(mover.move(verdict));
        model::write_json(out, verdict, payloads_from(d.log, bytes));
        if (bytes >= d.options.page_bytes_max && i + 1 < page.items.size()) {
            page.next = store::MismatchCursor{verdict.reconciled_at.value_or(Instant{}),
                                              verdict.flow, verdict.key, verdict.instance};
            break;
        }
    }
    out.end_array();
    write_next_cursor(out, page.next);
    write_as_of(out, as_of);
    return http::Response::json(200, out.end_object().take());
}

/// To the microsecond: what is less is how close together records were stamped.
void write_seconds(json::Writer& out, std::string_view name,
                   const std::optional<Duration>& duration) {
    out.key(name);
    if (duration) {
        const auto micros = std::chrono::round<std::chrono::microseconds>(*duration).count();
        out.real(static_cast<double>(micros) / 1e6);
    } else {
        out.null();
    }
}

std::string render_stats(const store::Stats& stats, Instant as_of) {
    const auto count = [&](model::VerdictStatus status) {
        return stats.by_status[static_cast<std::size_t>(status)];
    };
    const auto decided = count(model::VerdictStatus::matched) +
                         count(model::VerdictStatus::partial) +
                         count(model::VerdictStatus::mismatched);
    json::Writer out;
    out.begin_object().key("status").begin_object();
    for (std::size_t i = 0; i < stats.by_status.size(); ++i) {
        out.field(model::to_string(static_cast<model::VerdictStatus>(i)), stats.by_status[i]);
    }
    out.end_object().key("kinds").begin_object();
    for (std::size_t i = 0; i < stats.by_kind.size(); ++i) {
        out.field(model::to_string(static_cast<model::FindingKind>(i)), stats.by_kind[i]);
    }
    out.end_object().field("decided", decided).key("matchRate");
    if (decided == 0) {
        out.null();
    } else {
        out.real(static_cast<double>(count(model::VerdictStatus::matched)) /
                 static_cast<double>(decided));
    }
    out.key("timeToVerdictSeconds").begin_object();
    write_seconds(out, "mean", stats.mean_to_verdict);
    write_seconds(out, "p99", stats.p99_to_verdict);
    out.end_object().key("atRisk").begin_array();
    for (const auto& money : stats.at_risk) {
        out.begin_object()
            .field("currency", money.currency)
            .field("amount", money.amount)
            .end_object();
    }
    out.end_array();
    write_as_of(out, as_of);
    return out.end_object().take();
}

Result<http::Response> answer_stats(const Dependencies& d, const http::Request& request,
                                    const Caller& caller) {
    QueryReader query(request, {"start_time", "end_time", "flow"});
    HELIOS_TRY(query.check());
    store::StatsFilter filter(caller.tenant);
    HELIOS_TRY_ASSIGN(filter.reconciled, query.range());
    filter.flow = query.text("flow");
    const Instant as_of = d.progress.judged_before();
    HELIOS_TRY_ASSIGN(const auto stats, d.store.stats(filter));
    return http::Response::json(200, render_stats(stats, as_of));
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
            problem_answer(400, "A parameter is wrong."),
            problem_answer(404,
                           "The flow has no case for this key, and everything acknowledged before "
                           "the request has been taken "
                           "into account. `quarantined` "
                           "lists events that name the key and wait in quarantine.")};
}

void add_stats_route(http::RouteTable& table, const Shared& shared) {
    auto route =
        get(shared, http::Reads::list, "/api/v1/reconciliation/stats", "getReconciliationStats",
            "Verdicts", "Counts, match rate, time to verdict, money at risk",
            [shared](const http::Request& request, const Caller& caller) {
                return answer_stats(*shared, request, caller);
            });
    route.description =
        "Over the latest revision of every case decided in the range. `pending` is the number of "
        "cases open now, whatever the "
        "range. `kinds` counts cases with at least "
        "one finding of that kind. Time to verdict runs from a case's opening to its first "
        "decision, in log time, to the "
        "microsecond; p99 is exact "
        "(nearest rank).";
    constexpr std::string_view date_time = R"({"type":"string","format":"date-time"})";
    route.params = {query_param("start_time", "Inclusive, on reconciledAt; RFC 3339 with a zone.",
                                std::string(date_time)),
                    query_param("end_time", "Exclusive.", std::string(date_time)),
                    query_param("flow", "Only this flow.")};
    add_answers(route, {answer(200, "The figures.", "Stats", stats_example),
                        problem_answer(400, "A parameter is wrong."),
                        problem_answer(504, "The range is too large to add up in time.")});
    table.add(std::move(route));
}

void add_mismatches_route(http::RouteTable& table, const Shared& shared) {
    auto route = get(shared, http::Reads::list, "/api/v1/reconciliation/mismatches",
                     "listMismatches", "Verdicts", "Cases that are partial or mismatched",
                     [shared](const http::Request& request, const Caller& caller) {
                         return answer_mismatches(*shared, request, caller);
                     });
    route.description =
        "The latest revision of each such case, newest `reconciledAt` first. A case that is "
        "amended while you page moves to the "
        "front; no other case is skipped or shown "
        "twice on its account. `nextCursor` is null on the last page.";
    route.params = with_page_params(
        {query_param("status", "Only this status.",
                     R"({"type":"string","enum":["partial","mismatched"]})"),
         query_param("kind", "Only cases with a finding of this kind.", schema_ref("FindingKind")),
         query_param("flow", "Only this flow.")});
    add_answers(route, {answer(200, "One page.", "MismatchPage", mismatches_example),
                        problem_answer(400, "A parameter is wrong.")});
    table.add(std::move(route));
}

/// The likeliest reason first: a flow that does not exist, an event that was refused, nothing at
/// all.
std::string missing_case_hint(const Dependencies& d, const store::CaseId& id, bool quarantined) {
    if (const auto rows = d.store.flows(id.tenant); rows && !rows->empty()) {
        std::set<std::string_view> names;
        for (const auto& row : *rows) {
            names.insert(row.flow);
        }
        if (!names.contains(id.flow)) {
            return fmt::format("no flow of that name was ever active; there are: {}",
                               fmt::join(names, ", "));
        }
    }
    return quarantined ? "events that name this key wait in quarantine: see `quarantined`"
                       : "no event that was acknowledged so far names this key";
}

}  // namespace

Result<store::CaseId> case_of(const Dependencies& d, const TenantId& tenant,
                              std::optional<std::string> flow, std::string_view key) {
    if (!flow) {
        const auto* primary = d.options.primary_flow();
        if (primary == nullptr) {
            return fail(ErrorKind::invalid, "no flow is active, so there is no primary one",
                        "name one: ?flow=…");
        }
        flow = *primary;
    }
    if (key.empty() || key.size() > key_bytes_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("a key has 1 to {} bytes, this one {}", key_bytes_max, key.size()));
    }
    return store::CaseId{tenant, *std::move(flow), std::string(key)};
}

Status check_after(const Dependencies& d, const http::Request& request) {
    if (const auto after = request.query_param("after")) {
        HELIOS_TRY_ASSIGN(const auto token, model::decode_position(*after));
        HELIOS_TRY(check_position(d.log, token));
    }
    return {};
}

Status DeadlineMover::move(model::Verdict& verdict) {
    if (!model::awaits_legs(verdict)) {
        return {};
    }
    HELIOS_TRY_ASSIGN(
        const auto pieces,
        d_.store.absences({verdict.tenant, verdict.flow, verdict.key}, verdict.opened_at));
    if (pieces.empty()) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto* flow, flow_of(verdict));
    if (flow != nullptr) {
        std::vector<Instant> deadlines;
        reconcile::deadlines_moved(*flow, verdict.opened_at, reconcile::Absences(pieces),
                                   deadlines);
        verdict.deadline = *std::max_element(deadlines.begin(), deadlines.end());
    }
    return {};
}

/// nullptr: its text is not there, or can't be read; then a deadline stays as the engine knew it.
Result<const reconcile::Flow*> DeadlineMover::flow_of(const model::Verdict& verdict) {
    const auto [it, is_new] = flows_.try_emplace({verdict.flow, verdict.flow_version});
    if (is_new) {
        HELIOS_TRY_ASSIGN(const auto versions, d_.store.flows(verdict.tenant));
        for (const auto& version : versions) {
            if (version.flow == verdict.flow && version.version == verdict.flow_version) {
                if (auto flow = reconcile::parse_flow(version.text, version.flow + ".yaml")) {
                    it->second = std::move(*flow);
                }
            }
        }
    }
    return it->second ? &*it->second : nullptr;
}

http::Response no_such_case(const Dependencies& d, const store::CaseId& id) {
    store::QuarantineFilter filter(id.tenant);
    filter.key = id.key;
    const auto quarantined = d.store.quarantined(filter);
    const auto flows = d.store.flows_with(id.tenant, id.key);
    json::Writer members;
    members.begin_object().field("flow", id.flow).field("key", id.key);
    write_quarantined_member(
        members, quarantined ? quarantined->items : std::vector<store::QuarantineRow>{});
    members.key("otherFlows").begin_array();
    for (const auto& flow : flows ? *flows : std::vector<std::string>{}) {
        members.string(flow);
    }
    members.end_array().end_object();
    return http::problem(
        404, "No such case", fmt::format("flow {} has no case for key {}", id.flow, id.key),
        missing_case_hint(d, id, quarantined && !quarantined->items.empty()), inside(members));
}

void add_reconciliation_routes(http::RouteTable& table, const Shared& shared) {
    add_mismatches_route(table, shared);
    add_stats_route(table, shared);

    auto order = get(shared, http::Reads::one_case, "/api/v1/reconciliation/{orderId}",
                     "getReconciliation", "Verdicts", "The verdict of one order",
                     [shared](const http::Request& request, const Caller& caller) {
                         return answer_order(*shared, request, caller);
                     });
    order.description =
        "The latest revision, with the payloads it rests on. Answers what was acknowledged before "
        "the request: 404 only when "
        "every stage has taken that in. The words "
        "`mismatches` and `stats` are not order ids here; use /api/v1/cases/{flow}/{key} for such "
        "keys.";
    order.params = {path_param("orderId", "The order's id, percent-encoded; a slash is %2F."),
                    flow_param(), after_param()};
    add_answers(order, case_answers("The verdict.", "Verdict"));
    table.add(std::move(order));

    auto revisions =
        get(shared, http::Reads::one_case, "/api/v1/reconciliation/{orderId}/revisions",
            "listRevisions", "Verdicts", "Every revision of an order's verdict",
            [shared](const http::Request& request, const Caller& caller) {
                return answer_order_revisions(*shared, request, caller);
            });
    revisions.description =
        "Oldest first, all instances, without payloads; each as it was when it was made.";
    revisions.params = {path_param("orderId", "The order's id."), flow_param(), after_param()};
    add_answers(revisions, case_answers("The revisions.", "RevisionList"));
    table.add(std::move(revisions));

    auto any = get(shared, http::Reads::one_case, "/api/v1/cases/{flow}/{key}", "getCase",
                   "Verdicts", "The verdict of one case of any flow",
                   [shared](const http::Request& request, const Caller& caller) {
                       return answer_any_case(*shared, request, caller);
                   });
    any.params = {path_param("flow", "The flow's name."),
                  path_param("key", "The case's key, percent-encoded."), after_param()};
    add_answers(any, case_answers("The verdict.", "Verdict"));
    table.add(std::move(any));

    auto by_key = get(shared, http::Reads::one_case, "/api/v1/cases/{flow}", "getCaseByKey",
                      "Verdicts", "The same, for keys that do not fit into a path",
                      [shared](const http::Request& request, const Caller& caller) {
                          return answer_case_by_key(*shared, request, caller);
                      });
    by_key.params = {path_param("flow", "The flow's name."), query_param("key", "The case's key."),
                     after_param()};
    by_key.params[1].required = true;
    add_answers(by_key, case_answers("The verdict.", "Verdict"));
    table.add(std::move(by_key));
}

}  // namespace helios::api
