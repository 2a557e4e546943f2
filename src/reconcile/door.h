#pragma once
/// What the door asks before an event is on the log: which cases it would belong to. Pure.

#include <string>
#include <vector>

#include "base/json.h"
#include "model/event.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// The cases (case_log_key) that route would send an event to, each once. `flows`: the active
/// versions of the event's tenant.
std::vector<std::string> case_keys(const std::vector<Flow>& flows, const model::Event& event,
                                   json::Value payload);

}  // namespace helios::reconcile
