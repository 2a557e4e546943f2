#pragma once
/// One read connection with every query prepared. Private to the room.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/database.h"
#include "store/queries.h"
#include "store/read_statements.h"
#include "store/slice_reader.h"

namespace helios::store {

/// Not thread-safe: one borrower at a time.
struct Queries::Connection {
    const Options& options;
    const Clock& clock;
    Database database;
    std::optional<FileIdentity> file;  ///< what was opened
    Duration deadline{};               ///< of the borrower, by the clock's monotonic time

    ReadStatements statements;

    struct OpenSlice {
        Instant start;
        std::unique_ptr<SliceReader> reader;
    };
    std::vector<OpenSlice> slices;  ///< the last used last

    Connection(const Options& with, const Clock& by, Database opened)
        : options(with), clock(by), database(std::move(opened)) {}

    void set_deadline();

    /// Calls `visit(reader, range)` with each slice that holds something of `range`, in the order
    /// of Next (NewestSlice, OldestSlice), until it answers that it wants no more. Each is looked
    /// up when its turn comes; one that retention drops before it is open is passed over.
    template <class Next, class Visit>
    Status each_slice(SliceRange range, Visit visit) {
        for (;;) {
            HELIOS_TRY_ASSIGN(const auto next, ask<Next>(range).rows());
            if (next.empty()) {
                return {};
            }
            const SliceRange& slice = next.front();
            HELIOS_TRY_ASSIGN(SliceReader * reader, opened(slice));
            if (reader != nullptr) {
                HELIOS_TRY_ASSIGN(const bool wants_more, visit(*reader, slice));
                if (!wants_more) {
                    return {};
                }
            }
            Next::pass(slice, range);
        }
    }

    /// Asks question S.
    template <class S, class... Values>
    Answer<S> ask(Values&&... values) {
        return statements.get<S>().ask(std::forward<Values>(values)...);
    }

private:
    /// Ready to be asked until the next call; null: it has left.
    Result<SliceReader*> opened(const SliceRange& range);
};

/// A connection on loan; goes back when destroyed.
class Queries::Borrowed {
public:
    Borrowed(Queries& owner, std::unique_ptr<Connection> connection)
        : owner_(&owner), connection_(std::move(connection)) {}
    Borrowed(Borrowed&&) noexcept = default;
    Borrowed& operator=(Borrowed&&) = delete;
    ~Borrowed();
    Connection* operator->() { return connection_.get(); }
    Connection& operator*() { return *connection_; }

private:
    Queries* owner_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace helios::store
