/// Any bytes: a time in bounds or none; what is written reads back; a claim is taken, or says why
/// not. Durations likewise.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/claimed_time.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto time = parse_rfc3339(text)) {
        HELIOS_ASSERT(time->at >= earliest_instant && time->at < latest_instant,
                      "a time out of bounds");
        const auto again = parse_rfc3339(format_rfc3339(time->at));
        HELIOS_ASSERT(again && again->at == time->at && again->had_zone,
                      "a time does not read back");
    }
    for (const auto unit :
         {std::optional<EpochUnit>(), std::optional(EpochUnit::seconds),
          std::optional(EpochUnit::milliseconds), std::optional(EpochUnit::microseconds),
          std::optional(EpochUnit::nanoseconds)}) {
        const auto claim = claimed_time(text, unit);
        HELIOS_ASSERT(!claim.taken() || (claim.at > earliest_instant && claim.at < latest_instant),
                      "a claim out of bounds");
        HELIOS_ASSERT(claim.doubtful() == !claim.why.empty() && claim.why.size() < 400,
                      "what is not taken says why, shortly");
        if (const auto document = json::Document::parse(text)) {
            (void)claimed_time(document->root(), unit);
        }
    }
    if (const auto duration = parse_duration(text)) {
        HELIOS_ASSERT(*duration >= Duration::zero(), "a negative duration");
        const auto again = parse_duration(format_duration(*duration));
        HELIOS_ASSERT(again && *again == *duration, "a duration does not read back");
    }
    return 0;
}
