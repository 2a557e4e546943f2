#pragma once
/// What became of a request: the gateway's answer before it is put into any sender's words
/// (answers.h does that).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/proof.h"
#include "base/result.h"
#include "http/message.h"
#include "model/event.h"
#include "model/position.h"

namespace helios::gateway {

/// Where requests come in. Each has its adapter and its way of answering.
enum class Endpoint : std::uint8_t { aws_eventbridge, gcp_pubsub, azure_eventgrid, ingest, batch };

std::string_view path_of(Endpoint endpoint);    ///< "/api/v1/webhooks/aws/eventbridge"
std::string_view source_of(Endpoint endpoint);  ///< "aws"; "direct" where the line names its source
/// Of events that are taken in at this path: empty where each names its own; absent: none are.
std::optional<std::string_view> source_at(std::string_view path);
constexpr bool is_direct(Endpoint endpoint) {
    return endpoint == Endpoint::ingest || endpoint == Endpoint::batch;
}

/// Of a path; absent: nothing is taken in there.
std::optional<Endpoint> endpoint_at(std::string_view path);

/// Who comes to an endpoint, as far as answers differ: the columns of the table in
/// docs/contracts.md, "What each sender is told".
enum class SenderKind : std::uint8_t { sns, api_destination, pubsub, event_grid, direct };
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
    bool too_large = false;                        ///< failed: above the record limit
};

struct Receipt {
    enum class Kind : std::uint8_t {
        items,              ///< `items`, one per item of the request, in its order
        handshake,          ///< answer 200 with `body`
        nothing_to_do,      ///< a notice that needs no storing (Event Grid: subscription deleted)
        not_this_protocol,  ///< `error`; nothing was stored
        wrong_media_type,   ///< `error`; nothing was stored
        unproved,           ///< `error`, `proof`: its sender did not prove who he is
        refused,            ///< `error`: not ready, stopping, too many; nothing was looked at
        overdue,            ///< `error`: its sender waits no longer, and nobody knows yet what will
                            ///< have been stored
    };
    Kind kind = Kind::items;
    std::vector<ItemReceipt> items;
    std::string body;
    Error error;
    Duration again{};  ///< refused: when another try may do better; 0: as usual
    SenderKind sender = SenderKind::direct;
    auth::Proof::Kind proof = auth::Proof::Kind::absent;  ///< unproved
    bool asks_basic = false;  ///< unproved: who came without Authorization is asked for it
};

}  // namespace helios::gateway
