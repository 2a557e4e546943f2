#pragma once
/// SQS, by its JSON protocol. A message's body is what EventBridge or SNS put into it.

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "sources/aws_credentials.h"
#include "sources/pull_options.h"
#include "sources/puller.h"
#include "sources/queue_clients.h"

namespace helios::sources {

class SqsQueue final : public PullQueue {
public:
    /// Of options that are valid. `credentials` are shared by all receivers; `clock` outlives it.
    SqsQueue(PullOptions options, std::shared_ptr<AwsCredentials> credentials,
             const HttpsOptions& https, const Clock& clock, const std::atomic<bool>* stop);

    Result<Received> receive() override;
    Duration renew_every() const override { return std::chrono::seconds(10); }
    Result<Settled> remove(const std::vector<std::string>& handles) override;
    Result<Settled> renew(const std::vector<std::string>& handles) override;
    Result<Settled> release(const std::vector<std::string>& handles) override;
    Result<std::optional<std::uint64_t>> backlog() override;

private:
    Result<json::Document> call(HttpsClient& client, std::string_view operation, std::string body,
                                Duration limit);
    Result<Settled> settle(std::string_view operation, const std::vector<std::string>& handles,
                           std::optional<int> visible_after);

    const PullOptions options_;
    const std::string region_;
    const std::shared_ptr<AwsCredentials> credentials_;
    const Clock& clock_;
    QueueClients clients_;
};

}  // namespace helios::sources
