#pragma once
/// Mutexes that the compiler watches: what a mutex guards names it, and clang refuses to compile
/// what reaches there without holding it (-Wthread-safety, part of `./dev lint`). For gcc the
/// annotations are nothing.
///
///     Mutex mutex_;
///     std::deque<Item> items_ HELIOS_GUARDED_BY(mutex_);
///     void drop_oldest() HELIOS_REQUIRES(mutex_);
///
/// Not followed: constructors and destructors, and the body of a lambda, which says itself that it
/// needs the mutex: `changed_.wait(lock, [&]() HELIOS_REQUIRES(mutex_) { return !items_.empty();
/// })`.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#if defined(__clang__)
#define HELIOS_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define HELIOS_THREAD_ATTRIBUTE(x)
#endif

// Of members: reached only with the mutex held; the second is of what a pointer leads to.
#define HELIOS_GUARDED_BY(mutex) HELIOS_THREAD_ATTRIBUTE(guarded_by(mutex))
#define HELIOS_PT_GUARDED_BY(mutex) HELIOS_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
// Of functions: the caller holds the mutex; holds it at least shared; does not hold it.
#define HELIOS_REQUIRES(...) HELIOS_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define HELIOS_REQUIRES_SHARED(...) HELIOS_THREAD_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define HELIOS_EXCLUDES(...) HELIOS_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
// A function that the compiler can't follow. Say why.
#define HELIOS_UNFOLLOWED HELIOS_THREAD_ATTRIBUTE(no_thread_safety_analysis)
// Of the types below.
#define HELIOS_CAPABILITY(name) HELIOS_THREAD_ATTRIBUTE(capability(name))
#define HELIOS_SCOPED_CAPABILITY HELIOS_THREAD_ATTRIBUTE(scoped_lockable)
#define HELIOS_ACQUIRE(...) HELIOS_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define HELIOS_ACQUIRE_SHARED(...) HELIOS_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define HELIOS_RELEASE(...) HELIOS_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define HELIOS_RELEASE_GENERIC(...) HELIOS_THREAD_ATTRIBUTE(release_generic_capability(__VA_ARGS__))

namespace helios {

/// Locked by a MutexLock.
class HELIOS_CAPABILITY("mutex") Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

private:
    friend class HeldMutex;
    std::mutex mutex_;
};

/// A mutex held, as a value: a function returns one or asks for one as proof. Where the compiler is
/// to follow it, a MutexLock.
class HeldMutex {
public:
    explicit HeldMutex(Mutex& mutex) : lock_(mutex.mutex_) {}

    bool owns_lock() const { return lock_.owns_lock(); }
    void unlock() { lock_.unlock(); }
    void lock() { lock_.lock(); }

private:
    friend class Condition;
    friend class StoppableCondition;
    std::unique_lock<std::mutex> lock_;
};

/// Holds a mutex from here to the end of the scope, but between unlock() and lock().
class HELIOS_SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) HELIOS_ACQUIRE(mutex) : held_(mutex) {}
    ~MutexLock() HELIOS_RELEASE() = default;
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

    void unlock() HELIOS_RELEASE() { held_.unlock(); }
    void lock() HELIOS_ACQUIRE() { held_.lock(); }

private:
    friend class Condition;
    friend class StoppableCondition;
    HeldMutex held_;
};

/// Something to wait for under a mutex, which is given up meanwhile; `ready` is asked with it held.
class Condition {
public:
    template <class Ready>
    void wait(HeldMutex& held, Ready ready) {
        changed_.wait(held.lock_, std::move(ready));
    }
    /// What `ready` said last.
    template <class Rep, class Period, class Ready>
    bool wait_for(HeldMutex& held, const std::chrono::duration<Rep, Period>& limit, Ready ready) {
        return changed_.wait_for(held.lock_, limit, std::move(ready));
    }
    template <class Ready>
    void wait(MutexLock& lock, Ready ready) {
        wait(lock.held_, std::move(ready));
    }
    template <class Rep, class Period, class Ready>
    bool wait_for(MutexLock& lock, const std::chrono::duration<Rep, Period>& limit, Ready ready) {
        return wait_for(lock.held_, limit, std::move(ready));
    }

    void notify_one() { changed_.notify_one(); }
    void notify_all() { changed_.notify_all(); }

private:
    std::condition_variable changed_;
};

/// As Condition, and a request to stop ends the waiting.
class StoppableCondition {
public:
    template <class Ready>
    void wait(MutexLock& lock, Ready ready) {
        changed_.wait(lock.held_.lock_, std::move(ready));
    }
    /// What `ready` said last.
    template <class Ready>
    bool wait(MutexLock& lock, const std::stop_token& stop, Ready ready) {
        return changed_.wait(lock.held_.lock_, stop, std::move(ready));
    }
    template <class Rep, class Period, class Ready>
    bool wait_for(MutexLock& lock, const std::stop_token& stop,
                  const std::chrono::duration<Rep, Period>& limit, Ready ready) {
        return changed_.wait_for(lock.held_.lock_, stop, limit, std::move(ready));
    }

    void notify_one() { changed_.notify_one(); }
    void notify_all() { changed_.notify_all(); }

private:
    std::condition_variable_any changed_;
};

/// Many may look at what it guards, or one change it.
class HELIOS_CAPABILITY("mutex") SharedMutex {
public:
    SharedMutex() = default;
    SharedMutex(const SharedMutex&) = delete;
    SharedMutex& operator=(const SharedMutex&) = delete;

private:
    friend class SharedLock;
    friend class ExclusiveLock;
    std::shared_mutex mutex_;
};

/// To look.
class HELIOS_SCOPED_CAPABILITY SharedLock {
public:
    explicit SharedLock(SharedMutex& mutex) HELIOS_ACQUIRE_SHARED(mutex) : lock_(mutex.mutex_) {}
    ~SharedLock() HELIOS_RELEASE_GENERIC() = default;
    SharedLock(const SharedLock&) = delete;
    SharedLock& operator=(const SharedLock&) = delete;

private:
    const std::shared_lock<std::shared_mutex> lock_;
};

/// To change.
class HELIOS_SCOPED_CAPABILITY ExclusiveLock {
public:
    explicit ExclusiveLock(SharedMutex& mutex) HELIOS_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
    ~ExclusiveLock() HELIOS_RELEASE() = default;
    ExclusiveLock(const ExclusiveLock&) = delete;
    ExclusiveLock& operator=(const ExclusiveLock&) = delete;

private:
    const std::unique_lock<std::shared_mutex> lock_;
};

}  // namespace helios
