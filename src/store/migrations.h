#pragma once
/// The store's tables, as numbered steps. A released step is never edited: what changes is a new
/// step.
///
/// `PRAGMA user_version` is the last step applied and `application_id` says the file is ours; table
/// `migrations` lists the steps for people. docs/store.md explains the tables.

#include <cstdint>

#include "base/result.h"
#include "store/database.h"

namespace helios::store {

inline constexpr std::int64_t store_application_id = 0x48454c53;  // "HELS"

/// The newest step this binary knows.
std::int64_t newest_migration();

/// Applies what is missing, each step in one transaction. corrupt: not a store of ours, or written
/// by a newer Helios; the file is left as it was.
Status migrate(Database& database);

/// For readers: good when the file is exactly at newest_migration().
Status check_version(Database& database);

}  // namespace helios::store
