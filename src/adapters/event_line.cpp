#include "adapters/event_line.h"

#include "adapters/envelope.h"

namespace helios::adapters {

namespace {

/// `received_at` and `position` are read only where the caller has room for them: online they are
/// unknown members.
Item event_of(const TenantId& tenant, json::Value line, EventLine* offline = nullptr) {
    const auto raw = line.raw();
    if (!line.is_object()) {
        return rejection(
            "not_an_object",
            "an event line must be an object, is " + std::string(json::to_string(line.kind())),
            raw);
    }
    Envelope envelope(line);
    AdaptedEvent out(tenant);
    model::Event& event = out.event;
    event.source = envelope.required_text({"source"}, type_bytes_max);
    event.type = envelope.required_text({"eventType", "type"}, type_bytes_max);
    event.id = envelope.id({"id"});
    envelope.time("time").put_into(event);
    out.payload = envelope.required_object("payload");
    if (const auto metadata = envelope.object("metadata")) {
        event.metadata = metadata.raw();
    }
    if (offline != nullptr) {
        offline->received_at = envelope.own_time("receivedAt");
        offline->position = line.find("position").text();
    }
    return finish(std::move(envelope), std::move(out), raw);
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// Takes the next line off `rest`, without its end (LF or CR LF).
std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

std::size_t count_lines(std::string_view rest) {
    std::size_t lines = 0;
    while (!rest.empty()) {
        lines += is_blank(next_line(rest)) ? 0 : 1;
    }
    return lines;
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
    const auto body = parsed->root();
    if (!body.is_object()) {
        return {not_an_event("the body must be an object, is " +
                             std::string(json::to_string(body.kind()))),
                {}};
    }
    std::vector<Item> items;
    items.push_back(event_of(request.tenant, body));
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

Adapted adapt_event_array(const RawRequest& request) {
    auto parsed = parse_body(request.body);
    if (!parsed) {
        return {NotThisProtocol{parsed.error().what,
                                "send an array of events; for one event per line use the content "
                                "type application/x-ndjson"},
                {}};
    }
    const auto body = parsed->root();
    std::vector<Item> items;
    if (body.is_object()) {
        items.push_back(event_of(request.tenant, body));
    } else if (body.is_array()) {
        if (auto refused = too_many(body.size(), request.body.size())) {
            return {*std::move(refused), {}};
        }
        items.reserve(body.size());
        for (std::size_t i = 0; i < body.size(); ++i) {
            items.push_back(event_of(request.tenant, body.at(i)));
        }
    } else {
        return {not_an_event("the body must be an array, is " +
                             std::string(json::to_string(body.kind()))),
                {}};
    }
    Adapted adapted{std::move(items), {}};
    adapted.documents.push_back(*std::move(parsed));
    return adapted;
}

Adapted adapt_event_lines(const RawRequest& request) {
    Adapted adapted;
    std::vector<Item> items;
    bool any_object = false;
    std::string first_error;
    if (auto refused = too_many(count_lines(request.body), request.body.size())) {
        return {*std::move(refused), {}};
    }
    for (std::string_view rest = request.body; !rest.empty();) {
        const auto line = next_line(rest);
        if (is_blank(line)) {
            continue;
        }
        auto parsed = parse_body(line);
        if (!parsed) {
            first_error = first_error.empty() ? parsed.error().what : first_error;
            items.push_back(rejection("not_json", parsed.error().what, line));
            continue;
        }
        any_object = any_object || parsed->root().is_object();
        items.push_back(event_of(request.tenant, parsed->root()));
        adapted.documents.push_back(*std::move(parsed));
    }
    if (!items.empty() && !any_object) {
        return {not_an_event(first_error.empty() ? "no line is an object"
                                                 : "no line is a JSON object: " + first_error),
                {}};
    }
    adapted.outcome = std::move(items);
    return adapted;
}

OfflineLine parse_offline_line(std::string_view line) {
    auto parsed = parse_body(line);
    if (!parsed) {
        return {EventLine{rejection("not_json", parsed.error().what, line), {}, {}}, {}};
    }
    const auto root = parsed->root();
    if (const auto control = root.find("control"); control.is_string() && !root.find("payload")) {
        return {ControlLine{std::string(control.text()), root}, *std::move(parsed)};
    }
    OfflineLine whole;
    auto& out = whole.content.emplace<EventLine>();
    const auto named = root.find("tenant");
    const auto tenant = named ? TenantId::parse(named.is_string() ? named.text() : named.raw())
                              : Result<TenantId>(default_tenant());
    if (!tenant) {
        out.item = rejection("bad_field", "tenant: " + tenant.error().what, line);
    } else {
        out.item = event_of(*tenant, root, &out);
    }
    whole.document = *std::move(parsed);
    return whole;
}

}  // namespace helios::adapters
