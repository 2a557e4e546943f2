#pragma once
/// Configuration: one table says every option's key, environment names, meaning and limits. The
/// table drives parsing of files and the environment, `helios config check`, and the generated
/// docs/config.md.
///
/// Order: flag, environment, file, default. Secrets never come through flags.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/callers.h"
#include "app/environment.h"
#include "base/result.h"
#include "gateway/options.h"
#include "http/options.h"
#include "log/options.h"
#include "reconcile/options.h"
#include "sources/pull_options.h"
#include "store/options.h"
#include "telemetry/telemetry.h"

namespace helios::app {

struct Config {
    std::string data_dir = "./helios-data";
    std::vector<std::string> flow_files;  ///< empty: the shipped order flow
    std::string catalogue_file;           ///< empty: the shipped catalogue
    bool insecure = false;
    bool ephemeral = false;
    Duration drain_limit = std::chrono::seconds(8);
    Duration check_interval = std::chrono::seconds(10);
    /// What all bounds of what is in memory may sum to; 0: whatever they do.
    std::uint64_t memory_max = 8ull << 30;
    telemetry::Level log_level = telemetry::Level::info;

    /// Where secrets named env: are; never listed.
    Environment environment;
    std::string public_url;  ///< where senders reach this server; empty: not said
    std::string ca_file;  ///< roots for what is asked of others, beside the machine's; empty: none
    CallerOptions callers;  ///< an empty keys_file: in the data directory
    http::ServerOptions http;
    log::DiskLogOptions log;
    gateway::Options gateway;
    sources::PullSources pull;
    reconcile::RouteOptions route;
    reconcile::EngineStageOptions engine;
    store::Options store;
    /// How long bodies of quarantined items can be read; absent: as log.keep. Their bytes stand in
    /// the data journal's segments, and leave with these.
    std::optional<Duration> quarantine_keep;
    /// How long decided cases stay in the store; absent: as store.keep_events.
    std::optional<Duration> cases_keep;

    std::map<std::string, std::string, std::less<>>
        places;  ///< option → "file:line:column" or variable that set it last

    /// Every room's own validate(), in one, every complaint; each begins with the place where the
    /// value came from.
    std::vector<Error> validate() const;

    /// What may be in memory at once, by the bound that it comes from.
    struct MemoryPart {
        std::string what;
        std::uint64_t bytes = 0;
    };
    std::vector<MemoryPart> memory_parts() const;

private:
    Status check_ranges() const;
    std::vector<Error> retention_mistakes() const;
    void add_slice_mistakes(std::vector<Error>& out) const;
    void add_memory_mistakes(std::vector<Error>& out) const;
};

struct Setting {
    std::string key;  ///< "http.port"
    std::vector<std::string>
        environment;   ///< "HELIOS_HTTP_PORT", then a short name if it has one: "API_PORT"
    std::string type;  ///< "integer", "bytes", "duration", "text", "flag", "list of text", …
    std::string description;
    std::function<Status(Config&, const std::string&)> set;  ///< lists: comma-separated
    std::function<std::string(const Config&)> get;
};

/// The table, in the order of the documentation.
const std::vector<Setting>& settings();

/// Applies a YAML file: sections are rooms; or whole names, as config_listing() writes them. Gives
/// every complaint, "file:line:column: unknown option …; did you mean …", wrong types, an option
/// set twice; what is good has been applied.
std::vector<Error> apply_file(Config& config, std::string_view text, std::string_view file);

/// Applies variables of the table; every complaint begins with the variable. Empty values count as
/// absent.
std::vector<Error> apply_environment(Config& config, const Environment& environment);

/// One for each HELIOS_… variable that nothing here knows, with the nearest name. No reason not to
/// start: an orchestrator sets such names by itself (Kubernetes sets HELIOS_PORT=tcp://… in every
/// pod beside a Service named helios).
std::vector<Error> unknown_variables(const Environment& environment);

/// Refuses what the environment asks for and this version can't do (Kafka, PostgreSQL, Redis).
std::vector<Error> check_not_built_yet(const Environment& environment);

/// "HOST:PORT", "[::1]:8001", ":8001".
Status apply_listen(Config& config, std::string_view listen);

/// The complaint, with where its value comes from in front.
Error with_place(Error error, std::string_view place);

/// docs/config.md.
std::string config_reference();

/// Every option with its effective value, one `key: value` line each, which apply_file() reads
/// back; never a secret.
std::string config_listing(const Config& config);

}  // namespace helios::app
