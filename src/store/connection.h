#pragma once
/// One read connection with every query prepared. Private to the room.

#include <memory>
#include <optional>
#include <utility>

#include "store/database.h"
#include "store/queries.h"
#include "store/read_statements.h"

namespace helios::store {

/// Not thread-safe: one borrower at a time.
struct Queries::Connection {
    Database database;
    std::optional<FileIdentity> file;  ///< what was opened

    ReadStatements statements;

    explicit Connection(Database opened) : database(std::move(opened)) {}

    /// Asks question S.
    template <class S, class Values>
    Answer<S> ask(Values&& values) {
        return statements.get<S>().ask(std::forward<Values>(values));
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

private:
    Queries* owner_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace helios::store
