#pragma once
/// From one log record to rows: the store's meaning, without threads, polling or transactions.
///
/// Every statement is an upsert that a second delivery of the same record leaves as it was, except
/// sums (`counts`, and `quarantine.times`), which are safe because rows and applied offsets commit
/// together.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "model/verdict.h"
#include "store/database.h"
#include "store/write_statements.h"

namespace helios::store {

/// What a batch decided: observed by the projector once it is visible.
struct DecidedVerdict {
    Instant at;  ///< of the deciding record, or the deadline
    Instant opened_at;
    Instant reconciled_at;
    bool first = false;  ///< revision by which the case was decided for the first time
};

/// What became of the records since the last start().
struct Applied {
    std::uint64_t records = 0;
    std::uint64_t events = 0;       ///< new event rows
    std::uint64_t verdicts = 0;     ///< new revisions
    std::uint64_t undecodable = 0;  ///< skipped: they stay in the log, counted and logged
    std::vector<DecidedVerdict> decided;
};

/// A record that could not be decoded: where, and why.
struct Undecodable {
    log::TopicPartition id;
    log::Offset offset;
    std::string why;
};

/// Not thread-safe; must not outlive the database.
class Projection {
public:
    static Result<Projection> prepare(Database& database);

    /// Forgets what the last batch left behind (its transaction may have been rolled back).
    void start();
    /// Errors are the database's. Bytes that are not their type's encoding are counted and
    /// remembered, not an error: retrying can't help, and one damaged record must not stop the
    /// store.
    Status apply(const log::StoredRecord& record);
    /// Writes the sums and the applied offsets. The caller commits.
    Status finish();

    const Applied& applied() const { return applied_; }
    const std::vector<Undecodable>& undecodable() const { return undecodable_; }

private:
    explicit Projection(Database& database) : database_(&database) {}
    Status apply_event(const log::StoredRecord& record);
    Status apply_quarantined(const log::StoredRecord& record);
    Status apply_quarantine_repeat(const log::StoredRecord& record);
    Status apply_case_record(const log::StoredRecord& record);
    Status apply_verdict(const log::StoredRecord& record);
    Status apply_flow(const log::StoredRecord& record);
    Status apply_counts(const log::StoredRecord& record);
    void skip(const log::StoredRecord& record, std::string why);

    Database* database_;
    WriteStatements statements_;

    std::map<CountKey, std::uint64_t> sums_;
    std::map<std::pair<model::TopicId, std::uint32_t>, std::uint64_t> next_offsets_;
    Applied applied_;
    std::vector<Undecodable> undecodable_;
};

/// "USD 12.50\nEUR 3.00" and back: how `cases.at_risk` keeps exact amounts.
std::string join_money(const std::vector<model::Money>& amounts);
std::vector<model::Money> split_money(std::string_view text);

Instant minute_of(Instant t);  ///< floor

}  // namespace helios::store
