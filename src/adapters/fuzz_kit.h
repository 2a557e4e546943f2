#pragma once
/// What must hold of every adapter's outcome, whatever the bytes.

#include <algorithm>
#include <string_view>

#include "adapters/adapter.h"
#include "base/assert.h"
#include "base/json.h"
#include "model/quarantined.h"

namespace helios::adapters {

inline void check_item(const Item& item) {
    if (const auto* event = std::get_if<AdaptedEvent>(&item)) {
        HELIOS_ASSERT(
            !event->event.source.empty() && !event->event.type.empty() && !event->event.id.empty(),
            "an event has source, type and id");
        HELIOS_ASSERT(event->payload.is_object() && event->payload.raw() == event->event.payload,
                      "the view is of the payload");
        const auto payload = json::Document::parse(event->event.payload);
        HELIOS_ASSERT(payload && payload->root().is_object(), "the payload can be read again");
        const auto metadata = json::Document::parse(event->event.metadata);
        HELIOS_ASSERT(metadata && metadata->root().is_object(), "the metadata is an object");
        HELIOS_ASSERT(!event->raw.empty(), "the item's bytes are known");
    } else {
        const auto& rejection = std::get<Rejection>(item);
        HELIOS_ASSERT(!rejection.reason.empty() && !rejection.detail.empty() &&
                          !rejection.errors.empty() && !rejection.raw.empty(),
                      "a rejection says why, of what");
        HELIOS_ASSERT(std::ranges::count(model::quarantine_reasons, rejection.reason) == 1,
                      "its reason is one that the list of the quarantine can be asked for");
    }
}

template <class Adapt>
void check_adapted(const Adapt& adapt, const RawRequest& request) {
    const Adapted adapted = adapt(request);
    if (const auto* items = std::get_if<std::vector<Item>>(&adapted.outcome)) {
        for (const auto& item : *items) {
            check_item(item);
        }
    } else if (const auto* refused = std::get_if<NotThisProtocol>(&adapted.outcome)) {
        HELIOS_ASSERT(!refused->what.empty() && !refused->hint.empty(),
                      "a refusal says why and what to do");
        HELIOS_ASSERT(!refused->kept ||
                          std::ranges::count(model::quarantine_reasons, refused->kept->reason) == 1,
                      "what may be kept of it has a reason of the list");
    } else if (const auto* handshake = std::get_if<ValidationHandshake>(&adapted.outcome)) {
        HELIOS_ASSERT(json::Document::parse(handshake->response_body).has_value(),
                      "the answer is JSON");
    }
}

template <class Adapt>
void check_adapted(const Adapt& adapt, std::string_view body) {
    RawRequest request(default_tenant());
    request.body = body;
    check_adapted(adapt, request);
}

/// What quarantine would keep of an event is that event, whatever of it came in headers.
template <class Adapt>
void check_again(const Adapt& adapt, const RawRequest& request) {
    const Adapted adapted = adapt(request);
    const auto* items = std::get_if<std::vector<Item>>(&adapted.outcome);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        const auto* event = std::get_if<AdaptedEvent>(&(*items)[i]);
        if (event == nullptr) {
            continue;
        }
        RawRequest kept(default_tenant());
        kept.body = event->raw;
        const Adapted again = adapt(kept);
        const auto* same = std::get_if<std::vector<Item>>(&again.outcome);
        HELIOS_ASSERT(same != nullptr && same->size() == 1, "it is one item");
        const auto* again_event = std::get_if<AdaptedEvent>(&same->front());
        HELIOS_ASSERT(again_event != nullptr && again_event->event == event->event,
                      "it is the same event");
    }
}

/// "name: value" on each line until an empty one; what follows is the body. `check`: check_adapted
/// or check_again.
template <class Check>
void with_headers(std::string_view text, const Check& check) {
    std::vector<Header> headers;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.empty()) {
            break;
        }
        const auto colon = std::min(line.find(": "), line.size());
        headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 2, line.size())));
    }
    RawRequest request(default_tenant());
    request.body = text;
    request.headers = headers;
    check(request);
}

template <class Adapt>
void check_with_headers(const Adapt& adapt, std::string_view text) {
    with_headers(text, [&](const RawRequest& request) { check_adapted(adapt, request); });
}

}  // namespace helios::adapters
