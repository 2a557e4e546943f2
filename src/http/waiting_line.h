#pragma once
/// Who is next: jobs that wait for a worker, taken from their callers in turn. Knows no thread and
/// no clock: whoever asks says what time it is.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/time.h"

namespace helios::http {

/// Why a job was not taken.
struct NoPlace {
    bool late = false;  ///< its turn would come when its time is over; else the line is full
    Duration again{};   ///< when another try may do better; at least a second
};

/// The next worker goes to the caller who has the fewest at the moment, of those to the one who has
/// waited longest for one: whoever is alone may have all, and who asks much waits for himself. Not
/// thread-safe.
template <class Job>
class WaitingLine {
public:
    WaitingLine(unsigned workers, std::size_t waiting_max)
        : workers_(workers), waiting_max_(waiting_max) {}

    /// Moves from `job`, unless there is no place for it: what would not be answered before `until`
    /// at the rate of late is not taken.
    std::optional<NoPlace> join(Job& job, const std::string& caller, Duration until, Duration now) {
        constexpr Duration second = std::chrono::seconds(1);
        const Duration wait = expected_wait(caller);
        if (wait > Duration::zero() && wait + mean_ > until - now) {
            return NoPlace{true, std::max(second, wait + mean_ - (until - now))};
        }
        if (waiting_ >= waiting_max_) {
            return NoPlace{false, std::max(second, wait)};
        }
        callers_[caller].waiting.push_back({std::move(job), until, now});
        ++waiting_;
        return std::nullopt;
    }

    struct Turn {
        Job job;
        std::string caller;
        Duration waited{};
        bool overdue = false;  ///< its time was over before its turn came
    };
    /// Whose turn it is: a worker is his until done().
    std::optional<Turn> next(Duration now) {
        auto chosen = callers_.end();
        for (auto it = callers_.begin(); it != callers_.end(); ++it) {
            if (!it->second.waiting.empty() &&
                (chosen == callers_.end() || it->second.goes_before(chosen->second))) {
                chosen = it;
            }
        }
        if (chosen == callers_.end()) {
            return std::nullopt;
        }
        Caller& caller = chosen->second;
        auto entry = std::move(caller.waiting.front());
        caller.waiting.pop_front();
        --waiting_;
        ++caller.running;
        ++running_;
        caller.turn = ++turns_;
        return Turn{std::move(entry.job), chosen->first, now - entry.since, now >= entry.until};
    }
    /// A worker is free again; `took`: of jobs that were done, for the rate.
    void done(const std::string& caller, std::optional<Duration> took) {
        const auto found = callers_.find(caller);
        HELIOS_ASSERT(found != callers_.end() && found->second.running > 0,
                      "whoever is done had his turn");
        --found->second.running;
        --running_;
        forget_if_idle(found);
        if (took) {
            constexpr int weight = 16;  // about as many jobs make the mean
            mean_ = mean_ == Duration::zero() ? *took : mean_ + (*took - mean_) / weight;
        }
    }

    /// Jobs whose time is over before their turn has come.
    std::vector<Job> overdue(Duration now) {
        return take_out([now](const Entry& entry) { return now >= entry.until; });
    }
    /// Jobs that `unwanted` is true of.
    template <class Unwanted>
    std::vector<Job> remove(const Unwanted& unwanted) {
        return take_out([&](const Entry& entry) { return unwanted(entry.job); });
    }

    /// How long the next job of this caller would wait for a worker.
    Duration expected_wait(const std::string& caller) const {
        if (running_ + waiting_ < workers_) {
            return Duration::zero();
        }
        const auto mine = callers_.find(caller);
        const std::size_t place = mine == callers_.end() ? 0 : mine->second.waiting.size();
        std::size_t before = place + 1;  // with the one that is being done
        for (auto it = callers_.begin(); it != callers_.end(); ++it) {
            before += it == mine ? 0 : std::min(it->second.waiting.size(), place + 1);
        }
        return mean_ * static_cast<std::int64_t>(before) / workers_;
    }

    std::size_t waiting() const { return waiting_; }
    std::size_t running() const { return running_; }

private:
    struct Entry {
        Job job;
        Duration until{};
        Duration since{};
        bool taken_out = false;
    };
    struct Caller {
        std::deque<Entry> waiting;
        unsigned running = 0;
        std::uint64_t turn = 0;  ///< the last that was his; 0: none yet

        bool goes_before(const Caller& other) const {
            return std::pair(running, turn) < std::pair(other.running, other.turn);
        }
    };
    using Callers = std::map<std::string, Caller>;

    typename Callers::iterator forget_if_idle(typename Callers::iterator it) {
        return it->second.waiting.empty() && it->second.running == 0 ? callers_.erase(it)
                                                                     : std::next(it);
    }
    template <class Wanted>
    std::vector<Job> take_out(const Wanted& wanted) {
        std::vector<Job> out;
        for (auto it = callers_.begin(); it != callers_.end();) {
            auto& entries = it->second.waiting;
            for (auto& entry : entries) {
                if (wanted(entry)) {
                    out.push_back(std::move(entry.job));
                    entry.taken_out = true;
                }
            }
            std::erase_if(entries, [](const Entry& entry) { return entry.taken_out; });
            it = forget_if_idle(it);
        }
        waiting_ -= out.size();
        return out;
    }

    const unsigned workers_;
    const std::size_t waiting_max_;
    Callers callers_;
    std::size_t waiting_ = 0;
    std::size_t running_ = 0;
    std::uint64_t turns_ = 0;
    Duration mean_{};  ///< that a job takes; 0: none was done yet
};

}  // namespace helios::http
