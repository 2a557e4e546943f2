#include "http/admission.h"

#include <algorithm>
#include <fmt/format.h>

#include "http/url.h"
#include "http/websocket_handshake.h"

namespace helios::http {

namespace {

/// Of every path together, and of the server ("*").
constexpr std::string_view methods_read = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string allow_header(const std::vector<Method>& methods) {
    std::string allow;
    for (const Method method : methods) {
        allow += fmt::format("{}, ", to_string(method));
        allow += method == Method::get ? "HEAD, " : "";
    }
    return allow + "OPTIONS";
}

Response no_such_method() {
    return problem(405, "Method not allowed", "this path has no such method");
}

}  // namespace

std::vector<std::string> Admission::hosts_of(const ServerOptions& options) {
    std::vector<std::string> hosts;
    for (auto& address : options.addresses()) {
        hosts.push_back(std::move(address.host));
    }
    return hosts;
}

Admission::Verdict Admission::judge(const RequestHead& head, Request& request) const {
    Verdict verdict;
    verdict.refusal = judge_target(head, request, verdict);
    if (!verdict.refusal && verdict.route->websocket) {
        verdict.refusal = refuse_handshake(head, request);
    }
    if (!verdict.refusal) {
        verdict.refusal = judge_body(head, request, verdict);
    }
    return verdict;
}

/// Of methods that no route has.
std::optional<Response> Admission::judge_method(const RequestHead& head) const {
    if (head.other_method.empty()) {
        return std::nullopt;
    }
    if (head.other_method == "CONNECT") {  // its target is no path
        auto response = problem(405, "Method not allowed", "this server is no proxy")
                            .with("Allow", std::string(methods_read));
        response.close = true;  // what follows may be meant for a tunnel
        return response;
    }
    if (head.other_method != "TRACE" && head.other_method != "QUERY") {
        return problem(501, "Not implemented", "this server has no such method",
                       fmt::format("it has {}", methods_read));
    }
    const auto target = split_target(head.target);
    const auto match = target && target->path != "*" ? routes_.match(Method::options, target->path)
                                                     : RouteTable::Match();
    if (match.allowed.empty() && match.route == nullptr && target && target->path != "*") {
        return problem(404, "Not found", "there is nothing at this path");
    }
    return no_such_method().with(
        "Allow", match.allowed.empty() ? std::string(methods_read) : allow_header(match.allowed));
}

std::optional<Response> Admission::judge_target(const RequestHead& head, Request& request,
                                                Verdict& verdict) const {
    if (!head.host_seen && !head.http_1_0) {
        return problem(400, "Bad request", "there is no Host header");
    }
    if (head.expects_other) {
        return problem(417, "Expectation failed", "only 100-continue can be expected");
    }
    if (auto refusal = judge_method(head)) {
        return refusal;
    }
    const auto target = split_target(head.target);
    if (!target) {
        return problem(target.error());
    }
    const auto host = target->authority.empty()
                          ? head.host
                          : target->authority;  // RFC 9112 3.2.2: the target's counts
    if (head.host_seen || !target->authority.empty()) {
        if (!split_authority(host) || (head.host_seen && !split_authority(head.host))) {
            return problem(400, "Bad request", "the Host header is not host[:port]");
        }
        if (!policy_.allows(host)) {
            return problem(421, "Unknown host", "this server does not answer to that Host header",
                           "add the name to http.allowed_hosts (HELIOS_HTTP_ALLOWED_HOSTS)");
        }
    }
    if (target->path == "*") {
        return request.method == Method::options
                   ? Response::empty(204).with("Allow", std::string(methods_read))
                   : problem(400, "Bad request", "the target '*' is for OPTIONS");
    }
    auto path = decode_path(target->path);
    if (!path) {
        return problem(path.error());
    }
    auto query = parse_query(target->query);
    if (!query) {
        return problem(query.error());
    }
    request.path = *std::move(path);
    request.query = *std::move(query);
    return judge_route(host, head, target->path, request, verdict);
}

std::optional<Response> Admission::judge_route(std::string_view host, const RequestHead& head,
                                               std::string_view raw_path, Request& request,
                                               Verdict& verdict) const {
    auto match = routes_.match(request.method, raw_path);
    if (match.route == nullptr) {
        if (match.allowed.empty()) {
            return problem(404, "Not found", "there is nothing at this path");
        }
        Response response =
            request.method == Method::options ? Response::empty(204) : no_such_method();
        return response.with("Allow", allow_header(match.allowed));
    }
    verdict.route = match.route;
    request.path_params = std::move(match.path_params);
    const bool guarded = match.route->changes_state || match.route->websocket;
    if (guarded && head.origin_twice) {
        return problem(400, "Bad request", "more than one Origin, or Sec-Fetch-Site");
    }
    if (guarded &&
        !HostPolicy::same_site(host, request.header("Origin"), request.header("Sec-Fetch-Site"))) {
        return problem(403, "Cross-site request",
                       match.route->websocket
                           ? "a page of another site may not listen here"
                           : "a page of another site may not change anything here",
                       "open the console from this server's own address");
    }
    return std::nullopt;
}

std::optional<Response> Admission::judge_body(const RequestHead& head, const Request& request,
                                              Verdict& verdict) const {
    verdict.body_bytes_max = verdict.route->body_bytes_max == 0 ? options_.body_bytes_max
                                                                : verdict.route->body_bytes_max;
    if (!head.has_body) {
        return std::nullopt;
    }
    const bool takes_gzip = verdict.route->takes_gzip;
    if (head.encoded && !(takes_gzip && head.gzip)) {
        return problem(415, "Unsupported content encoding",
                       takes_gzip ? "bodies are read as they are, or in gzip, once"
                                  : "bodies are read as they are",
                       "send without Content-Encoding")
            .with("Accept-Encoding", takes_gzip ? "gzip" : "identity");
    }
    if (head.content_length && *head.content_length > verdict.body_bytes_max) {
        return RequestReader::too_large(verdict.body_bytes_max);
    }
    if (verdict.route->leaves_percent) {
        // A string grows by doubling.
        const auto whole = std::min(budget_.bytes_max(), 2 * verdict.body_bytes_max);
        verdict.spare = std::min(budget_.bytes_max() / 100 * verdict.route->leaves_percent(request),
                                 budget_.bytes_max() - whole);
    }
    const auto taken = std::min(budget_.bytes_max(), budget_.used() + verdict.spare);
    if (head.content_length && *head.content_length > budget_.bytes_max() - taken) {
        return RequestReader::no_room();  // it could not be read to its end: better said before it
                                          // is sent
    }
    return std::nullopt;
}

}  // namespace helios::http
