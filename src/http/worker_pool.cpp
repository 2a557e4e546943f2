#include "http/worker_pool.h"

#include <unistd.h>

#include "base/patience.h"
#include "base/thread_name.h"

namespace helios::http {

namespace {

constexpr int niceness = 10;  // a tenth of a processor's time where others want all of it

}  // namespace

Response busy(std::string_view detail) {
    auto response =
        problem(503, "Busy", detail, "send again after the time in Retry-After, or ask for less");
    response.ours = true;
    return response;
}

WorkerPool::WorkerPool(const Options& options, Run run, const Clock& clock, WorkerEvents events)
    : options_(options),
      run_(std::move(run)),
      clock_(clock),
      events_(std::move(events)),
      line_(options.threads, options.waiting_max) {
    {
        const MutexLock lock(mutex_);
        running_.resize(options.threads);
    }
    threads_.reserve(options.threads);
    for (unsigned i = 0; i < options.threads; ++i) {
        threads_.emplace_back([this, i] { work(i); });
    }
}

std::optional<NoPlace> WorkerPool::try_post(Job& job) {
    {
        const MutexLock lock(mutex_);
        if (stopping_) {
            return NoPlace{};
        }
        const auto caller = job.whose;
        if (const auto refused = line_.join(job, caller, job.until, clock_.monotonic())) {
            return refused;
        }
    }
    wakeup_.notify_one();
    return std::nullopt;
}

void WorkerPool::work(std::size_t worker) {
    name_this_thread(options_.name);
    if (options_.gives_way) {
        // Of this thread alone, as Linux has it. Refused: it stays as it is.
        static_cast<void>(::nice(niceness));
    }
    MutexLock lock(mutex_);
    for (;;) {
        wakeup_.wait(
            lock, [this]() HELIOS_REQUIRES(mutex_) { return stopping_ || line_.waiting() != 0; });
        if (stopping_) {
            return;
        }
        auto turn = *line_.next(clock_.monotonic());
        const auto gone = turn.job.gone;
        running_[worker] = gone;
        lock.unlock();
        std::optional<Duration> took;
        if (gone && gone->load()) {
            answer_gone(std::move(turn.job));
        } else if (turn.overdue) {
            answer_overdue(std::move(turn.job));
        } else {
            events_.began(turn.waited);
            const PatienceScope patience({turn.job.until, gone.get()});
            const Duration began = clock_.monotonic();
            run_(std::move(turn.job));
            if (!gone || !gone->load()) {  // else it was cut short
                took = clock_.monotonic() - began;
            }
        }
        lock.lock();
        running_[worker] = nullptr;
        line_.done(turn.caller, took);
    }
}

void WorkerPool::answer_overdue(Job job) const {
    events_.overdue();
    job.responder.send(busy("this request's time was over before its turn came"));
}

void WorkerPool::answer_gone(Job job) const {
    events_.gone();
    job.responder.send(problem(503, "Given up", "whoever asked has ended the connection",
                               "keep it open until the answer has come"));
}

void WorkerPool::look_after_waiting() {
    std::vector<Job> overdue;
    {
        const MutexLock lock(mutex_);
        overdue = line_.overdue(clock_.monotonic());
    }
    for (Job& job : overdue) {
        answer_overdue(std::move(job));
    }
}

void WorkerPool::forget_gone() {
    std::vector<Job> gone;
    {
        const MutexLock lock(mutex_);
        gone = line_.remove([](const Job& job) { return job.gone && job.gone->load(); });
    }
    for (Job& job : gone) {
        answer_gone(std::move(job));
    }
}

WorkerPool::Numbers WorkerPool::numbers() const {
    const MutexLock lock(mutex_);
    return {line_.waiting(), line_.running()};
}

void WorkerPool::give_up() {
    std::vector<Job> abandoned;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        abandoned = line_.remove([](const Job&) { return true; });
        for (const auto& gone : running_) {
            if (gone) {
                gone->store(true);
            }
        }
    }
    wakeup_.notify_all();
    for (Job& job : abandoned) {
        job.responder.send(
            problem(Error{ErrorKind::stopping, "the server stopped before this request's turn",
                          "send it again"}));
    }
}

void WorkerPool::stop() {
    give_up();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

}  // namespace helios::http
