#pragma once
/// What could not be accepted, kept whole on `helios.events.dlq` with its reason until somebody
/// replays or discards it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/event.h"

namespace helios::model {

/// Every reason that a record may have: codes are for ever, as records are.
inline constexpr std::array<std::string_view, 19> quarantine_reasons{
    "ambiguous_field", "bad_base64",      "bad_field",       "bad_key",       "bad_text",
    "bad_time",        "cloudevent",      "conflict",        "detail_alone",  "duplicate_key",
    "missing_field",   "not_an_envelope", "not_an_object",   "not_json",      "sns_confirmation",
    "too_deep",        "too_large",       "too_many_values", "unknown_source"};

struct Quarantined {
    explicit Quarantined(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string id;  ///< dlqId: derived from source, scope, event id, body and reason, so that a
                     ///< retry lands on the same one
    std::string source;
    std::string endpoint;             ///< "/api/v1/webhooks/aws/eventbridge"
    std::string reason;               ///< one of quarantine_reasons
    std::string detail;               ///< a sentence for a person
    std::vector<std::string> errors;  ///< one per broken rule: "orderId: required, absent"
    std::string event_id;             ///< empty if none was readable
    std::string scope;
    std::string event_type;  ///< empty if none was readable
    std::string key;         ///< the catalogue's key, where one could be read; else empty
    std::string body;        ///< the item as it came, whole
    std::string headers;     ///< JSON object, credentials replaced by fingerprints
    std::string traceparent;
    UnknownFields unknown;
    friend bool operator==(const Quarantined&, const Quarantined&) = default;
};

/// The key of an item's record on the log. What is said of the item later has the same: so it
/// stands in the same partition, behind it.
const std::string& record_key_of(const Quarantined& item);

inline constexpr std::uint8_t quarantined_version = 1;
std::string encode(const Quarantined& item);
Result<Quarantined> decode_quarantined(std::string_view bytes);

/// A kept item came again: so many times since its last record. Small: the item itself is kept
/// once.
struct QuarantineRepeat {
    explicit QuarantineRepeat(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string id;  ///< dlqId
    std::uint64_t times = 0;
    Instant last_received_at{};
    friend bool operator==(const QuarantineRepeat&, const QuarantineRepeat&) = default;
};

inline constexpr std::uint8_t quarantine_repeat_version = 1;
std::string encode(const QuarantineRepeat& repeat);
Result<QuarantineRepeat> decode_quarantine_repeat(std::string_view bytes);

}  // namespace helios::model
