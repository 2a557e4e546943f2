#pragma once
/// Threads for handlers that block, with a bounded queue in front.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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
    std::mutex mutex_;
    std::condition_variable wakeup_;
    std::deque<Job> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace helios::http
