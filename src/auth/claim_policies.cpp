#include "auth/claim_policies.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/shown.h"

namespace helios::auth {

namespace {

/// Microsoft.EventGrid as a client: in the public cloud, and for US Government.
constexpr std::array<std::string_view, 2> event_grid_ids{"4962773b-9cdb-44cf-a8bf-237846a00ab7",
                                                         "54316b56-3481-47f9-8f30-0300f5542a7b"};
constexpr std::string_view event_grid_role = "AzureEventGridSecureWebhookSubscriber";

constexpr std::string_view entra_hosts[] = {"login.microsoftonline.com",
                                            "login.microsoftonline.us"};

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

bool lists(json::Value value, std::string_view wanted) {
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
        if (value.at(i).is_string() && value.at(i).text() == wanted) {
            return true;
        }
    }
    return false;
}

/// Version 1 tokens come from another issuer, and name their client otherwise.
std::string version1_issuer(std::string_view tenant) {
    return fmt::format("https://sts.windows.net/{}/", tenant);
}

/// `sources` of a token; nullopt in it: it has none. Not a list of names: refused.
std::expected<std::optional<std::vector<std::string>>, Proof> sources_of(
    const VerifiedToken& token) {
    const json::Value value = token.claim("sources");
    if (!value.present()) {
        return std::nullopt;
    }
    std::vector<std::string> sources;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value.is_array() || !value.at(i).is_string() || value.at(i).text().empty()) {
            break;
        }
        sources.emplace_back(value.at(i).text());
    }
    if (!value.is_array() || sources.size() != value.size()) {
        return std::unexpected(
            Proof::refused(Refusal::claim, "a token whose sources are no list of names"));
    }
    return sources;
}

}  // namespace

TokenRules token_rules(const GoogleRules& rules) {
    TokenRules out;
    out.algorithms = {Algorithm::rs256};
    out.issuers = rules.issuers.empty() ? std::vector<std::string>{"https://accounts.google.com",
                                                                   "accounts.google.com"}
                                        : rules.issuers;
    out.audiences = rules.audiences;
    return out;
}

Proof google_proof(const VerifiedToken& token, const GoogleRules& rules) {
    const auto email = token.text("email");
    if (email.empty()) {
        return Proof::refused(Refusal::claim,
                              "a token without an e-mail: it is not of a service account");
    }
    const json::Value verified = token.claim("email_verified");
    if (!verified.is(json::Kind::boolean) || !verified.boolean()) {
        return Proof::refused(Refusal::claim, "a token whose e-mail is not verified");
    }
    if (!contains(rules.emails, email)) {
        return Proof::refused(Refusal::not_listed,
                              fmt::format("a token of \"{}\", who is not listed", shown(email)));
    }
    return Proof::held(std::string(email));
}

TokenRules token_rules(const EntraRules& rules) {
    const std::string tenant = ascii::lower(rules.tenant);
    TokenRules out;
    out.algorithms = {Algorithm::rs256};
    out.issuers.emplace();
    if (!tenant.empty()) {
        out.issuers->push_back(version1_issuer(tenant));
        for (const auto host : entra_hosts) {
            out.issuers->push_back(fmt::format("https://{}/{}/v2.0", host, tenant));
        }
    }
    out.audiences = rules.audiences;
    return out;
}

Proof entra_proof(const VerifiedToken& token, const EntraRules& rules) {
    const std::string tenant = ascii::lower(rules.tenant);
    if (tenant.empty() || ascii::lower(token.text("tid")) != tenant) {
        return Proof::refused(Refusal::not_listed,
                              fmt::format("a token of the tenant \"{}\", which is not listed",
                                          shown(token.text("tid"))));
    }
    const bool version1 = token.text("iss") == version1_issuer(tenant);
    const auto client = token.text(version1 ? "appid" : "azp");
    if (std::ranges::find(event_grid_ids, client) == event_grid_ids.end()) {
        return Proof::refused(
            Refusal::not_listed,
            fmt::format("a token that was issued to \"{}\", not to Event Grid", shown(client)));
    }
    if (!lists(token.claim("roles"), event_grid_role)) {
        return Proof::refused(Refusal::claim,
                              fmt::format("a token without the role {}", event_grid_role));
    }
    return Proof::held(fmt::format("eventgrid@{}", tenant));
}

std::string entra_jwks_url(std::string_view tenant) {
    return fmt::format("https://{}/{}/discovery/v2.0/keys", entra_hosts[0], ascii::lower(tenant));
}

std::string_view google_jwks_url() {
    return "https://www.googleapis.com/oauth2/v3/certs";
}

TokenRules operator_token_rules() {
    TokenRules rules;
    rules.algorithms = {Algorithm::hs256};
    return rules;
}

Proof operator_proof(const VerifiedToken& token) {
    Proof proof = sender_proof(token);
    const json::Value role = token.claim("role");
    if (!proof.is_held() || !role.present()) {
        return proof;
    }
    const auto name = token.text("role");
    if (name != "operator" && name != "sender") {
        return Proof::refused(Refusal::claim,
                              fmt::format("a token of the role \"{}\"; there are operator and "
                                          "sender",
                                          shown(name)));
    }
    proof.roles = {name == "operator" ? Role::operator_ : Role::sender};
    return proof;
}

Proof sender_proof(const VerifiedToken& token) {
    auto sources = sources_of(token);
    if (!sources) {
        return std::move(sources).error();
    }
    const auto subject = token.text("sub");
    Proof proof = Proof::held(subject.empty() ? "token" : std::string(subject));
    proof.sources = *std::move(sources);
    return proof;
}

}  // namespace helios::auth
