#pragma once
/// RocksDB's file system over a Disk, for tests: what the disk loses, tears or refuses, a database
/// loses, and nothing that it writes reaches the machine.
///
/// Its clock is the machine's, but nobody sleeps by it: RocksDB waits a second after every failure.

#include <memory>

namespace rocksdb {
class Env;
}

namespace helios::log {

class Disk;

/// Thread-safe. Outlives the databases that use it, and the disk outlives both.
std::shared_ptr<rocksdb::Env> files_over(Disk& disk);

}  // namespace helios::log
