#include "adapters/event_line.h"

#include "adapters/envelope.h"

namespace helios::adapters {

namespace {

/// `received_at` and `position` are read only where the caller has room for them.
Item event_of(json::Value line, EventLine* offline = nullptr) {
    const auto raw = line.raw();
    if (!line.is_object()) {
        return rejection("not_an_object", "an event line must be an object, is " + std::string(json::to_string(line.kind())),
                         raw);
    }
    Envelope envelope(line);
    AdaptedEvent out;
    model::Event& event = out.event;
    event.source = envelope.required_text("source", type_bytes_max);
    event.type =
        envelope.required_text(envelope.has("type") && !envelope.has("eventType") ? "type" : "eventType", type_bytes_max);
    event.id = envelope.text_or_number("id", id_bytes_max);
    envelope.time("time").put_into(event);
    out.payload = envelope.required_object("payload");
    if (const auto metadata = envelope.find("metadata"); metadata.is_object()) {
        event.metadata = metadata.raw();
    } else if (metadata && !metadata.is_null()) {
        envelope.complain("not_an_object", "metadata", "must be an object, is " + std::string(json::to_string(metadata.kind())));
    }
    if (offline != nullptr) {
        offline->received_at = envelope.own_time("receivedAt");
        offline->position = envelope.text("position");
    }
    return finish(std::move(envelope), std::move(out), raw);
}

Item event_of(json::Value line, bool deep) {
    return deep && too_deep(line) ? Item(too_deep_rejection(line.raw())) : event_of(line);
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

NotThisProtocol not_an_event(std::string what) {
    return {std::move(what), "an event is an object with source, eventType and payload"};
}

}  // namespace

Adapted adapt_event_line(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {not_an_event(parsed.error().what), {}};
    }
    const auto body = parsed->document.root();
    if (!body.is_object()) {
        return {not_an_event("the body must be an object, is " + std::string(json::to_string(body.kind()))), {}};
    }
    std::vector<Item> items;
    items.push_back(event_of(body, parsed->deep));
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(std::move(parsed->document));
    return adapted;
}

Adapted adapt_event_array(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what,
                                "send an array of events; for one event per line use the content type application/x-ndjson"},
                {}};
    }
    const auto body = parsed->document.root();
    std::vector<Item> items;
    if (body.is_object()) {
        items.push_back(event_of(body, parsed->deep));
    } else if (body.is_array()) {
        items.reserve(body.size());
        for (std::size_t i = 0; i < body.size(); ++i) {
            items.push_back(event_of(body.at(i), parsed->deep));
        }
    } else {
        return {not_an_event("the body must be an array, is " + std::string(json::to_string(body.kind()))), {}};
    }
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(std::move(parsed->document));
    return adapted;
}

Adapted adapt_event_lines(const RawRequest& request) {
    Adapted adapted;
    std::vector<Item> items;
    bool any_object = false;
    std::string first_error;
    for (std::string_view rest = request.body; !rest.empty();) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (is_blank(line)) {
            continue;
        }
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        auto parsed = parse_body(line);
        if (!parsed) {
            first_error = first_error.empty() ? parsed.error().what : first_error;
            items.push_back(rejection("not_json", parsed.error().what, line));
            continue;
        }
        any_object = any_object || parsed->document.root().is_object();
        items.push_back(event_of(parsed->document.root(), parsed->deep));
        adapted.documents.push_back(std::move(parsed->document));
    }
    if (!items.empty() && !any_object) {
        return {not_an_event(first_error.empty() ? "no line is an object" : "no line is a JSON object: " + first_error), {}};
    }
    adapted.outcome = std::move(items);
    return adapted;
}

OfflineLine parse_offline_line(std::string_view line) {
    auto parsed = parse_body(line);
    if (!parsed) {
        return {EventLine{rejection("not_json", parsed.error().what, line), {}, {}}, {}};
    }
    const auto root = parsed->document.root();
    if (parsed->deep && too_deep(root)) {
        return {EventLine{too_deep_rejection(line), {}, {}}, {}};
    }
    if (const auto control = root.find("control"); control.is_string() && !root.find("payload")) {
        return {ControlLine{std::string(control.text()), root}, std::move(parsed->document)};
    }
    EventLine out;
    out.item = event_of(root, &out);
    return {std::move(out), std::move(parsed->document)};
}

}  // namespace helios::adapters
