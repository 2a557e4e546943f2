#pragma once
/// What became of an item in the DLQ: one record per attempt at it, on `helios.events.dlq`, in the
/// item's own partition, behind it. All that is known of an item's status follows from these.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.h"
#include "base/result.h"
#include "base/tenant.h"
#include "base/time.h"
#include "model/quarantined.h"
#include "model/tagged_fields.h"

namespace helios::model {

/// Numbers are stored.
enum class DlqResult : std::uint8_t {
    accepted = 0,   ///< it is an event now
    duplicate = 1,  ///< the event that it would become was there already
    conflict = 2,   ///< an event with its id and other content is there; it waits on
    failed = 3,     ///< it broke a rule again; it waits on
    exhausted = 4,  ///< the same, for the last time: from now on only by its id, or edited
    discarded = 5,  ///< somebody has decided that it is not wanted
};
std::string_view to_string(DlqResult result);

/// Whether the item has become an event, and nothing is left to do.
constexpr bool is_settled(DlqResult result) {
    return result == DlqResult::accepted || result == DlqResult::duplicate;
}

/// Where an item stands. Numbers are stored.
enum class DlqStatus : std::uint8_t { waiting = 0, accepted = 1, discarded = 2, exhausted = 3 };
inline constexpr std::size_t dlq_statuses = 4;
std::string_view to_string(DlqStatus status);
Result<DlqStatus> parse_dlq_status(std::string_view text);  ///< invalid, with those there are

/// After so many attempts that failed nothing tries an item again by itself.
inline constexpr std::uint32_t dlq_attempts_max = 3;

struct DlqOutcome {
    explicit DlqOutcome(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string id;  ///< dlqId
    DlqResult what = DlqResult::failed;
    std::uint32_t attempt = 0;  ///< from 1; 0: none was made (discarded)
    // The event that it became, or would have: its identity beside the tenant. Empty: none was
    // readable, or discarded.
    std::string source;
    std::string scope;
    std::string event_id;
    std::optional<Position> event;  ///< where it stands, if it was there before
    std::string reason;  ///< why not: one of quarantine_reasons; of what is discarded: as given
    std::string detail;  ///< a sentence for a person
    std::string who;     ///< the caller's subject
    Instant at{};
    std::string redrive;              ///< of which it was a part; empty: by itself
    std::vector<std::string> edited;  ///< members that were given anew, sorted
    UnknownFields unknown;
    friend bool operator==(const DlqOutcome&, const DlqOutcome&) = default;
};

inline constexpr std::uint8_t dlq_outcome_version = 1;
std::string encode(const DlqOutcome& outcome);
Result<DlqOutcome> decode_dlq_outcome(std::string_view bytes);  ///< corrupt: not this encoding

}  // namespace helios::model
