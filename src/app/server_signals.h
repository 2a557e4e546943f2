#pragma once
/// How a server answers signals: some end it after a drain, the others are logged and change
/// nothing, so that none that people and supervisors commonly send kills it undrained.
///
/// SIGTERM and SIGINT drain, exit 0. SIGQUIT and SIGXCPU drain, exit 128 + number; SIGHUP likewise
/// where there is a terminal that can hang up. Without one SIGHUP is only logged, like SIGUSR1,
/// SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT and the real-time signals. What
/// was ignored or taken before us (nohup, a profiler) stays as it is.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace helios::app {

/// One at a time, and not beside an Interrupt; create it on the main thread before others start.
class ServerSignals {
public:
    ServerSignals();
    ~ServerSignals();
    ServerSignals(const ServerSignals&) = delete;
    ServerSignals& operator=(const ServerSignals&) = delete;

    /// The signal that asks for the end, once there was one. Another SIGINT ends the process at
    /// once, with a line.
    std::optional<int> stop() const;
    /// Blocks until a signal comes, at the latest until `limit` has passed. The signals that are
    /// only told, each once.
    std::vector<int> wait(Duration limit) const;

    /// The exit code of a server that has drained after `signal`.
    static int exit_code(int signal);
    static std::string name(int signal);  ///< "SIGHUP"
};

}  // namespace helios::app
