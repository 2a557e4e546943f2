#include "store/check.h"

#include <utility>
#include <vector>

#include "store/damage.h"
#include "store/migrations.h"
#include "store/read_statements.h"
#include "store/slice.h"
#include "store/slice_range.h"

namespace helios::store {
namespace {

Result<Database> open(const std::filesystem::path& file, Database::Mode mode, FileKind kind) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, mode));
    HELIOS_TRY(check_version(database, kind));
    return database;
}

/// The first thing that SQLite finds.
Status check_pages(Database& database) {
    HELIOS_TRY_ASSIGN(Statement findings, database.prepare("PRAGMA integrity_check(1)"));
    if (findings.row() && findings.text(0) != "ok") {
        return damaged(database.file(), findings.text(0));
    }
    return findings.status();
}

Status check_verdicts(Database& current) {
    Prepared<EveryRevision> revisions;
    HELIOS_TRY(revisions.prepare(current));
    auto answer = revisions.ask();
    while (answer.next()) {
        HELIOS_TRY(stored_verdict(answer.row().bytes));
    }
    return answer.status();
}

Status check_current(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open(file, mode, FileKind::current));
    HELIOS_TRY(check_pages(database));
    return check_verdicts(database);
}

Status check_slice(const std::filesystem::path& file, const SliceRange& range,
                   Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open(file, mode, FileKind::slice));
    HELIOS_TRY(expect_range(database, range));
    return check_pages(database);
}

Result<std::vector<KnownSlice>> slices_of(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open(file, mode, FileKind::current));
    Prepared<AllSlices> statement;
    HELIOS_TRY(statement.prepare(database));
    return statement.ask().rows();
}

}  // namespace

Result<bool> check(const std::filesystem::path& file, Database::Mode mode,
                   const WriteFinding& write) {
    bool good = true;
    const auto tell = [&](const std::filesystem::path& of, const Status& checked) {
        good = good && checked.has_value();
        write(of, checked ? std::nullopt : std::optional(checked.error()));
    };
    const Status current = check_current(file, mode);
    if (!current && current.error().kind == ErrorKind::not_found) {
        return fail(current.error());
    }
    tell(file, current);
    const auto slices = slices_of(file, mode);
    if (!slices) {
        return false;  // which slices there should be, nobody knows
    }
    for (const KnownSlice& slice : *slices) {
        const auto path = slice_file(file, slice.range.start);
        tell(path, check_slice(path, slice.range, mode));
    }
    return good;
}

}  // namespace helios::store
