#pragma once
/// For tests of adapters: requests made by hand, outcomes taken apart.

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/adapter.h"

namespace helios::adapters {

using Adapt = std::function<Adapted(const RawRequest&)>;

/// A request and what became of it; keeps the body that the outcome's views point into.
struct Adapting {
    std::string body;
    std::vector<Header> headers;
    Adapted adapted;

    Adapting(const Adapt& adapt, std::string text, std::vector<Header> with = {})
        : body(std::move(text)), headers(std::move(with)) {
        RawRequest raw(default_tenant());
        raw.body = body;
        raw.headers = headers;
        adapted = adapt(raw);
    }
    Adapting(const Adapting&) = delete;

    template <class Outcome>
    const Outcome* outcome() const {
        return std::get_if<Outcome>(&adapted.outcome);
    }
    std::size_t count() const {
        const auto* items = outcome<std::vector<Item>>();
        return items == nullptr ? 0 : items->size();
    }
    const AdaptedEvent* event(std::size_t i = 0) const {
        return i < count() ? std::get_if<AdaptedEvent>(&(*outcome<std::vector<Item>>())[i])
                           : nullptr;
    }
    const Rejection* rejection(std::size_t i = 0) const {
        return i < count() ? std::get_if<Rejection>(&(*outcome<std::vector<Item>>())[i]) : nullptr;
    }
    const NotThisProtocol* refusal() const { return outcome<NotThisProtocol>(); }
    /// In one word: "accepted", a rejection's reason, "400", or another outcome.
    std::string verdict(std::size_t i = 0) const {
        if (event(i) != nullptr) {
            return "accepted";
        }
        if (const auto* rejected = rejection(i)) {
            return rejected->reason;
        }
        if (refusal() != nullptr) {
            return "400";
        }
        if (outcome<SnsConfirmation>() != nullptr) {
            return "sns confirmation";
        }
        if (outcome<ValidationHandshake>() != nullptr) {
            return "handshake";
        }
        if (outcome<SubscriptionDeletion>() != nullptr) {
            return "deletion";
        }
        return "nothing";
    }
};

/// `text` with the first `from` replaced by `to`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    return at == std::string::npos ? "nothing replaced" : text.replace(at, from.size(), to);
}

/// {"a":{"a":…}} of that many levels.
inline std::string nested(std::size_t levels) {
    std::string out;
    for (std::size_t i = 0; i < levels; ++i) {
        out += R"({"a":)";
    }
    out += "1";
    return out.append(levels, '}');
}

}  // namespace helios::adapters
