#include "sources/pubsub_queue.h"

#include <fmt/format.h>

#include "base/time.h"
#include "sources/endpoint.h"

namespace helios::sources {
namespace {

constexpr int batch_max = 100;
constexpr int ours_seconds = 30;
/// It answers by itself before that, with nothing if nothing comes.
constexpr Duration poll_limit = std::chrono::seconds(120);
constexpr std::string_view usual_endpoint = "https://pubsub.googleapis.com";

PulledMessage message_of(json::Value received, const std::string& subscription) {
    PulledMessage out;
    const auto message = received.find("message");
    const auto attempt = received.find("deliveryAttempt");
    out.handle = received.find("ackId").text();
    out.request.method = http::Method::post;
    out.request.path = "/api/v1/webhooks/gcp/pubsub";
    out.request.headers.emplace_back("Content-Type", "application/json");
    json::Writer body;
    body.begin_object().key("message").raw(message ? message.raw() : "{}");
    body.field("subscription", std::string_view(subscription));
    if (attempt.is_number()) {
        body.key("deliveryAttempt").raw(attempt.raw());
    }
    out.request.body = body.end_object().take();
    if (const auto sent = parse_rfc3339(message.find("publishTime").text())) {
        out.sent = sent->at;
    }
    out.again = attempt.is_number() && attempt.text() != "1" && attempt.text() != "0";
    return out;
}

}  // namespace

PubsubQueue::PubsubQueue(PullOptions options, std::shared_ptr<Authorization> authorization,
                         const HttpsOptions& https, const std::atomic<bool>* stop)
    : options_(std::move(options)),
      authorization_(std::move(authorization)),
      clients_(https, stop) {}

Result<json::Document> PubsubQueue::call(HttpsClient& client, std::string_view verb,
                                         std::string body, Duration limit) {
    HELIOS_TRY_ASSIGN(const auto bearer, authorization_->current(client));
    HELIOS_TRY_ASSIGN(auto request,
                      request_to(options_.endpoint.empty() ? usual_endpoint : options_.endpoint,
                                 Reach::configured));
    request.target = fmt::format("/v1/{}:{}", options_.subscription, verb);
    request.timeout = limit;
    request.answer_bytes_max = batch_bytes_max;
    set_json(request, std::move(body), "application/json");
    if (!bearer.empty()) {
        request.headers.emplace_back("Authorization", bearer);
    }
    HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
    if (answer.status == 200) {
        return object_in(answer, request.host);
    }
    const auto problem = json::Document::parse(answer.body);
    const auto error = problem ? problem->root().find("error") : json::Value();
    if (answer.status == 504) {  // its own deadline, when nothing has come
        return fail(ErrorKind::timeout, request.host + " did not answer in time");
    }
    if (answer.status == 401) {
        authorization_->forget();
    }
    return fail(error_of_answer(answer, request.host, error.find("status").text(),
                                error.find("message").text()));
}

Result<Received> PubsubQueue::receive() {
    const auto got = call(clients_.waiting, "pull",
                          fmt::format(R"({{"maxMessages":{}}})", batch_max), poll_limit);
    if (!got) {
        return got.error().kind == ErrorKind::timeout ? Result<Received>(Received{})
                                                      : std::unexpected(got.error());
    }
    Received out;
    const auto messages = got->root().find("receivedMessages");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (auto message = message_of(messages.at(i), options_.subscription);
            !message.handle.empty()) {
            out.messages.push_back(std::move(message));
        }
    }
    out.drained = out.messages.empty();  // fewer than asked for is no sign
    return out;
}

Result<Settled> PubsubQueue::settle(std::string_view verb, const std::vector<std::string>& handles,
                                    std::optional<int> deadline_seconds) {
    json::Writer body;
    body.begin_object().key("ackIds").begin_array();
    for (const auto& handle : handles) {
        body.string(handle);
    }
    body.end_array();
    if (deadline_seconds) {
        body.field("ackDeadlineSeconds", *deadline_seconds);
    }
    HELIOS_TRY(call(clients_.settling, verb, body.end_object().take(), settle_limit));
    return Settled{handles.size(), 0, ""};
}

Result<Settled> PubsubQueue::remove(const std::vector<std::string>& handles) {
    return settle("acknowledge", handles, std::nullopt);
}

Result<Settled> PubsubQueue::renew(const std::vector<std::string>& handles) {
    return settle("modifyAckDeadline", handles, ours_seconds);
}

Result<Settled> PubsubQueue::release(const std::vector<std::string>& handles) {
    return settle("modifyAckDeadline", handles, 0);
}

}  // namespace helios::sources
