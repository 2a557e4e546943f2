#pragma once
/// What every user of RocksDB needs, whatever it keeps there.

#include <memory>

namespace rocksdb {
class Env;
class Logger;
class SystemClock;
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

/// An env with that clock, over another that outlives it, or over the machine's (null). Outlives
/// the databases that use it.
std::shared_ptr<rocksdb::Env> impatient(rocksdb::Env* under);

}  // namespace helios::log
