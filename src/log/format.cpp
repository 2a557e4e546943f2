#include "log/format.h"

#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

namespace helios::log::format {
namespace {

constexpr std::string_view segment_magic = "HELIOSLG";
constexpr std::string_view mark_magic = "HELIOSMK";

template <class T>
void put(char* to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        to[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
}

template <class T>
T get(const char* from) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
    }
    return static_cast<T>(value);
}

std::uint32_t checksum_seed(std::uint64_t salt) {
    return static_cast<std::uint32_t>(salt ^ (salt >> 32));
}

std::uint32_t narrow_partition(std::uint64_t value, bool& ok) {
    if (value > std::numeric_limits<std::uint32_t>::max()) {
        ok = false;
    }
    return static_cast<std::uint32_t>(value);
}

void put_group_offset(ByteWriter& out, const PartitionKey& key, const GroupOffset& to) {
    out.u16(key.topic);
    out.varint(key.partition);
    out.varint(to.offset);
    out.varint(to.outputs);
}

std::pair<PartitionKey, GroupOffset> take_group_offset(ByteReader& in, bool& ok) {
    PartitionKey key;
    GroupOffset to;
    key.topic = in.u16();
    key.partition = narrow_partition(in.varint(), ok);
    to.offset = in.varint();
    to.outputs = in.varint();
    return {key, to};
}

void encode_snapshot(ByteWriter& out, const Snapshot& snapshot) {
    out.u64(static_cast<std::uint64_t>(to_nanos(snapshot.last_time)));
    out.varint(snapshot.partitions.size());
    for (const auto& [key, state] : snapshot.partitions) {
        out.u16(key.topic);
        out.varint(key.partition);
        out.varint(state.records);
        out.varint(state.first);
        out.varint(state.end);
        out.zigzag(to_nanos(state.first_time));
        out.zigzag(to_nanos(state.last_time));
        out.varint(state.end - std::min(state.end, state.last));
    }
    out.varint(snapshot.groups.size());
    for (const auto& [name, group] : snapshot.groups) {
        out.string(name);
        out.varint(group.size());
        for (const auto& [key, committed] : group) {
            put_group_offset(out, key, committed.to);
            out.zigzag(to_nanos(committed.at));
        }
    }
}

bool decode_snapshot(ByteReader& in, Snapshot& snapshot) {
    bool ok = true;
    snapshot.last_time = from_nanos(static_cast<std::int64_t>(in.u64()));
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        PartitionKey key;
        PartitionState state;
        key.topic = in.u16();
        key.partition = narrow_partition(in.varint(), ok);
        state.records = in.varint();
        state.first = in.varint();
        state.end = in.varint();
        state.first_time = from_nanos(in.zigzag());
        state.last_time = from_nanos(in.zigzag());
        const std::uint64_t last_bytes = in.varint();
        ok = ok && last_bytes <= state.end;
        state.last = state.end - std::min(state.end, last_bytes);
        snapshot.partitions[key] = state;
    }
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        GroupState& group = snapshot.groups[std::string(in.string())];
        for (std::uint64_t m = in.varint(); m > 0 && in.ok(); --m) {
            const auto [key, to] = take_group_offset(in, ok);
            group[key] = {to, from_nanos(in.zigzag())};
        }
    }
    return ok && in.ok();
}

}  // namespace

// Prefix: magic 8 | version 4 | header bytes 4 | salt 8 | base 8 | journal 1 | zero 27 | crc of the
// snapshot 4 ... crc of the prefix last.
std::string encode_segment_header(const SegmentHeader& header) {
    ByteWriter body;
    encode_snapshot(body, header.snapshot);
    std::string out(segment_prefix_bytes, '\0');
    std::memcpy(out.data(), segment_magic.data(), segment_magic.size());
    put<std::uint32_t>(out.data() + 8, version);
    put<std::uint32_t>(out.data() + 12,
                       static_cast<std::uint32_t>(segment_prefix_bytes + body.size()));
    put<std::uint64_t>(out.data() + 16, header.salt);
    put<std::uint64_t>(out.data() + 24, header.base);
    put<std::uint8_t>(out.data() + 32, header.journal);
    put<std::uint32_t>(out.data() + 56, crc32c(body.view(), checksum_seed(header.salt)));
    put<std::uint32_t>(out.data() + 60, crc32c(std::string_view(out.data(), 60)));
    return out + body.view();
}

std::optional<std::uint32_t> segment_header_length(std::string_view prefix) {
    if (prefix.size() < segment_prefix_bytes || !prefix.starts_with(segment_magic)) {
        return std::nullopt;
    }
    if (get<std::uint32_t>(prefix.data() + 60) != crc32c(prefix.substr(0, 60))) {
        return std::nullopt;
    }
    if (get<std::uint32_t>(prefix.data() + 8) != version) {
        return std::nullopt;
    }
    const auto length = get<std::uint32_t>(prefix.data() + 12);
    if (length < segment_prefix_bytes || length > segment_header_bytes_max) {
        return std::nullopt;
    }
    return length;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
    const auto length = segment_header_length(bytes);
    if (!length || bytes.size() < *length) {
        return std::nullopt;
    }
    SegmentHeader header;
    header.bytes = *length;
    header.salt = get<std::uint64_t>(bytes.data() + 16);
    header.base = get<std::uint64_t>(bytes.data() + 24);
    header.journal = get<std::uint8_t>(bytes.data() + 32);
    const std::string_view body =
        bytes.substr(segment_prefix_bytes, *length - segment_prefix_bytes);
    if (get<std::uint32_t>(bytes.data() + 56) != crc32c(body, checksum_seed(header.salt))) {
        return std::nullopt;
    }
    ByteReader in(body);
    if (!decode_snapshot(in, header.snapshot) || !in.at_end()) {
        return std::nullopt;
    }
    return header;
}

// magic 4 | salt 8 | position 8 | bytes 4 | count 4 | mark 8 | first 8 | last 8 | topics 8 | zero 8
// | crc 4
void encode_group_header(const GroupHeader& header, char* to) {
    std::memset(to, 0, group_header_bytes);
    put<std::uint32_t>(to, group_magic);
    put<std::uint64_t>(to + 4, header.salt);
    put<std::uint64_t>(to + 12, header.position);
    put<std::uint32_t>(to + 20, header.bytes);
    put<std::uint32_t>(to + 24, header.count);
    put<std::uint64_t>(to + 28, header.mark);
    put<std::int64_t>(to + 36, to_nanos(header.first_time));
    put<std::int64_t>(to + 44, to_nanos(header.last_time));
    put<std::uint64_t>(to + 52, header.topics);
    put<std::uint32_t>(to + 68, crc32c(std::string_view(to, 68)));
}

std::optional<GroupHeader> decode_group_header(std::string_view bytes) {
    if (bytes.size() < group_header_bytes || get<std::uint32_t>(bytes.data()) != group_magic) {
        return std::nullopt;
    }
    if (get<std::uint32_t>(bytes.data() + 68) != crc32c(bytes.substr(0, 68))) {
        return std::nullopt;
    }
    GroupHeader header;
    header.salt = get<std::uint64_t>(bytes.data() + 4);
    header.position = get<std::uint64_t>(bytes.data() + 12);
    header.bytes = get<std::uint32_t>(bytes.data() + 20);
    header.count = get<std::uint32_t>(bytes.data() + 24);
    header.mark = get<std::uint64_t>(bytes.data() + 28);
    header.first_time = from_nanos(get<std::int64_t>(bytes.data() + 36));
    header.last_time = from_nanos(get<std::int64_t>(bytes.data() + 44));
    header.topics = get<std::uint64_t>(bytes.data() + 52);
    if (header.mark > header.position || header.last_time < header.first_time) {
        return std::nullopt;
    }
    return header;
}

std::string group_prefix(std::uint64_t salt) {
    std::string prefix(12, '\0');
    put<std::uint32_t>(prefix.data(), group_magic);
    put<std::uint64_t>(prefix.data() + 4, salt);
    return prefix;
}

// length 4 | crc 4 | position 8 | log time 8 | topic 2 | type 2 | partition 4 | payload key 4 |
// kind 1 | version 1 | zero 2 | key bytes 4
void append_frame(std::string& out, const Frame& frame, std::string_view key,
                  std::string_view value, std::uint64_t salt) {
    const std::size_t begin = out.size();
    const std::size_t total = frame_header_bytes + key.size() + value.size();
    out.resize(begin + frame_header_bytes);
    char* to = out.data() + begin;
    put<std::uint32_t>(to, static_cast<std::uint32_t>(total));
    put<std::uint64_t>(to + 8, frame.position);
    put<std::int64_t>(to + 16, to_nanos(frame.log_time));
    put<std::uint16_t>(to + 24, frame.topic);
    put<std::uint16_t>(to + 26, frame.type);
    put<std::uint32_t>(to + 28, frame.partition);
    put<std::uint32_t>(to + 32, frame.payload_key_id);
    put<std::uint8_t>(to + 36, static_cast<std::uint8_t>(frame.kind));
    put<std::uint8_t>(to + 37, frame.version);
    put<std::uint16_t>(to + 38, 0);
    put<std::uint32_t>(to + 40, static_cast<std::uint32_t>(key.size()));
    out.append(key);
    out.append(value);
    const std::string_view whole(out.data() + begin, total);
    const std::uint32_t head = crc32c(whole.substr(0, 4), checksum_seed(salt));
    put<std::uint32_t>(out.data() + begin + 4, crc32c(whole.substr(8), head));
}

std::optional<Frame> decode_frame_header(std::string_view bytes, std::uint64_t position) {
    if (bytes.size() < frame_header_bytes) {
        return std::nullopt;
    }
    const char* from = bytes.data();
    Frame frame;
    frame.bytes = get<std::uint32_t>(from);
    frame.position = get<std::uint64_t>(from + 8);
    if (frame.position != position || frame.bytes < frame_header_bytes ||
        frame.bytes > frame_bytes_limit) {
        return std::nullopt;
    }
    frame.log_time = from_nanos(get<std::int64_t>(from + 16));
    frame.topic = get<std::uint16_t>(from + 24);
    frame.type = get<std::uint16_t>(from + 26);
    frame.partition = get<std::uint32_t>(from + 28);
    frame.payload_key_id = get<std::uint32_t>(from + 32);
    const auto kind = get<std::uint8_t>(from + 36);
    if (kind > static_cast<std::uint8_t>(FrameKind::offsets)) {
        return std::nullopt;
    }
    frame.kind = static_cast<FrameKind>(kind);
    frame.version = get<std::uint8_t>(from + 37);
    frame.key_bytes = get<std::uint32_t>(from + 40);
    if (frame.key_bytes > frame.bytes - frame_header_bytes) {
        return std::nullopt;
    }
    return frame;
}

bool frame_intact(std::string_view bytes, std::uint64_t salt) {
    if (bytes.size() < frame_header_bytes) {
        return false;
    }
    const std::uint32_t head = crc32c(bytes.substr(0, 4), checksum_seed(salt));
    return get<std::uint32_t>(bytes.data() + 4) == crc32c(bytes.substr(8), head);
}

std::string encode_offsets(const std::map<PartitionKey, GroupOffset>& offsets) {
    ByteWriter out;
    out.varint(offsets.size());
    for (const auto& [key, to] : offsets) {
        put_group_offset(out, key, to);
    }
    return out.take();
}

std::optional<std::map<PartitionKey, GroupOffset>> decode_offsets(std::string_view bytes) {
    ByteReader in(bytes);
    std::map<PartitionKey, GroupOffset> offsets;
    bool ok = true;
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        const auto [key, to] = take_group_offset(in, ok);
        offsets[key] = to;
    }
    if (!ok || !in.at_end()) {
        return std::nullopt;
    }
    return offsets;
}

// magic 8 | sequence 8 | per journal: end 8, segment 8, begin 8 | watermark 8 | last time 8 |
// alive 8 | absent 1 | zero 11 | crc 4
std::string encode_mark(const Mark& mark) {
    std::string out(mark_bytes, '\0');
    std::memcpy(out.data(), mark_magic.data(), mark_magic.size());
    put<std::uint64_t>(out.data() + 8, mark.sequence);
    char* at = out.data() + 16;
    for (const Mark::Journal& journal : mark.journals) {
        put<std::uint64_t>(at, journal.end);
        put<std::uint64_t>(at + 8, journal.segment_base);
        put<std::uint64_t>(at + 16, journal.begin);
        at += 24;
    }
    put<std::int64_t>(at, to_nanos(mark.watermark));
    put<std::int64_t>(at + 8, to_nanos(mark.last_time));
    put<std::int64_t>(at + 16, to_nanos(mark.alive));
    put<std::uint8_t>(at + 24, mark.absent ? 1 : 0);
    const std::string_view body(out.data(), mark_bytes - 4);
    put<std::uint32_t>(out.data() + body.size(), crc32c(body));
    return out;
}

std::optional<Mark> decode_mark(std::string_view bytes) {
    if (bytes.size() < mark_bytes || !bytes.starts_with(mark_magic)) {
        return std::nullopt;
    }
    const std::string_view body = bytes.substr(0, mark_bytes - 4);
    if (get<std::uint32_t>(bytes.data() + body.size()) != crc32c(body)) {
        return std::nullopt;
    }
    Mark mark;
    mark.sequence = get<std::uint64_t>(bytes.data() + 8);
    const char* at = bytes.data() + 16;
    for (Mark::Journal& journal : mark.journals) {
        journal = {get<std::uint64_t>(at), get<std::uint64_t>(at + 8), get<std::uint64_t>(at + 16)};
        at += 24;
    }
    mark.watermark = from_nanos(get<std::int64_t>(at));
    mark.last_time = from_nanos(get<std::int64_t>(at + 8));
    mark.alive = from_nanos(get<std::int64_t>(at + 16));
    mark.absent = get<std::uint8_t>(at + 24) != 0;
    return mark;
}

}  // namespace helios::log::format
