#include <array>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"
#include "app/listing.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "base/json.h"
#include "base/shown.h"

namespace helios::app {
namespace {

struct SourceArguments {
    ServerArguments server;
    std::string kind;
    std::string url = "https://HELIOS";
    std::string format = "table";
};

/// How one cloud is set up to send here, as commands of its own tools. `{url}` is the server's.
struct SetUp {
    std::string_view kind;
    std::string_view text;
};

constexpr std::array set_ups{
    SetUp{"aws", R"text(# EventBridge API destination. In Helios's configuration:
#   sources: {{aws: {{policy: [api_key], secret: "file:/run/secrets/helios-aws"}}}}
aws events create-connection --name helios --authorization-type API_KEY \
  --auth-parameters "ApiKeyAuthParameters={{ApiKeyName=x-api-key,ApiKeyValue=$(cat /run/secrets/helios-aws)}}"
aws events create-api-destination --name helios --http-method POST \
  --connection-arn "$(aws events describe-connection --name helios --query ConnectionArn --output text)" \
  --invocation-endpoint {url}/api/v1/webhooks/aws/eventbridge
#then a rule's target, without an input transformer:
aws events put-targets --rule RULE --targets \
  "Id=helios,Arn=$(aws events describe-api-destination --name helios --query ApiDestinationArn --output text),RoleArn=ROLE_ARN"
)text"},
    SetUp{"sns", R"text(# SNS topic. In Helios's configuration:
#   sources: {{aws: {{policy: [sns], topics: [TOPIC_ARN]}}}}
# Raw delivery stays off: a raw message carries no signature. Helios confirms the subscription.
aws sns set-topic-attributes --topic-arn TOPIC_ARN --attribute-name SignatureVersion --attribute-value 2
aws sns subscribe --topic-arn TOPIC_ARN --protocol https \
  --notification-endpoint {url}/api/v1/webhooks/aws/eventbridge
)text"},
    SetUp{"gcp", R"text(# Pub/Sub push. In Helios's configuration:
#   sources: {{gcp: {{policy: [oidc], audience: [{url}/api/v1/webhooks/gcp/pubsub],
#                   emails: [helios-push@PROJECT.iam.gserviceaccount.com]}}}}
gcloud iam service-accounts create helios-push
gcloud pubsub subscriptions create helios --topic TOPIC --ack-deadline 10 \
  --push-endpoint {url}/api/v1/webhooks/gcp/pubsub \
  --push-auth-service-account helios-push@PROJECT.iam.gserviceaccount.com \
  --push-auth-token-audience {url}/api/v1/webhooks/gcp/pubsub
)text"},
    SetUp{"azure", R"text(# Event Grid. In Helios's configuration:
#   sources: {{azure: {{policy: [query], secret: "file:/run/secrets/helios-azure"}}}}
az eventgrid event-subscription create --name helios --source-resource-id TOPIC_ID \
  --endpoint "{url}/api/v1/webhooks/azure/eventgrid?code=$(cat /run/secrets/helios-azure)"
)text"},
    SetUp{
        "sqs",
        R"text(# A queue that Helios fetches itself; nothing reaches {url}. In Helios's configuration:
#   sources: {{aws: {{pull: {{kind: sqs, queue_url: "QUEUE_URL"}}}}}}
# Keys come from the environment, a web identity, ~/.aws/credentials or the machine's role.
aws sqs create-queue --queue-name helios
aws events put-targets --rule RULE --targets "Id=helios,Arn=QUEUE_ARN"
aws sqs set-queue-attributes --queue-url QUEUE_URL --attributes '{{"Policy":
  "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"events.amazonaws.com\"}},\"Action\":\"sqs:SendMessage\",\"Resource\":\"QUEUE_ARN\",\"Condition\":{{\"ArnEquals\":{{\"aws:SourceArn\":\"RULE_ARN\"}}}}}}]}}"}}'
# Helios's role needs these actions on QUEUE_ARN:
#   sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility, sqs:GetQueueAttributes
)text"},
    SetUp{
        "pubsub",
        R"text(# A pull subscription that Helios fetches itself; nothing reaches {url}. In Helios's configuration:
#   sources: {{gcp: {{pull: {{kind: pubsub, subscription: projects/PROJECT/subscriptions/helios}}}}}}
# The service account is the machine's, or in a file: credentials: "file:/run/secrets/gcp.json"
gcloud pubsub subscriptions create helios --topic TOPIC --ack-deadline 60
gcloud pubsub subscriptions add-iam-policy-binding helios \
  --member serviceAccount:HELIOS@PROJECT.iam.gserviceaccount.com --role roles/pubsub.subscriber
)text"},
    SetUp{
        "eventgrid",
        R"text(# A namespace that Helios fetches itself; nothing reaches {url}. In Helios's configuration:
#   sources: {{azure: {{pull: {{kind: eventgrid, topic: TOPIC, subscription: helios,
#     endpoint: "https://NAMESPACE.REGION-1.eventgrid.azure.net",
#     credentials: "file:/run/secrets/eventgrid-key"}}}}}}
az eventgrid namespace topic event-subscription create --resource-group GROUP \
  --namespace-name NAMESPACE --topic-name TOPIC --name helios --event-delivery-schema CloudEventSchemaV1_0 \
  --delivery-configuration "{{deliveryMode:Queue,queue:{{receiveLockDurationInSeconds:60,maxDeliveryCount:10,eventTimeToLive:P7D}}}}"
az eventgrid namespace list-key --resource-group GROUP --name NAMESPACE --query key1 --output tsv
)text"},
    SetUp{"cloudevents", R"text(# CloudEvents from anybody. In Helios's configuration:
#   sources: {{cloudevents: {{policy: [bearer], map: {{"https://shop.example/": shop}}}}}}
helios key add shop --role sender --sources shop
curl {url}/api/v1/webhooks/cloudevents -H "Authorization: Bearer $HELIOS_TOKEN" \
  -H "Content-Type: application/cloudevents+json" \
  -d '{{"specversion":"1.0","id":"e-1","source":"https://shop.example/orders","type":"OrderPlaced","data":{{"orderId":"O-1"}}}}'
)text"},
    SetUp{"direct", R"text(# A sender of your own. In Helios's configuration:
#   sources: {{direct: {{policy: [bearer]}}}}
helios key add shop --role sender --sources shop
curl {url}/api/v1/events/ingest -H "Authorization: Bearer $HELIOS_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{{"source":"shop","eventType":"OrderPlaced","id":"e-1","payload":{{"orderId":"O-1"}}}}'
)text"},
    SetUp{"stripe", R"text(# Stripe. In Helios's configuration:
#   senders: {{stripe: {{recipe: stripe, secret: "file:/run/secrets/stripe"}}}}
stripe webhook_endpoints create --url {url}/api/v1/webhooks/stripe --enabled-events '*'
# its answer has `secret` (whsec_…): write it to /run/secrets/stripe
)text"},
};

std::vector<std::string> kinds() {
    std::vector<std::string> names;
    for (const auto& each : set_ups) {
        names.emplace_back(each.kind);
    }
    return names;
}

int add(const SourceArguments& arguments) {
    auto url = arguments.url;
    while (url.ends_with('/')) {
        url.pop_back();
    }
    for (const auto& each : set_ups) {
        if (each.kind == arguments.kind) {
            fmt::print("{}", fmt::format(fmt::runtime(each.text), fmt::arg("url", url)));
        }
    }
    return 0;
}

Result<int> ls(const SourceArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    HELIOS_TRY_ASSIGN(const auto document, server.get_json("/api/v1/sources"));
    if (a.format == "json") {
        fmt::print("{}\n", document.root().raw());
        return 0;
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    Listing table(terminal,
                  {{"source"},
                   {"policy"},
                   {"last event"},
                   {"per minute", true},
                   {"accepted", true},
                   {"duplicates", true},
                   {"conflicts", true},
                   {"quarantined", true},
                   {"refused", true},
                   {"waiting", true},
                   {"why"}},
                  true);
    const auto items = document.root().find("items");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto item = items.at(i);
        std::string why;
        const auto refusals = item.find("refusals");
        for (std::size_t r = 0; r < refusals.size(); ++r) {
            why += fmt::format("{}{} {}", why.empty() ? "" : ", ",
                               refusals.at(r).find("reason").text(),
                               refusals.at(r).find("count").text());
        }
        const auto pull = item.find("pull");
        const auto lag = pull.find("lag");
        const std::string waiting(lag.is_number() ? lag.text() : "");
        if (const auto error = pull.find("lastError"); error.is_string()) {
            why += (why.empty() ? "" : ", ") + printable(error.text());
        }
        const auto cell = [&](std::string_view name) {
            const auto value = item.find(name);
            return value.is_null() ? std::string() : std::string(value.text());
        };
        table.row({{cell("source")},
                   {cell("policy")},
                   {cell("lastEventAt")},
                   {cell("eventsPerMinute")},
                   {cell("accepted")},
                   {cell("duplicates")},
                   {cell("conflicts")},
                   {cell("quarantined")},
                   {cell("refused")},
                   {waiting},
                   {why}});
    }
    table.end();
    return 0;
}

}  // namespace

Command source_command(const Environment& environment) {
    auto arguments = std::make_shared<SourceArguments>();
    auto& a = *arguments;
    Command ls_command;
    ls_command.name = "ls";
    ls_command.summary =
        "What comes from each source, why senders were refused, what can't be fetched";
    ls_command.description =
        "Since the server began. `waiting`: messages in the queue of a source that Helios fetches, "
        "where its cloud says how many. Exit 0: printed. Exit 2: usage, or the server can't be "
        "reached.";
    ls_command.examples = {"helios source ls", "helios source ls --format json"};
    ls_command.options = {
        {"--format", "FORMAT", "table (default) or json", &a.format, false, {"table", "json"}}};
    add_server_options(ls_command.options, a.server);
    ls_command.run = [arguments, environment] { return exit_code_of(ls(*arguments, environment)); };

    Command add_command;
    add_command.name = "add";
    add_command.summary = "Print how a cloud is set up to send here: its own commands";
    add_command.description =
        "Nothing is changed: the commands are for you to run, with their secrets where you "
        "keep "
        "them. docs/senders has each step, and what is checked.";
    add_command.examples = {"helios source add aws --url https://helios.example",
                            "helios source add gcp --url https://helios.example | less"};
    add_command.options = {
        {"KIND", "", "what sends", &a.kind, true, kinds()},
        {"--url", "URL", "where this server is reached from there", &a.url, false, {}}};
    add_command.run = [arguments] { return add(*arguments); };

    Command command;
    command.name = "source";
    command.summary = "Sources: what comes from each, how to set one up";
    command.subcommands = {ls_command, add_command};
    return command;
}

}  // namespace helios::app
