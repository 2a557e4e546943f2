#pragma once
/// Subscriptions of Event Grid that ask whether their events are wanted here, and wait for a person
/// to say so: in memory, as long as Event Grid itself waits. After a restart, or when its time is
/// over, an update of the subscription makes Event Grid ask again.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "auth/vendor_url.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::gateway {

enum class HandshakeMode : std::uint8_t {
    automatic,  ///< answered with its code at once, if its topic is listed
    manual,     ///< a person confirms it
};

struct WaitingHandshake {
    std::string id;  ///< of its URL, so that the same handshake is there once
    std::string topic;
    std::string event_id;
    auth::VendorUrl url;  ///< what is visited to confirm it
    Instant received_at{};
    Instant until{};
};

/// Thread-safe.
class Handshakes {
public:
    /// Event Grid gives a person this long (it was 5 minutes in older versions).
    static constexpr Duration kept_for = std::chrono::minutes(10);
    /// Beyond it the oldest is let go.
    static constexpr std::size_t items_max = 64;

    /// Errors of auth::validation_url: nothing is kept that could not be confirmed.
    Result<WaitingHandshake> keep(const adapters::ValidationHandshake& handshake, Instant now,
                                  const std::vector<std::string>& test_hosts);
    /// The oldest first.
    std::vector<WaitingHandshake> list(Instant now);
    /// not_found: none, or its time is over.
    Result<WaitingHandshake> find(std::string_view id, Instant now);
    void forget(std::string_view id);

private:
    void let_go(Instant now) HELIOS_REQUIRES(mutex_);

    Mutex mutex_;
    std::vector<WaitingHandshake> waiting_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::gateway
