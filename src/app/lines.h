#pragma once
/// Files of lines, of any size, one at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace helios::app {

class Interrupt;

/// As much as the server reads of a request: a longer line is no event anywhere.
inline constexpr std::size_t line_bytes_max = 16u << 20;

/// What to call `path` in complaints about its lines: "-" is stdin.
std::string name_of_input(const std::string& path);

/// Bytes of all `paths` together; 0 if that can't be known before they are read (a pipe, a
/// terminal, a file that is not there).
std::uint64_t bytes_of_inputs(const std::vector<std::string>& paths);

struct LineReading {
    const Interrupt* interrupt = nullptr;  ///< ends the reading when raised
    /// A line of more than line_bytes_max bytes, in place of `visit`: it is passed over while it is
    /// read, and never held whole.
    std::function<Status(std::uint64_t number, std::uint64_t bytes)> too_long;
    std::function<void(std::uint64_t bytes)>
        read;                      ///< so many bytes more, of lines as they are visited
    std::function<Status()> idle;  ///< nothing has come for a second, of what may still come
    Duration writer_timeout = std::chrono::seconds(
        30);  ///< a named pipe that nobody opens for writing in this time: unavailable
};

/// Calls `visit` for every line of `path` ("-": standard input), numbered from 1, without its end
/// (LF or CR LF) and without the byte order mark that some editors put before the first one.
/// not_found: can't be opened. unavailable: can't be read, or not to its end. invalid: compressed,
/// or UTF-16; or a line is too long and nobody wants to hear of it. stopping: interrupted. Else the
/// first error of a function that was called, which ends it.
Status read_lines(const std::string& path,
                  const std::function<Status(std::uint64_t number, std::string_view line)>& visit,
                  const LineReading& reading = {});

}  // namespace helios::app
