#pragma once
/// Which program this is: written by the build (cmake/build_info.cmake).

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::app {

struct BuildInfo {
    std::string_view version;  ///< "0.1.0"
    std::string_view commit;   ///< 40 digits; empty: built from a tree that does not know it
    bool modified = false;     ///< from that commit and changes
    Instant committed;         ///< of the commit, or the day that the tree says
    std::string_view build_type;
    std::string_view compiler;  ///< "GNU 12.2.0"
    std::string_view processor;
};

const BuildInfo& build_info();

/// A clock before the day (UTC) of the commit that the program was built from is wrong, and what it
/// stamps stays wrong for ever: log time never goes back. By days, for the clock of whoever made
/// the commit may be some minutes off. invalid.
Status check_clock(Instant now, const BuildInfo& info);

}  // namespace helios::app
