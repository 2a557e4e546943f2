#pragma once
/// Route, running: reads all event topics and helios.flows in route order, appends case records to
/// helios.cases atomically with the offsets it has consumed (group "route").
///
/// Also hands Helios' own absences to every case partition: the one between two lives of the
/// server, and what presence.h noticed (standstills, refusals). All are written to helios.flows
/// first, and handed on before the first event stamped from their begin on, so that no deadline
/// passes that they move.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/frontier.h"
#include "log/log.h"
#include "reconcile/options.h"
#include "reconcile/presence.h"
#include "reconcile/router.h"
#include "reconcile/stage_thread.h"

namespace helios::telemetry {
struct Telemetry;
}

namespace helios::reconcile {

/// Owns its thread once started. open() and step() are for one thread, and not beside start(). All
/// else is thread-safe. Log, telemetry and clock outlive it.
class RouteStage {
public:
    RouteStage(const RouteOptions& options, log::Log& log, telemetry::Telemetry& telemetry,
               const Clock& clock);
    ~RouteStage();  ///< stops
    RouteStage(const RouteStage&) = delete;
    RouteStage& operator=(const RouteStage&) = delete;

    /// Writes down that we were away, reads what is active, stands where the group left off. Before
    /// anybody may append.
    Status open();
    /// open(), then runs on its own thread. If open fails it says so in the log and in health(),
    /// and tries again.
    void start();
    /// Lets the transaction at work finish. Idempotent.
    void stop() { thread_.stop(); }

    /// One poll and one transaction; how many records it took. After an error the next step begins
    /// again from what is committed.
    Result<std::size_t> step(Duration wait);

    /// Every event stamped before it has been routed and its case records are on helios.cases,
    /// visible.
    const Frontier& frontier() const { return frontier_; }
    /// Good, or why routing fails at the moment: it goes on trying, nothing is lost.
    Status health() const { return thread_.health(); }
    /// To be told of turns and refusals.
    Presence& presence() { return presence_; }
    const Presence& presence() const { return presence_; }

private:
    struct Metrics;
    struct Outputs;

    Status stand_at_committed();
    Status write_down(const std::vector<model::AbsenceRecord>& noticed);
    bool is_stuck(const log::Batch& batch, const std::vector<model::AbsenceRecord>& noticed);
    void tell(const model::AbsenceRecord& piece);
    Result<std::size_t> take(const log::Batch& batch, Outputs& out);
    void route_event(const log::StoredRecord& record, Outputs& out);
    void enqueue(const model::AbsenceRecord& absence);
    void absences_until(Instant t, Outputs& out);
    void to_every_partition(const model::CaseRecord& record, Outputs& out);
    void add_counts(Outputs& out);
    void show_lag();

    const RouteOptions options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<Metrics> metrics_;
    std::uint32_t partitions_ = 0;

    std::optional<Router> router_;
    std::unique_ptr<log::Reader> reader_;
    log::Offsets committed_;
    std::size_t
        records_max_;  // events per transaction; fewer after one that the log found too large
    Presence presence_;
    Absences told_;  // what the server's own log has a line of
    std::deque<model::AbsenceRecord>
        absences_;  // on helios.flows, not yet handed on, sorted by their begin
    bool absence_recorded_ = false;
    Duration lag_shown_{};
    Frontier frontier_;

    StageThread thread_;  // last: it uses all of the above
};

}  // namespace helios::reconcile
