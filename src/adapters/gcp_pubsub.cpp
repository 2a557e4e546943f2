#include "adapters/gcp_pubsub.h"

#include <array>

#include "adapters/envelope.h"
#include "base/hash.h"
#include "model/path.h"

namespace helios::adapters {

namespace {

constexpr std::array<std::string_view, 3> type_members{"eventType", "event_type", "type"};

bool is_push(json::Value body) {
    if (!body.is_object()) {
        return false;
    }
    const auto message = body.find("message");
    if (!message.is_object()) {
        return message.present() && body.find("subscription").is_string();
    }
    return body.find("subscription") || message.find("data") || message.find("attributes") ||
           message.find("messageId") || message.find("message_id");
}

std::string metadata_of(Envelope& outer, Envelope& message) {
    json::Writer out;
    out.begin_object();
    if (const auto attributes = message.find("attributes");
        attributes.is_object() && attributes.size() > 0) {
        out.key("attributes").raw(attributes.raw());
    }
    if (const auto key = message.text_of_any({"orderingKey", "ordering_key"}, scope_bytes_max);
        !key.empty()) {
        out.field("orderingKey", key);
    }
    if (const auto subscription = outer.text("subscription"); !subscription.empty()) {
        out.field("subscription", subscription);
    }
    return out.end_object().take();
}

/// From the attributes; empty if none names it. Where several do, they must agree; ce-type is a
/// qualified name of the same.
std::string_view type_from_attributes(Envelope& message) {
    const auto value = message.object("attributes");
    if (!value) {
        return {};
    }
    Envelope attributes(value, "message.attributes.");
    auto type = attributes.text_of_any({"eventType", "event_type", "type"}, type_bytes_max);
    const auto qualified = attributes.text("ce-type", type_bytes_max);
    if (!type.empty() && !qualified.empty() && type != qualified && type != short_type(qualified)) {
        attributes.complain("ambiguous_field", "ce-type",
                            "differs from the other attributes that name the type");
    }
    if (type.empty()) {
        type = short_type(qualified);
    }
    message.take_over(attributes);
    return type;
}

/// From the payload, which has members of its own: the first spelling that is there names the type,
/// whatever the others mean.
std::string_view type_from_payload(Envelope& message, json::Value payload) {
    for (const auto name : type_members) {
        const auto value = payload.find(name);
        if (!value.is_string() || value.text().empty()) {
            continue;
        }
        const auto place = "data." + std::string(name);
        if (payload.has_duplicate(name)) {
            message.complain("duplicate_key", place,
                             "occurs more than once, so which one is meant cannot be known");
        }
        return message.checked(place, value.text(), type_bytes_max);
    }
    return {};
}

/// Decoded and parsed data; absent after a complaint.
json::Value data_of(Envelope& message, std::vector<json::Document>& documents) {
    const auto value = message.find("data");
    if (model::is_absent(value)) {
        message.complain("missing_field", "data", "required, absent");
        return {};
    }
    std::string bytes;
    if (!value.is_string() || !base64_decode(value.text(), bytes)) {
        message.complain("bad_base64", "data", "must be base64");
        return {};
    }
    auto parsed = parse_body(bytes, 1);
    if (!parsed) {
        message.complain("not_json", "data", "decoded: " + parsed.error().what);
        return {};
    }
    const auto root = parsed->root();
    if (model::is_absent(root)) {
        message.complain("missing_field", "data", "required, absent");
        return {};
    }
    if (!root.is_object()) {
        message.complain(
            "not_an_object", "data",
            "decoded: must be an object, is " + std::string(json::to_string(root.kind())));
        return {};
    }
    message.complain_of_flaw("data", root);
    documents.push_back(*std::move(parsed));
    return documents.back().root();
}

Item event_of(const TenantId& tenant, json::Value body, std::vector<json::Document>& documents,
              std::string_view raw) {
    Envelope outer(body);
    const auto subscription = outer.text("subscription");
    const auto inner = outer.required_object("message");
    if (!inner) {
        auto rejected = std::move(outer).rejection(raw);
        rejected.scope = subscription;
        return rejected;
    }
    Envelope message(inner, "message.");
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    event.source = "gcp";
    event.scope = subscription;
    event.id = message.id({"messageId", "message_id"});
    message.time_of_either("publishTime", "publish_time").put_into(event);
    const auto complaints = message.complaints();
    event.type = type_from_attributes(message);
    const bool unreadable = message.complaints() > complaints;
    event.metadata = metadata_of(outer, message);
    out.payload = data_of(message, documents);
    if (event.type.empty() && !unreadable) {
        event.type = type_from_payload(message, out.payload);
    }
    if (event.type.empty() && !unreadable) {
        message.complain("missing_field", "attributes.eventType", "required, absent");
    }
    message.take_over(outer);
    return finish(std::move(message), std::move(out), raw);
}

}  // namespace

Adapted adapt_gcp_pubsub(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what, "send a wrapped Pub/Sub push as JSON"}, {}};
    }
    const auto body = parsed->root();
    if (!is_push(body)) {
        return {NotThisProtocol{"not a Pub/Sub push",
                                "it has an object `message` with data, attributes and messageId, "
                                "and `subscription`"},
                {}};
    }
    Adapted adapted;
    std::vector<Item> items;
    items.push_back(event_of(request.tenant, body, adapted.documents, request.body));
    adapted.outcome = std::move(items);
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
