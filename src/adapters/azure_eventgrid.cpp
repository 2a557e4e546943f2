#include "adapters/azure_eventgrid.h"

#include <algorithm>
#include <array>

#include "adapters/envelope.h"

namespace helios::adapters {

namespace {

constexpr std::string_view validation_type = "Microsoft.EventGrid.SubscriptionValidationEvent";
constexpr std::string_view deletion_type = "Microsoft.EventGrid.SubscriptionDeletedEvent";
constexpr std::array<std::string_view, 6> marks{"id",      "eventType", "eventTime",
                                                "subject", "data",      "dataVersion"};

bool is_cloudevent(json::Value element) {
    return element.find("specversion") || element.find("cloudEventsVersion");
}

bool is_recognised(json::Value element) {
    if (!element.is_object()) {
        return false;
    }
    return is_cloudevent(element) || std::count_if(marks.begin(), marks.end(), [&](auto name) {
                                         return element.find(name).present();
                                     }) >= 2;
}

std::string metadata_of(Envelope& envelope) {
    json::Writer out;
    out.begin_object();
    for (const auto name : {"eventType", "topic", "subject", "dataVersion", "metadataVersion"}) {
        if (const auto text = envelope.text(name); !text.empty()) {
            out.field(name, text);
        }
    }
    return out.end_object().take();
}

Item event_of(const TenantId& tenant, json::Value element) {
    const auto raw = element.raw();
    if (!is_recognised(element)) {
        return rejection("not_an_envelope", "not an Event Grid event", raw);
    }
    Envelope envelope(element);
    if (is_cloudevent(element)) {
        envelope.complain("cloudevent", "specversion",
                          "a CloudEvent; this endpoint reads the Event Grid schema");
    }
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    event.source = "azure";
    event.id = envelope.id({"id"});
    event.type = short_type(envelope.required_text({"eventType"}, type_bytes_max));
    event.scope = envelope.text("topic");
    envelope.time("eventTime").put_into(event);
    event.metadata = metadata_of(envelope);
    out.payload = envelope.required_object("data");
    return finish(std::move(envelope), std::move(out), raw);
}

Adapted handshake(json::Value element) {
    const auto code = element.find("data").find("validationCode");
    if (!code.is_string() || code.text().empty() || code.text().size() > id_bytes_max) {
        return {NotThisProtocol{"a subscription validation without a validation code",
                                "data.validationCode is a string"},
                {}};
    }
    json::Writer body;
    body.begin_object().field("validationResponse", code.text()).end_object();
    return {ValidationHandshake{std::string(element.find("topic").text()), body.take()}, {}};
}

Adapted deletion(json::Value element) {
    return {
        SubscriptionDeletion{std::string(element.find("topic").text().substr(0, scope_bytes_max)),
                             std::string(element.find("data")
                                             .find("eventSubscriptionId")
                                             .text()
                                             .substr(0, scope_bytes_max))},
        {}};
}

/// Event Grid talking about the subscription itself: by the header, or by the type of a lone event.
std::optional<Adapted> about_the_subscription(const RawRequest& request, json::Value only) {
    if (only.flaw()) {
        return std::nullopt;  // kept, not acted on
    }
    const std::string* header = request.header ? request.header("aeg-event-type") : nullptr;
    const auto type = only.find("eventType").text();
    if (type == validation_type || (header != nullptr && *header == "SubscriptionValidation")) {
        return handshake(only);
    }
    if (type == deletion_type || (header != nullptr && *header == "SubscriptionDeletion")) {
        return deletion(only);
    }
    return std::nullopt;
}

}  // namespace

Adapted adapt_azure_eventgrid(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what, "send an array of Event Grid events as JSON"},
                {}};
    }
    const auto body = parsed->root();
    if (auto refused = too_many(body.is_array() ? body.size() : 1, request.body.size())) {
        return {*std::move(refused), {}};
    }
    std::vector<json::Value> elements;
    if (body.is_array()) {
        elements.reserve(body.size());
        for (std::size_t i = 0; i < body.size(); ++i) {
            elements.push_back(body.at(i));
        }
    } else if (body.is_object()) {
        elements.push_back(body);
    }
    if (std::none_of(elements.begin(), elements.end(), is_recognised)) {
        return {NotThisProtocol{
                    elements.empty() ? "no events" : "not an array of Event Grid events",
                    "each event has id, eventType, eventTime, subject, data and dataVersion"},
                {}};
    }
    if (elements.size() == 1) {
        if (auto outcome = about_the_subscription(request, elements.front())) {
            return *std::move(outcome);
        }
    }
    std::vector<Item> items;
    items.reserve(elements.size());
    for (const auto element : elements) {
        items.push_back(event_of(request.tenant, element));
    }
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
