#pragma once
/// A position in bytes: topic (1), partition (varint), offset (varint). Stored in records, tokens
/// and indexes: it never changes.

#include <limits>

#include "base/bytes.h"
#include "base/position.h"

namespace helios {

inline void write_position(ByteWriter& out, const Position& at) {
    out.u8(static_cast<std::uint8_t>(at.partition.topic));
    out.varint(at.partition.index);
    out.varint(at.offset.value);
}

/// A partition's index that fits into no 32 bits spoils the reader. Whether there is such a topic
/// is the caller's question.
inline Position read_position(ByteReader& in) {
    Position at;
    at.partition.topic = static_cast<TopicId>(in.u8());
    const std::uint64_t index = in.varint();
    if (index > std::numeric_limits<std::uint32_t>::max()) {
        in.spoil();
    }
    at.partition.index = static_cast<std::uint32_t>(index);
    at.offset.value = in.varint();
    return at;
}

}  // namespace helios
