#include "app/setting.h"

namespace helios::app {

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> pull_settings() {
    const std::string closes =
        " Empty: nothing is. A source that is fetched takes what is pushed only if it has a "
        "policy.";
    const std::string receivers = "Receivers, 1 to 64: each asks, hands on and deletes in turn.";
    return {
        setting("sources.aws.pull.kind", HELIOS_MEMBER(pull.aws.kind),
                "What is fetched: sqs, a queue to which EventBridge or SNS deliver." + closes),
        setting("sources.aws.pull.queue_url", HELIOS_MEMBER(pull.aws.queue_url),
                "The queue's URL."),
        setting("sources.aws.pull.region", HELIOS_MEMBER(pull.aws.region),
                "The queue's region. Empty: the one in its URL."),
        setting("sources.aws.pull.endpoint", HELIOS_MEMBER(pull.aws.endpoint),
                "Where SQS is asked, https://HOST (a VPC endpoint). Empty: the queue URL's host."),
        setting("sources.aws.pull.credentials", HELIOS_MEMBER(pull.aws.credentials),
                "Whose keys are used: environment (AWS_ACCESS_KEY_ID …), file:PATH (a shared "
                "credentials file; AWS_PROFILE), web_identity (AWS_ROLE_ARN, "
                "AWS_WEB_IDENTITY_TOKEN_FILE), metadata (ECS, EKS, EC2). Empty: the first of "
                "environment, web_identity, ~/.aws/credentials and metadata that is set up."),
        setting("sources.aws.pull.concurrency", HELIOS_MEMBER(pull.aws.concurrency), receivers),

        setting("sources.gcp.pull.kind", HELIOS_MEMBER(pull.gcp.kind),
                "What is fetched: pubsub, a pull subscription." + closes),
        setting("sources.gcp.pull.subscription", HELIOS_MEMBER(pull.gcp.subscription),
                "projects/PROJECT/subscriptions/NAME."),
        setting("sources.gcp.pull.endpoint", HELIOS_MEMBER(pull.gcp.endpoint),
                "Where Pub/Sub is asked, https://HOST. Empty: https://pubsub.googleapis.com."),
        setting("sources.gcp.pull.credentials", HELIOS_MEMBER(pull.gcp.credentials),
                "file:PATH (a service account's JSON key), metadata (of the machine), none (an "
                "emulator). Empty: the file that GOOGLE_APPLICATION_CREDENTIALS names, else "
                "metadata."),
        setting("sources.gcp.pull.concurrency", HELIOS_MEMBER(pull.gcp.concurrency), receivers),

        setting(
            "sources.azure.pull.kind", HELIOS_MEMBER(pull.azure.kind),
            "What is fetched: eventgrid, an event subscription of a namespace's topic." + closes),
        setting("sources.azure.pull.topic", HELIOS_MEMBER(pull.azure.topic),
                "The namespace's topic."),
        setting("sources.azure.pull.subscription", HELIOS_MEMBER(pull.azure.subscription),
                "The topic's event subscription, of delivery mode queue."),
        setting("sources.azure.pull.endpoint", HELIOS_MEMBER(pull.azure.endpoint),
                "The namespace: https://NAME.REGION-1.eventgrid.azure.net."),
        setting("sources.azure.pull.credentials", HELIOS_MEMBER(pull.azure.credentials),
                "file:PATH or env:NAME (an access key), environment (AZURE_TENANT_ID, "
                "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), metadata (a managed identity). Empty: "
                "environment if AZURE_CLIENT_SECRET is set, else metadata."),
        setting("sources.azure.pull.concurrency", HELIOS_MEMBER(pull.azure.concurrency), receivers),
    };
}

}  // namespace helios::app
