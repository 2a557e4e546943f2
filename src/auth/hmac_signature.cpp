#include "auth/hmac_signature.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "auth/adyen.h"
#include "auth/constant_time.h"
#include "auth/crypto.h"
#include "auth/encoding.h"
#include "auth/signed_time.h"
#include "auth/standard_webhooks.h"
#include "base/hash.h"

namespace helios::auth {

namespace {

using Kind = SignatureForm::Kind;
using Encoding = SignatureForm::Encoding;

constexpr std::size_t header_bytes_max = 8 << 10;
constexpr std::size_t codes_max = 16;  // of one header: each is compared with each secret's

std::optional<std::string> decode(Encoding encoding, std::string_view text) {
    return encoding == Encoding::hex ? decode_hex(text) : decode_base64(text);
}

Proof malformed(std::string_view what) {
    return Proof::refused(Refusal::malformed, fmt::format("a signature header {}", what));
}

/// Every secret is tried with every code, whatever fits.
bool fits_any(std::span<const std::string> codes, std::span<const std::string> secrets,
              std::initializer_list<std::string_view> parts) {
    bool fits = false;
    for (const std::string& secret : secrets) {
        const std::string expected = hmac_sha256(secret, parts);
        for (const std::string& code : codes) {
            fits = equal_in_constant_time(code, expected) || fits;
        }
    }
    return fits;
}

Proof held_if(bool fits, std::string subject) {
    return fits ? Proof::held(std::move(subject))
                : Proof::refused(Refusal::wrong_signature,
                                 "a signature made with none of the secrets held, or for another "
                                 "body");
}

struct TimedCodes {
    std::string_view time;  ///< as written: it is signed as text
    std::int64_t seconds = 0;
    std::vector<std::string> codes;
};

/// "t=1492774577,v1=5257a8…,v0=6ffbb5…". The text: what is wrong.
std::expected<TimedCodes, std::string_view> parse_timed(std::string_view header,
                                                        std::string_view name, Encoding encoding) {
    TimedCodes out;
    std::size_t count = 0;
    while (!header.empty()) {
        const auto comma = header.find(',');
        std::string_view item = header.substr(0, comma);
        header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
        while (item.starts_with(' ')) {
            item.remove_prefix(1);
        }
        const auto equals = item.find('=');
        if (equals == std::string_view::npos) {
            return std::unexpected("with an item that is no name=value");
        }
        const auto key = item.substr(0, equals);
        const auto value = item.substr(equals + 1);
        if (key == "t") {
            const auto seconds = parse_seconds(value);
            if (!seconds || !out.time.empty()) {
                return std::unexpected("without one time in whole seconds");
            }
            out.time = value;
            out.seconds = *seconds;
        } else if (key == name) {
            if (++count > codes_max) {
                return std::unexpected("with too many codes");
            }
            if (auto code = decode(encoding, value)) {  // any one of the others may fit
                out.codes.push_back(*std::move(code));
            }
        }
    }
    if (out.time.empty() || out.codes.empty()) {
        return std::unexpected("without a time, or without a code that can be read");
    }
    return out;
}

Proof check_hmac(const SignatureForm& form, std::string_view header, std::string_view body,
                 std::span<const std::string> secrets, std::string subject) {
    if (!header.starts_with(form.prefix)) {
        return malformed(fmt::format("that does not begin with \"{}\"", form.prefix));
    }
    auto code = decode(form.encoding, header.substr(form.prefix.size()));
    if (!code) {
        return malformed(form.encoding == Encoding::hex ? "that is no hex" : "that is no base64");
    }
    const std::string codes[] = {*std::move(code)};
    return held_if(fits_any(codes, secrets, {body}), std::move(subject));
}

Proof check_timed(const SignatureForm& form, std::string_view header, std::string_view body,
                  std::span<const std::string> secrets, Instant now, std::string subject) {
    const auto timed = parse_timed(header, form.prefix, form.encoding);
    if (!timed) {
        return malformed(timed.error());
    }
    if (!within(form.window, timed->seconds, now)) {
        return outside_window(timed->seconds, now);
    }
    return held_if(fits_any(timed->codes, secrets, {timed->time, ".", body}), std::move(subject));
}

/// Svix, where the standard comes from, writes its own names before it.
WebhookHeaders webhook_headers(const SignedRequest& request) {
    const WebhookHeaders headers{request.header("webhook-id"), request.header("webhook-timestamp"),
                                 request.header("webhook-signature")};
    return headers.id || headers.timestamp || headers.signature
               ? headers
               : WebhookHeaders{request.header("svix-id"), request.header("svix-timestamp"),
                                request.header("svix-signature")};
}

std::string seconds_text(Instant now) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

const SignatureForm& helios_form() {
    static const SignatureForm form{
        .kind = Kind::hmac_timestamp, .header = "x-helios-signature", .prefix = "v1"};
    return form;
}

}  // namespace

Status validate(const SignatureForm& form) {
    const bool has_header = form.kind == Kind::hmac || form.kind == Kind::hmac_timestamp;
    if (has_header && form.header.empty()) {
        return fail(ErrorKind::invalid, "a signature without a header",
                    "name the header that carries it");
    }
    if (form.kind == Kind::hmac_timestamp && (form.prefix.empty() || form.prefix == "t")) {
        return fail(ErrorKind::invalid, "a signature with a time whose codes have no name",
                    "give prefix: v1, if they are written v1=…");
    }
    if (form.window <= Duration::zero() || form.window > std::chrono::hours(24)) {
        return fail(ErrorKind::invalid, "a window that is not above 0 and at most 24h");
    }
    return {};
}

Status check_secret(const SignatureForm& form, std::string_view secret) {
    switch (form.kind) {
        case Kind::standard_webhooks:
            return check_webhook_secret(secret);
        case Kind::adyen:
            return check_adyen_key(secret);
        case Kind::hmac:
        case Kind::hmac_timestamp:
            break;
    }
    if (secret.empty()) {
        return fail(ErrorKind::invalid, "an empty secret");
    }
    return {};
}

std::optional<SignatureForm> published_form(std::string_view name) {
    if (name == "helios") {
        return helios_form();
    }
    if (name == "stripe") {
        return SignatureForm{
            .kind = Kind::hmac_timestamp, .header = "stripe-signature", .prefix = "v1"};
    }
    if (name == "shopify") {
        return SignatureForm{.kind = Kind::hmac,
                             .header = "x-shopify-hmac-sha256",
                             .prefix = "",
                             .encoding = Encoding::base64};
    }
    if (name == "github") {
        return SignatureForm{
            .kind = Kind::hmac, .header = "x-hub-signature-256", .prefix = "sha256="};
    }
    if (name == "adyen") {
        return SignatureForm{
            .kind = Kind::adyen, .header = "", .prefix = "", .encoding = Encoding::base64};
    }
    if (name == "standard_webhooks" || name == "svix") {
        return SignatureForm{.kind = Kind::standard_webhooks,
                             .header = "",
                             .prefix = "",
                             .encoding = Encoding::base64};
    }
    return std::nullopt;
}

Proof check_signature(const SignatureForm& form, const SignedRequest& request,
                      std::span<const std::string> secrets, Instant now, std::string subject) {
    if (form.kind == Kind::adyen) {
        return check_adyen(request.body, secrets, std::move(subject));
    }
    if (form.kind == Kind::standard_webhooks) {
        return check_standard_webhook(webhook_headers(request), request.body, form.window, secrets,
                                      now, std::move(subject));
    }
    const auto header = request.header(form.header);
    if (!header) {
        return {};
    }
    if (header->size() > header_bytes_max) {
        return malformed("that is too long");
    }
    return form.kind == Kind::hmac
               ? check_hmac(form, *header, request.body, secrets, std::move(subject))
               : check_timed(form, *header, request.body, secrets, now, std::move(subject));
}

Result<std::vector<std::pair<std::string, std::string>>> signature_headers(
    const SignatureForm& form, std::string_view secret, std::string_view id, std::string_view body,
    Instant now) {
    HELIOS_TRY(check_secret(form, secret));
    const auto code = [&](std::initializer_list<std::string_view> parts) {
        const auto bytes = hmac_sha256(secret, parts);
        return form.encoding == Encoding::hex ? to_hex(bytes) : base64_encode(bytes);
    };
    const auto time = seconds_text(now);
    std::vector<std::pair<std::string, std::string>> headers;
    switch (form.kind) {
        case Kind::hmac:
            headers.emplace_back(form.header, form.prefix + code({body}));
            break;
        case Kind::hmac_timestamp:
            headers.emplace_back(
                form.header, fmt::format("t={},{}={}", time, form.prefix, code({time, ".", body})));
            break;
        case Kind::standard_webhooks: {
            HELIOS_TRY_ASSIGN(auto signature, standard_webhook_signature(secret, id, time, body));
            headers.emplace_back("webhook-id", id);
            headers.emplace_back("webhook-timestamp", time);
            headers.emplace_back("webhook-signature", std::move(signature));
            break;
        }
        case Kind::adyen:
            break;
    }
    return headers;
}

Proof check_helios_signature(std::optional<std::string_view> header, std::string_view body,
                             bool plain, std::span<const std::string> secrets, Instant now,
                             std::string subject) {
    if (!header) {
        return {};
    }
    constexpr std::size_t code_digits = 64;
    if (header->size() == code_digits && header->find('=') == std::string_view::npos) {
        if (!plain) {
            return malformed("without a time; hmac.plain takes it");
        }
        const SignatureForm bare{.kind = Kind::hmac, .header = helios_form().header, .prefix = ""};
        return check_hmac(bare, *header, body, secrets, std::move(subject));
    }
    if (header->size() > header_bytes_max) {
        return malformed("that is too long");
    }
    return check_timed(helios_form(), *header, body, secrets, now, std::move(subject));
}

std::string helios_signature(std::string_view secret, std::string_view body, Instant now) {
    const std::string time = seconds_text(now);
    return fmt::format("t={},v1={}", time, to_hex(hmac_sha256(secret, {time, ".", body})));
}

}  // namespace helios::auth
