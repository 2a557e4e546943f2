#pragma once
/// The queues that this server fetches: from options to running pullers, whose messages go through
/// the gateway's doors.

#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/mutex.h"
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

    /// Of each queue, by its name: a cloud's, or one of its own.
    std::vector<gateway::PullReport> reports() const;

    /// What has come of one queue since this began.
    struct Tally {
        Mutex mutex;
        gateway::SourceActivity activity HELIOS_GUARDED_BY(mutex){};
    };

private:
    class Behind;
    struct One {
        std::string source;  ///< of its events
        std::unique_ptr<sources::Puller> puller;
        std::shared_ptr<Tally> tally;
    };
    std::shared_ptr<Behind> behind_;
    std::vector<One> pullers_;
};

}  // namespace helios::app
