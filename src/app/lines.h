#pragma once
/// Files of lines, of any size, one at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace helios::app {

class Interrupt;

/// What to call `path` in complaints about its lines: "-" is stdin.
std::string name_of_input(const std::string& path);

/// Calls `visit` for every line of `path` ("-": standard input), numbered from 1, without its end (LF or CR LF) and without the
/// byte order mark that some editors put before the first one. not_found: can't be opened. unavailable: can't be read, or not to
/// its end. stopping: `interrupt`, if there is one, was raised. Else the first error of `visit`, which ends it.
Status read_lines(const std::string& path, const std::function<Status(std::uint64_t number, std::string_view line)>& visit,
                  const Interrupt* interrupt = nullptr);

}  // namespace helios::app
