#include "reconcile/workers.h"

#include <algorithm>

#include "base/thread_name.h"

namespace helios::reconcile {

Workers::Workers(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
}

Workers::~Workers() {
    for (auto& thread : threads_) {
        thread.request_stop();
    }
    threads_.clear();
}

unsigned Workers::threads_of_this_machine() {
    return std::max(1u, std::thread::hardware_concurrency());
}

void Workers::enqueue(std::function<void()> task) {
    {
        const MutexLock lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
}

void Workers::run(const std::stop_token& stop) {
    name_this_thread("offline");
    for (;;) {
        std::function<void()> task;
        {
            MutexLock lock(mutex_);
            changed_.wait(lock, stop, [&]() HELIOS_REQUIRES(mutex_) { return !tasks_.empty(); });
            if (stop.stop_requested()) {
                return;
            }
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task();
    }
}

}  // namespace helios::reconcile
