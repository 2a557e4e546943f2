#pragma once
/// Who asks: made of what a request brings, before its handler is called. What a caller may do is
/// said by the route (http::Access) and nowhere else.
///
/// As long as nobody else can reach the server, whoever asks runs it: every address that it listens
/// on is a loopback, no proxy is configured, and the request came through none. Else operators
/// prove who they are, by an API key or a token. The address of the peer decides nothing: behind a
/// proxy it is the proxy's.

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "auth/api_keys.h"
#include "auth/secret.h"
#include "base/caller.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "http/route.h"
#include "telemetry/telemetry.h"

namespace helios::app {

struct CallerOptions {
    /// Where `helios key` keeps API keys.
    std::string keys_file;
    /// Where the secret of operators' tokens (HS256) is; empty: none is taken.
    std::string jwt_secret_file;
};

/// Thread-safe. Clock and telemetry outlive it.
class Callers {
public:
    /// `alone`: nobody else can reach the server. Errors of ApiKeysFile::open and Secrets::open.
    static Result<std::unique_ptr<Callers>> open(const CallerOptions& options, bool alone,
                                                 telemetry::Telemetry& telemetry,
                                                 const Clock& clock);

    /// Who asks, or what the request is answered: 401 without a credential that holds, 403 with one
    /// that the route is not for.
    std::variant<Caller, http::Response> identify(const http::Route& route,
                                                  const http::Request& request) const;

    /// Of what stands behind "Bearer": an API key, or a token by the secret of this server.
    auth::Proof prove_bearer(std::string_view text) const;

    /// Reads keys and secret again if they may have changed; what can't be read is a log line.
    void refresh();

private:
    Callers(bool alone, telemetry::Telemetry& telemetry, const Clock& clock);
    auth::Proof prove(const http::Request& request) const;
    auth::Proof prove_by_token(std::string_view text) const;

    const bool alone_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<auth::ApiKeysFile> keys_;
    std::unique_ptr<auth::Secrets> jwt_secret_;  ///< nullptr: no token is taken
    std::function<void(auth::Refusal)> count_refused_;
};

/// Whether it says that it came through a proxy: then the peer is not who asks.
bool came_through_proxy(const http::Request& request);

}  // namespace helios::app
