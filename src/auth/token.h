#pragma once
/// JSON Web Tokens (RFC 7519) with the checks of RFC 8725: the only verifier of tokens in Helios,
/// for senders' and for operators' alike.
///
/// A token decides nothing about how it is checked. Its issuer's rules, from configuration, say
/// which algorithms; the keys say each for which; `jku`, `x5u`, `jwk` and `x5c` are never looked
/// at; a `kid` is compared with those of the keys that we hold and used for nothing else. Where
/// keys come from is not this file's business (jwks.h, key_cache.h).

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"
#include "auth/proof.h"
#include "base/json.h"
#include "base/time.h"

namespace helios::auth {

inline constexpr std::size_t token_bytes_max = 8 << 10;

/// A token taken apart, of which nothing may be believed yet. Movable.
class UnverifiedToken {
public:
    /// refused (malformed): not three base64url parts without padding of at most 8 KiB, a header or
    /// claims that are no JSON object or that have a name twice at any depth, no `alg`, a `kid`
    /// that is no text, `crit` (no extension is known here), `b64`.
    static std::expected<UnverifiedToken, Proof> parse(std::string_view text);

    /// To find the keys with: which of an issuer's, and which issuer.
    const std::optional<std::string>& kid() const { return kid_; }
    std::string_view issuer() const;  ///< empty: none named

private:
    friend class TokenCheck;
    UnverifiedToken(json::Document header, json::Document claims)
        : header_(std::move(header)), claims_(std::move(claims)) {}

    json::Document header_;
    json::Document claims_;
    std::string signed_;  ///< header and claims as they were signed
    std::string signature_;
    std::optional<std::string> kid_;
};

/// What tokens of one issuer must be like.
struct TokenRules {
    std::vector<Algorithm> algorithms;  ///< empty: none is taken
    /// One of them exactly; nullopt: whoever holds a key of the set is the issuer.
    std::optional<std::vector<std::string>> issuers;
    /// The token's `aud` has one of them; empty: nobody is admitted. nullopt: tokens are for us by
    /// their key, and one that names an audience is refused (RFC 7519, 4.1.3).
    std::optional<std::vector<std::string>> audiences;
    /// One of them, whatever its case and without "application/"; empty: `typ` is not looked at.
    std::vector<std::string> types;
    Duration leeway = std::chrono::seconds(60);  ///< for clocks that differ: exp, nbf, iat
};

/// A token that holds. Movable; values stay valid with it.
class VerifiedToken {
public:
    json::Value claim(std::string_view name) const { return claims_.root().find(name); }
    /// A claim that is a text; empty: it is none, or not there.
    std::string_view text(std::string_view name) const;

private:
    friend class TokenCheck;
    explicit VerifiedToken(json::Document claims) : claims_(std::move(claims)) {}
    json::Document claims_;
};

/// Signature first, then claims: no answer about claims that anybody could have written. `exp` must
/// be there. forged: the token names a public key of the set, and the signature is not that key's.
/// refused: all else. A token without `kid` is checked with the only public key of its algorithm;
/// are there several, it is refused.
std::expected<VerifiedToken, Proof> verify_token(UnverifiedToken token, const TokenRules& rules,
                                                 const KeySet& keys, Instant now);

}  // namespace helios::auth
