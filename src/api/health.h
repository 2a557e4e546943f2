#pragma once
/// What /api/v1/health asks of the rooms that the API does not know.

#include <functional>
#include <string>
#include <vector>

#include "api/progress.h"

namespace helios::api {

/// A line of /api/v1/health with details of its own.
struct HealthDetail {
    std::string name;
    std::function<std::string()> json;  ///< a JSON object, quick, thread-safe
};

struct Health {
    std::vector<HealthDetail> components;
    std::vector<HealthDetail> clouds;  ///< one per cloud
    std::vector<NamedCheck> concerns;  ///< reasons to look, none to send traffic elsewhere: /ready
                                       ///< does not ask them
};

}  // namespace helios::api
