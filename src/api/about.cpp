#include "api/about.h"

#include <algorithm>

namespace helios::api {

const std::string* About::primary_flow() const {
    const auto order = std::find(flows.begin(), flows.end(), "order");
    return order != flows.end() ? &*order : flows.empty() ? nullptr : &flows.front();
}

}  // namespace helios::api
