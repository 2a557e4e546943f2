#pragma once
/// The server's side of TLS: which certificate new connections get, and which clients may come.
/// Private to the room.

#include <memory>
#include <optional>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/options.h"
#include "http/tls_library.h"
#include "telemetry/telemetry.h"

namespace helios::http {

/// Thread-safe. Its files are read every `reload_interval`, by a thread of its own: what has
/// changed and is good is for connections from then on, what is not leaves the old and is told once
/// (a warning). What clients and telemetry refer to outlives it, or stop() has been called.
class TlsServer {
public:
    /// Of good options that have a certificate. Errors as of check().
    static Result<std::unique_ptr<TlsServer>> open(const TlsOptions& options,
                                                   telemetry::Telemetry& telemetry,
                                                   const Clock& clock);
    /// Whether a start would find good files. Each error begins with the option that is wrong.
    /// not_found, denied, unavailable, exhausted: can't be read; invalid: no certificate, not the
    /// key of that certificate, too weak; or not valid at `now`.
    static Status check(const TlsOptions& options, Instant now);
    ~TlsServer();

    void stop();  ///< reads no file any more; idempotent

    /// A new connection, whose handshake the first read does.
    Ssl accept(TlsWire& wire) const;

    /// Counts it. `reason`: see tls_stream.cpp.
    void handshake_failed(std::string_view reason) const;

private:
    struct State;
    explicit TlsServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace helios::http
