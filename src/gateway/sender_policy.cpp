#include "gateway/sender_policy.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "auth/vendor_url.h"
#include "http/url.h"

namespace helios::gateway {
namespace {

constexpr std::array<std::string_view, 11> method_names{
    "none", "off",   "api_key", "basic", "bearer",           "sns",
    "oidc", "query", "entra",   "hmac",  "standard_webhooks"};

constexpr std::array of_aws{ProofMethod::api_key, ProofMethod::basic, ProofMethod::bearer,
                            ProofMethod::sns};
constexpr std::array of_gcp{ProofMethod::oidc};
constexpr std::array of_azure{ProofMethod::query, ProofMethod::entra};
constexpr std::array of_direct{ProofMethod::bearer, ProofMethod::hmac,
                               ProofMethod::standard_webhooks};

Status needs(bool given, std::string_view source, std::string_view option, ProofMethod method,
             std::string_view hint) {
    if (given) {
        return {};
    }
    return fail(ErrorKind::invalid,
                fmt::format("sources.{}.{} is empty, and the policy has {}", source, option,
                            to_string(method)),
                std::string(hint));
}

Status check_url(std::string_view source, const std::string& url, const SenderPolicies& all) {
    const auto parsed = auth::VendorUrl::parse(url);
    if (!parsed) {
        return fail(ErrorKind::invalid,
                    fmt::format("sources.{}.jwks_url: {}", source, parsed.error().what),
                    "an https URL where the issuer publishes its keys");
    }
    if (!parsed->https &&
        std::ranges::find(all.test_hosts, parsed->authority()) == all.test_hosts.end()) {
        return fail(ErrorKind::invalid, fmt::format("sources.{}.jwks_url is not https", source),
                    "whoever can change what comes over http can sign tokens");
    }
    return {};
}

bool lists_any(const AllowList& list) {
    return list && !list->empty();
}

constexpr std::string_view topics_hint =
    "an empty list admits nobody: name the resource ids of the topics (of CloudEvents, their "
    "`source`)";

constexpr std::string_view secret_hint =
    "name a file (file:/run/secrets/…) or a variable (env:NAME) that holds it";

Status check_method(std::string_view source, const SenderPolicy& policy, ProofMethod method,
                    const SenderPolicies& all) {
    const auto needs_secret = [&] {
        return needs(!policy.secrets.empty(), source, "secret", method, secret_hint);
    };
    switch (method) {
        case ProofMethod::none:
        case ProofMethod::off:
            return {};
        case ProofMethod::api_key:
            HELIOS_TRY(needs(!policy.header.empty(), source, "header", method,
                             "the header that the API destination's connection sends"));
            return needs_secret();
        case ProofMethod::basic:
            HELIOS_TRY(needs(!policy.user.empty(), source, "user", method, "who signs in"));
            return needs_secret();
        case ProofMethod::bearer:
            if (source != "aws") {
                return {};
            }
            if (policy.jwks_url.empty()) {
                return needs_secret();
            }
            HELIOS_TRY(needs(!policy.issuers.empty(), source, "issuer", method,
                             "the issuer that its tokens name"));
            HELIOS_TRY(needs(!policy.audiences.empty(), source, "audience", method,
                             "an empty list admits nobody: name what its tokens are meant for"));
            return check_url(source, policy.jwks_url, all);
        case ProofMethod::sns:
            return needs(lists_any(policy.topics), source, "topics", method,
                         "an empty list admits nobody: name the topics' ARNs");
        case ProofMethod::oidc:
            HELIOS_TRY(needs(!policy.audiences.empty(), source, "audience", method,
                             "an empty list admits nobody: the audience of the push subscription, "
                             "by default its endpoint's URL"));
            HELIOS_TRY(needs(!policy.emails.empty(), source, "emails", method,
                             "an empty list admits nobody: the push's service account"));
            return policy.jwks_url.empty() ? Status() : check_url(source, policy.jwks_url, all);
        case ProofMethod::query:
            HELIOS_TRY(needs(!policy.parameter.empty(), source, "parameter", method,
                             "the name of the query parameter, such as code"));
            HELIOS_TRY(needs_secret());
            return needs(lists_any(policy.topics), source, "topics", method, topics_hint);
        case ProofMethod::entra:
            HELIOS_TRY(needs(!policy.tenant.empty(), source, "tenant", method,
                             "the GUID of the Entra tenant"));
            HELIOS_TRY(needs(!policy.audiences.empty(), source, "audience", method,
                             "an empty list admits nobody: the application's id or its URI"));
            HELIOS_TRY(needs(lists_any(policy.topics), source, "topics", method, topics_hint));
            return policy.jwks_url.empty() ? Status() : check_url(source, policy.jwks_url, all);
        case ProofMethod::hmac:
        case ProofMethod::standard_webhooks:
            return needs(!policy.speaking.empty(), source, "secrets", method, secret_hint);
    }
    return {};
}

}  // namespace

std::string_view to_string(ProofMethod method) {
    return method_names.at(static_cast<std::size_t>(method));
}

std::optional<ProofMethod> proof_method_named(std::string_view name) {
    const auto found = std::ranges::find(method_names, name);
    if (found == method_names.end()) {
        return std::nullopt;
    }
    return static_cast<ProofMethod>(found - method_names.begin());
}

std::span<const ProofMethod> methods_of(std::string_view source) {
    if (source == "aws") {
        return of_aws;
    }
    if (source == "gcp") {
        return of_gcp;
    }
    if (source == "azure") {
        return of_azure;
    }
    return source == "direct" || source == "cloudevents" ? std::span<const ProofMethod>(of_direct)
                                                         : std::span<const ProofMethod>();
}

bool SenderPolicy::has(ProofMethod method) const {
    return std::ranges::find(methods, method) != methods.end();
}

bool SenderPolicy::greets(std::string_view source, std::string_view origin,
                          bool authenticated) const {
    if (origins) {
        return std::ranges::find(*origins, origin) != origins->end();
    }
    return !authenticated || (source == "azure" && origin == "eventgrid.azure.net");
}

bool SenderPolicy::takes_topic(std::string_view topic) const {
    // Azure writes the ids of its resources in whatever case.
    return !topics || std::ranges::any_of(*topics, [&](const auto& listed) {
        return http::equal_ignoring_case(listed, topic);
    });
}

bool SenderPolicy::answers_handshake(std::string_view topic) const {
    return handshake == HandshakeMode::automatic && takes_topic(topic);
}

const SenderPolicy* SenderPolicies::find(std::string_view source) const {
    return source == "aws"           ? &aws
           : source == "gcp"         ? &gcp
           : source == "azure"       ? &azure
           : source == "direct"      ? &direct
           : source == "cloudevents" ? &cloudevents
                                     : nullptr;
}

std::vector<ProofMethod> SenderPolicies::methods(std::string_view source) const {
    const auto* policy = find(source);
    if (policy == nullptr || policy->methods.empty()) {
        return {by_default};
    }
    return policy->methods;
}

std::string SenderPolicies::described(std::string_view source) const {
    if (const auto sender = declared.find(source); sender != declared.end()) {
        return sender->second.signature ? "signature" : "none";
    }
    std::string out;
    for (const auto method : methods(source)) {
        out += (out.empty() ? "" : ", ") + std::string(to_string(method));
    }
    return out;
}

Status SenderPolicies::validate() const {
    for (const auto source : sources_with_endpoint) {
        const auto& policy = *find(source);
        const auto allowed = methods_of(source);
        for (const auto method : policy.methods) {
            const bool alone = method == ProofMethod::none || method == ProofMethod::off;
            if (alone && policy.methods.size() > 1) {
                return fail(ErrorKind::invalid,
                            fmt::format("sources.{}.policy has {} beside others", source,
                                        to_string(method)),
                            "any one of a list suffices, so it stands alone");
            }
            if (!alone && std::ranges::find(allowed, method) == allowed.end()) {
                std::vector<std::string_view> names{"none", "off"};
                for (const auto each : allowed) {
                    names.push_back(to_string(each));
                }
                return fail(ErrorKind::invalid,
                            fmt::format("sources.{}.policy: {} is not for this source", source,
                                        to_string(method)),
                            fmt::format("one or more of {}", fmt::join(names, ", ")));
            }
            HELIOS_TRY(check_method(source, policy, method, *this));
        }
    }
    for (const auto& [name, sender] : declared) {
        HELIOS_TRY(sender.validate());
    }
    return {};
}

}  // namespace helios::gateway
