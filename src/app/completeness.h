#pragma once
/// Whether what a data directory's stages have derived is complete, for commands that read it
/// without asking a server: dump, export, rebuild, ls. Reads only.
///
/// Complete means up to the durable mark read when a look begins, with all that follows from it:
/// route has taken the events, the engine what route made of them, the store what both have
/// written. Each stage's end is read once the one before has come to its.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "app/environment.h"
#include "base/result.h"
#include "log/log.h"
#include "store/database.h"

namespace helios::app {

/// Records that each stage has yet to take in. Counted by reading them, for offsets have gaps.
struct Backlog {
    std::uint64_t route = 0;
    std::uint64_t engine = 0;
    std::uint64_t store = 0;
    /// "route is 12,000 records behind, engine 0, store 27,000"
    std::string text() const;
};

/// How far a command looks: up to and with this stage.
enum class Stage : std::uint8_t { route, engine, store };

/// A look that began when it was made. Not thread-safe. Log and name of the directory outlive it.
class Completeness {
public:
    Completeness(log::Log& log, const std::string& data_dir, Stage last);

    /// Whether everything up to the mark is there now. unavailable: not yet. Else why it can't be
    /// told (no store, damage).
    Status look();
    /// As it is now. Slow where much is behind.
    Result<Backlog> backlog();

private:
    Result<log::Offsets> consumed(Stage stage) const;
    Result<log::Offsets> ends_of(Stage stage) const;
    Result<std::uint64_t> behind(Stage stage) const;

    log::Log& log_;
    const std::string& data_dir_;
    const Stage last_;
    int stage_ = 0;                ///< the first that may not have come to its end
    Result<log::Offsets> target_;  ///< its end
};

/// Whether a server (or a rebuild) holds the directory. Never for long in anybody's way.
bool is_held(const std::string& data_dir);

/// How to read its store: beside a server, or as it lies.
store::Database::Mode store_mode(const std::string& data_dir);

/// Looks until it is complete. Beside a running server up to a second, with `wait` for as long as
/// the server runs, and tells on stderr how far it is; else once. unavailable: not complete; how
/// far each stage is behind, and what to do. Other errors: nothing can be told.
Status be_complete(log::Log& log, const std::string& data_dir, Stage last, bool wait,
                   const Environment& environment);

}  // namespace helios::app
