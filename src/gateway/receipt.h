#pragma once
/// What became of a request: the gateway's answer before it is put into any sender's words
/// (answers.h does that).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/proof.h"
#include "base/result.h"
#include "gateway/declared_sender.h"
#include "http/message.h"
#include "model/event.h"
#include "model/position.h"

namespace helios::gateway {

/// Where requests come in. Each has its adapter and its way of answering.
enum class Endpoint : std::uint8_t {
    aws_eventbridge,
    gcp_pubsub,
    azure_eventgrid,
    ingest,
    batch,
    cloudevents,
    declared,  ///< one for each sender that the configuration describes
};
inline constexpr std::array all_endpoints{
    Endpoint::aws_eventbridge, Endpoint::gcp_pubsub,  Endpoint::azure_eventgrid, Endpoint::ingest,
    Endpoint::batch,           Endpoint::cloudevents, Endpoint::declared};

std::string_view path_of(Endpoint endpoint);    ///< "/api/v1/webhooks/aws/eventbridge"
std::string_view source_of(Endpoint endpoint);  ///< "aws"; "direct" where the line names its source
/// Of events that are taken in at this path: empty where each names its own; absent: none are.
std::optional<std::string_view> source_at(std::string_view path);

/// An endpoint; of the declared ones, whose.
struct Door {
    Door(Endpoint at) : endpoint(at) {}  // NOLINT(google-explicit-constructor): most are all of it
    explicit Door(const DeclaredSender& of) : endpoint(Endpoint::declared), declared(&of) {}

    std::string_view source() const { return declared ? declared->name() : source_of(endpoint); }
    /// The same, for what we have fetched ourselves: whom it is from was proved by the fetching,
    /// and nobody waits for its answer.
    Door as_fetched() const {
        Door door = *this;
        door.fetched = true;
        return door;
    }
    std::string path() const {
        return declared ? declared->path() : std::string(path_of(endpoint));
    }

    /// Headers that its declaration reads, in lower case: kept with an item as they came.
    std::vector<std::string> headers_kept() const;

    Endpoint endpoint;
    const DeclaredSender* declared = nullptr;  ///< outlives whoever holds this
    bool fetched = false;
};
/// Of a path; absent: nothing is taken in there. `declared` outlives the door.
std::optional<Door> door_at(std::string_view path, const DeclaredSenders& declared);

constexpr bool is_cloud(Endpoint endpoint) {
    return endpoint == Endpoint::aws_eventbridge || endpoint == Endpoint::gcp_pubsub ||
           endpoint == Endpoint::azure_eventgrid;
}
/// Whether its senders name the source of each event.
constexpr bool names_sources(Endpoint endpoint) {
    return endpoint == Endpoint::ingest || endpoint == Endpoint::batch ||
           endpoint == Endpoint::cloudevents;
}
constexpr bool is_direct(Endpoint endpoint) {
    return endpoint == Endpoint::ingest || endpoint == Endpoint::batch;
}

/// Of a path; absent: nothing is taken in there.
std::optional<Endpoint> endpoint_at(std::string_view path);

/// Who comes to an endpoint, as far as answers differ: the columns of the table in
/// docs/contracts.md, "What each sender is told".
enum class SenderKind : std::uint8_t {
    sns,
    api_destination,
    pubsub,
    event_grid,
    direct,
    cloudevents,
    standard_webhooks,  ///< every declared sender
};
SenderKind sender_of(Endpoint endpoint, const http::Request& request);

enum class ItemStatus : std::uint8_t {
    accepted,     ///< durable on its event topic
    duplicate,    ///< the same id and content is durable already
    conflict,     ///< the id is durable with other content; this one is kept once in the DLQ
    quarantined,  ///< kept whole in the DLQ with its reason
    noted,        ///< no event: an SNS confirmation, kept for a person
    failed,       ///< not stored: `error` says whether trying again can help
};
std::string_view to_string(ItemStatus status);

struct ItemReceipt {
    ItemStatus status = ItemStatus::failed;
    std::string source;
    std::string event_type;
    std::string event_id;
    model::IdentityKind identity = model::IdentityKind::native;
    std::string dlq_id;                            ///< conflict, quarantined, noted
    std::string reason;                            ///< quarantined: code
    std::string detail;                            ///< quarantined: a sentence for a person
    std::vector<std::string> errors;               ///< quarantined: one per broken rule
    std::vector<std::string> warnings;             ///< accepted
    std::optional<model::PositionToken> position;  ///< of the event, or of what was kept in the DLQ
    std::optional<Error> error;                    ///< failed
    std::optional<Instant> claimed;                ///< accepted: the event's time
    bool too_large = false;                        ///< failed: above the record limit
    std::string_view refusal;                      ///< failed: a word of refusal_counts.h
};

struct Receipt {
    enum class Kind : std::uint8_t {
        items,              ///< `items`, one per item of the request, in its order
        handshake,          ///< answer 200 with `body`
        nothing_to_do,      ///< a notice that needs no storing (Event Grid: subscription deleted)
        not_this_protocol,  ///< `error`; nothing was stored
        wrong_media_type,   ///< `error`; nothing was stored
        too_large,          ///< `error`: what the body decompresses to; nothing was stored
        too_fast,           ///< `error`: beyond its sender's rate; nothing was looked at
        unproved,           ///< `error`, `proof`: its sender did not prove who he is
        refused,            ///< `error`: not ready, stopping, too many; nothing was looked at
        overdue,            ///< `error`: its sender waits no longer, and nobody knows yet what will
                            ///< have been stored
    };
    Kind kind = Kind::items;
    std::vector<ItemReceipt> items;
    std::string body;
    Error error;
    Duration again{};  ///< refused, too_fast: when another try may do better; 0: as usual
    SenderKind sender = SenderKind::direct;
    auth::Proof::Kind proof = auth::Proof::Kind::absent;  ///< unproved
    bool batched = false;     ///< cloudevents: a batch, answered item by item
    bool asks_basic = false;  ///< unproved: who came without Authorization is asked for it
};

/// Whether all of a request is durable, as events or in quarantine, or needs no storing: whoever
/// keeps it for us may let it go.
bool is_settled(const Receipt& receipt);

}  // namespace helios::gateway
