#pragma once
/// Times that a sender signed, against ours. Private to the room.

#include <cstdint>

#include "auth/proof.h"
#include "base/time.h"

namespace helios::auth {

/// Is the sender's time at most `window` from ours, either way?
bool within(Duration window, std::int64_t seconds, Instant now);

/// refused: how far, and what that may mean.
Proof outside_window(std::int64_t seconds, Instant now);

}  // namespace helios::auth
