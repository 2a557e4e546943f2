#include "log/rocks.h"

#include <algorithm>
#include <cstdarg>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/system_clock.h>
#include <rocksdb/table.h>
#include <utility>

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

bool is_written_out(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
    std::uint64_t waiting = 0;
    return db.GetIntProperty(family, rocksdb::DB::Properties::kNumImmutableMemTable, &waiting) &&
           waiting == 0;
}

}  // namespace

rocksdb::Status flush(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families) {
    rocksdb::FlushOptions options;
    options.wait = true;
    options.allow_write_stall = true;
    rocksdb::Status status;
    do {
        status = db.Flush(options, families);
    } while (status.ok() && !std::all_of(families.begin(), families.end(),
                                         [&](auto* family) { return is_written_out(db, family); }));
    return status;
}

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

std::shared_ptr<rocksdb::TableFactory> table_factory(std::shared_ptr<rocksdb::Cache> cache,
                                                     std::size_t block_bytes) {
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
    table.partition_filters = true;
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.block_cache = std::move(cache);
    table.cache_index_and_filter_blocks = true;
    table.block_size = block_bytes;
    table.format_version = 5;
    return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

}  // namespace helios::log
