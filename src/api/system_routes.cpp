/// What the server says of itself: liveness, readiness, health, metrics, flows, completeness.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "api/endpoint.h"
#include "base/json.h"

namespace helios::api {
namespace {

constexpr Duration counts_default_range = std::chrono::hours(1);

Result<http::Response> answer_ready(const Dependencies& d) {
    const auto outcomes = d.progress.run_checks();
    const bool good = std::all_of(outcomes.begin(), outcomes.end(),
                                  [](const auto& o) { return o.status.has_value(); });
    if (!good) {
        return not_ready(outcomes, "Not ready", "");
    }
    json::Writer out;
    out.begin_object().field("status", "ready").key("checks").begin_array();
    for (const auto& outcome : outcomes) {
        write_check(out, outcome);
    }
    return http::Response::json(200, out.end_array().end_object().take());
}

/// Null for a time that nothing has been stamped or read at yet.
void write_time(json::Writer& out, std::string_view name, Instant at) {
    out.key(name);
    if (at == Instant{}) {
        out.null();
    } else {
        out.string(format_rfc3339(at));
    }
}

void write_stage(json::Writer& out, std::string_view name, const Frontier& frontier,
                 Instant watermark) {
    const Instant at = frontier.get();
    out.begin_object().field("name", name);
    write_time(out, "frontier", at);
    out.key("lagSeconds");
    if (at == Instant{}) {
        out.null();  // behind by all there is
    } else {
        out.real(std::chrono::duration<double>(std::max(Duration::zero(), watermark - at)).count());
    }
    out.end_object();
}

void write_details(json::Writer& out, std::string_view member,
                   const std::vector<HealthDetail>& details) {
    out.key(member).begin_object();
    for (const auto& detail : details) {
        out.key(detail.name).raw(detail.json());
    }
    out.end_object();
}

Result<http::Response> answer_health(const Dependencies& d) {
    auto outcomes = d.progress.run_checks();
    outcomes.push_back({"clock", d.progress.clock()});
    for (const auto& concern : d.concerns) {
        outcomes.push_back({concern.name, concern.check()});
    }
    const auto damage = d.log.damage();
    const bool good =
        damage.empty() && std::all_of(outcomes.begin(), outcomes.end(),
                                      [](const auto& o) { return o.status.has_value(); });
    const Instant watermark = d.log.low_watermark();
    json::Writer out;
    out.begin_object()
        .field("status", good ? "healthy" : "degraded")
        .field("version", d.options.version)
        .field("ephemeral", d.options.ephemeral);
    out.field("time", format_rfc3339(d.clock.wall())).key("checks").begin_array();
    for (const auto& outcome : outcomes) {
        write_check(out, outcome);
    }
    out.end_array().key("log").begin_object().field("lowWatermark", format_rfc3339(watermark));
    write_time(out, "lastLogTime", d.log.last_log_time());
    out.key("damage").begin_array();
    for (const auto& gap : damage) {
        out.begin_object()
            .field("file", gap.file)
            .field("begin", gap.begin)
            .field("end", gap.end)
            .field("what", gap.what)
            .end_object();
    }
    out.end_array().end_object().key("stages").begin_array();
    write_stage(out, "route", d.barrier.route(), watermark);
    write_stage(out, "engine", d.barrier.engine(), watermark);
    write_stage(out, "store", d.barrier.store(), watermark);
    out.end_array();
    write_details(out, "components", d.components);
    write_details(out, "clouds", d.clouds);
    return http::Response::json(200, out.end_object().take());
}

Result<http::Response> answer_flows(const Dependencies& d, const Caller& caller) {
    const Instant as_of = d.progress.stored_before();
    HELIOS_TRY_ASSIGN(const auto rows, d.store.flows(caller.tenant));
    const auto* primary = d.options.primary_flow();
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        const bool active = i + 1 == rows.size() || rows[i + 1].flow != row.flow;
        out.begin_object()
            .field("flow", row.flow)
            .field("version", std::uint64_t{row.version})
            .field("active", active);
        out.field("primary", active && primary != nullptr && *primary == row.flow)
            .field("activatedAt", format_rfc3339(row.activated_at));
        out.field("hash", row.hash).field("text", row.text).end_object();
    }
    out.end_array();
    write_as_of(out, as_of);
    return http::Response::json(200, out.end_object().take());
}

/// source → hop → counter → sum.
using Totals = std::map<std::string, std::map<std::string, std::map<std::string, std::uint64_t>>>;

void write_hops(json::Writer& out,
                const std::map<std::string, std::map<std::string, std::uint64_t>>& hops) {
    out.key("hops").begin_object();
    for (const auto& [hop, counters] : hops) {
        out.key(hop).begin_object();
        for (const auto& [counter, value] : counters) {
            out.field(counter, value);
        }
        out.end_object();
    }
    out.end_object();
}

std::string render_counts(const store::TimeRange& range, const std::vector<store::CountRow>& rows,
                          Instant as_of) {
    std::map<std::pair<Instant, std::string>,
             std::map<std::string, std::map<std::string, std::uint64_t>>>
        minutes;
    Totals totals;
    for (const auto& row : rows) {
        minutes[{row.minute, row.source}][row.hop][row.counter] += row.value;
        totals[row.source][row.hop][row.counter] += row.value;
    }
    json::Writer out;
    out.begin_object();
    if (range.start) {
        out.field("startTime", format_rfc3339(*range.start));
    }
    if (range.end) {
        out.field("endTime", format_rfc3339(*range.end));
    }
    out.key("totals").begin_array();
    for (const auto& [source, hops] : totals) {
        out.begin_object().field("source", source);
        write_hops(out, hops);
        out.end_object();
    }
    out.end_array().key("items").begin_array();
    for (const auto& [id, hops] : minutes) {
        out.begin_object().field("minute", format_rfc3339(id.first)).field("source", id.second);
        write_hops(out, hops);
        out.end_object();
    }
    out.end_array();
    write_as_of(out, as_of);
    return out.end_object().take();
}

Result<http::Response> answer_counts(const Dependencies& d, const http::Request& request,
                                     const Caller& caller) {
    QueryReader query(request, {"start_time", "end_time", "source"});
    HELIOS_TRY(query.check());
    store::CountFilter filter(caller.tenant);
    HELIOS_TRY_ASSIGN(filter.minutes, query.range());
    filter.source = query.text("source");
    if (!filter.minutes.start && !filter.minutes.end) {
        filter.minutes.start =
            std::chrono::floor<std::chrono::minutes>(d.clock.wall() - counts_default_range);
    }
    const Instant as_of = d.progress.stored_before();
    HELIOS_TRY_ASSIGN(const auto rows, d.store.counts(filter));
    return http::Response::json(200, render_counts(filter.minutes, rows, as_of));
}

void add_counts_route(http::RouteTable& table, const Shared& shared) {
    auto route = get(shared, http::Reads::list, "/api/v1/counts", "getCounts", "System",
                     "Completeness: events per hop, source and minute",
                     [shared](const http::Request& request, const Caller& caller) {
                         return answer_counts(*shared, request, caller);
                     });
    route.description =
        "Every hop counts what passed it: gateway (received, appended, duplicate, conflict, "
        "quarantined, refused; by minute of "
        "receipt), route (judged) and store (stored), by minute of log "
        "time. Over a range that is over, appended = judged = stored, but for events on its edges. "
        "Without a range: the last "
        "hour.";
    constexpr std::string_view date_time = R"({"type":"string","format":"date-time"})";
    route.params = {query_param("start_time", "Inclusive.", std::string(date_time)),
                    query_param("end_time", "Exclusive.", std::string(date_time)),
                    query_param("source", "Only this source.")};
    add_answers(
        route,
        {answer(
             200, "Sums per source, and per minute.", "Counts",
             R"({"startTime":"2026-01-05T09:23:00.000Z","totals":[{"source":"aws",)"
             R"("hops":{"gateway":{"received":3,"appended":3},"route":{"judged":3},"store":{"stored":3}}}],)"
             R"("items":[],"asOf":"2026-01-05T10:23:48.120Z"})"),
         problem_answer(400, "A parameter is wrong, or the range holds too many counters.")});
    table.add(std::move(route));
}

}  // namespace

void add_system_routes(http::RouteTable& table, const Shared& shared) {
    auto health = get(
        shared, http::Reads::nothing, "/health", "getLiveness", "System", "The process is alive",
        [](const http::Request&, const Caller&) -> Result<http::Response> {
            return http::Response::json(200, R"({"status":"ok"})");
        },
        false);
    health.access = http::Access::everyone;
    add_answers(health, {answer(200, "Always, while the process answers at all.", "Liveness")});
    table.add(std::move(health));

    auto ready = get(shared, http::Reads::nothing, "/ready", "getReadiness", "System",
                     "The server may take traffic", [shared](const http::Request&, const Caller&) {
                         return answer_ready(*shared);
                     });
    ready.access = http::Access::everyone;
    add_answers(ready, {answer(200, "Yes.", "Readiness"),
                        problem_answer(503, "Not yet, or not at the moment; `checks` says why.")});
    table.add(std::move(ready));

    auto details =
        get(shared, http::Reads::nothing, "/api/v1/health", "getHealth", "System",
            "Health per component, stage and cloud",
            [shared](const http::Request&, const Caller&) { return answer_health(*shared); });
    add_answers(details, {answer(200,
                                 "`degraded` if a check fails, a part of the log was found "
                                 "damaged, the store has to be made anew, "
                                 "or log time is ahead of the clock by more than a minute; see "
                                 "/ready for load balancers.",
                                 "Health")});
    table.add(std::move(details));

    auto metrics =
        get(shared, http::Reads::nothing, "/metrics", "getMetrics", "System", "Prometheus metrics",
            [shared](const http::Request&, const Caller&) -> Result<http::Response> {
                auto response = http::Response::empty(200);
                response.body = shared->telemetry.metrics.expose();
                response.with("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
                return response;
            });
    http::Answer text;
    text.status = 200;
    text.description = "Text format 0.0.4.";
    text.media_type = "text/plain";
    text.schema = R"({"type":"string"})";
    add_answers(metrics, {std::move(text)});
    table.add(std::move(metrics));

    auto flows =
        get(shared, http::Reads::list, "/api/v1/flows", "listFlows", "System",
            "Activated flow versions", [shared](const http::Request&, const Caller& caller) {
                return answer_flows(*shared, caller);
            });
    flows.description =
        "By flow, then activation; `active` marks the one that new cases open under.";
    add_answers(
        flows,
        {answer(
            200, "The versions, with their text.", "FlowList",
            R"({"items":[{"flow":"order","version":1,"active":true,"primary":true,)"
            R"("activatedAt":"2026-01-05T10:00:00.000Z","hash":"5f2c","text":"flow: order\n"}],)"
            R"("asOf":"2026-01-05T10:23:48.120Z"})")});
    table.add(std::move(flows));

    add_counts_route(table, shared);
}

}  // namespace helios::api
