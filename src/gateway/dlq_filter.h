#pragma once
/// Which items of the DLQ a redrive is of. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::gateway {

/// What waits and has all of these. Absent: any.
struct DlqFilter {
    std::optional<std::string> reason;
    std::optional<std::string> source;
    std::optional<std::string> type;
    std::optional<std::string> key;
    std::optional<Instant> start;  ///< came last at or after
    std::optional<Instant> end;    ///< came last before
    /// Not empty: these alone, what is exhausted too.
    std::vector<std::string> ids;
    friend bool operator==(const DlqFilter&, const DlqFilter&) = default;
};

inline constexpr std::size_t filter_ids_max = 1'000;

/// {"reason","source","eventType","key","startTime","endTime","ids"}, each optional. invalid: says
/// which.
Result<DlqFilter> parse_dlq_filter(json::Value object);
std::string to_json(const DlqFilter& filter);

}  // namespace helios::gateway
