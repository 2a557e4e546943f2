#include "http/route.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"
#include "http/query.h"
#include "http/url.h"

namespace helios::http {

namespace {

constexpr std::size_t no_node = static_cast<std::size_t>(-1);

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// Calls `visit(segment)` for each segment of a path that begins with '/'.
template <class Visit>
void each_segment(std::string_view path, Visit visit) {
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto end = std::min(path.find('/'), path.size());
        visit(path.substr(0, end));
        path.remove_prefix(end);
    }
}

std::vector<std::string> parameter_names(std::string_view path) {
    std::vector<std::string> names;
    each_segment(path, [&](std::string_view segment) {
        if (is_parameter(segment)) {
            names.emplace_back(segment.substr(1, segment.size() - 2));
        }
    });
    return names;
}

std::string_view to_string(Param::In in) {
    switch (in) {
        case Param::In::path:
            return "path";
        case Param::In::query:
            return "query";
        case Param::In::header:
            return "header";
    }
    HELIOS_ASSERT(false, "unknown parameter place");
}

// OpenAPI, one function per object of the specification.

void write_parameter(json::Writer& out, const Param& param) {
    out.begin_object().field("name", param.name).field("in", to_string(param.in));
    if (!param.description.empty()) {
        out.field("description", param.description);
    }
    out.field("required", param.required || param.in == Param::In::path);
    out.key("schema");
    if (param.values.empty()) {
        out.raw(param.schema);
    } else {
        out.begin_object().field("type", "string").key("enum").begin_array();
        for (const auto& value : param.values) {
            out.string(value);
        }
        out.end_array().end_object();
    }
    out.end_object();
}

void write_parameters(json::Writer& out, const Route& route) {
    std::vector<Param> params = route.params;
    for (const std::string& name : parameter_names(route.path)) {
        const bool described = std::any_of(params.begin(), params.end(), [&](const Param& p) {
            return p.in == Param::In::path && p.name == name;
        });
        if (!described) {
            Param param;
            param.in = Param::In::path;
            param.name = name;
            params.push_back(std::move(param));
        }
    }
    if (params.empty()) {
        return;
    }
    out.key("parameters").begin_array();
    for (const Param& param : params) {
        write_parameter(out, param);
    }
    out.end_array();
}

void write_media_type(json::Writer& out, std::string_view media_type, std::string_view schema,
                      std::string_view example) {
    out.key(media_type).begin_object();
    if (!schema.empty()) {
        out.key("schema").raw(schema);
    }
    if (!example.empty()) {
        out.key("example").raw(example);
    }
    out.end_object();
}

/// What is read from application/x-ndjson: nothing at all, or at least one object.
constexpr std::string_view schema_of_lines =
    R"({"type":"array","description":"An item a line; the items are those of the other form.","anyOf":[{"maxItems":0},{"contains":{"type":"object"}}]})";

/// Whether it is for those who can say who they are.
bool asks_who(Access access) {
    return access == Access::viewer || access == Access::operator_;
}

void write_request_body(json::Writer& out, const Route& route) {
    if (route.request_media_type.empty()) {
        return;
    }
    out.key("requestBody").begin_object().field("required", true).key("content").begin_object();
    write_media_type(out, route.request_media_type, route.request_schema, route.request_example);
    if (!route.request_lines_example.empty()) {
        json::Writer example;
        example.string(route.request_lines_example);
        write_media_type(out, "application/x-ndjson", schema_of_lines, example.take());
    }
    out.end_object().end_object();
}

/// Answers of one status differ in media type and share an entry; the first one's description
/// stands.
void write_responses(json::Writer& out, const Route& route) {
    std::map<int, std::vector<const Answer*>> by_status;
    for (const Answer& answer : route.answers) {
        by_status[answer.status].push_back(&answer);
    }
    out.key("responses").begin_object();
    for (const auto& [status, answers] : by_status) {
        out.key(std::to_string(status))
            .begin_object()
            .field("description", answers.front()->description);
        std::set<std::string_view> seen;
        for (const Answer* answer : answers) {
            if (answer->media_type.empty() || !seen.insert(answer->media_type).second) {
                continue;
            }
            if (seen.size() == 1) {
                out.key("content").begin_object();
            }
            write_media_type(out, answer->media_type, answer->schema, answer->example);
        }
        if (!seen.empty()) {
            out.end_object();
        }
        out.end_object();
    }
    out.end_object();
}

/// By the schemes of the document's components. Senders prove themselves by the policy of their
/// source, which a document of all servers can't know.
void write_security(json::Writer& out, const Route& route) {
    out.key("security").begin_array();
    if (asks_who(route.access)) {
        out.begin_object().key("bearer").begin_array().end_array().end_object();
    }
    if (route.access != Access::everyone) {
        out.begin_object().end_object();  // as long as only this machine reaches the server
    }
    out.end_array();
}

void write_operation(json::Writer& out, const Route& route) {
    out.key(ascii::lower(to_string(route.method))).begin_object();
    if (!route.operation_id.empty()) {
        out.field("operationId", route.operation_id);
    }
    if (!route.summary.empty()) {
        out.field("summary", route.summary);
    }
    if (!route.description.empty()) {
        out.field("description", route.description);
    }
    if (!route.tag.empty()) {
        out.key("tags").begin_array().string(route.tag).end_array();
    }
    write_security(out, route);
    write_parameters(out, route);
    write_request_body(out, route);
    write_responses(out, route);
    out.end_object();
}

/// What the server says before any handler is asked (admission.cpp, request_reader.cpp), where the
/// route does not say it itself.
void add_answers_of_the_server(Route& route) {
    const auto add = [&route](int status, std::string_view description) {
        const bool said =
            std::any_of(route.answers.begin(), route.answers.end(),
                        [&](const Answer& answer) { return answer.status == status; });
        if (!said) {
            route.answers.push_back(problem_answer(status, std::string(description)));
        }
    };
    add(400, route.query_checked ? "Malformed, or a parameter is unknown, repeated or empty."
                                 : "Malformed.");
    if (asks_who(route.access)) {
        add(401, "This server asks who you are (`WWW-Authenticate`): bring a key or a token.");
        add(403, "Not for this caller, or a page of another site asked.");
    } else if (route.changes_state || route.websocket) {
        add(403, "A page of another site asked.");
    }
    add(408, "The request came too slowly.");
    if (!route.websocket) {
        add(413, "The body is too large.");
        add(415, "The body is coded (`Content-Encoding`).");
    }
    add(417, "An `Expect` other than 100-continue.");
    add(421, "The `Host` is none of this server's (`http.allowed_hosts`).");
    if (route.websocket) {
        add(426, "This is no WebSocket request of version 13.");
    }
    add(431, "The header is too large.");
    add(500, "A bug: the server's log says which.");
    add(503, "Too much at once, or the server is stopping: ask again after `Retry-After` seconds.");
    add(505, "Neither HTTP/1.1 nor HTTP/1.0.");
}

/// The handler sees only what its parameters allow.
void check_queries(Route& route) {
    route.handler = [params = route.params, handler = std::move(route.handler)](
                        Request request, Caller caller, Responder responder) {
        if (const auto checked = check_query(params, request); !checked) {
            responder.send(with_security_headers(problem(checked.error())));
            return;
        }
        handler(std::move(request), std::move(caller), std::move(responder));
    };
}

}  // namespace

Answer problem_answer(int status, std::string description, std::string example) {
    return {status, std::move(description), "application/problem+json",
            R"({"$ref":"#/components/schemas/Problem"})", std::move(example)};
}

Responder::~Responder() {
    if (send_) {
        send(problem(500, "No answer", "the handler of this request ended without answering",
                     "this is a bug in the server: please report it"));
    }
}

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this != &other) {
        const Responder dropped(
            std::move(*this));  // answers at the end of this block, when it held a request
        send_ = std::move(other.send_);
    }
    return *this;
}

void Responder::send(Response response) {
    HELIOS_ASSERT(send_, "a request is answered once");
    Send send = std::exchange(send_, nullptr);
    send(std::move(response));
}

void RouteTable::add(Route route) {
    HELIOS_ASSERT(route.path.starts_with('/'), "a route's path begins with '/'");
    HELIOS_ASSERT(route.handler, "a route has a handler");
    std::size_t node = 0;
    each_segment(route.path, [&](std::string_view segment) {
        const bool parameter = is_parameter(segment);
        HELIOS_ASSERT(parameter || segment.find_first_of("{}") == std::string_view::npos,
                      "a parameter is a whole segment: {name}");
        std::size_t next = 0;
        if (parameter) {
            next = nodes_[node].parameter;
        } else if (const auto found = nodes_[node].fixed.find(segment);
                   found != nodes_[node].fixed.end()) {
            next = found->second;
        }
        if (next == 0) {
            next = nodes_.size();
            nodes_.emplace_back();
            if (parameter) {
                nodes_[node].parameter = next;
            } else {
                nodes_[node].fixed.emplace(segment, next);
            }
        }
        node = next;
    });
    for (const std::size_t other : nodes_[node].routes) {
        HELIOS_ASSERT(routes_[other].method != route.method, "method and path are new");
    }
    for (const Route& other : routes_) {
        HELIOS_ASSERT(route.operation_id.empty() || other.operation_id != route.operation_id,
                      "operation ids are unique");
    }
    if (route.query_checked) {
        check_queries(route);
    }
    if (!route.hidden) {
        add_answers_of_the_server(route);
    }
    nodes_[node].routes.push_back(routes_.size());
    routes_.push_back(std::move(route));
}

std::size_t RouteTable::find(std::size_t node, std::string_view rest,
                             std::vector<std::string>& captured) const {
    if (rest.empty()) {
        return nodes_[node].routes.empty() ? no_node : node;
    }
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    std::string decoded;
    if (segment.find('%') != std::string_view::npos) {
        auto outcome = percent_decode(segment);
        if (!outcome) {
            return no_node;
        }
        decoded = *std::move(outcome);
        segment = decoded;
    }
    if (const auto next = nodes_[node].fixed.find(segment); next != nodes_[node].fixed.end()) {
        if (const std::size_t found = find(next->second, rest, captured); found != no_node) {
            return found;
        }
    }
    if (nodes_[node].parameter == 0 || segment.empty() || !utf8::is_valid(segment)) {
        return no_node;
    }
    captured.emplace_back(segment);
    const std::size_t found = find(nodes_[node].parameter, rest, captured);
    if (found == no_node) {
        captured.pop_back();
    }
    return found;
}

RouteTable::Match RouteTable::match(Method method, std::string_view raw_path) const {
    Match result;
    std::vector<std::string> captured;
    const std::size_t node = raw_path.starts_with('/') ? find(0, raw_path, captured) : no_node;
    if (node == no_node) {
        return result;
    }
    const auto route_for = [&](Method wanted) -> const Route* {
        for (const std::size_t index : nodes_[node].routes) {
            if (routes_[index].method == wanted) {
                return &routes_[index];
            }
        }
        return nullptr;
    };
    result.route = route_for(method);
    if (result.route == nullptr && method == Method::head) {
        result.route = route_for(Method::get);
    }
    if (result.route == nullptr) {
        for (const std::size_t index : nodes_[node].routes) {
            result.allowed.push_back(routes_[index].method);
        }
        std::sort(result.allowed.begin(), result.allowed.end());
        return result;
    }
    if (!captured.empty()) {
        const auto names = parameter_names(result.route->path);
        for (std::size_t i = 0; i < captured.size(); ++i) {
            result.path_params.emplace(names[i], std::move(captured[i]));
        }
    }
    return result;
}

std::string RouteTable::openapi(std::string_view title, std::string_view version,
                                std::string_view description,
                                std::string_view components_json) const {
    std::vector<std::string_view> paths;  // in the order in which they were added
    std::vector<std::string_view> tags;
    const auto note = [](std::vector<std::string_view>& list, std::string_view item) {
        if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end()) {
            list.push_back(item);
        }
    };
    for (const Route& route : routes_) {
        if (!route.hidden) {
            note(paths, route.path);
            note(tags, route.tag);
        }
    }
    json::Writer out;
    out.begin_object().field("openapi", "3.1.0");
    out.key("info")
        .begin_object()
        .field("title", title)
        .field("version", version)
        .field("description", description)
        .end_object();
    out.key("servers").begin_array().begin_object().field("url", "/").end_object().end_array();
    out.key("tags").begin_array();
    for (const auto tag : tags) {
        out.begin_object().field("name", tag).end_object();
    }
    out.end_array().key("paths").begin_object();
    for (const auto path : paths) {
        out.key(path).begin_object();
        for (const Route& route : routes_) {
            if (!route.hidden && route.path == path) {
                write_operation(out, route);
            }
        }
        out.end_object();
    }
    out.end_object();
    out.key("components").raw(components_json.empty() ? "{}" : components_json);
    return out.end_object().take();
}

}  // namespace helios::http
