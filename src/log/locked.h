#pragma once
/// The log's mutex as a value: who needs it held asks for a Locked, and what it guards stands in a
/// Guarded. So neither can be had without it, whatever comments say.

#include "base/assert.h"
#include "base/mutex.h"

namespace helios::log {

/// The log's one mutex, held: what StoredLog::lock() returns. As a parameter: the caller holds it.
using Locked = HeldMutex;

/// What any thread may reach, with the log's mutex held.
template <class T>
class Guarded {
public:
    /// Not to be kept beyond the lock.
    T& with(const Locked& lock) {
        HELIOS_ASSERT(lock.owns_lock(), "the log's mutex is held");
        return value_;
    }
    const T& with(const Locked& lock) const {
        HELIOS_ASSERT(lock.owns_lock(), "the log's mutex is held");
        return value_;
    }

private:
    T value_{};
};

}  // namespace helios::log
