#pragma once
/// What `helios source` sends and confirms; looking and setting up are in command_source.cpp.

#include <string>

#include "app/cli.h"
#include "app/config.h"
#include "auth/secret.h"
#include "base/result.h"

namespace helios::app {

/// The options of `file` (empty: none) and of the environment, as a server would have them that
/// listens where they say: how senders prove who they are, and where their secrets are. Errors of
/// reading them, the first.
Result<Config> sender_config(const std::string& file, const Environment& environment);

/// The value of a secret of that configuration. Errors of auth::Secrets::open.
Result<std::string> read_secret(const auth::SecretReference& reference,
                                const Environment& environment);

Option config_file_option(std::string& file);

Command source_test_command(const Environment& environment);
Command source_confirm_command(const Environment& environment);

}  // namespace helios::app
