#pragma once
/// What every user of RocksDB needs, whatever it keeps there.

#include <cstddef>
#include <memory>
#include <vector>

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Env;
class Logger;
class Status;
class SystemClock;
class TableFactory;
}  // namespace rocksdb

namespace helios::log {

/// RocksDB's own log would be one more file to fail: its writer asserts that nobody writes after an
/// error, and then does.
std::shared_ptr<rocksdb::Logger> silent_logger();

/// RocksDB sleeps a second after a flush that failed, in the one thread that flushes for all, and
/// whoever stops waits for it. Who writes tries again in its own time, so with this clock, over
/// another, nobody sleeps longer than a millisecond.
std::shared_ptr<rocksdb::SystemClock> impatient_clock(
    const std::shared_ptr<rocksdb::SystemClock>& under);

/// How tables of keys are laid out that are mostly asked for in vain: a bloom filter of 10 bits per
/// key. Filters and indexes are in the cache, so that its bound is the bound, in pieces of a few
/// KiB: whole, that of a large table is larger than a shard of the cache, is never kept, and is
/// read from disk again with every question.
std::shared_ptr<rocksdb::TableFactory> table_factory(std::shared_ptr<rocksdb::Cache> cache,
                                                     std::size_t block_bytes);

/// Writes out what has been written to these families, and returns when the MANIFEST names the
/// files; not while others write. RocksDB's own Flush() of several families returns earlier if
/// another flush was under way: since version 8 it may wait for each family by the number of
/// another one's memtable.
rocksdb::Status flush(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families);

/// An env with that clock, over another that outlives it, or over the machine's (null). Outlives
/// the databases that use it.
std::shared_ptr<rocksdb::Env> impatient(rocksdb::Env* under);

}  // namespace helios::log
