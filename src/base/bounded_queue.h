#pragma once
/// A first-in first-out queue with a bound, between any number of producers and consumers. A full
/// queue refuses at once, so that back-pressure reaches the sender instead of memory. Never blocks
/// a producer.

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"

namespace helios {

enum class PushOutcome { taken, full, closed };

/// Thread-safe. Outlives every thread that uses it: close(), join, destroy.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t items_max) : items_max_(items_max) {
        HELIOS_ASSERT(items_max > 0, "a queue without room takes nothing");
    }

    /// Unless taken, `item` is left as it was.
    PushOutcome push(T&& item) {
        {
            const MutexLock lock(mutex_);
            if (closed_) {
                return PushOutcome::closed;
            }
            if (items_.size() >= items_max_) {
                return PushOutcome::full;
            }
            items_.push_back(std::move(item));
        }
        not_empty_.notify_one();
        return PushOutcome::taken;
    }

    /// The oldest item; waits up to `timeout` for one. Nothing: timed out, or closed and drained.
    std::optional<T> pop(std::chrono::nanoseconds timeout) {
        MutexLock lock(mutex_);
        if (!wait(lock, timeout)) {
            return std::nullopt;
        }
        std::optional<T> item(std::move(items_.front()));
        items_.pop_front();
        return item;
    }

    /// Whatever waits now, oldest first, at most `max`; waits up to `timeout` for the first.
    /// Appends to `out`; answers how many.
    std::size_t pop_many(std::vector<T>& out, std::size_t max, std::chrono::nanoseconds timeout) {
        MutexLock lock(mutex_);
        if (!wait(lock, timeout)) {
            return 0;
        }
        std::size_t taken = 0;
        for (; taken < max && !items_.empty(); ++taken) {
            out.push_back(std::move(items_.front()));
            items_.pop_front();
        }
        const bool more = !items_.empty();
        lock.unlock();
        if (more) {
            not_empty_.notify_one();
        }
        return taken;
    }

    /// No more pushes; consumers drain what is left and then get nothing at once. May be called
    /// twice.
    void close() {
        {
            const MutexLock lock(mutex_);
            closed_ = true;
        }
        not_empty_.notify_all();
    }

    bool closed() const {
        const MutexLock lock(mutex_);
        return closed_;
    }
    std::size_t size() const {
        const MutexLock lock(mutex_);
        return items_.size();
    }
    std::size_t items_max() const { return items_max_; }

private:
    bool wait(MutexLock& lock, std::chrono::nanoseconds timeout) HELIOS_REQUIRES(mutex_) {
        not_empty_.wait_for(
            lock, timeout, [this]() HELIOS_REQUIRES(mutex_) { return closed_ || !items_.empty(); });
        return !items_.empty();
    }

    const std::size_t items_max_;
    mutable Mutex mutex_;
    Condition not_empty_;
    std::deque<T> items_ HELIOS_GUARDED_BY(mutex_);
    bool closed_ HELIOS_GUARDED_BY(mutex_) = false;
};

}  // namespace helios
