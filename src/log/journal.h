#pragma once
/// One journal's writing side: its writer, its view, and how it stands with its disk.
///
/// Makes room for a group, writes it, publishes it, and does what its state (journal_state.h, with
/// the table) says when any of that fails: a failed write is followed by a new segment, a full disk
/// by segments from the reserve, for transactions alone. It knows neither calls nor answers.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/disk.h"
#include "log/group.h"
#include "log/journal_state.h"
#include "log/journal_writer.h"
#include "log/locked.h"
#include "log/mark_file.h"
#include "log/reserve.h"
#include "log/stored_log.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// A failure of the disk as the callers of append are told: unavailable, with what to do.
Error not_durable(const Error& cause);

/// Why a group can't take what it was to take.
struct Refusals {
    std::optional<Error> appends;  ///< plain appends; transactions go on
    std::optional<Error> all;      ///< everything
};

/// One thread: the committer's; before it starts, whoever opens the log, after its end, whoever
/// closes it. Every other thread: `status` with the log's mutex held, nothing else. What readers
/// see is changed with that mutex held. Outlived by log, disk and reserve.
class Journal {
public:
    Journal(StoredLog& log, RetentionClass retention, Disk& disk, Reserve& reserve,
            telemetry::Telemetry& telemetry);

    /// Finds where the journal ends, and makes sure that it will still end there; removes what is
    /// left of what was dropped.
    Status recover(std::uint64_t mark_end, const Kept& kept);
    /// Begins this life's first segment; log time is at `floor`. A full disk is no error: the
    /// journal opens full.
    Status begin(Instant floor);

    /// Room for a group of `bytes`, of which `transact_bytes` are those of transactions. What is
    /// refused must not be in the group; unless that is everything, the rest has room.
    Refusals make_room(std::uint64_t bytes, std::uint64_t transact_bytes);
    /// Writes and syncs the group, which `make_room` let in; `first` is its least log time. After a
    /// failure nothing of it is in the journal, and a retry is due.
    Status write(std::string_view group, Instant first);
    /// A written group becomes what readers see.
    void publish(const Locked&, const Group& group);
    /// A consumer group's move, written with a transaction, becomes what is committed.
    void move_group(const Locked&, const std::string& group,
                    const std::map<format::PartitionKey, format::GroupOffset>& to, Instant at);

    /// Tries to come out of its trouble, if it is in any.
    void retry(Duration now);
    bool retry_due(Duration now) const {
        return status_.state != JournalState::open && now >= status_.next_try;
    }
    /// A new segment is begun with the next group, if one can be. Any thread.
    void renew() { renew_.store(true, std::memory_order_relaxed); }
    /// Gives back the space set aside behind the end.
    void finish() { writer_.finish(); }

    RetentionClass retention() const { return retention_; }
    JournalView& view() { return view_; }
    std::uint64_t end() const { return writer_.end(); }
    std::uint64_t salt() const { return writer_.salt(); }
    /// The segment written to was deleted: what is in it is lost.
    bool lost() const { return writer_.lost(); }
    /// For the mark file.
    MarkFile::Durable::Journal durable() const { return {view_.end, writer_.segment_base()}; }

    const JournalStatus& status() const { return status_; }
    /// Any thread.
    const JournalStatus& status(const Locked&) const { return status_; }

private:
    void advance(const JournalEvent& event);
    void segment_ready();
    Status use_reserve(std::uint64_t bytes);
    void look_for_space();
    Error disk_full(const Error& cause) const;

    StoredLog& log_;
    Disk& disk_;
    Reserve& reserve_;
    telemetry::Telemetry& telemetry_;
    const DiskLogOptions& options_;
    const RetentionClass retention_;
    const std::uint64_t segment_bytes_;
    JournalView& view_;
    JournalWriter writer_;
    std::atomic<bool> renew_{false};
    /// Changed by the committer's thread alone, with the log's mutex held: so that thread reads it
    /// without, and every other one with it.
    JournalStatus status_;
};

}  // namespace helios::log
