#pragma once
/// Small files that hold credentials: read whole, and replaced whole.

#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"

namespace helios::auth {

/// not_found, denied, unavailable, naming the file and the reason; exhausted above `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Replaces the file by what `change` makes of its contents (empty text: there is no file yet):
/// atomically, durably, for its owner's eyes only, and one process after the other. An error of
/// `change` leaves the file as it is. denied, unavailable: as above.
Status change_file(const std::string& path, std::size_t bytes_max,
                   const std::function<Result<std::string>(const std::string&)>& change);

}  // namespace helios::auth
