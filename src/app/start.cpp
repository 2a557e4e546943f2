#include "app/start.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <unistd.h>

#include "app/config_named.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/setting.h"
#include "base/clock.h"
#include "http/host_policy.h"
#include "http/server.h"
#include "log/directory.h"
#include "log/posix_disk.h"
#include "reconcile/activate.h"

namespace helios::app {
namespace {

void add(std::vector<Error>& errors, std::vector<Error> more) {
    errors.insert(errors.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

void apply_flags(Config& config, const StartArguments& arguments, std::vector<Error>& errors) {
    if (!arguments.listen.empty()) {
        config.http.also_listen.clear();
        config.places["http.host"] = config.places["http.port"] =
            config.places["http.also_listen"] = "--listen";
    }
    for (std::size_t i = 0; i < arguments.listen.size(); ++i) {
        const auto& listen = arguments.listen[i];
        if (const auto address = http::parse_address(listen); !address) {
            errors.push_back(with_place(address.error(), "--listen"));
        } else if (i == 0) {
            config.http.host = address->host;
            config.http.port = address->port;
        } else {
            config.http.also_listen.push_back(listen);
        }
    }
    if (!arguments.log_level.empty()) {
        if (const auto level = telemetry::parse_level(arguments.log_level); !level) {
            errors.push_back(with_place(level.error(), "--log-level"));
        } else {
            config.log_level = *level;
        }
    }
    if (!arguments.data.empty()) {
        config.data_dir = arguments.data;
        config.places["app.data_dir"] = "--data";
    }
    if (!arguments.catalogue.empty()) {
        config.catalogue_file = arguments.catalogue;
    }
    if (!arguments.flows.empty()) {
        config.flow_files = arguments.flows;
    }
    if (!arguments.insecure_test_hosts.empty()) {
        config.gateway.senders.test_hosts = split_list(arguments.insecure_test_hosts);
    }
    config.insecure = config.insecure || arguments.insecure;
    config.ephemeral = config.ephemeral || arguments.ephemeral;
}

/// Whether a directory can be made or written there.
Status check_writable(const std::string& directory) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path at = fs::absolute(directory, error);
    while (!fs::exists(at, error) && !error && at.has_relative_path()) {
        at = at.parent_path();
    }
    if (!fs::is_directory(at, error)) {
        return fail(
            ErrorKind::invalid,
            fmt::format("the data directory {}: {} is not a directory", directory, at.string()),
            "choose another one with --data");
    }
    if (::access(at.c_str(), W_OK | X_OK) != 0) {
        return fail(ErrorKind::denied,
                    fmt::format("the data directory {}: {}: {}", directory, at.string(),
                                std::strerror(errno)),
                    "let the user of the server write there, or choose another one with --data");
    }
    return {};
}

Error with_place_of(const Config& config, const std::string& key, Error error) {
    const auto place = config.places.find(key);
    return place == config.places.end() ? std::move(error)
                                        : with_place(std::move(error), place->second);
}

}  // namespace

std::vector<Option> start_options(StartArguments& a) {
    return {
        {"--listen",
         "HOST:PORT",
         "address, default 127.0.0.1:8001; port 0 picks a free one; may be repeated",
         &a.listen,
         false,
         {}},
        {"--data",
         "DIR",
         "data directory, default ./helios-data; one server at a time",
         &a.data,
         false,
         {}},
        {"--flow",
         "FILE",
         "a flow to run, may be repeated; default: the shipped order flow",
         &a.flows,
         false,
         {}},
        {"--catalogue",
         "FILE",
         "catalogue of event types; default: the shipped one",
         &a.catalogue,
         false,
         {}},
        {"--log-level", "LEVEL", "trace, debug, info, warn, error or off", &a.log_level, false, {}},
        {"--ephemeral",
         "",
         "keep everything in memory: nothing survives the process",
         &a.ephemeral,
         false,
         {}},
        {"--insecure",
         "",
         "allow an address off loopback, or a proxy, although sources are not authenticated",
         &a.insecure,
         false,
         {}},
        {"--insecure-test-hosts",
         "HOST:PORT,…",
         "these stand for vendors' hosts, http too; for tests",
         &a.insecure_test_hosts,
         false,
         {}},
    };
}

bool is_alone(const Config& config) {
    return !config.http.behind_proxy() &&
           std::ranges::all_of(config.http.addresses(), [](const auto& address) {
               return http::is_loopback_name(address.host);
           });
}

namespace {

std::vector<std::string_view> sources_with(const Config& config, gateway::ProofMethod method) {
    std::vector<std::string_view> out;
    for (const auto source : gateway::sources_with_endpoint) {
        if (config.gateway.senders.methods(source).front() == method) {
            out.push_back(source);
        }
    }
    return out;
}

}  // namespace

void close_to_push(Config& config) {
    auto& senders = config.gateway.senders;
    for (const auto& [name, pull] : config.pull.all()) {
        if (!pull->on()) {
            continue;
        }
        const auto source = sources::source_of(name, *pull);
        auto* policy = source == "aws"   ? &senders.aws
                       : source == "gcp" ? &senders.gcp
                                         : &senders.azure;
        policy->fetched = true;
        if (policy->methods.empty()) {
            policy->methods = {gateway::ProofMethod::off};
        }
    }
}

std::vector<std::string_view> sources_without_proof(const Config& config) {
    auto out = sources_with(config, gateway::ProofMethod::none);
    for (const auto& [name, sender] : config.gateway.senders.declared) {
        if (!sender.signature) {
            out.push_back(name);
        }
    }
    return out;
}

std::vector<std::string_view> sources_that_are_off(const Config& config) {
    return sources_with(config, gateway::ProofMethod::off);
}

Status check_exposure(const Config& config) {
    const auto addresses = config.http.addresses();
    const auto open = std::find_if(addresses.begin(), addresses.end(), [](const auto& address) {
        return !http::is_loopback_name(address.host);
    });
    const auto unauthenticated = sources_without_proof(config);
    if (is_alone(config) || config.insecure || unauthenticated.empty()) {
        return {};
    }
    return fail(
        ErrorKind::denied,
        fmt::format("{}, and the policy of {} is none: anybody who reaches {} could write "
                    "events",
                    open == addresses.end() ? "there is a proxy in front"
                                            : open->host + " is not a loopback address",
                    fmt::join(unauthenticated, ", "), open == addresses.end() ? "it" : "the port"),
        "give each a policy (sources.NAME.policy; of a declared sender, "
        "senders.NAME.signature), or pass --insecure to accept that");
}

std::vector<reconcile::Flow> load_flows(const std::vector<std::string>& files,
                                        std::vector<Error>& errors, std::vector<Error>* warnings) {
    std::vector<reconcile::Flow> flows;
    if (files.empty()) {
        auto shipped =
            reconcile::parse_flow(reconcile::shipped_order_flow(), "order.yaml (shipped)");
        flows.push_back(*std::move(shipped));
    }
    for (const auto& file : files) {
        const auto text = read_file(file);
        if (!text) {
            errors.push_back(text.error());
            continue;
        }
        auto reading = reconcile::read_flow(*text, file);
        add(errors, std::move(reading.errors));
        if (warnings != nullptr) {
            add(*warnings, std::move(reading.warnings));
        }
        if (!reading.flow) {
            continue;
        }
        const auto same = [&](const reconcile::Flow& other) {
            return other.name == reading.flow->name;
        };
        if (std::any_of(flows.begin(), flows.end(), same)) {
            errors.push_back(
                {ErrorKind::conflict,
                 fmt::format("{}: flow \"{}\" is given twice", file, reading.flow->name),
                 "one file per flow; a new version replaces the old one"});
            continue;
        }
        flows.push_back(*std::move(reading.flow));
    }
    return flows;
}

Start prepare_start(const StartArguments& arguments, const Environment& environment) {
    Start out;
    for (const auto& file : arguments.config_files) {
        const auto text = read_file(file);
        if (!text) {
            out.errors.push_back(text.error());
            out.unreadable = true;
            continue;
        }
        add(out.errors, apply_file(out.config, *text, file));
    }
    add(out.errors, apply_environment(out.config, environment));
    out.config.environment = environment;
    add(out.errors, check_not_built_yet(environment));
    out.warnings = unknown_variables(environment);
    apply_flags(out.config, arguments, out.errors);
    out.config.gateway.senders.by_default =
        is_alone(out.config) ? gateway::ProofMethod::none : gateway::ProofMethod::off;
    close_to_push(out.config);
    add(out.errors, out.config.validate());
    if (const auto exposed = check_exposure(out.config); !exposed) {
        out.errors.push_back(with_place_of(out.config, "http.host", exposed.error()));
    } else if (const auto address = http::Server::check(out.config.http);
               !address && !out.config.http.host.empty()) {
        out.errors.push_back(with_place_of(out.config, "http.host", address.error()));
    }
    // Of good options: what is wrong with them has been told.
    if (out.config.http.validate()) {
        if (const auto files = http::Server::check_tls(out.config.http, SystemClock().wall());
            !files) {
            const auto& what = files.error().what;
            out.errors.push_back(
                with_place_of(out.config, what.substr(0, what.find(' ')), files.error()));
        }
    }
    out.flows = load_flows(out.config.flow_files, out.errors, &out.warnings);
    std::vector<std::string> named;
    for (const auto& flow : out.flows) {
        std::ranges::move(flow.sources(), std::back_inserter(named));
    }
    add(out.warnings, unnamed_sources(out.config, named));
    std::vector<Error> more;
    if (const auto catalogue = load_catalogue(out.config.catalogue_file, &more); !catalogue) {
        out.errors.push_back(catalogue.error());
        add(out.errors, std::move(more));
    }
    return out;
}

std::vector<Error> check_data_directory(const Config& config,
                                        const std::vector<reconcile::Flow>& flows) {
    std::vector<Error> errors;
    const auto complain = [&](const Error& error) {
        errors.push_back(with_place_of(config, "app.data_dir", error));
    };
    if (config.ephemeral || config.data_dir.empty()) {
        return errors;
    }
    if (const auto writable = check_writable(config.data_dir); !writable) {
        complain(writable.error());
    }
    const auto disk = log::posix_disk();
    if (const auto ours = log::check_directory(*disk, log::DirectoryPaths(config.data_dir),
                                               config.log.partitions);
        !ours) {
        const bool count = ours.error().kind == ErrorKind::conflict;
        errors.push_back(
            with_place_of(config, count ? "log.partitions" : "app.data_dir", ours.error()));
        return errors;
    }
    const auto opened = open_read_only(config.data_dir);
    if (!opened) {
        if (opened.error().kind != ErrorKind::not_found) {
            complain(opened.error());
        }
        return errors;
    }
    if (const auto records = reconcile::read_flows(*opened->log); !records) {
        complain(records.error());
    } else {
        if (const auto known = reconcile::check_level(*records); !known) {
            errors.push_back(known.error());
        }
        for (const auto& flow : flows) {
            if (const auto fits =
                    reconcile::check_activation(*records, default_tenant(), flow,
                                                config.route.flow_versions_max, opened->log->now());
                !fits) {
                errors.push_back(fits.error());
            }
        }
    }
    return errors;
}

}  // namespace helios::app
