#pragma once
/// A credential that is fetched, and fetched again before it expires.

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::sources {

template <class T>
struct Issued {
    T value;
    std::optional<Duration> valid_for;  ///< absent: for good
};

/// Thread-safe: who comes while another fetches waits for what that brings.
template <class T>
class Renewed {
public:
    using Ask = std::function<Result<Issued<T>>()>;

    /// What holds at `now` (Clock::boot_time). Asks where there is nothing, or where it expires
    /// within five minutes, or a quarter of its life; while that fails, what has not expired yet
    /// serves, and the next try is half a minute later. Errors of `ask`.
    Result<T> get(Duration now, const Ask& ask) {
        const MutexLock lock(mutex_);
        const bool holds = value_ && (!expires_ || now < *expires_);
        if (holds && (!ask_at_ || now < *ask_at_)) {
            return *value_;
        }
        auto issued = ask();
        if (!issued) {
            if (holds) {
                ask_at_ = now + retry_pause;
                return *value_;
            }
            return std::unexpected(std::move(issued).error());
        }
        value_ = std::move(issued->value);
        expires_.reset();
        ask_at_.reset();
        if (issued->valid_for) {
            expires_ = now + *issued->valid_for;
            ask_at_ = *expires_ - std::min<Duration>(early_most, *issued->valid_for / 4);
        }
        return *value_;
    }

    /// The vendor says that it does not hold: the next get() asks.
    void forget() {
        const MutexLock lock(mutex_);
        value_.reset();
    }

private:
    static constexpr Duration early_most = std::chrono::minutes(5);
    static constexpr Duration retry_pause = std::chrono::seconds(30);

    Mutex mutex_;
    std::optional<T> value_ HELIOS_GUARDED_BY(mutex_);
    std::optional<Duration> expires_ HELIOS_GUARDED_BY(mutex_);
    std::optional<Duration> ask_at_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::sources
