#pragma once
/// The writing end of one journal: one active segment, one write and one fsync per group.
///
/// A write or fsync that fails is never repeated over the same bytes: the segment is given up at
/// its last durable point and the next group goes to a new one, which begins there and so rules out
/// whatever the old file still holds behind it. Every life of a journal begins a new segment with a
/// new salt.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "log/disk.h"
#include "log/format.h"
#include "log/options.h"
#include "log/segments.h"

namespace helios::log {

/// One thread. Outlived by its disk and table.
class JournalWriter {
public:
    JournalWriter(Disk& disk, SegmentTable& segments, const DiskLogOptions& options)
        : disk_(disk), segments_(segments), options_(options) {}

    /// Goes on at `end`; nothing is written yet.
    void begin(std::uint64_t end) { end_ = end; }

    /// Makes sure that an active segment has room for a group of `bytes`; begins a new one of
    /// `segment_bytes` if not, which carries `state`. exhausted: the disk is full. unavailable: it
    /// failed. Either way the next call tries again.
    Status prepare(std::uint64_t bytes, std::uint64_t segment_bytes, const format::Snapshot& state);

    /// Begins a new segment although the active one has room, unless it is new; where that fails it
    /// stays.
    void renew(std::uint64_t bytes, std::uint64_t segment_bytes, const format::Snapshot& state);

    /// Writes the group, built for position end() and salt(), and makes it durable. Only after
    /// prepare. After a failure the segment is given up and end() stands where it stood.
    Status write(std::string_view group);

    std::uint64_t end() const { return end_; }
    std::uint64_t salt() const { return salt_; }
    std::uint64_t segment_base() const { return base_; }
    bool has_segment() const { return active_ != nullptr; }
    bool fits(std::uint64_t bytes) const;
    /// Gives back the space set aside behind the end. For an orderly close; failure is of no
    /// consequence.
    void finish();
    /// The active segment was deleted under us: what is in it is lost.
    bool lost() const { return lost_; }
    std::uint64_t syncs() const { return syncs_; }

private:
    Status create(std::uint64_t bytes, std::uint64_t segment_bytes, const format::Snapshot& state);
    Status write_and_sync(std::string_view group);

    Disk& disk_;
    SegmentTable& segments_;
    const DiskLogOptions& options_;
    std::unique_ptr<File> active_;
    std::uint64_t base_ = 0;
    std::uint64_t salt_ = 0;
    std::uint64_t capacity_ = 0;  ///< of the active segment's file
    std::uint64_t zeroed_ = 0;    ///< offset in the file up to which blocks have been written
    std::uint64_t end_ = 0;       ///< durable position
    std::uint64_t first_ = 0;     ///< end_ when the segment was new
    std::uint64_t syncs_ = 0;
    bool lost_ = false;
};

}  // namespace helios::log
