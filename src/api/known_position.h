#pragma once
/// Whether what a client passes as `after` is a position of this server's log. Private to the room.

#include "base/result.h"
#include "log/log.h"
#include "model/position.h"

namespace helios::api {

/// A position of another log would wait for nothing, or begin a stream anywhere, and whoever passed
/// it would believe to have missed nothing. Reads at most one record. invalid: it is not, or no
/// longer, in this log.
Status check_position(log::Log& log, const model::PositionToken& after);

}  // namespace helios::api
