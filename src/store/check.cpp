#include "store/check.h"

#include <utility>
#include <vector>

#include "store/damage.h"
#include "store/file_reading.h"
#include "store/slice.h"
#include "store/slice_range.h"

namespace helios::store {
namespace {

/// The first thing that SQLite finds.
Status check_pages(Database& database) {
    HELIOS_TRY_ASSIGN(Statement findings, database.prepare("PRAGMA integrity_check(1)"));
    if (findings.row() && findings.text(0) != "ok") {
        return damaged(database.file(), findings.text(0));
    }
    return findings.status();
}

Status check_current(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    HELIOS_TRY(check_pages(database));
    return each_verdict<EveryRevision>(database, [](const model::Verdict&) { return Status(); });
}

Status check_slice(const std::filesystem::path& file, const SliceRange& range,
                   Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode, FileKind::slice));
    HELIOS_TRY(expect_range(database, range));
    return check_pages(database);
}

Result<std::vector<KnownSlice>> slices_beside(const std::filesystem::path& file,
                                              Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    return slices_of(database);
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
    const auto slices = slices_beside(file, mode);
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
