#include "auth/standard_webhooks.h"

#include <variant>
#include <vector>

#include "auth/constant_time.h"
#include "auth/crypto.h"
#include "auth/encoding.h"
#include "auth/signed_time.h"
#include "base/hash.h"

namespace helios::auth {

namespace {

constexpr std::string_view shared_prefix = "whsec_";
constexpr std::string_view public_prefix = "whpk_";
constexpr std::string_view private_prefix = "whsk_";
constexpr std::size_t shared_bytes_min = 24;
constexpr std::size_t shared_bytes_max = 64;
constexpr std::size_t id_bytes_max = 256;
constexpr std::size_t signatures_max = 32;

using Material = std::variant<std::string, PublicKey>;

Result<Material> parse_secret(std::string_view text) {
    if (text.starts_with(private_prefix)) {
        return fail(ErrorKind::invalid, "a private key, which is the sender's alone",
                    "give the public key, whpk_…");
    }
    const bool is_public = text.starts_with(public_prefix);
    if (is_public) {
        text.remove_prefix(public_prefix.size());
    } else if (text.starts_with(shared_prefix)) {
        text.remove_prefix(shared_prefix.size());
    }
    std::string bytes;
    if (!base64_decode(text, bytes)) {
        return fail(ErrorKind::invalid, "not base64",
                    "give the secret as its sender shows it: whsec_… or whpk_…");
    }
    if (is_public) {
        HELIOS_TRY_ASSIGN(auto key, PublicKey::ed25519(bytes));
        return Material(std::move(key));
    }
    if (bytes.size() < shared_bytes_min || bytes.size() > shared_bytes_max) {
        return fail(ErrorKind::invalid, "a secret that is not of 24 to 64 bytes",
                    "give the secret as its sender shows it: whsec_… or whpk_…");
    }
    return Material(std::move(bytes));
}

struct Listed {
    std::vector<std::string> shared;   ///< v1
    std::vector<std::string> signed_;  ///< v1a
};

/// False: there is nothing in it but what is no "version,signature", or too much. Versions that are
/// not known are passed over, and so is, beside others, what can't be read: any one suffices.
bool parse_list(std::string_view header, Listed& out) {
    std::size_t count = 0;
    bool bad = false;
    while (!header.empty()) {
        const auto space = header.find(' ');
        const auto item = header.substr(0, space);
        header.remove_prefix(space == std::string_view::npos ? header.size() : space + 1);
        if (item.empty()) {
            continue;
        }
        const auto comma = item.find(',');
        if (++count > signatures_max) {
            return false;
        }
        if (comma == std::string_view::npos) {
            bad = true;
            continue;
        }
        const auto version = item.substr(0, comma);
        if (version != "v1" && version != "v1a") {
            continue;
        }
        auto bytes = decode_base64(item.substr(comma + 1));
        if (!bytes) {
            bad = true;
            continue;
        }
        (version == "v1" ? out.shared : out.signed_).push_back(*std::move(bytes));
    }
    return !bad || !out.shared.empty() || !out.signed_.empty();
}

bool fits(const Material& material, const Listed& listed, std::string_view content) {
    bool found = false;
    if (const auto* key = std::get_if<PublicKey>(&material)) {
        for (const std::string& signature : listed.signed_) {
            found = key->verifies(Scheme::ed25519, content, signature) || found;
        }
        return found;
    }
    const std::string expected = hmac_sha256(std::get<std::string>(material), {content});
    for (const std::string& code : listed.shared) {
        found = equal_in_constant_time(code, expected) || found;
    }
    return found;
}

std::string content_of(std::string_view id, std::string_view timestamp, std::string_view body) {
    std::string content;
    content.reserve(id.size() + timestamp.size() + body.size() + 2);
    return content.append(id).append(".").append(timestamp).append(".").append(body);
}

}  // namespace

Status check_webhook_secret(std::string_view secret) {
    HELIOS_TRY(parse_secret(secret));
    return {};
}

Proof check_standard_webhook(const WebhookHeaders& headers, std::string_view body, Duration window,
                             std::span<const std::string> secrets, Instant now,
                             std::string subject) {
    if (!headers.id && !headers.timestamp && !headers.signature) {
        return {};
    }
    const auto malformed = [](const char* what) {
        return Proof::refused(Refusal::malformed, what);
    };
    if (!headers.id || !headers.timestamp || !headers.signature) {
        return malformed("one of webhook-id, webhook-timestamp, webhook-signature is not there");
    }
    // With a point in it, another id and time could be read out of the same signed text.
    if (headers.id->empty() || headers.id->size() > id_bytes_max ||
        headers.id->find('.') != std::string_view::npos) {
        return malformed("a webhook-id that is empty, longer than 256 bytes or has a point in it");
    }
    const auto seconds = parse_seconds(*headers.timestamp);
    if (!seconds) {
        return malformed("a webhook-timestamp that is no whole number of seconds");
    }
    Listed listed;
    if (!parse_list(*headers.signature, listed)) {
        return malformed("a webhook-signature that is no list of version,base64");
    }
    if (!within(window, *seconds, now)) {
        return outside_window(*seconds, now);
    }
    const std::string content = content_of(*headers.id, *headers.timestamp, body);
    bool found = false;
    for (const std::string& secret : secrets) {
        const auto material = parse_secret(secret);
        found = (material && fits(*material, listed, content)) || found;
    }
    return found ? Proof::held(std::move(subject))
                 : Proof::refused(Refusal::wrong_signature,
                                  "a webhook-signature made with none of the secrets held, or for "
                                  "another body");
}

Result<std::string> standard_webhook_signature(std::string_view secret, std::string_view id,
                                               std::string_view timestamp, std::string_view body) {
    HELIOS_TRY_ASSIGN(const auto material, parse_secret(secret));
    const auto* shared = std::get_if<std::string>(&material);
    if (shared == nullptr) {
        return fail(ErrorKind::invalid, "a public key signs nothing");
    }
    return "v1," + base64_encode(hmac_sha256(*shared, {content_of(id, timestamp, body)}));
}

}  // namespace helios::auth
