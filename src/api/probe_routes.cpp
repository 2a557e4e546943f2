/// /health and /ready: whether the process is alive, and whether traffic may come.

#include <algorithm>

#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

Result<http::Response> answer_ready(const Progress& progress) {
    const auto outcomes = progress.run_checks();
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

}  // namespace

void add_probe_routes(http::RouteTable& table, const Progress& progress) {
    auto health = get(
        "/health", "getLiveness", "System", "The process is alive",
        [](const http::Request&, const Caller&) -> Result<http::Response> {
            return http::Response::json(200, R"({"status":"ok"})");
        },
        false);
    health.access = http::Access::everyone;
    health.query_checked = false;
    add_answers(health, {answer(200, "Always, while the process answers at all.", "Liveness")});
    table.add(std::move(health));

    auto ready =
        get("/ready", "getReadiness", "System", "The server may take traffic",
            [&progress](const http::Request&, const Caller&) { return answer_ready(progress); });
    ready.access = http::Access::everyone;
    ready.query_checked = false;
    add_answers(ready, {answer(200, "Yes.", "Readiness"),
                        problem_answer(503, "Not yet, or not at the moment; `checks` says why.")});
    table.add(std::move(ready));
}

}  // namespace helios::api
