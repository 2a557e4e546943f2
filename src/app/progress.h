#pragma once
/// How far a command is, on the last line of a terminal: percentage, count, rate, and when it will
/// be done.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/terminal.h"

namespace helios::app {

/// Silent where a line can't be rewritten. Shows itself a few times a second, and takes itself away
/// before other lines and at its end. Not thread-safe; the terminal and the clock outlive it.
class Progress {
public:
    /// `total_bytes` of all inputs; 0: not known, so neither percentage nor end.
    Progress(Terminal& terminal, const Clock& clock, std::uint64_t total_bytes);

    void read(std::uint64_t bytes) { bytes_ += bytes; }
    /// `lines` so far.
    void at(std::uint64_t lines);
    /// After the lines: what is being done, and how far.
    void stage(std::string_view doing, std::uint64_t done, std::uint64_t all);
    /// Something else than work, at once: "retrying …".
    void say(const std::string& what);
    void clear() { terminal_.clear_progress(); }

private:
    std::string text(std::uint64_t lines, Duration elapsed) const;
    bool due();
    Terminal& terminal_;
    const Clock& clock_;
    const std::uint64_t total_bytes_;
    const Duration began_;
    Duration shown_;
    std::uint64_t bytes_ = 0;
};

}  // namespace helios::app
