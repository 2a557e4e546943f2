#pragma once
/// The thread of a stage: steps until told to stop. A step that fails is tried again after a pause,
/// and the log says so once per failure, not once per attempt. Knows nothing of what a step does.

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {

/// Owned by its stage, as the last member: its step uses the others. health() is thread-safe, all
/// else for one thread.
class StageThread {
public:
    /// `name`: "route", as log lines say it. `failures` counts failed steps. All references outlive
    /// it. Steps begin at least `pace` apart, so that what arrives meanwhile shares one transaction
    /// instead of each paying for its own.
    StageThread(std::string name, Duration pace, Duration retry_after, const Clock& clock,
                telemetry::Logger& logger, telemetry::Counter& failures);
    ~StageThread();  ///< stops
    StageThread(const StageThread&) = delete;
    StageThread& operator=(const StageThread&) = delete;

    /// Calls `step` over and over; an error of kind stopping ends it.
    void start(std::function<Status()> step);
    /// Lets the step at work finish. Idempotent.
    void stop();
    /// Good, or why the latest step failed: it goes on trying.
    Status health() const;

private:
    void run(const std::stop_token& stop, const std::function<Status()>& step);
    void set_health(Status health);

    const std::string name_;
    const Duration pace_;
    const Duration retry_after_;
    const Clock& clock_;
    telemetry::Logger& logger_;
    telemetry::Counter& failures_;
    mutable std::mutex mutex_;
    Status health_;
    std::jthread thread_;
};

}  // namespace helios::reconcile
