#pragma once
/// Completeness per hop, source and minute of log time (gateway: of receipt): deltas that add up.
/// On `helios.counts`.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tenant.h"
#include "base/time.h"

namespace helios::model {

/// Hops and their counters: gateway (received, appended, duplicate, conflict, quarantined, refused)
/// · route (judged: events consumed by route, each once) · store (stored).
struct Counts {
    explicit Counts(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string hop;
    std::string source;
    Instant minute;                               ///< floor to the minute
    std::map<std::string, std::uint64_t> deltas;  ///< counter → increase
    friend bool operator==(const Counts&, const Counts&) = default;
};

inline constexpr std::uint8_t counts_version = 1;
std::string encode(const Counts& counts);
Result<Counts> decode_counts(std::string_view bytes);

}  // namespace helios::model
