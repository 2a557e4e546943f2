#include "gateway/options.h"

#include <algorithm>
#include <fmt/format.h>

namespace helios::gateway {

namespace {

Status within(std::string_view name, std::size_t value, std::size_t least, std::size_t most) {
    if (value < least || value > most) {
        return fail(ErrorKind::invalid, fmt::format("gateway.{} is {}", name, value),
                    fmt::format("allowed: {} to {}", least, most));
    }
    return {};
}

}  // namespace

Duration Options::dedup_horizon_of(std::string_view source) const {
    const auto it = dedup_horizons.find(source);
    return it == dedup_horizons.end() ? dedup_horizon : it->second;
}

Duration Options::dedup_horizon_longest() const {
    Duration longest = dedup_horizon;
    for (const auto& [source, horizon] : dedup_horizons) {
        if (longest == Duration::zero() || horizon == Duration::zero()) {
            return Duration::zero();
        }
        longest = std::max(longest, horizon);
    }
    return longest;
}

Result<adapters::AzureRules> Options::azure_rules() const {
    adapters::AzureRules rules;
    const auto& paths = azure_custom;
    if (paths.type.empty() && paths.id.empty() && paths.time.empty() && paths.payload.empty()) {
        return rules;
    }
    auto custom = adapters::AzureCustom::parse(paths.id, paths.type, paths.time, paths.payload);
    if (!custom) {
        return fail(ErrorKind::invalid, "sources.azure.custom: " + custom.error().what,
                    custom.error().hint);
    }
    rules.custom = *std::move(custom);
    return rules;
}

Status Options::validate() const {
    constexpr std::size_t mib = 1u << 20;
    HELIOS_TRY(within("index_cache_bytes", index_cache_bytes, mib, 64'000 * mib));
    HELIOS_TRY(
        within("index_write_buffer_bytes", index_write_buffer_bytes, 64u << 10, 1'024 * mib));
    HELIOS_TRY(within("recent_ids_max", recent_ids_max, 0, 100'000'000));
    HELIOS_TRY(within("unindexed_ids_max", unindexed_ids_max, 1'000, 100'000'000));
    HELIOS_TRY(within("record_bytes_max", record_bytes_max, 1'024, 64 * mib));
    HELIOS_TRY(within("direct_bytes_max", direct_bytes_max, 1'024, body_bytes_max));
    HELIOS_TRY(within("body_bytes_max", body_bytes_max, 1'024, 64 * mib));
    HELIOS_TRY(within("dlq_bytes_max", dlq_bytes_max, 64u << 10, std::size_t{1} << 44));
    HELIOS_TRY(within("append_records_max", append_records_max, 1, 100'000));
    HELIOS_TRY(within("append_bytes_max", append_bytes_max, 1'024, 64 * mib));
    if (counts_interval < std::chrono::milliseconds(10) ||
        counts_interval > std::chrono::seconds(1)) {
        return fail(ErrorKind::invalid,
                    "gateway.counts_interval is " + format_duration(counts_interval),
                    "allowed: 10ms to 1s");
    }
    if (dedup_horizon < Duration::zero()) {
        return fail(ErrorKind::invalid, "retention.dedup is negative");
    }
    HELIOS_TRY(azure_rules());
    return senders.validate();
}

}  // namespace helios::gateway
