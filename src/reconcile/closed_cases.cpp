#include "reconcile/closed_cases.h"

#include "log/state.h"
#include "reconcile/case_state.h"
#include "reconcile/engine_state.h"

namespace helios::reconcile {

void ClosedCases::put_case(const std::string& id, Instant amend_until, Case&& closed) {
    put(id, {closed.instance, amend_until, closed.encode()});
}

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

void MemoryClosedCases::expire(Instant before) {
    while (!expiries_.empty() && expiries_.begin()->first < before) {
        cases_.at(*expiries_.begin()->second).bytes = std::string();
        expiries_.erase(expiries_.begin());
    }
}

std::optional<ClosedCase> StoredClosedCases::find(const std::string& id) {
    const std::string key = closed_key(id);
    auto value = state_.get(key);
    if (!value) {
        damaged(std::move(value).error());
        return std::nullopt;
    }
    if (!*value) {
        return std::nullopt;
    }
    auto closed = decode_closed(key, **value);
    if (!closed) {
        damaged(std::move(closed).error());
        return std::nullopt;
    }
    return *std::move(closed);
}

void StoredClosedCases::put(const std::string& id, ClosedCase closed) {
    std::string key = closed_key(id);
    std::string value = encode_closed(key, closed);
    state_.put(std::move(key), std::move(value));
}

}  // namespace helios::reconcile
