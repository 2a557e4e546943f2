#pragma once
/// Keeps the store's files up with the log: one writer, one reader of all its topics, one
/// transaction per batch and file.
///
/// A batch is whatever waited while the last one committed, up to the bounds in options: no timer,
/// so an idle server answers at once and a busy one writes large transactions. Rows and applied
/// offsets commit together; a restart goes on from them.

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/frontier.h"
#include "base/mutex.h"
#include "log/log.h"
#include "log/stage.h"
#include "store/database.h"
#include "store/options.h"
#include "telemetry/telemetry.h"

namespace helios::store {

class Tables;
struct DecidedVerdict;

/// Every topic that the store is made of.
std::span<const TopicId> topics_of_the_store();

/// Owns its thread once started. step() and catch_up() are for one thread, and not beside start().
/// All else is thread-safe. Log, telemetry and clock must outlive it.
class Projector final : log::StageWork {
public:
    /// Opens or creates the file, migrates it, and stands where it left off. corrupt: the file is
    /// foreign, newer than this binary, damaged, or ahead of this log (it was built from another
    /// one). unavailable: can't be opened.
    static Result<std::unique_ptr<Projector>> open(const Options& options, log::Log& log,
                                                   telemetry::Telemetry& telemetry,
                                                   const Clock& clock);
    ~Projector() override;  ///< stops
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    void start() { stage_.start(); }
    /// Lets the transaction at work finish, then ends the thread. Idempotent.
    void stop() { stage_.stop(); }

    /// Everything stamped before it is visible to queries.
    const Frontier& frontier() const { return stage_.frontier(); }
    const log::Reached& reached() const { return stage_.reached(); }

    /// Good, or why writing fails at the moment: it goes on trying, nothing is lost.
    Status health() const { return stage_.health(); }

    /// Looks whether the files are still those that were opened. Those that are not are made anew,
    /// on this projector's thread, from what is still open; unavailable until a later look finds
    /// them. What can't be made anew is left alone and told at each look. By one thread at a time.
    Status check_file();
    /// What the last look found.
    Status file_health() const;

    /// As log::Stage::step.
    Result<std::size_t> step(Duration wait) { return stage_.step(wait); }
    /// Steps until everything stamped before `to` is in.
    Status catch_up(Instant to);

private:
    struct Metrics;
    Projector(const Options& options, log::Log& log, telemetry::Telemetry& telemetry,
              const Clock& clock, std::unique_ptr<Tables> tables);
    Result<log::Standing> restore(const log::Assignment& assignment) override;
    Status begin() override;
    Result<log::Taken> apply(const log::StoredRecord& record, bool has_effects,
                             log::Outputs& out) override;
    Result<log::Offsets> commit(const log::Outputs& out,
                                const log::GroupOffsets& position) override;
    void after_round() override;

    void observe(std::span<const DecidedVerdict> decided, Duration took);
    /// An open file as it was opened. Its write-ahead log may not be there before the first write.
    struct OpenFile {
        std::filesystem::path path;
        std::optional<FileIdentity> file;
        std::optional<FileIdentity> wal;
    };
    static std::string look_at(OpenFile& open);
    std::vector<std::filesystem::path> lost_files() const;
    Status remake(const std::vector<std::filesystem::path>& files);
    void remember_files();
    void drop_expired();
    void look_for_damage();
    Status begin_at_log_start();

    struct Waiting;

    const Options options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<Tables> tables_;
    std::unique_ptr<Waiting> waiting_;  // applied, not yet committed
    std::unique_ptr<Metrics> metrics_;
    Duration retention_due_{};  // by the monotonic clock
    bool failing_ = false;      // the last commit

    mutable Mutex mutex_;
    Status file_health_ HELIOS_GUARDED_BY(mutex_);
    std::vector<OpenFile> files_ HELIOS_GUARDED_BY(mutex_);
    /// Of files_; being made anew.
    std::vector<std::filesystem::path> lost_ HELIOS_GUARDED_BY(mutex_);
    std::optional<Error> damage_ HELIOS_GUARDED_BY(mutex_);

    log::Stage stage_;  // last: it uses all of the above
};

}  // namespace helios::store
