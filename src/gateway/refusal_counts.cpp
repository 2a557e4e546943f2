#include "gateway/refusal_counts.h"

#include <algorithm>

namespace helios::gateway {

void RefusalCounts::note(std::string_view source, std::string_view reason, Instant at) {
    const MutexLock lock(mutex_);
    auto& reasons = entries_.try_emplace(std::string(source)).first->second;
    auto& entry = reasons.try_emplace(std::string(reason)).first->second;
    ++entry.count;
    entry.last_at = std::max(entry.last_at, at);
}

std::vector<Refused> RefusalCounts::of(std::string_view source) const {
    const MutexLock lock(mutex_);
    std::vector<Refused> out;
    if (const auto found = entries_.find(source); found != entries_.end()) {
        for (const auto& [reason, entry] : found->second) {
            out.push_back({reason, entry.count, entry.last_at});
        }
    }
    return out;
}

}  // namespace helios::gateway
