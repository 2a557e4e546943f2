#pragma once
/// What came in and what became of it, per tenant, source and minute of receipt, as deltas on their
/// way to `helios.counts`. received = appended + duplicate + conflict + quarantined + refused.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "model/counts.h"

namespace helios::gateway {

enum class Counted : std::uint8_t { received, appended, duplicate, conflict, quarantined, refused };
inline constexpr std::size_t counted_kinds = 6;
std::string_view to_string(Counted counted);

/// Thread-safe.
class ReceiptCounts {
public:
    void add(const TenantId& tenant, std::string_view source, Instant at, Counted what,
             std::uint64_t n = 1);

    /// All deltas since the last take, oldest minute first; the caller appends them or gives them
    /// back.
    std::vector<model::Counts> take();
    void put_back(const std::vector<model::Counts>& counts);

private:
    using Row = std::array<std::uint64_t, counted_kinds>;
    Mutex mutex_;
    std::map<std::tuple<Instant, TenantId, std::string>, Row> rows_
        HELIOS_GUARDED_BY(mutex_);  ///< minute, tenant, source
};

}  // namespace helios::gateway
