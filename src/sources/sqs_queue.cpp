#include "sources/sqs_queue.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/json.h"
#include "base/shown.h"
#include "sources/endpoint.h"

namespace helios::sources {
namespace {

constexpr int batch_max = 10;  // of SQS
constexpr int wait_seconds = 20;
constexpr int ours_seconds = 30;
constexpr Duration poll_limit = std::chrono::seconds(wait_seconds + 10);

std::optional<std::int64_t> number_in(json::Value value) {
    const auto text = value.text();
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && !text.empty()
               ? std::optional(number)
               : std::nullopt;
}

/// "QueueDoesNotExist" of "com.amazonaws.sqs#QueueDoesNotExist".
std::string_view code_in(std::string_view type) {
    return type.substr(type.find('#') + 1);
}

PulledMessage message_of(json::Value value) {
    PulledMessage out;
    out.handle = value.find("ReceiptHandle").text();
    out.request.method = http::Method::post;
    out.request.path = "/api/v1/webhooks/aws/eventbridge";
    out.request.headers.emplace_back("Content-Type", "application/json");
    out.request.body = value.find("Body").text();
    const auto attributes = value.find("Attributes");
    if (const auto sent = number_in(attributes.find("SentTimestamp"));
        sent && *sent > 0 &&
        *sent < latest_instant.time_since_epoch() / std::chrono::milliseconds(1)) {
        out.sent = Instant(std::chrono::milliseconds(*sent));
    }
    out.again = number_in(attributes.find("ApproximateReceiveCount")).value_or(1) > 1;
    return out;
}

json::Writer begun(const PullOptions& options) {
    json::Writer out;
    out.begin_object().field("QueueUrl", std::string_view(options.queue_url));
    return out;
}

}  // namespace

SqsQueue::SqsQueue(PullOptions options, std::shared_ptr<AwsCredentials> credentials,
                   const HttpsOptions& https, const Clock& clock, const std::atomic<bool>* stop)
    : options_(std::move(options)),
      region_(options_.region.empty() ? region_in(options_.queue_url) : options_.region),
      credentials_(std::move(credentials)),
      clock_(clock),
      clients_(https, stop) {}

Result<json::Document> SqsQueue::call(HttpsClient& client, std::string_view operation,
                                      std::string body, Duration limit) {
    HELIOS_TRY_ASSIGN(const auto keys, credentials_->current(client));
    HELIOS_TRY_ASSIGN(auto request,
                      request_to(options_.endpoint.empty() ? options_.queue_url : options_.endpoint,
                                 Reach::configured));
    request.target = "/";
    request.timeout = limit;
    request.answer_bytes_max = batch_bytes_max;
    set_json(request, std::move(body), "application/x-amz-json-1.0");
    request.headers.emplace_back("X-Amz-Target", fmt::format("AmazonSQS.{}", operation));
    sign_v4(request, keys, region_, "sqs", clock_.wall());
    HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
    if (answer.status == 200) {
        return answer.body.empty() ? json::Document::parse("{}") : object_in(answer, request.host);
    }
    const auto problem = json::Document::parse(answer.body);
    const auto root = problem ? problem->root() : json::Value();
    const auto said = root.find("message") ? root.find("message") : root.find("Message");
    auto error =
        error_of_answer(answer, request.host, code_in(root.find("__type").text()), said.text());
    if (error.kind == ErrorKind::denied) {
        credentials_->forget();
    }
    return fail(std::move(error));
}

Result<Received> SqsQueue::receive() {
    auto body = begun(options_);
    body.field("MaxNumberOfMessages", batch_max)
        .field("WaitTimeSeconds", wait_seconds)
        .field("VisibilityTimeout", ours_seconds);
    // The old name of the member beside the new one: stand-ins know one of them.
    for (const auto* name : {"AttributeNames", "MessageSystemAttributeNames"}) {
        body.key(name).begin_array().string("SentTimestamp").string("ApproximateReceiveCount");
        body.end_array();
    }
    HELIOS_TRY_ASSIGN(const auto document, call(clients_.waiting, "ReceiveMessage",
                                                body.end_object().take(), poll_limit));
    Received out;
    const auto messages = document.root().find("Messages");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (auto message = message_of(messages.at(i)); !message.handle.empty()) {
            out.messages.push_back(std::move(message));
        }
    }
    out.drained = out.messages.empty();  // fewer than asked for is no sign
    return out;
}

Result<Settled> SqsQueue::settle(std::string_view operation,
                                 const std::vector<std::string>& handles,
                                 std::optional<int> visible_after) {
    Settled out;
    for (std::size_t from = 0; from < handles.size(); from += batch_max) {
        const auto to = std::min(from + batch_max, handles.size());
        auto body = begun(options_);
        body.key("Entries").begin_array();
        for (std::size_t i = from; i < to; ++i) {
            body.begin_object().field("Id", std::string_view(std::to_string(i)));
            body.field("ReceiptHandle", std::string_view(handles[i]));
            if (visible_after) {
                body.field("VisibilityTimeout", *visible_after);
            }
            body.end_object();
        }
        body.end_array();
        HELIOS_TRY_ASSIGN(const auto document, call(clients_.settling, operation,
                                                    body.end_object().take(), settle_limit));
        const auto failed = document.root().find("Failed");
        if (failed.size() != 0 && out.failed == 0) {
            out.why = shown(failed.at(0).find("Code").text()) + " " +
                      shown(failed.at(0).find("Message").text());
        }
        out.failed += failed.size();
        out.done += document.root().find("Successful").size();
    }
    // What it says nothing of was not done.
    out.failed = std::max(out.failed, handles.size() - std::min(out.done, handles.size()));
    return out;
}

Result<Settled> SqsQueue::remove(const std::vector<std::string>& handles) {
    return settle("DeleteMessageBatch", handles, std::nullopt);
}

Result<Settled> SqsQueue::renew(const std::vector<std::string>& handles) {
    return settle("ChangeMessageVisibilityBatch", handles, ours_seconds);
}

Result<Settled> SqsQueue::release(const std::vector<std::string>& handles) {
    return settle("ChangeMessageVisibilityBatch", handles, 0);
}

Result<std::optional<std::uint64_t>> SqsQueue::backlog() {
    auto body = begun(options_);
    body.key("AttributeNames").begin_array().string("ApproximateNumberOfMessages").end_array();
    HELIOS_TRY_ASSIGN(const auto document, call(clients_.waiting, "GetQueueAttributes",
                                                body.end_object().take(), settle_limit));
    const auto number =
        number_in(document.root().find("Attributes").find("ApproximateNumberOfMessages"));
    if (!number || *number < 0) {
        return fail(ErrorKind::corrupt, "the queue does not say how much waits in it");
    }
    return std::optional(static_cast<std::uint64_t>(*number));
}

}  // namespace helios::sources
