#pragma once
/// What retention has taken from a journal: where the journal begins since, and what it held
/// before. Positions stay what they were.
///
/// Figures of partitions are counted from the journal's first record on, in every segment's header;
/// the header of the first segment kept says how much of them is gone.

#include <cstdint>
#include <map>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "log/format.h"
#include "log/segments.h"

namespace helios::log {

/// A value.
struct Cut {
    using Partitions = std::map<format::PartitionKey, format::PartitionState>;

    std::uint64_t begin = 0;  ///< of the first segment kept; 0: nothing was ever dropped
    Instant until{};          ///< log time of the last record dropped; the epoch: none was
    /// The partitions' figures as of `begin`. Absent: that segment's header is damaged.
    std::optional<Partitions> before = Partitions();

    /// What is gone of the partition; all zero: nothing.
    format::PartitionState gone(format::PartitionKey key) const;
    /// Whether records of this partition have been dropped that stood at or after `position`.
    bool took_after(format::PartitionKey key, const format::PartitionState& now,
                    std::uint64_t position) const;
};

/// From the header of the segment that begins there; `until` is what is known without it.
Cut cut_at(SegmentTable& segments, std::uint64_t begin, Instant until);

/// The first record kept of a partition.
struct First {
    std::uint64_t position = 0;
    Instant time{};
};
using Firsts = std::map<format::PartitionKey, First>;

/// Of those partitions of `state` that have lost records and have some left. Reads a few headers
/// and segments. One that damage hides is said to stand where the journal begins.
Result<Firsts> find_firsts(SegmentTable& segments, const Cut& cut, const format::Snapshot& state,
                           std::uint64_t end, std::uint64_t read_ahead);

}  // namespace helios::log
