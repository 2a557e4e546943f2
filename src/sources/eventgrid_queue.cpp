#include "sources/eventgrid_queue.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/shown.h"
#include "sources/endpoint.h"

namespace helios::sources {
namespace {

constexpr int batch_max = 100;
constexpr int wait_seconds = 20;
constexpr Duration poll_limit = std::chrono::seconds(wait_seconds + 10);

PulledMessage message_of(json::Value value) {
    PulledMessage out;
    const auto broker = value.find("brokerProperties");
    const auto event = value.find("event");
    out.handle = broker.find("lockToken").text();
    out.request.method = http::Method::post;
    out.request.path = "/api/v1/webhooks/azure/eventgrid";
    out.request.headers.emplace_back("Content-Type", "application/cloudevents+json; charset=utf-8");
    out.request.body = event.raw();
    // The event's time is its producer's claim, and says nothing of how long it has waited here.
    const auto count = broker.find("deliveryCount");
    out.again = count.is_number() && count.text() != "1" && count.text() != "0";
    return out;
}

std::string member_of(json::Value failed, std::string_view name) {
    const auto value = failed.find(name);
    return value.is_object() ? std::string(value.find("code").text()) : std::string(value.text());
}

}  // namespace

EventGridQueue::EventGridQueue(PullOptions options, std::shared_ptr<Authorization> authorization,
                               const HttpsOptions& https, const std::atomic<bool>* stop)
    : options_(std::move(options)),
      authorization_(std::move(authorization)),
      clients_(https, stop) {}

Result<json::Document> EventGridQueue::call(HttpsClient& client, std::string_view operation,
                                            std::string_view query, std::string body,
                                            Duration limit) {
    HELIOS_TRY_ASSIGN(const auto authorization, authorization_->current(client));
    HELIOS_TRY_ASSIGN(auto request, request_to(options_.endpoint, Reach::configured));
    request.target = fmt::format("/topics/{}/eventsubscriptions/{}:{}?api-version=2024-06-01{}",
                                 options_.topic, options_.subscription, operation, query);
    request.timeout = limit;
    request.answer_bytes_max = batch_bytes_max;
    set_json(request, std::move(body), "application/json");
    request.headers.emplace_back("Authorization", authorization);
    HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
    if (answer.status == 200) {
        return object_in(answer, request.host);
    }
    const auto problem = json::Document::parse(answer.body);
    const auto error = problem ? problem->root().find("error") : json::Value();
    if (answer.status == 401 || answer.status == 403) {
        authorization_->forget();
    }
    return fail(error_of_answer(answer, request.host, error.find("code").text(),
                                error.find("message").text()));
}

Result<Received> EventGridQueue::receive() {
    HELIOS_TRY_ASSIGN(
        const auto document,
        call(clients_.waiting, "receive",
             fmt::format("&maxEvents={}&maxWaitTime={}", batch_max, wait_seconds), "", poll_limit));
    Received out;
    const auto messages = document.root().find("value");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (auto message = message_of(messages.at(i)); !message.handle.empty()) {
            out.messages.push_back(std::move(message));
        }
    }
    out.drained = out.messages.size() < batch_max;
    return out;
}

Result<Settled> EventGridQueue::settle(std::string_view operation,
                                       const std::vector<std::string>& handles) {
    json::Writer body;
    body.begin_object().key("lockTokens").begin_array();
    for (const auto& handle : handles) {
        body.string(handle);
    }
    body.end_array();
    HELIOS_TRY_ASSIGN(const auto document, call(clients_.settling, operation, "",
                                                body.end_object().take(), settle_limit));
    Settled out;
    const auto failed = document.root().find("failedLockTokens");
    out.done = std::min(document.root().find("succeededLockTokens").size(), handles.size());
    out.failed = std::max(failed.size(), handles.size() - out.done);
    if (failed.size() != 0) {
        const auto first = failed.at(0);
        const auto code = member_of(first, "errorCode");
        out.why = shown(code.empty() ? member_of(first, "error") : code) + " " +
                  shown(member_of(first, "errorDescription"));
    }
    return out;
}

Result<Settled> EventGridQueue::remove(const std::vector<std::string>& handles) {
    return settle("acknowledge", handles);
}

Result<Settled> EventGridQueue::renew(const std::vector<std::string>& handles) {
    return settle("renewLock", handles);
}

Result<Settled> EventGridQueue::release(const std::vector<std::string>& handles) {
    return settle("release", handles);
}

}  // namespace helios::sources
