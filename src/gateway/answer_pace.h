#pragma once
/// How long a request that came now would wait for its answer: told from those that wait, and from
/// how those went that had many before them. Pure: whoever asks says what time it is.

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace helios::gateway {

/// Times are of the monotonic clock. Not thread-safe.
class AnswerPace {
public:
    /// A request that waits: it stays where it is from begin() to end().
    struct Place {
        Duration since{};
        std::uint64_t bytes = 0;
        std::uint64_t with_those_before = 0;  ///< bytes
        Place* before = nullptr;
        Place* after = nullptr;
        bool waits = false;
    };

    AnswerPace() = default;
    AnswerPace(const AnswerPace&) = delete;
    AnswerPace& operator=(const AnswerPace&) = delete;

    void begin(Place& place, std::size_t bytes, Duration now);
    /// Nothing if it does not wait. `stored`: it waited for the disk, so that its time tells how
    /// fast that goes.
    void end(Place& place, bool stored, Duration now);

    /// Whether `bytes` more leave so much of `bytes_max` (0: no bound) to others. What comes when
    /// nothing waits has room, however large it is.
    bool has_room(std::size_t bytes, std::uint64_t bytes_max, unsigned leaves_percent) const {
        return bytes_max == 0 || first_ == nullptr ||
               bytes_ + bytes <= bytes_max / 100 * (100 - leaves_percent);
    }

    /// As long as whoever has waited longest has waited, for nobody knows when that will end; or as
    /// long as the bytes that wait take at the pace of late, if that is more.
    Duration expected_wait(Duration now) const;

    /// A request tells the pace if so much waited when it came: with less before it, its time is
    /// that of one write and one fsync, however much they take along.
    static constexpr std::uint64_t bytes_that_tell = 256u << 10;
    /// What was learnt counts for so long: else a disk that was slow once could refuse for ever
    /// what would show that it no longer is.
    static constexpr Duration late = std::chrono::seconds(10);

private:
    Place* first_ = nullptr;
    Place* last_ = nullptr;
    std::uint64_t bytes_ = 0;  ///< that wait
    double mean_bytes_ = 0;    ///< of requests that told
    double mean_seconds_ = 0;
    Duration learnt_at_{};
};

}  // namespace helios::gateway
