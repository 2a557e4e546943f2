#pragma once
/// The section `senders` of a configuration file: senders that it describes, by a recipe or member
/// by member.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/yaml.h"
#include "gateway/declared_sender.h"

namespace helios::app {

/// Takes `senders: {NAME: {…}}`; what a file says of a name replaces what an earlier one did.
/// Every complaint, with its place; what is good has been taken.
void read_declared_senders(const yaml::Node& senders, std::string_view file,
                           gateway::DeclaredSenders& out, std::vector<Error>& errors);

/// The section again, recipes written out; empty: there are none. Never a secret.
std::string list_declared_senders(const gateway::DeclaredSenders& senders);

}  // namespace helios::app
