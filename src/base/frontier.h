#pragma once
/// How far a stage has come, in log time: everything stamped before it has been processed and its
/// effects are visible. Stages publish it; readers that must see their own writes wait for it.

#include "base/mutex.h"
#include "base/time.h"

namespace helios {

/// Thread-safe. Never falls, but when it begins anew.
class Frontier {
public:
    Instant get() const {
        MutexLock lock(mutex_);
        return at_;
    }
    void advance_to(Instant t) {
        MutexLock lock(mutex_);
        if (t > at_) {
            at_ = t;
            moved_.notify_all();
        }
    }
    /// There is more to process than before: nothing is known to have been.
    void begin_anew() {
        MutexLock lock(mutex_);
        at_ = {};
    }
    /// True once the frontier has reached t; false if `limit` passed first.
    bool wait_for(Instant t, Duration limit) const {
        MutexLock lock(mutex_);
        return moved_.wait_for(lock, limit, [&]() HELIOS_REQUIRES(mutex_) { return at_ >= t; });
    }

private:
    mutable Mutex mutex_;
    mutable Condition moved_;
    Instant at_ HELIOS_GUARDED_BY(mutex_){};
};

}  // namespace helios
