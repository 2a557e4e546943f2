#pragma once
/// The query of a request, held against what its route documents: a filter that is ignored answers
/// another question than was asked.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/route.h"

namespace helios::http {

/// For whoever wrote `word`: which of `known` is near, else all that there are.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

/// invalid: a name that is not among the query parameters of `params`, that occurs twice or has no
/// value, a value that is not among a closed parameter's, or a required one that is missing; with
/// the nearest.
Status check_query(const std::vector<Param>& params, const Request& request);

}  // namespace helios::http
