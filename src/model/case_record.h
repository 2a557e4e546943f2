#pragma once
/// What the engine reads: everything that may change a verdict, on `helios.cases`, one ordered
/// partition per case key. Every record carries `at`, the log time of the event (or flow, or end of
/// an absence) that caused it; its own append time is never used.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/trace_id.h"
#include "model/absence.h"
#include "model/event.h"

namespace helios::model {

/// One value that a flow told route to read from a payload.
struct ReadValue {
    enum class Kind : std::uint8_t {
        absent = 0,
        text = 1,
        decimal = 2,
        items = 3,
        bad = 4
    } kind = Kind::absent;
    std::string text;  ///< text; decimal: as written; bad: the reason, for a person
    std::vector<std::pair<std::string, std::string>>
        items;         ///< items: (item key, decimal), sorted by key, quantities of one key summed
    std::string path;  ///< the path or expression that matched; empty if absent
    friend bool operator==(const ReadValue&, const ReadValue&) = default;
};

/// One event as one leg of one flow sees it.
struct LegRecord {
    explicit LegRecord(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::uint32_t flow_version = 0;
    bool opens = true;  ///< extracted under the newest version: may open a case
    std::string key;
    std::string leg;
    std::string identity;
    Position event;
    std::string event_id;
    std::string source;
    std::string type;
    std::optional<Instant> event_time;  ///< the envelope's claim
    std::optional<Instant> occurred;    ///< by the leg's `occurred` paths; absent: no time at all
    std::string sequence;  ///< what the source counts: a whole number without leading zeros; empty:
                           ///< not said
    Instant at;
    std::vector<std::pair<std::string, ReadValue>> reads;  ///< in the flow's order
    std::vector<std::string> notes;  ///< "no zone in payload.timestamp: UTC assumed", …
    /// What of this event could not be used as sent: one sentence each, quoting it. Each becomes a
    /// `data` finding of severity warning, which changes no status.
    std::vector<std::string> doubts;
    std::optional<Instant> passed;  ///< see passed_of()
    TraceId trace;                  ///< of the request that brought the event
    UnknownFields unknown;
    friend bool operator==(const LegRecord&, const LegRecord&) = default;
};

/// Time passes: nothing stamped before `at` is still to come on this partition. Leaves no trace in
/// verdicts.
struct TickRecord {
    Instant at;
    friend bool operator==(const TickRecord&, const TickRecord&) = default;
};

/// A flow version becomes active (a copy of the helios.flows record, one per cases partition, so
/// that the engine needs no other input).
struct FlowRecord {
    explicit FlowRecord(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    Instant at;
    std::string flow;
    std::uint32_t version = 0;
    std::string text;  ///< the flow file
    std::string hash;  ///< hex SHA-256 of text
    Duration lead{};   ///< as FlowActivation's
    std::optional<Instant> passed;
    friend bool operator==(const FlowRecord&, const FlowRecord&) = default;
};

/// From here on cases open under this level of the engine (a copy of the helios.flows record).
struct LevelRecord {
    Instant at;
    std::uint32_t level = 0;
    std::optional<Instant> passed;
    friend bool operator==(const LevelRecord&, const LevelRecord&) = default;
};

using CaseRecord = std::variant<LegRecord, TickRecord, AbsenceRecord, FlowRecord, LevelRecord>;

inline constexpr std::uint8_t case_record_version = 1;

Instant at_of(const CaseRecord& record);  ///< of an absence: its end
/// Deadlines before it fire before the record is taken; nothing: none fires. A tick's is its `at`,
/// an absence has none. Stamped by whoever knows that nothing earlier is still to come.
std::optional<Instant> passed_of(const CaseRecord& record);
std::string encode(const CaseRecord& record);
Result<CaseRecord> decode_case_record(std::string_view bytes);  ///< corrupt: not this encoding

/// The log key of a case: tenant, flow and key, so that one partition holds all of it.
std::string case_log_key(const TenantId& tenant, std::string_view flow, std::string_view key);

}  // namespace helios::model
