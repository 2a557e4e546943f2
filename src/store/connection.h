#pragma once
/// One read connection with every query prepared. Private to the room.

#include <array>

#include "store/database.h"
#include "store/queries.h"

namespace helios::store {

/// Not thread-safe: one borrower at a time.
struct Queries::Connection {
    Database database;
    std::optional<FileIdentity> file;  ///< what was opened

    Statement latest;
    Statement revisions;
    Statement flows_with;
    Statement mismatches;
    Statement decided;
    Statement broken_money;
    Statement pending;
    std::array<Statement, 4> events;  ///< driven by key, type, source, time
    Statement events_by_id;
    Statement event_ids;
    Statement quarantined;
    Statement quarantined_by_key;
    Statement quarantined_item;
    Statement quarantine_ids;
    Statement flows;
    Statement case_legs;
    Statement case_controls;
    Statement absences;
    Statement counts;

    explicit Connection(Database opened) : database(std::move(opened)) {}
    Status prepare();
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

/// Resets a statement when the query that used it ends, so that no snapshot stays open.
class InUse {
public:
    explicit InUse(Statement& statement) : statement_(statement) {}
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() { statement_.reset(); }
    Statement* operator->() { return &statement_; }
    Statement& operator*() { return statement_; }

private:
    Statement& statement_;
};

}  // namespace helios::store
