#include "http/message.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/shown.h"
#include "http/url.h"

namespace helios::http {

namespace {

Response with_body(int status, std::string_view media_type, std::string body) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", media_type);
    response.body = std::move(body);
    return response;
}

}  // namespace

std::string_view to_string(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::delete_:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
    }
    HELIOS_ASSERT(false, "unknown method");
}

std::string_view Request::remote_address() const {
    const std::string_view text = remote;
    const auto end = text.starts_with('[') ? text.find(']') : text.find(':') - 1;
    return text.substr(0, end + 1);
}

const std::string* Request::header(std::string_view name) const {
    const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& h) {
        return equal_ignoring_case(h.first, name);
    });
    return found == headers.end() ? nullptr : &found->second;
}

std::optional<std::string_view> Request::only_header(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const auto& [header, value] : headers) {
        if (equal_ignoring_case(header, name)) {
            if (found) {
                return std::nullopt;
            }
            found = value;
        }
    }
    return found;
}

std::optional<std::string> Request::query_param(std::string_view name) const {
    const auto found =
        std::find_if(query.begin(), query.end(), [&](const auto& p) { return p.first == name; });
    return found == query.end() ? std::nullopt : std::optional(found->second);
}

std::string_view Request::path_param(std::string_view name) const {
    for (const auto& [key, value] : path_params) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

std::string Request::media_type() const {
    const std::string* value = header("Content-Type");
    if (value == nullptr) {
        return {};
    }
    std::string_view type = *value;
    type = type.substr(0, type.find(';'));
    const auto first = type.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    type = type.substr(first, type.find_last_not_of(" \t") - first + 1);
    return ascii::lower(type);
}

Response Response::json(int status, std::string body) {
    return with_body(status, "application/json", std::move(body));
}

Response Response::text(int status, std::string body) {
    return with_body(status, "text/plain; charset=utf-8", std::move(body));
}

Response Response::html(int status, std::string body) {
    return with_body(status, "text/html; charset=utf-8", std::move(body));
}

Response Response::empty(int status) {
    Response response;
    response.status = status;
    return response;
}

Response Response::accept_websocket(std::shared_ptr<WebSocketEvents> events) {
    Response response;
    response.status = 101;
    response.websocket = std::move(events);
    return response;
}

Response& Response::with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
}

Response with_security_headers(Response response) {
    const auto has = [&](std::string_view name) {
        return std::any_of(response.headers.begin(), response.headers.end(),
                           [&](const auto& h) { return h.first == name; });
    };
    if (!has("X-Content-Type-Options")) {
        response.with("X-Content-Type-Options", "nosniff");
    }
    if (!has("Content-Security-Policy")) {
        response.with("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    }
    if (!has("Referrer-Policy")) {
        response.with("Referrer-Policy", "no-referrer");
    }
    if (!has("Cache-Control")) {
        response.with("Cache-Control", "no-store");
    }
    return response;
}

Response problem(int status, std::string_view title, std::string_view detail, std::string_view hint,
                 std::string_view members_json) {
    // Detail and hint may quote whoever asked: what would steer the terminal of who reads them
    // stands there as escapes.
    std::string body = R"({"type":"about:blank","title":)";
    json::append_string(body, title);
    body += R"(,"status":)" + std::to_string(status);
    if (!detail.empty()) {
        body += R"(,"detail":)";
        json::append_string(body, one_line(detail));
    }
    if (!hint.empty()) {
        body += R"(,"hint":)";
        json::append_string(body, one_line(hint));
    }
    if (!members_json.empty()) {
        body += ',';
        body += members_json;
    }
    body += '}';
    Response response = with_body(status, "application/problem+json", std::move(body));
    if (status == 429 || status == 503) {
        response.with("Retry-After", "1");
    }
    return response;
}

ErrorMapping mapping_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
            return {400, false, "invalid"};
        case ErrorKind::not_found:
            return {404, false, "not_found"};
        case ErrorKind::conflict:
            return {409, false, "conflict"};
        case ErrorKind::denied:
            return {403, false, "denied"};
        case ErrorKind::exhausted:
            return {429, true, "exhausted"};
        case ErrorKind::unavailable:
            return {503, true, "unavailable"};
        case ErrorKind::timeout:
            return {504, true, "timeout"};
        case ErrorKind::corrupt:
            return {500, false, "corrupt"};
        case ErrorKind::stopping:
            return {503, true, "stopping"};
    }
    HELIOS_ASSERT(false, "unknown error kind");
}

Response problem(const Error& error) {
    const auto title = [&]() -> std::string_view {
        switch (error.kind) {
            case ErrorKind::invalid:
                return "Bad request";
            case ErrorKind::not_found:
                return "Not found";
            case ErrorKind::conflict:
                return "Conflict";
            case ErrorKind::denied:
                return "Forbidden";
            case ErrorKind::exhausted:
                return "Too many requests";
            case ErrorKind::unavailable:
                return "Unavailable";
            case ErrorKind::timeout:
                return "Timed out";
            case ErrorKind::corrupt:
                return "Stored data is damaged";
            case ErrorKind::stopping:
                return "Shutting down";
        }
        return "Error";
    };
    return problem(mapping_of(error.kind).status, title(), error.what, error.hint);
}

}  // namespace helios::http
