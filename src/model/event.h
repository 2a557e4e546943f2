#pragma once
/// One normalised fact from a source, as it stands on an event topic.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/claimed_time.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "base/tenant.h"
#include "base/time.h"
#include "model/tagged_fields.h"
#include "model/topics.h"

namespace helios::model {

/// The clouds whose webhooks Helios speaks: sources that need no flow to be known.
inline constexpr std::array<std::string_view, 3> built_in_sources{"aws", "gcp", "azure"};
bool is_built_in_source(std::string_view source);

enum class IdentityKind : std::uint8_t {
    native = 0,   ///< the sender gave the id
    content = 1,  ///< no id: SHA-256 of source, type, explicit time and canonical payload
};

struct Event {
    explicit Event(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string source;  ///< "aws", "gcp", "azure" or a configured name
    std::string scope;   ///< EventBridge account/region, Pub/Sub subscription, Event Grid topic;
                         ///< empty for direct
    std::string id;
    IdentityKind identity = IdentityKind::native;
    std::string type;             ///< "OrderPlaced"
    std::optional<Instant> time;  ///< the source's claim: the envelope's, else the payload's by the
                                  ///< catalogue's time paths
    bool time_had_zone = true;
    std::string
        time_as_sent;     ///< JSON of the envelope's time if that could not be taken; else empty
    std::string key;      ///< by the catalogue's key paths; empty: none readable
    std::string payload;  ///< exact JSON bytes of an object
    std::string metadata = "{}";  ///< JSON object: envelope fields worth keeping, sender's metadata
    std::string traceparent;      ///< W3C, or empty
    std::vector<std::string> warnings;  ///< catalogue rules with `warn` that it broke
    std::string customer;               ///< by the catalogue's paths; empty: none readable
    std::optional<Digest128> content;   ///< content_of; absent: nobody said it, or the id says it
    UnknownFields unknown;

    friend bool operator==(const Event&, const Event&) = default;
};

inline constexpr std::uint8_t event_version = 1;

std::string encode(const Event& event);
/// corrupt: not this encoding.
Result<Event> decode_event(std::string_view bytes);

/// Identity for deduplication: SHA-256/128 over (tenant, source, scope, id), each length-prefixed.
Digest128 identity_of(const Event& event);
Digest128 identity_of(const TenantId& tenant, std::string_view source, std::string_view scope,
                      std::string_view id);

/// What tells contents apart: SHA-256/128 of type and canonical payload. Not time, not metadata.
Digest128 content_of(std::string_view type, json::Value payload);
/// As above, of the event, whether it says it or not. Of no use for one that came without an id:
/// its identity is its content.
Digest128 content_of(const Event& event);

/// What is kept of an envelope's time that could not be taken: its JSON, of a very long one the
/// beginning as a text.
std::string kept_as_sent(json::Value time);
/// That time again, perhaps in a unit that a flow declares for it. absent: nothing was kept.
ClaimedTime claimed_time_of(const Event& event, std::optional<EpochUnit> unit = {});

/// The id of an event that came without one: hex SHA-256 of source, type, explicit time (as sent,
/// if it could not be taken) and canonical payload. `canonical_payload`: json::canonical. Metadata
/// and receive time have no part in it.
std::string content_id(std::string_view source, std::string_view type,
                       std::optional<Instant> explicit_time, std::string_view canonical_payload,
                       std::string_view time_as_sent = {});

}  // namespace helios::model
