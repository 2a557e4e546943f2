#pragma once
/// Threads for handlers that block, with a bounded queue in front.

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "http/route.h"

namespace helios::http {

/// Thread-safe.
class WorkerPool {
public:
    struct Job {
        const Route* route;
        Request request;
        Responder responder;
    };
    using Run = std::function<void(Job)>;

    WorkerPool(unsigned threads, std::size_t queue_max, Run run);
    ~WorkerPool() { stop(); }

    /// False: the queue is full, or the pool has stopped; the job is untouched.
    bool try_post(Job& job);

    /// Waits for the jobs that run; those that wait are answered with `stopping`. Idempotent.
    void stop();

private:
    void work();

    const std::size_t queue_max_;
    const Run run_;
    Mutex mutex_;
    Condition wakeup_;
    std::deque<Job> queue_ HELIOS_GUARDED_BY(mutex_);
    bool stopping_ HELIOS_GUARDED_BY(mutex_) = false;
    std::vector<std::thread> threads_;
};

}  // namespace helios::http
