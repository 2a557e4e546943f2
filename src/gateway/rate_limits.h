#pragma once
/// How many events the senders of each source may send in a second, and each of their credentials.
///
/// Token buckets with the room of one second. A request is taken if there is a token, whatever it
/// brings; what it brings beyond is owed, and paid for by time. So a batch is never cut, and on
/// average nobody is faster than he may be. Pure but for a mutex: whoever asks says what time it
/// is.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/time.h"
#include "gateway/sender_policy.h"

namespace helios::gateway {

/// Thread-safe. Times are of the monotonic clock.
class RateLimits {
public:
    /// So many credentials of a source have a bucket of their own at once; those beyond share one.
    static constexpr std::size_t credentials_max = 10'000;

    explicit RateLimits(const SenderPolicies& policies);

    /// One event of that source, or of a sender at its endpoint, with that credential (empty:
    /// none). Absent: it is taken; else it is not, and may be after that time.
    std::optional<Duration> take(std::string_view source, std::string_view credential,
                                 Duration now);
    /// Further events that came with one that was taken.
    void owe(std::string_view source, std::string_view credential, std::uint64_t events,
             Duration now);

private:
    struct Bucket {
        double tokens = 0;  ///< below 0: owed
        Duration at{};
    };
    struct Limits {
        std::uint64_t rate = 0;
        std::uint64_t credential_rate = 0;
        std::optional<Bucket> all;
        std::map<std::string, Bucket, std::less<>> by_credential;
        std::optional<Duration> tidied_at;  ///< when full ones were let go of last
    };
    static void fill(Bucket& bucket, std::uint64_t rate, Duration now);
    static Duration wait_of(const Bucket& bucket, std::uint64_t rate);
    static Bucket& bucket_of(Limits& limits, std::string_view credential, Duration now);

    mutable Mutex mutex_;
    /// Of those that have a limit: fixed.
    std::map<std::string, Limits, std::less<>> limits_ HELIOS_GUARDED_BY(mutex_){};
};

}  // namespace helios::gateway
