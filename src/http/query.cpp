#include "http/query.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/shown.h"
#include "base/yaml.h"

namespace helios::http {
namespace {

const Param* find(const std::vector<Param>& params, std::string_view name) {
    const auto found = std::find_if(params.begin(), params.end(), [&](const Param& param) {
        return param.in == Param::In::query && param.name == name;
    });
    return found == params.end() ? nullptr : &*found;
}

std::unexpected<Error> unknown(const std::vector<Param>& params, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& param : params) {
        if (param.in == Param::In::query) {
            names.push_back(param.name);
        }
    }
    return fail(ErrorKind::invalid, fmt::format("unknown query parameter \"{}\"", shown(name)),
                names.empty() ? "this endpoint takes none" : suggestion(name, names));
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
    const auto near = yaml::nearest(word, known);
    return near.empty() ? fmt::format("there are: {}", fmt::join(known, ", "))
                        : fmt::format("did you mean {}?", near);
}

Status check_query(const std::vector<Param>& params, const Request& request) {
    for (auto it = request.query.begin(); it != request.query.end(); ++it) {
        const auto& [name, value] = *it;
        const Param* param = find(params, name);
        if (param == nullptr) {
            return unknown(params, name);
        }
        if (std::any_of(request.query.begin(), it,
                        [&](const auto& earlier) { return earlier.first == name; })) {
            return fail(ErrorKind::invalid,
                        fmt::format("query parameter \"{}\" occurs twice", name), "give it once");
        }
        if (value.empty()) {
            return fail(ErrorKind::invalid, fmt::format("query parameter \"{}\" is empty", name),
                        "give it a value, or leave it out");
        }
        if (!param->values.empty() &&
            std::find(param->values.begin(), param->values.end(), value) == param->values.end()) {
            return fail(ErrorKind::invalid,
                        fmt::format("{}: there is no \"{}\"", name, shown(value)),
                        suggestion(value, {param->values.begin(), param->values.end()}));
        }
    }
    for (const auto& param : params) {
        if (param.in == Param::In::query && param.required && !request.query_param(param.name)) {
            return fail(ErrorKind::invalid,
                        fmt::format("query parameter \"{}\" is missing", param.name),
                        param.description);
        }
    }
    return {};
}

}  // namespace helios::http
