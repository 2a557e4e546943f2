/// What a state costs: opening and reading all of it, a key that is not there, one that is, a
/// checkpoint. On the file system of the temporary directory (TMPDIR), its pages in memory.
///
/// 12 partitions; 1 million entries of 600 bytes, which a start reads, beside closed ones of 120
/// bytes that it does not.

#include <algorithm>
#include <atomic>
#include <benchmark/benchmark.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "log/state.h"

namespace {

using namespace helios;
using namespace helios::log;

constexpr std::uint32_t partitions = 12;
constexpr std::uint64_t open_entries = 1'000'000;

std::string key_of(char kind, std::uint64_t n) {
    return fmt::format("{}/default/order-reconciliation/ORD-{:012}/1", kind, n);
}

CheckpointHeader header_at(std::uint32_t partition, std::uint64_t next) {
    CheckpointHeader out;
    out.topic = "helios.cases";
    out.partition = partition;
    out.next = Offset{next};
    return out;
}

/// A directory with both kinds of entries, made once for all that ask for as many closed ones.
class Directory {
public:
    explicit Directory(std::uint64_t closed) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "helios-bench-XXXXXX").string();
        HELIOS_ASSERT(::mkdtemp(pattern.data()) != nullptr, "a temporary directory");
        path_ = pattern;
        open();
        for (std::uint32_t p = 0; p < partitions; ++p) {
            fill(p, 'o', open_entries / partitions, 600);
            fill(p, 'x', closed / partitions, 120);
        }
    }
    ~Directory() {
        close();
        std::filesystem::remove_all(path_);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    void close() {
        states.clear();
        directory_.reset();
    }
    void open() {
        StateOptions options;
        options.directory = path_ + "/engine";
        options.topic = "helios.cases";
        directory_ = *StateDirectory::open(options, LogId{});
        std::vector<StateDirectory::PassedOver> passed_over;
        for (std::uint32_t p = 0; p < partitions; ++p) {
            states.push_back(*directory_->open(p, nullptr, passed_over));
        }
    }
    void checkpoint(std::uint32_t p) {
        states[p]->freeze(header_at(p, ++next_));
        HELIOS_ASSERT(states[p]->write().has_value(), "written");
    }
    std::uint64_t bytes_on_disk() const {
        std::uint64_t out = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
            if (entry.is_regular_file()) {
                out += entry.file_size() / std::max<std::uint64_t>(entry.hard_link_count(), 1);
            }
        }
        return out;
    }

    std::vector<std::unique_ptr<State>> states;

private:
    void fill(std::uint32_t p, char kind, std::uint64_t count, std::size_t bytes) {
        for (std::uint64_t i = 0; i < count; ++i) {
            states[p]->put(key_of(kind, i * partitions + p),
                           std::string(bytes, static_cast<char>('a' + i % 26)));
            if (i % 50'000 == 49'999 || i + 1 == count) {
                checkpoint(p);
            }
        }
    }

    std::string path_;
    std::uint64_t next_ = 0;
    std::unique_ptr<StateDirectory> directory_;
};

Directory& directory_with(std::uint64_t closed) {
    static std::uint64_t made_with = 0;
    static std::unique_ptr<Directory> made;
    if (!made || made_with != closed) {
        made.reset();
        made = std::make_unique<Directory>(closed);
        made_with = closed;
        std::atexit([] { made.reset(); });  // before RocksDB's own statics, which are there by now
    }
    return *made;
}

std::uint64_t resident_bytes() {
    std::uint64_t pages = 0;
    if (std::FILE* in = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(in, "%*u %lu", &pages) != 1) {
            pages = 0;
        }
        std::fclose(in);
    }
    return pages * 4096;
}

std::uint64_t scan(State& state, std::string_view prefix) {
    std::uint64_t entries = 0;
    const auto done = state.scan(prefix, [&](std::string_view, std::string_view value) {
        benchmark::DoNotOptimize(value.data());
        ++entries;
        return Status{};
    });
    HELIOS_ASSERT(done.has_value(), "scanned");
    return entries;
}

void open_all(benchmark::State& bench) {
    Directory& directory = directory_with(static_cast<std::uint64_t>(bench.range(0)));
    for (auto _ : bench) {
        bench.PauseTiming();
        directory.close();
        const auto before = resident_bytes();
        bench.ResumeTiming();
        directory.open();
        bench.PauseTiming();
        bench.counters["resident"] = static_cast<double>(resident_bytes() - before);
        bench.ResumeTiming();
    }
    bench.counters["disk"] = static_cast<double>(directory.bytes_on_disk());
}

void scan_open_cases(benchmark::State& bench) {
    Directory& directory = directory_with(static_cast<std::uint64_t>(bench.range(0)));
    const auto threads = static_cast<std::uint32_t>(bench.range(1));
    directory.close();
    directory.open();
    std::atomic<std::uint64_t> entries = 0;
    for (auto _ : bench) {
        std::vector<std::jthread> running;
        for (std::uint32_t t = 0; t < threads; ++t) {
            running.emplace_back([&, t] {
                for (std::uint32_t p = t; p < partitions; p += threads) {
                    entries += scan(*directory.states[p], "o/");
                }
            });
        }
    }
    bench.SetItemsProcessed(static_cast<std::int64_t>(entries.load()));
}

void get(benchmark::State& bench, char kind) {
    Directory& directory = directory_with(static_cast<std::uint64_t>(bench.range(0)));
    std::uint64_t n = 0;
    std::uint64_t found = 0;
    for (auto _ : bench) {
        n = (n * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u);
        const std::uint64_t which = (n >> 33) % open_entries;
        const auto value = directory.states[which % partitions]->get(key_of(kind, which));
        HELIOS_ASSERT(value.has_value(), "read");
        found += value->has_value() ? 1 : 0;
    }
    bench.counters["found"] = static_cast<double>(found) / static_cast<double>(bench.iterations());
}
void get_absent(benchmark::State& bench) {
    get(bench, 'p');
}
void get_present(benchmark::State& bench) {
    get(bench, 'o');
}

/// 4,000 entries, of which half replace one.
void checkpoint(benchmark::State& bench) {
    Directory& directory = directory_with(static_cast<std::uint64_t>(bench.range(0)));
    std::uint64_t n = 0;
    for (auto _ : bench) {
        bench.PauseTiming();
        const auto p = static_cast<std::uint32_t>(n % partitions);
        for (int i = 0; i < 4'000; ++i, ++n) {
            const std::uint64_t which = n * 7'919 % (2 * open_entries);
            directory.states[p]->put(key_of('o', which / partitions * partitions + p),
                                     std::string(600, 'n'));
        }
        bench.ResumeTiming();
        directory.checkpoint(p);
    }
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->ArgName("closed")->Arg(12)->Arg(10'000'000);
}
BENCHMARK(open_all)->Apply(sizes)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(5);
BENCHMARK(scan_open_cases)
    ->ArgNames({"closed", "threads"})
    ->ArgsProduct({{12, 10'000'000}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(3);
BENCHMARK(get_absent)->Apply(sizes);
BENCHMARK(get_present)->Apply(sizes);
BENCHMARK(checkpoint)
    ->Apply(sizes)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Iterations(60);

}  // namespace
