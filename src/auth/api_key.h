#pragma once
/// The text of an API key: `helios_<id>_<secret>`.
///
/// The id finds the key, 256 random bits are its secret, and six characters at the end are a sum
/// over all before: a key that was mistyped or cut is told from a wrong one without asking anybody,
/// and those who look for leaked secrets find it by its shape:
/// helios_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}.

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "auth/proof.h"
#include "base/hash.h"

namespace helios::auth {

inline constexpr std::string_view api_key_prefix = "helios_";

/// 64 bits for the id, 256 for the secret: from the machine's random source.
using ApiKeyEntropy = std::array<std::uint8_t, 40>;

struct NewApiKey {
    std::string text;  ///< shown once, kept nowhere
    std::string id;
    Digest256 digest;  ///< what is kept
};
NewApiKey make_api_key(const ApiKeyEntropy& entropy);

/// Its id, a view into `text`. absent: it does not begin as one; refused (malformed): it was
/// mistyped or cut.
std::expected<std::string_view, Proof> parse_api_key(std::string_view text);

/// SHA-256 of the whole text. The secret has 256 random bits, so there is nothing to guess and
/// nothing that a slow hash would protect.
Digest256 digest_of_api_key(std::string_view text);

}  // namespace helios::auth
