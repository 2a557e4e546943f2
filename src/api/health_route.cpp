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

void write_stage(json::Writer& out, const Vitals::Stage& stage, Instant watermark) {
    out.begin_object().field("name", stage.name);
    write_time(out, "frontier", stage.frontier);
    out.key("lagSeconds");
    if (stage.frontier == Instant{}) {
        out.null();  // behind by all there is
    } else {
        out.real(
            std::chrono::duration<double>(std::max(Duration::zero(), watermark - stage.frontier))
                .count());
    }
    out.end_object();
}

void write_details(json::Writer& out, std::string_view member, const Vitals::Details& details) {
    out.key(member).begin_object();
    for (const auto& [name, json] : details) {
        out.key(name).raw(json);
    }
    out.end_object();
}

Result<http::Response> answer_health(const About& about, const Vitals& vitals, const Clock& clock) {
    const auto all = vitals.wellbeing();
    const bool good =
        all.damage.empty() && std::all_of(all.checks.begin(), all.checks.end(),
                                          [](const auto& o) { return o.status.has_value(); });
    json::Writer out;
    out.begin_object()
        .field("status", good ? "healthy" : "degraded")
        .field("version", about.version)
        .field("ephemeral", about.ephemeral);
    out.field("time", format_rfc3339(clock.wall())).key("checks").begin_array();
    for (const auto& outcome : all.checks) {
        write_check(out, outcome);
    }
    out.end_array().key("log").begin_object();
    write_time(out, "lowWatermark", all.watermark);
    write_time(out, "lastLogTime", all.last_log_time);
    out.key("damage").begin_array();
    for (const auto& gap : all.damage) {
        out.begin_object()
            .field("file", gap.file)
            .field("begin", gap.begin)
            .field("end", gap.end)
            .field("what", gap.what)
            .end_object();
    }
    out.end_array().end_object().key("stages").begin_array();
    for (const auto& stage : all.stages) {
        write_stage(out, stage, all.watermark);
    }
    out.end_array();
    write_details(out, "components", all.components);
    write_details(out, "clouds", all.clouds);
    return http::Response::json(200, out.end_object().take());
}

}  // namespace

void add_health_route(http::RouteTable& table, const About& about, const Vitals& vitals,
                      const Clock& clock) {
    auto route =
        probe(get("/api/v1/health", "getHealth", "System", "Health per component, stage and cloud",
                  [&about, &vitals, &clock](const http::Request&, const Caller&) {
                      return answer_health(about, vitals, clock);
                  }));
    route.query_checked = false;
    add_answers(route, {answer(200,
                               "`degraded` if a check fails, a part of the log was found "
                               "damaged, the store has to be made anew, "
                               "or log time is ahead of the clock by more than a minute; see "
                               "/ready for load balancers. Values are at most a second old: a part "
                               "that has not answered for longer fails.",
                               "Health")});
    table.add(std::move(route));
}

}  // namespace helios::api
