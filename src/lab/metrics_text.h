#pragma once
/// Reads a server's /metrics (Prometheus text) as far as the lab needs it.

#include <map>
#include <string>
#include <string_view>

namespace helios::lab {

/// Samples of `name`, added up by the value of `label`; samples without it go under "".
std::map<std::string, double> sum_by_label(std::string_view exposition, std::string_view name,
                                           std::string_view label);

}  // namespace helios::lab
