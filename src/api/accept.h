#pragma once
/// Which of two media types a client prefers. Private to the room.

#include <string_view>

#include "http/message.h"

namespace helios::api {

/// By `Accept`: is `wanted` acceptable, and of higher quality than `usual`, or of the same and
/// named more exactly? Without the header: no.
bool prefers(const http::Request& request, std::string_view wanted, std::string_view usual);

}  // namespace helios::api
