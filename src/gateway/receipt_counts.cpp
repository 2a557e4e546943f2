#include "gateway/receipt_counts.h"

#include <chrono>

namespace helios::gateway {

namespace {
constexpr std::array<std::string_view, counted_kinds> names{"received", "appended",    "duplicate",
                                                            "conflict", "quarantined", "refused"};
}

std::string_view to_string(Counted counted) {
    return names[static_cast<std::size_t>(counted)];
}

void ReceiptCounts::add(const TenantId& tenant, std::string_view source, Instant at, Counted what,
                        std::uint64_t n) {
    const Instant minute = std::chrono::floor<std::chrono::minutes>(at);
    MutexLock lock(mutex_);
    rows_[{minute, tenant, std::string(source)}][static_cast<std::size_t>(what)] += n;
}

std::vector<model::Counts> ReceiptCounts::take() {
    decltype(rows_) rows;
    {
        MutexLock lock(mutex_);
        rows.swap(rows_);
    }
    std::vector<model::Counts> out;
    out.reserve(rows.size());
    for (const auto& [id, row] : rows) {
        const auto& [minute, tenant, source] = id;
        model::Counts counts(tenant);
        counts.hop = "gateway";
        counts.minute = minute;
        counts.source = source;
        for (std::size_t i = 0; i < counted_kinds; ++i) {
            if (row[i] > 0) {
                counts.deltas.emplace(names[i], row[i]);
            }
        }
        out.push_back(std::move(counts));
    }
    return out;
}

void ReceiptCounts::put_back(const std::vector<model::Counts>& counts) {
    MutexLock lock(mutex_);
    for (const auto& item : counts) {
        Row& row = rows_[{item.minute, item.tenant, item.source}];
        for (std::size_t i = 0; i < counted_kinds; ++i) {
            const auto it = item.deltas.find(std::string(names[i]));
            row[i] += it == item.deltas.end() ? 0 : it->second;
        }
    }
}

}  // namespace helios::gateway
