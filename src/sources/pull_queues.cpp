#include "sources/pull_queues.h"

#include "sources/aws_credentials.h"
#include "sources/bearer.h"
#include "sources/eventgrid_queue.h"
#include "sources/pubsub_queue.h"
#include "sources/sqs_queue.h"

namespace helios::sources {

OpenQueue queue_of(const PullOptions& options, const HttpsOptions& https, CredentialParts parts) {
    const Clock& clock = parts.clock;
    if (options.kind == "sqs") {
        const auto keys = std::make_shared<AwsCredentials>(
            options.credentials,
            options.region.empty() ? region_in(options.queue_url) : options.region,
            std::move(parts));
        return [options, https, keys, &clock](const std::atomic<bool>* stop) {
            return std::make_unique<SqsQueue>(options, keys, https, clock, stop);
        };
    }
    if (options.kind == "pubsub") {
        const auto bearer = google_authorization(options.credentials, std::move(parts));
        return [options, https, bearer](const std::atomic<bool>* stop) {
            return std::make_unique<PubsubQueue>(options, bearer, https, stop);
        };
    }
    const auto bearer = azure_authorization(options.credentials, std::move(parts));
    return [options, https, bearer](const std::atomic<bool>* stop) {
        return std::make_unique<EventGridQueue>(options, bearer, https, stop);
    };
}

}  // namespace helios::sources
