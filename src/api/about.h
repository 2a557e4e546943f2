#pragma once
/// What a server says of itself.

#include <string>
#include <vector>

namespace helios::api {

struct About {
    std::string version = "0.1.0";
    bool ephemeral = false;          ///< nothing survives this process: said on every status page
    std::vector<std::string> flows;  ///< names given at start, in order: `order` is the primary
                                     ///< flow if it is among them, else the first

    const std::string* primary_flow() const;  ///< nullptr: no flow was given
};

}  // namespace helios::api
