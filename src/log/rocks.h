#pragma once
/// What every user of RocksDB needs, whatever it keeps there.

#include <memory>

namespace rocksdb {
class Logger;
}

namespace helios::log {

/// RocksDB's own log would be one more file to fail: its writer asserts that nobody writes after an
/// error, and then does.
std::shared_ptr<rocksdb::Logger> silent_logger();

}  // namespace helios::log
