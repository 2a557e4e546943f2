#pragma once
/// When something fetched from elsewhere is fetched again, and what holds meanwhile.
///
/// A state machine without a clock, a socket or a thread: it is told what happened and when, and
/// answers what to do. One fetch at a time. Times are of a clock that never goes backwards and
/// counts the machine's sleep (Clock::boot_time).

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace helios::auth {

struct FetchOptions {
    /// What is fetched says how long it is fresh; between these.
    Duration fresh_min = std::chrono::minutes(5);
    Duration fresh_max = std::chrono::hours(24);
    Duration fresh_default = std::chrono::hours(1);  ///< where it does not say
    /// How long after that it still serves, if it can't be fetched.
    Duration stale_max = std::chrono::hours(24);
    /// At least that much between fetches because somebody asked for what is not in it.
    Duration miss_pause = std::chrono::minutes(1);
    /// After a failure; doubled by each further one, up to the second.
    Duration retry_pause_min = std::chrono::seconds(5);
    Duration retry_pause_max = std::chrono::minutes(1);
    /// A fetch that has not ended by then never will: another may begin.
    Duration flight_max = std::chrono::minutes(1);
};

/// What the asker does now.
enum class FetchStep : std::uint8_t {
    use,            ///< go on with what there is
    use_and_fetch,  ///< the same, and begin a fetch that nobody waits for
    fetch_first,    ///< begin a fetch, and ask again when it has ended
    wait,           ///< another asker's fetch is under way: ask again when it has ended
    unavailable,    ///< there is nothing, and it is too early to try again
};
std::string_view to_string(FetchStep step);

/// Not thread-safe: its owner has a mutex. Who was told to fetch says arrived() or failed().
class FetchSchedule {
public:
    explicit FetchSchedule(const FetchOptions& options = {}) : options_(options) {}

    /// `has_it`: what is asked for is in what was fetched last.
    FetchStep ask(bool has_it, Duration now);

    /// `fresh_for`: as its server says; nullopt: it does not.
    void arrived(std::optional<Duration> fresh_for, Duration now);
    void failed(Duration now);

    /// Whether what was fetched last may still be used.
    bool usable(Duration now) const;

private:
    bool may_begin(Duration now) const;
    FetchStep begin(FetchStep step, Duration now);
    FetchStep begin_or(FetchStep begun, FetchStep otherwise, Duration now);

    FetchOptions options_;
    std::optional<Duration> fetched_at_;
    Duration fresh_for_{};
    std::optional<Duration> begun_;  ///< a fetch is under way
    std::optional<Duration> last_begun_;
    Duration last_failure_{};
    int failures_ = 0;  ///< since it was fetched last
};

/// `max-age` of a Cache-Control header; no-store and no-cache are zero. nullopt: it says neither.
std::optional<Duration> fresh_for(std::string_view cache_control);

}  // namespace helios::auth
