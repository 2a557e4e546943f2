#include "app/progress.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "app/numbers.h"

namespace helios::app {
namespace {

constexpr Duration first_after =
    std::chrono::milliseconds(300);  // what is over by then needs no progress
constexpr Duration shown_every = std::chrono::milliseconds(200);

}  // namespace

Progress::Progress(Terminal& terminal, const Clock& clock, std::uint64_t total_bytes)
    : terminal_(terminal),
      clock_(clock),
      total_bytes_(total_bytes),
      began_(clock.monotonic()),
      shown_(began_ + first_after - shown_every) {}

std::string Progress::text(std::uint64_t lines, Duration elapsed) const {
    const auto seconds = std::max(std::chrono::duration<double>(elapsed).count(), 0.001);
    std::string out;
    if (total_bytes_ > 0) {
        out = fmt::format(
            "{:>3.0f} %  ",
            100.0 * std::min(1.0, static_cast<double>(bytes_) / static_cast<double>(total_bytes_)));
    }
    out += fmt::format(
        "{} lines  {} lines/s", with_thousands(lines),
        with_thousands(static_cast<std::uint64_t>(static_cast<double>(lines) / seconds)));
    if (total_bytes_ > bytes_ && bytes_ > 0) {
        const auto left = static_cast<std::uint64_t>(std::llround(
            seconds * static_cast<double>(total_bytes_ - bytes_) / static_cast<double>(bytes_)));
        out += fmt::format("  ETA {}:{:02}", left / 60, left % 60);
    }
    return out;
}

/// Whether what is shown has grown old; if so, it is shown anew now.
bool Progress::due() {
    if (!terminal_.screen().rewrites) {
        return false;
    }
    const auto now = clock_.monotonic();
    if (now - shown_ < shown_every) {
        return false;
    }
    shown_ = now;
    return true;
}

void Progress::at(std::uint64_t lines) {
    if (due()) {
        terminal_.progress(text(lines, shown_ - began_));
    }
}

void Progress::stage(std::string_view doing, std::uint64_t done, std::uint64_t all) {
    if (due()) {
        terminal_.progress(fmt::format("{:>3.0f} %  {}",
                                       100.0 * static_cast<double>(done) /
                                           static_cast<double>(std::max<std::uint64_t>(all, 1)),
                                       doing));
    }
}

void Progress::say(const std::string& what) {
    if (terminal_.screen().rewrites) {
        terminal_.progress(what);
    }
}

}  // namespace helios::app
