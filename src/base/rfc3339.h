#pragma once
/// RFC 3339 for callers that must know what was wrong with a text; parse_rfc3339 (time.h) says it
/// in words.

#include <cstdint>
#include <expected>
#include <string_view>

#include "base/time.h"

namespace helios {

/// What keeps a text from being a time.
enum class TimeFault : std::uint8_t {
    form,         ///< not an RFC 3339 date-time
    date,         ///< names a day that does not exist
    clock,        ///< names an hour, minute or second that does not exist
    leap_second,  ///< :60 elsewhere than at 23:59 UTC
    range,        ///< outside [1970, 2200)
};

/// Reads what parse_rfc3339 reads.
std::expected<ParsedTime, TimeFault> read_rfc3339(std::string_view text);

}  // namespace helios
