#include "reconcile/stage_thread.h"

#include <utility>

#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::reconcile {

StageThread::StageThread(std::string name, Duration pace, Duration retry_after, const Clock& clock,
                         telemetry::Logger& logger, telemetry::Counter& failures)
    : name_(std::move(name)),
      pace_(pace),
      retry_after_(retry_after),
      clock_(clock),
      logger_(logger),
      failures_(failures) {}

StageThread::~StageThread() {
    stop();
}

void StageThread::start(std::function<Status()> step) {
    thread_ = std::jthread(
        [this, step = std::move(step)](const std::stop_token& stop) { run(stop, step); });
}

void StageThread::run(const std::stop_token& stop, const std::function<Status()>& step) {
    name_this_thread(name_.c_str());
    bool failing = false;
    while (!stop.stop_requested()) {
        const Duration began = clock_.monotonic();
        auto stepped = step();
        if (stepped) {
            if (std::exchange(failing, false)) {
                logger_.info("reconcile", name_ + " works again");
                set_health({});
            }
            pause_for(stop, began + pace_ - clock_.monotonic());
            continue;
        }
        if (stepped.error().kind == ErrorKind::stopping) {
            return;
        }
        failures_.add();
        if (!std::exchange(failing, true)) {
            logger_.warn("reconcile", name_ + " failed and tries again",
                         {{"error", stepped.error().message()}});
        }
        set_health(std::move(stepped));
        pause_for(stop, retry_after_);
    }
}

void StageThread::stop() {
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
}

Status StageThread::health() const {
    const std::lock_guard lock(mutex_);
    return health_;
}

void StageThread::set_health(Status health) {
    const std::lock_guard lock(mutex_);
    health_ = std::move(health);
}

}  // namespace helios::reconcile
