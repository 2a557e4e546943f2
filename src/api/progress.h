#pragma once
/// How complete the derived state is, and whether it is complete enough to be answered from at all.
/// The app makes one.
///
/// From the start of the process until everything that was on the log then has been taken in, what
/// is derived from it is a part that looks like the whole: answerable() says no. From then on it
/// says yes for ever: a server that falls behind later is slow, and its lists say how old they are.

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/barrier.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "log/log.h"
#include "telemetry/telemetry.h"

namespace helios::api {

/// One thing that must be good before traffic may come, or that people want to see: "log", "dedup",
/// "engine".
struct NamedCheck {
    std::string name;
    std::function<Status()>
        check;  ///< quick, thread-safe; unavailable: what is missing and what happens next
};

struct CheckOutcome {
    std::string name;
    Status status;
};

/// "route", "engine", "store": each good once it has processed everything that was on the log when
/// this was called, and all that the stage before made of it; then good for ever. The barrier
/// outlives them.
std::vector<NamedCheck> caught_up(const Barrier& barrier);

/// What the engine has done with time.
struct Settled {
    Instant processed{};  ///< every case record stamped before it has been judged, the verdicts are
                          ///< visible
    Instant fired{};      ///< of those records, every deadline before it has passed, likewise
};

/// Thread-safe. Owns a thread once started. What it refers to outlives it.
class Progress {
public:
    /// `checks`: besides the log's health, which is asked first.
    Progress(log::Log& log, const Barrier& barrier, std::function<Settled()> settled,
             std::vector<NamedCheck> checks, telemetry::Telemetry& telemetry, const Clock& clock)
        : log_(log),
          barrier_(barrier),
          settled_(std::move(settled)),
          checks_(std::move(checks)),
          clock_(clock),
          began_(log.last_log_time()),
          lists_behind_(telemetry.metrics.gauge(
              "helios_api_lists_behind_seconds",
              "Log time between the log's present and what lists and figures are complete to.")),
          log_ahead_(telemetry.metrics.gauge("helios_api_log_ahead_of_clock_seconds",
                                             "How far log time lies ahead of this machine's clock, "
                                             "which was set back or wrong.")) {}

    /// Looks on its own, several times a second, so that neither answer is as old as the last
    /// question.
    void start();
    void stop();

    /// All checks, in order; blocks as long as they do. `asking` is told of each before.
    std::vector<CheckOutcome> run_checks(
        const std::function<void(std::string_view name)>& asking = {}) const;
    /// Whether all checks have ever been good at once.
    bool answerable() const;
    /// When they first were, by the monotonic clock; nullopt: as far as is known, never yet. Asks
    /// nobody.
    std::optional<Duration> answerable_since() const {
        const auto nanos = answerable_since_ns_.load();
        return nanos < 0 ? std::nullopt : std::optional(Duration(nanos));
    }

    /// unavailable: log time is ahead of the machine's clock by more than a minute, so what comes
    /// now is stamped with a time to come. That is true and harmless to verdicts, and nothing that
    /// waiting for traffic would mend: no part of run_checks().
    Status clock() const;

    /// Everything that follows from what was stamped before it is visible in the store: verdicts,
    /// deadlines that passed, all.
    Instant judged_before() const;
    /// What was stamped before it is visible as it came: events, quarantine, flows, counts.
    Instant stored_before() const { return barrier_.store().frontier.get(); }

private:
    void look() const;
    /// What was stamped before `routed` has been routed; all that was made of it was stamped by
    /// `written`.
    struct Mark {
        Instant routed;
        Instant written;
    };
    static void note(std::deque<Mark>& marks, Mark mark);

    log::Log& log_;
    const Barrier& barrier_;
    std::function<Settled()> settled_;
    std::vector<NamedCheck> checks_;
    const Clock& clock_;
    const Instant began_;  ///< what was stamped before it has been taken in once we are answerable
    telemetry::Gauge& lists_behind_;
    telemetry::Gauge& log_ahead_;
    mutable std::atomic<bool> answerable_{false};
    mutable std::atomic<std::int64_t> answerable_since_ns_{-1};  ///< set before answerable_

    mutable Mutex mutex_;
    mutable std::deque<Mark> to_engine_ HELIOS_GUARDED_BY(mutex_);
    mutable std::deque<Mark> to_store_ HELIOS_GUARDED_BY(mutex_);
    mutable Instant judged_ HELIOS_GUARDED_BY(mutex_){};

    std::jthread thread_;
};

}  // namespace helios::api
