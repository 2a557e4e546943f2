// The engine over recorded case records: records per second and core, and bytes per open case.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "reconcile/state_kit.h"
#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

/// Three legs per order, legs of `open` orders interleaved, so that as many cases are open at a
/// time.
std::vector<std::string> recorded(int orders, int open) {
    std::vector<std::string> out;
    const auto add = [&](const char* source, const char* type, int i, const std::string& payload,
                         double s) {
        for (auto& leg :
             legs_of(*order_flow(),
                     event(source, type, std::string(type) + "-0b6ad1f2-" + std::to_string(i),
                           payload, noon(s)),
                     noon(s))) {
            out.push_back(model::encode(model::CaseRecord(std::move(leg))));
        }
    };
    for (int i = 0; i < orders + open; ++i) {
        const double s = i * 0.0001;
        if (i < orders) {
            const std::string id = R"({"orderId":"ORD-)" + std::to_string(1'000'000 + i) + "\"";
            add("aws", "OrderPlaced", i,
                id +
                    R"(,"customerId":"C-7","totalAmount":"1299.00","currency":"USD","items":[{"productId":"LAPTOP-X1","price":1299,"qty":1}]})",
                s);
        }
        if (i >= open) {
            const std::string id =
                R"({"orderId":"ORD-)" + std::to_string(1'000'000 + i - open) + "\"";
            add("gcp", "PaymentProcessed", i,
                id + R"(,"paymentId":"PAY-)" + std::to_string(i) +
                    R"(","amount":1299.00,"currency":"USD","status":"AUTHORIZED"})",
                s);
            add("azure", "InventoryReserved", i,
                id + R"(,"reservationId":"R-)" + std::to_string(i) +
                    R"(","items":[{"sku":"LAPTOP-X1","qty":1}]})",
                s);
        }
    }
    return out;
}

void engine_over_records(benchmark::State& state) {
    const auto records = recorded(20'000, static_cast<int>(state.range(0)));
    for (auto _ : state) {
        MemoryClosedCases closed;
        Engine engine(closed);
        engine.use_flow(default_tenant(), order_flow());
        std::vector<Revision> revisions;
        std::size_t bytes = 0;
        for (const auto& bytes_in : records) {
            revisions.clear();
            engine.on_record(*model::decode_case_record(bytes_in), revisions);
            for (const auto& revision : revisions) {
                bytes += model::encode(revision.verdict).size();
            }
        }
        benchmark::DoNotOptimize(bytes);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * records.size()));
}
BENCHMARK(engine_over_records)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

/// The same without reading and writing records: deciding alone.
void engine_alone(benchmark::State& state) {
    std::vector<model::CaseRecord> records;
    for (const auto& bytes : recorded(20'000, 10'000)) {
        records.push_back(*model::decode_case_record(bytes));
    }
    for (auto _ : state) {
        MemoryClosedCases closed;
        Engine engine(closed);
        engine.use_flow(default_tenant(), order_flow());
        std::vector<Revision> revisions;
        for (const auto& record : records) {
            revisions.clear();
            engine.on_record(record, revisions);
        }
        benchmark::DoNotOptimize(revisions);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * records.size()));
}
BENCHMARK(engine_alone)->Unit(benchmark::kMillisecond);

/// Three legs of a case that stays open because its amounts differ.
void feed_open_case(Engine& engine, int i, std::vector<Revision>& revisions) {
    const std::string id = R"({"orderId":"ORD-)" + std::to_string(1'000'000 + i) + "\"";
    const auto feed = [&](const char* source, const char* type, const std::string& rest) {
        for (const auto& leg :
             legs_of(*order_flow(),
                     event(source, type, std::string(type) + "-0b6ad1f2-" + std::to_string(i),
                           id + rest, noon(1)),
                     noon(1))) {
            revisions.clear();
            engine.on_record(leg, revisions);
        }
    };
    feed(
        "aws", "OrderPlaced",
        R"(,"totalAmount":"1299.00","currency":"USD","items":[{"productId":"LAPTOP-X1","qty":1}]})");
    feed("gcp", "PaymentProcessed",
         R"(,"paymentId":"PAY-67890","amount":1298.00,"currency":"USD","status":"AUTHORIZED"})");
    feed("azure", "InventoryReserved",
         R"(,"reservationId":"R-67890","items":[{"sku":"LAPTOP-X1","qty":1}]})");
}

/// Heap of cases that hold three legs and stay open because their amounts differ.
void bytes_per_open_case(benchmark::State& state) {
    constexpr int cases = 20'000;
    for (auto _ : state) {
        MemoryClosedCases closed;
        Engine engine(closed);
        engine.use_flow(default_tenant(), order_flow());
        std::vector<Revision> revisions;
        const auto before = mallinfo2().uordblks;
        for (int i = 0; i < cases; ++i) {
            feed_open_case(engine, i, revisions);
        }
        state.counters["bytes_per_case"] =
            static_cast<double>(mallinfo2().uordblks - before) / cases;
    }
}
BENCHMARK(bytes_per_open_case)->Iterations(1)->Unit(benchmark::kMillisecond);

/// An engine of the flow, with so many cases open.
struct Loaded {
    MemoryClosedCases closed;
    Engine engine{closed};

    explicit Loaded(int cases) {
        // As the log would have it, so that the flow is among what is kept.
        engine.on_record(flow_record(*order_flow(), noon(0)));
        std::vector<Revision> revisions;
        for (int i = 0; i < cases; ++i) {
            feed_open_case(engine, i, revisions);
        }
    }
};

/// Takes what is put and forgets it: encoding alone.
class Nowhere final : public MapState {
public:
    void put(std::string key, std::string value) override { bytes += key.size() + value.size(); }
    std::size_t bytes = 0;
};

/// What a checkpoint costs the engine's thread: cases that have changed since the last one.
void put_changes(benchmark::State& state) {
    constexpr int cases = 4'000;
    std::size_t bytes = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto loaded = std::make_unique<Loaded>(cases);
        Nowhere nowhere;
        state.ResumeTiming();
        loaded->engine.put_changes(nowhere);
        bytes = nowhere.bytes;
        state.PauseTiming();
        loaded.reset();
        state.ResumeTiming();
    }
    state.counters["bytes_per_case"] = static_cast<double>(bytes) / cases;
}
BENCHMARK(put_changes)->Iterations(20)->Unit(benchmark::kMillisecond);

/// What a start costs: open cases from entries that are in memory already.
void restore_open_cases(benchmark::State& state) {
    constexpr int cases = 100'000;
    MapState kept;
    Loaded(cases).engine.put_changes(kept);
    for (auto _ : state) {
        MemoryClosedCases closed;
        auto engine = std::make_unique<Engine>(closed);
        const auto restored = engine->restore(kept);
        state.PauseTiming();
        if (!restored || engine->open_cases() != cases) {
            state.SkipWithError("not restored");
        }
        engine.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * cases);
}
BENCHMARK(restore_open_cases)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace helios::reconcile
