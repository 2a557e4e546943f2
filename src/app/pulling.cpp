#include "app/pulling.h"

#include <algorithm>

#include "base/assert.h"
#include "sources/pull_queues.h"

namespace helios::app {
namespace {

gateway::Endpoint endpoint_of(std::string_view source) {
    if (source == "aws") {
        return gateway::Endpoint::aws_eventbridge;
    }
    if (source == "gcp") {
        return gateway::Endpoint::gcp_pubsub;
    }
    HELIOS_ASSERT(source == "azure", "a source that can be fetched");
    return gateway::Endpoint::azure_eventgrid;
}

sources::Deliver deliver_to(gateway::Gateway& gateway, std::string_view source) {
    const auto door = gateway::Door(endpoint_of(source)).as_fetched();
    Caller caller = local_caller();
    caller.subject = "pull:" + std::string(source);
    return [&gateway, door, caller](http::Request request, sources::DeliveredDone done) {
        gateway.accept(door, std::move(request), caller,
                       [done = std::move(done)](const gateway::Receipt& receipt) mutable {
                           done(gateway::is_settled(receipt) ? sources::Delivered::kept
                                                             : sources::Delivered::refused);
                       });
    };
}

}  // namespace

Pulling::Pulling(const Config& config, gateway::Gateway& gateway, reconcile::Presence& presence,
                 telemetry::Telemetry& telemetry, const Clock& clock) {
    const sources::HttpsOptions https{.ca_file = config.ca_file,
                                      .test_hosts = config.gateway.senders.test_hosts};
    const auto environment =
        [variables = config.environment](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    for (const auto& [name, options] : config.pull.all()) {
        if (!options->on()) {
            continue;
        }
        const std::string source(name);
        pullers_.push_back(std::make_unique<sources::Puller>(
            sources::PullParts{.source = source,
                               .receivers = options->concurrency,
                               .behind_after = config.route.absence_min,
                               .open = sources::queue_of(*options, https, {clock, environment}),
                               .deliver = deliver_to(gateway, source),
                               .may_receive = [&gateway] { return gateway.ready().has_value(); },
                               .behind =
                                   [&presence, source](bool behind) {
                                       if (behind) {
                                           presence.cannot_fetch(source);
                                       } else {
                                           presence.fetched(source);
                                       }
                                   },
                               .telemetry = telemetry,
                               .clock = clock}));
    }
}

void Pulling::start() {
    for (const auto& puller : pullers_) {
        puller->start();
    }
}

void Pulling::stop() {
    for (const auto& puller : pullers_) {
        puller->begin_to_stop();
    }
    for (const auto& puller : pullers_) {
        puller->stop();
    }
}

std::optional<gateway::PullReport> Pulling::report(std::string_view source) const {
    const auto of = std::ranges::find(
        pullers_, source, [](const auto& p) -> std::string_view { return p->source(); });
    if (of == pullers_.end()) {
        return std::nullopt;
    }
    auto state = (*of)->state();
    return gateway::PullReport{state.lag, state.oldest, std::move(state.last_error)};
}

}  // namespace helios::app
