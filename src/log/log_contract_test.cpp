#include "base/temporary_directory.h"
#include "log/disk_log.h"
#include "log/disk_log_contract.h"
#include "log/memory_log.h"
#include "log/posix_disk.h"
#include "log/sim_disk.h"
#include "telemetry/telemetry.h"

namespace helios::log {
namespace {

class DiskLogUnderTest : public LogUnderTest {
public:
    DiskLogUnderTest(std::unique_ptr<Disk> disk, std::string directory, std::uint64_t segment_bytes,
                     std::uint64_t cache_bytes)
        : disk_(std::move(disk)) {
        options_.directory = std::move(directory);
        options_.segment_bytes = segment_bytes;
        options_.cache_bytes = cache_bytes;
        options_.record_bytes_max = 64u << 10;
        options_.reserve_bytes = 64u << 10;
        options_.zero_ahead_bytes = 64u << 10;
        reopen();
    }
    Log& log() override { return *log_; }
    void reopen() override {
        log_.reset();
        auto opened = open_disk_log(options_, test_topics(), *disk_, clock_, telemetry_);
        HELIOS_ASSERT(opened.has_value(), opened ? "" : opened.error().message());
        log_ = std::move(*opened);
    }
    ManualClock& clock() override { return clock_; }
    std::size_t record_bytes_max() const override { return options_.record_bytes_max; }

private:
    std::unique_ptr<Disk> disk_;
    ManualClock clock_{from_nanos(1'700'000'000'000'000'000)};
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::warn, lines_};
    DiskLogOptions options_;
    std::unique_ptr<Log> log_;
};

/// Stays until the log is closed: a base before the other.
struct OfItsOwn {
    TemporaryDirectory directory = *TemporaryDirectory::make("helios-log-");
};

class PosixLogUnderTest final : private OfItsOwn, public DiskLogUnderTest {
public:
    PosixLogUnderTest()
        : DiskLogUnderTest(posix_disk(), directory.path() + "/data", 256u << 10, 1u << 20) {}
};

std::unique_ptr<LogUnderTest> on_posix_disk() {
    return std::make_unique<PosixLogUnderTest>();
}
std::unique_ptr<LogUnderTest> in_memory() {
    return std::make_unique<DiskLogUnderTest>(std::make_unique<SimDisk>(), "memory", 1u << 20,
                                              1u << 20);
}
/// Small segments, no cache, reads cut short: everything is read back from segment files.
std::unique_ptr<LogUnderTest> in_small_segments() {
    auto disk = std::make_unique<SimDisk>(7, SimDisk::Durability::tracked);
    disk->short_reads(true);
    return std::make_unique<DiskLogUnderTest>(std::move(disk), "memory", 64u << 10, 0);
}

class MemoryLogUnderTest final : public LogUnderTest {
public:
    MemoryLogUnderTest(Duration grain, bool gaps, bool shuffled) {
        options_.record_bytes_max = 64u << 10;
        options_.grain = grain;
        options_.gaps = gaps;
        options_.shuffled = shuffled;
        log_ = std::make_unique<MemoryLog>(options_, test_topics(), clock_);
    }
    Log& log() override { return *log_; }
    void reopen() override {
        log_->close();
        log_->reopen();
    }
    ManualClock& clock() override { return clock_; }
    std::size_t record_bytes_max() const override { return options_.record_bytes_max; }

private:
    ManualClock clock_{from_nanos(1'700'000'000'000'000'000)};
    MemoryLogOptions options_;
    std::unique_ptr<MemoryLog> log_;
};

std::unique_ptr<LogUnderTest> with_every_weakness() {
    return std::make_unique<MemoryLogUnderTest>(std::chrono::milliseconds(1), true, true);
}
std::unique_ptr<LogUnderTest> with_few_weaknesses() {
    return std::make_unique<MemoryLogUnderTest>(Duration(1), false, false);
}

std::string name_of(const ::testing::TestParamInfo<MakeLogUnderTest>& info) {
    return info.param == &on_posix_disk         ? "posix"
           : info.param == &in_memory           ? "memory"
           : info.param == &in_small_segments   ? "small_segments"
           : info.param == &with_every_weakness ? "every_weakness"
                                                : "few_weaknesses";
}

INSTANTIATE_TEST_SUITE_P(disk, LogContract,
                         ::testing::Values(&on_posix_disk, &in_memory, &in_small_segments),
                         name_of);
INSTANTIATE_TEST_SUITE_P(disk, DiskLogContract,
                         ::testing::Values(&on_posix_disk, &in_memory, &in_small_segments),
                         name_of);
INSTANTIATE_TEST_SUITE_P(memory, LogContract,
                         ::testing::Values(&with_every_weakness, &with_few_weaknesses), name_of);

}  // namespace
}  // namespace helios::log
