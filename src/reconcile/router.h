#pragma once
/// Route's rules: which flows are active, and which case records an event makes. Pure: the same
/// inputs in the same order give the same records, live, offline and in a backtest.
///
/// Inputs come in route order: (log time, topic, partition, offset). Knows no log.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/case_record.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "reconcile/absences.h"
#include "reconcile/extract.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// One thread.
class Router {
public:
    /// A flow version becomes active. From now on it alone opens cases of this flow; older versions
    /// go on being extracted until their last case has closed and outlived amend_for. What stands
    /// on helios.flows is always taken. invalid: the text is no flow. conflict: not newer than the
    /// active version.
    Result<model::FlowRecord> activate(const model::FlowActivation& activation, Instant at);

    /// Helios was away: cases that are open then may close later and so may be amended later.
    void take_absence(const model::AbsenceRecord& absence);

    /// Whether any active leg wants such an event (so that others need no parsing).
    bool wants(const model::Event& event) const;

    /// One record per active flow version and leg that wants the event and finds its key.
    /// `keyless`: how many legs found none.
    std::vector<model::LegRecord> on_event(const model::Event& event, json::Value payload,
                                           const Arrival& arrival, std::size_t& keyless);
    /// The same without forgetting what has retired by then.
    std::vector<model::LegRecord> legs_of(const model::Event& event, json::Value payload,
                                          const Arrival& arrival, std::size_t& keyless) const;

    struct Active {
        TenantId tenant;
        std::shared_ptr<const Flow> flow;
        std::optional<Instant> replaced_at;  ///< when a newer version became active
        Instant retires_at = never;
    };
    /// Forgets what has retired by `t`.
    void retire_before(Instant t);
    /// In order of activation.
    const std::vector<Active>& active() const { return active_; }

private:
    Instant retirement_of(const Active& version) const;

    std::vector<Active> active_;
    Absences absences_;
};

}  // namespace helios::reconcile
