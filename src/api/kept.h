#pragma once
/// What has come in and what was made of it, as the API reads it. Private to the room.

#include "log/log.h"
#include "store/queries.h"

namespace helios::api {

/// Both outlive the routes.
struct Kept {
    store::Queries& rows;
    log::Log& log;  ///< payloads, and whose positions are ours
};

}  // namespace helios::api
