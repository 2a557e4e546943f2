#include "adapters/gcp_pubsub.h"

#include <array>

#include "adapters/envelope.h"
#include "base/hash.h"

namespace helios::adapters {

namespace {

constexpr std::array<std::string_view, 4> type_attributes{"eventType", "event_type", "type", "ce-type"};
constexpr std::array<std::string_view, 3> type_members{"eventType", "event_type", "type"};

bool is_push(json::Value body) {
    if (!body.is_object()) {
        return false;
    }
    const auto message = body.find("message");
    if (!message.is_object()) {
        return message.present() && body.find("subscription").is_string();
    }
    return body.find("subscription") || message.find("data") || message.find("attributes") || message.find("messageId") ||
           message.find("message_id");
}

std::string metadata_of(Envelope& outer, Envelope& message) {
    json::Writer out;
    out.begin_object();
    if (const auto attributes = message.find("attributes"); attributes.is_object() && attributes.size() > 0) {
        out.key("attributes").raw(attributes.raw());
    }
    if (const auto key = message.text_of_either("orderingKey", "ordering_key"); !key.empty()) {
        out.field("orderingKey", key);
    }
    if (const auto subscription = outer.text("subscription"); !subscription.empty()) {
        out.field("subscription", subscription);
    }
    return out.end_object().take();
}

/// From the attributes; empty if none names it.
std::string_view type_from_attributes(Envelope& message) {
    const auto value = message.find("attributes");
    if (!value || value.is_null()) {
        return {};
    }
    if (!value.is_object()) {
        message.complain("bad_field", "attributes", "must be an object");
        return {};
    }
    Envelope attributes(value, "message.attributes.");
    std::string_view type;
    for (const auto name : type_attributes) {
        type = attributes.text(name, type_bytes_max);
        if (!type.empty()) {
            type = name == "ce-type" ? short_type(type) : type;
            break;
        }
    }
    if (!attributes.good()) {
        auto rejected = std::move(attributes).rejection({});
        message.complain(rejected.reason, "attributes", rejected.detail);
    }
    return type;
}

/// Decoded and parsed data; absent after a complaint.
json::Value data_of(Envelope& message, std::vector<json::Document>& documents) {
    const auto value = message.find("data");
    if (!value || value.is_null()) {
        message.complain("missing_field", "data", "required, absent: there is no payload");
        return {};
    }
    std::string bytes;
    if (!value.is_string() || !base64_decode(value.text(), bytes)) {
        message.complain("bad_base64", "data", "must be base64");
        return {};
    }
    auto parsed = parse_body(bytes);
    if (!parsed) {
        message.complain("not_json", "data", "decoded: " + parsed.error().what);
        return {};
    }
    const auto root = parsed->document.root();
    if (parsed->deep) {
        message.complain("too_deep", "data", "nested too deep");
        return {};
    }
    if (!root.is_object()) {
        message.complain("not_an_object", "data", "decoded: must be an object, is " + std::string(json::to_string(root.kind())));
        return {};
    }
    documents.push_back(std::move(parsed->document));
    return documents.back().root();
}

Item event_of(json::Value body, std::vector<json::Document>& documents, std::string_view raw) {
    Envelope outer(body);
    const auto subscription = outer.text("subscription");
    const auto inner = outer.required_object("message");
    if (!outer.good()) {
        auto rejected = std::move(outer).rejection(raw);
        rejected.scope = subscription;
        return rejected;
    }
    Envelope message(inner, "message.");
    AdaptedEvent out;
    model::Event& event = out.event;
    event.source = "gcp";
    event.scope = subscription;
    event.id = message.text_of_either("messageId", "message_id", id_bytes_max);
    message.time_of_either("publishTime", "publish_time").put_into(event);
    event.type = type_from_attributes(message);
    event.metadata = metadata_of(outer, message);
    out.payload = data_of(message, documents);
    for (const auto name : type_members) {
        if (event.type.empty()) {
            const auto type = out.payload.find(name);
            event.type = type.is_string() && type.text().size() <= type_bytes_max ? type.text() : std::string_view{};
        }
    }
    if (event.type.empty()) {
        message.complain("missing_field", "attributes.eventType", "no event type in the attributes, nor in the payload");
    }
    return finish(std::move(message), std::move(out), raw);
}

}  // namespace

Adapted adapt_gcp_pubsub(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what, "send a wrapped Pub/Sub push as JSON"}, {}};
    }
    const auto body = parsed->document.root();
    if (!is_push(body)) {
        return {NotThisProtocol{"not a Pub/Sub push",
                                "it has an object `message` with data, attributes and messageId, and `subscription`"},
                {}};
    }
    Adapted adapted;
    std::vector<Item> items;
    items.push_back(parsed->deep ? Item(too_deep_rejection(request.body)) : event_of(body, adapted.documents, request.body));
    adapted.outcome = std::move(items);
    adapted.documents.push_back(std::move(parsed->document));
    return adapted;
}

}  // namespace helios::adapters
