#pragma once
/// Every question to the tables: its SQL beside the parameters it is asked with and the columns it
/// answers. Private to the room.
///
/// An equality drives each of them on an index of its own, named so that the planner takes no
/// other; filters that may be absent are NULL. Cases are asked for by flow and status, each a range
/// of an index with nothing between what is wanted; queries.cpp puts them together.

#include <limits>

#include "model/topics.h"
#include "store/prepared.h"
#include "store/rows.h"
#include "store/sql.h"
#include "store/written_rows.h"

namespace helios::store {

/// A filter, and how many rows are wanted.
template <class Filter>
struct Asked {
    const Filter& filter;
    std::int64_t rows;
};

/// A case, and a number.
struct AskedCase {
    const CaseId& of;
    std::int64_t number;  ///< see the question
};

/// One thing of a tenant.
struct AskedById {
    const TenantId& tenant;
    std::string_view id;
    std::optional<std::string_view> source;
    std::int64_t rows;
};

/// Ids from `begin` up to, not including, `end`.
struct AskedIds {
    const TenantId& tenant;
    std::string_view begin;
    std::string_view end;
    std::optional<std::string_view> source;
    std::int64_t rows;
};

/// The identity of an event.
struct AskedRecords {
    const TenantId& tenant;
    const EventRow& of;
    std::int64_t rows;
};

struct AskedKey {
    const TenantId& tenant;
    std::string_view key;
};

struct AskedControls {
    const CaseId& of;
    std::uint32_t partition;
    std::int64_t rows;
};

inline constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

inline constexpr auto its_tenant = [](const auto& asked) -> const auto& { return asked.tenant; };
constexpr auto of_filter(auto member) {
    return [member](const auto& asked) -> const auto& { return std::invoke(member, asked.filter); };
}
constexpr auto start_of(auto range) {
    return [range](const auto& asked) {
        const auto& start = std::invoke(range, asked.filter).start;
        return start ? to_nanos(*start) : std::numeric_limits<std::int64_t>::min();
    };
}
constexpr auto end_of(auto range) {
    return [range](const auto& asked) {
        const auto& end = std::invoke(range, asked.filter).end;
        return end ? to_nanos(*end) : unbounded;
    };
}
/// Of the cursor, or `first` without one: it stands before everything.
constexpr auto cursor_or(auto part, auto first) {
    return [part, first](const auto& asked) -> decltype(first) {
        return asked.filter.after ? decltype(first)(part(*asked.filter.after)) : first;
    };
}

// ---- Cases

struct Latest {
    static constexpr SqlText sql{R"sql(
SELECT v.body AS body FROM cases c JOIN verdicts v ON v.id = c.verdict
WHERE c.tenant = :tenant AND c.key = :key AND c.flow = :flow
ORDER BY c.instance DESC LIMIT 1)sql"};
    static constexpr std::tuple parameters{
        named("tenant", &CaseId::tenant),
        named("key", &CaseId::key),
        named("flow", &CaseId::flow),
    };
    using Row = Blob;  ///< model::encode of the verdict
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct Revisions {
    static constexpr SqlText sql{R"sql(
SELECT body FROM verdicts WHERE tenant = :tenant AND key = :key AND flow = :flow
ORDER BY instance DESC, revision DESC LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", of_case(&CaseId::tenant)),
        named("key", of_case(&CaseId::key)),
        named("flow", of_case(&CaseId::flow)),
        named("rows", &AskedCase::number),
    };
    using Row = Blob;
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct EveryRevision {
    static constexpr SqlText sql{
        "SELECT body FROM verdicts ORDER BY tenant, flow, key, instance, revision"};
    static constexpr std::tuple<> parameters{};
    using Row = Blob;
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct NewestRevisions {
    static constexpr SqlText sql{
        "SELECT v.body AS body FROM cases c JOIN verdicts v ON v.id = c.verdict"};
    static constexpr std::tuple<> parameters{};
    using Row = Blob;
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct FlowsWith {
    static constexpr SqlText sql{R"sql(
SELECT DISTINCT flow FROM cases WHERE tenant = :tenant AND key = :key ORDER BY flow)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("key", &AskedKey::key),
    };
    using Row = std::string;
    static constexpr std::tuple columns{named("flow", std::identity{})};
};

struct FlowsOfCases {
    static constexpr SqlText sql{R"sql(
WITH RECURSIVE known(flow) AS (
  SELECT min(flow) FROM cases INDEXED BY cases_by_opening WHERE tenant = :tenant
  UNION ALL
  SELECT (SELECT min(flow) FROM cases INDEXED BY cases_by_opening
          WHERE tenant = :tenant AND flow > known.flow)
  FROM known WHERE known.flow IS NOT NULL)
SELECT flow FROM known WHERE flow IS NOT NULL)sql"};
    static constexpr std::tuple parameters{named("tenant", std::identity{})};
    using Row = std::string;
    static constexpr std::tuple columns{named("flow", std::identity{})};
};

/// Cases of one flow and status: those before a place, from `start` on.
struct AskedCases {
    const TenantId& tenant;
    std::string_view flow{};
    model::VerdictStatus status = model::VerdictStatus::pending;
    std::optional<model::FindingKind> kind{};
    std::int64_t start = 0;
    std::int64_t before = 0;  ///< nanoseconds
    std::string_view before_key{};
    std::int64_t before_instance = 0;
    std::int64_t rows = 0;
};

struct CasePlace {
    std::int64_t at = 0;
    std::string key;
    std::uint32_t instance = 0;
};

struct CasesQuestion {
    using Row = CasePlace;
    static constexpr std::tuple columns{
        named("at", &Row::at),
        named("key", &Row::key),
        named("instance", &Row::instance),
    };
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("flow", &AskedCases::flow),
        named("status", &AskedCases::status),
        named("start", &AskedCases::start),
        named("before", &AskedCases::before),
        named("before_key", &AskedCases::before_key),
        named("before_instance", &AskedCases::before_instance),
        named("rows", &AskedCases::rows),
    };
};
struct CasesOfKindQuestion : CasesQuestion {
    static constexpr auto parameters =
        std::tuple_cat(CasesQuestion::parameters, std::tuple(named("kind", &AskedCases::kind)));
};

inline constexpr char opened_before[] = R"sql(
  AND opened_at >= :start AND (opened_at, key, instance) < (:before, :before_key, :before_instance)
ORDER BY opened_at DESC, key DESC, instance DESC LIMIT :rows)sql";
inline constexpr char decided_before[] = R"sql(
  AND reconciled_at >= :start
  AND (reconciled_at, key, instance) < (:before, :before_key, :before_instance)
ORDER BY reconciled_at DESC, key DESC, instance DESC LIMIT :rows)sql";

struct CasesByOpening : CasesQuestion {
    static constexpr SqlText sql{R"sql(
SELECT opened_at AS at, key, instance FROM cases INDEXED BY cases_by_opening
WHERE tenant = :tenant AND flow = :flow AND status = :status)sql",
                                 opened_before};
};
struct CasesByDecision : CasesQuestion {
    static constexpr SqlText sql{R"sql(
SELECT reconciled_at AS at, key, instance FROM cases INDEXED BY cases_by_decision
WHERE status <> {pending} AND tenant = :tenant AND flow = :flow AND status = :status)sql",
                                 decided_before};
};
struct CasesOfKindByOpening : CasesOfKindQuestion {
    static constexpr SqlText sql{R"sql(
SELECT opened_at AS at, key, instance FROM case_kinds INDEXED BY case_kinds_by_opening
WHERE tenant = :tenant AND flow = :flow AND kind = :kind AND status = :status)sql",
                                 opened_before};
};
struct CasesOfKindByDecision : CasesOfKindQuestion {
    static constexpr SqlText sql{R"sql(
SELECT reconciled_at AS at, key, instance FROM case_kinds INDEXED BY case_kinds_by_decision
WHERE status <> {pending} AND tenant = :tenant AND flow = :flow AND kind = :kind
  AND status = :status)sql",
                                 decided_before};
};

/// One instance, whole.
struct AskedInstance {
    const TenantId& tenant;
    std::string_view flow;
    std::string_view key;
    std::uint32_t instance = 0;
};
struct CaseBody {
    static constexpr SqlText sql{R"sql(
SELECT v.body AS body FROM cases c JOIN verdicts v ON v.id = c.verdict
WHERE c.tenant = :tenant AND c.key = :key AND c.flow = :flow AND c.instance = :instance)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("key", &AskedInstance::key),
        named("flow", &AskedInstance::flow),
        named("instance", &AskedInstance::instance),
    };
    using Row = Blob;
    static constexpr std::tuple columns{named("body", std::identity{})};
};

/// Figures over the cases of one flow.
struct AskedFigures {
    const StatsFilter& filter;
    std::string_view flow;
    model::VerdictStatus status = model::VerdictStatus::pending;
};

struct DecidedCase {
    std::int64_t kinds = 0;
    std::int64_t took_nanos = 0;  ///< from opening to the first decision
};

struct Decided {
    static constexpr SqlText sql{R"sql(
SELECT kinds, first_reconciled_at - opened_at AS took FROM cases INDEXED BY cases_by_decision
WHERE status <> {pending} AND tenant = :tenant AND flow = :flow AND status = :status
  AND reconciled_at >= :start AND reconciled_at < :end)sql"};
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&StatsFilter::tenant)),
        named("flow", &AskedFigures::flow),
        named("status", &AskedFigures::status),
        named("start", start_of(&StatsFilter::reconciled)),
        named("end", end_of(&StatsFilter::reconciled)),
    };
    using Row = DecidedCase;
    static constexpr std::tuple columns{
        named("kinds", &Row::kinds),
        named("took", &Row::took_nanos),
    };
};

struct MoneyAtRisk {
    static constexpr SqlText sql{R"sql(
SELECT at_risk FROM cases INDEXED BY cases_at_risk
WHERE at_risk <> '' AND tenant = :tenant AND flow = :flow
  AND reconciled_at >= :start AND reconciled_at < :end)sql"};
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&StatsFilter::tenant)),
        named("flow", &AskedFigures::flow),
        named("start", start_of(&StatsFilter::reconciled)),
        named("end", end_of(&StatsFilter::reconciled)),
    };
    using Row = std::string_view;  ///< join_money
    static constexpr std::tuple columns{named("at_risk", std::identity{})};
};

struct Pending {
    static constexpr SqlText sql{R"sql(
SELECT count(*) AS cases FROM cases INDEXED BY cases_by_opening
WHERE tenant = :tenant AND flow = :flow AND status = {pending})sql"};
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&StatsFilter::tenant)),
        named("flow", &AskedFigures::flow),
    };
    using Row = std::uint64_t;
    static constexpr std::tuple columns{named("cases", std::identity{})};
};

// ---- Events

inline constexpr char select_events[] = R"sql(
SELECT log_time, topic, partition, "offset", source, scope, event_id, content, identity, event_type,
  key, customer, event_time,
  (SELECT count(*) FROM event_copies c
   WHERE c.tenant = events.tenant AND c.event_id = events.event_id
     AND c.content = events.content) AS copies
FROM events )sql";
inline constexpr char events_range[] = R"sql(
  AND log_time >= :start AND log_time < :end AND (log_time, topic, partition, "offset")
    < (:after_time, :after_topic, :after_partition, :after_offset)
ORDER BY log_time DESC, topic DESC, partition DESC, "offset" DESC LIMIT :rows)sql";

struct EventColumns {
    using Row = EventRow;
    static constexpr std::tuple columns{
        named("log_time", &Row::log_time),
        named("topic", [](Row& row) -> auto& { return row.pointer.partition.topic; }),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
        named("source", &Row::source),
        named("scope", &Row::scope),
        named("event_id", &Row::event_id),
        named("content", &Row::content),
        named("identity", &Row::identity),
        named("event_type", &Row::type),
        named("key", &Row::key),
        named("customer", &Row::customer),
        named("event_time", &Row::event_time),
        named("copies", &Row::copies),
    };
};

struct EventsQuestion : EventColumns {
    using Values = Asked<EventFilter>;
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&EventFilter::tenant)),
        named("key", of_filter(&EventFilter::key)),
        named("type", of_filter(&EventFilter::type)),
        named("source", of_filter(&EventFilter::source)),
        named("start", start_of(&EventFilter::received)),
        named("end", end_of(&EventFilter::received)),
        named("after_time",
              cursor_or([](const EventCursor& c) { return to_nanos(c.log_time); }, unbounded)),
        named("after_topic",
              cursor_or([](const EventCursor& c) { return c.pointer.partition.topic; }, no_topic)),
        named("after_partition",
              cursor_or([](const EventCursor& c) { return c.pointer.partition.index; },
                        std::uint32_t{0})),
        named("after_offset", cursor_or([](const EventCursor& c) { return c.pointer.offset.value; },
                                        std::uint64_t{0})),
        named("rows", &Values::rows),
    };
};

struct EventsByKey : EventsQuestion {
    static constexpr SqlText sql{select_events, R"sql(INDEXED BY events_by_key
WHERE tenant = :tenant AND key = :key AND key <> ''
  AND (:type IS NULL OR event_type = :type) AND (:source IS NULL OR source = :source))sql",
                                 events_range};
};
struct EventsByType : EventsQuestion {
    static constexpr SqlText sql{select_events, R"sql(INDEXED BY events_by_type
WHERE tenant = :tenant AND event_type = :type
  AND (:key IS NULL OR key = :key) AND (:source IS NULL OR source = :source))sql",
                                 events_range};
};
struct EventsBySource : EventsQuestion {
    static constexpr SqlText sql{select_events, R"sql(INDEXED BY events_by_source
WHERE tenant = :tenant AND source = :source
  AND (:key IS NULL OR key = :key) AND (:type IS NULL OR event_type = :type))sql",
                                 events_range};
};
struct EventsByTime : EventsQuestion {
    static constexpr SqlText sql{select_events, R"sql(NOT INDEXED
WHERE tenant = :tenant AND (:key IS NULL OR key = :key)
  AND (:type IS NULL OR event_type = :type) AND (:source IS NULL OR source = :source))sql",
                                 events_range};
};

struct AskedWords {
    const TenantId& tenant;
    std::int64_t rows;
};

/// From one word to the next, so that what counts is how many there are.
struct WordsQuestion {
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("rows", &AskedWords::rows),
    };
    using Row = std::string;
    static constexpr std::tuple columns{named("word", std::identity{})};
};
struct SourcesOfEvents : WordsQuestion {
    static constexpr SqlText sql{R"sql(
WITH RECURSIVE known(word) AS (
  SELECT min(source) FROM events INDEXED BY events_by_source WHERE tenant = :tenant
  UNION ALL
  SELECT (SELECT min(source) FROM events INDEXED BY events_by_source
          WHERE tenant = :tenant AND source > known.word)
  FROM known WHERE known.word IS NOT NULL)
SELECT word FROM known WHERE word IS NOT NULL LIMIT :rows)sql"};
};
struct TypesOfEvents : WordsQuestion {
    static constexpr SqlText sql{R"sql(
WITH RECURSIVE known(word) AS (
  SELECT min(event_type) FROM events INDEXED BY events_by_type WHERE tenant = :tenant
  UNION ALL
  SELECT (SELECT min(event_type) FROM events INDEXED BY events_by_type
          WHERE tenant = :tenant AND event_type > known.word)
  FROM known WHERE known.word IS NOT NULL)
SELECT word FROM known WHERE word IS NOT NULL LIMIT :rows)sql"};
};

struct EventsById : EventColumns {
    static constexpr SqlText sql{select_events, R"sql(INDEXED BY events_by_identity
WHERE tenant = :tenant AND event_id = :event_id AND (:source IS NULL OR source = :source)
ORDER BY log_time DESC, topic DESC, partition DESC, "offset" DESC LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("event_id", &AskedById::id),
        named("source", &AskedById::source),
        named("rows", &AskedById::rows),
    };
};

/// Every record under an identity: those of its events, and their copies.
struct RecordsUnder {
    static constexpr SqlText sql{R"sql(
SELECT log_time, topic, partition, "offset", content FROM events INDEXED BY events_by_identity
WHERE tenant = :tenant AND event_id = :event_id AND source = :source AND scope = :scope
UNION ALL
SELECT log_time, topic, partition, "offset", content FROM event_copies
WHERE tenant = :tenant AND event_id = :event_id AND source = :source AND scope = :scope
ORDER BY log_time, topic, partition, "offset" LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("event_id", of_case(&EventRow::event_id)),
        named("source", of_case(&EventRow::source)),
        named("scope", of_case(&EventRow::scope)),
        named("rows", &AskedRecords::rows),
    };
    using Row = EventRecord;
    static constexpr std::tuple columns{
        named("log_time", [](Row& row) -> auto& { return row.place.log_time; }),
        named("topic", [](Row& row) -> auto& { return row.place.pointer.partition.topic; }),
        named("partition", [](Row& row) -> auto& { return row.place.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.place.pointer.offset.value; }),
        named("content", &Row::content),
    };
};

struct EventIds {
    static constexpr SqlText sql{R"sql(
SELECT DISTINCT event_id FROM events INDEXED BY events_by_identity
WHERE tenant = :tenant AND event_id >= :begin AND event_id < :end
  AND (:source IS NULL OR source = :source)
ORDER BY event_id LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),    named("begin", &AskedIds::begin),
        named("end", &AskedIds::end),   named("source", &AskedIds::source),
        named("rows", &AskedIds::rows),
    };
    using Row = std::string;
    static constexpr std::tuple columns{named("event_id", std::identity{})};
};

// ---- Quarantine

inline constexpr char select_quarantine[] = R"sql(
SELECT dlq_id, record_type, reason, detail, source, endpoint, scope, event_id, event_type, key,
  first_at, last_at, times, partition, "offset"
FROM quarantine )sql";
inline constexpr char quarantine_range[] = R"sql(
  AND last_at >= :start AND last_at < :end AND last_at <= :after_time
  AND (last_at < :after_time OR dlq_id > :after_id)
  AND (:source IS NULL OR source = :source) AND (:reason IS NULL OR reason = :reason)
ORDER BY last_at DESC, dlq_id LIMIT :rows)sql";

struct QuarantineColumns {
    using Row = QuarantineRow;
    static constexpr std::tuple columns{
        named("dlq_id", &Row::dlq_id),
        named("record_type",
              [](Row& row, std::int64_t type) {
                  row.confirmation = type != static_cast<int>(model::RecordType::quarantined);
              }),
        named("reason", &Row::reason),
        named("detail", &Row::detail),
        named("source", &Row::source),
        named("endpoint", &Row::endpoint),
        named("scope", &Row::scope),
        named("event_id", &Row::event_id),
        named("event_type", &Row::event_type),
        named("key", &Row::key),
        named("first_at", &Row::first_at),
        named("last_at", &Row::last_at),
        named("times", &Row::times),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
    };
};

struct QuarantineQuestion : QuarantineColumns {
    using Values = Asked<QuarantineFilter>;
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&QuarantineFilter::tenant)),
        named("start", start_of(&QuarantineFilter::last)),
        named("end", end_of(&QuarantineFilter::last)),
        named("after_time",
              cursor_or([](const QuarantineCursor& c) { return to_nanos(c.last_at); }, unbounded)),
        named("after_id",
              cursor_or([](const QuarantineCursor& c) { return std::string_view(c.dlq_id); },
                        std::string_view())),
        named("source", of_filter(&QuarantineFilter::source)),
        named("reason", of_filter(&QuarantineFilter::reason)),
        named("key", of_filter(&QuarantineFilter::key)),
        named("rows", &Values::rows),
    };
};

struct QuarantinedByTime : QuarantineQuestion {
    static constexpr SqlText sql{select_quarantine, R"sql(INDEXED BY quarantine_by_time
WHERE tenant = :tenant AND :key IS NULL)sql",
                                 quarantine_range};
};
struct QuarantinedByKey : QuarantineQuestion {
    static constexpr SqlText sql{select_quarantine, R"sql(INDEXED BY quarantine_by_key
WHERE tenant = :tenant AND key = :key AND key <> '')sql",
                                 quarantine_range};
};

struct QuarantinedItem : QuarantineColumns {
    static constexpr SqlText sql{select_quarantine, "WHERE tenant = :tenant AND dlq_id = :dlq_id"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("dlq_id", &AskedById::id),
    };
};

struct QuarantineIds {
    static constexpr SqlText sql{R"sql(
SELECT dlq_id FROM quarantine WHERE tenant = :tenant AND dlq_id >= :begin AND dlq_id < :end
ORDER BY dlq_id LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("begin", &AskedIds::begin),
        named("end", &AskedIds::end),
        named("rows", &AskedIds::rows),
    };
    using Row = std::string;
    static constexpr std::tuple columns{named("dlq_id", std::identity{})};
};

// ---- Flows, case records, counts

struct ActivatedFlows {
    static constexpr SqlText sql{R"sql(
SELECT flow, version, activated_at, hash, text FROM flows
WHERE tenant = :tenant ORDER BY flow, activated_at, version)sql"};
    static constexpr std::tuple parameters{named("tenant", std::identity{})};
    using Row = FlowRow;
    static constexpr std::tuple columns{
        named("flow", &Row::flow),
        named("version", &Row::version),
        named("activated_at", &Row::activated_at),
        named("hash", &Row::hash),
        named("text", &Row::text),
    };
};

struct CaseRecordColumns {
    using Row = CaseRecordPlace;
    static constexpr std::tuple columns{
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
        named("at", &Row::at),
    };
};

struct CaseLegs : CaseRecordColumns {
    static constexpr SqlText sql{R"sql(
SELECT partition, "offset", at FROM case_records
WHERE tenant = :tenant AND key = :key AND flow = :flow
ORDER BY partition, "offset" LIMIT :rows)sql"};
    static constexpr auto parameters = Revisions::parameters;
};

struct CaseControls : CaseRecordColumns {
    static constexpr SqlText sql{R"sql(
SELECT partition, "offset", at FROM control_records
WHERE partition = :partition AND kind = {flow} AND tenant = :tenant AND flow = :flow
ORDER BY "offset" LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("partition", &AskedControls::partition),
        named("tenant", of_case(&CaseId::tenant)),
        named("flow", of_case(&CaseId::flow)),
        named("rows", &AskedControls::rows),
    };
};

/// Those that end after a time (nanoseconds).
struct Absences {
    static constexpr SqlText sql{R"sql(
SELECT body FROM control_records
WHERE partition = (SELECT partition FROM case_records
                   WHERE tenant = :tenant AND key = :key AND flow = :flow LIMIT 1)
  AND kind = {absence} AND at > :after ORDER BY "offset")sql"};
    static constexpr std::tuple parameters{
        named("tenant", of_case(&CaseId::tenant)),
        named("key", of_case(&CaseId::key)),
        named("flow", of_case(&CaseId::flow)),
        named("after", &AskedCase::number),
    };
    using Row = Blob;  ///< model::encode
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct CountsInRange {
    static constexpr SqlText sql{R"sql(
SELECT minute, source, hop, counter, value FROM counts
WHERE tenant = :tenant AND minute >= :start AND minute < :end
  AND (:source IS NULL OR source = :source)
ORDER BY minute, source, hop, counter LIMIT :rows)sql"};
    using Values = Asked<CountFilter>;
    static constexpr std::tuple parameters{
        named("tenant", of_filter(&CountFilter::tenant)),
        named("start", start_of(&CountFilter::minutes)),
        named("end", end_of(&CountFilter::minutes)),
        named("source", of_filter(&CountFilter::source)),
        named("rows", &Values::rows),
    };
    using Row = CountRow;
    static constexpr std::tuple columns{
        named("minute", &Row::minute),   named("source", &Row::source), named("hop", &Row::hop),
        named("counter", &Row::counter), named("value", &Row::value),
    };
};

struct AppliedOffsets {
    static constexpr SqlText sql{"SELECT topic, partition, next_offset FROM applied_offsets"};
    static constexpr std::tuple<> parameters{};
    using Row = AppliedRow;
    static constexpr std::tuple columns{
        named("topic", &Row::topic),
        named("partition", &Row::partition),
        named("next_offset", &Row::next_offset),
    };
};

/// What people ask; dump and projector ask EveryRevision and AppliedOffsets for themselves.
using ReadStatements =
    PreparedAll<Latest, Revisions, FlowsWith, FlowsOfCases, CasesByOpening, CasesByDecision,
                CasesOfKindByOpening, CasesOfKindByDecision, CaseBody, Decided, MoneyAtRisk,
                Pending, EventsByKey, EventsByType, EventsBySource, EventsByTime, SourcesOfEvents,
                TypesOfEvents, EventsById, RecordsUnder, EventIds, QuarantinedByTime,
                QuarantinedByKey, QuarantinedItem, QuarantineIds, ActivatedFlows, CaseLegs,
                CaseControls, Absences, CountsInRange>;

}  // namespace helios::store
