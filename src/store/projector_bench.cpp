/// How many log records per second one writer projects. The log is in memory, the file on disk;
/// everything else is as in the server.
///   store_bench --benchmark_filter=project

#include <array>
#include <benchmark/benchmark.h>
#include <future>

#include "store/test_kit.h"

namespace helios::store {
namespace {

constexpr int orders = 20'000;

std::string uuid_like(std::uint64_t n) {
    return uuid5(std::to_string(n));
}

model::Event bench_event(std::uint64_t n, std::string type, const std::string& key,
                         std::string source) {
    model::Event event(default_tenant());
    event.source = std::move(source);
    event.id = uuid_like(n);
    event.type = std::move(type);
    event.key = key;
    event.time = testing::epoch_of_tests;
    event.payload =
        R"({"orderId":")" + key +
        R"(","customerId":"C-77","totalAmount":"1299.00","currency":"USD","items":[{"productId":"P-1","qty":2,"price":"649.50"}],"note":")" +
        std::string(300, 'x') + R"("})";
    event.content = content_of(event);  // as it comes from the door
    return event;
}

model::LegRecord bench_leg(const std::string& key, std::string leg) {
    model::LegRecord record(default_tenant());
    record.flow = "order";
    record.flow_version = 1;
    record.key = key;
    record.leg = std::move(leg);
    record.identity = key;
    record.event = {{model::topic::orders, 1}, Offset{1}};
    record.at = testing::epoch_of_tests;
    return record;
}

void append_order(testing::Bench& bench, std::vector<log::Record>& batch, std::uint64_t n) {
    const auto key = "ORD-" + std::to_string(n * 7919 % 1'000'003);
    const auto case_key = model::case_log_key(default_tenant(), "order", key);
    const std::array<std::pair<const char*, const char*>, 3> legs{
        {{"OrderPlaced", "order"},
         {"PaymentProcessed", "payment"},
         {"InventoryReserved", "inventory"}}};
    for (std::size_t i = 0; i < legs.size(); ++i) {
        const auto event = bench_event(n * 3 + i, legs[i].first, key, "aws");
        batch.push_back({model::Catalogue::shipped().type_of(event.type).topic,
                         {},
                         1,
                         1,
                         0,
                         key,
                         encode(event)});
        batch.push_back({model::topic::cases,
                         {},
                         3,
                         1,
                         0,
                         case_key,
                         encode(model::CaseRecord(bench_leg(key, legs[i].second)))});
    }
    auto verdict = testing::a_verdict(key, 1, model::VerdictStatus::pending, std::nullopt);
    batch.push_back({model::topic::verdicts, {}, 4, 1, 0, case_key, encode(verdict)});
    verdict = testing::a_verdict(key, 2, model::VerdictStatus::matched,
                                 testing::epoch_of_tests + std::chrono::milliseconds(n));
    for (const auto& leg : legs) {
        verdict.events.push_back({leg.second,
                                  uuid_like(n),
                                  "aws",
                                  leg.first,
                                  testing::epoch_of_tests,
                                  testing::epoch_of_tests,
                                  {{model::topic::orders, 1}, Offset{n}}});
    }
    batch.push_back({model::topic::verdicts, {}, 4, 1, 0, case_key, encode(verdict)});
    if (batch.size() > 1000) {
        std::promise<void> done;
        bench.log->append(std::move(batch),
                          [&done](std::span<const log::AppendOutcome>) { done.set_value(); });
        done.get_future().get();
        batch.clear();
        bench.clock.advance(log::log_time_grain);
    }
}

void project(benchmark::State& state) {
    testing::Bench bench(static_cast<std::size_t>(state.range(0)));
    std::vector<log::Record> batch;
    for (int i = 0; i < orders; ++i) {
        append_order(bench, batch, static_cast<std::uint64_t>(i));
    }
    std::uint64_t records = 0;
    for (auto _ : state) {
        const auto projected = rebuild(bench.options, *bench.log, bench.telemetry, bench.clock);
        HELIOS_ASSERT(projected.has_value(), "the log is projected");
        records += *projected;
    }
    state.counters["records/s"] =
        benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
}
BENCHMARK(project)->Arg(100)->Arg(1000)->Arg(20'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace helios::store
