#pragma once
/// SIGINT, SIGTERM and SIGHUP as a flag that loops can test, and as something to wait for.

#include "base/time.h"

namespace helios::app {

/// What a second SIGINT does: one line on standard error, if that takes it, and _exit(130). For
/// signal handlers.
[[noreturn]] void end_at_once();

/// While one lives, these signals set a flag instead of ending the process, and end a read that
/// blocks (EINTR). A second SIGINT ends the process at once, with a line. Under nohup SIGHUP stays
/// ignored. One at a time; create it on the main thread before others start.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    bool raised() const;
    /// Blocks until raised.
    void wait() const;
    /// Blocks until raised or `limit` has passed; true if raised.
    bool wait_for(Duration limit) const;
    /// Blocks until raised or reading `descriptor` would not block (there is something, its end, or
    /// an error); false if raised.
    bool wait_readable(int descriptor) const;
    /// Becomes readable when raised, and stays so: for whoever waits for other things as well.
    int descriptor() const;
};

}  // namespace helios::app
