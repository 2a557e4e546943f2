#pragma once
/// The file system under a State's RocksDB: another, the machine's, without fsyncs that nobody
/// needs.
///
/// `live/` is made anew at every start, so of its files only tables have to be durable, which
/// checkpoints share; of a checkpoint's files Checkpoints::finish syncs the others. An open without
/// this costs ten fsyncs for each partition.

#include <memory>

namespace rocksdb {
class Env;
}

namespace helios::log {

/// How the names of folders begin that hold a `live/`, and end of those that become a checkpoint
/// (RocksDB appends to the latter while it makes one).
inline constexpr const char* live_name = "live";
inline constexpr const char* unfinished_suffix = ".new";

/// Thread-safe. Outlives the databases that use it. Over the files and the clock of `under`, which
/// may be null: the machine's.
std::shared_ptr<rocksdb::Env> live_files(rocksdb::Env* under);

}  // namespace helios::log
