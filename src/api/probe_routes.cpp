/// /health and /ready: whether the process is alive, and whether traffic may come.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

Result<http::Response> answer_ready(const Vitals& vitals) {
    const auto outcomes = vitals.readiness();
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

Result<http::Response> answer_alive(Duration silence) {
    constexpr Duration silence_max = std::chrono::seconds(10);
    if (silence > silence_max) {
        return http::problem(503, "Stuck",
                             fmt::format("a thread that serves requests has not come by for {} s",
                                         silence / std::chrono::seconds(1)),
                             "start the process anew; its last log lines may say what it does");
    }
    return http::Response::json(200, R"({"status":"ok"})");
}

}  // namespace

void add_probe_routes(http::RouteTable& table, const Vitals& vitals,
                      std::function<Duration()> silence) {
    auto health = probe(get("/health", "getLiveness", "System", "The process is alive",
                            [silence = std::move(silence)](const http::Request&, const Caller&) {
                                return answer_alive(silence ? silence() : Duration::zero());
                            }));
    health.access = http::Access::everyone;
    health.query_checked = false;
    add_answers(health,
                {answer(200, "It is.", "Liveness"),
                 http::problem_answer(503,
                                      "A thread that serves requests has not come by for ten "
                                      "seconds: start the process anew.")});
    table.add(std::move(health));

    auto ready =
        probe(get("/ready", "getReadiness", "System", "The server may take traffic",
                  [&vitals](const http::Request&, const Caller&) { return answer_ready(vitals); }));
    ready.access = http::Access::everyone;
    ready.query_checked = false;
    add_answers(
        ready, {answer(200, "Yes.", "Readiness"),
                http::problem_answer(503,
                                     "Not yet, or not at the moment; `checks` says why. Values are "
                                     "at most a second old: a part that has not answered "
                                     "for longer fails.")});
    table.add(std::move(ready));
}

}  // namespace helios::api
