#pragma once
/// The name of a thread in top -H, perf and debuggers.

#include <pthread.h>

namespace helios {

/// Of the calling thread; the system keeps 15 characters.
inline void name_this_thread(const char* name) {
    static_cast<void>(pthread_setname_np(pthread_self(), name));
}

}  // namespace helios
