#pragma once
/// Requests and responses as handlers see them. Transport-free: unit tests build them by hand.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/trace_id.h"
#include "telemetry/trace_context.h"

namespace helios::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };
std::string_view to_string(Method method);  ///< "GET"

struct WebSocketEvents;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    Method method = Method::get;
    std::string path;  ///< percent-decoded, without the query
    Headers headers;   ///< in order of arrival, names as sent
    std::string body;
    /// The client: "203.0.113.7:54321", "[2001:db8::7]:54321". Behind trusted proxies it is whom
    /// they speak for, and the port may be missing; else it is the peer.
    std::string remote;
    std::string peer;  ///< who the connection is from: a proxy, where there is one
    std::map<std::string, std::string> path_params;          ///< {orderId} → decoded text
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
    std::optional<telemetry::TraceContext> trace;            ///< from `traceparent`, when valid
    /// Since when it may have waited for us, at most, unread or read: by the server's monotonic
    /// clock, moved on by the time in which we waited for its peer to send the rest. Absent: made
    /// by hand.
    std::optional<Duration> waiting_since{};
    /// Of `remote`, without its port.
    std::string_view remote_address() const;
    TraceId trace_id() const { return trace ? trace_id_of(trace->trace_id) : TraceId{}; }

    /// First header of that name (any case), or nullptr.
    const std::string* header(std::string_view name) const;
    /// The value of a header that is there once: of two nobody knows which is meant.
    std::optional<std::string_view> only_header(std::string_view name) const;
    std::optional<std::string> query_param(std::string_view name) const;  ///< first of that name
    std::string_view path_param(std::string_view name) const;             ///< empty if absent
    /// Media type without parameters, lower case: "application/json". Empty if there is no
    /// Content-Type.
    std::string media_type() const;
};

struct Response {
    int status = 200;
    Headers headers;  ///< Content-Length, Date and Connection are the server's
    std::string body;
    bool close = false;  ///< close the connection after this response
    bool ours = false;   ///< refused because of us (overload, draining), not because of what was
                         ///< sent: Server::start's `refused`
    /// Set: not an answer but the beginning of a WebSocket; only for a Route that is one.
    /// Everything above but status is ignored.
    std::shared_ptr<WebSocketEvents> websocket;

    static Response json(int status, std::string body);
    static Response text(int status, std::string body);
    static Response html(int status, std::string body);
    static Response empty(int status);
    static Response accept_websocket(std::shared_ptr<WebSocketEvents> events);  ///< 101
    Response& with(std::string name, std::string value);
};

/// What every answer tells browsers, where it does not say so itself: take it as what it says it
/// is, in no frame, and keep it nowhere.
Response with_security_headers(Response response);

/// RFC 9457 `application/problem+json`:
/// {"type":"about:blank","title":…,"status":…,"detail":…,"hint":…, …members}. `members_json`:
/// further members as the inside of a JSON object ("\"dlqId\":\"…\""), may be empty.
Response problem(int status, std::string_view title, std::string_view detail,
                 std::string_view hint = {}, std::string_view members_json = {});

/// The one table from error kinds to the outside: kind → status, whether the sender should retry,
/// metric label.
struct ErrorMapping {
    int status;
    bool retryable;
    std::string_view label;
};
ErrorMapping mapping_of(ErrorKind kind);
/// `problem` by that table; 429/503 carry Retry-After.
Response problem(const Error& error);

}  // namespace helios::http
