#pragma once
/// What this process knows of its own presence: when it last looked at the clocks, up to when it
/// has read what senders sent, and when it had to refuse them. Route asks before it hands anything
/// on and makes records of it; nothing here is kept on a disk, but sign_of_life() says what must
/// be, in case the process dies before route could write it.
///
/// A standstill is noticed as two turns too far apart: the process was stopped, or, by the wall
/// clock alone, the machine slept. A wall clock set back is none: log time goes on. An interval of
/// refusals runs from the first until none has come for `absence_min`. That a source can't be
/// fetched is told, both when it begins and when it is over.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "log/log.h"
#include "model/absence.h"

namespace helios::reconcile {

struct PresenceOptions {
    Duration absence_min{};
    Duration absence_max{};
    Duration grace{};
};

/// Thread-safe. Log and clock outlive it.
class Presence {
public:
    Presence(const PresenceOptions& options, log::Watermarks& log, const Clock& clock)
        : options_(options), log_(log), clock_(clock) {}

    /// From now on somebody turns often (or no longer): two turns more than `absence_min` apart are
    /// a standstill. Without, only a wall clock that runs ahead of the monotonic one shows one.
    void expect_turns(bool often = true);
    /// Looks at both clocks.
    void turn();

    /// From now on somebody tells has_read(): what lies beyond is not known to be watched.
    void expect_reading();
    /// A turn of accepting connections and reading them that began at `t` has ended: what a sender
    /// had sent by then is taken in, or refused.
    void has_read(Instant t);
    /// No tick is appended for a later time.
    Instant read_until() const;

    /// We could not take an event of `source`; empty: of which one is not known. To be told before
    /// the sender is answered.
    void refuse(std::string_view source);

    /// A source that we fetch can't be fetched, or what waits there is old: from now until
    /// fetched() we are absent of it.
    void cannot_fetch(const std::string& source);
    /// What was sent before it could be fetched again has been taken in.
    void fetched(const std::string& source);

    /// For route, with every record stamped before `t` in hand and none of them handed on yet: the
    /// stretches, or pieces of them, that must be on the log before any of those that are stamped
    /// from their begin on. Whatever is noticed later begins at `t` or later.
    std::vector<model::AbsenceRecord> notice(Instant t);
    /// That piece is durable. Until then notice() gives it again.
    void written(const model::AbsenceRecord& piece);

    /// For whoever starts after us.
    log::SignOfLife sign_of_life() const;

private:
    /// Of one source, or of all.
    struct Refusals {
        Instant from;     ///< the first
        Instant last;     ///< the latest
        Instant covered;  ///< written up to here
    };
    /// Of one source that we fetch.
    struct Unfetched {
        Instant from;
        Instant covered;  ///< written up to here
    };
    Instant reach_of(const Unfetched& unfetched, Instant now) const;
    void look() HELIOS_REQUIRES(mutex_);
    void close_overdue(Instant now) HELIOS_REQUIRES(mutex_);
    void keep(model::AbsenceRecord piece) HELIOS_REQUIRES(mutex_);
    std::optional<Instant> unwritten_from(Instant now) const HELIOS_REQUIRES(mutex_);

    const PresenceOptions options_;
    log::Watermarks& log_;
    const Clock& clock_;
    mutable Mutex mutex_;
    bool turns_ HELIOS_GUARDED_BY(mutex_) = false;
    bool reads_ HELIOS_GUARDED_BY(mutex_) = false;
    std::optional<Duration> last_turn_ HELIOS_GUARDED_BY(mutex_);  ///< boot time
    Instant watched_until_ HELIOS_GUARDED_BY(mutex_){};  ///< by turns, of reading if there are such
    Instant routed_until_ HELIOS_GUARDED_BY(mutex_){};
    /// How far log time is ahead of the monotonic clock, at most so far.
    Duration ahead_ HELIOS_GUARDED_BY(mutex_){};
    std::map<std::string, Refusals, std::less<>> refusals_ HELIOS_GUARDED_BY(mutex_);
    std::map<std::string, Unfetched, std::less<>> unfetched_ HELIOS_GUARDED_BY(mutex_);
    /// Standstills, and the rest of intervals that are over.
    std::vector<model::AbsenceRecord> unwritten_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::reconcile
