/// /metrics, for Prometheus.

#include "api/route_groups.h"

namespace helios::api {

void add_metrics_route(http::RouteTable& table, const telemetry::Metrics& metrics) {
    auto route =
        probe(get("/metrics", "getMetrics", "System", "Prometheus metrics",
                  [&metrics](const http::Request&, const Caller&) -> Result<http::Response> {
                      auto response = http::Response::empty(200);
                      response.body = metrics.expose();
                      response.with("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
                      return response;
                  }));
    route.query_checked = false;  // a scrape may carry what its job says
    http::Answer text;
    text.status = 200;
    text.description = "Text format 0.0.4.";
    text.media_type = "text/plain";
    text.schema = R"({"type":"string"})";
    add_answers(route, {std::move(text)});
    table.add(std::move(route));
}

}  // namespace helios::api
