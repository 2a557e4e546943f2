#pragma once
/// Notices that this process did not watch for a while although time went on: the machine slept, or the wall clock was set
/// forward.
///
/// Log time follows the wall clock forwards and the monotonic clock always, so while we run both advance alike. Log time running
/// ahead of the monotonic clock is time in which nobody watched. A wall clock set back is no absence: log time goes on.

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace helios::reconcile {

struct Absence {
    Instant at;  ///< the first log time at which we watched again; everything stamped before `at - gap` was watched
    Duration gap;
};

/// One thread; asks no clock, is told.
class AbsenceWatch {
public:
    explicit AbsenceWatch(Duration least) : least_(least) {}

    std::optional<Absence> observe(Instant log_now, Duration monotonic) {
        const Duration ahead = log_now.time_since_epoch() - monotonic;
        std::optional<Absence> out;
        if (!last_) {
            ahead_ = ahead;
        } else if (ahead - ahead_ > least_) {
            out = Absence{*last_ + (ahead - ahead_), ahead - ahead_};
        }
        ahead_ = std::max(ahead_, ahead);
        last_ = log_now;
        return out;
    }

private:
    Duration least_;
    Duration ahead_{};  // how far log time is ahead of the monotonic clock, at most so far
    std::optional<Instant> last_;
};

}  // namespace helios::reconcile
