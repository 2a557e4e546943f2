/// What every event pays in base: parsing, canonical text, hashing. `nice ninja base_bench &&
/// base_bench`.

#include <benchmark/benchmark.h>

#include "base/decimal.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

namespace {

using namespace helios;

const std::string event =
    R"({"source":"aws","eventType":"OrderPlaced","id":"evt-0000000000000001","time":"2026-01-05T10:23:45.120Z","payload":{)"
    R"("orderId":"ORD-2026-000123456","customerId":"CUST-000042","currency":"USD","totalAmount":1299.00,"items":[)"
    R"({"productId":"SKU-1001","name":"Mechanical keyboard","quantity":2,"price":499.50},)"
    R"({"productId":"SKU-2002","name":"USB-C cable, 2 m","quantity":3,"price":100.00}],)"
    R"("shipping":{"city":"Berlin","country":"DE","express":true}},"metadata":{"region":"eu-central-1","attempt":1}})";

void parse_event(benchmark::State& state) {
    for (auto _ : state) {
        auto parsed = json::Document::parse(event);
        benchmark::DoNotOptimize(parsed);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(event.size()));
}
BENCHMARK(parse_event);

void canonical_event(benchmark::State& state) {
    const auto parsed = json::Document::parse(event);
    for (auto _ : state) {
        benchmark::DoNotOptimize(json::canonical(parsed->root()));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(canonical_event);

void parse_batch_16mb(benchmark::State& state) {
    std::string batch = "[" + event;
    while (batch.size() < (16u << 20)) {
        batch += "," + event;
    }
    batch += "]";
    for (auto _ : state) {
        auto parsed = json::Document::parse(batch);
        benchmark::DoNotOptimize(parsed);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
}
BENCHMARK(parse_batch_16mb)->Unit(benchmark::kMillisecond);

void parse_decimal(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(Decimal::parse("123456.78"));
    }
}
BENCHMARK(parse_decimal);

void write_decimal(benchmark::State& state) {
    const Decimal value = *Decimal::parse("123456.78");
    for (auto _ : state) {
        benchmark::DoNotOptimize(value.to_string(2));
    }
}
BENCHMARK(write_decimal);

void compare_decimals(benchmark::State& state) {
    const Decimal a = *Decimal::parse("123456.78");
    const Decimal b = *Decimal::parse("123456.780");
    for (auto _ : state) {
        benchmark::DoNotOptimize(a == b);
    }
}
BENCHMARK(compare_decimals);

void parse_timestamp(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse_rfc3339("2026-01-05T10:23:45.120Z"));
    }
}
BENCHMARK(parse_timestamp);

void sha256_event(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(sha256_128(event));
    }
}
BENCHMARK(sha256_event);

void crc32c_event(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(crc32c(event));
    }
}
BENCHMARK(crc32c_event);

void uuid5_verdict(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(uuid5("default/order/ORD-2026-000123456/1/2"));
    }
}
BENCHMARK(uuid5_verdict);

}  // namespace
