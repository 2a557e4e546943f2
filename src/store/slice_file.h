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
#include <string>
#include <tuple>

#include "base/result.h"
#include "store/database.h"
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
    struct KindName {
        std::string_view tenant;
        std::optional<std::string_view> source;
        std::optional<std::string_view> type;
        bool copies;
        friend auto operator<=>(const KindName&, const KindName&) = default;
    };
    struct OwnName {
        std::string tenant;
        std::optional<std::string> source;
        std::optional<std::string> type;
        bool copies;
        KindName view() const { return {tenant, source, type, copies}; }
    };
    struct ByName {
        using is_transparent = void;
        static KindName view(const KindName& name) { return name; }
        static KindName view(const OwnName& name) { return name.view(); }
        bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
    };

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
    std::size_t kinds_max_;
    SliceWriteStatements statements_;
    std::optional<Transaction> transaction_;
    std::map<OwnName, std::int64_t, ByName> kinds_;
    std::int64_t next_kind_ = 1;
    std::map<std::string, std::size_t, std::less<>> kinds_of_;  ///< per tenant, of both sorts
    std::map<StoredKey, std::int64_t> counts_;                  ///< of the batch
};

}  // namespace helios::store
