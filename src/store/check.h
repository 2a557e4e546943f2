#pragma once
/// Looks for damage in the store's files, each as a whole: whether SQLite can read all of it,
/// whether indexes and tables agree, whether verdicts can be decoded. What no index holds may be
/// changed unseen; only a store that is made anew and dumped proves that.

#include <filesystem>
#include <functional>
#include <optional>

#include "base/result.h"
#include "store/database.h"

namespace helios::store {

/// One file of the store, and what is wrong with it; nullopt: nothing was found.
using WriteFinding =
    std::function<void(const std::filesystem::path& file, const std::optional<Error>& damage)>;

/// Reads all files of the store whose current file is `file`, and changes none; beside a running
/// server (`read`) or without one (`still`). Is it without damage? not_found: there is no store.
Result<bool> check(const std::filesystem::path& file, Database::Mode mode,
                   const WriteFinding& write);

}  // namespace helios::store
