#pragma once
/// What queries answer: plain values, nothing of SQL in them.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/tenant.h"
#include "base/time.h"
#include "model/dlq_outcome.h"
#include "model/event.h"
#include "model/redrive.h"
#include "model/verdict.h"

namespace helios::store {

inline constexpr std::array decided_statuses{
    model::VerdictStatus::matched, model::VerdictStatus::partial, model::VerdictStatus::mismatched};

/// [start, end); absent ends are open.
struct TimeRange {
    std::optional<Instant> start;
    std::optional<Instant> end;
};

/// Names one case key of one flow.
struct CaseId {
    TenantId tenant;
    std::string flow;
    std::string key;
};

/// The time that a list of cases goes by, newest first.
enum class CaseTime : std::uint8_t {
    opened,      ///< which never changes: a case keeps its place in the list
    reconciled,  ///< decided cases only; one that is amended moves to the front
};

/// Where a page of cases ended: its last item.
struct CaseCursor {
    CaseTime by = CaseTime::opened;
    Instant at;
    std::string flow;
    std::string key;
    std::uint32_t instance = 0;
    friend bool operator==(const CaseCursor&, const CaseCursor&) = default;
};

struct CaseFilter {
    explicit CaseFilter(TenantId of) : tenant(std::move(of)) {}
    /// Partial and mismatched cases, by their decision.
    static CaseFilter mismatches(TenantId of);

    TenantId tenant;
    CaseTime by = CaseTime::opened;
    TimeRange times;  ///< of `by`
    std::vector<model::VerdictStatus> statuses{
        model::VerdictStatus::pending, model::VerdictStatus::matched, model::VerdictStatus::partial,
        model::VerdictStatus::mismatched};   ///< any of these
    std::optional<model::FindingKind> kind;  ///< some finding is of this kind
    std::optional<std::string> flow;
    std::optional<CaseCursor> after;  ///< of a list that goes by the same time
    std::size_t limit = 100;
};

template <class Item, class Cursor>
struct Page {
    std::vector<Item> items;
    std::optional<Cursor> next;  ///< absent: this was the last page
};

struct StatsFilter {
    explicit StatsFilter(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    TimeRange reconciled;
    std::optional<std::string> flow;
};

/// Over the latest revision of every case decided in the range; pending cases have no reconciledAt
/// and are counted as of now.
struct Stats {
    std::array<std::uint64_t, 4> by_status{};  ///< indexed by VerdictStatus
    std::array<std::uint64_t, 11>
        by_kind{};  ///< indexed by FindingKind: cases with at least one such finding
    std::optional<Duration> mean_to_verdict;  ///< openedAt → first decided; absent: none decided
    std::optional<Duration> p99_to_verdict;   ///< nearest rank, within 1 %
    std::vector<model::Money> at_risk;        ///< exact sums, by currency
};

struct StatsOfParts {
    Stats all;
    std::vector<Stats> parts;
};

/// Where a record of an event stands. Of several the least is the event's, by log time, topic,
/// partition, offset.
struct EventPlace {
    Instant log_time;
    Position pointer;
    friend auto operator<=>(const EventPlace&, const EventPlace&) = default;
};

/// One event: an identity (tenant, source, scope, id) with one content. All records with both are
/// one row.
struct EventRow {
    Position pointer;  ///< of the first record
    Instant log_time;
    std::string source;
    std::string scope;
    std::string event_id;
    model::IdentityKind identity = model::IdentityKind::native;
    std::string type;
    std::string key;
    std::optional<std::string> customer;
    std::optional<Instant> event_time;
    std::int64_t content = 0;  ///< 64 bits of source, scope and model::content_of: tells apart
                               ///< what shares an id
    std::uint64_t copies = 0;  ///< further records; only in answers

    EventPlace place() const { return {log_time, pointer}; }
};

/// A record under an identity.
struct EventRecord {
    EventPlace place;
    std::int64_t content = 0;
};

using EventCursor = EventPlace;

struct EventFilter {
    explicit EventFilter(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::optional<std::string> key;
    std::optional<std::string> type;
    std::optional<std::string> source;
    TimeRange received;
    std::optional<EventCursor> after;
    std::size_t limit = 100;
};

struct QuarantineRow {
    std::string dlq_id;
    bool confirmation = false;  ///< an SNS handshake kept for a person, not an event
    std::string reason;
    std::string detail;
    std::string source;
    std::string endpoint;
    std::string scope;
    std::string event_id;
    std::string event_type;
    std::string key;
    Instant first_at;
    Instant last_at;
    std::uint64_t times = 1;
    model::DlqStatus status = model::DlqStatus::waiting;
    std::uint32_t attempts = 0;
    Position pointer{{model::topic::dlq, 0}, {}};  ///< of the latest copy
    std::uint64_t bytes = 0;  ///< of its record; when it is written, not when it is read
};

/// Of what waits in quarantine, of all tenants: how many bytes its records have on the log, as far
/// as they have been taken in.
struct QuarantineSize {
    std::uint64_t bytes = 0;
    std::map<Partition, Offset> next_offsets;
};

/// What became of an item in quarantine at one time (model::DlqOutcome).
struct DlqOutcomeRow {
    std::string dlq_id;
    model::DlqResult what = model::DlqResult::failed;
    std::uint32_t attempt = 0;
    std::string source;
    std::string scope;
    std::string event_id;
    std::string reason;
    std::string detail;
    std::string who;
    Instant at;
    std::string redrive;
    std::string edited;  ///< names, each followed by a blank but the last
    Position pointer{{model::topic::dlq, 0}, {}};
};

/// A redrive, and what has become of its items so far.
struct RedriveRow {
    std::string tenant;
    std::string id;
    model::RedrivePhase phase = model::RedrivePhase::running;
    std::string filter;  ///< JSON
    std::string who;
    Instant begun_at;
    Instant until;
    std::uint64_t total = 0;
    std::uint64_t accepted = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t conflict = 0;
    std::uint64_t failed = 0;
    std::uint64_t skipped = 0;
    std::optional<Instant> ended_at;
    std::string detail;
};

struct QuarantineCursor {
    Instant last_at;
    std::string dlq_id;
    friend auto operator<=>(const QuarantineCursor&, const QuarantineCursor&) = default;
};

struct QuarantineFilter {
    explicit QuarantineFilter(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    model::DlqStatus status = model::DlqStatus::waiting;
    std::optional<std::string> source;
    std::optional<std::string> reason;
    std::optional<std::string> type;
    std::optional<std::string> key;
    TimeRange last;
    std::optional<QuarantineCursor> after;
    std::size_t limit = 100;
};

struct FlowRow {
    std::string flow;
    std::uint32_t version = 0;
    Instant activated_at;
    std::string hash;
    std::string text;
};

/// Where a record stands on helios.cases.
struct CaseRecordPlace {
    Position pointer{{model::topic::cases, 0}, {}};
    Instant at;
};

/// Everything that could change the verdicts of one case, in the partition's order: its legs, and
/// the flow versions and absences before and between them.
struct CaseHistory {
    std::vector<CaseRecordPlace> records;
    bool truncated = false;  ///< more than options.history_records_max: the latest are left out
    std::optional<Instant>
        known_since;  ///< older ones left with their slices; absent: all are here
};

struct CountRow {
    Instant minute;
    std::string source;
    std::string hop;
    std::string counter;
    std::uint64_t value = 0;
};

struct CountCursor {
    Instant minute;
    std::string source;
};

struct CountFilter {
    explicit CountFilter(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    TimeRange minutes;
    std::optional<std::string> source;
    std::size_t limit = 10'000;  ///< rows; more: exhausted
};

}  // namespace helios::store
