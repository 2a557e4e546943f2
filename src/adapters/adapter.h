#pragma once
/// From a sender's raw request to events or reasons. One file pair per sender; all pure: no I/O, no
/// clock, no state.
///
/// An adapter knows its protocol's envelope and nothing else: whether an event breaks a rule is the
/// catalogue's business, whether it is a duplicate the gateway's. It never throws and never drops:
/// every item of a request comes out as an event or a rejection.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/event.h"

namespace helios::adapters {

using Header = std::pair<std::string, std::string>;

/// What an adapter may look at. `body` must outlive the Adapted; the rest lives as long as the
/// call.
struct RawRequest {
    explicit RawRequest(const TenantId& of) : tenant(of) {}

    const TenantId& tenant;  ///< whose events these are: the caller's
    std::string_view body;
    std::span<const Header> headers;  ///< in order of arrival, names as sent

    /// The first of that name, in any case; nullptr: there is none.
    const std::string* header(std::string_view name) const;
};

/// An item that is recognisably this protocol's but can't become an event: it goes to quarantine,
/// whole.
struct Rejection {
    std::string reason;  ///< code: "not_an_object", "missing_field", "duplicate_key", "bad_time",
                         ///< "bad_base64", "not_json", …
    std::string detail;  ///< a sentence for a person
    std::vector<std::string> errors;  ///< "detail: must be an object, is a string"
    std::string source;               ///< what could be read all the same; else empty
    std::string event_id;
    std::string scope;
    std::string event_type;
    json::Value payload;  ///< where one could be read; alive as long as the Adapted
    /// The item's exact bytes, alive as long as the Adapted and the request's body. Of an item
    /// whose envelope is in headers: the same item in the form that has all of it in the body.
    std::string_view raw;
};

struct AdaptedEvent {
    explicit AdaptedEvent(TenantId of) : event(std::move(of)) {}

    model::Event event;    ///< key and catalogue warnings are still empty
    json::Value payload;   ///< parsed view of event.payload, alive as long as the Adapted
    std::string_view raw;  ///< as Rejection's
};

using Item = std::variant<AdaptedEvent, Rejection>;

/// An SNS SubscriptionConfirmation or UnsubscribeConfirmation: kept and shown; its URL is never
/// visited from here. An UnsubscribeConfirmation's would subscribe again: nobody may visit it.
struct SnsConfirmation {
    std::string type;
    std::string topic_arn;
    std::string message_id;
    std::string subscribe_url;
    std::string_view raw;  ///< as Rejection's
};

/// Event Grid's SubscriptionValidation: answer 200 with this body; or 200 alone, and `url` is
/// visited within some minutes by whom a person asks to. It is as sent: whoever visits it looks at
/// where it leads.
struct ValidationHandshake {
    std::string topic;
    std::string response_body;  ///< {"validationResponse":"…"}
    std::string event_id;
    std::string url;       ///< may be empty
    std::string_view raw;  ///< as Rejection's
};

/// Event Grid says that a subscription was deleted. No event: nothing is stored, the gateway counts
/// and logs it.
struct SubscriptionDeletion {
    std::string topic;
    std::string subscription;
};

/// Not JSON, or no envelope of this protocol. A stranger is told so (400) and nothing is stored.
struct NotThisProtocol {
    std::string what;
    std::string hint;
    /// What is to be kept of it where a credential was checked and held: a cloud, or a declared
    /// sender, drops for good what is answered 400. Its `raw` is the body, perhaps empty. Absent:
    /// of direct senders, who mend what is refused.
    std::optional<Rejection> kept{};
    bool unread_media_type = false;  ///< 415 rather than 400, to who can send another
};

struct Adapted {
    std::variant<std::vector<Item>, SnsConfirmation, ValidationHandshake, SubscriptionDeletion,
                 NotThisProtocol>
        outcome;
    std::vector<json::Document> documents;  ///< keep the views alive
};

}  // namespace helios::adapters
