#pragma once
/// How far a stage has come, in log time: everything stamped before it has been processed and its
/// effects are visible. Stages publish it; readers that must see their own writes wait for it.

#include <condition_variable>
#include <mutex>

#include "base/time.h"

namespace helios {

/// Thread-safe. Never falls.
class Frontier {
public:
    Instant get() const {
        std::lock_guard lock(mutex_);
        return at_;
    }
    void advance_to(Instant t) {
        std::lock_guard lock(mutex_);
        if (t > at_) {
            at_ = t;
            moved_.notify_all();
        }
    }
    /// True once the frontier has reached t; false if `limit` passed first.
    bool wait_for(Instant t, Duration limit) const {
        std::unique_lock lock(mutex_);
        return moved_.wait_for(lock, limit, [&] { return at_ >= t; });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable moved_;
    Instant at_{};
};

}  // namespace helios
