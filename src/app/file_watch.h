#pragma once
/// Checks now and then that what was opened is still there: a directory that is deleted, unmounted
/// or replaced under a server takes acknowledged events with it.

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "telemetry/telemetry.h"

namespace helios::app {

/// One thread of its own, so that nothing that hangs keeps it from looking.
class FileWatch {
public:
    struct Look {
        std::string name;  ///< "log"
        std::function<Status()>
            look;  ///< may touch the disk; what follows from its answer is the room's own business
    };

    /// Begins at once. `looks` must outlive it.
    FileWatch(std::vector<Look> looks, Duration interval, telemetry::Telemetry& telemetry);
    ~FileWatch() { stop(); }
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    void stop();

private:
    void turn();

    struct Watched {
        Look look;
        Status last;
    };
    std::vector<Watched> watched_;
    telemetry::Telemetry& telemetry_;
    std::jthread thread_;
};

}  // namespace helios::app
