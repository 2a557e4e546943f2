#pragma once
/// Signatures over a request's body: Helios' own, and those that other senders publish.
///
/// All are over the bytes as they were transferred, before any decoding. A signature of this kind
/// names no key, so one that does not fit may be of a secret that we don't have yet, or no longer:
/// it is refused, never called forged.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/proof.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::auth {

/// How a sender signs, as its declaration says it.
struct SignatureForm {
    enum class Kind : std::uint8_t {
        hmac,               ///< header: prefix + code of the body
        hmac_timestamp,     ///< header: t=<unix>,v1=<code>[,v1=…] of t + "." + body
        standard_webhooks,  ///< standard_webhooks.h
        adyen,              ///< adyen.h: inside the body
    };
    enum class Encoding : std::uint8_t { hex, base64 };

    Kind kind = Kind::hmac;
    std::string header;  ///< in lower case; hmac and hmac_timestamp
    /// hmac: what stands before the code; hmac_timestamp: the name of the codes, "v1".
    std::string prefix;
    Encoding encoding = Encoding::hex;
    /// How far a time may be from ours, either way; hmac and adyen have none.
    Duration window = std::chrono::seconds(300);
};

/// invalid: a kind without what it needs.
Status validate(const SignatureForm& form);

/// Whether a text can be this form's secret; its error never holds the text.
Status check_secret(const SignatureForm& form, std::string_view secret);

/// "helios", "stripe", "shopify", "github", "adyen", "standard_webhooks", "svix". nullopt: no such
/// name.
std::optional<SignatureForm> published_form(std::string_view name);

/// What is signed of a request. `header`: by its name in lower case; nullopt if it is not there or
/// not there once.
struct SignedRequest {
    std::function<std::optional<std::string_view>(std::string_view name)> header;
    std::string_view body;
};

/// absent: the headers of this form are not there. refused: malformed, outside_window,
/// wrong_signature. `secrets`: any of them may have signed.
Proof check_signature(const SignatureForm& form, const SignedRequest& request,
                      std::span<const std::string> secrets, Instant now, std::string subject);

/// The headers of this form over a body, for whoever sends it; `id`: of standard_webhooks. Of adyen
/// none: its codes are in the items (adyen_code). invalid: no secret of this form.
Result<std::vector<std::pair<std::string, std::string>>> signature_headers(
    const SignatureForm& form, std::string_view secret, std::string_view id, std::string_view body,
    Instant now);

/// X-Helios-Signature as `t=<unix>,v1=<hex>[,v1=<hex>]`; with `plain` also as the bare hex of the
/// code of the body, which has no window: whoever has seen such a request can send it again.
Proof check_helios_signature(std::optional<std::string_view> header, std::string_view body,
                             bool plain, std::span<const std::string> secrets, Instant now,
                             std::string subject);

/// That header, for whoever sends to Helios.
std::string helios_signature(std::string_view secret, std::string_view body, Instant now);

}  // namespace helios::auth
