#include "gateway/quarantine_repeats.h"

#include <algorithm>

namespace helios::gateway {

void QuarantineRepeats::add(const TenantId& tenant, std::string_view key, std::string_view dlq_id,
                            Instant at, std::uint64_t times) {
    const MutexLock lock(mutex_);
    std::pair<TenantId, std::string> id{tenant, dlq_id};
    auto it = entries_.find(id);
    if (it == entries_.end()) {
        if (entries_.size() >= items_max) {
            return;
        }
        Entry entry(tenant);
        entry.key = key;
        entry.repeat.id = dlq_id;
        entry.repeat.last_received_at = at;
        it = entries_.emplace(std::move(id), std::move(entry)).first;
    }
    auto& repeat = it->second.repeat;
    repeat.times += times;
    repeat.last_received_at = std::max(repeat.last_received_at, at);
}

std::vector<std::pair<std::string, model::QuarantineRepeat>> QuarantineRepeats::take(Duration now,
                                                                                     Which which) {
    std::vector<std::pair<std::string, model::QuarantineRepeat>> out;
    const MutexLock lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end();) {
        Entry& entry = it->second;
        const bool due = out.size() < taken_max && (which == Which::all || now >= entry.not_before);
        if (due && entry.repeat.times > 0) {
            out.emplace_back(entry.key, entry.repeat);
            entry.repeat.times = 0;
            entry.not_before = now + interval;
        } else if (due && entry.repeat.times == 0) {
            it = entries_.erase(it);
            continue;
        }
        ++it;
    }
    return out;
}

}  // namespace helios::gateway
