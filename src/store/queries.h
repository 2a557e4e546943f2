#pragma once
/// What people ask the store. Each answer is one snapshot; a query that runs past
/// options.query_limit, or past the patience of whoever asks (base/patience.h), ends with timeout.
///
/// Reads never wait for the writer (WAL) and never block it. Knows no HTTP and no payloads.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "model/case_record.h"
#include "store/kinds.h"
#include "store/options.h"
#include "store/rows.h"

namespace helios::store {

struct AskedIdOfKind;

/// Thread-safe; blocks. Keeps up to options.readers_max connections; a caller beyond that waits for
/// one. Clock must outlive it. Errors of every member: unavailable (the file can't be read),
/// corrupt, timeout.
class Queries {
public:
    /// The file must exist and be migrated (Projector::open does both).
    static Result<std::unique_ptr<Queries>> open(const Options& options, const Clock& clock);
    ~Queries();
    Queries(const Queries&) = delete;
    Queries& operator=(const Queries&) = delete;

    /// The latest revision of the newest instance. not_found: this flow has no case for the key
    /// (yet).
    Result<model::Verdict> latest(const CaseId& id);
    /// Every revision of every instance, oldest first; empty: no such case. At most
    /// options.page_rows_max, the newest ones.
    Result<std::vector<model::Verdict>> revisions(const CaseId& id);
    /// Flows that have a case for the key, sorted.
    Result<std::vector<std::string>> flows_with(const TenantId& tenant, std::string_view key);

    /// The latest revision of each case, newest first by the time that the filter names, then by
    /// flow, key and instance, the greatest first. By opening a walk shows every case once. By
    /// decision one that is amended between two pages moves to the front; none is skipped or shown
    /// twice on account of others.
    Result<Page<model::Verdict, CaseCursor>> cases(const CaseFilter& filter);
    /// Flows of which there are cases, sorted.
    Result<std::vector<std::string>> flows_with_cases(const TenantId& tenant);
    Result<Stats> stats(const StatsFilter& filter);
    /// The figures of each part of a range, and of all parts together, as of one moment; of one
    /// flow, or of all. Pending cases are counted in those of all.
    Result<StatsOfParts> stats_of(const TenantId& tenant, const std::optional<std::string>& flow,
                                  std::span<const TimeRange> parts);

    /// Newest received first.
    Result<Page<EventRow, EventCursor>> events(const EventFilter& filter);
    /// Sources and types that events have, sorted, at most options.page_rows_max.
    Result<std::vector<std::string>> sources(const TenantId& tenant);
    Result<std::vector<std::string>> event_types(const TenantId& tenant);
    /// Every event of that id (several sources or scopes may use the same, and one may use it for
    /// several contents), newest first.
    Result<std::vector<EventRow>> events_by_id(const TenantId& tenant, std::string_view event_id,
                                               std::optional<std::string_view> source);
    /// Every record under the event's identity, its own among them, in the log's order: copies have
    /// its content. At most options.page_rows_max, the oldest.
    Result<std::vector<EventRecord>> records_under(const TenantId& tenant, const EventRow& event);

    /// What came last first, then by id, the largest first.
    Result<Page<QuarantineRow, QuarantineCursor>> quarantined(const QuarantineFilter& filter);
    Result<QuarantineRow> quarantined_item(const TenantId& tenant,
                                           std::string_view dlq_id);  ///< not_found
    /// Sources of what is in quarantine, sorted; what shares a kind with others is not known.
    Result<std::vector<std::string>> quarantine_sources(const TenantId& tenant);
    Result<QuarantineSize> quarantine_size();
    /// What became of an item, oldest first, at most options.page_rows_max.
    Result<std::vector<DlqOutcomeRow>> dlq_outcomes(const TenantId& tenant,
                                                    std::string_view dlq_id);
    Result<RedriveRow> redrive(const TenantId& tenant, std::string_view id);  ///< not_found
    /// Of all tenants: those that have begun and not ended, in that order.
    Result<std::vector<RedriveRow>> open_redrives();
    /// Ids that begin with `prefix`, sorted, at most `limit`.
    Result<std::vector<std::string>> quarantine_ids(const TenantId& tenant, std::string_view prefix,
                                                    std::size_t limit);
    Result<std::vector<std::string>> event_ids(const TenantId& tenant, std::string_view prefix,
                                               std::optional<std::string_view> source,
                                               std::size_t limit);

    /// Every activated version, by flow, then activation; the last of a flow is its active one.
    Result<std::vector<FlowRow>> flows(const TenantId& tenant);
    /// Our own absences that the case's partition has met and that end after `t`, in order; empty:
    /// none, or no such case.
    Result<std::vector<model::AbsenceRecord>> absences(const CaseId& id, Instant t);
    Result<CaseHistory> history(const CaseId& id);
    Result<std::vector<CountRow>> counts(
        const CountFilter& filter);  ///< by minute, source, hop, counter

private:
    struct Connection;
    class Borrowed;
    struct QuarantinedOf;
    Status count_copies(Connection& connection, const TenantId& tenant,
                        std::vector<EventRow>& rows) const;
    Result<std::vector<EventRow>> all_by_id(Connection& connection, const TenantId& tenant,
                                            const AskedIdOfKind& id, bool copies) const;
    Result<std::vector<CaseRecordPlace>> legs_of(Connection& connection, const CaseId& id,
                                                 std::int64_t rows) const;
    Result<std::vector<std::string>> words_of(const TenantId& tenant,
                                              std::optional<std::string> Kind::* word);
    std::int64_t rows_max() const { return static_cast<std::int64_t>(options_.page_rows_max); }
    Queries(const Options& options, const Clock& clock);
    Result<std::unique_ptr<Connection>> connect() const;
    Result<Borrowed> borrow();

    const Options options_;
    const Clock& clock_;
    Mutex mutex_;
    Condition returned_;
    std::vector<std::unique_ptr<Connection>> idle_ HELIOS_GUARDED_BY(mutex_);
    std::size_t open_ HELIOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace helios::store
