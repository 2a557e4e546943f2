#pragma once
/// The route table: what the server serves, and the source of the OpenAPI document. One entry says
/// both.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/caller.h"
#include "http/message.h"

namespace helios::http {

/// Answers one request, once, from any thread, now or later. Movable. If it is destroyed
/// unanswered, the client gets a 500 (a bug, logged as error).
class Responder {
public:
    using Send = std::move_only_function<void(Response)>;
    explicit Responder(Send send) : send_(std::move(send)) {}
    Responder(Responder&&) noexcept = default;
    Responder& operator=(
        Responder&& other) noexcept;  ///< answers what it held, as the destructor does
    ~Responder();
    void send(Response response);

private:
    Send send_;
};

/// Who may call a route. What a role may do is said here and nowhere else.
enum class Access : std::uint8_t {
    unsaid,     ///< a mistake of whoever wrote the route
    everyone,   ///< whoever reaches the port; a test holds the list of such routes
    sender,     ///< who may bring events
    viewer,     ///< who may read
    operator_,  ///< who may work cases and quarantine
};

/// Called on a worker thread if the route is `blocking`, on the probes' thread if it is a `probe`,
/// else on an I/O thread. On the last two it must not block. On a worker thread
/// current_patience() (base/patience.h) says how long the answer is waited for.
using Handler = std::function<void(Request, Caller, Responder)>;

struct Param {
    enum class In : std::uint8_t { path, query, header } in = In::query;
    std::string name{};
    std::string description{};
    bool required = false;
    std::string schema = R"({"type":"string"})";  ///< JSON Schema
    std::vector<std::string>
        values{};  ///< all that there are (the schema then says so); empty: any
};

struct Answer {
    int status = 200;
    std::string description{};
    std::string media_type = "application/json";  ///< empty: no body
    std::string schema{};   ///< JSON Schema or {"$ref":"#/components/schemas/…"}; empty: any
    std::string example{};  ///< JSON; may be empty
};

/// One that is a problem (RFC 9457, http::problem).
Answer problem_answer(int status, std::string description, std::string example = {});

/// What an answer rests on. State that is derived behind a request's back can be incomplete when it
/// is read, so each route says which kind it reads; the room that serves it keeps the promise, and
/// a test goes through all routes with everything held back.
enum class Reads : std::uint8_t {
    unsaid,      ///< a mistake of whoever wrote the route
    nothing,     ///< nothing derived: answers at any time
    one_record,  ///< one thing that is kept as it came: what was acknowledged before the request is
                 ///< there
    one_case,    ///< one thing that is concluded from others: likewise, with all that follows from
                 ///< them
    list,    ///< lists and figures: at once, with `asOf`, the time up to which they are complete
    stream,  ///< goes on for ever: begins only when there is a complete state to begin from
};

struct Route {
    Method method = Method::get;
    std::string
        path{};  ///< "/api/v1/reconciliation/{orderId}"; a fixed segment wins over a parameter
    Handler handler{};
    bool blocking = false;
    /// Answers from what is kept for it, at any time: on a thread that has nothing else to do, so
    /// that neither questions nor what they ask of hold it up. Not together with `blocking`.
    bool probe = false;
    Access access = Access::unsaid;
    Reads reads = Reads::unsaid;
    std::size_t body_bytes_max = 0;  ///< 0: the server's default

    /// Bodies may come with Content-Encoding gzip or x-gzip: as they came, the handler decodes
    /// them.
    bool takes_gzip = false;
    /// How much of the memory for bodies (inflight_bytes_max) its bodies leave to others, judged by
    /// the header: who is refused first when that is short. Room for one whole body is left in any
    /// case. Absent: nothing.
    std::function<unsigned(const Request&)> leaves_percent{};

    /// A browser page of another origin must not be able to make this happen. State-changing routes
    /// that are not authenticated are protected: Host allow-list and Origin / Sec-Fetch-Site checks
    /// (DNS rebinding, CSRF). Webhooks too.
    bool changes_state = false;

    /// GET that asks for a WebSocket (websocket.h): the handler sees it only if the handshake is
    /// good, and answers with Response::accept_websocket, or with a refusal. Protected as if it
    /// changed state, since pages of other origins may connect to a WebSocket and read it.
    bool websocket = false;

    /// Of the query, what `params` does not know is refused (query.h) before the handler is asked.
    /// Else it is let pass: senders add what they like, and nothing may be lost for it.
    bool query_checked = false;

    // Documentation
    std::string operation_id{};
    std::string summary{};
    std::string description{};
    std::string tag{};
    std::vector<Param> params{};
    std::string request_media_type{};  ///< empty: no body
    std::string request_schema{};
    std::string request_example{};
    std::string request_lines_example{};  ///< set: application/x-ndjson is taken, too
    std::vector<Answer>
        answers{};        ///< what the server says before any handler is asked, add() adds
    bool hidden = false;  ///< not in OpenAPI (static assets)
};

/// Built once, then read-only and thread-safe.
class RouteTable {
public:
    /// Asserts that method and path are new.
    void add(Route route);

    struct Match {
        const Route* route = nullptr;  ///< nullptr: no such path, or none for this method
        std::map<std::string, std::string> path_params;
        std::vector<Method> allowed;  ///< methods of this path when only the method differs (405)
    };
    /// `raw_path` is still percent-encoded; segments are split before decoding, so %2F stays inside
    /// its segment.
    Match match(Method method, std::string_view raw_path) const;

    /// OpenAPI 3.1, deterministic. `components_json`: the `components` object.
    std::string openapi(std::string_view title, std::string_view version,
                        std::string_view description, std::string_view components_json) const;

    const std::vector<Route>& routes() const { return routes_; }

private:
    /// One level of the tree of path segments.
    struct Node {
        std::map<std::string, std::size_t, std::less<>> fixed;  ///< segment → node
        std::size_t parameter = 0;        ///< node for any other segment; 0: none
        std::vector<std::size_t> routes;  ///< of the paths that end here, one per method
    };
    std::size_t find(std::size_t node, std::string_view rest,
                     std::vector<std::string>& captured) const;

    std::vector<Route> routes_;
    std::vector<Node> nodes_ = std::vector<Node>(1);
};

}  // namespace helios::http
