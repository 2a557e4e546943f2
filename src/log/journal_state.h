#pragma once
/// How a journal stands with its disk, and what each thing that can happen to it changes: the
/// failure handling of the log on disk, as a value.
///
/// It knows no disk, thread, clock or mutex; `Journal` does, and does what the state says. Rows are
/// what happens, columns where it finds the journal; a cell says the next state, and in brackets
/// what is told to the operator. journal_state_test.cpp has a test for each row.
///
///     |                | open              | failed            | full                        |
///     |----------------|-------------------|-------------------|-----------------------------|
///     | SegmentReady   | open              | open (recovered)  | full: settled               |
///     | SegmentFailed  | failed (trouble)  | failed (trouble)  | full: nothing changes       |
///     | WriteFailed    | failed (trouble)  | failed (trouble)  | full (trouble)              |
///     |                |   and in each of them unsettled, from the earliest that failed          |
///     | DiskFull       | full (trouble)    | full (trouble)    | full: the figures of now    |
///     | SpaceIsBack    | open              | open (recovered)  | open (recovered)            |
///     | Retried        |   the next try is not before the time named; nothing else changes       |
///
/// Trouble is told when its text differs from that of the trouble before.
///
/// Absent on purpose: that a group was written. It was written to a segment that was ready, and
/// that is what settles a journal: a new segment begins at the durable end, so whatever a failed
/// write left behind that end can never be read as part of the journal.

#include <cstdint>
#include <optional>
#include <variant>

#include "base/result.h"
#include "base/time.h"

namespace helios::log {

enum class JournalState : std::uint8_t {
    open,    ///< takes everything
    failed,  ///< the last try failed: takes everything, and each group tries anew
    full,    ///< no space for a segment: takes transactions alone, in segments from the reserve
};

/// A segment with room stands, at the durable end. In `full`: one made from the reserve.
struct SegmentReady {};
/// No segment could be made, though not for want of space.
struct SegmentFailed {
    Error why;
};
/// A group could not be written or synced. The two are not told apart: after either, any part of it
/// may be on the disk.
struct WriteFailed {
    Error why;
    Instant first;  ///< the group's least log time
};
/// There is no space for a segment.
struct DiskFull {
    Error why;
    /// At open: what the last life left behind the end, no segment having ruled it out, is stamped
    /// from here on.
    std::optional<Instant> unsettled_from{};
};
/// A segment of full size stands, and the reserve is there again.
struct SpaceIsBack {};
/// The journal is about to try by itself, not because a group wants room.
struct Retried {
    Duration next_try;
};
using JournalEvent =
    std::variant<SegmentReady, SegmentFailed, WriteFailed, DiskFull, SpaceIsBack, Retried>;

/// What an operator must be told of a transition.
enum class JournalNews : std::uint8_t { nothing, trouble, recovered };

/// A value; not thread-safe. Changed by advance alone.
struct JournalStatus {
    JournalState state = JournalState::open;
    /// Why it is not open, as callers and health() are told. None exactly when open.
    std::optional<Error> trouble;
    /// A group that failed may still lie behind the end, stamped from here on: until it is ruled
    /// out, nothing later may be called complete. None when open.
    std::optional<Instant> unsettled_from;
    /// Monotonic. Not tried by itself before. Outlives a recovery, so that a disk that fails and
    /// heals by turns is not tried with each group.
    Duration next_try{};

    JournalNews advance(const JournalEvent& event);

    friend bool operator==(const JournalStatus&, const JournalStatus&) = default;
};

}  // namespace helios::log
