#pragma once
/// Every statement that writes rows: its SQL beside what is bound to it. Each leaves a row alone
/// that is already there, but for sums, which rely on the transaction. Private to the room.

#include "model/topics.h"
#include "store/prepared.h"
#include "store/sql.h"
#include "store/written_rows.h"

namespace helios::store {

struct InsertEvent {
    static constexpr SqlText sql{R"sql(
INSERT INTO events(log_time, topic, partition, "offset", tenant, source, scope, event_id, content,
  identity, event_type, key, customer, event_time)
VALUES(:log_time, :topic, :partition, :offset, :tenant, :source, :scope, :event_id, :content,
  :identity, :event_type, :key, :customer, :event_time)
ON CONFLICT DO NOTHING)sql"};
    using Values = OfTenant<EventRow>;
    static constexpr std::tuple parameters{
        named("log_time", &Values::log_time),
        named("topic", [](const Values& v) { return v.pointer.partition.topic; }),
        named("partition", [](const Values& v) { return v.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.pointer.offset.value; }),
        named("tenant", &Values::tenant),
        named("source", &Values::source),
        named("scope", &Values::scope),
        named("event_id", &Values::event_id),
        named("content", &Values::content),
        named("identity", &Values::identity),
        named("event_type", &Values::type),
        named("key", &Values::key),
        named("customer", &Values::customer),
        named("event_time", &Values::event_time),
    };
};

/// The row of an event that has one.
struct EventLike {
    static constexpr SqlText sql{R"sql(
SELECT log_time, topic, partition, "offset" FROM events INDEXED BY events_by_identity
WHERE tenant = :tenant AND event_id = :event_id AND content = :content)sql"};
    using Values = OfTenant<EventRow>;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("event_id", &Values::event_id),
        named("content", &Values::content),
    };
    using Row = EventPlace;
    static constexpr std::tuple columns{
        named("log_time", &Row::log_time),
        named("topic", [](Row& row) -> auto& { return row.pointer.partition.topic; }),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
    };
};

struct DeleteEvent {
    static constexpr SqlText sql{R"sql(
DELETE FROM events WHERE log_time = :log_time AND topic = :topic AND partition = :partition
  AND "offset" = :offset)sql"};
    using Values = EventPlace;
    static constexpr std::tuple parameters{
        named("log_time", &Values::log_time),
        named("topic", [](const Values& v) { return v.pointer.partition.topic; }),
        named("partition", [](const Values& v) { return v.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.pointer.offset.value; }),
    };
};

/// A further record of an event.
struct InsertCopy {
    static constexpr SqlText sql{R"sql(
INSERT INTO event_copies(tenant, event_id, source, scope, content, log_time, topic, partition,
  "offset")
VALUES(:tenant, :event_id, :source, :scope, :content, :log_time, :topic, :partition, :offset)
ON CONFLICT DO NOTHING)sql"};
    struct Values {
        const OfTenant<EventRow>& of;
        EventPlace place;
    };
    static constexpr std::tuple parameters{
        named("tenant", of_case(&OfTenant<EventRow>::tenant)),
        named("event_id", of_case(&EventRow::event_id)),
        named("source", of_case(&EventRow::source)),
        named("scope", of_case(&EventRow::scope)),
        named("content", of_case(&EventRow::content)),
        named("log_time", part_of(&Values::place, &EventPlace::log_time)),
        named("topic", [](const Values& v) { return v.place.pointer.partition.topic; }),
        named("partition", [](const Values& v) { return v.place.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.place.pointer.offset.value; }),
    };
};

struct UpsertQuarantined {
    static constexpr SqlText sql{R"sql(
INSERT INTO quarantine(tenant, dlq_id, record_type, reason, detail, source, endpoint, scope,
  event_id, event_type, key, first_at, last_at, times, partition, "offset")
VALUES(:tenant, :dlq_id, :record_type, :reason, :detail, :source, :endpoint, :scope,
  :event_id, :event_type, :key, :first_at, :last_at, :times, :partition, :offset)
ON CONFLICT(tenant, dlq_id) DO UPDATE SET last_at = excluded.last_at,
  times = times + excluded.times, partition = excluded.partition, "offset" = excluded."offset"
WHERE excluded.last_at > last_at)sql"};
    using Values = OfTenant<QuarantineRow>;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("dlq_id", &Values::dlq_id),
        named("record_type",
              [](const Values& row) {
                  return row.confirmation ? model::RecordType::sns_confirmation
                                          : model::RecordType::quarantined;
              }),
        named("reason", &Values::reason),
        named("detail", &Values::detail),
        named("source", &Values::source),
        named("endpoint", &Values::endpoint),
        named("scope", &Values::scope),
        named("event_id", &Values::event_id),
        named("event_type", &Values::event_type),
        named("key", &Values::key),
        named("first_at", &Values::first_at),
        named("last_at", &Values::last_at),
        named("times", &Values::times),
        named("partition", [](const Values& v) { return v.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.pointer.offset.value; }),
    };
};

struct RepeatQuarantined {
    static constexpr SqlText sql{R"sql(
UPDATE quarantine SET times = times + :times, last_at = max(last_at, :last_at)
WHERE tenant = :tenant AND dlq_id = :dlq_id)sql"};
    using Values = QuarantineRepeatRow;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("dlq_id", &Values::dlq_id),
        named("times", &Values::times),
        named("last_at", &Values::last_at),
    };
};

struct InsertCaseLeg {
    static constexpr SqlText sql{R"sql(
INSERT INTO case_records(tenant, key, flow, partition, "offset", at)
VALUES(:tenant, :key, :flow, :partition, :offset, :at) ON CONFLICT DO NOTHING)sql"};
    using Values = CaseLegRow;
    static constexpr std::tuple parameters{
        named("tenant", part_of(&Values::of, &CaseId::tenant)),
        named("key", part_of(&Values::of, &CaseId::key)),
        named("flow", part_of(&Values::of, &CaseId::flow)),
        named("partition", [](const Values& v) { return v.place.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.place.pointer.offset.value; }),
        named("at", part_of(&Values::place, &CaseRecordPlace::at)),
    };
};

struct InsertControl {
    static constexpr SqlText sql{R"sql(
INSERT INTO control_records(partition, "offset", at, kind, tenant, flow, version, body)
VALUES(:partition, :offset, :at, :kind, :tenant, :flow, :version, :body)
ON CONFLICT DO NOTHING)sql"};
    using Values = ControlRow;
    static constexpr std::tuple parameters{
        named("partition", [](const Values& v) { return v.place.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.place.pointer.offset.value; }),
        named("at", part_of(&Values::place, &CaseRecordPlace::at)),
        named("kind", &Values::kind),
        named("tenant", &Values::tenant),
        named("flow", &Values::flow),
        named("version", &Values::version),
        named("body", [](const Values& row) { return Blob{row.body}; }),
    };
};

struct InsertVerdict {
    static constexpr SqlText sql{R"sql(
INSERT INTO verdicts(tenant, key, flow, instance, revision, partition, "offset", log_time, body)
VALUES(:tenant, :key, :flow, :instance, :revision, :partition, :offset, :log_time, :body)
ON CONFLICT DO NOTHING)sql"};
    using Values = VerdictRow;
    static constexpr std::tuple parameters{
        named("tenant", part_of(&Values::of, &CaseInstance::tenant)),
        named("key", part_of(&Values::of, &CaseInstance::key)),
        named("flow", part_of(&Values::of, &CaseInstance::flow)),
        named("instance", part_of(&Values::of, &CaseInstance::instance)),
        named("revision", &Values::revision),
        named("partition", [](const Values& v) { return v.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.pointer.offset.value; }),
        named("log_time", &Values::log_time),
        named("body", [](const Values& row) { return Blob{row.body}; }),
    };
};

/// What the row of a case says, if it has one.
struct CaseBefore {
    static constexpr SqlText sql{R"sql(
SELECT revision, kinds, first_reconciled_at FROM cases
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
    using Values = CaseInstance;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("key", &Values::key),
        named("flow", &Values::flow),
        named("instance", &Values::instance),
    };
    struct Row {
        std::uint32_t revision = 0;
        std::int64_t kinds = 0;
        std::optional<Instant> first_reconciled_at;
    };
    static constexpr std::tuple columns{
        named("revision", &Row::revision),
        named("kinds", &Row::kinds),
        named("first_reconciled_at", &Row::first_reconciled_at),
    };
};

struct CaseValues {
    const CaseInstance& of;
    const CaseRow& row;
    std::int64_t verdict;  ///< row id of the revision
    std::optional<Instant> first_reconciled_at;
};
struct CaseWritten {
    using Values = CaseValues;
    static constexpr std::tuple parameters{
        named("tenant", of_case(&CaseInstance::tenant)),
        named("key", of_case(&CaseInstance::key)),
        named("flow", of_case(&CaseInstance::flow)),
        named("instance", of_case(&CaseInstance::instance)),
        named("revision", of_row(&CaseRow::revision)),
        named("verdict", &Values::verdict),
        named("status", of_row(&CaseRow::status)),
        named("kinds", of_row(&CaseRow::kinds)),
        named("opened_at", of_row(&CaseRow::opened_at)),
        named("deadline", of_row(&CaseRow::deadline)),
        named("reconciled_at", of_row(&CaseRow::reconciled_at)),
        named("first_reconciled_at", &Values::first_reconciled_at),
        named("at_risk", of_row(&CaseRow::at_risk)),
    };
};
/// Asking for the row and then writing it costs less than one statement that does both and answers:
/// SQLite keeps such answers in a table of their own, made anew each time.
struct InsertCase : CaseWritten {
    static constexpr SqlText sql{R"sql(
INSERT INTO cases(tenant, key, flow, instance, revision, verdict, status, kinds, opened_at,
  deadline, reconciled_at, first_reconciled_at, at_risk)
VALUES(:tenant, :key, :flow, :instance, :revision, :verdict, :status, :kinds, :opened_at,
  :deadline, :reconciled_at, :first_reconciled_at, :at_risk))sql"};
};
struct UpdateCase : CaseWritten {
    static constexpr SqlText sql{R"sql(
UPDATE cases SET revision = :revision, verdict = :verdict, status = :status, kinds = :kinds,
  opened_at = :opened_at, deadline = :deadline, reconciled_at = :reconciled_at,
  first_reconciled_at = :first_reconciled_at, at_risk = :at_risk
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
};

/// One kind of finding of a case.
struct CaseKindValues {
    const CaseInstance& of;
    const CaseRow& row;
    int kind;  ///< its bit
};
struct UpsertCaseKind {
    static constexpr SqlText sql{R"sql(
INSERT INTO case_kinds(tenant, key, flow, instance, kind, status, opened_at, reconciled_at)
VALUES(:tenant, :key, :flow, :instance, :kind, :status, :opened_at, :reconciled_at)
ON CONFLICT(tenant, key, flow, instance, kind) DO UPDATE SET status = excluded.status,
  opened_at = excluded.opened_at, reconciled_at = excluded.reconciled_at)sql"};
    using Values = CaseKindValues;
    static constexpr std::tuple parameters{
        named("tenant", of_case(&CaseInstance::tenant)),
        named("key", of_case(&CaseInstance::key)),
        named("flow", of_case(&CaseInstance::flow)),
        named("instance", of_case(&CaseInstance::instance)),
        named("kind", &Values::kind),
        named("status", of_row(&CaseRow::status)),
        named("opened_at", of_row(&CaseRow::opened_at)),
        named("reconciled_at", of_row(&CaseRow::reconciled_at)),
    };
};
struct DeleteCaseKind {
    static constexpr SqlText sql{R"sql(
DELETE FROM case_kinds WHERE tenant = :tenant AND key = :key AND flow = :flow
  AND instance = :instance AND kind = :kind)sql"};
    using Values = CaseKindValues;
    static constexpr std::tuple parameters{
        named("tenant", of_case(&CaseInstance::tenant)),
        named("key", of_case(&CaseInstance::key)),
        named("flow", of_case(&CaseInstance::flow)),
        named("instance", of_case(&CaseInstance::instance)),
        named("kind", &Values::kind),
    };
};

struct UpsertFlow {
    static constexpr SqlText sql{R"sql(
INSERT INTO flows(tenant, flow, version, activated_at, hash, text)
VALUES(:tenant, :flow, :version, :activated_at, :hash, :text)
ON CONFLICT(tenant, flow, version) DO UPDATE SET activated_at = excluded.activated_at
WHERE excluded.activated_at > activated_at)sql"};
    using Values = OfTenant<FlowRow>;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),   named("flow", &Values::flow),
        named("version", &Values::version), named("activated_at", &Values::activated_at),
        named("hash", &Values::hash),       named("text", &Values::text),
    };
};

struct AddCount {
    static constexpr SqlText sql{R"sql(
INSERT INTO counts(tenant, minute, source, hop, counter, value)
VALUES(:tenant, :minute, :source, :hop, :counter, :value)
ON CONFLICT(tenant, minute, source, hop, counter) DO UPDATE SET value = value + excluded.value
)sql"};
    using Values = std::pair<const CountKey, std::uint64_t>;
    static constexpr std::tuple parameters{
        named("tenant", part_of(&Values::first, &CountKey::tenant)),
        named("minute", part_of(&Values::first, &CountKey::minute)),
        named("source", part_of(&Values::first, &CountKey::source)),
        named("hop", part_of(&Values::first, &CountKey::hop)),
        named("counter", part_of(&Values::first, &CountKey::counter)),
        named("value", &Values::second),
    };
};

/// A sum from which something was taken leaves no row if nothing is left.
struct DeleteEmptyCount {
    static constexpr SqlText sql{R"sql(
DELETE FROM counts WHERE tenant = :tenant AND minute = :minute AND source = :source AND hop = :hop
  AND counter = :counter AND value = 0)sql"};
    using Values = CountKey;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),   named("minute", &Values::minute),
        named("source", &Values::source),   named("hop", &Values::hop),
        named("counter", &Values::counter),
    };
};

struct SetApplied {
    static constexpr SqlText sql{R"sql(
INSERT INTO applied_offsets(topic, partition, next_offset)
VALUES(:topic, :partition, :next_offset)
ON CONFLICT(topic, partition) DO UPDATE SET next_offset = excluded.next_offset)sql"};
    using Values = AppliedRow;
    static constexpr std::tuple parameters{
        named("topic", &Values::topic),
        named("partition", &Values::partition),
        named("next_offset", &Values::next_offset),
    };
};

using WriteStatements =
    PreparedAll<InsertEvent, EventLike, DeleteEvent, InsertCopy, UpsertQuarantined,
                RepeatQuarantined, InsertCaseLeg, InsertControl, InsertVerdict, CaseBefore,
                InsertCase, UpdateCase, UpsertCaseKind, DeleteCaseKind, UpsertFlow, AddCount,
                DeleteEmptyCount, SetApplied>;

}  // namespace helios::store
