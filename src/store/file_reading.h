#pragma once
/// What whoever reads a store's files as a whole begins with. Private to the room.

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "store/damage.h"
#include "store/database.h"
#include "store/migrations.h"
#include "store/prepared.h"
#include "store/read_statements.h"

namespace helios::store {

inline Result<Database> open_to_read(const std::filesystem::path& file, Database::Mode mode,
                                     FileKind kind = FileKind::current) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, mode));
    HELIOS_TRY(check_version(database, kind));
    return database;
}

/// Those that the current file knows of.
inline Result<std::vector<KnownSlice>> slices_of(Database& current) {
    Prepared<AllSlices> statement;
    HELIOS_TRY(statement.prepare(current));
    return statement.ask().rows();
}

/// Calls `take` with every verdict that question S answers, until it fails.
template <class S, class Take>
Status each_verdict(Database& database, const Take& take) {
    Prepared<S> revisions;
    HELIOS_TRY(revisions.prepare(database));
    auto answer = revisions.ask();
    while (answer.next()) {
        HELIOS_TRY_ASSIGN(const auto verdict, stored_verdict(answer.row().bytes));
        HELIOS_TRY(take(verdict));
    }
    return answer.status();
}

}  // namespace helios::store
