#pragma once
/// The opaque position clients get back and pass as `after=`: which log it is of, where
/// an event stands in it, and its log time.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/event.h"

namespace helios::model {

struct PositionToken {
    std::uint32_t log;  ///< log::hash_of: the log it belongs to
    Position pointer;
    Instant log_time;
};

std::string encode_position(const PositionToken& token);       ///< URL-safe, no padding
Result<PositionToken> decode_position(std::string_view text);  ///< invalid: not one of ours

}  // namespace helios::model
