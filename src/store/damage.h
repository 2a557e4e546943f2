#pragma once
/// What the store says of its own files that are not as it left them: which file it is, and what to
/// do. Private to the room.

#include <expected>
#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "model/verdict.h"

namespace helios::store {

/// corrupt: `file` `is` so, for example "is a folder, not a file".
std::unexpected<Error> damaged(const std::filesystem::path& file, std::string_view is);

/// A verdict as a table holds it; corrupt: the file that it is from is damaged.
Result<model::Verdict> stored_verdict(std::string_view body);

}  // namespace helios::store
