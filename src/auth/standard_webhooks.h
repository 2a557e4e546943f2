#pragma once
/// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`, over
/// id + "." + timestamp + "." + body. The same headers of Svix begin with `svix-`.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/proof.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::auth {

/// Values as sent; nullopt: not there.
struct WebhookHeaders {
    std::optional<std::string_view> id;
    std::optional<std::string_view> timestamp;
    std::optional<std::string_view> signature;
};

/// A secret of 24 to 64 bytes in base64, with or without "whsec_", or a public key of Ed25519 with
/// "whpk_". invalid: anything else; the text is in no message.
Status check_webhook_secret(std::string_view secret);

/// Any of the listed signatures may be of any secret: `v1` of a shared one, `v1a` of a public key.
/// Other versions are passed over. absent: none of the three headers is there.
Proof check_standard_webhook(const WebhookHeaders& headers, std::string_view body, Duration window,
                             std::span<const std::string> secrets, Instant now,
                             std::string subject);

/// `webhook-signature` by a shared secret, for whoever sends. invalid: the secret is none.
Result<std::string> standard_webhook_signature(std::string_view secret, std::string_view id,
                                               std::string_view timestamp, std::string_view body);

}  // namespace helios::auth
