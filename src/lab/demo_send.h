#pragma once
/// Plays a fault plan over HTTP: one connection per cloud, on the plan's schedule, and a few
/// connections that ask for each verdict as soon as it can exist. Remembers when everything went
/// out and came back. Knows no verdict's truth.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/client.h"
#include "lab/fault_plan.h"
#include "lab/options.h"
#include "lab/score.h"

namespace helios::lab {

/// What became of one planned event. Times are the clock's monotonic ones.
struct SendReport {
    Duration sent{};      ///< the first attempt
    Duration answered{};  ///< the answer that ended it
    int status = 0;       ///< 0: never answered
    int attempts = 0;
};

/// Starts its threads in start(), ends them in finish() or when destroyed. Everything else may be
/// called from one other thread.
class ShopSender {
public:
    /// Plan, options, clock and `stop` outlive the sender.
    ShopSender(const FaultPlan& plan, const DemoOptions& options, const http::Url& url,
               const Clock& clock, const std::atomic<bool>& stop);
    ~ShopSender();

    void start();
    /// True once every event was sent or given up.
    bool done() const { return lanes_left_ == 0; }
    /// Waits for all threads: the watchers end when nothing is left to watch. Reports are complete
    /// afterwards.
    void finish();

    std::uint64_t delivered() const { return delivered_; }
    std::uint64_t repeats_asked() const { return retries_; }

    const SendReport& report(std::size_t order, std::size_t event) const {
        return reports_[order][event];
    }
    SendTimes times(std::size_t order) const;
    /// Last leg's answer → the verdict visible through the API, for orders whose legs all came;
    /// sorted.
    std::vector<Duration> times_to_verdict() const;
    /// Answers that refused an event for good: "ORD-10007 payment: 404".
    std::vector<std::string> refused() const;

private:
    struct Slot {
        std::size_t order;
        std::size_t event;
    };
    struct Watch {
        std::size_t order;
        Duration since;
        std::string position;
    };

    const PlannedEvent& planned(const Slot& slot) const {
        return plan_.orders[slot.order].events[slot.event];
    }
    void run_lane(Cloud cloud);
    void send(http::Client& client, const std::vector<Slot>& slots);
    void answered(const std::vector<Slot>& slots, const http::Response* response);
    void watch_if_complete(const Slot& slot, std::string position);
    void run_watcher();
    void watch(http::Client& client, const Watch& watch);
    bool sleep_until(Duration monotonic) const;
    Duration since_start() const { return clock_.monotonic() - started_; }

    const FaultPlan& plan_;
    const DemoOptions& options_;
    const http::Url& url_;
    const Clock& clock_;
    const std::atomic<bool>& stop_;
    Duration started_{};

    std::vector<std::vector<SendReport>>
        reports_;  ///< each slot written by one lane; read after finish()
    std::vector<std::atomic<int>>
        legs_left_;  ///< events of an order that still have to be answered before it can match

    std::atomic<std::uint64_t> delivered_{0};
    std::atomic<std::uint64_t> retries_{0};
    std::atomic<int> lanes_left_{0};

    mutable Mutex mutex_;
    std::deque<Watch> watches_ HELIOS_GUARDED_BY(mutex_);  ///< bounded by the plan's orders
    std::vector<Duration> to_verdict_ HELIOS_GUARDED_BY(mutex_);
    std::vector<std::string> refused_ HELIOS_GUARDED_BY(mutex_);
    std::vector<std::jthread> threads_;  ///< last: they end before what they use
};

}  // namespace helios::lab
