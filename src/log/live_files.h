#pragma once
/// The file system under a State's RocksDB: the machine's, but without fsyncs that nobody needs.
///
/// `live/` is made anew at every start, so of its files only tables have to be durable, which
/// checkpoints share. An open without this costs ten fsyncs for each partition.

#include <memory>

namespace rocksdb {
class Env;
}

namespace helios::log {

/// Folders that hold a `live/`'s files begin with this name.
inline constexpr const char* live_name = "live";

/// Thread-safe. Outlives the databases that use it.
std::shared_ptr<rocksdb::Env> live_files();

}  // namespace helios::log
