#pragma once
/// One slice, open to be written: records of events, where legs of cases stand, and its counts.
///
/// A record's kind says whether it is the event's row or a copy; which of the two only the records
/// around it tell, so slices.h decides. All changes of a batch are one transaction. Private to the
/// room.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "store/database.h"
#include "store/kinds.h"
#include "store/slice.h"
#include "store/slice_statements.h"

namespace helios::store {

/// Not thread-safe.
class SliceFile {
public:
    /// Opens or makes it. corrupt: no slice of ours, or not of this stretch of time.
    static Result<std::unique_ptr<SliceFile>> open(const std::filesystem::path& file,
                                                   const SliceRange& range, std::size_t kinds_max,
                                                   std::size_t cache_bytes);

    const SliceRange& range() const { return range_; }
    Database& database() { return database_; }

    /// Begins the batch's transaction, if it has not begun.
    Status begin();
    bool begun() const { return transaction_.has_value(); }
    Status commit();  ///< counts, then the transaction
    void roll_back();

    /// Is some record of its identity and content here?
    Result<bool> has_like(const OfTenant<EventRow>& row);
    /// One before it and not before `from`?
    Result<bool> has_like_before(const OfTenant<EventRow>& row, Instant from);
    /// The event's row after it and not after `until`, if there is one.
    Result<std::optional<EventPlace>> row_after(const OfTenant<EventRow>& row, Instant until);

    /// In a transaction. A record that is here stays, and may become a copy.
    Status put_event(const OfTenant<EventRow>& row, bool copy);
    /// The event's row at `place`, with the identity of `like`, becomes a copy.
    Status make_copy(const OfTenant<EventRow>& like, const EventPlace& place);
    Status put_leg(const CaseLegRow& leg);
    Status put_offset(const AppliedRow& row);

private:
    SliceFile(Database database, const SliceRange& range, std::size_t kinds_max);
    Status read_kinds();
    std::optional<std::int64_t> find_kind(const OfTenant<EventRow>& row, bool copies) const;
    Result<std::int64_t> kind_for(const OfTenant<EventRow>& row, bool copies);
    Status write_counts();
    void count(const OfTenant<EventRow>& row, Instant log_time, bool copy, std::int64_t by);
    template <class S>
    Result<bool> any(const OfTenant<EventRow>& row, std::optional<std::int64_t> kind,
                     Instant bound = {});

    Database database_;
    SliceRange range_;
    SliceWriteStatements statements_;
    std::optional<Transaction> transaction_;
    Kinds kinds_;
    std::map<StoredKey, std::int64_t> counts_;  ///< of the batch
};

}  // namespace helios::store
