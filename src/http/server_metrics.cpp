#include "http/server_metrics.h"

#include <algorithm>

#include "base/assert.h"

namespace helios::http {

namespace {

const std::vector<double>& buckets() {
    static const std::vector<double> seconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                1,      2.5,     5,      10};
    return seconds;
}

telemetry::Counter& unanswered(telemetry::Metrics& metrics, const std::string& reason) {
    return metrics.counter("helios_http_questions_unanswered_total",
                           "Questions that were refused or given up", {{"reason", reason}});
}

RouteMetrics metrics_for(telemetry::Metrics& metrics, std::string route, std::string method) {
    constexpr std::array classes = {"2xx", "3xx", "4xx", "5xx"};
    RouteMetrics result;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        result.by_class[i] =
            &metrics.counter("helios_http_requests_total", "Requests answered",
                             {{"route", route}, {"method", method}, {"status", classes[i]}});
    }
    result.seconds = &metrics.histogram("helios_http_request_seconds",
                                        "From the last byte of the request to its answer",
                                        buckets(), {{"route", route}, {"method", method}});
    result.route = std::move(route);
    result.method = std::move(method);
    return result;
}

}  // namespace

void RouteMetrics::count(int status, double elapsed_seconds) const {
    const auto index = std::clamp(status / 100, 2, 5) - 2;
    by_class[static_cast<std::size_t>(index)]->add();
    seconds->observe(elapsed_seconds);
}

ServerMetrics::ServerMetrics(telemetry::Metrics& metrics, const RouteTable& routes)
    : connections(metrics.gauge("helios_http_connections", "Open connections")),
      inflight_bytes(metrics.gauge("helios_http_inflight_bytes",
                                   "Bytes of request bodies being read or handled")),
      inflight_requests(
          metrics.gauge("helios_http_inflight_requests", "Requests being handled or answered")),
      unsent_bytes(metrics.gauge("helios_http_unsent_bytes",
                                 "Bytes of answers that clients have not taken yet")),
      connections_refused(
          metrics.counter("helios_http_connections_refused_total",
                          "Connections refused because connections_max was reached")),
      proxy_headers_refused(metrics.counter("helios_http_proxy_headers_refused_total",
                                            "Connections of trusted proxies that were closed for "
                                            "want of a good PROXY header")),
      loop_lag(metrics.histogram("helios_http_loop_lag_seconds",
                                 "How long what arrives waits until an I/O thread reads it, asked "
                                 "some times a second",
                                 buckets())),
      questions_waiting(
          metrics.gauge("helios_http_questions_waiting", "Questions that wait for a worker")),
      questions_running(
          metrics.gauge("helios_http_questions_running", "Questions that workers are busy with")),
      question_wait(metrics.histogram("helios_http_question_wait_seconds",
                                      "From a question's arrival to its worker", buckets())),
      questions_full(unanswered(metrics, "full")),
      questions_late(unanswered(metrics, "late")),
      questions_overdue(unanswered(metrics, "overdue")),
      questions_gone(unanswered(metrics, "gone")),
      questions_unread(unanswered(metrics, "unread")),
      websockets(metrics.gauge("helios_http_websockets", "Open WebSockets")),
      websocket_waiting_bytes(metrics.gauge("helios_http_websocket_waiting_bytes",
                                            "Bytes of messages not yet sent to WebSockets")),
      websockets_refused(metrics.counter("helios_http_websockets_refused_total",
                                         "WebSockets refused because websockets_max was reached")),
      websocket_messages(
          metrics.counter("helios_http_websocket_messages_total", "Messages sent to WebSockets")),
      first_route_(routes.routes().data()),
      unmatched_(metrics_for(metrics, "none", "any")) {
    for (const Route& route : routes.routes()) {
        routes_.push_back(metrics_for(metrics, route.path, std::string(to_string(route.method))));
    }
    for (const std::string why :
         {"client", "server", "drain", "protocol", "silent", "stalled", "lost"}) {
        websocket_ends_.emplace_back(
            why, &metrics.counter("helios_http_websockets_ended_total", "WebSockets that ended",
                                  {{"reason", why}}));
    }
}

const RouteMetrics& ServerMetrics::of(const Route* route) const {
    return route == nullptr ? unmatched_ : routes_[static_cast<std::size_t>(route - first_route_)];
}

void ServerMetrics::websocket_ended(std::string_view why) const {
    const auto found = std::find_if(websocket_ends_.begin(), websocket_ends_.end(),
                                    [&](const auto& e) { return e.first == why; });
    HELIOS_ASSERT(found != websocket_ends_.end(), "a known reason");
    found->second->add();
}

}  // namespace helios::http
