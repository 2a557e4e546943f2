#include "adapters/azure_eventgrid.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "adapters/cloudevent_format.h"
#include "adapters/envelope.h"

namespace helios::adapters {

namespace {

constexpr std::string_view validation_type = "Microsoft.EventGrid.SubscriptionValidationEvent";
constexpr std::string_view deletion_type = "Microsoft.EventGrid.SubscriptionDeletedEvent";
constexpr std::size_t validation_url_bytes_max = 8192;
constexpr std::array<std::string_view, 6> marks{"id",      "eventType", "eventTime",
                                                "subject", "data",      "dataVersion"};

const CloudEventsRules& cloudevents_rules() {
    static const CloudEventsRules rules{.otherwise = "azure"};
    return rules;
}

std::ptrdiff_t marks_of(json::Value element) {
    return element.is_object() ? std::ranges::count_if(
                                     marks, [&](auto name) { return element.find(name).present(); })
                               : 0;
}

/// In the format of a draft, which has no `specversion`.
bool is_old_cloudevent(json::Value element) {
    return element.is_object() && element.find("cloudEventsVersion").present();
}

/// How one request is read.
struct Reader {
    const RawRequest& request;
    const AzureRules& rules;
    CloudEventsMode mode;  ///< none, structured or batch
    CloudEventReader cloudevents;

    bool is_custom(json::Value element) const {
        return rules.custom && element.is_object() &&
               marks_of(element) < static_cast<std::ptrdiff_t>(marks.size());
    }
    bool is_recognised(json::Value element) const {
        return mode != CloudEventsMode::none || is_cloudevent(element) ||
               is_old_cloudevent(element) || is_custom(element) || marks_of(element) >= 2;
    }
    Item read(json::Value element) const;
};

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
    Envelope envelope(element);
    if (is_old_cloudevent(element)) {
        envelope.complain("cloudevent", "cloudEventsVersion",
                          "a draft of CloudEvents; 1.0 is what is read here");
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
    return finish(std::move(envelope), std::move(out), element.raw());
}

/// What is at a path of a custom schema; absent if there is nothing, or after a complaint.
json::Value at_path(Envelope& envelope, json::Value element, const model::Path& path) {
    const auto found = model::lookup(element, path);
    if (found.duplicate) {
        envelope.complain("duplicate_key", path.text(),
                          "occurs more than once, so which one is meant cannot be known");
        return {};
    }
    return found.value;
}

std::string_view text_at(Envelope& envelope, json::Value element, const model::Path& path,
                         std::size_t bytes_max, bool numbers) {
    const auto value = at_path(envelope, element, path);
    if (!value || value.is_string() || (numbers && value.is_number())) {
        return envelope.checked(path.text(), value.text(), bytes_max);
    }
    envelope.complain("bad_field", path.text(),
                      fmt::format("must be a string, is {}", json::to_string(value.kind())));
    return {};
}

Item custom_event_of(const TenantId& tenant, json::Value element, const AzureCustom& custom) {
    Envelope envelope{json::Value()};
    envelope.complain_of_flaw("", element);
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    event.source = "azure";
    if (custom.id) {
        event.id = text_at(envelope, element, *custom.id, id_bytes_max, true);
    }
    const auto before = envelope.complaints();
    const auto type = text_at(envelope, element, custom.type, type_bytes_max, false);
    if (type.empty() && envelope.complaints() == before) {
        envelope.complain("missing_field", custom.type.text(), "required, absent");
    }
    event.type = short_type(type);
    if (custom.time) {
        time_in(at_path(envelope, element, *custom.time)).put_into(event);
    }
    json::Writer metadata;
    metadata.begin_object();
    field_if(metadata, "eventType", type);
    event.metadata = metadata.end_object().take();
    out.payload = element;
    if (custom.payload) {
        const auto complaints = envelope.complaints();
        out.payload = at_path(envelope, element, *custom.payload);
        if (envelope.complaints() == complaints && !out.payload.is_object()) {
            envelope.complain(
                out.payload ? "not_an_object" : "missing_field", custom.payload->text(),
                out.payload
                    ? fmt::format("must be an object, is {}", json::to_string(out.payload.kind()))
                    : "required, absent");
        }
    }
    return finish(std::move(envelope), std::move(out), element.raw());
}

Item Reader::read(json::Value element) const {
    if (mode != CloudEventsMode::none || is_cloudevent(element)) {
        return cloudevents.read(element, element.raw());
    }
    if (!is_recognised(element)) {
        return rejection("not_an_envelope", "not an Event Grid event", element.raw());
    }
    return is_custom(element) ? custom_event_of(request.tenant, element, *rules.custom)
                              : event_of(request.tenant, element);
}

Adapted handshake(const RawRequest& request, json::Value element) {
    const auto code = element.find("data").find("validationCode");
    if (!code.is_string() || code.text().empty() || code.text().size() > id_bytes_max) {
        return {not_this_protocol("missing_field", "a subscription validation without its code",
                                  "data.validationCode is a string", request.body),
                {}};
    }
    json::Writer body;
    body.begin_object().field("validationResponse", code.text()).end_object();
    const auto bounded = [](json::Value value, std::size_t bytes_max) {
        const auto text = value.is_string() ? value.text() : std::string_view();
        return std::string(text.size() <= bytes_max ? text : std::string_view());
    };
    ValidationHandshake out;
    out.topic = bounded(element.find("topic"), scope_bytes_max);
    out.response_body = body.take();
    out.event_id = bounded(element.find("id"), id_bytes_max);
    out.url = bounded(element.find("data").find("validationUrl"), validation_url_bytes_max);
    out.raw = element.raw();
    return {std::move(out), {}};
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
    if (only.flaw() || !only.is_object()) {
        return std::nullopt;  // kept, not acted on
    }
    const std::string* header = request.header("aeg-event-type");
    const auto type = only.find(is_cloudevent(only) ? "type" : "eventType").text();
    if (type == validation_type || (header != nullptr && *header == "SubscriptionValidation")) {
        return handshake(request, only);
    }
    if (type == deletion_type || (header != nullptr && *header == "SubscriptionDeletion")) {
        return deletion(only);
    }
    return std::nullopt;
}

std::vector<json::Value> elements_of(json::Value body) {
    std::vector<json::Value> elements;
    if (body.is_array()) {
        elements.reserve(body.size());
        for (std::size_t i = 0; i < body.size(); ++i) {
            elements.push_back(body.at(i));
        }
    } else if (body.is_object()) {
        elements.push_back(body);
    }
    return elements;
}

Adapted refused(const RawRequest& request, std::string_view reason, std::string what) {
    return {not_this_protocol(
                reason, std::move(what),
                "send an array of Event Grid events (id, eventType, eventTime, subject, data and "
                "dataVersion) or CloudEvents, as JSON; a topic with a custom schema needs "
                "sources.azure.custom",
                request.body),
            {}};
}

}  // namespace

Result<AzureCustom> AzureCustom::parse(std::string_view id, std::string_view type,
                                       std::string_view time, std::string_view payload) {
    AzureCustom out;
    const auto read = [](std::string_view text) -> Result<std::optional<model::Path>> {
        if (text.empty()) {
            return std::nullopt;
        }
        HELIOS_TRY_ASSIGN(auto path, model::Path::parse(text));
        if (std::ranges::any_of(path.segments(), &model::Path::Segment::each)) {
            return fail(ErrorKind::invalid, fmt::format("path \"{}\" walks an array", text),
                        "name one value, like data.id");
        }
        return path;
    };
    if (type.empty()) {
        return fail(ErrorKind::invalid, "a custom schema without the path of the type",
                    "name where each event has its type, like kind");
    }
    HELIOS_TRY_ASSIGN(out.id, read(id));
    HELIOS_TRY_ASSIGN(auto type_path, read(type));
    out.type = *std::move(type_path);
    HELIOS_TRY_ASSIGN(out.time, read(time));
    HELIOS_TRY_ASSIGN(out.payload, read(payload));
    return out;
}

Adapted adapt_azure(const RawRequest& request, const AzureRules& rules) {
    const auto mode = cloudevents_mode(request);
    if (mode == CloudEventsMode::binary || mode == CloudEventsMode::unread) {
        return adapt_cloudevents(request, cloudevents_rules());
    }
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return refused(request, "not_json", parsed.error().what);
    }
    const auto body = parsed->root();
    const auto elements = elements_of(body);
    if (auto many = too_many(elements.size(), request.body.size())) {
        return refused(request, "too_many_values", std::move(many->what));
    }
    Adapted adapted;
    const Reader reader{request, rules, mode,
                        CloudEventReader{request.tenant, cloudevents_rules(), adapted.documents}};
    const bool empty_batch = mode == CloudEventsMode::batch && body.is_array() && elements.empty();
    if (!empty_batch && std::ranges::none_of(elements, [&](auto element) {
            return reader.is_recognised(element);
        })) {
        return refused(request, "not_an_envelope",
                       elements.empty() ? "no events" : "not an array of Event Grid events");
    }
    if (elements.size() == 1) {
        if (auto outcome = about_the_subscription(request, elements.front())) {
            outcome->documents.push_back(*std::move(parsed));
            return *std::move(outcome);
        }
    }
    std::vector<Item> items;
    items.reserve(elements.size());
    for (const auto element : elements) {
        items.push_back(reader.read(element));
    }
    adapted.outcome = std::move(items);
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

}  // namespace helios::adapters
