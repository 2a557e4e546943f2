#include "api/prefix.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/render.h"
#include "base/json.h"

namespace helios::api {

std::string_view prefix_of(std::string_view id, std::size_t shortest) {
    for (const std::string_view ellipsis : {"\xe2\x80\xa6", "..."}) {
        if (id.ends_with(ellipsis)) {
            return id.substr(0, id.size() - ellipsis.size());
        }
    }
    return id.size() >= shortest ? id : std::string_view();
}

http::Response ambiguous_prefix(std::string_view prefix, std::string_view member,
                                const std::vector<std::string>& ids) {
    json::Writer members;
    members.begin_object().key("candidates").begin_array();
    const std::size_t shown = std::min(ids.size(), prefix_candidates_max);
    for (std::size_t i = 0; i < shown; ++i) {
        members.begin_object().field(member, ids[i]).end_object();
    }
    members.end_array().end_object();
    const std::vector<std::string> first(ids.begin(),
                                         ids.begin() + static_cast<std::ptrdiff_t>(shown));
    return http::problem(
        409, "Ambiguous id",
        fmt::format("{} ids begin with {}: {}{}",
                    ids.size() > shown ? "several" : std::to_string(ids.size()), prefix,
                    fmt::join(first, ", "), ids.size() > shown ? ", and more" : ""),
        "give more of it", inside(members));
}

}  // namespace helios::api
