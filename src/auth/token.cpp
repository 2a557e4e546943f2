#include "auth/token.h"

#include <algorithm>
#include <fmt/format.h>

#include "auth/encoding.h"
#include "base/ascii.h"
#include "base/decimal.h"
#include "base/shown.h"

namespace helios::auth {

namespace {

constexpr json::Limits header_limits{.depth_max = 8, .nodes_max = 1024};
constexpr json::Limits claims_limits{.depth_max = 32, .nodes_max = 4096};
constexpr std::size_t kid_bytes_max = 256;
constexpr std::int64_t date_max = std::int64_t{1} << 53;

std::unexpected<Proof> refuse(Refusal refusal, std::string text) {
    return std::unexpected(Proof::refused(refusal, std::move(text)));
}

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

struct Parts {
    std::string_view header;
    std::string_view claims;
    std::string_view signature;
};

std::optional<Parts> split(std::string_view text) {
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    return Parts{text.substr(0, first), text.substr(first + 1, second - first - 1),
                 text.substr(second + 1)};
}

std::expected<json::Document, Proof> parse_part(std::string_view what, std::string_view text,
                                                const json::Limits& limits) {
    const auto bytes = decode_base64url(text);
    if (!bytes) {
        return refuse(Refusal::malformed, fmt::format("a token whose {} is no base64url", what));
    }
    auto document = parse_strict_object(*bytes, limits);
    if (!document) {
        return refuse(Refusal::malformed,
                      fmt::format("a token whose {} is {}", what, document.error().what));
    }
    return *std::move(document);
}

/// NumericDate (RFC 7519, 2): seconds since 1970, whole or not. As Instant, as far as that reaches.
std::expected<Instant, Proof> parse_date(std::string_view name, json::Value value) {
    const auto number = value.is_number() ? Decimal::parse(value.text()) : fail(Error{});
    if (!number || number->is_negative() || *number > Decimal::from_int(date_max)) {
        return refuse(Refusal::claim, fmt::format("a token whose {} is no time", name));
    }
    const std::string plain = number->to_string();
    const auto point = plain.find('.');
    const auto seconds = parse_seconds(plain.substr(0, point));
    constexpr std::int64_t reach = to_nanos(Instant::max()) / 1'000'000'000 - 1;
    if (!seconds || *seconds > reach) {
        return Instant::max();
    }
    std::string fraction = point == std::string::npos ? "" : plain.substr(point + 1);
    fraction.resize(9, '0');
    return from_nanos(*seconds * 1'000'000'000 + parse_seconds(fraction).value_or(0));
}

}  // namespace

std::expected<UnverifiedToken, Proof> UnverifiedToken::parse(std::string_view text) {
    if (text.size() > token_bytes_max) {
        return refuse(Refusal::malformed,
                      fmt::format("a token of {} bytes; at most {}", text.size(), token_bytes_max));
    }
    const auto parts = split(text);
    if (!parts) {
        return refuse(Refusal::malformed, "not a token of three parts");
    }
    auto header = parse_part("header", parts->header, header_limits);
    if (!header) {
        return std::unexpected(std::move(header).error());
    }
    const json::Value root = header->root();
    if (root.find("crit").present() || root.find("b64").present()) {
        return refuse(Refusal::malformed, "a token that relies on an extension");
    }
    if (!root.find("alg").is_string()) {
        return refuse(Refusal::malformed, "a token whose header names no algorithm");
    }
    const json::Value kid = root.find("kid");
    if (kid.present() && (!kid.is_string() || kid.text().size() > kid_bytes_max)) {
        return refuse(Refusal::malformed, "a token whose kid is no text of at most 256 bytes");
    }
    auto claims = parse_part("claims", parts->claims, claims_limits);
    if (!claims) {
        return std::unexpected(std::move(claims).error());
    }
    auto signature = decode_base64url(parts->signature);
    if (!signature) {
        return refuse(Refusal::malformed, "a token whose signature is no base64url");
    }
    UnverifiedToken token(*std::move(header), *std::move(claims));
    token.signed_ = text.substr(0, text.rfind('.'));
    token.signature_ = *std::move(signature);
    if (kid.present()) {
        token.kid_ = token.header_.root().find("kid").text();
    }
    return token;
}

std::string_view UnverifiedToken::issuer() const {
    const json::Value issuer = claims_.root().find("iss");
    return issuer.is_string() ? issuer.text() : std::string_view();
}

std::string_view VerifiedToken::text(std::string_view name) const {
    const json::Value value = claim(name);
    return value.is_string() ? value.text() : std::string_view();
}

/// One token against the rules: each step answers nothing, or why not.
class TokenCheck {
public:
    using Answer = std::optional<Proof>;

    TokenCheck(const UnverifiedToken& token, const TokenRules& rules, const KeySet& keys,
               Instant now)
        : token_(token), rules_(rules), keys_(keys), now_(now) {}

    Answer check() const {
        for (const auto step :
             {&TokenCheck::check_type, &TokenCheck::check_signature, &TokenCheck::check_issuer,
              &TokenCheck::check_audience, &TokenCheck::check_dates}) {
            if (Answer answer = (this->*step)()) {
                return answer;
            }
        }
        return std::nullopt;
    }

    static VerifiedToken verified(UnverifiedToken token) {
        return VerifiedToken(std::move(token.claims_));
    }

private:
    json::Value claim(std::string_view name) const { return token_.claims_.root().find(name); }

    Answer check_type() const {
        if (rules_.types.empty()) {
            return std::nullopt;
        }
        const json::Value typ = token_.header_.root().find("typ");
        std::string type = ascii::lower(typ.is_string() ? typ.text() : "");
        if (constexpr std::string_view media = "application/"; type.starts_with(media)) {
            type.erase(0, media.size());
        }
        const bool listed = std::ranges::any_of(
            rules_.types, [&](const std::string& taken) { return ascii::lower(taken) == type; });
        return listed
                   ? std::nullopt
                   : Answer(Proof::refused(Refusal::claim,
                                           fmt::format("a token of the type \"{}\"", shown(type))));
    }

    Answer check_signature() const {
        const auto name = token_.header_.root().find("alg").text();
        const auto algorithm = algorithm_named(name);
        if (!algorithm ||
            std::ranges::find(rules_.algorithms, *algorithm) == rules_.algorithms.end()) {
            return Proof::refused(
                Refusal::algorithm,
                fmt::format("a token signed with \"{}\", which is not taken here", shown(name)));
        }
        std::vector<const KeySet::Key*> fitting;
        for (const auto& key : keys_.keys()) {
            // Shared secrets have no names here: what the token calls its own does not matter.
            if (key.algorithm == *algorithm &&
                (key.is_shared() || !token_.kid_ || key.kid == token_.kid_)) {
                fitting.push_back(&key);
            }
        }
        if (fitting.empty()) {
            return no_key(*algorithm);
        }
        const bool shared = fitting.front()->is_shared();
        if (!shared && !token_.kid_ && fitting.size() > 1) {
            return Proof::refused(Refusal::unknown_key,
                                  "a token that does not say which of several keys signed it");
        }
        for (const KeySet::Key* key : fitting) {
            if (key->verifies(token_.signed_, token_.signature_)) {
                return std::nullopt;
            }
        }
        if (shared || !token_.kid_) {  // perhaps of a key that we don't have yet, or no longer
            return Proof::refused(Refusal::wrong_signature,
                                  "a token signed with none of the keys held");
        }
        return Proof::forged(fmt::format(
            "a token that names the key \"{}\" and is not signed by it", shown(*token_.kid_)));
    }

    Answer no_key(Algorithm algorithm) const {
        if (token_.kid_ && keys_.has(*token_.kid_)) {
            return Proof::refused(Refusal::algorithm,
                                  fmt::format("a token signed with {} by the key \"{}\", which is "
                                              "for another algorithm",
                                              to_string(algorithm), shown(*token_.kid_)));
        }
        return Proof::refused(
            Refusal::unknown_key,
            token_.kid_
                ? fmt::format("a token of the key \"{}\", which is not held", shown(*token_.kid_))
                : fmt::format("no key for {} is held", to_string(algorithm)));
    }

    Answer check_issuer() const {
        if (!rules_.issuers) {
            return std::nullopt;
        }
        const json::Value issuer = claim("iss");
        if (issuer.is_string() && contains(*rules_.issuers, issuer.text())) {
            return std::nullopt;
        }
        return Proof::refused(Refusal::issuer,
                              fmt::format("a token of the issuer \"{}\"", shown(issuer.text())));
    }

    Answer check_audience() const {
        const json::Value audience = claim("aud");
        if (!rules_.audiences) {
            return audience.present()
                       ? Answer(Proof::refused(Refusal::audience,
                                               "a token for an audience, where none is configured"))
                       : std::nullopt;
        }
        bool ours = audience.is_string() && contains(*rules_.audiences, audience.text());
        if (audience.is_array()) {
            for (std::size_t i = 0; i < audience.size(); ++i) {
                const json::Value one = audience.at(i);
                if (!one.is_string()) {
                    return Proof::refused(Refusal::claim, "a token whose audience is no text");
                }
                ours = ours || contains(*rules_.audiences, one.text());
            }
        }
        return ours ? std::nullopt
                    : Answer(Proof::refused(
                          Refusal::audience,
                          fmt::format(
                              "a token for \"{}\"",
                              shown(audience.is_array() ? audience.raw() : audience.text()))));
    }

    Answer check_dates() const {
        if (!claim("exp").present()) {
            return Proof::refused(Refusal::claim, "a token that never ends: it has no exp");
        }
        for (const std::string_view name : {"exp", "nbf", "iat"}) {
            const json::Value value = claim(name);
            if (!value.present()) {
                continue;
            }
            const auto date = parse_date(name, value);
            if (!date) {
                return date.error();
            }
            if (name == "exp" ? now_ - rules_.leeway >= *date : now_ + rules_.leeway < *date) {
                return Proof::refused(
                    name == "exp" ? Refusal::expired : Refusal::too_early,
                    fmt::format("a token whose {} is {}", name, format_rfc3339(*date)));
            }
        }
        return std::nullopt;
    }

    const UnverifiedToken& token_;
    const TokenRules& rules_;
    const KeySet& keys_;
    Instant now_;
};

std::expected<VerifiedToken, Proof> verify_token(UnverifiedToken token, const TokenRules& rules,
                                                 const KeySet& keys, Instant now) {
    if (auto why = TokenCheck(token, rules, keys, now).check()) {
        return std::unexpected(*std::move(why));
    }
    return TokenCheck::verified(std::move(token));
}

}  // namespace helios::auth
