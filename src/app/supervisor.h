#pragma once
/// Reports to the service manager that started us: systemd with Type=notify, or whatever speaks its
/// protocol, one datagram of VARIABLE=value lines to NOTIFY_SOCKET. Without NOTIFY_SOCKET
/// everything here does nothing.

#include <optional>
#include <string>
#include <string_view>

#include "app/environment.h"
#include "base/time.h"

namespace helios::app {

/// Not thread-safe. Never fails: a manager that has gone away is no reason to stop.
class Supervisor {
public:
    /// NOTIFY_SOCKET: a path, or @name (abstract). WATCHDOG_USEC counts where WATCHDOG_PID is this
    /// process or absent.
    explicit Supervisor(const Environment& environment);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    bool present() const { return socket_ >= 0; }
    /// Half of what it waits for a sign of life; none: it does not wait.
    std::optional<Duration> watchdog() const { return watchdog_; }

    void opening() const;  ///< the start may take as long as a recovery takes
    void catching_up(std::string_view what) const;  ///< not ready, and not stuck: extends the start
    void ready(std::string_view url) const;         ///< READY=1
    void alive() const;                             ///< WATCHDOG=1
    void stopping() const;                          ///< STOPPING=1

private:
    void tell(std::string_view state) const;

    int socket_ = -1;
    std::string address_;  ///< as sendto wants it: a NUL first if abstract
    std::optional<Duration> watchdog_;
};

}  // namespace helios::app
