#pragma once
/// What the projection writes: rows, one type per table, nothing of SQL in them. What queries
/// answer is in rows.h; a row that both know is written as it is read, and says whose it is.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/tenant.h"
#include "base/time.h"
#include "model/verdict.h"
#include "store/rows.h"
#include "store/sql.h"

namespace helios::store {

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
    CaseRecordPointer pointer;
};

/// What else on helios.cases may change a verdict. An absence is nobody's: tenant and flow are
/// empty.
struct ControlRow {
    CaseRecordPointer pointer;
    ControlKind kind = ControlKind::absence;
    std::string tenant;
    std::string flow;
    std::uint32_t version = 0;
    std::string body;  ///< of an absence: model::encode
};

/// One revision, whole.
struct VerdictRow {
    CaseId of;
    std::uint32_t instance = 0;
    std::uint32_t revision = 0;
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    Instant log_time;
    std::string_view body;  ///< the record's value: lives as long as the batch
};

/// A case as of its latest revision.
struct CaseRow {
    CaseId of;
    std::uint32_t instance = 0;
    std::uint32_t revision = 0;
    std::int64_t verdict = 0;  ///< row id of the revision
    model::VerdictStatus status = model::VerdictStatus::pending;
    std::int64_t kinds = 0;  ///< kind_bit of each of its findings
    Instant opened_at;
    Instant deadline;
    std::optional<Instant> reconciled_at;
    std::optional<Instant> first_reconciled_at;  ///< kept if the case has one already
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
    model::TopicId topic = model::TopicId::none;
    std::uint32_t partition = 0;
    std::uint64_t next_offset = 0;
};

}  // namespace helios::store
