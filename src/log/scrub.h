#pragma once
/// Reads everything durable from end to end, slowly, so that damage is found before somebody needs
/// what is damaged.
///
/// Readers verify what they read; what they skip, hold in memory or have long passed is verified
/// here alone.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "log/stored_log.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// One thread. Outlived by its log.
class Scrub {
public:
    /// Waits; false: stop.
    using Pause = std::function<bool(Duration)>;

    Scrub(StoredLog& log, const Clock& clock, telemetry::Telemetry& telemetry);

    /// One pass over FORMAT, topics, every segment's header and every frame that was durable when
    /// it began, at no more than log.scrub_bytes_per_second. Damage goes to the log's list. False:
    /// stopped before its end.
    bool pass(const Pause& pause);

    /// Passes until stopped: the first one log.scrub_delay from now, then every log.scrub_interval.
    void run(const std::stop_token& stop);

private:
    bool walk(JournalView& journal, std::uint64_t end, const Pause& pause);
    std::uint64_t begin_of(const SegmentTable& segments);
    bool still_kept(const SegmentTable& segments, const Segment& segment);
    void check_small_files();
    bool keep_pace(std::uint64_t bytes, const Pause& pause);

    StoredLog& log_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    telemetry::Gauge& last_pass_;
    telemetry::Counter& bytes_total_;
    Duration began_{};  ///< monotonic
    std::uint64_t bytes_ = 0;
};

}  // namespace helios::log
