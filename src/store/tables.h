#pragma once
/// The store on SQLite as its writer has it: the file of what is current, and slices. Takes the
/// rows of a batch in, with the offsets they account for. Private to the room.

#include <filesystem>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/log.h"
#include "store/current_tables.h"
#include "store/database.h"
#include "store/options.h"
#include "store/slices.h"

namespace helios::store {

/// What left.
struct Dropped {
    std::size_t slices = 0;
    std::size_t cases = 0;
    std::size_t items = 0;  ///< of quarantine
    bool more = false;      ///< more waits to
};

/// Not thread-safe.
class Tables {
public:
    /// Opens or makes the files, and migrates them. corrupt: one is foreign, newer than this
    /// binary, or damaged. unavailable: can't be opened.
    static Result<std::unique_ptr<Tables>> open(const Options& options);

    /// All of it or nothing, as far as questions are concerned; after an error write it again.
    Result<std::vector<DecidedVerdict>> write(const Rows& rows);

    /// From where on records must be read.
    Result<log::Offsets> lowest() { return slices_->lowest(applied_); }
    /// What the current file has of a record it has already taken in must not be added again.
    bool is_current(const Position& at) const;
    const log::Offsets& applied() const { return applied_; }  ///< of the current file

    /// Rows past retention leave, some at a time.
    Result<Dropped> drop_expired(Instant now);
    std::size_t slices() const { return slices_->count(); }

    /// Files that are open; each has a write-ahead log beside it.
    std::vector<std::filesystem::path> open_files() const;
    /// A slice that can't be read, and is left alone.
    std::optional<Error> damage() const { return slices_->damage(); }
    /// They have lost their names: they are made anew from what is still open.
    Status remake(const std::vector<std::filesystem::path>& files);

private:
    explicit Tables(const Options& options) : options_(options) {}
    Status open_current();

    const Options options_;
    std::unique_ptr<Database> database_;      // at a fixed place: current_ points to it
    std::unique_ptr<CurrentTables> current_;  // after database_: its statements go first
    std::unique_ptr<Slices> slices_;
    log::Offsets applied_;
};

}  // namespace helios::store
