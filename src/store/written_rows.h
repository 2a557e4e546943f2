#pragma once
/// What the projection writes: rows, one type per table, nothing of SQL in them. What queries
/// answer is in rows.h; a row that both know is written as it is read, and says whose it is.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/tenant.h"
#include "base/time.h"
#include "model/topics.h"
#include "model/verdict.h"
#include "store/rows.h"

namespace helios::store {

/// What a row of `control_records` is: a stored number.
enum class ControlKind : std::uint8_t {
    absence = 0,  ///< of our own; the row holds it
    flow = 1,     ///< an activated version
};

/// One bit per kind of finding.
constexpr std::int64_t kind_bit(model::FindingKind kind) {
    return std::int64_t{1} << static_cast<unsigned>(kind);
}

/// A row of rows.h with its tenant.
template <class Row>
struct OfTenant : Row {
    OfTenant(TenantId whose, Row row) : Row(std::move(row)), tenant(std::move(whose)) {}
    TenantId tenant;
};

/// A kept item came again, so many times.
struct QuarantineRepeatRow {
    TenantId tenant;
    std::string dlq_id;
    std::uint64_t times = 0;
    Instant last_at;
};

/// Where a leg of a case stands on helios.cases.
struct CaseLegRow {
    CaseId of;
    CaseRecordPlace place;
};

/// What else on helios.cases may change a verdict. An absence is nobody's: tenant and flow are
/// empty.
struct ControlRow {
    CaseRecordPlace place;
    ControlKind kind = ControlKind::absence;
    std::string tenant;
    std::string flow;
    std::uint32_t version = 0;
    std::string body;  ///< of an absence: model::encode
};

/// One instance of a case.
struct CaseInstance {
    TenantId tenant;
    std::string flow;
    std::string key;
    std::uint32_t instance = 0;
    friend auto operator<=>(const CaseInstance&, const CaseInstance&) = default;
};

struct FlowOfTenant {
    TenantId tenant;
    std::string flow;
    friend auto operator<=>(const FlowOfTenant&, const FlowOfTenant&) = default;
};

/// As a table holds them, where the tenant is yet to be read.
struct FoundFlow {
    std::string tenant;
    std::string flow;
};
struct FoundCase {
    std::string tenant;
    std::string flow;
    std::string key;
    std::uint32_t instance = 0;
};

/// One revision, whole.
struct VerdictRow {
    CaseInstance of;
    std::uint32_t revision = 0;
    Position pointer;
    Instant log_time;
    std::string_view body;  ///< the record's value: lives as long as the batch
    Instant at;             ///< of the deciding record, or the deadline
    Instant opened_at;
    std::optional<Instant> reconciled_at;
    std::optional<std::size_t> before;  ///< the case's revision before, where it is in Rows too
};

/// A case as of the latest of its revisions in the batch.
struct CaseRow {
    std::uint32_t revision = 0;
    std::size_t verdict = 0;  ///< the revision's place in Rows::verdicts
    model::VerdictStatus status = model::VerdictStatus::pending;
    std::int64_t kinds = 0;  ///< kind_bit of each of its findings
    Instant opened_at;
    Instant deadline;
    std::optional<Instant> reconciled_at;
    std::optional<Instant> first_reconciled_at;  ///< in the batch; the tables keep an earlier one
    std::string at_risk;                         ///< join_money
};

/// What a sum of `counts` is of.
struct CountKey {
    TenantId tenant;
    Instant minute;
    std::string source;
    std::string hop;
    std::string counter;
    friend auto operator<=>(const CountKey&, const CountKey&) = default;
};

/// The next record of a partition that is not in the store.
struct AppliedRow {
    TopicId topic = no_topic;
    std::uint32_t partition = 0;
    std::uint64_t next_offset = 0;
};

/// Of one batch. Where order matters, the log's.
struct Rows {
    std::vector<OfTenant<EventRow>> events;
    std::vector<std::variant<OfTenant<QuarantineRow>, QuarantineRepeatRow, OfTenant<DlqOutcomeRow>>>
        quarantine;
    std::vector<model::RedriveRecord> redrives;  ///< begins and ends
    std::vector<CaseLegRow> case_legs;
    std::vector<ControlRow> controls;
    std::vector<VerdictRow> verdicts;       ///< every revision
    std::map<CaseInstance, CaseRow> cases;  ///< one per case: no backend meets a row twice
    std::vector<OfTenant<FlowRow>> flows;
    std::map<CountKey, std::uint64_t> counts;  ///< to be added, in this order: it is the lock order
                                               ///< of writers that share sums
    std::map<Partition, Offset> next_offsets;
};

/// What tables say of a batch: a revision that was new to them and decided its case.
struct DecidedVerdict {
    Instant at;  ///< of the deciding record, or the deadline
    Instant opened_at;
    Instant reconciled_at;
    bool first = false;  ///< revision by which the case was decided for the first time
};

}  // namespace helios::store
