/// Any body as a message of SNS: what is to be fetched or visited is at SNS.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/certificate.h"
#include "auth/sns.h"
#include "base/assert.h"

namespace {

void check_host(const helios::auth::VendorUrl& url) {
    HELIOS_ASSERT(
        url.https && url.port == 443 && url.host.starts_with("sns.") &&
            (url.host.ends_with(".amazonaws.com") || url.host.ends_with(".amazonaws.com.cn")),
        "nobody else is visited");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::auth;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(Certificate::parse(bytes));
    if (const auto url = VendorUrl::parse(bytes)) {
        const auto again = VendorUrl::parse(url->to_string());
        HELIOS_ASSERT(!again || again->to_string() == url->to_string(), "a URL reads back");
        static_cast<void>(query_pairs(url->query));
    }
    const auto message = SnsMessage::parse(bytes);
    if (!message) {
        return 0;
    }
    SnsRules rules;
    rules.topics = {message->topic_arn};
    if (const auto url = signing_certificate_url(*message, rules)) {
        check_host(*url);
        HELIOS_ASSERT(url->path.ends_with(".pem"), "a certificate is fetched");
    }
    if (const auto url = confirmation_url(*message, rules)) {
        check_host(*url);
    }
    HELIOS_ASSERT(canonical_string(*message).ends_with("\n"), "the signed text ends in a line end");
    return 0;
}
