#pragma once
/// Sorts any number of records by their keys in bounded memory: in chunks, which become sorted runs
/// in memory or, when that is full, in files without a name; then the runs are merged. What fits
/// into memory never touches the disk; what does not is written once, and again each time that it
/// has grown `files_max`-fold.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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
    std::size_t files_max = 64;  ///< so many runs of about one size on disk are merged into one
    std::function<bool()> stop;  ///< asked while they are; true ends it with `stopping`. May be
                                 ///< empty
};

/// Add everything, then read everything, once; one thread. Chunks are sorted and written by the
/// workers beside it. An error of the disk (`unavailable`) comes with a later call, and nothing is
/// good after it.
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
    /// There will be no more: what is left is sorted beside the caller. May be left out.
    Status end_adding();
    /// After the last add(). By key bytes; equal keys in the order in which they were added.
    /// nullptr: there are no more. Its views hold until the next call. Memory is given back bit by
    /// bit.
    Result<const Record*> next();

    /// How many runs stand on disk, for tests.
    std::size_t files() const;

private:
    class Room;
    class Run;
    class Chunk;
    class FileRun;
    struct Merge;

    /// How often the records of a run have been written to disk: not at all, once, …
    struct Placed {
        std::unique_ptr<Run> run;
        unsigned written = 0;
    };
    /// What has become of a chunk.
    struct Sorted {
        Placed placed;
        std::unique_ptr<Room> spare;  ///< it was written to disk: another can fill its room
    };

    Status end_chunk();
    Status take_sorted(std::size_t left_open);
    Status merge_files();
    Result<std::unique_ptr<Run>> merged(std::size_t first) const;

    const SorterOptions options_;
    Workers& workers_;
    std::unique_ptr<Chunk> chunk_;
    std::deque<std::future<Result<Sorted>>> being_sorted_;
    std::vector<std::unique_ptr<Room>> spare_;
    std::vector<Placed> runs_;  ///< in the order of their records' adding: first those in memory,
                                ///< then those that have been written most often
    std::size_t chunks_ = 0;    ///< ended so far
    std::uint64_t size_ = 0;
    std::unique_ptr<Merge> merge_;
    Record record_;
};

/// Big-endian with the sign bit flipped: byte order is numeric order.
void append_sortable(std::string& out, std::int64_t value);
std::int64_t read_sortable(std::string_view eight_bytes);

}  // namespace helios::reconcile
