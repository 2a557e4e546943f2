#pragma once
/// Bounds and times of the reconcile room. None decides: the code that does (engine, router,
/// checks) doesn't know them, by a rule of tools/tidy.py; what they lead to is on the log first.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace helios::reconcile {

struct RouteOptions {
    /// Absent: all partitions, in one order. i: partition i of every event topic, in whatever order
    /// they come, and what is handed on says nothing of time. One stage a lane, all with one log.
    std::optional<std::uint32_t> lane;
    std::size_t batch_records_max = 4096;    ///< events per transaction
    std::size_t batch_bytes_max = 8u << 20;  ///< bytes per poll
    Duration poll_wait = std::chrono::milliseconds(50);
    Duration pace =
        std::chrono::milliseconds(2);  ///< between the beginnings of two transactions; 0: none
    Duration retry_after =
        std::chrono::milliseconds(200);              ///< between attempts while the log refuses
    Duration absence_min = std::chrono::seconds(1);  ///< a shorter standstill or stop is none
    Duration absence_max =
        std::chrono::hours(24);  ///< refusals together move a deadline by at most as much
    Duration grace =
        std::chrono::seconds(30);        ///< given to open deadlines on top of our own absence
    std::size_t flow_versions_max = 32;  ///< active versions over all flows, the fan-out of one
                                         ///< event: asked before one more is activated

    Status validate() const;
};

struct EngineStageOptions {
    std::size_t batch_records_max = 8192;
    std::size_t batch_bytes_max = 8u << 20;
    Duration poll_wait =
        std::chrono::milliseconds(20);  ///< also the grain of deadlines while nothing arrives
    Duration pace =
        std::chrono::milliseconds(2);  ///< between the beginnings of two transactions; 0: none
    Duration retry_after = std::chrono::milliseconds(200);
    std::size_t commit_records_max =
        50'000;  ///< revisions per transaction; a round that causes more needs several
    std::size_t commit_bytes_max = 16u << 20;  ///< bytes of them, about
    Duration heartbeat =
        std::chrono::seconds(10);  ///< a tick at least this often while a case is open
    std::string state_directory;   ///< DATA/state/engine; empty: no checkpoints, all in memory
    Duration checkpoint_interval = std::chrono::seconds(10);  ///< of a partition that has changed
    std::size_t checkpoint_records = 200'000;  ///< or after so many, over all partitions
    std::uint64_t cache_bytes = 128u << 20;    ///< of closed cases, over all partitions
    std::size_t open_cases_max =
        5'000'000;  ///< about 1 KiB each; from then on the door refuses what would open one

    Status validate() const;
};

}  // namespace helios::reconcile
