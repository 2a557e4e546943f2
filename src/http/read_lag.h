#pragma once
/// How long what arrives at an event loop waits until it is read, told by messages that the loop
/// sends itself the way that senders' bytes take. Knows no loop: whoever asks says what time it is.

#include <algorithm>

#include "base/time.h"

namespace helios::http {

/// One message at a time. Times are of the monotonic clock. Not thread-safe.
class ReadLag {
public:
    bool under_way() const { return under_way_; }
    void sent(Duration now) {
        if (!measured_) {
            measured_ = true;
            nothing_before_ = now;
        }
        sent_ = now;
        under_way_ = true;
    }
    /// How long it took.
    Duration came_back(Duration now) {
        under_way_ = false;
        nothing_before_ = sent_;
        return took_ = now - sent_;
    }

    /// When what is read now has arrived, at the earliest: whoever had sent something before the
    /// last message that came back was sent has been read from before that came back. While
    /// messages come back as they should, what is read now took as long as the last of them. `now`
    /// if nobody sends any. A connection that is not read from because much of its is under way is
    /// not seen by this: only what has been read of it waits.
    Duration arrived(Duration now) const {
        if (!measured_ || nothing_before_ > now) {
            return now;
        }
        return now - nothing_before_ < in_time ? now - std::min(took_, now - nothing_before_)
                                               : nothing_before_;
    }

    /// Between the sending of one message and the coming back of the next, where nothing is late:
    /// they are sent some times a second.
    static constexpr Duration in_time = std::chrono::milliseconds(500);

private:
    bool measured_ = false;
    bool under_way_ = false;
    Duration sent_{};
    Duration took_{};
    Duration nothing_before_{};  ///< what arrived earlier has been read
};

}  // namespace helios::http
