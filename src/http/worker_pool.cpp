#include "http/worker_pool.h"

#include "base/thread_name.h"

namespace helios::http {

WorkerPool::WorkerPool(unsigned threads, std::size_t queue_max, Run run)
    : queue_max_(queue_max), run_(std::move(run)) {
    threads_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

bool WorkerPool::try_post(Job& job) {
    {
        const MutexLock lock(mutex_);
        if (stopping_ || queue_.size() >= queue_max_) {
            return false;
        }
        queue_.push_back(std::move(job));
    }
    wakeup_.notify_one();
    return true;
}

void WorkerPool::work() {
    name_this_thread("http-worker");
    MutexLock lock(mutex_);
    for (;;) {
        wakeup_.wait(lock,
                     [this]() HELIOS_REQUIRES(mutex_) { return stopping_ || !queue_.empty(); });
        if (stopping_) {
            return;
        }
        {
            Job job = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            run_(std::move(job));
        }
        lock.lock();
    }
}

void WorkerPool::stop() {
    std::deque<Job> abandoned;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        abandoned.swap(queue_);
    }
    wakeup_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
    for (Job& job : abandoned) {
        job.responder.send(
            problem(Error{ErrorKind::stopping, "the server stopped before this request's turn",
                          "send it again"}));
    }
}

}  // namespace helios::http
