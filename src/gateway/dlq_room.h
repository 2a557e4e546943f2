#pragma once
/// How much waits in quarantine, and whether there is room for more.
///
/// What waits is counted in bytes of the records on the log (key and value) of items that nobody
/// has decided about. Whoever keeps the items says how much that is and how far he has read
/// (stored()); what has been appended behind that, and what is on its way, is added here. So an
/// item counts from the moment at which it is let in until it has become an event, is discarded,
/// or is past its retention.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/position.h"

namespace helios::gateway {

/// As of some moment: the bytes of all records below these offsets that wait.
struct StoredDlq {
    std::uint64_t bytes = 0;
    std::map<Partition, Offset> next_offsets;
};

/// Thread-safe.
class DlqRoom {
public:
    explicit DlqRoom(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    /// From so much on somebody should look.
    static constexpr unsigned alarm_percent = 80;
    /// It is over below that: so it is not said again and again.
    static constexpr unsigned alarm_over_percent = 70;

    /// False: there is no room for a record of that size. Else it counts, and settle() is called
    /// for it once.
    bool take(std::size_t bytes);
    /// Where it stands now; absent: it has not been stored.
    void settle(std::size_t bytes, std::optional<Position> at);
    void stored(const StoredDlq& known);

    std::uint64_t waiting() const;
    std::uint64_t bytes_max() const { return bytes_max_; }

    /// Whether the alarm has begun or ended since this was asked last; absent: neither.
    std::optional<bool> alarm_turned();
    bool alarm() const;

private:
    struct Appended {
        Position at;
        std::uint64_t bytes = 0;
    };
    std::uint64_t sum() const HELIOS_REQUIRES(mutex_) { return stored_ + behind_ + under_way_; }

    const std::uint64_t bytes_max_;
    mutable Mutex mutex_;
    std::uint64_t stored_ HELIOS_GUARDED_BY(mutex_) = 0;
    std::map<Partition, Offset> read_ HELIOS_GUARDED_BY(mutex_){};
    std::vector<Appended> appended_ HELIOS_GUARDED_BY(mutex_){};  ///< that stored_ does not have
    std::uint64_t behind_ HELIOS_GUARDED_BY(mutex_) = 0;          ///< bytes of these
    std::uint64_t under_way_ HELIOS_GUARDED_BY(mutex_) = 0;
    bool alarm_ HELIOS_GUARDED_BY(mutex_) = false;
};

}  // namespace helios::gateway
