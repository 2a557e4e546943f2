#pragma once
/// A pause of a thread that a request to stop ends early. Not for waiting until something has
/// happened: wait for its condition.

#include <stop_token>

#include "base/mutex.h"
#include "base/time.h"

namespace helios {

/// Returns after `time`, at once if that is not positive, or when a stop is requested.
inline void pause_for(const std::stop_token& stop, Duration time) {
    if (time > Duration::zero()) {
        Mutex mutex;
        StoppableCondition stopped;
        MutexLock lock(mutex);
        stopped.wait_for(lock, stop, time, [] { return false; });
    }
}

}  // namespace helios
