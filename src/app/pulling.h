#pragma once
/// The queues that this server fetches: from options to running pullers, whose messages go through
/// the gateway's doors.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"
#include "reconcile/presence.h"
#include "sources/puller.h"
#include "telemetry/telemetry.h"

namespace helios::app {

/// Thread-safe. Gateway, presence, telemetry and clock outlive it.
class Pulling {
public:
    /// Of a configuration that is valid. Asks nobody yet.
    Pulling(const Config& config, gateway::Gateway& gateway, reconcile::Presence& presence,
            telemetry::Telemetry& telemetry, const Clock& clock);

    /// Once events are taken in.
    void start();
    /// What was handed on is decided, and deleted where it is kept. Idempotent.
    void stop();

    /// Absent: it is not fetched.
    std::optional<gateway::PullReport> report(std::string_view source) const;

private:
    std::vector<std::unique_ptr<sources::Puller>> pullers_;
};

}  // namespace helios::app
