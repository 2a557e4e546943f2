#pragma once
/// Finds what is valid in the language and yet hardly meant: parts that are readable alone and
/// together say nothing, or something else. Looks at the document, not at the flow, so
/// that it can name places.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/yaml.h"

namespace helios::reconcile {

/// Adds to `errors` what makes the flow useless as written, to `warnings` what may be meant but
/// rarely is.
void lint_flow(const yaml::Node& root, std::string_view file, std::vector<Error>& errors,
               std::vector<Error>& warnings);

}  // namespace helios::reconcile
