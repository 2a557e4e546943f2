#pragma once
/// Route, running: reads all event topics and helios.flows in route order, appends case records to
/// helios.cases atomically with the offsets it has consumed (group "route").
///
/// Also hands Helios' own absences to every case partition: the one between two lives of the
/// server, and what presence.h noticed (standstills, refusals). All are written to helios.flows
/// first, and handed on before the first event stamped from their begin on, so that no deadline
/// passes that they move.
///
/// Or one lane of several (RouteOptions::lane): it waits for no other, so no record says what has
/// passed; ticks alone do, up to the least of the lanes' frontiers. Each hands activations and
/// levels on by itself (the engine takes the first copy), lane 0 alone writes absences and hands
/// them on.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/frontier.h"
#include "log/log.h"
#include "log/stage.h"
#include "reconcile/options.h"
#include "reconcile/presence.h"
#include "reconcile/router.h"

namespace helios::telemetry {
struct Telemetry;
}

namespace helios::reconcile {

struct FlowsRecord;

/// Owns its thread once started. open() and step() are for one thread, and not beside start(). All
/// else is thread-safe. Log, telemetry and clock outlive it.
class RouteStage final : log::StageWork {
public:
    RouteStage(const RouteOptions& options, log::Log& log, telemetry::Telemetry& telemetry,
               const Clock& clock);
    ~RouteStage() override;  ///< stops
    RouteStage(const RouteStage&) = delete;
    RouteStage& operator=(const RouteStage&) = delete;

    /// Writes down that we were away, reads what is active, stands where the group left off. Before
    /// anybody may append.
    Status open() { return stage_.open(); }
    /// open(), then runs on its own thread. If open fails it says so in the log and in health(),
    /// and tries again.
    void start();
    /// Lets the transaction at work finish. Idempotent.
    void stop() { stage_.stop(); }

    /// As log::Stage::step.
    Result<std::size_t> step(Duration wait) { return stage_.step(wait); }

    /// Every event stamped before it has been routed and its case records are on helios.cases,
    /// visible.
    const Frontier& frontier() const { return stage_.frontier(); }
    const log::Reached& reached() const { return stage_.reached(); }
    /// Good, or why routing fails at the moment: it goes on trying, nothing is lost.
    Status health() const { return stage_.health(); }
    /// To be told of turns and refusals.
    Presence& presence() { return presence_; }
    const Presence& presence() const { return presence_; }

private:
    struct Metrics;
    struct Round;

    Result<log::Standing> restore(const log::Assignment& assignment) override;
    Result<bool> prepare(const log::Batch& batch) override;
    Result<log::Taken> apply(const log::StoredRecord& record, bool has_effects,
                             log::Outputs& out) override;
    Status complete(const log::Batch& batch, log::Outputs& out) override;
    void sum_up(log::Outputs& out) override;
    Result<log::Offsets> commit(const log::Outputs& out,
                                const log::GroupOffsets& position) override {
        return log::commit_on_log(log_, out, position);
    }
    void committed() override;

    bool watches() const { return options_.lane.value_or(0) == 0; }
    log::Offsets inputs(const log::Assignment& assignment) const;
    Result<log::Standing> stand_at_committed(const log::Assignment& assignment);
    Status take_history(Offset flows_from);
    std::optional<model::CaseRecord> activate(const FlowsRecord& record);
    void announce(log::Outputs& out);
    Status write_down(const std::vector<model::AbsenceRecord>& noticed);
    bool is_stuck(const log::Batch& batch, const std::vector<model::AbsenceRecord>& noticed);
    void tell(const model::AbsenceRecord& piece);
    Status take_flows_record(const log::StoredRecord& record, log::Outputs& out);
    void route_event(const log::StoredRecord& record, log::Outputs& out);
    void enqueue(const model::AbsenceRecord& absence);
    void absences_until(Instant t, log::Outputs& out);
    void to_every_partition(const model::CaseRecord& record, log::Outputs& out);

    const RouteOptions options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    std::unique_ptr<Metrics> metrics_;
    std::uint32_t partitions_ = 0;

    std::optional<Router> router_;
    std::unique_ptr<Round> round_;  // since the last commit
    Presence presence_;
    Absences told_;  // what the server's own log has a line of
    std::deque<model::AbsenceRecord>
        absences_;  // on helios.flows, not yet handed on, sorted by their begin
    std::vector<model::CaseRecord> unannounced_;  // of a lane: active, not yet handed on
    Offset announced_below_;                      // of helios.flows: what was active at restore
    bool absence_recorded_ = false;

    log::Stage stage_;  // last: it uses all of the above
};

}  // namespace helios::reconcile
