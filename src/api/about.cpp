#include "api/about.h"

#include <algorithm>

namespace helios::api {

const std::vector<std::string>& About::flows_of(const TenantId& tenant) const {
    static const std::vector<std::string> none;
    const auto found = flows.find(tenant);
    return found == flows.end() ? none : found->second;
}

const std::string* About::primary_flow(const TenantId& tenant) const {
    const auto& names = flows_of(tenant);
    const auto order = std::find(names.begin(), names.end(), "order");
    return order != names.end() ? &*order : names.empty() ? nullptr : &names.front();
}

}  // namespace helios::api
