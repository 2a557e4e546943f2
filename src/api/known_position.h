#pragma once
/// Whether what a client passes as `after` is a position of this server's log. Private to the room.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "model/position.h"

namespace helios::api {

/// Positions of one record or of several (model::encode_positions). Those of another log would wait
/// for nothing, or begin a stream anywhere, and whoever passed them would believe to have missed
/// nothing. Reads at most that many records. invalid: no position, or one that is not, or no
/// longer, in this log.
Result<std::vector<model::PositionToken>> read_positions(log::Log& log, std::string_view after);

/// The ends that have been reached once all of these have been passed.
log::Offsets beyond(const std::vector<model::PositionToken>& positions);

}  // namespace helios::api
