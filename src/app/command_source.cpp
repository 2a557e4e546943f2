#include <array>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <optional>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"
#include "app/listing.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "app/source_commands.h"
#include "base/json.h"
#include "base/shown.h"

namespace helios::app {
namespace {

struct SourceArguments {
    ServerArguments server;
    std::string kind;
    std::string url;
    std::string config_file;
    std::string format = "table";
    bool show_secret = false;
};

/// How one cloud is set up to send here, as commands of its own tools. `{url}` is the server's,
/// `{secret}` what a shell reads the source's secret from, `{header}` and `{parameter}` where it
/// stands.
struct SetUp {
    std::string_view kind;
    std::string_view text;
};

constexpr std::array set_ups{
    SetUp{"aws", R"text(# EventBridge API destination. In Helios's configuration:
#   sources: {{aws: {{policy: [api_key], secret: "file:/run/secrets/helios-aws"}}}}
aws events create-connection --name helios --authorization-type API_KEY \
  --auth-parameters "ApiKeyAuthParameters={{ApiKeyName={header},ApiKeyValue={secret}}}"
aws events create-api-destination --name helios --http-method POST \
  --connection-arn "$(aws events describe-connection --name helios --query ConnectionArn --output text)" \
  --invocation-endpoint {url}/api/v1/webhooks/aws/eventbridge
# then a rule's target, without an input transformer:
aws events put-targets --rule RULE --targets \
  "Id=helios,Arn=$(aws events describe-api-destination --name helios --query ApiDestinationArn --output text),RoleArn=ROLE_ARN"
# to see it work: helios source test aws
)text"},
    SetUp{"sns", R"text(# SNS topic. In Helios's configuration:
#   sources: {{aws: {{policy: [sns], topics: [TOPIC_ARN]}}}}
# Raw delivery stays off: a raw message carries no signature. Helios confirms the subscription.
aws sns set-topic-attributes --topic-arn TOPIC_ARN --attribute-name SignatureVersion --attribute-value 2
aws sns subscribe --topic-arn TOPIC_ARN --protocol https \
  --notification-endpoint {url}/api/v1/webhooks/aws/eventbridge
# to see it work: helios source test aws
)text"},
    SetUp{"gcp", R"text(# Pub/Sub push. In Helios's configuration:
#   sources: {{gcp: {{policy: [oidc], audience: [{url}/api/v1/webhooks/gcp/pubsub],
#                   emails: [helios-push@PROJECT.iam.gserviceaccount.com]}}}}
gcloud iam service-accounts create helios-push
gcloud pubsub subscriptions create helios --topic TOPIC --ack-deadline 10 \
  --push-endpoint {url}/api/v1/webhooks/gcp/pubsub \
  --push-auth-service-account helios-push@PROJECT.iam.gserviceaccount.com \
  --push-auth-token-audience {url}/api/v1/webhooks/gcp/pubsub
# to see it work: helios source test gcp
)text"},
    SetUp{"azure", R"text(# Event Grid. In Helios's configuration:
#   sources: {{azure: {{policy: [query], secret: "file:/run/secrets/helios-azure",
#                     topics: [TOPIC_ID]}}}}
az eventgrid event-subscription create --name helios --source-resource-id TOPIC_ID \
  --endpoint "{url}/api/v1/webhooks/azure/eventgrid?{parameter}={secret}"
# to see it work: helios source test azure
)text"},
    SetUp{
        "sqs",
        R"text(# A queue that Helios fetches itself; nothing reaches {url}. In Helios's configuration:
#   sources: {{aws: {{pull: {{kind: sqs, queue_url: "QUEUE_URL"}}}}}}
# One more beside it has a name of its own: sources: {{NAME: {{pull: …}}}}
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
curl {url}/api/v1/webhooks/cloudevents -H "Authorization: Bearer {secret}" \
  -H "Content-Type: application/cloudevents+json" \
  -d '{{"specversion":"1.0","id":"e-1","source":"https://shop.example/orders","type":"OrderPlaced","data":{{"orderId":"O-1"}}}}'
# to see it work: helios source test cloudevents
)text"},
    SetUp{"direct", R"text(# A sender of your own. In Helios's configuration:
#   sources: {{direct: {{policy: [bearer]}}}}
helios key add shop --role sender --sources shop
curl {url}/api/v1/events/ingest -H "Authorization: Bearer {secret}" \
  -H "Content-Type: application/json" \
  -d '{{"source":"shop","eventType":"OrderPlaced","id":"e-1","payload":{{"orderId":"O-1"}}}}'
# to see it work: helios source test direct
)text"},
    SetUp{"stripe", R"text(# Stripe. In Helios's configuration:
#   senders: {{stripe: {{recipe: stripe, secret: "file:/run/secrets/stripe"}}}}
stripe webhook_endpoints create --url {url}/api/v1/webhooks/stripe --enabled-events '*'
# its answer has `secret` (whsec_…): write it to /run/secrets/stripe
# to see it work: helios source test stripe
)text"},
    SetUp{"adyen", R"text(# Adyen, standard webhook. In Helios's configuration:
#   senders: {{adyen: {{recipe: adyen, secret: "file:/run/secrets/adyen"}}}}
# MERCHANT is the merchant account; ADYEN_API_KEY may manage webhooks. On live: management-live.
webhook=$(curl -fsS https://management-test.adyen.com/v3/merchants/MERCHANT/webhooks \
  -H "X-API-Key: $ADYEN_API_KEY" -H "Content-Type: application/json" \
  -d '{{"type":"standard","active":true,"communicationFormat":"json","url":"{url}/api/v1/webhooks/adyen"}}' \
  | jq -r .id)
# the HMAC key, in hex: write it to /run/secrets/adyen
curl -fsS -X POST -H "X-API-Key: $ADYEN_API_KEY" \
  "https://management-test.adyen.com/v3/merchants/MERCHANT/webhooks/$webhook/generateHmac" \
  | jq -r .hmacKey
# to see it work: helios source test adyen
)text"},
    SetUp{"shopify", R"text(# Shopify. In Helios's configuration:
#   senders: {{shopify: {{recipe: shopify, secret: "file:/run/secrets/shopify"}}}}
# The secret is the app's client secret: write it to /run/secrets/shopify.
# SHOPIFY_TOKEN is an access token of the app; one call for each topic.
curl -fsS https://SHOP.myshopify.com/admin/api/2026-01/graphql.json \
  -H "X-Shopify-Access-Token: $SHOPIFY_TOKEN" -H "Content-Type: application/json" \
  -d '{{"query":"mutation {{ webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {{callbackUrl: \"{url}/api/v1/webhooks/shopify\", format: JSON}}) {{ userErrors {{ message }} }} }}"}}'
# to see it work: helios source test shopify
)text"},
    SetUp{"github", R"text(# GitHub. In Helios's configuration:
#   senders: {{github: {{recipe: github, secret: "file:/run/secrets/github"}}}}
# A secret of your own: openssl rand -hex 32 > /run/secrets/github
gh api repos/OWNER/REPO/hooks -f name=web -F active=true -f 'events[]=*' \
  -f 'config[url]={url}/api/v1/webhooks/github' -f 'config[content_type]=json' \
  -f "config[secret]={secret}"
# to see it work: helios source test github
)text"},
    SetUp{"standard_webhooks", R"text(# Standard Webhooks. In Helios's configuration:
#   senders: {{standard_webhooks: {{recipe: standard_webhooks,
#                                 secret: "file:/run/secrets/standard_webhooks"}}}}
# Most senders show a secret (whsec_…) when an endpoint is made: write it to that file. For a sender
# of your own:
printf 'whsec_%s' "$(openssl rand -base64 32)" > /run/secrets/standard_webhooks
# The endpoint to name there: {url}/api/v1/webhooks/standard_webhooks
# to see it work: helios source test standard_webhooks
)text"},
    SetUp{"svix", R"text(# Svix, or who sends by it. In Helios's configuration:
#   senders: {{svix: {{recipe: svix, secret: "file:/run/secrets/svix"}}}}
svix endpoint create APP_ID '{{"url":"{url}/api/v1/webhooks/svix"}}'
# the secret (whsec_…): write it to /run/secrets/svix
svix endpoint get-secret APP_ID ENDPOINT_ID
# to see it work: helios source test svix
)text"},
};

std::vector<std::string> kinds() {
    std::vector<std::string> names;
    for (const auto& each : set_ups) {
        names.emplace_back(each.kind);
    }
    return names;
}

/// Within double quotes of a shell.
std::string in_double_quotes(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == '$' || c == '`') {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    return out;
}

/// What a shell reads it from, within double quotes.
std::string read_by_shell(const auth::SecretReference& reference) {
    if (reference.kind == auth::SecretReference::Kind::env) {
        return "$" + reference.name;
    }
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    std::string quoted;
    for (const char c : reference.name) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return reference.name.find_first_not_of(plain) == std::string::npos
               ? fmt::format("$(cat {})", reference.name)
               : fmt::format("$(cat '{}')", quoted);
}

/// The secret that goes into the commands of a kind; absent: none of ours does.
struct KindSecret {
    std::optional<auth::SecretReference> configured;
    std::string otherwise;  ///< what stands there if none is configured
};

std::optional<KindSecret> secret_of(std::string_view kind, const gateway::SenderPolicies& senders) {
    const auto first = [](const auto& references) {
        return references.empty() ? std::nullopt : std::optional(references.front());
    };
    if (kind == "aws") {
        return KindSecret{first(senders.aws.secrets), "$(cat /run/secrets/helios-aws)"};
    }
    if (kind == "azure") {
        return KindSecret{first(senders.azure.secrets), "$(cat /run/secrets/helios-azure)"};
    }
    if (kind == "github") {
        const auto sender = senders.declared.find(kind);
        return KindSecret{
            sender == senders.declared.end() ? std::nullopt : first(sender->second.secrets),
            "$(cat /run/secrets/github)"};
    }
    if (kind == "direct" || kind == "cloudevents") {
        const auto& policy = *senders.find(kind);
        return KindSecret{policy.has(gateway::ProofMethod::bearer) && !policy.speaking.empty()
                              ? std::optional(policy.speaking.front().reference)
                              : std::nullopt,
                          "$HELIOS_TOKEN"};
    }
    return std::nullopt;
}

/// As it stands within the double quotes of the commands.
Result<std::string> shown_secret(const SourceArguments& a, const gateway::SenderPolicies& senders,
                                 const Environment& environment) {
    const auto secret = secret_of(a.kind, senders);
    if (!a.show_secret) {
        return !secret              ? std::string()
               : secret->configured ? read_by_shell(*secret->configured)
                                    : secret->otherwise;
    }
    if (!secret) {
        return fail(
            ErrorKind::invalid,
            fmt::format("--show-secret: the set-up of {} has no secret of Helios's", a.kind),
            "leave it out");
    }
    if (!secret->configured) {
        return fail(ErrorKind::invalid,
                    fmt::format("--show-secret: no secret of {} is configured", a.kind),
                    "--config names the server's configuration");
    }
    HELIOS_TRY_ASSIGN(const auto value, read_secret(*secret->configured, environment));
    return in_double_quotes(a.kind == "azure" ? http::percent_encode(value) : value);
}

Result<int> add(const SourceArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(const auto config, sender_config(a.config_file, environment));
    auto url = !a.url.empty()               ? a.url
               : !config.public_url.empty() ? config.public_url
                                            : std::string("https://HELIOS");
    while (url.ends_with('/')) {
        url.pop_back();
    }
    const auto& senders = config.gateway.senders;
    HELIOS_TRY_ASSIGN(const auto secret, shown_secret(a, senders, environment));
    for (const auto& each : set_ups) {
        if (each.kind == a.kind) {
            fmt::print("{}", fmt::format(fmt::runtime(each.text), fmt::arg("url", url),
                                         fmt::arg("secret", secret),
                                         fmt::arg("header", senders.aws.header),
                                         fmt::arg("parameter", senders.azure.parameter)));
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
        "Nothing is changed: the commands are for you to run. A secret is read by them from where "
        "the configuration says that\n"
        "it is, and is itself printed only with --show-secret. docs/senders has each step, and "
        "what is checked.\n"
        "Exit 0: printed. Exit 2: usage, or a secret that can't be read.";
    add_command.examples = {"helios source add aws --url https://helios.example",
                            "helios source add azure --config /etc/helios.yaml --show-secret | sh"};
    add_command.options = {
        {"KIND", "", "what sends", &a.kind, true, kinds()},
        {"--url",
         "URL",
         "where this server is reached from there; default http.public_url",
         &a.url,
         false,
         {}},
        config_file_option(a.config_file),
        {"--show-secret", "", "print the secret itself", &a.show_secret, false, {}}};
    add_command.run = [arguments, environment] {
        return exit_code_of(add(*arguments, environment));
    };

    Command command;
    command.name = "source";
    command.summary = "Sources: what comes from each, how to set one up and try it";
    command.subcommands = {ls_command, add_command, source_test_command(environment),
                           source_confirm_command(environment)};
    return command;
}

}  // namespace helios::app
