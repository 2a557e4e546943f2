#pragma once
/// From log records to rows: the store's meaning, pure. Knows no SQL and no table's state: what is
/// there already, only the tables can tell.

#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "model/verdict.h"
#include "store/written_rows.h"

namespace helios::store {

/// A record that could not be decoded: where, and why.
struct Undecodable {
    Position at;
    std::string why;
};

/// The rows of one batch, record by record. Not thread-safe. The records' bytes must live as long
/// as the rows.
class Projection {
public:
    /// In the order of the reader. Bytes that are not their type's encoding are remembered, not an
    /// error: retrying can't help, and one damaged record must not stop the store. `again`: it was
    /// taken in, and is read once more because a slice may lack it; it leaves rows of slices alone.
    void add(const log::StoredRecord& record, bool again = false);

    const Rows& rows() const { return rows_; }
    const std::vector<Undecodable>& undecodable() const { return undecodable_; }

private:
    void add_event(const log::StoredRecord& record);
    void add_quarantined(const log::StoredRecord& record);
    void add_quarantine_repeat(const log::StoredRecord& record);
    void add_redrive(const log::StoredRecord& record);
    void add_dlq_outcome(const log::StoredRecord& record);
    void add_case_record(const log::StoredRecord& record);
    void add_verdict(const log::StoredRecord& record);
    void add_flow(const log::StoredRecord& record);
    void add_counts(const log::StoredRecord& record);
    void skip(const log::StoredRecord& record, std::string why);

    Rows rows_;
    std::vector<Undecodable> undecodable_;
};

/// "USD 12.50\nEUR 3.00" and back: how `cases.at_risk` keeps exact amounts.
std::string join_money(const std::vector<model::Money>& amounts);
std::vector<model::Money> split_money(std::string_view text);

Instant minute_of(Instant t);  ///< floor

}  // namespace helios::store
