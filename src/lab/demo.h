#pragma once
/// `helios demo`: the shop sends, the server judges, the plan knows the truth, and a scoreboard
/// says who was right.
///
/// A client like any other: it speaks HTTP to a server somebody else has started with a flow of
/// short deadlines.

#include <atomic>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/time.h"
#include "lab/options.h"
#include "lab/score.h"

namespace helios::lab {

/// Sends, waits for every deadline, asks for every verdict, prints the scoreboard to `out`. Blocks
/// for about send_for + deadline
/// + 3 s. `stop` may be set from a signal handler at any time: everything ends within a second. 0:
/// missed nothing, no false alarm, money to the cent · 1: somebody was wrong, and who is listed ·
/// 2: no server, bad options, stopped.
int run_demo(const DemoOptions& options, const Clock& clock, std::ostream& out,
             const std::atomic<bool>& stop);

/// The flow file with each `deadline:` replaced, comments and layout kept.
std::string with_deadlines(std::string_view flow_text, Duration deadline);

}  // namespace helios::lab
