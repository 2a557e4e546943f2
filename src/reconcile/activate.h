#pragma once
/// What enters helios.flows: flow versions that become active, and that Helios itself was away.

#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "model/case_record.h"
#include "model/flow_activation.h"
#include "reconcile/absence.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

struct Activation {
    bool is_new = false;         ///< false: this very version was active already
    std::uint32_t replaces = 0;  ///< the version that was active before, 0 if none
};

/// Makes the flow active unless it is; durable when it returns. Call before route starts.
/// conflict: the same version was active with another text, or a newer version is. Else as Log::append.
Result<Activation> activate(log::Log& log, const Flow& flow, std::string_view tenant = model::default_tenant);

/// At a start: writes down that nobody watched between the last sign of life on the log and now; route hands it to every case
/// partition in its place. Nothing is written for a log that holds nothing yet. Durable when it returns. Call before anything
/// new may be accepted; what the stages derive meanwhile (verdicts, counts) is no sign of life.
Status record_absence(log::Log& log, Duration grace);

/// While running: writes down an absence that has been noticed, and gives it as written. Its gap begins at the last record from
/// before it, which was watched: else partitions that saw that record and those that did not would disagree on which deadlines
/// had passed. Durable when it returns.
Result<model::ResumedRecord> record_absence(log::Log& log, const Absence& noticed, Duration grace);

/// A record of helios.flows.
struct FlowsRecord {
    log::Offset offset;
    Instant log_time;
    std::optional<model::FlowActivation> activation;
    std::optional<model::ResumedRecord> resumed;  ///< `at` and `gap` complete
    bool noticed = false;  ///< resumed while running: its place in route order is `resumed->at`, before the record itself
};
/// All there are, in order.
Result<std::vector<FlowsRecord>> read_flows(log::Log& log);

/// Whether route has handed a noticed absence to the case partitions already.
Result<bool> is_handed_on(log::Log& log, const FlowsRecord& noticed);

/// The one reading of a record of helios.flows; activation and resumed absent: a type that this version doesn't know.
Result<FlowsRecord> decode_flows_record(const log::StoredRecord& record);

}  // namespace helios::reconcile
