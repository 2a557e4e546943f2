#pragma once
/// Who still needs which part of the log: what retention asks before it drops anything.

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace helios::app {

/// Those that can be asked of the directory alone: route and store. A stage needs what it has not
/// taken in. The log must outlive them.
std::vector<log::Hold> holds(log::Log& log, const std::filesystem::path& store_file);

/// Whether all of them stand where the log still is. not_found: one does not; it is named, with the
/// stretch and the way out.
Status check_holds(log::Log& log, const std::vector<log::Hold>& holds);

}  // namespace helios::app
