#pragma once
/// How the senders of each source prove who they are, as the configuration says it. Values only;
/// sender_checks.h holds requests against them.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/secret.h"
#include "base/result.h"
#include "gateway/declared_sender.h"
#include "gateway/handshakes.h"

namespace helios::gateway {

enum class ProofMethod : std::uint8_t {
    none,     ///< whoever reaches the endpoint counts as authentic
    off,      ///< nobody does
    api_key,  ///< aws: a header with a secret (API destination)
    basic,    ///< aws: user and password (API destination, SNS)
    bearer,   ///< aws: a token of an OAuth server, or a secret; direct, cloudevents: an API
              ///< key, a token, or a secret
    sns,      ///< aws: the signature of an SNS message
    oidc,     ///< gcp: a token of the push's service account
    query,    ///< azure: a secret in the URL's query
    entra,    ///< azure: a token of Entra
    hmac,     ///< direct, cloudevents: X-Helios-Signature
    standard_webhooks,  ///< direct, cloudevents: webhook-signature
};

/// Those with an endpoint of their own.
inline constexpr std::array<std::string_view, 5> sources_with_endpoint{"aws", "gcp", "azure",
                                                                       "cloudevents", "direct"};

std::string_view to_string(ProofMethod method);
/// nullopt: no such method.
std::optional<ProofMethod> proof_method_named(std::string_view name);
/// Those that a source may have beside none and off; empty: it has no endpoint of its own.
std::span<const ProofMethod> methods_of(std::string_view source);

/// A secret of a direct sender, and whom it may speak for.
struct SpeakingSecret {
    auth::SecretReference reference;
    std::vector<std::string> sources;  ///< empty: it names none
};

/// Who may: absent where nobody has said; empty, nobody.
using AllowList = std::optional<std::vector<std::string>>;

struct SenderPolicy {
    std::vector<ProofMethod> methods;  ///< any one suffices; empty: the default

    std::string header = "x-api-key";            ///< api_key: where the secret is, in any case
    std::string user;                            ///< basic
    std::vector<auth::SecretReference> secrets;  ///< any one fits
    std::vector<std::string> issuers;            ///< bearer: exactly; oidc: empty is Google's
    std::vector<std::string> audiences;          ///< bearer, oidc, entra: empty admits nobody
    std::string jwks_url;         ///< bearer: its tokens' keys; oidc: empty is Google's
    AllowList topics;             ///< sns: ARNs; azure, in whatever case: resource ids
    bool chain_required = false;  ///< sns: the certificate's chain must end in a known root
    HandshakeMode handshake = HandshakeMode::automatic;  ///< azure: in Event Grid's own schema
    std::vector<std::string> emails;                     ///< oidc: empty admits nobody
    std::string parameter = "code";                      ///< query: its name
    std::string tenant;                                  ///< entra: its GUID
    std::vector<SpeakingSecret> speaking;                ///< direct, cloudevents
    /// Of WebHook-Request-Origin: who may be told that he may send (CloudEvents' abuse protection).
    AllowList origins;
    std::uint64_t rate = 0;             ///< events a second, of all its senders; 0: no bound
    std::uint64_t credential_rate = 0;  ///< of each credential; 0: no bound
    bool hmac_plain = false;  ///< hmac: also the bare code of the body, which has no window
    bool fetched = false;  ///< Helios fetches it, with credentials of its own: nobody speaks for it

    bool has(ProofMethod method) const;
    /// Whether who asks from there may send; without a list it is anybody who need prove nothing,
    /// and to Azure's endpoint Event Grid.
    bool greets(std::string_view source, std::string_view origin, bool authenticated) const;
    /// azure: whether events of that topic are taken. Where nobody has said which are, all are;
    /// that is only so without a credential (validate()).
    bool takes_topic(std::string_view topic) const;
    /// azure: whether a handshake for that topic is answered without a person.
    bool answers_handshake(std::string_view topic) const;
};

/// Events a second; 0: no bound.
struct RateBound {
    std::uint64_t rate = 0;             ///< of all that come from a source
    std::uint64_t credential_rate = 0;  ///< of each credential
};

/// Of the built-in sources.
struct SenderPolicies {
    SenderPolicy aws;
    SenderPolicy gcp;
    SenderPolicy azure;
    SenderPolicy cloudevents;
    SenderPolicy direct;
    /// Of a source whose policy is empty: none as long as nobody else reaches the server, else off.
    ProofMethod by_default = ProofMethod::none;
    /// Senders that the configuration describes, each with an endpoint of its own.
    DeclaredSenders declared;
    /// How fast other sources may be: declared ones, and those that a sender names, or a prefix of
    /// `sources.cloudevents.map`.
    std::map<std::string, RateBound, std::less<>> rates;
    /// "host:port" that stand for vendors' hosts in tests, http too.
    std::vector<std::string> test_hosts;
    /// PEM of further roots that vendors' certificates may end in; empty: the machine's alone.
    std::string roots;

    /// nullptr: it has no endpoint of its own.
    const SenderPolicy* find(std::string_view source) const;
    /// The methods of its policy, or the default.
    std::vector<ProofMethod> methods(std::string_view source) const;
    /// "api_key, sns", as people read it.
    std::string described(std::string_view source) const;

    /// invalid: a method that its source does not have, or without what it needs; the error names
    /// the option (sources.aws.secret).
    Status validate() const;
};

}  // namespace helios::gateway
