#include "lab/fake_helios.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/json.h"

namespace helios::lab {
namespace {

http::Response list_of(const std::vector<std::string>& items) {
    json::Writer w;
    w.begin_object().key("items").begin_array();
    for (const std::string& item : items) {
        w.raw(item);
    }
    w.end_array().key("nextCursor").null().end_object();
    return http::Response::json(200, w.take());
}

}  // namespace

FakeHelios::FakeHelios() : telemetry_(clock_, telemetry::Level::error) {
    http::ServerOptions options;
    options.port = 0;
    auto server = http::Server::bind(options, telemetry_, clock_);
    HELIOS_ASSERT(server.has_value(), "a test can bind a free port");
    server_ = *std::move(server);
}

FakeHelios::~FakeHelios() {
    server_->drain(std::chrono::seconds(5));
}

std::uint16_t FakeHelios::port() const {
    return server_->port();
}
std::string FakeHelios::url() const {
    return fmt::format("http://127.0.0.1:{}", port());
}

void FakeHelios::start() {
    auto add = [&](http::Method method, std::string path,
                   std::function<http::Response(const http::Request&)> answer) {
        http::Route route;
        route.method = method;
        route.path = std::move(path);
        route.blocking = true;
        route.hidden = true;
        route.handler = [answer = std::move(answer)](http::Request request, const Caller&,
                                                     http::Responder responder) {
            responder.send(answer(request));
        };
        routes_.add(std::move(route));
    };
    using http::Method;
    for (const char* path : {"/api/v1/webhooks/aws/eventbridge", "/api/v1/webhooks/gcp/pubsub",
                             "/api/v1/webhooks/azure/eventgrid", "/api/v1/events/batch"}) {
        add(Method::post, path, [this](const http::Request& request) {
            ++posts;
            return on_post ? on_post(request) : http::Response::json(200, "{}");
        });
    }
    add(Method::get, "/ready",
        [](const http::Request&) { return http::Response::text(200, "ready"); });
    add(Method::get, "/metrics", [this](const http::Request&) {
        return http::Response::text(200, metrics ? metrics() : "");
    });
    add(Method::get, "/api/v1/reconciliation/mismatches", [this](const http::Request&) {
        return list_of(exceptions ? exceptions() : std::vector<std::string>{});
    });
    add(Method::get, "/api/v1/dlq", [this](const http::Request&) {
        return list_of(quarantined ? quarantined() : std::vector<std::string>{});
    });
    add(Method::get, "/api/v1/reconciliation/{orderId}", [this](const http::Request& request) {
        auto json = verdict ? verdict(std::string(request.path_param("orderId"))) : std::nullopt;
        return json ? http::Response::json(200, *json)
                    : http::problem(404, "not found", "no such order");
    });
    add(Method::get, "/api/v1/orders/{orderId}/explain", [](const http::Request& request) {
        return http::Response::text(
            200, fmt::format("order {} explained\n  by nobody\n", request.path_param("orderId")));
    });
    server_->start(routes_);
}

std::string verdict_json(const std::string& key, const std::string& status,
                         const std::vector<std::string>& missing,
                         const std::vector<std::string>& findings, const std::string& at_risk) {
    json::Writer w;
    w.begin_object()
        .field("flow", "order")
        .field("key", key)
        .field("orderId", key)
        .field("status", status)
        .key("missingEvents")
        .begin_array();
    for (const std::string& leg : missing) {
        w.string(leg);
    }
    w.end_array().key("findings").begin_array();
    for (const std::string& finding : findings) {
        std::size_t first = finding.find(':');
        std::size_t second = first == std::string::npos ? first : finding.find(':', first + 1);
        w.begin_object().field("kind", finding.substr(0, first));
        if (second != std::string::npos) {
            w.field("expected", finding.substr(first + 1, second - first - 1))
                .field("actual", finding.substr(second + 1));
        }
        w.end_object();
    }
    w.end_array().key("atRisk").begin_array();
    if (std::size_t blank = at_risk.find(' '); blank != std::string::npos) {
        w.begin_object()
            .field("currency", at_risk.substr(blank + 1))
            .field("amount", at_risk.substr(0, blank))
            .end_object();
    }
    w.end_array().end_object();
    return w.take();
}

}  // namespace helios::lab
