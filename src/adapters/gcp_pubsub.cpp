#include "adapters/gcp_pubsub.h"

#include <algorithm>
#include <array>

#include "adapters/cloudevent_format.h"
#include "adapters/envelope.h"
#include "base/ascii.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "model/path.h"

namespace helios::adapters {

namespace {

constexpr std::array<std::string_view, 3> type_members{"eventType", "event_type", "type"};

const CloudEventsRules& cloudevents_rules() {
    static const CloudEventsRules rules{.otherwise = "gcp"};
    return rules;
}

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

/// Of a message that is a CloudEvent the id too, which is not the event's.
std::string metadata_of(Envelope& outer, Envelope& message, std::string_view message_id = {}) {
    json::Writer out;
    out.begin_object();
    if (const auto attributes = message.find("attributes");
        attributes.is_object() && attributes.size() > 0) {
        out.key("attributes").raw(attributes.raw());
    }
    field_if(out, "orderingKey",
             message.text_of_any({"orderingKey", "ordering_key"}, scope_bytes_max));
    field_if(out, "subscription", outer.text("subscription"));
    field_if(out, "messageId", message_id);
    if (const auto attempt = outer.find("deliveryAttempt");
        attempt.is_number() && attempt.text().size() < 10 &&
        attempt.text().find_first_not_of("0123456789") == std::string_view::npos) {
        out.key("deliveryAttempt").raw(attempt.text());
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

/// An attribute in any case: publishers write Content-Type as they like.
std::string_view attribute_of(json::Value attributes, std::string_view lower_case) {
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        if (attributes.at(i).is_string() && ascii::lower(attributes.key_at(i)) == lower_case) {
            return attributes.at(i).text();
        }
    }
    return {};
}

bool is_binary_cloudevent(json::Value attributes) {
    return std::ranges::all_of(
        std::array<std::string_view, 4>{"ce-id", "ce-source", "ce-specversion", "ce-type"},
        [&](auto name) { return !model::is_absent(attributes.find(name)); });
}

/// The attributes are texts as they are, nothing is encoded.
BinaryCloudEvent binary_of(json::Value attributes, std::string_view content_type,
                           std::string_view data) {
    constexpr std::string_view prefix = "ce-";
    BinaryCloudEvent out;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        const auto name = attributes.key_at(i);
        if (!model::is_absent(attributes.at(i)) && name.starts_with(prefix) && name != "ce-data" &&
            name != "ce-data_base64" && name != "ce-datacontenttype") {
            out.attributes.emplace_back(name.substr(prefix.size()), attributes.at(i).text());
        }
    }
    out.content_type = content_type;
    out.data = data;
    return out;
}

/// What a message of which nothing is wrong has inside, if that is a CloudEvent.
std::optional<Item> cloudevent_in(const TenantId& tenant, Envelope& outer, Envelope& message,
                                  std::vector<json::Document>& documents, std::string_view raw) {
    const auto attributes = message.find("attributes");
    const auto content_type = attribute_of(attributes, "content-type");
    const auto mode = cloudevents_mode(content_type);
    if (mode == CloudEventsMode::none && !is_binary_cloudevent(attributes)) {
        return std::nullopt;
    }
    if (mode == CloudEventsMode::batch || mode == CloudEventsMode::unread) {
        message.complain("cloudevent", "attributes.content-type",
                         "a message has one CloudEvent, as JSON");
        return std::nullopt;
    }
    const auto data = message.decoded("data");
    if (!data) {
        return std::nullopt;
    }
    auto event =
        mode == CloudEventsMode::structured
            ? parse_body(*data)
            : Result<json::Document>(binary_of(attributes, content_type, *data).structured());
    if (!event) {
        message.complain("not_json", "data", "decoded: " + event.error().what);
        return std::nullopt;
    }
    const auto message_id = message.id({"messageId", "message_id"});
    const CloudEventReader reader{tenant,
                                  cloudevents_rules(),
                                  documents,
                                  {"pubsub", metadata_of(outer, message, message_id)}};
    const auto root = event->root();
    documents.push_back(*std::move(event));
    auto item = reader.read(root, raw);
    if (auto* rejected = std::get_if<Rejection>(&item)) {
        if (rejected->event_id.empty()) {
            rejected->event_id = message_id;
        }
        if (rejected->scope.empty()) {
            rejected->scope = outer.text("subscription");
        }
        rejected->source = "gcp";
    }
    return item;
}

Item event_of(const TenantId& tenant, json::Value body, std::vector<json::Document>& documents,
              std::string_view raw, const std::vector<Complaint>& complaints = {}) {
    Envelope outer(body);
    outer.complain(complaints);
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
    const auto before = message.complaints();
    event.type = type_from_attributes(message);
    const bool unreadable = message.complaints() > before;
    event.metadata = metadata_of(outer, message);
    if (outer.good() && message.good()) {
        if (auto item = cloudevent_in(tenant, outer, message, documents, raw)) {
            return *std::move(item);
        }
        if (!message.good()) {  // it is one, and cannot be taken out
            return finish(std::move(message), std::move(out), raw);
        }
    }
    out.payload = message.decoded_object("data", documents);
    if (event.type.empty() && !unreadable) {
        event.type = type_from_payload(message, out.payload);
    }
    if (event.type.empty() && !unreadable) {
        message.complain("missing_field", "attributes.eventType", "required, absent");
    }
    message.take_over(outer);
    return finish(std::move(message), std::move(out), raw);
}

/// The attribute that a header of an unwrapped push is, as it is spelled in a message; empty: it
/// may be anything else of the request, credentials among it.
std::string attribute_named(const Header& header) {
    auto name = ascii::lower(header.first);
    if (name == "eventtype") {
        return "eventType";
    }
    // What HTTP says where nobody said anything is no attribute.
    const bool is_attribute =
        name == "event_type" || name == "type" || name.starts_with("ce-") ||
        (name == "content-type" && media_type_of(header.second) != "application/octet-stream");
    return is_attribute ? std::move(name) : std::string();
}

/// A push without its wrapper in it again. What is said twice stands there twice, and is a
/// complaint, as is text that is none.
std::string wrapped(const RawRequest& request, std::vector<Complaint>& complaints) {
    json::Writer message;
    json::Writer attributes;
    json::Writer around;
    message.begin_object();
    attributes.begin_object();
    around.begin_object();
    const auto put = [&](json::Writer& out, std::string_view name, const std::string& text) {
        if (!utf8::is_valid(text)) {
            complaints.push_back({"bad_text", std::string(name), "invalid UTF-8"});
        }
        out.field(name, std::string_view(text));
    };
    for (const auto& header : request.headers) {
        const auto name = ascii::lower(header.first);
        if (name == "x-goog-pubsub-message-id") {
            put(message, "messageId", header.second);
        } else if (name == "x-goog-pubsub-publish-time") {
            put(message, "publishTime", header.second);
        } else if (name == "x-goog-pubsub-ordering-key") {
            put(message, "orderingKey", header.second);
        } else if (name == "x-goog-pubsub-subscription-name") {
            put(around, "subscription", header.second);
        } else if (const auto attribute = attribute_named(header); !attribute.empty()) {
            put(attributes, attribute, header.second);
        }
    }
    message.field("data", std::string_view(base64_encode(request.body)));
    message.key("attributes").raw(attributes.end_object().view()).end_object();
    return around.key("message").raw(message.view()).end_object().take();
}

Adapted unwrapped(const RawRequest& request) {
    std::vector<Complaint> complaints;
    auto parsed = parse_body(wrapped(request, complaints));
    HELIOS_ASSERT(parsed, "what the writer writes can be read");
    Adapted adapted;
    const auto body = parsed->root();
    adapted.documents.push_back(*std::move(parsed));
    std::vector<Item> items;
    items.push_back(event_of(request.tenant, body, adapted.documents, body.raw(), complaints));
    adapted.outcome = std::move(items);
    return adapted;
}

}  // namespace

Adapted adapt_gcp(const RawRequest& request) {
    if (request.header("x-goog-pubsub-message-id") != nullptr) {
        return unwrapped(request);
    }
    if (cloudevents_mode(request) != CloudEventsMode::none) {
        return adapt_cloudevents(request, cloudevents_rules());
    }
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {not_this_protocol("not_json", parsed.error().what,
                                  "send a wrapped Pub/Sub push as JSON", request.body),
                {}};
    }
    const auto body = parsed->root();
    if (is_cloudevent(body)) {
        return adapt_cloudevent(request.tenant, cloudevents_rules(), *std::move(parsed));
    }
    if (!is_push(body)) {
        return {not_this_protocol("not_an_envelope", "not a Pub/Sub push",
                                  "it has an object `message` with data, attributes and messageId, "
                                  "and `subscription`; without that wrapper (noWrapper) it needs "
                                  "writeMetadata, so that its id is in a header",
                                  request.body),
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
