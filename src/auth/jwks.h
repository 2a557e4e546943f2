#pragma once
/// JSON Web Key Sets (RFC 7517): the public keys that an issuer publishes.

#include <cstddef>
#include <string_view>
#include <vector>

#include "auth/key_set.h"
#include "base/result.h"

namespace helios::auth {

/// The largest issuers' sets have some 30 KiB.
inline constexpr std::size_t jwks_bytes_max = 256 << 10;
inline constexpr std::size_t jwks_keys_max = 256;

struct Jwks {
    KeySet keys;
    std::vector<Error> skipped;  ///< why a key of the set is not used; for the log
};

/// RSA of 2048 bits and more for RS256, P-256 for ES256, Ed25519 for EdDSA. What is for something
/// else is skipped, as RFC 7517, 5 asks: another `use`, `key_ops` without "verify", another `alg`
/// than the kind's, a kind that is not known here, a weak or damaged key; and any shared secret
/// ("oct"): what is published is none. invalid: no JWKS, too large, a name twice in an object, or
/// no usable key in it.
Result<Jwks> parse_jwks(std::string_view bytes);

}  // namespace helios::auth
