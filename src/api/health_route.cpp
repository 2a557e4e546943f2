/// /api/v1/health: every check, the log, the stages, the rooms, the clouds.

#include <algorithm>

#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

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

Result<http::Response> answer_health(const About& about, const Pipeline& pipeline,
                                     const Clock& clock, const Health& health) {
    auto outcomes = pipeline.progress.run_checks();
    outcomes.push_back({"clock", pipeline.progress.clock()});
    for (const auto& concern : health.concerns) {
        outcomes.push_back({concern.name, concern.check()});
    }
    const auto damage = pipeline.log.damage();
    const bool good =
        damage.empty() && std::all_of(outcomes.begin(), outcomes.end(),
                                      [](const auto& o) { return o.status.has_value(); });
    const Instant watermark = pipeline.log.low_watermark();
    json::Writer out;
    out.begin_object()
        .field("status", good ? "healthy" : "degraded")
        .field("version", about.version)
        .field("ephemeral", about.ephemeral);
    out.field("time", format_rfc3339(clock.wall())).key("checks").begin_array();
    for (const auto& outcome : outcomes) {
        write_check(out, outcome);
    }
    out.end_array().key("log").begin_object().field("lowWatermark", format_rfc3339(watermark));
    write_time(out, "lastLogTime", pipeline.log.last_log_time());
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
    write_stage(out, "route", pipeline.barrier.route().frontier, watermark);
    write_stage(out, "engine", pipeline.barrier.engine().frontier, watermark);
    write_stage(out, "store", pipeline.barrier.store().frontier, watermark);
    out.end_array();
    write_details(out, "components", health.components);
    write_details(out, "clouds", health.clouds);
    return http::Response::json(200, out.end_object().take());
}

}  // namespace

void add_health_route(http::RouteTable& table, const About& about, const Pipeline& pipeline,
                      const Clock& clock, Health health) {
    auto route =
        get("/api/v1/health", "getHealth", "System", "Health per component, stage and cloud",
            [&about, pipeline, &clock, health = std::move(health)](const http::Request&,
                                                                   const Caller&) {
                return answer_health(about, pipeline, clock, health);
            });
    route.query_checked = false;
    add_answers(route, {answer(200,
                               "`degraded` if a check fails, a part of the log was found "
                               "damaged, the store has to be made anew, "
                               "or log time is ahead of the clock by more than a minute; see "
                               "/ready for load balancers.",
                               "Health")});
    table.add(std::move(route));
}

}  // namespace helios::api
