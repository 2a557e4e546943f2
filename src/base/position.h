#pragma once
/// Where a record stands: in which topic, in which of its partitions, at which offset.
///
/// A topic is a number here: it fits into a byte, compares in an instruction, and is what records,
/// tokens and tables store. model/topics.h gives the numbers and the names that people read;
/// nobody else does, and neither base nor log knows one.

#include <compare>
#include <cstdint>

namespace helios {

/// A topic's number, from 1. Stored: never changed, never given again.
enum class TopicId : std::uint8_t {};
inline constexpr TopicId no_topic{};

struct Partition {
    TopicId topic{};
    std::uint32_t index = 0;  ///< from 0
    friend auto operator<=>(const Partition&, const Partition&) = default;
};

/// Place of a record within its partition. Offsets grow, with gaps: nobody counts by subtraction.
struct Offset {
    std::uint64_t value = 0;
    friend auto operator<=>(const Offset&, const Offset&) = default;
};

/// Ordered by partition, then by offset: that is no order of time.
struct Position {
    Partition partition;
    Offset offset;
    friend auto operator<=>(const Position&, const Position&) = default;
};

}  // namespace helios
