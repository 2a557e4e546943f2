#pragma once
/// Keeps the store's file up with the log: one writer, one reader of all its topics, one
/// transaction per batch.
///
/// A batch is whatever waited while the last one committed, up to the bounds in options: no timer,
/// so an idle server answers at once and a busy one writes large transactions. Rows and applied
/// offsets commit together; a restart goes on from them.

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/frontier.h"
#include "log/log.h"
#include "store/database.h"
#include "store/options.h"
#include "telemetry/telemetry.h"

namespace helios::store {

class Tables;
struct DecidedVerdict;
struct Undecodable;

/// Every topic that the store is made of.
std::span<const std::string_view> topics_of_the_store();

/// Owns its thread once started. step() and catch_up() are for one thread, and not beside start().
/// All else is thread-safe. Log, telemetry and clock must outlive it.
class Projector {
public:
    /// Opens or creates the file, migrates it, and stands where it left off. corrupt: the file is
    /// foreign, newer than this binary, damaged, or ahead of this log (it was built from another
    /// one). unavailable: can't be opened.
    static Result<std::unique_ptr<Projector>> open(const Options& options, log::Log& log,
                                                   telemetry::Telemetry& telemetry,
                                                   const Clock& clock);
    ~Projector();  ///< stops
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    void start();
    /// Lets the transaction at work finish, then ends the thread. Idempotent.
    void stop();

    /// Everything stamped before it is visible to queries.
    const Frontier& frontier() const { return frontier_; }

    /// Good, or why writing fails at the moment: it goes on trying, nothing is lost.
    Status health() const;

    /// Looks whether the file is still the one that was opened. If not, it is made anew, on this
    /// projector's thread, from what is still open; unavailable until a later look finds it. By one
    /// thread at a time.
    Status check_file();
    /// What the last look found.
    Status file_health() const;

    /// One poll and one transaction; how many records it took. After an error the same batch waits
    /// for the next step.
    Result<std::size_t> step(Duration wait);
    /// Steps until everything stamped before `to` is in.
    Status catch_up(Instant to);

private:
    struct Metrics;
    Projector(const Options& options, log::Log& log, telemetry::Telemetry& telemetry,
              const Clock& clock, std::unique_ptr<Database> database,
              std::unique_ptr<Tables> tables);
    Status stand_at_applied();
    void observe(const log::Batch& batch, std::span<const DecidedVerdict> decided,
                 std::span<const Undecodable> undecodable, Duration took);
    void run(const std::stop_token& stop);
    void set_health(Status health);
    bool must_remake() const;
    Status remake();
    void remember_files();

    const Options options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<Database> database_;  // at a fixed place: tables_ points to it
    std::unique_ptr<Tables> tables_;      // after database_: its statements go first
    std::unique_ptr<log::Reader> reader_;
    std::optional<log::Batch> waiting_;  // polled, not yet committed
    Frontier frontier_;
    std::unique_ptr<Metrics> metrics_;

    mutable std::mutex mutex_;
    Status health_;
    Status file_health_;                ///< guarded by mutex_
    bool remade_ = false;               ///< guarded by mutex_; since file_health_ was set
    std::optional<FileIdentity> file_;  ///< guarded by mutex_; as opened
    std::optional<FileIdentity> wal_;   ///< guarded by mutex_; absent until the first write
    std::jthread thread_;
};

}  // namespace helios::store
