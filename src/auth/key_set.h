#pragma once
/// The keys that tokens of one issuer are checked with. Each is bound to one algorithm.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/crypto.h"
#include "base/result.h"

namespace helios::auth {

/// Those that a token may be signed by (RFC 7518, RFC 8037). "none" is not among them.
enum class Algorithm : std::uint8_t { hs256, rs256, es256, eddsa };

/// As tokens write it: "HS256".
std::string_view to_string(Algorithm algorithm);
/// nullopt: none of the four. Exactly as written: "hs256" is none.
std::optional<Algorithm> algorithm_named(std::string_view name);

/// HMAC's key must not be shorter than its result (RFC 7518, 3.2).
inline constexpr std::size_t shared_secret_bytes_min = 32;

/// Immutable once made, thread-safe.
class KeySet {
public:
    struct Key {
        Algorithm algorithm;
        std::optional<std::string> kid;
        std::variant<PublicKey, std::string> material;  ///< text: a shared secret

        bool is_shared() const { return std::holds_alternative<std::string>(material); }
        bool verifies(std::string_view message, std::string_view signature) const;
    };

    /// The algorithm is the one that the key's kind is for.
    void add(PublicKey key, std::optional<std::string> kid);
    /// For HS256. invalid: shorter than 32 bytes; the text never holds the secret.
    Status add_shared_secret(std::string secret);

    const std::vector<Key>& keys() const { return keys_; }
    bool has(std::string_view kid) const;

private:
    std::vector<Key> keys_;
};

}  // namespace helios::auth
