#pragma once
/// What a server says of itself.

#include <map>
#include <string>
#include <vector>

#include "base/tenant.h"

namespace helios::api {

struct About {
    std::string version = "0.1.0";
    bool ephemeral = false;  ///< nothing survives this process: said on every status page
    std::map<TenantId, std::vector<std::string>> flows;  ///< names given at start, in order

    const std::vector<std::string>& flows_of(const TenantId& tenant) const;
    /// `order` if it is among the tenant's flows, else its first; nullptr: it has none.
    const std::string* primary_flow(const TenantId& tenant) const;
};

}  // namespace helios::api
