#pragma once
/// Where the store keeps its file, and its bounds.

#include <cstddef>
#include <filesystem>

#include "base/result.h"
#include "base/time.h"

namespace helios::store {

struct Options {
    std::filesystem::path file = "helios-data/store/store.db";  ///< -wal and -shm stand beside it

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

    std::size_t readers_max = 8;  ///< read connections; further queries wait for one
    Duration query_limit =
        std::chrono::seconds(5);       ///< a query that runs longer is stopped: timeout
    std::size_t page_rows_max = 1000;  ///< rows of one page
    std::size_t history_records_max =
        200'000;  ///< case records of one case that an explanation reads

    Status validate() const;  ///< invalid: names the option and its range
};

}  // namespace helios::store
