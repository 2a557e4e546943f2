#include "gateway/redact.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/ascii.h"
#include "base/hash.h"
#include "base/json.h"

namespace helios::gateway {

namespace {

/// Sorted. Neither chosen by a sender nor fit to carry a secret.
constexpr std::array<std::string_view, 34> harmless{"accept",
                                                    "accept-encoding",
                                                    "accept-language",
                                                    "aeg-data-version",
                                                    "aeg-delivery-count",
                                                    "aeg-event-type",
                                                    "aeg-metadata-version",
                                                    "aeg-output-event-id",
                                                    "aeg-subscription-name",
                                                    "cache-control",
                                                    "connection",
                                                    "content-encoding",
                                                    "content-length",
                                                    "content-type",
                                                    "date",
                                                    "expect",
                                                    "host",
                                                    "range",
                                                    "traceparent",
                                                    "transfer-encoding",
                                                    "user-agent",
                                                    "via",
                                                    "x-amz-sns-message-id",
                                                    "x-amz-sns-message-type",
                                                    "x-amz-sns-rawdelivery",
                                                    "x-amz-sns-subscription-arn",
                                                    "x-amz-sns-topic-arn",
                                                    "x-amzn-trace-id",
                                                    "x-cloud-trace-context",
                                                    "x-forwarded-for",
                                                    "x-forwarded-host",
                                                    "x-forwarded-proto",
                                                    "x-goog-pubsub-message-id",
                                                    "x-request-id"};
static_assert(std::is_sorted(harmless.begin(), harmless.end()));

constexpr std::array<std::string_view, 6> schemes{
    "basic", "bearer", "digest", "negotiate", "sharedaccesskey", "sharedaccesssignature"};

/// "https://user:pass@host/" → "https://[sha256:…]@host/".
std::string without_url_credentials(std::string_view text) {
    std::string out;
    while (true) {
        const auto scheme = text.find("://");
        if (scheme == std::string_view::npos) {
            return out.append(text);
        }
        out.append(text.substr(0, scheme + 3));
        text.remove_prefix(scheme + 3);
        const auto authority = text.substr(0, text.find_first_of("/?# \t,"));
        if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
            out.append(fingerprint(authority.substr(0, at)));
            text.remove_prefix(at);
        }
    }
}

std::string redacted_authorization(std::string_view value) {
    const auto space = value.find(' ');
    const auto scheme = ascii::lower(value.substr(0, space));
    if (space == std::string_view::npos ||
        std::find(schemes.begin(), schemes.end(), scheme) == schemes.end()) {
        return fingerprint(value);
    }
    return std::string(value.substr(0, space + 1)) + fingerprint(value.substr(space + 1));
}

std::string redacted(std::string_view name, std::string_view value) {
    if (std::binary_search(harmless.begin(), harmless.end(), name)) {
        return without_url_credentials(value);
    }
    return name == "authorization" || name == "proxy-authorization" ? redacted_authorization(value)
                                                                    : fingerprint(value);
}

}  // namespace

std::string fingerprint(std::string_view secret) {
    return "[sha256:" + to_hex(sha256(secret)).substr(0, 8) + "]";
}

bool is_fingerprint(std::string_view text) {
    constexpr std::size_t bytes = 17;
    return text.size() == bytes && text.starts_with("[sha256:") && text.ends_with(']');
}

std::string redacted_headers(const http::Request& request, const std::vector<std::string>& plain) {
    std::map<std::string, std::string> kept;
    for (const auto& [name, value] : request.headers) {
        const auto key = ascii::lower(name);
        auto& text = kept[key];
        const bool stays = std::ranges::find(plain, key) != plain.end();
        text.append(text.empty() ? "" : ", ")
            .append(stays ? without_url_credentials(value) : redacted(key, value));
    }
    for (const auto& [name, value] : request.query) {
        auto& text = kept[":query"];
        text.append(text.empty() ? "" : "&")
            .append(value.empty() ? fingerprint(name) : name + "=" + fingerprint(value));
    }
    json::Writer out;
    out.begin_object();
    for (const auto& [name, value] : kept) {
        out.field(name, std::string_view(value));
    }
    return out.end_object().take();
}

}  // namespace helios::gateway
