#pragma once
/// What probes are told: /ready and /api/v1/health answer from values that threads of their own ask
/// for, several times a second, so that nobody who asks waits for what is asked about. A part that
/// does not answer is itself an answer: it fails.
///
/// The app makes one.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/barrier.h"
#include "api/health.h"
#include "api/progress.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "log/log.h"

namespace helios::api {

/// What a series of questions was answered in its last whole round. Thread-safe; one thread asks.
template <class Heard>
class LastHeard {
public:
    explicit LastHeard(const Clock& clock) : clock_(clock) {}

    /// The question that comes next.
    void asking(std::string_view what) {
        const MutexLock lock(mutex_);
        asking_ = what;
    }
    void heard(Heard heard, Duration began) {
        const MutexLock lock(mutex_);
        heard_ = std::make_shared<const Heard>(std::move(heard));
        at_ = began;
        asking_.clear();
    }

    struct Told {
        std::shared_ptr<const Heard> heard;  ///< nullptr: no round has ended yet
        Duration age{};                      ///< of its oldest value
        std::string asking;                  ///< empty: nothing at the moment
    };
    Told told() const {
        const MutexLock lock(mutex_);
        return {heard_, clock_.monotonic() - at_, asking_};
    }

private:
    const Clock& clock_;
    mutable Mutex mutex_;
    std::shared_ptr<const Heard> heard_ HELIOS_GUARDED_BY(mutex_);
    Duration at_ HELIOS_GUARDED_BY(mutex_){};
    std::string asking_ HELIOS_GUARDED_BY(mutex_);
};

/// Thread-safe. Owns two threads once started. What it refers to outlives it.
class Vitals {
public:
    /// Values are no older than this, or said to be.
    static constexpr Duration age_max = std::chrono::seconds(1);

    Vitals(log::Log& log, const Barrier& barrier, const Progress& progress, Health health,
           const Clock& clock)
        : log_(log),
          barrier_(barrier),
          progress_(progress),
          health_(std::move(health)),
          clock_(clock),
          readiness_(clock),
          wellbeing_(clock) {}

    void start();
    void stop();
    /// One round of each, by the caller; blocks.
    void look();

    /// The checks of /ready, as they were at most age_max ago. One that does not answer fails.
    std::vector<CheckOutcome> readiness() const;

    struct Stage {
        std::string_view name;
        Instant frontier{};
    };
    /// A member of an object, and its JSON.
    using Details = std::vector<std::pair<std::string, std::string>>;
    /// All that /api/v1/health tells.
    struct Wellbeing {
        std::vector<CheckOutcome> checks;
        std::vector<log::Damage> damage;
        Instant watermark{};
        Instant last_log_time{};
        std::array<Stage, 3> stages{{{"route"}, {"engine"}, {"store"}}};
        Details components;
        Details clouds;
    };
    /// Likewise.
    Wellbeing wellbeing() const;

private:
    void ask_readiness();
    void ask_wellbeing();

    log::Log& log_;
    const Barrier& barrier_;
    const Progress& progress_;
    const Health health_;
    const Clock& clock_;
    LastHeard<std::vector<CheckOutcome>> readiness_;
    LastHeard<Wellbeing> wellbeing_;
    std::jthread ready_thread_;
    std::jthread health_thread_;
};

}  // namespace helios::api
