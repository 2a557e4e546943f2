#pragma once
/// The engine, running: reads helios.cases, appends verdict revisions atomically with the offsets
/// it has consumed (group "engine"), and sees to it that time passes: ticks.
///
/// At start every partition goes on from its newest checkpoint (engine_partitions.h; without one
/// from its beginning) and replays what the group has committed since without appending anything.
/// Open cases live in memory, closed ones on disk.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/frontier.h"
#include "base/mutex.h"
#include "log/log.h"
#include "log/stage.h"
#include "reconcile/engine.h"
#include "reconcile/engine_partitions.h"
#include "reconcile/options.h"

namespace helios::telemetry {
struct Telemetry;
}

namespace helios::reconcile {

class Presence;
class RouteStage;

/// Whether a tick is due, and its time: `may_be` is the latest time a tick may carry (≤ the low
/// watermark, and every event stamped before it has been routed). Due when a deadline lies before
/// it, or a case is open and `heartbeat` has passed since the engine's time.
std::optional<Instant> tick_due(const Engine& engine, Instant may_be, Duration heartbeat);

/// Owns its thread once started. open() and step() are for one thread, and not beside start(). All
/// else is thread-safe. Log, route, telemetry and clock outlive it.
class EngineStage final : log::StageWork {
public:
    /// `routed`: every event stamped before it has been routed, by all lanes. Asked on the stage's
    /// thread.
    EngineStage(const EngineStageOptions& options, log::Log& log, std::function<Instant()> routed,
                telemetry::Telemetry& telemetry, const Clock& clock);
    EngineStage(const EngineStageOptions& options, log::Log& log, const Frontier& route,
                telemetry::Telemetry& telemetry, const Clock& clock);
    EngineStage(const EngineStageOptions& options, log::Log& log, const RouteStage& route,
                telemetry::Telemetry& telemetry, const Clock& clock);
    ~EngineStage() override;  ///< stops
    EngineStage(const EngineStage&) = delete;
    EngineStage& operator=(const EngineStage&) = delete;

    /// Restores now instead of with the first step. not_found: no checkpoint can be used, and the
    /// log begins later than its beginning; both are named.
    Status open() { return stage_.open(); }
    void start() { stage_.start(); }
    /// Which partitions of helios.cases it works on; until told, all. As log::Stage::assign.
    void assign(log::Assignment partitions) { stage_.assign(std::move(partitions)); }
    /// No further ticks: what is on the log can be worked off to its end. Before stop().
    void stop_ticking() { ticking_.store(false); }
    /// Lets the transaction at work finish. Idempotent.
    void stop() { stage_.stop(); }

    /// As log::Stage::step; then the ticks that are due.
    Result<std::size_t> step(Duration wait) { return stage_.step(wait); }
    /// A tick that step() appended has not come back yet: step again, with a wait.
    bool awaits_tick() const;

    /// Every record appended to helios.cases before it (by its own log time) has been processed,
    /// and the verdicts it caused are on helios.verdicts, visible. So: route's frontier > t, then u
    /// = the log's last log time, then this > u: everything derived from events stamped ≤ t is
    /// there, but for deadlines that no tick has reached yet.
    const Frontier& frontier() const { return stage_.frontier(); }
    const log::Reached& reached() const { return stage_.reached(); }
    /// What the frontier leaves out: every deadline before `fired` of a case that is known from
    /// records before `processed` has passed, and what it caused is on helios.verdicts, visible. As
    /// of one moment: `fired` may fall when a case with an old deadline is opened.
    struct Settled {
        Instant processed{};
        Instant fired{};
    };
    Settled settled() const;
    /// Good, or why it fails at the moment: it goes on trying, nothing is lost.
    Status health() const { return stage_.health(); }
    /// Writes what has changed since the last checkpoint, as at a clean stop; nothing while a
    /// commit is still to be tried again. For the thread that steps.
    void keep();
    /// Good, or why the latest checkpoint could not be written: the next start takes longer.
    Status checkpoints_health() const { return partitions_.health(); }
    /// From where on helios.cases must be kept for the older of two checkpoints.
    log::Offsets kept_from() const { return partitions_.kept_from(); }
    /// exhausted: as many cases are open as open_cases_max allows, and an event of these cases
    /// (case_keys of door.h) would open one and join none. As of the last step; what is on the log
    /// already is still worked on, and a round more may come. Cheap while there is room.
    Status room(const std::function<std::vector<std::string>()>& keys) const;

private:
    struct Metrics;

    Result<log::Standing> restore(const log::Assignment& assignment) override;
    Result<log::Taken> apply(const log::StoredRecord& record, bool has_effects,
                             log::Outputs& out) override;
    Status complete(const log::Batch& batch, log::Outputs& out) override;
    Result<log::Offsets> commit(const log::Outputs& out,
                                const log::GroupOffsets& position) override {
        return log::commit_on_log(log_, out, position);
    }
    void after_round() override;
    void stopped() override { keep(); }

    void emit(Revision&& revision, log::Outputs& out);
    void count_open_cases();
    void settle(Instant may_be);
    void append_ticks();
    void show();

    const EngineStageOptions options_;
    log::Log& log_;
    const std::function<Instant()> routed_;
    const Presence* presence_ = nullptr;  // nullptr: ticks ask route alone
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<Metrics> metrics_;

    /// Of the engines' state, while a step changes it and room() looks.
    mutable Mutex engines_mutex_;
    EnginePartitions partitions_;
    std::vector<Revision> revisions_;  // reused
    Duration shown_{};
    std::atomic<bool> ticking_{true};
    std::atomic<std::size_t> open_cases_{0};  // over all partitions, as of the last step
    mutable Mutex settled_mutex_;
    Settled settled_ HELIOS_GUARDED_BY(settled_mutex_);

    log::Stage stage_;  // last: it uses all of the above
};

}  // namespace helios::reconcile
