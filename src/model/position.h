#pragma once
/// The opaque position clients get back and pass as `after=`: which log it is of, where one event
/// or several stand in it, and their log times.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

/// As many partitions as one text may name.
inline constexpr std::size_t positions_max = 512;

/// One text for several records of one log: of each partition the last one counts, since whoever
/// has come to it has passed the others. Empty: there is none, or they stand in too many
/// partitions.
std::string encode_positions(std::vector<PositionToken> tokens);
/// What either function has made, by topic and partition, one each, never none. invalid: not one of
/// ours.
Result<std::vector<PositionToken>> decode_positions(std::string_view text);

}  // namespace helios::model
