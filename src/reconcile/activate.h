#pragma once
/// What enters helios.flows when a server starts: flow versions that become active, and that Helios itself was away.

#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "model/case_record.h"
#include "model/flow_activation.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

struct Activation {
    bool is_new = false;         ///< false: this very version was active already
    std::uint32_t replaces = 0;  ///< the version that was active before, 0 if none
};

/// Makes the flow active unless it is; durable when it returns. Call before route starts.
/// conflict: the same version was active with another text, or a newer version is. Else as Log::append.
Result<Activation> activate(log::Log& log, const Flow& flow, std::string_view tenant = model::default_tenant);

/// Writes down that nobody watched between the last record of the log and now; route hands it to every case partition in its
/// place. Nothing is written for a log that holds nothing yet. Durable when it returns. Call before anything else may be
/// appended.
Status record_absence(log::Log& log, Duration grace);

/// Everything on helios.flows up to its end, in order.
struct FlowsRecord {
    log::Offset offset;
    Instant log_time;
    std::optional<model::FlowActivation> activation;
    std::optional<model::ResumedRecord> resumed;  ///< `at` and `gap` complete
};
Result<std::vector<FlowsRecord>> read_flows(log::Log& log);

/// The one reading of a record of helios.flows; both absent: a type that this version doesn't know.
Result<FlowsRecord> decode_flows_record(const log::StoredRecord& record);

}  // namespace helios::reconcile
