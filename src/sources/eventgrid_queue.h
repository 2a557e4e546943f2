#pragma once
/// An event subscription of an Event Grid namespace's topic, by pull. A message is a CloudEvent.

#include <atomic>
#include <memory>

#include "base/json.h"
#include "sources/bearer.h"
#include "sources/pull_options.h"
#include "sources/puller.h"
#include "sources/queue_clients.h"

namespace helios::sources {

class EventGridQueue final : public PullQueue {
public:
    /// Of options that are valid. `authorization` is shared by all receivers.
    EventGridQueue(PullOptions options, std::shared_ptr<Authorization> authorization,
                   const HttpsOptions& https, const std::atomic<bool>* stop);

    Result<Received> receive() override;
    /// A subscription's lock is for 60 s at least.
    Duration renew_every() const override { return std::chrono::seconds(20); }
    Result<Settled> remove(const std::vector<std::string>& handles) override;
    Result<Settled> renew(const std::vector<std::string>& handles) override;
    Result<Settled> release(const std::vector<std::string>& handles) override;
    /// Only Azure Monitor knows.
    Result<std::optional<std::uint64_t>> backlog() override { return std::nullopt; }

private:
    Result<json::Document> call(HttpsClient& client, std::string_view operation,
                                std::string_view query, std::string body, Duration limit);
    Result<Settled> settle(std::string_view operation, const std::vector<std::string>& handles);

    const PullOptions options_;
    const std::shared_ptr<Authorization> authorization_;
    QueueClients clients_;
};

}  // namespace helios::sources
