/// What a start of the engine costs: checkpoints of 12 partitions with a million open cases and ten
/// million closed ones, restored. On the file system of the temporary directory (TMPDIR), its pages
/// in memory. Making them takes some minutes and about 4 GB.

#include <benchmark/benchmark.h>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/temporary_directory.h"
#include "log/disk_log.h"
#include "log/posix_disk.h"
#include "log/synchronous.h"
#include "model/topics.h"
#include "reconcile/engine_partitions.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

constexpr std::uint32_t partitions = 12;

/// Of two legs one is there; the other case needs one alone, so it is closed at once.
std::shared_ptr<const Flow> flow_of(const char* name, bool closes) {
    std::string text = fmt::format(
        "flow: {}\nversion: 1\nkey: {{paths: [orderId]}}\namend_for: 31d\nlegs:\n"
        "  order:\n    source: aws\n    type: OrderPlaced\n    deadline: 30d\n    identity: key\n"
        "    read:\n      amount: {{type: decimal, first: [total]}}\n",
        name);
    if (!closes) {
        text +=
            "  payment:\n    source: gcp\n    type: PaymentProcessed\n    deadline: 30d\n"
            "    identity: key\n";
    }
    auto flow = parse_flow(text, "bench.yaml");
    if (!flow) {
        std::fprintf(stderr, "%s\n", flow.error().message().c_str());
    }
    HELIOS_ASSERT(flow.has_value(), "the bench's flow is one");
    return std::make_shared<const Flow>(*std::move(flow));
}

struct Kept {
    TemporaryDirectory scratch = *TemporaryDirectory::make("helios-start-bench-");
    SystemClock clock;
    telemetry::Telemetry telemetry{clock, telemetry::Level::warn};
    std::unique_ptr<log::Disk> disk = log::posix_disk();
    std::unique_ptr<log::Log> log;
    EngineStageOptions options;
    log::Offsets committed;

    Kept(std::uint64_t open, std::uint64_t closed) {
        log::DiskLogOptions log_options;
        log_options.directory = scratch.path();
        log_options.partitions = partitions;
        auto opened = log::open_disk_log(log_options, {{model::topic::cases, "helios.cases"}},
                                         *disk, clock, telemetry);
        HELIOS_ASSERT(opened.has_value(), "the bench's log opens");
        log = *std::move(opened);
        options.state_directory = scratch.path() + "/state/engine";
        fill(open, closed);
    }

    /// The log has one record per partition, by which its checkpoints are known.
    void fill(std::uint64_t open, std::uint64_t closed) {
        EnginePartitions made(options, *log, telemetry, clock);
        HELIOS_ASSERT(made.restore({}, {}).has_value(), "an empty state restores");
        const auto opens = flow_of("opens", false);
        const auto closes = flow_of("closes", true);
        for (const auto& partition : made.all()) {
            partition->engine.on_record(flow_record(*opens, noon(0)));
            partition->engine.on_record(flow_record(*closes, noon(0)));
        }
        constexpr std::uint64_t round = 500'000;
        for (std::uint64_t n = 0; n < open + closed; n += round) {
            for (std::uint64_t i = n; i < std::min(n + round, open + closed); ++i) {
                const Flow& flow = i < open ? *opens : *closes;
                const std::string key = fmt::format("ORD-{:012}", i);
                auto legs = legs_of(flow,
                                    event("aws", "OrderPlaced", "placed-" + key,
                                          R"({"orderId":")" + key + R"(","total":"12.50"})"),
                                    noon(1 + static_cast<double>(i) * 1e-6));
                made.at(i % partitions).engine.on_record(std::move(legs.at(0)));
            }
            keep(made);
            std::fprintf(stderr, "%llu cases kept\r", static_cast<unsigned long long>(n + round));
        }
    }

    /// A checkpoint of each, at the position of one more record.
    void keep(EnginePartitions& made) {
        for (const auto& id : log->partitions_of(model::topic::cases)) {
            log::Record record;
            record.topic = id.topic;
            record.partition = id.index;
            const auto outcome = log::append_now(*log, {record});
            HELIOS_ASSERT(outcome[0].has_value(), "the bench's log takes a record");
            log::StoredRecord stored;
            stored.at = outcome[0]->at;
            stored.next = Offset{outcome[0]->at.offset.value + 1};
            stored.log_time = outcome[0]->log_time;
            made.at(id.index).took(stored, false);
            committed[id] = stored.next;
        }
        made.keep_all();
    }
};

void start_of_the_engine(benchmark::State& state) {
    const auto open = static_cast<std::uint64_t>(state.range(0));
    const auto closed = static_cast<std::uint64_t>(state.range(1));
    Kept kept(open, closed);
    for (auto _ : state) {
        auto restored =
            std::make_unique<EnginePartitions>(kept.options, *kept.log, kept.telemetry, kept.clock);
        const auto done = restored->restore({}, kept.committed);
        state.PauseTiming();
        std::uint64_t found = 0;
        std::uint64_t ended = 0;
        for (const auto& partition : restored->all()) {
            found += partition->engine.open_cases();
            ended += partition->engine.closed_cases();
        }
        if (!done || found != open || ended != closed) {
            state.SkipWithError("not restored");
        }
        restored.reset();
        state.ResumeTiming();
    }
}
BENCHMARK(start_of_the_engine)
    ->Args({100'000, 100'000})
    ->Args({1'000'000, 10'000'000})
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace helios::reconcile
