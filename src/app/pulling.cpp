#include "app/pulling.h"

#include <map>
#include <utility>

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

void count(gateway::SourceActivity& activity, const gateway::Receipt& receipt, Instant now) {
    if (receipt.kind == gateway::Receipt::Kind::items) {
        activity.last_received_at = now;
    } else if (!gateway::is_settled(receipt)) {
        ++activity.received;
        ++activity.refused;
    }
    for (const auto& item : receipt.items) {
        using gateway::ItemStatus;
        activity.received += item.status != ItemStatus::noted;
        activity.appended += item.status == ItemStatus::accepted;
        activity.duplicate += item.status == ItemStatus::duplicate;
        activity.conflict += item.status == ItemStatus::conflict;
        activity.quarantined += item.status == ItemStatus::quarantined;
        activity.refused += item.status == ItemStatus::failed;
    }
}

sources::Deliver deliver_to(gateway::Gateway& gateway, std::string_view source,
                            std::string_view name, std::shared_ptr<Pulling::Tally> tally,
                            const Clock& clock) {
    const auto door = gateway::Door(endpoint_of(source)).as_fetched();
    Caller caller = local_caller();
    caller.subject = "pull:" + std::string(name);
    return [&gateway, door, caller, tally = std::move(tally), &clock](http::Request request,
                                                                      sources::DeliveredDone done) {
        gateway.accept(
            door, std::move(request), caller,
            [done = std::move(done), tally, &clock](const gateway::Receipt& receipt) mutable {
                {
                    const MutexLock lock(tally->mutex);
                    count(tally->activity, receipt, clock.wall());
                }
                done(gateway::is_settled(receipt) ? sources::Delivered::kept
                                                  : sources::Delivered::refused);
            });
    };
}

}  // namespace

/// A source is behind as long as one of its queues is.
class Pulling::Behind {
public:
    explicit Behind(reconcile::Presence& presence) : presence_(presence) {}

    void turned(const std::string& source, bool behind) {
        const MutexLock lock(mutex_);
        auto& queues = queues_[source];
        if (behind && ++queues == 1) {
            presence_.cannot_fetch(source);
        } else if (!behind && queues > 0 && --queues == 0) {
            presence_.fetched(source);
        }
    }

private:
    reconcile::Presence& presence_;
    Mutex mutex_;
    std::map<std::string, std::size_t> queues_ HELIOS_GUARDED_BY(mutex_);
};

Pulling::Pulling(const Config& config, gateway::Gateway& gateway, reconcile::Presence& presence,
                 telemetry::Telemetry& telemetry, const Clock& clock)
    : behind_(std::make_shared<Behind>(presence)) {
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
        const std::string source(sources::source_of(name, *options));
        auto tally = std::make_shared<Tally>();
        auto puller = std::make_unique<sources::Puller>(sources::PullParts{
            .source = std::string(name),
            .receivers = options->concurrency,
            .behind_after = config.route.absence_min,
            .open = sources::queue_of(*options, https, {clock, environment}),
            .deliver = deliver_to(gateway, source, name, tally, clock),
            .may_receive = [&gateway] { return gateway.ready().has_value(); },
            .behind = [behind = behind_, source](bool on) { behind->turned(source, on); },
            .telemetry = telemetry,
            .clock = clock});
        pullers_.push_back({source, std::move(puller), std::move(tally)});
    }
}

void Pulling::start() {
    for (const auto& one : pullers_) {
        one.puller->start();
    }
}

void Pulling::stop() {
    for (const auto& one : pullers_) {
        one.puller->begin_to_stop();
    }
    for (const auto& one : pullers_) {
        one.puller->stop();
    }
}

std::vector<gateway::PullReport> Pulling::reports() const {
    std::vector<gateway::PullReport> out;
    for (const auto& one : pullers_) {
        auto state = one.puller->state();
        gateway::PullReport report;
        report.name = one.puller->source();
        report.source = one.source;
        report.lag = state.lag;
        report.oldest = state.oldest;
        report.last_error = std::move(state.last_error);
        {
            const MutexLock lock(one.tally->mutex);
            report.activity = one.tally->activity;
        }
        out.push_back(std::move(report));
    }
    return out;
}

}  // namespace helios::app
