#pragma once
/// A State on disk: `live/`, a RocksDB that is written by checkpoints alone, and what has changed
/// since in memory. Its folder is src/log/checkpoints.
///
/// What it costs: an open partition some 200 KiB of memory and at most 64 open tables, beside what
/// has changed since the last checkpoint and the shared cache. An entry: on disk its key, its value
/// and 17 bytes (21 once shrunk), and 1.5 % for RocksDB; of the cache, when asked for, 10 bits for
/// the filter and a key's length for every 8 KiB.

#include <memory>
#include <optional>

#include "log/checkpoints.h"
#include "log/state.h"

namespace rocksdb {
class Cache;
class Env;
}  // namespace rocksdb

namespace helios::log {

/// For all partitions together; outlives their States.
struct DiskStateOptions {
    std::shared_ptr<rocksdb::Env> env;
    std::shared_ptr<rocksdb::Cache> cache;
    Shrink shrink;
};

std::shared_ptr<rocksdb::Cache> state_cache(std::uint64_t bytes);

/// From this checkpoint; absent: empty. corrupt: its files are damaged, or another checkpoint's.
/// unavailable: the disk does not let us.
Result<std::unique_ptr<State>> open_disk_state(Checkpoints& checkpoints,
                                               const std::optional<CheckpointContent>& from,
                                               const DiskStateOptions& options);

}  // namespace helios::log
