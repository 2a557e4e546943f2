// What the gateway costs per event, from body to receipt: adapters, catalogue, deduplication with
// its index on disk, the log on a disk in memory (so no fsync: that is the log's bench). One
// sending thread, many requests under way, as from an I/O thread.
//   <build>/src/gateway/gateway_bench
// cpu_us is processor time of the whole process per event: committer and index thread included.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "base/mutex.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Sends requests, never more than `window` at once.
class Sender {
public:
    explicit Sender(Gateway& gateway) : gateway_(gateway) {}

    void send(Endpoint endpoint, std::string body) {
        {
            MutexLock lock(mutex_);
            changed_.wait(lock, [&] { return under_way_ < window; });
            ++under_way_;
        }
        gateway_.accept(endpoint, Rig::request(std::move(body)), local_caller(),
                        [this, endpoint](const Receipt& receipt) {
                            const auto response = answer(endpoint, receipt);
                            const MutexLock lock(mutex_);
                            ++statuses_[response.status];
                            --under_way_;
                            changed_.notify_all();
                        });
    }
    std::map<int, std::size_t> wait() {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&] { return under_way_ == 0; });
        return statuses_;
    }

private:
    static constexpr std::size_t window = 256;
    Gateway& gateway_;
    Mutex mutex_;
    Condition changed_;
    std::size_t under_way_ = 0;
    std::map<int, std::size_t> statuses_;
};

const std::string detail =
    R"({"orderId":"ORD-1234567","customerId":"C-7654321","totalAmount":"1299.00","currency":"USD","items":[)"
    R"({"productId":"SKU-1","quantity":2,"price":"499.50"},{"productId":"SKU-2","quantity":1,"price":"300.00"}]})";

/// Not torn and remembered sector by sector, as the test rig's disk is, but plain memory.
struct BenchRig {
    log::SimDisk disk{1, log::SimDisk::Durability::ignored};
    SystemClock clock;
    telemetry::Telemetry telemetry{clock, telemetry::Level::error};
    TemporaryDirectory directory = *TemporaryDirectory::make("helios-gateway-");
    std::unique_ptr<log::Log> log;
    std::unique_ptr<Gateway> gateway;

    BenchRig() {
        std::vector<log::TopicSpec> topics;
        for (const auto& topic : model::all_topics) {
            topics.push_back({topic.id, std::string(topic.name),
                              static_cast<log::RetentionClass>(topic.kept), topic.partitions});
        }
        log::DiskLogOptions log_options;
        log_options.directory = "data";
        log = *log::open_disk_log(log_options, topics, disk, clock, telemetry);
        Options options;
        options.index_directory = directory.path() + "/dedup";
        gateway = *Gateway::open(
            options, *log, model::Catalogue::shipped(),
            [](const TenantId&, std::string_view) { return false; }, telemetry, clock);
        gateway->wait_caught_up(std::chrono::seconds(10));
        gateway->admit();
    }
    ~BenchRig() {
        gateway.reset();
        log.reset();
    }
};

void report(benchmark::State& state, std::size_t events, double processor) {
    state.SetItemsProcessed(static_cast<std::int64_t>(events));
    state.counters["cpu_us"] = events == 0 ? 0 : processor * 1e6 / static_cast<double>(events);
}

void single_events(benchmark::State& state) {
    BenchRig rig;
    Sender sender(*rig.gateway);
    std::size_t n = 0;
    const double before = processor_seconds();
    for (auto _ : state) {
        sender.send(Endpoint::aws_eventbridge, eventbridge("e-" + std::to_string(n++), detail));
    }
    const auto statuses = sender.wait();
    report(state, n, processor_seconds() - before);
    if (statuses.size() != 1 || !statuses.contains(200)) {
        state.SkipWithError("not everything was accepted");
    }
}
BENCHMARK(single_events)->UseRealTime()->Iterations(200'000);

void recent_duplicates(benchmark::State& state) {
    BenchRig rig;
    Sender sender(*rig.gateway);
    for (int i = 0; i < 1'000; ++i) {
        sender.send(Endpoint::aws_eventbridge, eventbridge("e-" + std::to_string(i), detail));
    }
    sender.wait();
    std::size_t n = 0;
    const double before = processor_seconds();
    for (auto _ : state) {
        sender.send(Endpoint::aws_eventbridge,
                    eventbridge("e-" + std::to_string(n++ % 1'000), detail));
    }
    sender.wait();
    report(state, n, processor_seconds() - before);
}
BENCHMARK(recent_duplicates)->UseRealTime()->Iterations(100'000);

void arrays_of_100(benchmark::State& state) {
    BenchRig rig;
    Sender sender(*rig.gateway);
    std::size_t n = 0;
    const double before = processor_seconds();
    for (auto _ : state) {
        std::string body = "[";
        for (int i = 0; i < 100; ++i) {
            body += (i > 0 ? "," : "") + eventgrid("z-" + std::to_string(n++), detail);
        }
        sender.send(Endpoint::azure_eventgrid, body + "]");
    }
    sender.wait();
    report(state, n, processor_seconds() - before);
}
BENCHMARK(arrays_of_100)->UseRealTime()->Iterations(3'000);

}  // namespace
}  // namespace helios::gateway
