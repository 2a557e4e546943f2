#pragma once
/// What statements call the parts of a case, wherever a value holds them: as members of its own, or
/// of its member `of` (which case it is) and `row` (how it stands). For parameters and for columns.
/// Private to the room.

#include <tuple>

#include "store/prepared.h"

namespace helios::store {

inline constexpr auto its_case = [](auto& values) -> auto& {
    if constexpr (requires { values.of; }) {
        return values.of;
    } else {
        return values;
    }
};
inline constexpr auto its_state = [](auto& values) -> auto& {
    if constexpr (requires { values.row; }) {
        return values.row;
    } else {
        return values;
    }
};

/// Which case, and `more`.
constexpr auto with_case(auto... more) {
    return std::tuple{
        named("tenant", [](auto& v) -> auto& { return its_case(v).tenant; }),
        named("key", [](auto& v) -> auto& { return its_case(v).key; }),
        named("flow", [](auto& v) -> auto& { return its_case(v).flow; }),
        more...,
    };
}
constexpr auto with_instance(auto... more) {
    return with_case(named("instance", [](auto& v) -> auto& { return its_case(v).instance; }),
                     more...);
}

/// What lists of cases go by.
constexpr auto with_times(auto... more) {
    return std::tuple{
        named("status", [](auto& v) -> auto& { return its_state(v).status; }),
        named("opened_at", [](auto& v) -> auto& { return its_state(v).opened_at; }),
        named("reconciled_at", [](auto& v) -> auto& { return its_state(v).reconciled_at; }),
        more...,
    };
}
constexpr auto with_state(auto... more) {
    return with_times(named("revision", [](auto& v) -> auto& { return its_state(v).revision; }),
                      named("kinds", [](auto& v) -> auto& { return its_state(v).kinds; }),
                      named("at_risk", [](auto& v) -> auto& { return its_state(v).at_risk; }),
                      more...);
}

}  // namespace helios::store
