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

    struct Slice {
        Instant start;
        std::unique_ptr<SliceReader> reader;
    };
    std::vector<Slice> slices;  ///< the last used last

    Connection(const Options& with, const Clock& by, Database opened)
        : options(with), clock(by), database(std::move(opened)) {}

    void set_deadline();
    /// Slices with something of the range, newest first.
    Result<std::vector<SliceRange>> slices_in(const SliceRange& range);
    /// Open and ready to be asked until the next call; null: it was dropped meanwhile.
    Result<SliceReader*> slice(Instant start);

    /// Asks question S.
    template <class S, class... Values>
    Answer<S> ask(Values&&... values) {
        return statements.get<S>().ask(std::forward<Values>(values)...);
    }
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
