#pragma once
/// What a server starts with: flags, environment and files become one configuration, and every
/// mistake that can be found before anything is opened is reported at once. `helios serve` and
/// `helios config check` both call this, so that one passes what the other does.

#include <optional>
#include <string>
#include <vector>

#include "app/cli.h"
#include "app/config.h"
#include "app/environment.h"
#include "reconcile/flow.h"

namespace helios::app {

/// The flags, empty where not given.
struct StartArguments {
    std::vector<std::string> listen;
    std::string data;
    std::vector<std::string> config_files;  ///< later ones win
    std::string catalogue;
    std::vector<std::string> flows;
    std::string log_level;
    bool insecure = false;
    std::string insecure_test_hosts;
    bool ephemeral = false;
};

/// The flags as options of a command, but for the configuration files.
std::vector<Option> start_options(StartArguments& arguments);

struct Start {
    Config config;
    std::vector<reconcile::Flow> flows;
    std::vector<Error> errors;    ///< any of these: a server would not start
    std::vector<Error> warnings;  ///< unknown variables, and what flows say that is rarely meant
    bool unreadable = false;      ///< a configuration file could not be read
};
Start prepare_start(const StartArguments& arguments, const Environment& environment);

/// What else a start would find wrong, without changing anything: a data directory that is foreign,
/// newer, of another partition count, not writable, or where a flow is active with another text. A
/// server that runs on it is no complaint.
std::vector<Error> check_data_directory(const Config& config,
                                        const std::vector<reconcile::Flow>& flows);

/// Whether nobody but this machine can reach what is listened on, nor a proxy that may speak for
/// others.
bool is_alone(const Config& config);
/// A source that is fetched, and whose policy nobody has set, takes nothing that is pushed.
void close_to_push(Config& config);

/// Those whose senders need not prove who they are.
std::vector<std::string_view> sources_without_proof(const Config& config);
/// Those whose senders are all refused.
std::vector<std::string_view> sources_that_are_off(const Config& config);

/// denied: others reach the server, a source's senders need not prove who they are, and nobody has
/// said that this is meant.
Status check_exposure(const Config& config);

/// The flows of `files`, or the shipped order flow if there are none; every complaint of every file
/// goes to `errors`.
std::vector<reconcile::Flow> load_flows(const std::vector<std::string>& files,
                                        std::vector<Error>& errors,
                                        std::vector<Error>* warnings = nullptr);

}  // namespace helios::app
