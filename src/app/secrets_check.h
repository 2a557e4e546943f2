#pragma once
/// Whether the secrets that a configuration names can be read, and are secrets of their kind.

#include <vector>

#include "app/config.h"

namespace helios::app {

/// One complaint for each source and declared sender and for the tokens' secret: a server would not
/// start. A queue's credentials are `warnings`: it starts, and can't fetch. Of options that are
/// valid; never a secret, nor a part of one.
std::vector<Error> check_secrets(const Config& config, std::vector<Error>& warnings);

}  // namespace helios::app
