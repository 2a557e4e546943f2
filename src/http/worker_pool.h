#pragma once
/// Threads for handlers that block, and the line in front of them.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/route.h"
#include "http/waiting_line.h"

namespace helios::http {

/// 503: what is asked for is too much at the moment.
Response busy(std::string_view detail);

/// What became of jobs, told as it happens, with no lock held. From any thread.
struct WorkerEvents {
    std::function<void(Duration waited)> began = [](Duration) {};
    std::function<void()> overdue = [] {};  ///< its time was over before its turn
    std::function<void()> gone = [] {};     ///< whoever asked hung up before its turn
};

/// Thread-safe. The clock outlives it.
class WorkerPool {
public:
    struct Job {
        const Route* route;
        Request request;
        Responder responder;
        Caller caller;
        std::string whose;                        ///< turn it takes
        Duration until{};                         ///< whoever asked waits no longer
        std::shared_ptr<std::atomic<bool>> gone;  ///< set once they have hung up
    };
    /// With current_patience() of the job's.
    using Run = std::function<void(Job)>;
    struct Options {
        const char* name = "http-worker";  ///< of its threads
        unsigned threads = 1;
        std::size_t waiting_max = 1;
        bool gives_way = false;  ///< to all other threads, when there is more to do than processors
    };

    WorkerPool(const Options& options, Run run, const Clock& clock, WorkerEvents events = {});
    ~WorkerPool() { stop(); }

    /// Why it is not taken, or has stopped; the job is untouched then.
    std::optional<NoPlace> try_post(Job& job);

    /// Answers those whose time is over, and forgets those who have gone; now and then.
    void look_after_waiting();
    /// Somebody has hung up.
    void forget_gone();

    struct Numbers {
        std::size_t waiting = 0;
        std::size_t running = 0;
    };
    Numbers numbers() const;

    /// Begins nothing any more: jobs that wait are answered with `stopping`, those that run are
    /// told that nobody waits for them. Does not wait for these. Idempotent.
    void give_up();
    /// Likewise, and waits for them.
    void stop();

private:
    void work(std::size_t worker);
    void answer_overdue(Job job) const;
    void answer_gone(Job job) const;

    const Options options_;
    const Run run_;
    const Clock& clock_;
    const WorkerEvents events_;
    mutable Mutex mutex_;
    Condition wakeup_;
    WaitingLine<Job> line_ HELIOS_GUARDED_BY(mutex_);
    bool stopping_ HELIOS_GUARDED_BY(mutex_) = false;
    /// Per worker, of the job that it is at; null: of none, or of one that nobody can give up.
    std::vector<std::shared_ptr<std::atomic<bool>>> running_ HELIOS_GUARDED_BY(mutex_);
    std::vector<std::thread> threads_;
};

}  // namespace helios::http
