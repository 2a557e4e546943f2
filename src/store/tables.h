#pragma once
/// The store's tables on SQLite: takes the rows of a batch in, with the offsets they account for.
///
/// What is there already stays as it is, so that a second delivery changes no row; sums (`counts`,
/// and `quarantine.times`) rely on rows and offsets committing together. Private to the room.

#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"
#include "store/write_statements.h"

namespace helios::store {

/// Not thread-safe; must not outlive the database.
class Tables {
public:
    static Result<std::unique_ptr<Tables>> prepare(Database& database);

    /// One transaction: all of it or nothing. Errors are the database's.
    Result<std::vector<DecidedVerdict>> write(const Rows& rows);

private:
    explicit Tables(Database& database) : database_(&database) {}
    struct Counted;
    Status write_events(const Rows& rows, Counted& counted);
    Status write_further_record(const OfTenant<EventRow>& row, Counted& counted);
    Status write_counts(const Counted& counted);
    Status write_quarantine(const Rows& rows);
    Status write_verdicts(const Rows& rows, std::vector<DecidedVerdict>& decided);
    Status write_kinds(const CaseInstance& of, const CaseRow& row, std::int64_t before);
    Status write_offsets(const Rows& rows);
    template <class S>
    Status write_each(const auto& rows) {
        for (const auto& row : rows) {
            HELIOS_TRY(statements_.get<S>().run(row));
        }
        return {};
    }

    Database* database_;
    WriteStatements statements_;
};

}  // namespace helios::store
