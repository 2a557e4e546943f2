#pragma once
/// Every statement that writes rows: its SQL beside what is bound to it. Each leaves a row alone
/// that is already there, but for sums, which rely on the transaction. Private to the room.

#include "model/topics.h"
#include "store/case_columns.h"
#include "store/case_sums.h"
#include "store/kinds.h"
#include "store/prepared.h"
#include "store/slice.h"
#include "store/sql.h"
#include "store/written_rows.h"

namespace helios::store {

struct UpsertQuarantined {
    static constexpr SqlText sql{R"sql(
INSERT INTO quarantine(tenant, dlq_id, record_type, reason, detail, source, endpoint, scope,
  event_id, event_type, key, first_at, last_at, times, partition, "offset", kind, bytes)
VALUES(:tenant, :dlq_id, :record_type, :reason, :detail, :source, :endpoint, :scope,
  :event_id, :event_type, :key, :first_at, :last_at, :times, :partition, :offset, :kind, :bytes)
ON CONFLICT(tenant, dlq_id) DO UPDATE SET last_at = excluded.last_at,
  times = times + excluded.times, partition = excluded.partition, "offset" = excluded."offset",
  bytes = excluded.bytes
WHERE excluded.last_at > last_at)sql"};
    struct Values {
        const OfTenant<QuarantineRow>& of;
        std::int64_t kind;
    };
    static constexpr std::tuple parameters{
        named("tenant", of_case(&OfTenant<QuarantineRow>::tenant)),
        named("dlq_id", of_case(&OfTenant<QuarantineRow>::dlq_id)),
        named("record_type",
              [](const Values& v) {
                  return v.of.confirmation ? model::RecordType::sns_confirmation
                                           : model::RecordType::quarantined;
              }),
        named("reason", of_case(&OfTenant<QuarantineRow>::reason)),
        named("detail", of_case(&OfTenant<QuarantineRow>::detail)),
        named("source", of_case(&OfTenant<QuarantineRow>::source)),
        named("endpoint", of_case(&OfTenant<QuarantineRow>::endpoint)),
        named("scope", of_case(&OfTenant<QuarantineRow>::scope)),
        named("event_id", of_case(&OfTenant<QuarantineRow>::event_id)),
        named("event_type", of_case(&OfTenant<QuarantineRow>::event_type)),
        named("key", of_case(&OfTenant<QuarantineRow>::key)),
        named("first_at", of_case(&OfTenant<QuarantineRow>::first_at)),
        named("last_at", of_case(&OfTenant<QuarantineRow>::last_at)),
        named("times", of_case(&OfTenant<QuarantineRow>::times)),
        named("partition", [](const Values& v) { return v.of.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.of.pointer.offset.value; }),
        named("kind", &Values::kind),
        named("bytes", of_case(&OfTenant<QuarantineRow>::bytes)),
    };
};

struct InsertQuarantineKind {
    static constexpr SqlText sql{R"sql(
INSERT INTO quarantine_kinds(id, tenant, source, reason)
VALUES(:id, :tenant, :source, :reason))sql"};
    static constexpr std::tuple parameters{
        named("id", &Kind::id),
        named("tenant", &Kind::tenant),
        named("source", &Kind::source),
        named("reason", &Kind::name),
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

/// Of an item that is there still.
struct InsertDlqOutcome {
    static constexpr SqlText sql{R"sql(
INSERT INTO dlq_outcomes(tenant, dlq_id, partition, "offset", what, attempt, source, scope,
  event_id, reason, detail, who, at, redrive, edited)
SELECT :tenant, :dlq_id, :partition, :offset, :what, :attempt, :source, :scope,
  :event_id, :reason, :detail, :who, :at, :redrive, :edited
WHERE EXISTS(SELECT 1 FROM quarantine WHERE tenant = :tenant AND dlq_id = :dlq_id)
ON CONFLICT(tenant, dlq_id, partition, "offset") DO NOTHING)sql"};
    using Values = OfTenant<DlqOutcomeRow>;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("dlq_id", &Values::dlq_id),
        named("partition", [](const Values& v) { return v.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.pointer.offset.value; }),
        named("what", &Values::what),
        named("attempt", &Values::attempt),
        named("source", &Values::source),
        named("scope", &Values::scope),
        named("event_id", &Values::event_id),
        named("reason", &Values::reason),
        named("detail", &Values::detail),
        named("who", &Values::who),
        named("at", &Values::at),
        named("redrive", &Values::redrive),
        named("edited", &Values::edited),
    };
};

/// What has become an event stays so; what is discarded leaves that only by becoming one.
struct SettleQuarantined {
    static constexpr SqlText sql{R"sql(
UPDATE quarantine SET attempts = max(attempts, :attempt), status = CASE
  WHEN :what IN ({accepted}, {duplicate}) OR status = {is_accepted} THEN {is_accepted}
  WHEN :what = {discarded} THEN {is_discarded}
  WHEN :what = {exhausted} AND status = {waiting} THEN {is_exhausted}
  ELSE status END
WHERE tenant = :tenant AND dlq_id = :dlq_id)sql"};
    using Values = OfTenant<DlqOutcomeRow>;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("dlq_id", &Values::dlq_id),
        named("what", &Values::what),
        named("attempt", &Values::attempt),
    };
};

/// What became of an item of a redrive; its begin may be read later, as it stands in another
/// partition.
struct AddToRedrive {
    static constexpr SqlText sql{R"sql(
INSERT INTO redrives(tenant, id, accepted, duplicate, conflict, failed)
VALUES(:tenant, :redrive, :accepted, :duplicate, :conflict, :failed)
ON CONFLICT(tenant, id) DO UPDATE SET accepted = accepted + excluded.accepted,
  duplicate = duplicate + excluded.duplicate, conflict = conflict + excluded.conflict,
  failed = failed + excluded.failed)sql"};
    using Values = OfTenant<DlqOutcomeRow>;
    static bool is_conflict(const Values& v) {
        return v.what == model::DlqResult::conflict ||
               (v.what == model::DlqResult::exhausted && v.reason == "conflict");
    }
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant),
        named("redrive", &Values::redrive),
        named("accepted", [](const Values& v) { return v.what == model::DlqResult::accepted; }),
        named("duplicate", [](const Values& v) { return v.what == model::DlqResult::duplicate; }),
        named("conflict", [](const Values& v) { return is_conflict(v); }),
        named("failed",
              [](const Values& v) { return !model::is_settled(v.what) && !is_conflict(v); }),
    };
};
struct BeginRedrive {
    static constexpr SqlText sql{R"sql(
INSERT INTO redrives(tenant, id, filter, who, begun_at, until, total)
VALUES(:tenant, :id, :filter, :who, :at, :until, :total)
ON CONFLICT(tenant, id) DO UPDATE SET filter = excluded.filter, who = excluded.who,
  begun_at = excluded.begun_at, until = excluded.until, total = excluded.total)sql"};
    using Values = model::RedriveRecord;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant), named("id", &Values::id),
        named("filter", &Values::filter), named("who", &Values::who),
        named("at", &Values::at),         named("until", &Values::until),
        named("total", &Values::total),
    };
};
struct EndRedrive {
    static constexpr SqlText sql{R"sql(
UPDATE redrives SET phase = :phase, skipped = :skipped, ended_at = :at, detail = :detail
WHERE tenant = :tenant AND id = :id)sql"};
    using Values = model::RedriveRecord;
    static constexpr std::tuple parameters{
        named("tenant", &Values::tenant), named("id", &Values::id),
        named("phase", &Values::phase),   named("skipped", &Values::skipped),
        named("at", &Values::at),         named("detail", &Values::detail),
    };
};
/// Few.
struct DeleteRedrives {
    static constexpr SqlText sql{"DELETE FROM redrives WHERE ended_at < :until"};
    using Values = Instant;
    static constexpr std::tuple parameters{named("until", std::identity{})};
};

struct InsertCaseLeg {
    static constexpr SqlText sql{R"sql(
INSERT INTO case_records(tenant, key, flow, partition, "offset", at)
VALUES(:tenant, :key, :flow, :partition, :offset, :at) ON CONFLICT DO NOTHING)sql"};
    using Values = CaseLegRow;
    static constexpr std::tuple parameters = with_case(
        named("partition", [](const Values& v) { return v.place.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.place.pointer.offset.value; }),
        named("at", part_of(&Values::place, &CaseRecordPlace::at)));
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
    static constexpr std::tuple parameters =
        with_instance(named("revision", &Values::revision),
                      named("partition", [](const Values& v) { return v.pointer.partition.index; }),
                      named("offset", [](const Values& v) { return v.pointer.offset.value; }),
                      named("log_time", &Values::log_time),
                      named("body", [](const Values& row) { return Blob{row.body}; }));
};

/// What a case is before a batch changes it.
struct CaseBefore {
    std::uint32_t revision = 0;
    model::VerdictStatus status = model::VerdictStatus::pending;
    std::int64_t kinds = 0;
    Instant opened_at;
    std::optional<Instant> reconciled_at;
    std::optional<Instant> first_reconciled_at;
    std::string at_risk;
};
struct TheCase {
    static constexpr SqlText sql{R"sql(
SELECT revision, status, kinds, opened_at, reconciled_at, first_reconciled_at, at_risk FROM cases
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
    static constexpr std::tuple parameters = with_instance();
    using Row = CaseBefore;
    static constexpr std::tuple columns =
        with_state(named("first_reconciled_at", &Row::first_reconciled_at));
};

struct EveryCase {
    static constexpr SqlText sql{R"sql(
SELECT tenant, key, flow, instance, revision, status, kinds, opened_at, reconciled_at,
  first_reconciled_at, at_risk FROM cases)sql"};
    static constexpr std::tuple<> parameters{};
    struct Row {
        FoundCase of;
        CaseBefore row;
    };
    static constexpr auto columns = std::tuple_cat(
        with_instance(), with_state(named("first_reconciled_at", [](Row& row) -> auto& {
            return row.row.first_reconciled_at;
        })));
};

struct CaseValues {
    const CaseInstance& of;
    const CaseRow& row;
    std::int64_t verdict;  ///< row id of the revision
    std::optional<Instant> first_reconciled_at;
};
struct CaseWritten {
    using Values = CaseValues;
    static constexpr auto parameters = std::tuple_cat(
        with_instance(), with_state(named("verdict", &Values::verdict),
                                    named("deadline", of_row(&CaseRow::deadline)),
                                    named("first_reconciled_at", &Values::first_reconciled_at)));
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
    static constexpr auto parameters =
        std::tuple_cat(with_instance(named("kind", &Values::kind)), with_times());
};
struct DeleteCaseKind {
    static constexpr SqlText sql{R"sql(
DELETE FROM case_kinds WHERE tenant = :tenant AND key = :key AND flow = :flow
  AND instance = :instance AND kind = :kind)sql"};
    using Values = CaseKindValues;
    static constexpr std::tuple parameters = with_instance(named("kind", &Values::kind));
};

struct DeleteCaseKinds {
    static constexpr SqlText sql{R"sql(
DELETE FROM case_kinds
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
    static constexpr std::tuple parameters = with_instance();
};
struct DeleteCase {
    static constexpr SqlText sql{R"sql(
DELETE FROM cases
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
    static constexpr std::tuple parameters = with_instance();
};
struct DeleteRevisions {
    static constexpr SqlText sql{R"sql(
DELETE FROM verdicts
WHERE tenant = :tenant AND key = :key AND flow = :flow AND instance = :instance)sql"};
    static constexpr std::tuple parameters = with_instance();
};

/// Cases of a flow and status that were decided before a time.
struct DecidedBefore {
    static constexpr SqlText sql{R"sql(
SELECT tenant, key, flow, instance FROM cases INDEXED BY cases_by_decision
WHERE status <> {pending} AND tenant = :tenant AND flow = :flow AND status = :status
  AND reconciled_at < :until LIMIT :rows)sql"};
    struct Values {
        const FlowOfTenant& of;
        model::VerdictStatus status;
        Instant until;
        std::int64_t rows;
    };
    static constexpr std::tuple parameters{
        named("tenant", of_case(&FlowOfTenant::tenant)),
        named("flow", of_case(&FlowOfTenant::flow)),
        named("status", &Values::status),
        named("until", &Values::until),
        named("rows", &Values::rows),
    };
    using Row = FoundCase;
    static constexpr std::tuple columns = with_instance();
};
struct DeleteQuarantined {
    static constexpr SqlText sql{R"sql(
DELETE FROM quarantine WHERE (tenant, dlq_id) IN (
  SELECT tenant, dlq_id FROM quarantine INDEXED BY quarantine_by_age WHERE last_at < :until
  ORDER BY last_at LIMIT :rows))sql"};
    struct Values {
        Instant until;
        std::int64_t rows;
    };
    static constexpr std::tuple parameters{
        named("until", &Values::until),
        named("rows", &Values::rows),
    };
};

// ---- Sums

/// What a kept sum is of.
struct SumKey {
    TenantId tenant;
    std::string flow;
    SumLevel level = SumLevel::half_minute;
    Instant start;
    friend auto operator<=>(const SumKey&, const SumKey&) = default;
};
struct TheSum {
    static constexpr SqlText sql{R"sql(
SELECT body FROM case_sums
WHERE tenant = :tenant AND flow = :flow AND level = :level AND "start" = :start)sql"};
    static constexpr std::tuple parameters{
        named("tenant", &SumKey::tenant),
        named("flow", &SumKey::flow),
        named("level", &SumKey::level),
        named("start", &SumKey::start),
    };
    using Row = Blob;  ///< CaseSums::encode
    static constexpr std::tuple columns{named("body", std::identity{})};
};
struct PutSum {
    static constexpr SqlText sql{R"sql(
INSERT INTO case_sums(tenant, flow, level, "start", body)
VALUES(:tenant, :flow, :level, :start, :body)
ON CONFLICT(tenant, flow, level, "start") DO UPDATE SET body = excluded.body)sql"};
    struct Values {
        const SumKey& of;
        std::string_view body;
    };
    static constexpr std::tuple parameters{
        named("tenant", of_case(&SumKey::tenant)),
        named("flow", of_case(&SumKey::flow)),
        named("level", of_case(&SumKey::level)),
        named("start", of_case(&SumKey::start)),
        named("body", [](const Values& v) { return Blob{v.body}; }),
    };
};
struct DeleteSum {
    static constexpr SqlText sql{R"sql(
DELETE FROM case_sums
WHERE tenant = :tenant AND flow = :flow AND level = :level AND "start" = :start)sql"};
    static constexpr auto parameters = TheSum::parameters;
};
/// A row per flow that ever had a case.
struct AddOpen {
    static constexpr SqlText sql{R"sql(
INSERT INTO open_cases(tenant, flow, cases) VALUES(:tenant, :flow, :cases)
ON CONFLICT(tenant, flow) DO UPDATE SET cases = cases + excluded.cases)sql"};
    using Values = std::pair<const FlowOfTenant, std::int64_t>;
    static constexpr std::tuple parameters{
        named("tenant", part_of(&Values::first, &FlowOfTenant::tenant)),
        named("flow", part_of(&Values::first, &FlowOfTenant::flow)),
        named("cases", &Values::second),
    };
};
struct FlowsWithCases {
    static constexpr SqlText sql{"SELECT tenant, flow FROM open_cases ORDER BY tenant, flow"};
    static constexpr std::tuple<> parameters{};
    using Row = FoundFlow;
    static constexpr std::tuple columns{named("tenant", &Row::tenant), named("flow", &Row::flow)};
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

struct SetApplied {
    static constexpr SqlText sql{R"sql(
INSERT INTO applied_offsets(topic, partition, next_offset)
VALUES(:topic, :partition, :next_offset)
ON CONFLICT(topic, partition) DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)
)sql"};
    using Values = AppliedRow;
    static constexpr std::tuple parameters{
        named("topic", &Values::topic),
        named("partition", &Values::partition),
        named("next_offset", &Values::next_offset),
    };
};

// ---- Slices, as the current file knows them

struct SetSlice {
    static constexpr SqlText sql{R"sql(
INSERT INTO slices("start", "end", sealed) VALUES(:start, :end, :sealed)
ON CONFLICT("start") DO UPDATE SET sealed = excluded.sealed)sql"};
    static constexpr std::tuple parameters{
        named("start", part_of(&KnownSlice::range, &SliceRange::start)),
        named("end", part_of(&KnownSlice::range, &SliceRange::end)),
        named("sealed", &KnownSlice::sealed),
    };
};
struct ForgetSlices {
    static constexpr SqlText sql{R"sql(DELETE FROM slices WHERE "end" <= :until)sql"};
    static constexpr std::tuple parameters{named("until", std::identity{})};
};
struct ForgetDropped {
    static constexpr SqlText sql{"DELETE FROM dropped_slices WHERE until < :until"};
    static constexpr std::tuple parameters{named("until", std::identity{})};
};
struct SetDropped {
    static constexpr SqlText sql{"INSERT INTO dropped_slices(until) VALUES(:until)"};
    static constexpr std::tuple parameters{named("until", std::identity{})};
};
/// Options that a store that is made anew takes over.
struct KeptOptions {
    std::int64_t slice = 0;          ///< nanoseconds
    std::int64_t copies_within = 0;  ///< nanoseconds
    friend bool operator==(const KeptOptions&, const KeptOptions&) = default;
};
struct TheKeptOptions {
    static constexpr SqlText sql{"SELECT slice, copies_within FROM kept_options"};
    static constexpr std::tuple<> parameters{};
    using Row = KeptOptions;
    static constexpr std::tuple columns{
        named("slice", &Row::slice),
        named("copies_within", &Row::copies_within),
    };
};
struct ForgetOptions {
    static constexpr SqlText sql{"DELETE FROM kept_options"};
    static constexpr std::tuple<> parameters{};
};
struct KeepOptions {
    static constexpr SqlText sql{
        "INSERT INTO kept_options(slice, copies_within) VALUES(:slice, :copies_within)"};
    static constexpr std::tuple parameters{
        named("slice", &KeptOptions::slice),
        named("copies_within", &KeptOptions::copies_within),
    };
};

/// Counts of minutes before a time.
struct DeleteCounts {
    static constexpr SqlText sql{"DELETE FROM counts WHERE minute < :until"};
    static constexpr std::tuple parameters{named("until", std::identity{})};
};

using WriteStatements =
    PreparedAll<UpsertQuarantined, InsertQuarantineKind, RepeatQuarantined, InsertDlqOutcome,
                SettleQuarantined, AddToRedrive, BeginRedrive, EndRedrive, DeleteRedrives,
                InsertControl, InsertVerdict, TheCase, InsertCase, UpdateCase, UpsertCaseKind,
                DeleteCaseKind, DeleteCaseKinds, DeleteCase, DeleteRevisions, DecidedBefore,
                DeleteQuarantined, TheSum, PutSum, DeleteSum, AddOpen, FlowsWithCases, UpsertFlow,
                AddCount, SetApplied, SetSlice, ForgetSlices, ForgetDropped, SetDropped,
                TheKeptOptions, ForgetOptions, KeepOptions, DeleteCounts>;

}  // namespace helios::store
