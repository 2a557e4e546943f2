#pragma once
/// The log as NDJSON in route order: what `helios reconcile` reads to reach the same verdicts
/// offline.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace helios::app {

/// Called once per line, without the line's end.
using LineSink = std::function<void(std::string_view line)>;

struct ExportCounts {
    std::uint64_t events = 0;
    std::uint64_t controls = 0;
};

/// Event lines (with `receivedAt` and `position`), control lines `flow` and `absence` where they
/// took effect, and last
/// `{"control":"end","at":T}`: T is the engine's time, the latest `at` on helios.cases. Reads the
/// durable log only. Where the beginning of the log is past retention the first line is
/// {"control":"start","at":T}: what came up to T is not there.
Result<ExportCounts> export_log(log::Log& log, const LineSink& sink);

/// Up to which log time events, case records and verdicts are past retention. Absent: none is.
std::optional<Instant> dropped_until(log::Log& log);

/// What of the log could not be read, as far as has been looked: a line per file, with the first
/// place and the sum.
std::vector<std::string> describe_damage(log::Log& log);

/// Names on stderr what of the log could not be read; false if there is nothing.
bool report_left_out(log::Log& log);

/// One record as a JSON object, for `log read` and `log tail`: decoded where its type is known.
std::string describe_record(const log::Log& log, const log::StoredRecord& record, bool with_value);

}  // namespace helios::app
