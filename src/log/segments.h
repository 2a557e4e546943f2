#pragma once
/// The segments of one journal as readers see them: which file holds a position, its salt, its
/// bytes.
///
/// A journal's positions are one line of bytes; segment n covers [base n, base n+1), whatever else
/// its file holds. A frame's position is its record's offset. Knows headers, not frames.

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "log/disk.h"
#include "log/format.h"

namespace helios::log {

struct Segment {
    std::string path;
    std::uint64_t base = 0;
    std::uint64_t salt = 0;
    std::uint32_t header_bytes = 0;
    bool header_intact = true;  ///< false: salt and header_bytes were found from a group, if at all
                                ///< (0: nothing readable)
    Instant after{};            ///< every record in it was stamped later

    std::uint64_t begin() const { return base + header_bytes; }  ///< of its first group
};

std::string segment_name(std::uint64_t base);

/// Removes the files of segments below `begin`, from the oldest on.
Status remove_dropped(Disk& disk, const std::string& directory, std::uint64_t begin);

/// Thread-safe.
class SegmentTable {
public:
    SegmentTable(Disk& disk, std::string directory, std::uint8_t journal);

    /// Reads the headers of the files in the directory that are not known yet, and the last one's
    /// again (an empty segment is replaced by the next life's). A bad header is no error: see
    /// Segment.
    Status load();
    void add(Segment segment);
    /// Everything below has been dropped: forgets those segments; their paths.
    std::vector<std::string> drop_below(std::uint64_t begin);
    /// As drop_below last said; 0: nothing was dropped.
    std::uint64_t begin() const;
    bool has(std::uint64_t base) const;

    struct Place {
        std::shared_ptr<const Segment> segment;
        std::uint64_t limit = 0;  ///< base of the next one; ~0 for the last
    };
    /// The segment whose range holds `position`, else the first one after it.
    std::optional<Place> find(std::uint64_t position) const;
    /// The last segment whose records may all be stamped before `t`'s first: where a search by time
    /// begins.
    std::optional<Place> find_time(Instant t) const;
    std::vector<std::shared_ptr<const Segment>> all() const;

    /// The segment's file, for reading; a few are kept open.
    Result<std::shared_ptr<File>> file(const Segment& segment);
    /// The header with its snapshot.
    Result<std::optional<format::SegmentHeader>> header(const Segment& segment);

    Disk& disk() { return disk_; }
    const std::string& directory() const { return directory_; }
    std::uint8_t journal() const { return journal_; }

private:
    Result<Segment> inspect(const std::string& name, std::uint64_t base);
    Status salvage(File& file, Segment& segment);

    Disk& disk_;
    const std::string directory_;
    const std::uint8_t journal_;
    mutable Mutex mutex_;
    std::vector<std::shared_ptr<const Segment>> segments_ HELIOS_GUARDED_BY(mutex_);  ///< by base
    std::uint64_t begin_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::list<std::pair<std::uint64_t, std::shared_ptr<File>>> open_
        HELIOS_GUARDED_BY(mutex_);  ///< most recently used first
};

/// Consecutive bytes of a journal. Shared with whoever still looks at them.
struct Block {
    std::uint64_t begin = 0;
    std::shared_ptr<const std::string> bytes;
    bool trusted = false;  ///< written by this process in this life: checksums need no second look

    bool holds(std::uint64_t position) const {
        return bytes && position >= begin && position < begin + bytes->size();
    }
    std::string_view from(std::uint64_t position) const {
        return std::string_view(*bytes).substr(position - begin);
    }
};

/// The last groups written, for readers at the live end. Thread-safe; bounded by bytes.
class RecentGroups {
public:
    explicit RecentGroups(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
    void push(std::uint64_t begin, std::shared_ptr<const std::string> group);
    std::optional<Block> find(std::uint64_t position) const;

private:
    const std::uint64_t bytes_max_;
    mutable Mutex mutex_;
    std::deque<Block> groups_ HELIOS_GUARDED_BY(mutex_);  ///< by begin
    std::uint64_t bytes_ HELIOS_GUARDED_BY(mutex_) = 0;
};

/// A window over one journal's bytes. One thread.
class JournalBytes {
public:
    JournalBytes(SegmentTable& segments, const RecentGroups* recent, std::uint64_t read_ahead)
        : segments_(segments), recent_(recent), read_ahead_(read_ahead) {}

    /// Bytes from `position`: at least n of them unless `end` or the file comes first. They live as
    /// long as block(). `end` is a durable position in the same segment.
    Result<std::string_view> at(const Segment& segment, std::uint64_t position, std::size_t n,
                                std::uint64_t end);
    const Block& block() const { return block_; }
    void forget() { block_ = {}; }

private:
    SegmentTable& segments_;
    const RecentGroups* recent_;
    const std::uint64_t read_ahead_;
    Block block_;
};

}  // namespace helios::log
