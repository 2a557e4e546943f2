#pragma once
/// The ids that stand on the log, on disk: identity → where the event is. RocksDB is seen by
/// dedup_index.cpp alone.
///
/// Derived: every entry comes from a durable record, and the position up to which the log is
/// reflected is written with the entries, so it can be thrown away and rebuilt at any time. Knows
/// no event, only digests and pointers.
///
/// In generations by log time, each an eighth of the longest horizon wide: one that is older than
/// the horizon is dropped whole, without a look at its ids. How old a single hit may be is for the
/// caller to judge.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "gateway/options.h"
#include "log/log.h"
#include "model/event.h"

namespace helios::log {
class Disk;
}
namespace rocksdb {
class Env;
}

namespace helios::gateway {

/// For tests: instead of the machine's. Both are of the same files and outlive the index.
struct IndexFiles {
    log::Disk* disk = nullptr;
    rocksdb::Env* env = nullptr;
};

struct IndexEntry {
    Digest128 identity{};
    Position at;
    Instant log_time{};  ///< not kept: it says which generation the entry belongs to
};

/// find: thread-safe. write: one thread.
class DedupIndex {
public:
    /// Opens or creates; in memory if options.index_directory is empty. corrupt: it must be removed
    /// and rebuilt: damaged, or made for another horizon. unavailable: the disk does not let us.
    static Result<std::unique_ptr<DedupIndex>> open(const Options& options,
                                                    const IndexFiles& instead = {});
    /// Deletes the index in that folder.
    static Status destroy(const Options& options, const IndexFiles& instead = {});
    virtual ~DedupIndex() = default;

    /// The latest, if the identity was written more than once.
    virtual Result<std::optional<Position>> find(const Digest128& identity) = 0;

    /// Adds the entries and moves the position, all or nothing, also across a crash. Then drops the
    /// generations that the latest entry shows to be older than the horizon.
    virtual Status write(const std::vector<IndexEntry>& entries, const log::Offsets& position) = 0;

    /// Writes out what is still in memory: from then on position_at_open() is at least the position
    /// last written, whatever happens. On the thread of write.
    virtual Status flush() = 0;
    /// The same, and the end: the next open has nothing to read again. A failure costs only that.
    virtual Status close() = 0;

    /// RocksDB takes no writes any more once one of its own has failed: of a flush, a merge, its
    /// MANIFEST. write() says so from then on, and what stands in its memory can still be found.
    /// Good: the folder is the one that was opened, and the disk takes writes. On the thread of
    /// write.
    virtual Status may_reopen() = 0;
    /// Closes and opens what is there: position_at_open() is what was on disk, and what came after
    /// it is forgotten. After a failure nothing can be found or written until another call
    /// succeeds. corrupt: as of open(). Beside no other call.
    virtual Status reopen() = 0;

    /// Looks whether the files are still those that were opened, and reads one of them through (of
    /// all in turn, once a day). unavailable: gone, replaced or read-only. corrupt: damaged. By one
    /// thread at a time, not beside close().
    virtual Status check_files() = 0;

    /// What `write` last got, as of open.
    virtual const log::Offsets& position_at_open() const = 0;
    /// The last entry written before open: a sample to check that this index belongs to this log.
    virtual const std::optional<IndexEntry>& last_entry_at_open() const = 0;
};

}  // namespace helios::gateway
