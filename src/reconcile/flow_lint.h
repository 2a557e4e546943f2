#pragma once
/// What a flow says that is the language and yet hardly what was meant: each part is readable
/// alone, together they say nothing, or something else. Looks at the document, not at the flow, so
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
