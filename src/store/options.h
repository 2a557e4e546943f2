#pragma once
/// Where the store keeps its files, how long rows stay, and its bounds.

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "base/time.h"

namespace helios::store {

/// Slices that a store should have at most: a question without a range of times opens each.
inline constexpr std::size_t slices_kept_max = 1'000;

struct Options {
    /// What is current: cases, verdicts, quarantine, flows. Slices of events stand beside it
    /// (slice.h), and -wal and -shm beside each.
    std::filesystem::path file = "helios-data/store/current.db";

    Duration slice = std::chrono::hours(24);  ///< log time per slice: whole minutes, 1 min … 31 d;
                                              ///< slices that are there keep theirs
    Duration keep_events{};                   ///< of a slice after its end; 0: for ever
    std::uint64_t keep_events_bytes_max = 0;  ///< the oldest slices beyond it go; 0: no bound
    Duration keep_cases{};       ///< of a decided case after its last decision; 0: for ever
    Duration keep_quarantine{};  ///< of an item after it came last; 0: for ever
    Duration retention_interval = std::chrono::seconds(1);  ///< how often all that is looked at
    std::size_t rows_per_retention = 2'000;  ///< cases, and items, that leave in one transaction

    /// Records of one identity and content that are at most as far apart are one event and its
    /// copies. At most slices_near_max slices back and ahead are asked.
    Duration copies_within = std::chrono::hours(24);
    std::size_t slices_near_max = 64;
    /// Pairs of source and type per tenant and slice that have an order of their own in lists; what
    /// comes beyond shares one, which a filter walks.
    std::size_t kinds_max = 256;

    std::size_t batch_records_max = 20'000;   ///< log records per transaction
    std::size_t batch_bytes_max = 32u << 20;  ///< and about this many bytes of them
    Duration idle_poll = std::chrono::milliseconds(
        20);  ///< how often silence on the log is looked at: bounds what a 404 waits
    Duration pace =
        std::chrono::milliseconds(5);  ///< between the beginnings of two transactions; 0: none
    Duration retry_pause =
        std::chrono::seconds(1);  ///< between attempts while the file can't be written (disk full)
    std::size_t write_cache_bytes = 64u << 20;  ///< page cache of the writer

    /// A new store begins where the log begins now, although what came before is past retention.
    bool from_log_start = false;

    std::size_t slices_open_max = 8;  ///< per read connection
    std::size_t readers_max = 8;      ///< read connections; further queries wait for one
    Duration query_limit =
        std::chrono::seconds(5);       ///< a query that runs longer is stopped: timeout
    std::size_t page_rows_max = 1000;  ///< rows of one page
    std::size_t history_records_max =
        200'000;  ///< case records of one case that an explanation reads

    Status validate() const;  ///< invalid: names the option and its range
};

}  // namespace helios::store
