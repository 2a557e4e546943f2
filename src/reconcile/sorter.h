#pragma once
/// Sorts any number of records by their keys in bounded memory: in chunks, which become sorted runs
/// in memory or, when that is full, in files without a name; then the runs are merged. What fits
/// into memory never touches the disk.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reconcile/workers.h"

namespace helios::reconcile {

struct SorterOptions {
    std::string directory;                 ///< for files
    std::size_t memory_bytes = 96u << 20;  ///< of everything it holds, but a record or two
    std::size_t chunk_bytes = 16u << 20;   ///< is sorted at a time
    std::size_t files_max = 64;            ///< so many runs on disk are merged into one
};

/// Add everything, then read everything, once; one thread. Chunks are sorted and written by the
/// workers beside it. An error of the disk (`unavailable`) comes with a later call.
class Sorter {
public:
    /// `workers` outlive it.
    Sorter(SorterOptions options, Workers& workers);
    ~Sorter();
    Sorter(const Sorter&) = delete;
    Sorter& operator=(const Sorter&) = delete;

    Status add(std::string_view key, std::string_view value);
    std::uint64_t size() const { return size_; }

    struct Record {
        std::string_view key;
        std::string_view value;
    };
    /// After the last add(). By key bytes; equal keys in the order in which they were added.
    /// nullptr: there are no more. Its views hold until the next call.
    Result<const Record*> next();

    /// How many runs stand on disk, for tests.
    std::size_t files() const { return files_; }

private:
    class Run;
    class Chunk;
    class FileRun;
    struct Merge;

    Status end_chunk();
    Status take_sorted(std::size_t left_open);
    Status merge_files();

    const SorterOptions options_;
    Workers& workers_;
    std::unique_ptr<Chunk> chunk_;
    std::deque<std::future<Result<std::unique_ptr<Run>>>> being_sorted_;
    std::vector<std::unique_ptr<Run>> runs_;  ///< in the order of their records' adding
    std::size_t chunks_ = 0;                  ///< ended so far
    std::size_t files_ = 0;                   ///< the last so many of runs_ are on disk
    std::uint64_t size_ = 0;
    std::unique_ptr<Merge> merge_;
    Record record_;
};

/// Big-endian with the sign bit flipped: byte order is numeric order.
void append_sortable(std::string& out, std::int64_t value);
std::int64_t read_sortable(std::string_view eight_bytes);

}  // namespace helios::reconcile
