#include "adapters/aws_eventbridge.h"

#include "adapters/envelope.h"
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

/// What came around the EventBridge envelope; absent when it came by itself.
struct SnsWrapper {
    std::string_view topic_arn;
    std::string_view message_id;
    std::string_view subject;
};

void field_if(json::Writer& out, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        out.field(name, text);
    }
}

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
        out.key("sns").begin_object();
        field_if(out, "topicArn", sns->topic_arn);
        field_if(out, "messageId", sns->message_id);
        field_if(out, "subject", sns->subject);
        out.end_object();
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

Adapted notification(const TenantId& tenant, Envelope envelope, std::string_view raw) {
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
    auto inner = parse_body(message.text());
    if (!inner) {
        return items_of(wrapped(rejection("not_json", "Message: " + inner.error().what, raw), sns));
    }
    if (!is_envelope(inner->root())) {
        return items_of(wrapped(
            rejection("not_an_envelope", "Message: not an EventBridge envelope", raw), sns));
    }
    auto adapted = items_of(event_of(tenant, inner->root(), &sns, raw));
    adapted.documents.push_back(*std::move(inner));
    return adapted;
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

Adapted sns_of(const TenantId& tenant, json::Value body, std::string_view raw) {
    Envelope envelope(body);
    const auto type = body.find("Type").text();
    if (type == "Notification") {
        return notification(tenant, std::move(envelope), raw);
    }
    if (type == "SubscriptionConfirmation" || type == "UnsubscribeConfirmation") {
        return confirmation(std::move(envelope), type, raw);
    }
    const SnsWrapper sns{envelope.text("TopicArn"), envelope.text("MessageId", id_bytes_max), {}};
    envelope.complain("bad_field", "Type", "not one that SNS sends");
    return items_of(wrapped(std::move(envelope).rejection(raw), sns));
}

}  // namespace

Adapted adapt_aws_eventbridge(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what,
                                "send an EventBridge event, or one wrapped by SNS, as JSON"},
                {}};
    }
    const auto body = parsed->root();
    Adapted adapted;
    if (is_sns(body)) {
        adapted = sns_of(request.tenant, body, request.body);
    } else if (is_envelope(body)) {
        adapted = items_of(event_of(request.tenant, body, nullptr, request.body));
    } else {
        return {
            NotThisProtocol{"not an EventBridge event, nor one wrapped by SNS",
                            "an EventBridge event has detail-type, source, id, time and detail"},
            {}};
    }
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
