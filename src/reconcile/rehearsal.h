#pragma once
/// Route and engine over the real log, on a disk in memory and a clock that moves when told to, one
/// step at a time: how `helios flow test` and the tests of this room see what a flow decides, and
/// when, without waiting for it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "log/log.h"
#include "log/options.h"
#include "log/sim_disk.h"
#include "model/event.h"
#include "model/verdict.h"
#include "reconcile/engine_stage.h"
#include "reconcile/flow.h"
#include "reconcile/options.h"
#include "reconcile/route_stage.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {

/// One thread. Nothing happens between steps but what the clock is told, and that a millisecond in
/// which something was appended is over when route is stepped.
class Rehearsal {
public:
    /// `now` is where the clock stands. Call start() before anything else.
    Rehearsal(std::shared_ptr<const Flow> flow, Instant now);
    ~Rehearsal();  ///< stops
    Rehearsal(const Rehearsal&) = delete;
    Rehearsal& operator=(const Rehearsal&) = delete;

    // Set before start().
    RouteOptions route_options;
    EngineStageOptions engine_options;
    log::DiskLogOptions log_options;

    ManualClock clock;

    /// Opens the log, activates the flow and stands where the last life left off. conflict: as
    /// activate(); else as the log.
    Status start();
    /// The process ends; the disk keeps what it has. Held appends become durable first.
    void stop();
    Status restart();
    /// The process stands still for `d`: stopped, or its machine paused.
    void stand_still(Duration d);
    /// This flow is active from now on. conflict: not a newer version of its name, or appends are
    /// held.
    Status use(std::shared_ptr<const Flow> flow);

    /// Durable when it returns, unless appends are held: then it is on its way, stamped but not
    /// visible. conflict: one is on its way already. Else as Log::append.
    Status append(TopicId topic, const model::Event& event);
    /// Settles, then what is appended does not become durable; nor would what route and engine
    /// write. So until it is released time may only advance: no absence, no flow.
    Status hold_append();
    /// What was held is durable when it returns, or was refused: why.
    Status release_append();

    Status step_route();
    Status step_engine();
    /// Steps both stages (the engine alone without `with_route`) until they have taken what there
    /// is, and the ticks it calls for.
    Status settle(bool with_route = true);

    /// All records of a topic that the log still has; their bytes live as long as this object.
    Result<std::vector<log::StoredRecord>> records(TopicId topic);
    /// All revisions, in the order of their partitions.
    Result<std::vector<model::Verdict>> verdicts();

    /// What it has said, line by line, over all lives.
    const std::vector<std::string>& lines() const { return lines_; }
    std::string metrics() const { return telemetry_.metrics.expose(); }

    // While it runs.
    log::Log& log() { return *log_; }
    RouteStage& route() { return *route_; }
    EngineStage& engine() { return *engine_; }

private:
    struct Gate;
    void finish_millisecond();
    Result<std::vector<log::StoredRecord>> read(TopicId topic, std::vector<log::Batch>& batches);

    std::shared_ptr<const Flow> flow_;
    log::SimDisk disk_;
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_;
    std::shared_ptr<Gate> gate_;
    std::unique_ptr<log::Log> log_;
    std::unique_ptr<RouteStage> route_;
    std::unique_ptr<EngineStage> engine_;
    std::vector<log::Batch> batches_;
    bool appended_ = false;  ///< since route was stepped
};

}  // namespace helios::reconcile
