#pragma once
/// Whom a verified token stands for: what Google's, Entra's and Helios' own tokens must say beyond
/// what verify_token has checked, as functions of their claims.

#include <string>
#include <vector>

#include "auth/proof.h"
#include "auth/token.h"

namespace helios::auth {

/// Pub/Sub push (OpenID Connect tokens of a service account). That Google signed a token says
/// nothing about whose project it is: the list of e-mails is the authorization.
struct GoogleRules {
    std::vector<std::string> audiences;
    std::vector<std::string> emails;  ///< empty: nobody is admitted
    /// Empty: Google's two spellings.
    std::vector<std::string> issuers;
};
TokenRules token_rules(const GoogleRules& rules);  ///< RS256 only
Proof google_proof(const VerifiedToken& token, const GoogleRules& rules);

/// Event Grid with Entra. Both versions of Entra's tokens; public cloud and US Government.
struct EntraRules {
    std::string tenant;  ///< its GUID
    std::vector<std::string> audiences;
};
TokenRules token_rules(const EntraRules& rules);  ///< RS256 only
/// Of the tenant, issued to Event Grid itself (azp, or appid in version 1), with the role of its
/// subscribers.
Proof entra_proof(const VerifiedToken& token, const EntraRules& rules);

/// Where Entra publishes the keys of a tenant.
std::string entra_jwks_url(std::string_view tenant);
/// Where Google does.
std::string_view google_jwks_url();

/// Tokens of whoever runs Helios, by a secret of theirs: HS256, `exp`, `role`: "operator" or
/// "sender", `sources`: a list of names. A token without a role is a sender's.
TokenRules operator_token_rules();
Proof operator_proof(const VerifiedToken& token);

/// Any other issuer (OAuth of an API destination): a sender, by its `sub`.
Proof sender_proof(const VerifiedToken& token);

}  // namespace helios::auth
