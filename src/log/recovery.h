#pragma once
/// Where a journal ends, and what it knew: found from its last segment, after any kind of stop.
///
/// A group counts if its header and all its frames are intact. A bad stretch below the highest
/// durable mark (the mark file's, and those that group headers carry) is damage; from the first bad
/// byte above it everything is a torn tail, good groups included.

#include <cstdint>
#include <optional>
#include <string>

#include "log/cursor.h"
#include "log/format.h"
#include "log/segments.h"

namespace helios::log {

struct Recovered {
    std::uint64_t end =
        0;  ///< the next group's position, if the segment went on; 0: an empty journal
    std::uint64_t mark = 0;  ///< everything below was known to be durable
    std::uint64_t cut_bytes =
        0;  ///< torn tail: bytes of segment files behind the end that are not zero, roughly
    format::Snapshot state;  ///< as of end
};

/// What the mark file says. nullopt: nothing was ever written there, or it is damaged, which the
/// sink is told; then what group headers say must do.
Result<std::optional<format::Mark>> read_mark(File& file, const std::string& path,
                                              const DamageSink& sink);

/// Reads the last segment (and those before it as far as headers are damaged). `mark_end` is the
/// mark file's answer, or 0. `stop_at_mark`: never look past the highest mark (a reader beside a
/// living writer).
Result<Recovered> recover(SegmentTable& segments, std::uint64_t mark_end, bool stop_at_mark,
                          std::uint64_t read_ahead, const DamageSink& sink);

/// Writes [mark, end) of the last segment once more and syncs it. After a crash of the process
/// alone those groups may be whole only in memory, or lie on pages that an earlier failed sync left
/// behind; readers are about to be shown them.
Status make_durable(SegmentTable& segments, const Recovered& recovered, std::uint64_t read_ahead);

/// Takes one frame into account.
void apply_frame(format::Snapshot& state, const format::Frame& frame, std::string_view bytes);

}  // namespace helios::log
