#pragma once
/// What was found damaged in a log: listed, counted, reported in few lines.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "log/log.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// Thread-safe. The first stretch has a log line of its own, with its place; those that follow
/// share one now and then, so that a bad disk doesn't bury what else is said.
class DamageList {
public:
    DamageList(const Clock& clock, telemetry::Telemetry& telemetry);
    ~DamageList();  ///< tells the rest
    DamageList(const DamageList&) = delete;
    DamageList& operator=(const DamageList&) = delete;

    /// Counted and told once, however many readers come across it.
    void note(Damage damage);
    /// The file has been dropped: it is not damaged any more.
    void forget(const std::string& file);
    /// By file and place.
    std::vector<Damage> all() const;
    /// A line about what came since the last one, if that was long enough ago. note() calls it, and
    /// whoever has time.
    void tell();

private:
    bool add(Damage damage) HELIOS_REQUIRES(mutex_);
    void tell(bool all_of_it);

    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    telemetry::Counter& stretches_;
    mutable Mutex mutex_;
    std::map<std::string, std::map<std::uint64_t, Damage>> found_
        HELIOS_GUARDED_BY(mutex_);  ///< by file, then begin; never overlapping
    std::uint64_t count_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::uint64_t bytes_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::uint64_t untold_ HELIOS_GUARDED_BY(mutex_) = 0;
    Damage last_ HELIOS_GUARDED_BY(mutex_);
    Duration last_line_ HELIOS_GUARDED_BY(mutex_){};  ///< monotonic
};

}  // namespace helios::log
