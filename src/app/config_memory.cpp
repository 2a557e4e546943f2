/// What may be in memory at once, from the bounds that there are.

#include <algorithm>
#include <fmt/format.h>

#include "app/config.h"
#include "app/setting.h"

namespace helios::app {
namespace {

// What things take that are bounded by their number: estimates, rounded up (bench/memory.py holds
// the sum against what a server takes).
constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t program = 128 * mib;      // code, threads, what is small and has bounds
constexpr std::uint64_t connection = 16 * kib;    // its buffers, and the kernel's not
constexpr std::uint64_t recent_id = 200;          // with its place in the table
constexpr std::uint64_t open_case = 1 * kib;      // of three legs
constexpr std::uint64_t store_reader = 20 * mib;  // its pages, of the slices that it keeps open too
constexpr std::uint64_t parsed = 4;  // a body that is read: as it came, decoded, and its values
constexpr std::uint64_t log_readers = 6;

}  // namespace

std::vector<Config::MemoryPart> Config::memory_parts() const {
    const auto body = std::max<std::uint64_t>(gateway.body_bytes_max, gateway.record_bytes_max);
    return {
        {"the program itself", program},
        {"http.inflight_bytes_max", http.inflight_bytes_max},
        {"http.unsent_bytes_max", http.unsent_bytes_max},
        {"http.connections_max", http.connections_max * connection},
        {"http.websockets_max", http.websockets_max * http.websocket_waiting_bytes_max},
        {"http.io_threads, a body each (gateway.body_bytes_max)",
         (http.io_threads + 1) * parsed * body},
        {"log.pending_bytes_max", log.pending_bytes_max},
        {"log.group_bytes_max", 2 * (log.group_bytes_max + body)},
        {"log.cache_bytes", log.cache_bytes + log_readers * (log.read_ahead_bytes + body)},
        {"gateway.recent_ids_max", gateway.recent_ids_max * recent_id},
        {"gateway.unindexed_ids_max", gateway.unindexed_ids_max * recent_id},
        {"gateway.index_cache_bytes", gateway.index_cache_bytes},
        {"gateway.index_write_buffer_bytes", 3 * gateway.index_write_buffer_bytes},
        {"reconcile.open_cases_max", engine.open_cases_max * open_case},
        {"reconcile.cache_bytes", engine.cache_bytes},
        {"reconcile's batches",
         2 * (route.batch_bytes_max + engine.batch_bytes_max) + engine.commit_bytes_max},
        {"store.write_cache_bytes", store.write_cache_bytes + 2 * store.batch_bytes_max},
        {"store.readers_max", store.readers_max * store_reader},
    };
}

/// All bounds may be reached at once: what they sum to is what the server may need.
void Config::add_memory_mistakes(std::vector<Error>& out) const {
    auto parts = memory_parts();
    std::uint64_t sum = 0;
    for (const auto& part : parts) {
        sum += part.bytes;
    }
    if (memory_max == 0 || sum <= memory_max) {
        return;
    }
    std::ranges::sort(parts, std::greater(), &MemoryPart::bytes);
    std::string largest;
    constexpr std::size_t named = 5;
    for (std::size_t i = 0; i < named; ++i) {
        largest +=
            fmt::format("{}{} {} MiB", i == 0 ? "" : ", ", parts[i].what, parts[i].bytes / mib);
    }
    out.push_back({ErrorKind::invalid,
                   fmt::format("app.memory_max is {}, and the bounds of what may be in memory sum "
                               "to {} MiB: {}, …",
                               format_bytes(memory_max), sum / mib, largest),
                   "lower some of them, or raise it to what the machine can give"});
}

}  // namespace helios::app
