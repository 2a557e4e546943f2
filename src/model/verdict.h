#pragma once
/// The versioned state of a case, as it stands on `helios.verdicts`: one record per revision, each
/// whole. Holds pointers to events, never payloads.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "base/trace_id.h"
#include "model/event.h"

namespace helios::model {

enum class VerdictStatus : std::uint8_t { pending = 0, matched = 1, partial = 2, mismatched = 3 };
enum class FindingKind : std::uint8_t {
    missing = 0,
    late,
    amount,
    currency,
    quantity,
    data,
    duplicate,
    orphan,
    ambiguous,
    skew,
    order
};
enum class Severity : std::uint8_t { warning = 0, error = 1 };

std::string_view to_string(VerdictStatus status);
std::string_view to_string(FindingKind kind);
std::string_view to_string(Severity severity);
Result<VerdictStatus> parse_status(std::string_view text);
Result<FindingKind> parse_finding_kind(std::string_view text);

/// One named discrepancy. Fields that do not apply are empty and left out of JSON.
struct Finding {
    FindingKind kind = FindingKind::missing;
    std::string leg;
    std::string check;  ///< the flow's name of the check, "paid-in-full"
    std::string expected;
    std::string actual;
    std::string tolerance;
    std::string unit;  ///< currency, "s", …
    Severity severity = Severity::error;
    bool final = true;   ///< false while another leg may still come in time
    std::string detail;  ///< one sentence for a person
    friend bool operator==(const Finding&, const Finding&) = default;
};

struct Money {
    std::string currency;
    std::string amount;  ///< exact decimal, scaled to the currency's minor units or finer
    friend bool operator==(const Money&, const Money&) = default;
};

/// An event that the verdict rests on.
struct VerdictEvent {
    std::string leg;
    std::string event_id;
    std::string source;
    std::string type;
    std::optional<Instant> time;  ///< `occurred`
    Instant received_at;          ///< log time
    Position pointer;
    friend bool operator==(const VerdictEvent&, const VerdictEvent&) = default;
};

struct Verdict {
    explicit Verdict(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::uint32_t flow_version = 0;
    std::string
        key_name;  ///< "orderId": the member name under which JSON repeats the key; may be empty
    std::string key;
    std::uint32_t instance = 1;
    std::uint32_t revision = 1;
    VerdictStatus status = VerdictStatus::pending;
    std::vector<std::string> missing;  ///< legs, in flow order
    std::vector<Finding> findings;
    std::vector<VerdictEvent>
        events;  ///< in flow order, then by choice; several of a leg: the leg takes several
    std::vector<std::string> multi_legs;  ///< legs of cardinality above 1: JSON shows an array
    std::vector<std::pair<std::string, std::uint64_t>>
        unlisted;                ///< leg, and how many more of its events the verdict rests on
    std::vector<Money> at_risk;  ///< sorted by currency; empty when pending or matched
    Instant opened_at;
    Instant deadline;                      ///< the last leg's; `never`: some leg has none
    std::optional<Instant> reconciled_at;  ///< absent while pending
    Instant at;               ///< log time of the deciding record, or the deadline that decided
    std::uint32_t level = 1;  ///< of the engine, under which the case was opened
    TraceId trace;  ///< of the record that decided; none: a deadline did. No part of JSON or digest
    UnknownFields unknown;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// May a needed leg still come in time? Then the case is open, and its last deadline has not
/// passed.
bool awaits_legs(const Verdict& verdict);

/// UUIDv5 of tenant, flow, key, instance, revision.
std::string verdict_id(const Verdict& verdict);

inline constexpr std::uint8_t verdict_version = 1;
std::string encode(const Verdict& verdict);
Result<Verdict> decode_verdict(std::string_view bytes);  ///< corrupt: not this encoding

/// Given an event of the verdict, its payload's JSON text, or empty for null (expired). Absent
/// function: no `payload` member at all.
using HydratePayload = std::function<std::string(const VerdictEvent&)>;

/// The verdict as docs/contracts.md shows it, members in that order. The one rendering: API,
/// NDJSON, dump and stream use it.
void write_json(json::Writer& out, const Verdict& verdict, const HydratePayload& hydrate = {});

/// What two installations that were fed the same events agree on once no deadline is left: no
/// instance, revision, time of ours, or finding that something was late.
void write_settled_json(json::Writer& out, const Verdict& verdict);

/// The same without the object's braces, so that the caller can add members: `otherFlows`,
/// `position`.
void write_members(json::Writer& out, const Verdict& verdict, const HydratePayload& hydrate = {});

}  // namespace helios::model
