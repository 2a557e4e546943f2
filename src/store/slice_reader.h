#pragma once
/// One slice, open to be asked. Private to the room.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/database.h"
#include "store/slice.h"
#include "store/slice_statements.h"

namespace helios::store {

/// Not thread-safe.
class SliceReader {
public:
    /// With that deadline from the start (Database::set_deadline). not_found: the file is gone.
    /// corrupt: no slice of ours, or not of this stretch of time.
    static Result<std::unique_ptr<SliceReader>> open(const std::filesystem::path& file,
                                                     const SliceRange& range, const Clock& clock,
                                                     Duration deadline);

    Database& database() { return database_; }
    const std::optional<FileIdentity>& file() const { return file_; }

    /// Adds events of the filter below `before`, newest first, until `out` has `rows`. Copies are
    /// not among them. Costs what its kinds cost (a search each) and what it adds, whatever the
    /// slice holds; but for kinds that share one, which is walked.
    Status list(const EventFilter& filter, const EventPlace& before, std::size_t rows,
                std::vector<EventRow>& out);
    /// Events, or their copies too, of that id; at most `rows` more. In no order.
    Status by_id(const TenantId& tenant, const AskedIdOfKind& id, bool copies,
                 std::vector<EventRow>& out);
    /// Adds to each row's copies those that are here.
    Status count_copies(const TenantId& tenant, std::span<EventRow* const> rows);

    template <class S, class Values>
    Answer<S> ask(Values&& values) {
        return statements_.get<S>().ask(std::forward<Values>(values));
    }

private:
    explicit SliceReader(Database database) : database_(std::move(database)) {}
    Result<std::vector<Kind>> kinds_for(const TenantId& tenant, bool copies,
                                        std::optional<std::string_view> source,
                                        std::optional<std::string_view> type);

    Database database_;
    std::optional<FileIdentity> file_;
    SliceReadStatements statements_;
};

}  // namespace helios::store
