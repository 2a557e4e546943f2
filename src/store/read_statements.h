#pragma once
/// Every question to the tables: its SQL beside the parameters it is asked with and the columns it
/// answers. Private to the room.
///
/// An equality drives each of them on an index of its own, named so that the planner takes no
/// other; filters that may be absent are NULL.

#include <limits>

#include "model/topics.h"
#include "store/case_columns.h"
#include "store/case_sums.h"
#include "store/kinds.h"
#include "store/prepared.h"
#include "store/rows.h"
#include "store/slice.h"
#include "store/sql.h"
#include "store/written_rows.h"

namespace helios::store {

/// A filter, and how many rows are wanted.
template <class Filter>
struct Asked {
    const Filter& filter;
    std::int64_t rows;
};

struct AskedCase {
    const CaseId& of;
    std::int64_t rows;
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

struct OpenOfFlow {
    std::string flow;
    std::uint64_t cases = 0;
};

// ---- Cases

struct Latest {
    static constexpr SqlText sql{R"sql(
SELECT v.body AS body FROM cases c JOIN verdicts v ON v.id = c.verdict
WHERE c.tenant = :tenant AND c.key = :key AND c.flow = :flow
ORDER BY c.instance DESC LIMIT 1)sql"};
    static constexpr std::tuple parameters = with_case();
    using Row = Blob;  ///< model::encode of the verdict
    static constexpr std::tuple columns{named("body", std::identity{})};
};

struct Revisions {
    static constexpr SqlText sql{R"sql(
SELECT body FROM verdicts WHERE tenant = :tenant AND key = :key AND flow = :flow
ORDER BY instance DESC, revision DESC LIMIT :rows)sql"};
    static constexpr std::tuple parameters = with_case(named("rows", &AskedCase::rows));
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
    static constexpr std::tuple parameters = with_instance();
    using Row = Blob;
    static constexpr std::tuple columns{named("body", std::identity{})};
};

/// A flow of a tenant, and what of it.
struct AskedSums {
    const TenantId& tenant;
    std::string_view flow;
    SumSpan span;
    model::VerdictStatus status = model::VerdictStatus::matched;  ///< one by one
};
struct SumsIn {
    static constexpr SqlText sql{R"sql(
SELECT body FROM case_sums WHERE tenant = :tenant AND flow = :flow AND level = :level
  AND "start" >= :start AND "start" < :end)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("flow", &AskedSums::flow),
        named("level", part_of(&AskedSums::span, &SumSpan::level)),
        named("start", part_of(&AskedSums::span, &SumSpan::start)),
        named("end", part_of(&AskedSums::span, &SumSpan::end)),
    };
    using Row = Blob;  ///< CaseSums::encode
    static constexpr std::tuple columns{named("body", std::identity{})};
};

/// One by one, of one status: for less than half a minute.
struct DecidedQuestion {
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("flow", &AskedSums::flow),
        named("status", &AskedSums::status),
        named("start", part_of(&AskedSums::span, &SumSpan::start)),
        named("end", part_of(&AskedSums::span, &SumSpan::end)),
    };
    using Row = CaseFigures;
    static constexpr std::tuple figures{
        named("status", &Row::status),
        named("kinds", &Row::kinds),
        named("took", [](Row& row, std::int64_t nanos) { row.took = Duration{nanos}; }),
    };
};
inline constexpr char decided_in[] = R"sql(
  AND tenant = :tenant AND flow = :flow AND status = :status
  AND reconciled_at >= :start AND reconciled_at < :end)sql";
struct DecidedIn : DecidedQuestion {
    static constexpr SqlText sql{R"sql(
SELECT status, kinds, first_reconciled_at - opened_at AS took
FROM cases INDEXED BY cases_by_decision WHERE status <> {pending})sql",
                                 decided_in};
    static constexpr auto columns = figures;
};
/// With money at risk, which the index does not hold: of statuses that few cases have.
struct BrokenIn : DecidedQuestion {
    static constexpr SqlText sql{R"sql(
SELECT status, kinds, first_reconciled_at - opened_at AS took, at_risk
FROM cases INDEXED BY cases_by_decision WHERE status <> {pending})sql",
                                 decided_in};
    static constexpr auto columns =
        std::tuple_cat(figures, std::tuple{named("at_risk", &Row::at_risk)});
};

/// A row for each flow that ever had a case.
struct OpenCases {
    static constexpr SqlText sql{R"sql(
SELECT flow, cases FROM open_cases WHERE tenant = :tenant ORDER BY flow)sql"};
    static constexpr std::tuple parameters{named("tenant", std::identity{})};
    using Row = OpenOfFlow;
    static constexpr std::tuple columns{named("flow", &Row::flow), named("cases", &Row::cases)};
};

// ---- Quarantine

inline constexpr char select_quarantine[] = R"sql(
SELECT dlq_id, record_type, reason, detail, source, endpoint, scope, event_id, event_type, key,
  first_at, last_at, times, status, attempts, partition, "offset"
FROM quarantine )sql";
inline constexpr char quarantine_range[] = R"sql(
  AND status = :status
  AND last_at >= :start AND (last_at, dlq_id) < (:before_time, :before_id)
  AND (:source IS NULL OR source = :source) AND (:reason IS NULL OR reason = :reason)
  AND (:type IS NULL OR event_type = :type)
ORDER BY last_at DESC, dlq_id DESC LIMIT :rows)sql";

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
        named("status", &Row::status),
        named("attempts", &Row::attempts),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
    };
};

/// Kinds of what is in quarantine.
struct AllQuarantineKinds {
    static constexpr SqlText sql{"SELECT id, tenant, source, reason FROM quarantine_kinds"};
    static constexpr std::tuple<> parameters{};
    using Row = Kind;
    static constexpr std::tuple columns{
        named("id", &Row::id),
        named("tenant", &Row::tenant),
        named("source", &Row::source),
        named("reason", &Row::name),
    };
};
/// Of a tenant; there are at most Options::kinds_max and one.
struct QuarantineKindsOf : AllQuarantineKinds {
    static constexpr SqlText sql{R"sql(
SELECT id, tenant, source, reason FROM quarantine_kinds INDEXED BY quarantine_kinds_by_tenant
WHERE tenant = :tenant)sql"};
    static constexpr std::tuple parameters{named("tenant", std::identity{})};
};

/// Of one kind, newest first, below a place.
struct AskedQuarantine {
    const QuarantineFilter& filter;
    std::int64_t kind;
    const QuarantineCursor& before;
    std::int64_t rows;
};
struct QuarantineQuestion : QuarantineColumns {
    using Values = AskedQuarantine;
    static constexpr std::tuple parameters{
        named("kind", &Values::kind),
        named("status", [](const Values& v) { return v.filter.status; }),
        named("start", start_of(&QuarantineFilter::last)),
        named("before_time", [](const Values& v) -> const auto& { return v.before.last_at; }),
        named("before_id", [](const Values& v) -> const auto& { return v.before.dlq_id; }),
        named("source", of_filter(&QuarantineFilter::source)),
        named("reason", of_filter(&QuarantineFilter::reason)),
        named("type", of_filter(&QuarantineFilter::type)),
        named("rows", &Values::rows),
    };
};
struct QuarantinedOfKind : QuarantineQuestion {
    static constexpr SqlText sql{select_quarantine, R"sql(INDEXED BY quarantine_by_kind
WHERE kind = :kind)sql",
                                 quarantine_range};
};
struct QuarantinedOfKindAndType : QuarantineQuestion {
    static constexpr SqlText sql{select_quarantine, R"sql(INDEXED BY quarantine_by_type
WHERE event_type = :type AND kind = :kind)sql",
                                 quarantine_range};
};
struct QuarantinedOfKindAndKey : QuarantineQuestion {
    static constexpr SqlText sql{select_quarantine, R"sql(INDEXED BY quarantine_by_key
WHERE kind = :kind AND key = :key AND key <> '')sql",
                                 quarantine_range};
    static constexpr auto parameters =
        std::tuple_cat(QuarantineQuestion::parameters,
                       std::tuple{named("key", of_filter(&QuarantineFilter::key))});
};

struct QuarantinedItem : QuarantineColumns {
    static constexpr SqlText sql{select_quarantine, "WHERE tenant = :tenant AND dlq_id = :dlq_id"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("dlq_id", &AskedById::id),
    };
};

/// How much waits, once per partition that has been taken in, at least once; in one statement, so
/// that both are as of one moment.
struct HowMuchWaits {
    static constexpr SqlText sql{R"sql(
SELECT bytes, coalesce(partition, 0) AS partition, coalesce(next_offset, 0) AS next_offset
FROM quarantine_size LEFT JOIN applied_offsets ON topic = :topic)sql"};
    static constexpr std::tuple parameters{named("topic", std::identity{})};
    struct Row {
        std::uint64_t bytes = 0;
        std::uint32_t partition = 0;
        std::uint64_t next_offset = 0;
    };
    static constexpr std::tuple columns{
        named("bytes", &Row::bytes),
        named("partition", &Row::partition),
        named("next_offset", &Row::next_offset),
    };
};

/// What became of one item, oldest first.
struct DlqOutcomes {
    static constexpr SqlText sql{R"sql(
SELECT dlq_id, what, attempt, source, scope, event_id, reason, detail, who, at, redrive, edited,
  partition, "offset"
FROM dlq_outcomes WHERE tenant = :tenant AND dlq_id = :dlq_id
ORDER BY partition, "offset" LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("dlq_id", &AskedById::id),
        named("rows", &AskedById::rows),
    };
    using Row = DlqOutcomeRow;
    static constexpr std::tuple columns{
        named("dlq_id", &Row::dlq_id),
        named("what", &Row::what),
        named("attempt", &Row::attempt),
        named("source", &Row::source),
        named("scope", &Row::scope),
        named("event_id", &Row::event_id),
        named("reason", &Row::reason),
        named("detail", &Row::detail),
        named("who", &Row::who),
        named("at", &Row::at),
        named("redrive", &Row::redrive),
        named("edited", &Row::edited),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
    };
};

struct RedriveColumns {
    using Row = RedriveRow;
    static constexpr std::tuple columns{
        named("tenant", &Row::tenant),     named("id", &Row::id),
        named("phase", &Row::phase),       named("filter", &Row::filter),
        named("who", &Row::who),           named("begun_at", &Row::begun_at),
        named("until", &Row::until),       named("total", &Row::total),
        named("accepted", &Row::accepted), named("duplicate", &Row::duplicate),
        named("conflict", &Row::conflict), named("failed", &Row::failed),
        named("skipped", &Row::skipped),   named("ended_at", &Row::ended_at),
        named("detail", &Row::detail),
    };
};
struct OneRedrive : RedriveColumns {
    static constexpr SqlText sql{R"sql(
SELECT tenant, id, phase, filter, who, begun_at, until, total, accepted, duplicate, conflict, failed,
  skipped, ended_at, detail
FROM redrives WHERE tenant = :tenant AND id = :id AND begun_at IS NOT NULL)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),
        named("id", &AskedById::id),
    };
};
/// Of all tenants, in the order in which they began.
struct OpenRedrives : RedriveColumns {
    static constexpr SqlText sql{R"sql(
SELECT tenant, id, phase, filter, who, begun_at, until, total, accepted, duplicate, conflict, failed,
  skipped, ended_at, detail
FROM redrives INDEXED BY redrives_open WHERE ended_at IS NULL AND begun_at > 0
ORDER BY begun_at)sql"};
    static constexpr std::tuple<> parameters{};
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

/// Those of a partition that end after a time.
struct AskedAbsences {
    std::uint32_t partition;
    Instant after;
};
struct Absences {
    static constexpr SqlText sql{R"sql(
SELECT body FROM control_records
WHERE partition = :partition AND kind = {absence} AND at > :after ORDER BY "offset")sql"};
    static constexpr std::tuple parameters{
        named("partition", &AskedAbsences::partition),
        named("after", &AskedAbsences::after),
    };
    using Row = Blob;  ///< model::encode
    static constexpr std::tuple columns{named("body", std::identity{})};
};

/// When the first instance that is kept was opened.
struct FirstOpened {
    static constexpr SqlText sql{R"sql(
SELECT opened_at FROM cases WHERE tenant = :tenant AND key = :key AND flow = :flow
ORDER BY instance LIMIT 1)sql"};
    static constexpr std::tuple parameters = with_case();
    using Row = Instant;
    static constexpr std::tuple columns{named("opened_at", std::identity{})};
};

// ---- Slices

struct AllSlices {
    static constexpr SqlText sql{
        R"sql(SELECT "start", "end", sealed FROM slices ORDER BY "start")sql"};
    static constexpr std::tuple<> parameters{};
    using Row = KnownSlice;
    static constexpr std::tuple columns{
        named("start", [](Row& row) -> auto& { return row.range.start; }),
        named("end", [](Row& row) -> auto& { return row.range.end; }),
        named("sealed", &Row::sealed),
    };
};
/// The first that holds something of [start, end), from the one end or the other. They don't
/// overlap, so none before the one that `start` lies in does.
inline constexpr char slices_in[] = R"sql(
SELECT "start", "end" FROM slices WHERE "end" > :start AND "start" < :end
  AND "start" >= coalesce((SELECT max("start") FROM slices WHERE "start" <= :start), :start)
ORDER BY "start" )sql";
struct SliceQuestion {
    static constexpr std::tuple parameters{
        named("start", &SliceRange::start),
        named("end", &SliceRange::end),
    };
    using Row = SliceRange;
    static constexpr std::tuple columns{named("start", &Row::start), named("end", &Row::end)};
};
struct NewestSlice : SliceQuestion {
    static constexpr SqlText sql{slices_in, "DESC LIMIT 1"};
    static void pass(const SliceRange& slice, SliceRange& range) { range.end = slice.start; }
};
struct OldestSlice : SliceQuestion {
    static constexpr SqlText sql{slices_in, "LIMIT 1"};
    static void pass(const SliceRange& slice, SliceRange& range) { range.start = slice.end; }
};
struct DroppedUntil {
    static constexpr SqlText sql{"SELECT coalesce(max(until), 0) AS until FROM dropped_slices"};
    static constexpr std::tuple<> parameters{};
    using Row = Instant;
    static constexpr std::tuple columns{named("until", std::identity{})};
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
    PreparedAll<Latest, Revisions, FlowsWith, CasesByOpening, CasesByDecision, CasesOfKindByOpening,
                CasesOfKindByDecision, CaseBody, SumsIn, DecidedIn, BrokenIn, OpenCases,
                QuarantineKindsOf, QuarantinedOfKind, QuarantinedOfKindAndType,
                QuarantinedOfKindAndKey, QuarantinedItem, HowMuchWaits, DlqOutcomes, OneRedrive,
                OpenRedrives, QuarantineIds, ActivatedFlows, CaseControls, Absences, FirstOpened,
                NewestSlice, OldestSlice, DroppedUntil, CountsInRange>;

}  // namespace helios::store
