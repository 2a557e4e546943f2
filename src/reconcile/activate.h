#pragma once
/// What enters helios.flows: flow versions that become active, levels, and Helios' own absences.

#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "model/case_record.h"
#include "model/engine_level.h"
#include "model/flow_activation.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// What stands on helios.flows when a flow is active for a tenant.
model::FlowActivation activation_of(const TenantId& tenant, const Flow& flow);

struct Activation {
    bool is_new = false;         ///< false: this very version was active already
    std::uint32_t replaces = 0;  ///< the version that was active before, 0 if none
};

/// Makes the flow active unless it is; durable when it returns. Call before route starts.
/// conflict: the same version was active with another text, or a newer version is. Else as
/// Log::append.
Result<Activation> activate(log::Log& log, const TenantId& tenant, const Flow& flow,
                            std::size_t versions_max);

/// At a start: writes down that nobody watched between the last sign of life (the one the log was
/// left with, or its last record if that is later) and now; route hands it to every case partition
/// in its place. Nothing is written for a log that holds nothing yet, nor for an absence shorter
/// than `least`. Durable when it returns. Call before anything new may be accepted; what the stages
/// derive meanwhile (verdicts, counts) is no sign of life.
Status record_start(log::Log& log, Duration grace, Duration least);

/// Writes an absence down that has been noticed while running, or a piece of it. Durable when it
/// returns.
Status record_absence(log::Appender& log, const model::AbsenceRecord& absence);

/// A record of helios.flows.
struct FlowsRecord {
    Offset offset;
    Instant log_time;
    std::optional<model::FlowActivation> activation;
    std::optional<model::AbsenceRecord> absence;
    std::optional<model::EngineLevel> level;
};
/// All there are, in order.
Result<std::vector<FlowsRecord>> read_flows(log::Log& log);

/// The level that the log is at; 0: none stands there.
std::uint32_t level_of(const std::vector<FlowsRecord>& records);
/// conflict: the log is at a level that this version does not know.
Status check_level(const std::vector<FlowsRecord>& records);
/// At a start: raises the log to the highest level that this version knows, if it is at a lower one
/// or at none; which it was at before. conflict: as check_level. Durable when it returns.
Result<std::uint32_t> raise_level(log::Log& log);

/// What activate() would find, given those records. conflict: as there.
Result<Activation> check_activation(const std::vector<FlowsRecord>& records, const TenantId& tenant,
                                    const Flow& flow, std::size_t versions_max, Instant now);

/// Whether route has handed an absence to the case partitions already.
Result<bool> is_handed_on(log::Log& log, const FlowsRecord& record);

/// The one reading of a record of helios.flows; none of the three: a type that this
/// version doesn't know.
Result<FlowsRecord> decode_flows_record(const log::StoredRecord& record);

}  // namespace helios::reconcile
