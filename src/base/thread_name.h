#pragma once
/// What a thread is called where people look at threads: top -H, perf, a debugger.

#include <pthread.h>

namespace helios {

/// Of the calling thread; the system keeps 15 characters.
inline void name_this_thread(const char* name) {
    static_cast<void>(pthread_setname_np(pthread_self(), name));
}

}  // namespace helios
