#pragma once
/// How far a stage has come, in offsets: what it has consumed, and where what it made of that ends.
/// Stages publish it; readers that must see their own writes wait for it (api/barrier.h).

#include <algorithm>
#include <optional>

#include "base/mutex.h"
#include "base/time.h"
#include "log/log.h"

namespace helios::log {

/// Adds partitions; of one that both have, the higher offset.
inline void add_to(Offsets& sum, const Offsets& more) {
    for (const auto& [id, offset] : more) {
        Offset& known = sum[id];
        known = std::max(known, offset);
    }
}

/// As of one moment. Empty: the stage has not restored yet.
struct Standpoint {
    /// Next offset per partition that the stage reads: the effects of every record below are
    /// durable and visible. It passes records that the stage is never shown.
    Offsets consumed;
    /// One past the last record that the stage wrote, per partition it writes: all that it made of
    /// what lies below `consumed` stands below. Absent: nothing.
    Offsets written;
};

/// Thread-safe. Never falls.
class Reached {
public:
    Standpoint get() const {
        const MutexLock lock(mutex_);
        return at_;
    }

    void advance_to(const Offsets& consumed, const Offsets& written) {
        const MutexLock lock(mutex_);
        add_to(at_.consumed, consumed);
        add_to(at_.written, written);
        moved_.notify_all();
    }

    /// Once everything below `to` has been consumed: where what came of it ends. nullopt: `limit`
    /// passed first. Partitions that the stage does not read are not waited for.
    std::optional<Offsets> wait_for(const Offsets& to, Duration limit) const {
        MutexLock lock(mutex_);
        if (!moved_.wait_for(lock, limit,
                             [&]() HELIOS_REQUIRES(mutex_) { return !first_missing(to); })) {
            return std::nullopt;
        }
        return at_.written;
    }

    /// A partition of which not everything below `to` has been consumed; nullopt: there is none.
    /// Before the stage has restored nobody knows what it reads: any of `to`.
    std::optional<Partition> missing(const Offsets& to) const {
        const MutexLock lock(mutex_);
        return first_missing(to);
    }

private:
    std::optional<Partition> first_missing(const Offsets& to) const HELIOS_REQUIRES(mutex_) {
        if (at_.consumed.empty() && !to.empty()) {
            return to.begin()->first;
        }
        auto at = at_.consumed.begin();  // both are in one order: every read comes through here
        for (const auto& [id, offset] : to) {
            while (at != at_.consumed.end() && at->first < id) {
                ++at;
            }
            if (at != at_.consumed.end() && at->first == id && at->second < offset) {
                return id;
            }
        }
        return std::nullopt;
    }

    mutable Mutex mutex_;
    mutable Condition moved_;
    Standpoint at_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::log
