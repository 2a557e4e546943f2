#pragma once
/// The queue of a log on disk and the one thread that empties it: whatever calls are waiting become
/// one group per journal, one write and one fsync.
///
/// Natural group commit: while one round is being synced the next one gathers; there is no timer.
/// A round: take and stamp; per journal make room, build, write and sync; then publish, mark,
/// answer, in this order. What becomes of a journal whose disk fails is the journal's business.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "log/call.h"
#include "log/journal.h"
#include "log/locked.h"
#include "log/log_clock.h"
#include "log/mark_file.h"
#include "log/stored_log.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// Thread-safe. Outlived by its log, journals and mark file.
class Committer {
public:
    using Journals = std::array<Journal*, retention_classes>;  ///< by index_of(retention)

    Committer(StoredLog& log, const Journals& journals, MarkFile& mark, const Clock& clock,
              telemetry::Telemetry& telemetry);
    /// Stopped, if it was ever started.
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// What no stamp is less than, and the greatest that is durable; before anything else is asked.
    void set_time(Instant least_stamp, Instant last_durable);
    void start();
    bool started() const { return thread_.joinable(); }
    /// Answers what waits, then ends the thread.
    void stop();

    /// Any thread. Refused, if it is, by the answer: exhausted, invalid, stopping, unavailable.
    void enqueue(Call call);
    /// Until nothing waits and nothing is being written; the lock is given up meanwhile. Not from a
    /// call's answer, which is part of what is waited for.
    void drain(Locked& lock);

    /// Writes the mark: as each round does. While the thread does not run.
    void write_mark();

    Instant watermark(const Locked& lock);
    /// What a record appended now would be stamped with at least.
    Instant log_time(const Locked& lock);
    Instant last_durable(const Locked& lock) const;

    /// What a look at the files has found. If they are gone nothing is taken in until they are
    /// back; what was written to a deleted segment is lost for good, and says so ever after.
    Status note_files(const Locked& lock, Status found);
    /// Why nothing is taken in: the files are not there.
    const std::optional<Error>& lost(const Locked& lock) const;

private:
    struct Round;
    /// What callers' threads and the committer's share.
    struct Shared {
        std::optional<LogClock> clock;
        std::deque<Call> queue;
        std::uint64_t pending_bytes = 0;
        std::uint64_t pending_records = 0;
        std::optional<Instant> round_stamp;  ///< of the round being written
        Instant last_durable{};
        std::optional<Error> lost;  ///< the files are not there any more: nothing is taken in
        bool deleted = false;       ///< and part of the log with them, for good
        bool busy = false;
        bool stop = false;
    };

    std::optional<Error> why_refused(const Locked& lock, const Call& call) const;

    // The committer's thread.
    void run();
    bool wait_for_calls(Round& round);
    bool take(const Locked& lock, Round& round);
    bool admit(const Locked& lock, Call& call, Round& round);
    bool admit_transact(const Locked& lock, Call& call, Round& round);
    void stamp(Round& round);
    void commit(Journal& journal, Round& round);
    void publish(Round& round);
    void answer_all(Round& round);
    void retry(Journal& journal);
    void lose(const Error& error);
    MarkFile::Durable durable(const Locked& lock);

    StoredLog& log_;
    const Journals journals_;
    MarkFile& mark_;
    const Clock& clock_;
    const DiskLogOptions& options_;

    Guarded<Shared> shared_;
    Condition arrived_;
    Condition drained_;

    telemetry::Counter& appended_records_;
    telemetry::Counter& appended_bytes_;
    telemetry::Counter& syncs_;
    telemetry::Counter& failures_;
    telemetry::Counter& refusals_;
    telemetry::Histogram& group_records_;
    telemetry::Histogram& append_seconds_;
    telemetry::Gauge& pending_gauge_;
    std::thread thread_;
};

}  // namespace helios::log
