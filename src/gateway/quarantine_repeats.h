#pragma once
/// How often a quarantined item came again, on its way to `helios.events.dlq`.
///
/// An item is kept whole once. Its sender may go on retrying it, thousands of times a second: what
/// is appended for that is small, and one record per item and `interval`, however often it came. So
/// `times` and `lastReceivedAt` are right, and the log does not fill.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "model/quarantined.h"

namespace helios::gateway {

/// Thread-safe.
class QuarantineRepeats {
public:
    /// Between two records of one item.
    static constexpr Duration interval = std::chrono::seconds(10);
    /// That many repeated items are remembered at once (some 10 MB); what comes again beyond them
    /// is not counted.
    static constexpr std::size_t items_max = 50'000;
    /// So many leave in one take: one append.
    static constexpr std::size_t taken_max = 4'096;

    /// `key`: of the item's record on the log; its repeats stand in the same partition, behind it.
    void add(const TenantId& tenant, std::string_view key, std::string_view dlq_id, Instant at,
             std::uint64_t times = 1);

    enum class Which : bool { due, all };
    /// What came again since the last take, with its key, by id, at most `taken_max` of them;
    /// `due`: only of items whose last record is older than `interval`. The caller appends them, or
    /// adds them again.
    std::vector<std::pair<std::string, model::QuarantineRepeat>> take(Duration now, Which which);

private:
    struct Entry {
        explicit Entry(TenantId of) : repeat(std::move(of)) {}

        std::string key;
        model::QuarantineRepeat repeat;  ///< times 0: nothing since the last record
        Duration not_before = Duration::min();
    };
    Mutex mutex_;
    std::map<std::pair<TenantId, std::string>, Entry> entries_
        HELIOS_GUARDED_BY(mutex_);  ///< (tenant, dlq id)
};

}  // namespace helios::gateway
