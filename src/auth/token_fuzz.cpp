/// Any text as a token: nothing holds that was not signed, and nothing that is said of it quotes
/// it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/claim_policies.h"
#include "auth/encoding.h"
#include "auth/token.h"
#include "base/assert.h"
#include "base/hash.h"

namespace {

using namespace helios;
using namespace helios::auth;

const std::string secret(32, 's');

TokenRules rules() {
    TokenRules out;
    out.algorithms = {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa};
    return out;
}

/// Signs two parts of the input itself, so that what follows the signature is reached too.
void try_claims(std::string_view header, std::string_view claims) {
    const std::string text = base64url_encode(header) + "." + base64url_encode(claims);
    auto token = UnverifiedToken::parse(text + "." + base64url_encode(hmac_sha256(secret, {text})));
    if (!token) {
        HELIOS_ASSERT(token.error().kind == Proof::Kind::refused, "a refusal says why");
        return;
    }
    KeySet keys;
    HELIOS_ASSERT(keys.add_shared_secret(secret).has_value(), "long enough");
    const auto verified =
        verify_token(*std::move(token), rules(), keys, from_nanos(1'796'040'000'000'000'000));
    if (verified) {
        HELIOS_ASSERT(verified->claim("exp").is_number(), "what holds ends");
        static_cast<void>(operator_proof(*verified));
        static_cast<void>(
            google_proof(*verified, {.audiences = {}, .emails = {"a"}, .issuers = {}}));
        static_cast<void>(entra_proof(*verified, {.tenant = "t", .audiences = {}}));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto token = UnverifiedToken::parse(text)) {
        HELIOS_ASSERT(text.size() <= token_bytes_max, "a token has a bound");
        KeySet nothing;
        HELIOS_ASSERT(!verify_token(*std::move(token), rules(), nothing, Instant{}).has_value(),
                      "without a key nothing holds");
    }
    const auto line = text.find('\n');
    if (line != std::string_view::npos) {
        try_claims(text.substr(0, line), text.substr(line + 1));
    }
    if (const auto bytes = decode_base64url(text)) {
        HELIOS_ASSERT(base64url_encode(*bytes) == text, "one spelling for each value");
    }
    return 0;
}
