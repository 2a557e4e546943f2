#pragma once
/// Options of the log on disk: defaults, limits, units.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/log.h"

namespace helios::log {

struct DiskLogOptions {
    /// The data directory. The log keeps FORMAT, LOCK and the folder log/ in it; the rest belongs
    /// to other rooms.
    std::string directory;
    /// Folders of other rooms in it, locked together with it.
    std::vector<std::string> folders;
    /// Partitions of every topic that names no count. Fixed for the life of a data
    /// directory; 1..4096.
    std::uint32_t partitions = 12;
    /// Size at which a segment is closed and the next begun; its space is set aside when it is
    /// made. 64 KiB..1 GiB.
    std::uint64_t segment_bytes = 64ull << 20;
    /// The health journal's are an eighth: it is kept for days only, and dropped by segments.
    std::uint64_t segment_bytes_of(RetentionClass retention) const;
    /// How far ahead of the end a segment's blocks are written with zeroes, so that fdatasync
    /// touches no metadata.
    std::uint64_t zero_ahead_bytes = 2ull << 20;
    /// Largest key + value of one record. Larger is `invalid`.
    std::uint64_t record_bytes_max = (10ull << 20) + (64u << 10);
    /// Accepted and not yet answered; beyond it append and transact answer `exhausted`.
    std::uint64_t pending_bytes_max = 64ull << 20;
    std::uint64_t pending_records_max = 200'000;
    /// One group (one write, one fsync) takes waiting calls until it has this many bytes; a single
    /// call may exceed it.
    std::uint64_t group_bytes_max = 8ull << 20;
    /// Recent groups kept in memory for readers at the live end.
    std::uint64_t cache_bytes = 32ull << 20;
    /// What a reader far behind fetches at a time.
    std::uint64_t read_ahead_bytes = 1ull << 20;
    /// Space set aside for transactions (the stages' progress) once the disk is full. 0: none.
    std::uint64_t reserve_bytes = 16ull << 20;
    /// How often a journal that has failed or found the disk full tries again without being asked.
    Duration retry_interval = std::chrono::seconds(1);
    /// How often a reader in another process looks for a new durable mark.
    Duration follow_interval = std::chrono::milliseconds(20);

    /// How long after start everything durable begins to be read and verified in the background,
    /// and how often that is repeated.
    Duration scrub_delay = std::chrono::seconds(20);
    Duration scrub_interval = std::chrono::hours(24);  ///< 0: never
    /// At most so much of it in a second.
    std::uint64_t scrub_bytes_per_second = 10'000'000;

    /// How old, in log time, all records of a segment must be before it is dropped. 0: never.
    Duration keep{};
    Duration keep_health = std::chrono::hours(48);
    /// How large the data journal may become before its oldest segments are dropped. 0: no bound.
    std::uint64_t keep_bytes_max = 0;
    /// How often it is looked for what may be dropped. 0: only when asked.
    Duration keep_interval = std::chrono::minutes(1);

    /// 0: for ever.
    Duration keep_for(RetentionClass retention) const;
    /// 0: however large.
    std::uint64_t keep_bytes(RetentionClass retention) const {
        return retention == RetentionClass::data ? keep_bytes_max : 0;
    }

    /// invalid: a value out of its limits, named.
    Status validate() const;
};

}  // namespace helios::log
