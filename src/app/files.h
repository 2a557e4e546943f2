#pragma once
/// Whole small files, read and written with errors a person understands.

#include <string>

#include "base/result.h"

namespace helios::app {

/// not_found / denied / unavailable, naming the file and the reason. "-" is standard input.
/// exhausted above `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = 64u << 20);

}  // namespace helios::app
