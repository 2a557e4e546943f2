#include "adapters/aws_eventbridge.h"

#include "adapters/cloudevent_format.h"
#include "adapters/envelope.h"
#include "base/ascii.h"
#include "base/utf8.h"
#include "model/path.h"

namespace helios::adapters {

namespace {

bool is_envelope(json::Value body) {
    return body.is_object() &&
           (body.find("detail-type") || (body.find("detail") && body.find("source")));
}

bool is_sns(json::Value body) {
    return body.is_object() && body.find("Type").is_string() &&
           (body.find("TopicArn") || body.find("MessageId"));
}

const CloudEventsRules& cloudevents_rules() {
    static const CloudEventsRules rules{.otherwise = "aws"};
    return rules;
}

/// What came around the EventBridge envelope; absent when it came by itself.
struct SnsWrapper {
    std::string_view topic_arn;
    std::string_view message_id;
    std::string_view subject;

    std::string json() const {
        json::Writer out;
        out.begin_object();
        field_if(out, "topicArn", topic_arn);
        field_if(out, "messageId", message_id);
        field_if(out, "subject", subject);
        return out.end_object().take();
    }
};

std::string metadata_of(Envelope& envelope, const SnsWrapper* sns) {
    json::Writer out;
    out.begin_object();
    field_if(out, "source", envelope.text("source"));
    field_if(out, "account", envelope.text("account"));
    field_if(out, "region", envelope.text("region"));
    if (const auto resources = envelope.find("resources");
        resources.is_array() && resources.size() > 0) {
        out.key("resources").raw(resources.raw());
    }
    field_if(out, "replayName", envelope.text("replay-name"));
    if (sns != nullptr) {
        out.key("sns").raw(sns->json());
    }
    return out.end_object().take();
}

Item event_of(const TenantId& tenant, json::Value body, const SnsWrapper* sns,
              std::string_view raw) {
    Envelope envelope(body);
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    event.source = "aws";
    event.type = envelope.required_text({"detail-type"}, type_bytes_max);
    event.id = envelope.id({"id"});
    const auto account = envelope.text("account", 256);
    const auto region = envelope.text("region", 256);
    if (!account.empty() || !region.empty()) {
        event.scope.append(account).append("/").append(region);
    }
    envelope.time("time").put_into(event);
    out.payload = envelope.required_object("detail");
    event.metadata = metadata_of(envelope, sns);
    return finish(std::move(envelope), std::move(out), raw);
}

Adapted items_of(Item item) {
    std::vector<Item> items;
    items.push_back(std::move(item));
    return Adapted{std::move(items), {}};
}

/// A rejection of the wrapper itself: what is known is the message's id and its topic.
Item wrapped(Rejection rejected, const SnsWrapper& sns) {
    if (rejected.event_id.empty()) {
        rejected.event_id = sns.message_id;
    }
    if (rejected.scope.empty()) {
        rejected.scope = sns.topic_arn;
    }
    return rejected;
}

/// A detail whose envelope was left behind on the way. `bytes`: known to be an object.
Item detail_alone(const RawRequest& request, std::string_view bytes, const AwsRules& rules,
                  const SnsWrapper* sns, std::vector<json::Document>& documents) {
    Envelope envelope{json::Value()};
    AdaptedEvent out(request.tenant);
    out.event.source = "aws";
    out.event.type = envelope.checked("detail_only", rules.detail_only, type_bytes_max);
    out.event.metadata = metadata_of(envelope, sns);
    out.payload = envelope.object_in(bytes, "detail", documents);
    return finish(std::move(envelope), std::move(out), request.body);
}

/// What SNS brought, in its envelope or without.
Item message_of(const RawRequest& request, const AwsRules& rules, std::string_view message,
                const SnsWrapper& sns, std::vector<json::Document>& documents) {
    const auto raw = request.body;
    auto parsed = parse_body(message);
    if (!parsed) {
        return wrapped(rejection("not_json", "Message: " + parsed.error().what, raw), sns);
    }
    const auto root = parsed->root();
    const bool cloudevent = is_cloudevent(root);
    const bool envelope = !cloudevent && is_envelope(root);
    if (root.is_object() && !cloudevent && !envelope && !rules.detail_only.empty()) {
        return detail_alone(request, message, rules, &sns, documents);
    }
    documents.push_back(*std::move(parsed));
    if (cloudevent) {
        const CloudEventReader reader{
            request.tenant, cloudevents_rules(), documents, {"sns", sns.json()}};
        auto item = reader.read(root, raw);
        auto* rejected = std::get_if<Rejection>(&item);
        return rejected == nullptr ? std::move(item) : wrapped(std::move(*rejected), sns);
    }
    if (envelope) {
        return event_of(request.tenant, root, &sns, raw);
    }
    return wrapped(rejection("not_an_envelope",
                             "Message: neither an EventBridge envelope nor a CloudEvent", raw),
                   sns);
}

Adapted message_alone(const RawRequest& request, const AwsRules& rules, std::string_view message,
                      const SnsWrapper& sns) {
    std::vector<json::Document> documents;
    auto adapted = items_of(message_of(request, rules, message, sns, documents));
    adapted.documents = std::move(documents);
    return adapted;
}

Adapted notification(const RawRequest& request, const AwsRules& rules, Envelope envelope) {
    const auto raw = request.body;
    SnsWrapper sns;
    sns.topic_arn = envelope.text("TopicArn");
    sns.message_id = envelope.text("MessageId", id_bytes_max);
    sns.subject = envelope.text("Subject");
    const auto message = envelope.find("Message");
    if (model::is_absent(message)) {
        envelope.complain("missing_field", "Message", "required, absent");
    } else if (!message.is_string()) {
        envelope.complain("bad_field", "Message", "must be a string");
    }
    if (!envelope.good()) {
        return items_of(wrapped(std::move(envelope).rejection(raw), sns));
    }
    return message_alone(request, rules, message.text(), sns);
}

Adapted confirmation(Envelope envelope, std::string_view type, std::string_view raw) {
    SnsConfirmation out;
    out.type = type;
    out.topic_arn = envelope.required_text({"TopicArn"}, scope_bytes_max);
    out.message_id = envelope.required_text({"MessageId"}, id_bytes_max);
    out.subscribe_url = envelope.required_text({"SubscribeURL"}, 8192);
    out.raw = raw;
    if (!envelope.good()) {
        return items_of(
            wrapped(std::move(envelope).rejection(raw), {out.topic_arn, out.message_id, {}}));
    }
    return Adapted{std::move(out), {}};
}

Adapted sns_of(const RawRequest& request, const AwsRules& rules, json::Value body) {
    const auto raw = request.body;
    Envelope envelope(body);
    const auto type = body.find("Type").text();
    if (type == "Notification") {
        return notification(request, rules, std::move(envelope));
    }
    if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
        return confirmation(std::move(envelope), type, raw);
    }
    const SnsWrapper sns{envelope.text("TopicArn"), envelope.text("MessageId", id_bytes_max), {}};
    envelope.complain("bad_field", "Type", "not one that SNS sends");
    return items_of(wrapped(std::move(envelope).rejection(raw), sns));
}

bool is_raw_delivery(const RawRequest& request) {
    const auto* header = request.header("x-amz-sns-rawdelivery");
    return header != nullptr && ascii::lower(*header) == "true";
}

/// The message without its envelope: what is known of it is in headers.
Adapted raw_delivery(const RawRequest& request, const AwsRules& rules) {
    const auto header = [&](std::string_view name, std::size_t bytes_max) {
        const auto* value = request.header(name);
        return value == nullptr || value->size() > bytes_max || !utf8::is_valid(*value)
                   ? std::string_view()
                   : std::string_view(*value);
    };
    if (request.body.empty()) {
        return {not_this_protocol("not_json", "a message of SNS without content",
                                  "publish an EventBridge event", request.body),
                {}};
    }
    return message_alone(request, rules, request.body,
                         {header("x-amz-sns-topic-arn", scope_bytes_max),
                          header("x-amz-sns-message-id", id_bytes_max),
                          {}});
}

/// An object that is no envelope.
Adapted object_alone(const RawRequest& request, const AwsRules& rules, json::Document&& document) {
    if (!rules.detail_only.empty()) {
        std::vector<json::Document> documents;
        auto adapted = items_of(detail_alone(request, request.body, rules, nullptr, documents));
        adapted.documents = std::move(documents);
        return adapted;
    }
    auto refused = not_this_protocol(
        "detail_alone", "an object that is no EventBridge event: perhaps the detail of one",
        "an EventBridge event has detail-type, source, id, time and detail: take the input "
        "transformer (or input path) off the target, or set sources.aws.detail_only to the "
        "type of such events",
        request.body);
    refused.kept->source = "aws";
    refused.kept->payload = document.root();
    Adapted adapted{std::move(refused), {}};
    adapted.documents.push_back(std::move(document));
    return adapted;
}

}  // namespace

Adapted adapt_signed_sns(const RawRequest& request, const AwsRules& rules) {
    auto parsed = parse_body(request.body);
    if (!parsed || !is_sns(parsed->root())) {
        return {not_this_protocol("not_an_envelope", "not a message of SNS",
                                  "its body is the JSON that SNS sends", request.body),
                {}};
    }
    auto adapted = sns_of(request, rules, parsed->root());
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

Adapted adapt_aws(const RawRequest& request, const AwsRules& rules) {
    if (is_raw_delivery(request)) {
        return raw_delivery(request, rules);
    }
    if (cloudevents_mode(request) != CloudEventsMode::none) {
        return adapt_cloudevents(request, cloudevents_rules());
    }
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {not_this_protocol("not_json", parsed.error().what,
                                  "send an EventBridge event, or one wrapped by SNS, as JSON",
                                  request.body),
                {}};
    }
    const auto body = parsed->root();
    if (!body.is_object()) {
        return {
            not_this_protocol("not_an_envelope", "not an EventBridge event, nor one wrapped by SNS",
                              "an EventBridge event has detail-type, source, id, time and detail",
                              request.body),
            {}};
    }
    if (is_cloudevent(body)) {
        return adapt_cloudevent(request.tenant, cloudevents_rules(), *std::move(parsed));
    }
    const bool sns = is_sns(body);
    if (!sns && !is_envelope(body)) {
        return object_alone(request, rules, *std::move(parsed));
    }
    auto adapted = sns ? sns_of(request, rules, body)
                       : items_of(event_of(request.tenant, body, nullptr, request.body));
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
