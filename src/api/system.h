#pragma once
/// The readiness checks, as /ready, /api/v1/health and the status page run them. Private to the room.

#include <string>
#include <vector>

#include "api/dependencies.h"

namespace helios::api {

struct CheckOutcome {
    std::string name;
    Status status;
};

/// The log's health first, then dependencies.readiness in order.
std::vector<CheckOutcome> run_checks(const Dependencies& d);

}  // namespace helios::api
