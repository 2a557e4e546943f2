#pragma once
/// What the connections of one server share. Lives until the last of them is gone, which may be
/// after the server: a late answer still finds its connection.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/admission.h"
#include "http/byte_budget.h"
#include "http/options.h"
#include "http/proxies.h"
#include "http/server_metrics.h"
#include "http/tls_server.h"
#include "http/worker_pool.h"
#include "telemetry/telemetry.h"

namespace helios::http {

/// Thread-safe after start().
struct Serving {
    /// Of good options.
    Serving(const ServerOptions& o, telemetry::Telemetry& t, const Clock& c)
        : options(o),
          proxies(TrustedProxies::parse(o.trusted_proxies).value_or(TrustedProxies())),
          telemetry(t),
          clock(c),
          budget(o.inflight_bytes_max),
          unsent(o.unsent_bytes_max) {}

    using Identify = std::function<std::variant<Caller, Response>(const Route&, const Request&)>;
    void start(const RouteTable& routes, Identify identify,
               std::function<void(const Route*)> refused);

    /// Who asks, or what they are answered instead.
    std::variant<Caller, Response> identify(const Route& route, const Request& request) const;
    /// Calls the handler. An exception is a bug of the handler: logged, and its client gets the 500
    /// of a dropped responder.
    void invoke(const Route& route, Request request, Caller caller, Responder responder) const;

    /// nullptr: of which route it would have been is not known.
    void tell_refused(const Route* route) const {
        if (refused_) {
            refused_(route);
        }
    }

    /// What answers of this route leave to others: probes may have what all else must not use up.
    std::size_t spare_for(const Route* route) const {
        return route != nullptr && route->probe ? 0 : unsent.bytes_max() / 8;
    }

    void begin_request() { inflight_.fetch_add(1); }
    void end_requests(std::size_t count);
    std::size_t inflight() const { return inflight_; }
    /// False: as many are open as may be. Else end_websocket() once.
    bool begin_websocket();
    void end_websocket();
    /// A connection that must not be closed yet: a request of it is half read, or its peer still
    /// sends what has been refused, and a reset would take the answer along.
    void begin_unfinished() { unfinished_.fetch_add(1); }
    void end_unfinished();
    /// Returns when no WebSocket is open, nothing is unfinished and no request is being handled or
    /// answered: true. False: `limit` came first.
    bool wait_until_idle(Duration limit);

    const ServerOptions options;
    const TrustedProxies proxies;
    std::unique_ptr<TlsServer> tls;  ///< nullptr: plain
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    ByteBudget budget;  ///< of bodies that come in
    ByteBudget unsent;  ///< of answers to GET until their peers have taken them
    std::optional<Admission> admission;
    std::optional<ServerMetrics> metrics;
    std::optional<WorkerPool> workers;  ///< for routes that block
    std::optional<WorkerPool> probes;   ///< for those that must never wait for them
    std::atomic<std::size_t> connections{0};
    std::atomic<bool> draining{false};

private:
    void tell_if_idle();

    Identify identify_;
    std::function<void(const Route*)> refused_;

    std::atomic<std::size_t> inflight_{0};
    std::atomic<std::size_t> unfinished_{0};
    std::atomic<std::size_t> websockets_{0};
    Mutex mutex_;
    Condition idle_;
};

}  // namespace helios::http
