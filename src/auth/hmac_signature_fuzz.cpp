/// Any headers and body under every published form: nothing holds that was not signed.
///
/// The first three lines of the input are headers, the rest is the body.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/hmac_signature.h"
#include "auth/standard_webhooks.h"
#include "auth/static_credential.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios;
    using namespace helios::auth;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::array<std::string_view, 3> lines;
    for (auto& line : lines) {
        const auto end = rest.find('\n');
        line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    const Instant now = from_nanos(1'796'040'000'000'000'000);
    const SignedRequest request{[&](std::string_view name) -> std::optional<std::string_view> {
                                    return name == "webhook-id"          ? lines[1]
                                           : name == "webhook-timestamp" ? lines[2]
                                                                         : lines[0];
                                },
                                rest};
    // Half of Ed25519's keys, and secrets that nobody signs with here.
    const std::vector<std::string> secrets{
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "00112233445566778899aabbccddeeff"};
    for (const char* name :
         {"helios", "stripe", "shopify", "github", "adyen", "standard_webhooks", "svix"}) {
        const Proof proof = check_signature(*published_form(name), request, secrets, now, "x");
        HELIOS_ASSERT(!proof.is_held() && proof.kind != Proof::Kind::forged,
                      "nobody signed that, and no key is named");
    }
    HELIOS_ASSERT(!check_helios_signature(lines[0], rest, true, secrets, now, "x").is_held(),
                  "nobody signed that");
    static_cast<void>(check_basic(lines[0], lines[1], secrets, "x"));
    static_cast<void>(check_webhook_secret(lines[0]));
    const std::string good = helios_signature(secrets[0], rest, now);
    HELIOS_ASSERT(check_helios_signature(good, rest, false, secrets, now, "x").is_held(),
                  "what is signed holds");
    return 0;
}
