#pragma once
/// Processor time of this process and of another one on this machine.

#include <cstdint>
#include <optional>
#include <string_view>

namespace helios::lab {

/// User and system seconds of process `pid`, all threads, from /proc. Absent: no such process.
std::optional<double> process_seconds(std::int64_t pid);
/// The same from the text of /proc/PID/stat; the name in it may hold blanks and brackets.
std::optional<double> seconds_in_stat(std::string_view stat, double ticks_per_second);
double own_process_seconds();
unsigned cores();

}  // namespace helios::lab
