#pragma once
/// A database on disk is up to three files: itself, its write-ahead log and that log's index.
/// Private to the room.

#include <filesystem>

#include "base/result.h"
#include "store/database.h"

namespace helios::store {

std::filesystem::path wal_of(std::filesystem::path file);
std::filesystem::path shm_of(std::filesystem::path file);

/// The database that a file belongs to, itself or as one of these.
std::filesystem::path database_of(const std::filesystem::path& part);

/// Removes what there is of it. The database first: a write-ahead log without its database is
/// ignored, a database without its log would not be whole. unavailable.
Status remove_file_set(const std::filesystem::path& file);

/// Where others have removed or replaced it: makes it anew from the connection that is still open,
/// which must not be used any more. unavailable.
Status remake_file_set(Database& open, const std::filesystem::path& file);

/// What is committed there can't be lost any more, not even by a power cut. unavailable.
Status sync_file_set(const std::filesystem::path& file);
/// The names in it, too. unavailable.
Status sync_folder(const std::filesystem::path& folder);

}  // namespace helios::store
