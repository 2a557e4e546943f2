#include "reconcile/closed_cases.h"

namespace helios::reconcile {

std::optional<ClosedCase> MemoryClosedCases::find(const std::string& id) {
    const auto it = cases_.find(id);
    return it == cases_.end() ? std::nullopt : std::optional<ClosedCase>(it->second);
}

void MemoryClosedCases::put(const std::string& id, ClosedCase closed) {
    const auto [it, fresh] = cases_.try_emplace(id);
    if (!fresh) {
        expiries_.erase({it->second.amend_until, &it->first});
    }
    expiries_.insert({closed.amend_until, &it->first});
    it->second = std::move(closed);
}

void MemoryClosedCases::expire(Instant now) {
    while (!expiries_.empty() && expiries_.begin()->first < now) {
        cases_.at(*expiries_.begin()->second).bytes = std::string();
        expiries_.erase(expiries_.begin());
    }
}

}  // namespace helios::reconcile
