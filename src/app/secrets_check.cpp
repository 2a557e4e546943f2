#include "app/secrets_check.h"

#include <optional>
#include <string>
#include <utility>

#include "auth/key_set.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "gateway/sender_checks.h"
#include "telemetry/telemetry.h"

namespace helios::app {
namespace {

auth::Environment environment_of(const Config& config) {
    return [&config](const std::string& name) -> std::optional<std::string> {
        const auto found = config.environment.find(name);
        return found == config.environment.end() ? std::nullopt : std::optional(found->second);
    };
}

/// As a start opens them.
Status opens(const Config& config, gateway::SenderPolicies policies) {
    const SystemClock clock;
    telemetry::Telemetry silent(clock, telemetry::Level::off);
    const auto opened = gateway::SenderChecks::open(
        std::move(policies),
        {.clock = clock, .telemetry = silent, .environment = environment_of(config)});
    return opened ? Status() : Status(fail(opened.error()));
}

Status reads(const Config& config, const auth::SecretReference& reference,
             const auth::SecretCheck& check = {}) {
    const auto opened =
        auth::Secrets::open({reference}, environment_of(config), SystemClock().boot_time(), check);
    return opened ? Status() : Status(fail(opened.error()));
}

}  // namespace

std::vector<Error> check_secrets(const Config& config, std::vector<Error>& warnings) {
    std::vector<Error> out;
    const auto take = [&](Status status, const std::string& option = {}) {
        if (!status) {
            if (!option.empty()) {
                status.error().what = option + ": " + status.error().what;
            }
            out.push_back(std::move(status).error());
        }
    };
    // Each alone, for a start tells the first that it meets.
    gateway::SenderPolicies none;
    none.by_default = gateway::ProofMethod::off;
    none.roots = config.gateway.senders.roots;
    none.test_hosts = config.gateway.senders.test_hosts;
    for (const auto part : {&gateway::SenderPolicies::aws, &gateway::SenderPolicies::gcp,
                            &gateway::SenderPolicies::azure, &gateway::SenderPolicies::cloudevents,
                            &gateway::SenderPolicies::direct}) {
        auto one = none;
        one.*part = config.gateway.senders.*part;
        take(opens(config, std::move(one)));
    }
    for (const auto& [name, sender] : config.gateway.senders.declared) {
        auto one = none;
        one.declared[name] = sender;
        take(opens(config, std::move(one)));
    }
    if (const auto& file = config.callers.jwt_secret_file; !file.empty()) {
        take(reads(config, {auth::SecretReference::Kind::file, file},
                   [](std::string_view secret) {
                       return auth::KeySet().add_shared_secret(std::string(secret));
                   }),
             "auth.jwt.secret_file");
    }
    for (const auto& [name, queue] : config.pull.all()) {
        const auto& text = queue->credentials;
        const auto reference = auth::parse_secret_reference(text);
        if (queue->on() && (text.starts_with("file:") || text.starts_with("env:")) && reference) {
            if (auto read = reads(config, *reference); !read) {
                read.error().what = "warning: sources." + std::string(name) +
                                    ".pull.credentials: " + read.error().what;
                warnings.push_back(std::move(read).error());
            }
        }
    }
    return out;
}

}  // namespace helios::app
