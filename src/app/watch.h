#pragma once
/// Notices our own absence: one thread only watches the clocks, another makes the server read its
/// connections in turns and writes signs of life into the log's mark.

#include <atomic>
#include <memory>
#include <thread>

#include "http/server.h"
#include "log/log.h"
#include "reconcile/presence.h"

namespace helios::app {

/// Presence, server and log outlive it; the server's turns may still end after it.
class Watch {
public:
    /// Watches from now on. Call when the absence before this start is on the log: a sign of life
    /// says that there is none.
    Watch(reconcile::Presence& presence, http::Server& server, log::Log& log);
    ~Watch() { stop(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Idempotent.
    void stop();

private:
    void look_at_clocks(const std::stop_token& stop);
    void show_life(const std::stop_token& stop);

    reconcile::Presence& presence_;
    http::Server& server_;
    log::Log& log_;
    std::shared_ptr<std::atomic<bool>> reading_ = std::make_shared<std::atomic<bool>>(false);
    std::jthread clocks_;
    std::jthread life_;
};

}  // namespace helios::app
