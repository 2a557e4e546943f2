#pragma once
/// Ids copied from places that show only their beginning. Private to the room.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace helios::api {

inline constexpr std::size_t prefix_candidates_max = 10;

/// What an id that nothing has may be the beginning of. An ellipsis at its end says that it is one;
/// without, it must have at least `shortest` bytes: a program that asks for "o-1" does not want
/// "o-17". Empty: it is none.
std::string_view prefix_of(std::string_view id, std::size_t shortest);

/// 409, if several begin with it.
http::Response ambiguous_prefix(std::string_view prefix, std::string_view member,
                                const std::vector<std::string>& ids);

}  // namespace helios::api
