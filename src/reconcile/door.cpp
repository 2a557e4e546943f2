#include "reconcile/door.h"

#include <algorithm>

#include "reconcile/extract.h"

namespace helios::reconcile {

std::vector<std::string> case_keys(const std::vector<Flow>& flows, const model::Event& event,
                                   json::Value payload) {
    std::vector<std::string> out;
    for (const Flow& flow : flows) {
        for (const Leg& leg : flow.legs) {
            if (!leg.wants(event.source, event.type)) {
                continue;
            }
            if (const auto record = extract(flow, leg, true, event, payload, {})) {
                out.push_back(model::case_log_key(record->tenant, record->flow, record->key));
            }
        }
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace helios::reconcile
