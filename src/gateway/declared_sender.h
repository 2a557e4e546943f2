#pragma once
/// Senders that the configuration describes, as Helios knows them by a recipe or is told: what they
/// post, how they sign, and what they want to hear.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/declared.h"
#include "auth/hmac_signature.h"
#include "auth/secret.h"
#include "base/result.h"

namespace helios::gateway {

struct DeclaredSender {
    adapters::DeclaredRules rules;                 ///< its source is the sender's name
    std::optional<auth::SignatureForm> signature;  ///< absent: nobody need prove anything
    std::vector<auth::SecretReference> secrets;    ///< any one fits
    int status = 200;                              ///< what it takes for "I have it"
    std::string body;                              ///< likewise; text, or JSON

    const std::string& name() const { return rules.source; }
    std::string path() const { return "/api/v1/webhooks/" + name(); }
    /// invalid: a name that is taken or none, rules, a signature without a secret; the error names
    /// the option (senders.NAME.type).
    Status validate() const;
};

/// By name.
using DeclaredSenders = std::map<std::string, DeclaredSender, std::less<>>;

/// Names that are no sender's: endpoints of ours are there.
bool is_reserved_sender(std::string_view name);

/// "stripe", "adyen", "shopify", "github", "standard_webhooks", "svix": what these post and sign,
/// as they have published it. nullopt: no such name.
std::optional<DeclaredSender> recipe(std::string_view name);
std::vector<std::string_view> recipe_names();

}  // namespace helios::gateway
