#include "log/options.h"

#include <algorithm>
#include <fmt/format.h>

namespace helios::log {
namespace {

constexpr std::uint64_t segment_bytes_min = 64u << 10;

Status within(std::string_view name, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value >= least && value <= most) {
        return {};
    }
    return fail(ErrorKind::invalid, fmt::format("log.{} is {}", name, value),
                fmt::format("choose a value from {} to {}", least, most));
}

}  // namespace

std::uint64_t DiskLogOptions::segment_bytes_of(RetentionClass retention) const {
    return retention == RetentionClass::health
               ? std::max<std::uint64_t>(segment_bytes / 8, segment_bytes_min)
               : segment_bytes;
}

Duration DiskLogOptions::keep_for(RetentionClass retention) const {
    switch (retention) {
        case RetentionClass::data:
            return keep;
        case RetentionClass::control:
            return Duration::zero();
        case RetentionClass::health:
            return keep_health;
    }
    return Duration::zero();
}

Status DiskLogOptions::validate() const {
    if (directory.empty()) {
        return fail(ErrorKind::invalid, "log.directory is empty", "name the data directory");
    }
    HELIOS_TRY(within("partitions", partitions, 1, 4096));
    HELIOS_TRY(within("segment_bytes", segment_bytes, segment_bytes_min, 1ull << 30));
    HELIOS_TRY(within("zero_ahead_bytes", zero_ahead_bytes, 0, 64ull << 20));
    HELIOS_TRY(within("record_bytes_max", record_bytes_max, 1u << 10, 64ull << 20));
    HELIOS_TRY(within("pending_bytes_max", pending_bytes_max, record_bytes_max, 4ull << 30));
    HELIOS_TRY(within("pending_records_max", pending_records_max, 1, 1u << 30));
    HELIOS_TRY(within("group_bytes_max", group_bytes_max, 4u << 10, 256ull << 20));
    HELIOS_TRY(within("cache_bytes", cache_bytes, 0, 64ull << 30));
    HELIOS_TRY(within("read_ahead_bytes", read_ahead_bytes, 4u << 10, 64ull << 20));
    HELIOS_TRY(within("reserve_bytes", reserve_bytes, 0, 64ull << 30));
    if (retry_interval <= Duration::zero() || follow_interval <= Duration::zero()) {
        return fail(ErrorKind::invalid,
                    "log.retry_interval and log.follow_interval must be longer than nothing");
    }
    HELIOS_TRY(within("scrub_bytes_per_second", scrub_bytes_per_second, 4u << 10, 1ull << 40));
    if (scrub_delay < Duration::zero() || scrub_interval < Duration::zero()) {
        return fail(ErrorKind::invalid, "log.scrub_delay and log.scrub_interval can't be negative");
    }
    if (keep < Duration::zero() || keep_health < Duration::zero() ||
        keep_interval < Duration::zero()) {
        return fail(ErrorKind::invalid, "retention.log and retention.health can't be negative");
    }
    return {};
}

}  // namespace helios::log
