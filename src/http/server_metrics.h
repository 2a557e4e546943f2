#pragma once
/// helios_http_*: looked up once at start, so that counting a request costs no lookup.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/route.h"
#include "telemetry/telemetry.h"

namespace helios::http {

/// Of one route.
struct RouteMetrics {
    std::string route;  ///< the pattern, never a path with ids in it
    std::string method;
    std::array<telemetry::Counter*, 4> by_class{};  ///< 2xx, 3xx, 4xx, 5xx
    telemetry::Histogram* seconds = nullptr;

    void count(int status, double elapsed_seconds) const;
};

/// Thread-safe after construction; the registry outlives it.
class ServerMetrics {
public:
    ServerMetrics(telemetry::Metrics& metrics, const RouteTable& routes);

    /// `route` is an element of the table, or nullptr: refused before a route was found.
    const RouteMetrics& of(const Route* route) const;

    telemetry::Gauge& connections;
    telemetry::Gauge& inflight_bytes;     ///< sampled on a timer
    telemetry::Gauge& inflight_requests;  ///< sampled on a timer
    telemetry::Gauge& unsent_bytes;       ///< sampled on a timer
    telemetry::Counter& connections_refused;
    telemetry::Counter& proxy_headers_refused;
    telemetry::Histogram& loop_lag;         ///< how long arrived bytes wait for an I/O thread
    telemetry::Gauge& questions_waiting;    ///< for a worker; sampled on a timer
    telemetry::Gauge& questions_running;    ///< likewise
    telemetry::Histogram& question_wait;    ///< from arrival to a worker
    telemetry::Counter& questions_full;     ///< refused: the line is full
    telemetry::Counter& questions_late;     ///< refused: their turn would come too late
    telemetry::Counter& questions_overdue;  ///< refused: their time was over before their turn
    telemetry::Counter& questions_gone;     ///< given up: whoever asked hung up before their turn
    telemetry::Counter& questions_unread;   ///< refused: too many answers have not been taken
    telemetry::Gauge& websockets;
    telemetry::Gauge& websocket_waiting_bytes;
    telemetry::Counter& websockets_refused;
    telemetry::Counter& websocket_messages;

    /// Counts the end of a WebSocket: client, server, drain (closed by them), protocol (the client
    /// broke it, or sent what nobody reads), silent (no pong), stalled (took nothing for
    /// write_timeout), lost (the connection broke).
    void websocket_ended(std::string_view why) const;

private:
    const Route* first_route_;
    std::vector<RouteMetrics> routes_;
    RouteMetrics unmatched_;
    std::vector<std::pair<std::string, telemetry::Counter*>> websocket_ends_;
};

}  // namespace helios::http
