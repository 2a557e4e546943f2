#include "log/rocks.h"

#include <cstdarg>
#include <rocksdb/env.h>

#if defined(__SANITIZE_THREAD__)
/// The system's RocksDB is not instrumented: the sanitizer sees its memory accesses through memcmp,
/// but not the atomics that order them.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
    return "race:librocksdb.so\n";
}
#endif

namespace helios::log {

namespace {

class SilentLogger final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

}  // namespace

std::shared_ptr<rocksdb::Logger> silent_logger() {
    return std::make_shared<SilentLogger>();
}

}  // namespace helios::log
