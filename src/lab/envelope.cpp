#include "lab/envelope.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/json.h"

namespace helios::lab {
namespace {

constexpr std::string_view account =
    "012345678901";  // the leading zero is meant: account ids are text
constexpr std::string_view region = "eu-west-1";
constexpr std::string_view sns_topic = "arn:aws:sns:eu-west-1:012345678901:shop-orders";
constexpr std::string_view subscription = "projects/contoso-payments/subscriptions/helios-push";
constexpr std::string_view grid_topic =
    "/subscriptions/5b0f3b5c-5f0e-4a51-9c2b-0f4e9c0c1d11/resourceGroups/shop/providers/"
    "Microsoft.EventGrid/topics/inventory";

std::string seconds_only(Instant t) {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(t)).substr(0, 19) + "Z";
}

http::Headers json_headers(std::string_view user_agent) {
    return {{"Content-Type", "application/json; charset=utf-8"},
            {"User-Agent", std::string(user_agent)}};
}

}  // namespace

std::string_view to_string(Cloud cloud) {
    switch (cloud) {
        case Cloud::aws:
            return "aws";
        case Cloud::gcp:
            return "gcp";
        case Cloud::azure:
            return "azure";
    }
    return "?";
}

Cloud cloud_of(Leg leg) {
    switch (leg) {
        case Leg::order:
            return Cloud::aws;
        case Leg::payment:
            return Cloud::gcp;
        case Leg::inventory:
            return Cloud::azure;
    }
    return Cloud::aws;
}

std::string eventbridge_envelope(const Fact& fact) {
    json::Writer w;
    w.begin_object()
        .field("version", "0")
        .field("id", fact.event_id)
        .field("detail-type", event_type_of(fact.leg));
    w.field("source", "contoso.shop")
        .field("account", account)
        .field("time", seconds_only(fact.at))
        .field("region", region);
    w.key("resources").begin_array();
    w.string(fmt::format("arn:aws:dynamodb:{}:{}:table/orders/{}", region, account, fact.order_id));
    w.end_array().key("detail").raw(fact.payload).end_object();
    return w.take();
}

std::string sns_notification(const Fact& fact) {
    json::Writer w;
    w.begin_object()
        .field("Type", "Notification")
        .field("MessageId", make_uuid(0, "sns/" + fact.event_id));
    w.field("TopicArn", sns_topic)
        .field("Message", eventbridge_envelope(fact))
        .field("Timestamp", format_rfc3339(fact.at));
    w.field("SignatureVersion", "1")
        .field("Signature", base64_encode("a signature of the laboratory, of nobody else"));
    w.field("SigningCertURL",
            "https://sns.eu-west-1.amazonaws.com/"
            "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem");
    w.field("UnsubscribeURL",
            fmt::format(
                "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={}:helios",
                sns_topic));
    w.end_object();
    return w.take();
}

std::string pubsub_push(const Fact& fact, Wrapping wrapping) {
    std::string published = format_rfc3339(fact.at);
    json::Writer w;
    w.begin_object().key("message").begin_object();
    w.key("attributes")
        .begin_object()
        .field("eventType", event_type_of(fact.leg))
        .field("origin", "payments-api")
        .end_object();
    w.field("data", base64_encode(fact.payload));
    if (wrapping != Wrapping::snake_id_only) {
        w.field("messageId", fact.event_id);
    }
    if (wrapping != Wrapping::camel_id_only) {
        w.field("message_id", fact.event_id);
    }
    if (wrapping != Wrapping::snake_id_only) {
        w.field("publishTime", published);
    }
    if (wrapping != Wrapping::camel_id_only) {
        w.field("publish_time", published);
    }
    w.end_object().field("subscription", subscription).end_object();
    return w.take();
}

std::string eventgrid_event(const Fact& fact) {
    json::Writer w;
    w.begin_object()
        .field("id", fact.event_id)
        .field("topic", grid_topic)
        .field("subject", "inventory/orders/" + fact.order_id);
    w.field("eventType", fmt::format("Contoso.Shop.{}", event_type_of(fact.leg)))
        .field("eventTime", format_rfc3339(fact.at));
    w.key("data")
        .raw(fact.payload)
        .field("dataVersion", "1.0")
        .field("metadataVersion", "1")
        .end_object();
    return w.take();
}

Delivery deliver(const Fact& fact, Wrapping wrapping) {
    switch (cloud_of(fact.leg)) {
        case Cloud::aws:
            if (wrapping == Wrapping::sns) {
                // SNS says text/plain although the body is JSON.
                return {"/api/v1/webhooks/aws/eventbridge",
                        {{"Content-Type", "text/plain; charset=UTF-8"},
                         {"User-Agent", "Amazon Simple Notification Service Agent"},
                         {"x-amz-sns-message-type", "Notification"},
                         {"x-amz-sns-message-id", make_uuid(0, "sns/" + fact.event_id)},
                         {"x-amz-sns-topic-arn", std::string(sns_topic)}},
                        sns_notification(fact)};
            }
            return {"/api/v1/webhooks/aws/eventbridge",
                    json_headers("Amazon/EventBridge/ApiDestinations"), eventbridge_envelope(fact)};
        case Cloud::gcp:
            return {
                "/api/v1/webhooks/gcp/pubsub",
                json_headers(
                    "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"),
                pubsub_push(fact, wrapping)};
        case Cloud::azure:
            return deliver_batch({&fact});
    }
    HELIOS_ASSERT(false, "a leg belongs to one of three clouds");
    return {};
}

Delivery deliver_batch(const std::vector<const Fact*>& facts) {
    std::string body = "[";
    for (const Fact* fact : facts) {
        HELIOS_ASSERT(cloud_of(fact->leg) == Cloud::azure, "only Event Grid delivers arrays");
        if (body.size() > 1) {
            body += ',';
        }
        body += eventgrid_event(*fact);
    }
    body += ']';
    http::Headers headers = json_headers("Microsoft-EventGrid");
    headers.emplace_back("aeg-event-type", "Notification");
    headers.emplace_back("aeg-subscription-name", "HELIOS");
    headers.emplace_back("aeg-delivery-count", "0");
    headers.emplace_back("aeg-data-version", "1.0");
    headers.emplace_back("aeg-metadata-version", "1");
    return {"/api/v1/webhooks/azure/eventgrid", std::move(headers), std::move(body)};
}

}  // namespace helios::lab
