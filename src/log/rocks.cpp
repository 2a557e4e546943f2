#include "log/rocks.h"

#include <algorithm>
#include <cstdarg>
#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

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

class ImpatientClock final : public rocksdb::SystemClockWrapper {
public:
    using SystemClockWrapper::SystemClockWrapper;
    const char* Name() const override { return "helios.impatient"; }
    void SleepForMicroseconds(int time) override {
        target_->SleepForMicroseconds(std::min(time, 1'000));
    }
};

class ImpatientEnv final : public rocksdb::EnvWrapper {
public:
    explicit ImpatientEnv(rocksdb::Env& under) : EnvWrapper(&under) {
        file_system_ = under.GetFileSystem();
        system_clock_ = impatient_clock(under.GetSystemClock());
    }
};

}  // namespace

std::shared_ptr<rocksdb::Logger> silent_logger() {
    return std::make_shared<SilentLogger>();
}

std::shared_ptr<rocksdb::SystemClock> impatient_clock(
    const std::shared_ptr<rocksdb::SystemClock>& under) {
    return std::make_shared<ImpatientClock>(under);
}

std::shared_ptr<rocksdb::Env> impatient(rocksdb::Env* under) {
    return std::make_shared<ImpatientEnv>(under == nullptr ? *rocksdb::Env::Default() : *under);
}

}  // namespace helios::log
