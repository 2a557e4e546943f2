#pragma once
/// A Pub/Sub subscription, by REST pull. A message becomes the body of a wrapped push.

#include <atomic>
#include <memory>

#include "base/json.h"
#include "sources/bearer.h"
#include "sources/pull_options.h"
#include "sources/puller.h"
#include "sources/queue_clients.h"

namespace helios::sources {

class PubsubQueue final : public PullQueue {
public:
    /// Of options that are valid. `authorization` is shared by all receivers.
    PubsubQueue(PullOptions options, std::shared_ptr<Authorization> authorization,
                const HttpsOptions& https, const std::atomic<bool>* stop);

    Result<Received> receive() override;
    /// A subscription's deadline is 10 s at least.
    Duration renew_every() const override { return std::chrono::seconds(4); }
    Result<Settled> remove(const std::vector<std::string>& handles) override;
    Result<Settled> renew(const std::vector<std::string>& handles) override;
    Result<Settled> release(const std::vector<std::string>& handles) override;
    /// Only Cloud Monitoring knows.
    Result<std::optional<std::uint64_t>> backlog() override { return std::nullopt; }

private:
    Result<json::Document> call(HttpsClient& client, std::string_view verb, std::string body,
                                Duration limit);
    Result<Settled> settle(std::string_view verb, const std::vector<std::string>& handles,
                           std::optional<int> deadline_seconds);

    const PullOptions options_;
    const std::shared_ptr<Authorization> authorization_;
    QueueClients clients_;
};

}  // namespace helios::sources
