#pragma once
/// The store as text, in one order and one encoding, so that two stores can be compared; and the
/// store made anew from the log.
///
/// "The same store" means the same dump, not the same SQLite pages: row ids and applied offsets
/// (which depend on batching) are left out. Two projections of the same log give identical dumps
/// whatever their batches were.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "store/database.h"
#include "store/options.h"
#include "telemetry/telemetry.h"

namespace helios::store {

/// Takes one line with its newline; an error ends the dump and is handed on.
using WriteLine = std::function<Status(std::string_view line)>;

/// Every table by its key, NDJSON: {"table":"events","log_time":…}. One snapshot, beside a running
/// server (`read`) or without one
/// (`still`).
Status dump(const std::filesystem::path& file, Database::Mode mode, const WriteLine& write);

/// Every revision as `helios reconcile --revisions` prints it, sorted by tenant, flow, key,
/// instance, revision.
Status dump_verdicts(const std::filesystem::path& file, Database::Mode mode,
                     const WriteLine& write);

/// The newest revision of every instance as model::write_settled_json writes it, in the order of
/// the lines' bytes: what two installations that were fed the same events agree on.
Status dump_settled(const std::filesystem::path& file, Database::Mode mode, const WriteLine& write);

/// Next offset to project, per partition that the store has begun on; whoever reads afterwards
/// finds all records before it.
Result<log::Offsets> applied_offsets(const std::filesystem::path& file, Database::Mode mode);
Result<log::Offsets> applied_offsets(Database& database);  ///< of one file of the store
/// Of each partition the lesser. Whoever does not know one stands at its beginning.
void lower_to(log::Offsets& offsets, const log::Offsets& others);
/// The same, of which not even a power cut can take anything back: what is there is synced first.
Result<log::Offsets> durable_offsets(const std::filesystem::path& file);

/// Called now and then while rebuilding.
using Progress = std::function<void(std::uint64_t records)>;

/// Projects the whole log into new files beside the old ones, then puts them in their place;
/// returns how many records it read. Until then the old files stay as they are. No server may have
/// the store open. not_found: the beginning of the log is past retention, and
/// options.from_log_start is not set: what only the old file has would be lost.
Result<std::uint64_t> rebuild(const Options& options, log::Log& log,
                              telemetry::Telemetry& telemetry, const Clock& clock,
                              const Progress& progress = {});

}  // namespace helios::store
