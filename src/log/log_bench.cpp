/// Append throughput. Durability class: fdatasync before the answer, on the file system of the
/// temporary directory (TMPDIR). records/s counts answered records, fsyncs/s shows how many shared
/// one.

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <filesystem>

#include "base/assert.h"
#include "base/mutex.h"
#include "log/disk_log.h"
#include "log/posix_disk.h"
#include "log/records_test_kit.h"
#include "telemetry/telemetry.h"

namespace {

using namespace helios;
using namespace helios::log;

/// Keeps `waiting` calls of `per_call` records of 539 bytes in flight.
void append_durably(benchmark::State& state) {
    const auto per_call = static_cast<std::size_t>(state.range(0));
    const auto waiting = static_cast<std::size_t>(state.range(1));
    std::string pattern = (std::filesystem::temp_directory_path() / "helios-bench-XXXXXX").string();
    HELIOS_ASSERT(::mkdtemp(pattern.data()) != nullptr, "a temporary directory");
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::error);
    const auto disk = posix_disk();
    DiskLogOptions options;
    options.directory = pattern;
    {
        auto opened = open_disk_log(options, {{topic::events, "events", RetentionClass::data, 0}},
                                    *disk, clock, telemetry);
        HELIOS_ASSERT(opened.has_value(), "the log opens");
        Log& log = **opened;
        Mutex mutex;
        Condition freed;
        std::size_t in_flight = 0;
        std::uint64_t key = 0;
        for (auto _ : state) {
            std::vector<Record> records(per_call);
            for (Record& record : records) {
                record.topic = topic::events;
                record.key = std::to_string(key++);
                record.value.assign(539, 'x');
            }
            {
                MutexLock lock(mutex);
                freed.wait(lock, [&] { return in_flight < waiting; });
                ++in_flight;
            }
            log.append(std::move(records), [&](std::span<const AppendOutcome> outcomes) {
                HELIOS_ASSERT(outcomes[0].has_value(), "appended");
                const MutexLock lock(mutex);
                --in_flight;
                freed.notify_one();
            });
        }
        {
            MutexLock lock(mutex);
            freed.wait(lock, [&] { return in_flight == 0; });
        }
        state.counters["records"] =
            benchmark::Counter(static_cast<double>(key), benchmark::Counter::kIsRate);
        state.counters["fsyncs"] = benchmark::Counter(
            telemetry.metrics.counter("helios_log_fsyncs_total", "Groups synced to disk.").value(),
            benchmark::Counter::kIsRate);
    }
    std::filesystem::remove_all(pattern);
}
BENCHMARK(append_durably)
    ->ArgNames({"records", "waiting"})
    ->ArgsProduct({{1, 10, 100}, {1, 32, 512}})
    ->UseRealTime()
    ->MeasureProcessCPUTime();

}  // namespace
