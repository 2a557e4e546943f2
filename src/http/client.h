#pragma once
/// A blocking HTTP/1.1 client for the CLI, the lab and tests: one keep-alive connection, http or
/// https; it can become a WebSocket.

#include <memory>
#include <string>

#include "base/time.h"
#include "http/message.h"

namespace helios::http {

/// "http://127.0.0.1:8001/base" taken apart. invalid: neither http nor https, no host, bad port.
struct Url {
    bool secure = false;  ///< https
    std::string host;
    std::uint16_t port = 80;  ///< of https 443
    std::string path;         ///< with query; at least "/"
    static Result<Url> parse(std::string_view text);
};

/// Not thread-safe: one per thread. Reconnects when the server closed a kept-alive connection
/// between requests.
class Client {
public:
    /// Plain http.
    Client(std::string host, std::uint16_t port, Duration timeout = std::chrono::seconds(30));
    /// To the host and port of `url`, as its scheme says. With https the server proves with a
    /// certificate that it is `url.host`: one of the system's authorities, or of those in `ca_file`
    /// if that is not empty, must have issued it.
    explicit Client(const Url& url, Duration timeout = std::chrono::seconds(30),
                    std::string ca_file = {});
    ~Client();
    Client(Client&&) noexcept;

    /// From now on a request ends when `descriptor` is readable: at once while it connects, else
    /// once the answer to what has been sent had `grace` to come (stopping). The descriptor
    /// outlives the client; nobody reads it empty.
    void stop_on(int descriptor, Duration grace);
    /// Sent with every request from now on, before its own: who asks. invalid: a line break in one.
    Status send_always(const Headers& headers);

    /// unavailable: can't connect, or the connection broke (the request may have been handled);
    /// timeout: nobody answered, in all the time that one request may take; corrupt: what answers
    /// there speaks no HTTP/1.1, or no TLS; not_found: the host has no address; denied: the server
    /// does not prove who it is; invalid: the CA file is none. `target` is sent as written (already
    /// percent-encoded).
    Result<Response> request(Method method, std::string_view target, Headers headers = {},
                             std::string_view body = {});
    Result<Response> get(std::string_view target) { return request(Method::get, target); }
    Result<Response> post(std::string_view target, std::string_view media_type,
                          std::string_view body);

    /// Asks for a WebSocket (RFC 6455). 101: it is open, and only next_text() is of use from now
    /// on; anything else is the server's refusal. Errors as of request().
    Result<Response> open_websocket(std::string_view target);
    /// Blocks for the next text message. timeout: not even a ping was answered in the time that a
    /// request may take; unavailable: the server has closed it, or the connection broke; corrupt:
    /// no WebSocket's bytes; exhausted: too long; stopping.
    Result<std::string> next_text();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Percent-encodes everything but unreserved characters (RFC 3986): for one path segment or query
/// value.
std::string percent_encode(std::string_view text);

}  // namespace helios::http
