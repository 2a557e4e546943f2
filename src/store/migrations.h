#pragma once
/// The store's tables, as numbered steps: those of the file of what is current, and those of a
/// slice. A released step is never edited: what changes is a new step.
///
/// `PRAGMA user_version` is the last step applied and `application_id` says the file is ours; table
/// `migrations` lists the steps for people. docs/store.md explains the tables.

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "store/database.h"

namespace helios::store {

inline constexpr std::int64_t store_application_id = 0x48454c53;  // "HELS"

/// Steps of the current file: the first that was released, the one from which on events and case
/// records lie in slices, and the one from which on figures are kept per half minute.
inline constexpr std::int64_t first_migration = 2;
inline constexpr std::int64_t migration_to_slices = 4;
inline constexpr std::int64_t migration_to_half_minutes = 7;

/// Which of the store's files.
enum class FileKind : std::uint8_t { current, slice };

/// The newest step this binary knows.
std::int64_t newest_migration(FileKind kind = FileKind::current);

/// Applies what is missing, each step in one transaction. corrupt: not a store of ours, or written
/// by a newer Helios; the file is left as it was. `last`: the step to stop at; for tests, which
/// make files as they once were.
Status migrate(Database& database, FileKind kind = FileKind::current,
               std::optional<std::int64_t> last = std::nullopt);

/// For readers: good when the file is exactly at newest_migration().
Status check_version(Database& database, FileKind kind = FileKind::current);

}  // namespace helios::store
