#pragma once
/// What `helios source test` sends: an event of a type that is known everywhere, taken by no flow,
/// and out of a source's rhythm.

#include <string_view>

namespace helios::model {

inline constexpr std::string_view test_event_type = "helios.test";

}  // namespace helios::model
