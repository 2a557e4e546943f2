#pragma once
/// The bytes of a journal: segment header, group header, frame, durable mark. See
/// docs/formats/log.md.
///
/// Pure: bytes ↔ values, no disk and no clock. All integers little-endian. A decoder judges every
/// field it returns and answers nullopt for anything that this format, this salt and this position
/// cannot have produced.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "log/log.h"

namespace helios::log::format {

inline constexpr std::uint32_t version = 1;  ///< of segments; FORMAT names the directory's
inline constexpr std::uint32_t group_magic =
    0xb19e05f1;  ///< as a frame length it would exceed any limit
inline constexpr std::size_t group_header_bytes = 72;
inline constexpr std::size_t frame_header_bytes = 44;
inline constexpr std::uint32_t frame_bytes_limit =
    128u << 20;  ///< sanity bound on a frame's length field
inline constexpr std::uint64_t segment_header_bytes_max = 64ull << 20;
inline constexpr std::size_t segment_prefix_bytes = 64;
inline constexpr std::size_t mark_bytes = 128;

/// Running figures of one partition, carried from segment header to segment header.
struct PartitionState {
    std::uint64_t records = 0;
    std::uint64_t first = 0;  ///< position of the first record
    std::uint64_t end = 0;    ///< one past the last record's last byte; 0: no record yet
    Instant first_time{};
    Instant last_time{};
    std::uint64_t last = 0;  ///< position of the last record
};

struct PartitionKey {
    std::uint16_t topic = 0;
    std::uint32_t partition = 0;
    friend auto operator<=>(const PartitionKey&, const PartitionKey&) = default;
};

/// Where a group stands in a partition, and how many outputs of the record there are written.
struct GroupOffset {
    std::uint64_t offset = 0;
    std::uint64_t outputs = 0;
    friend bool operator==(const GroupOffset&, const GroupOffset&) = default;
};

/// A group's committed offset and when it was committed: of two journals' answers the later one
/// counts; the committer never lets them tie.
struct Committed {
    GroupOffset to;
    Instant at{};
};
using GroupState = std::map<PartitionKey, Committed>;

/// Everything about a journal's past that its next segment must know without reading it.
struct Snapshot {
    Instant last_time{};  ///< of the last group before this segment
    std::map<PartitionKey, PartitionState> partitions;
    std::map<std::string, GroupState, std::less<>> groups;
};

struct SegmentHeader {
    std::uint64_t salt = 0;
    std::uint64_t base = 0;  ///< position of the file's first byte
    std::uint8_t journal = 0;
    std::uint32_t bytes = 0;  ///< of this header; the first group follows
    Snapshot snapshot;
};
std::string encode_segment_header(const SegmentHeader& header);
/// The header's whole length from its first segment_prefix_bytes; nullopt if they are not a
/// header's.
std::optional<std::uint32_t> segment_header_length(std::string_view prefix);
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

struct GroupHeader {
    std::uint64_t salt = 0;
    std::uint64_t position = 0;
    std::uint32_t bytes = 0;  ///< of the frames that follow
    std::uint32_t count = 0;
    std::uint64_t mark = 0;  ///< everything below was durable when this was written
    Instant first_time{};
    Instant last_time{};
    std::uint64_t topics = 0;  ///< bit (topic id mod 64) of every topic in it
};
/// Writes group_header_bytes at `to`.
void encode_group_header(const GroupHeader& header, char* to);
/// Salt and position are the caller's to compare.
std::optional<GroupHeader> decode_group_header(std::string_view bytes);
/// The first bytes of every group header of a segment: what a search looks for.
std::string group_prefix(std::uint64_t salt);

enum class FrameKind : std::uint8_t { record = 0, offsets = 1 };

struct Frame {
    std::uint32_t bytes = 0;  ///< header, key and value
    std::uint64_t position = 0;
    Instant log_time{};
    FrameKind kind = FrameKind::record;
    std::uint16_t topic = 0;
    std::uint32_t partition = 0;
    std::uint16_t type = 0;
    std::uint8_t version = 0;
    std::uint32_t payload_key_id = 0;
    std::uint32_t key_bytes = 0;
};
/// Appends header, key and value to `out`.
void append_frame(std::string& out, const Frame& frame, std::string_view key,
                  std::string_view value, std::uint64_t salt);
/// The header fields if plausible at `position`; the checksum is not looked at.
std::optional<Frame> decode_frame_header(std::string_view bytes, std::uint64_t position);
/// Whether `bytes` (the whole frame) carries the right checksum for this segment.
bool frame_intact(std::string_view bytes, std::uint64_t salt);
inline std::string_view frame_key(std::string_view bytes, const Frame& f) {
    return bytes.substr(frame_header_bytes, f.key_bytes);
}
inline std::string_view frame_value(std::string_view bytes, const Frame& f) {
    return bytes.substr(frame_header_bytes + f.key_bytes);
}

/// The value of an offsets frame (its key is the group's name).
std::string encode_offsets(const std::map<PartitionKey, GroupOffset>& offsets);
std::optional<std::map<PartitionKey, GroupOffset>> decode_offsets(std::string_view bytes);

/// The durable mark, rewritten unsynced after each fsync: for other processes, and for recovery. It
/// fits in one sector.
struct Mark {
    struct Journal {
        std::uint64_t end = 0;           ///< everything below is durable
        std::uint64_t segment_base = 0;  ///< of the newest segment
        std::uint64_t begin = 0;         ///< everything below has been dropped
    };
    std::uint64_t sequence = 0;
    std::array<Journal, retention_classes> journals;  ///< by retention class
    Instant watermark{};  ///< every record stamped earlier is below the ends
    Instant last_time{};
    Instant alive{};      ///< sign of life; the epoch: none
    bool absent = false;  ///< with it: from then on nothing could be taken in
};
std::string encode_mark(const Mark& mark);
std::optional<Mark> decode_mark(std::string_view bytes);

}  // namespace helios::log::format
