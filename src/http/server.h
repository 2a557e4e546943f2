#pragma once
/// The HTTP/1.1 server: keep-alive, pipelining, Expect: 100-continue, chunked bodies, limits on
/// everything, graceful drain; with TLS where it has a certificate. Knows no event. The room's
/// public headers show neither Asio nor Beast.

#include <functional>
#include <memory>

#include "base/clock.h"
#include "http/options.h"
#include "http/route.h"
#include "telemetry/telemetry.h"

namespace helios::http {

/// Thread-safe. Owns its threads; handlers may be called until drain() has returned.
class Server {
public:
    /// Binds and listens; serves from the moment start() is called. Two steps, so that the address
    /// is known before anything depends on it. unavailable: the address can't be bound (says which
    /// and why); and as of check_tls().
    static Result<std::unique_ptr<Server>> bind(const ServerOptions& options,
                                                telemetry::Telemetry& telemetry,
                                                const Clock& clock);
    /// Whether bind() would find addresses of this machine and a port it may have; one that is in
    /// use is no complaint.
    static Status check(const ServerOptions& options);
    /// Whether bind() would find a certificate, valid at `now`, its key, and what else http.tls
    /// names; each error begins with the option. Good options only.
    static Status check_tls(const ServerOptions& options, Instant now);
    virtual ~Server() = default;

    virtual std::string host() const = 0;    ///< as asked for
    virtual std::uint16_t port() const = 0;  ///< the real one, also when 0 was asked for
    /// All that is listened on, likewise; the first is host() and port().
    virtual std::vector<Address> addresses() const = 0;

    /// Starts serving `routes`, which must outlive the server. Call once.
    /// `refused` is told of each request that is refused because of us (byte budget, too many
    /// connections, draining, a handler's failure), before it is answered; nullptr: of which route
    /// it would have been is not known. Not of what a handler answers.
    using Refused = std::function<void(const Route* route)>;
    /// `identify` says who asks, after the body has been read and before the request waits for its
    /// turn, on an I/O thread: it must not block. A response instead ends the request. Absent:
    /// local_caller().
    using Identify = std::function<std::variant<Caller, Response>(const Route&, const Request&)>;
    virtual void start(const RouteTable& routes, Identify identify = {}, Refused refused = {}) = 0;

    /// A turn of accepting and reading: `done` is called, on a thread of the server, once whoever
    /// waited to be accepted when this was called has been, and what had arrived by then has been
    /// read and handed to the handlers. Peers that don't take their answers are not waited for.
    /// Never called when the server drains. Call after start().
    virtual void turn(std::function<void()> done) = 0;

    /// Stops accepting, lets requests finish that are being read or handled (up to `limit`),
    /// answers new ones on open connections with 503 + Connection: close, then closes everything.
    /// What is half read when the limit is near is answered so, too. Blocks. Idempotent.
    virtual void drain(Duration limit) = 0;

    /// Whether every thread that reads and writes sockets comes by, each within `limit`; false: one
    /// is stuck. Blocks. While it serves.
    virtual bool turns_within(Duration limit) = 0;
    /// For how long one of those threads has not come by, though it should several times a second;
    /// of several, the longest. Asks nobody. While it serves.
    virtual Duration silence() const = 0;
};

}  // namespace helios::http
