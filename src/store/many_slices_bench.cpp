/// What questions cost on a store of many slices. Each slice has ten events.
///   TMPDIR=/dev/shm store_bench --benchmark_filter=slices

#include <benchmark/benchmark.h>
#include <map>

#include "store/file_set.h"
#include "store/slice.h"
#include "store/tables.h"
#include "store/test_kit.h"

namespace helios::store {
namespace {

constexpr Duration minute = std::chrono::minutes(1);
constexpr int events_per_slice = 10;

void require(const Status& status) {
    HELIOS_ASSERT(status.has_value(), status ? "" : status.error().message().c_str());
}

/// A slice a minute: the first is written, the others are made from its file.
class ManySlices {
public:
    explicit ManySlices(int slices) {
        options_.file = folder_.path() + "/store/current.db";
        options_.slice = minute;
        options_.query_limit = std::chrono::minutes(10);
        {
            auto tables = Tables::open(options_).value();
            Rows rows;
            for (int n = 0; n < events_per_slice; ++n) {
                rows.events.emplace_back(default_tenant(), a_row(n));
            }
            HELIOS_ASSERT(tables->write(rows).has_value(), "it is written");
        }
        auto current = Database::open(options_.file, Database::Mode::write).value();
        auto insert =
            current.prepare(R"(INSERT INTO slices("start", "end", sealed) VALUES(?, ?, 1))")
                .value();
        require(current.execute("BEGIN"));
        for (int n = 1; n < slices; ++n) {
            add_copy(n);
            const Instant start = testing::epoch_of_tests + n * minute;
            require(insert.bind(1, to_nanos(start)).bind(2, to_nanos(start + minute)).run());
        }
        require(current.execute("COMMIT"));
    }
    std::unique_ptr<Queries> queries() const { return Queries::open(options_, clock_).value(); }

private:
    static EventRow a_row(int n) {
        EventRow row;
        row.pointer = {{model::topic::orders, 0}, Offset{static_cast<std::uint64_t>(n)}};
        row.log_time = testing::epoch_of_tests + n * std::chrono::seconds(1);
        row.source = "aws";
        row.event_id = "e" + std::to_string(n);
        row.type = "OrderPlaced";
        row.key = "K" + std::to_string(n);
        row.content = n;
        return row;
    }
    void add_copy(int n) const {
        const auto first = slice_file(options_.file, testing::epoch_of_tests);
        const auto copy = slice_file(options_.file, testing::epoch_of_tests + n * minute);
        std::filesystem::copy_file(first, copy);
        auto database = Database::open(copy, Database::Mode::write).value();
        for (const Sql sql : {Sql(R"(UPDATE slice SET "start" = "start" + ?, "end" = "end" + ?1)"),
                              Sql("UPDATE events SET log_time = log_time + ?")}) {
            require(database.prepare(sql)->bind(1, (n * minute).count()).run());
        }
    }

    TemporaryDirectory folder_ = testing::a_folder();
    SystemClock clock_;
    Options options_;
};

const ManySlices& of(std::int64_t slices) {
    static std::map<std::int64_t, std::unique_ptr<ManySlices>> made;
    auto& one = made[slices];
    if (!one) {
        one = std::make_unique<ManySlices>(static_cast<int>(slices));
    }
    return *one;
}

template <class Ask>
void ask_again(benchmark::State& state, Ask ask) {
    const auto queries = of(state.range(0)).queries();
    for (auto _ : state) {
        const auto answer = ask(*queries);
        HELIOS_ASSERT(answer.has_value(), "it answers");
    }
}

void slices_first_page(benchmark::State& state) {
    ask_again(state,
              [](Queries& queries) { return queries.events(EventFilter(default_tenant())); });
}
void slices_page_of_nobodys_key(benchmark::State& state) {
    ask_again(state, [](Queries& queries) {
        EventFilter filter(default_tenant());
        filter.key = "nobody's";
        return queries.events(filter);
    });
}
void slices_event_by_id(benchmark::State& state) {
    ask_again(state, [](Queries& queries) {
        return queries.events_by_id(default_tenant(), "nobody's", std::nullopt);
    });
}
void slices_in_the_middle(benchmark::State& state) {
    const auto at = testing::epoch_of_tests + state.range(0) / 2 * minute;
    ask_again(state, [at](Queries& queries) {
        EventFilter filter(default_tenant());
        filter.after = EventPlace{at, {}};
        return queries.events(filter);
    });
}

constexpr std::int64_t few = 10;
constexpr std::int64_t many = slices_kept_max;
#define HELIOS_SLICES_BENCH(name) \
    BENCHMARK(name)->RangeMultiplier(10)->Range(few, many)->Unit(benchmark::kMillisecond)
HELIOS_SLICES_BENCH(slices_first_page);
HELIOS_SLICES_BENCH(slices_in_the_middle);
HELIOS_SLICES_BENCH(slices_page_of_nobodys_key);
HELIOS_SLICES_BENCH(slices_event_by_id);

}  // namespace
}  // namespace helios::store
