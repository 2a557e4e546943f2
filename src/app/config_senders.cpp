#include "app/setting.h"

namespace helios::app {

namespace {

/// How fast the senders of a source may be.
template <class Member>
void add_rates(std::vector<Setting>& rows, const std::string& source, Member policy) {
    rows.push_back(setting(
        "sources." + source + ".rate", [policy](Config& c) -> auto& { return policy(c).rate; },
        "Events a second that its senders together may send, with a burst of one second; beyond: "
        "refused, retryably, by reason `rate`. 0: no bound."));
    rows.push_back(setting(
        "sources." + source + ".credential_rate",
        [policy](Config& c) -> auto& { return policy(c).credential_rate; },
        "The same of each credential that its senders show. 0: no bound."));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> sender_settings() {
    const std::string policy = "How its senders prove who they are, any one of a list: ";
    const std::string or_not =
        "; none: nobody need, off: nobody may. Empty: none as long as only "
        "loopback addresses are listened on, else off.";
    const std::string references =
        ", by reference (file:PATH, env:NAME), any one of a list, read "
        "again within 10 s.";
    const std::string origins =
        "WebHook-Request-Origin that may be told to send (the abuse protection of CloudEvents, by "
        "OPTIONS); [] admits nobody. Where nobody has written it, anybody may as long as the "
        "policy "
        "is none, else Event Grid's own (eventgrid.azure.net) at Azure's endpoint, and nobody at "
        "others.";
    std::vector<Setting> rows{
        setting("sources.aws.policy", HELIOS_MEMBER(gateway.senders.aws.methods),
                policy + "api_key, basic, bearer, sns" + or_not),
        setting("sources.aws.header", HELIOS_MEMBER(gateway.senders.aws.header),
                "api_key: the header that the API destination's connection sends."),
        setting("sources.aws.user", HELIOS_MEMBER(gateway.senders.aws.user),
                "basic: the user's name."),
        setting("sources.aws.secret", HELIOS_MEMBER(gateway.senders.aws.secrets),
                "api_key, basic, bearer without jwks_url: the secret" + references),
        setting("sources.aws.issuer", HELIOS_MEMBER(gateway.senders.aws.issuers),
                "bearer: issuers that its tokens may name."),
        setting("sources.aws.audience", HELIOS_MEMBER(gateway.senders.aws.audiences),
                "bearer: audiences that its tokens may be for."),
        setting("sources.aws.jwks_url", HELIOS_MEMBER(gateway.senders.aws.jwks_url),
                "bearer: where its issuer publishes the keys. Empty: the bearer is the secret."),
        setting("sources.aws.topics", HELIOS_MEMBER(gateway.senders.aws.topics),
                "sns: ARNs of the topics that may come; an empty list admits nobody."),

        setting("sources.aws.chain_required", HELIOS_MEMBER(gateway.senders.aws.chain_required),
                "sns: the chain of SNS's certificate must end in a root that is known here (the "
                "machine's, http.ca_file). SNS publishes it without those between, so most "
                "machines know none, and it is the TLS connection to AWS that vouches for it."),
        setting("sources.aws.origins", HELIOS_MEMBER(gateway.senders.aws.origins), origins),
        setting("sources.aws.detail_only", HELIOS_MEMBER(gateway.aws.detail_only),
                "Type of events of which a target sends the detail alone (an input transformer); "
                "their id is their content's, so equal details are one event. Empty: such are "
                "kept in quarantine."),

        setting("sources.gcp.policy", HELIOS_MEMBER(gateway.senders.gcp.methods),
                policy + "oidc" + or_not),
        setting("sources.gcp.audience", HELIOS_MEMBER(gateway.senders.gcp.audiences),
                "oidc: the audience of the push subscription; by default that is its endpoint's "
                "URL."),
        setting("sources.gcp.emails", HELIOS_MEMBER(gateway.senders.gcp.emails),
                "oidc: the service accounts that may push; an empty list admits nobody."),
        setting("sources.gcp.issuer", HELIOS_MEMBER(gateway.senders.gcp.issuers),
                "oidc: another issuer than Google."),
        setting("sources.gcp.jwks_url", HELIOS_MEMBER(gateway.senders.gcp.jwks_url),
                "oidc: where that issuer publishes its keys. Empty: Google's."),
        setting("sources.gcp.origins", HELIOS_MEMBER(gateway.senders.gcp.origins), origins),

        setting("sources.azure.policy", HELIOS_MEMBER(gateway.senders.azure.methods),
                policy + "query, entra" + or_not),
        setting("sources.azure.parameter", HELIOS_MEMBER(gateway.senders.azure.parameter),
                "query: the parameter of the endpoint's URL that carries the secret."),
        setting("sources.azure.secret", HELIOS_MEMBER(gateway.senders.azure.secrets),
                "query: the secret" + references),
        setting("sources.azure.tenant", HELIOS_MEMBER(gateway.senders.azure.tenant),
                "entra: the tenant's GUID."),
        setting("sources.azure.audience", HELIOS_MEMBER(gateway.senders.azure.audiences),
                "entra: the application's id or its URI."),
        setting("sources.azure.jwks_url", HELIOS_MEMBER(gateway.senders.azure.jwks_url),
                "entra: another place of its keys. Empty: the tenant's."),

        setting("sources.azure.handshake", HELIOS_MEMBER(gateway.senders.azure.handshake),
                "How Event Grid's validation of a subscription is answered: auto, at once; manual, "
                "by a person (`helios source confirm`)."),
        setting(
            "sources.azure.topics", HELIOS_MEMBER(gateway.senders.azure.topics),
            "Resource ids of the topics that may come, in whatever case; of CloudEvents, their "
            "`source`. Others are refused, and their handshakes wait for a person. query and entra "
            "need it; [] admits nobody. Where the policy is none, and nobody has written it, all "
            "may."),
        setting("sources.azure.origins", HELIOS_MEMBER(gateway.senders.azure.origins), origins),
        setting("sources.azure.custom.id", HELIOS_MEMBER(gateway.azure_custom.id),
                "Custom schema: path to the id. Empty: the content is the identity."),
        setting("sources.azure.custom.type", HELIOS_MEMBER(gateway.azure_custom.type),
                "Custom schema: path to the type. Empty: there is no custom schema."),
        setting("sources.azure.custom.time", HELIOS_MEMBER(gateway.azure_custom.time),
                "Custom schema: path to the time."),
        setting("sources.azure.custom.payload", HELIOS_MEMBER(gateway.azure_custom.payload),
                "Custom schema: path to the payload. Empty: the whole event."),

        setting("sources.cloudevents.policy", HELIOS_MEMBER(gateway.senders.cloudevents.methods),
                policy + "bearer, hmac, standard_webhooks" + or_not),
        setting("sources.cloudevents.secrets", HELIOS_MEMBER(gateway.senders.cloudevents.speaking),
                "As sources.direct.secrets."),
        setting("sources.cloudevents.hmac.plain",
                HELIOS_MEMBER(gateway.senders.cloudevents.hmac_plain),
                "As sources.direct.hmac.plain."),
        setting("sources.cloudevents.origins", HELIOS_MEMBER(gateway.senders.cloudevents.origins),
                origins),
        setting("sources.cloudevents.map", HELIOS_MEMBER(gateway.cloudevents.map),
                "Which source a CloudEvent is of, by the longest prefix of its `source`: "
                "https://shop.example/=shop. Others are of the source cloudevents."),

        setting("sources.direct.policy", HELIOS_MEMBER(gateway.senders.direct.methods),
                policy +
                    "bearer (an API key of `helios key`, a token, a secret), hmac "
                    "(X-Helios-Signature), standard_webhooks" +
                    or_not),
        setting("sources.direct.secrets", HELIOS_MEMBER(gateway.senders.direct.speaking),
                "Secrets by reference, each with the sources that it may speak for: "
                "file:/run/secrets/shop=orders+stock. One that names none speaks for those whose "
                "own endpoint authenticates nobody."),
        setting("sources.direct.hmac.plain", HELIOS_MEMBER(gateway.senders.direct.hmac_plain),
                "hmac: also take the bare code of the body, which whoever has seen it can send "
                "again."),
    };
    add_rates(rows, "aws", HELIOS_MEMBER(gateway.senders.aws));
    add_rates(rows, "gcp", HELIOS_MEMBER(gateway.senders.gcp));
    add_rates(rows, "azure", HELIOS_MEMBER(gateway.senders.azure));
    add_rates(rows, "cloudevents", HELIOS_MEMBER(gateway.senders.cloudevents));
    add_rates(rows, "direct", HELIOS_MEMBER(gateway.senders.direct));
    return rows;
}

}  // namespace helios::app
