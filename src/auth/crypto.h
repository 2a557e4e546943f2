#pragma once
/// Signatures: what libcrypto does for this room, and for whoever must sign to be let in elsewhere.
/// With certificate.h the only place of the room that knows the library.
///
/// Whatever is wrong with a key is said when it is made; whatever is wrong with a signature is
/// `false`. No function leaves anything in the library's queue of errors.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;  // libcrypto's EVP_PKEY

namespace helios::auth {

/// Of the parts one after the other. Thread-safe.
std::string hmac_sha256(std::string_view key, std::initializer_list<std::string_view> parts);

/// RSASSA-PKCS1-v1_5 over SHA-256, by a private key in PEM without a passphrase. invalid: no such
/// key, or an RSA key of another length than PublicKey::rsa takes; the key is in no message.
Result<std::string> sign_rsa_sha256(std::string_view private_key_pem, std::string_view message);

/// What a public key can check. A key fits schemes of its own kind only.
enum class Scheme : std::uint8_t {
    rsa_sha1,           ///< RSASSA-PKCS1-v1_5
    rsa_sha256,         ///< RSASSA-PKCS1-v1_5
    ecdsa_p256_sha256,  ///< 64 bytes: r and s, as RFC 7518 writes them
    ed25519,
};

/// Immutable, thread-safe, cheap to copy.
class PublicKey {
public:
    enum class Kind : std::uint8_t { rsa, p256, ed25519 };

    /// Big-endian numbers. invalid: a modulus of less than 2048 bits or more than 8192, an exponent
    /// that is even, 1, or of more than 64 bits.
    static Result<PublicKey> rsa(std::string_view modulus, std::string_view exponent);
    /// Coordinates of 32 bytes each. invalid: other lengths, or not a point of the curve.
    static Result<PublicKey> p256(std::string_view x, std::string_view y);
    /// invalid: not 32 bytes.
    static Result<PublicKey> ed25519(std::string_view x);
    /// Shares what certificate.cpp has read. invalid: none of the three kinds, or too weak.
    static Result<PublicKey> from_library(std::shared_ptr<evp_pkey_st> key);

    Kind kind() const { return kind_; }

    /// False: made by another key, of another message, of another length, or the scheme is not this
    /// kind's.
    bool verifies(Scheme scheme, std::string_view message, std::string_view signature) const;

private:
    PublicKey(Kind kind, std::shared_ptr<evp_pkey_st> key) : kind_(kind), key_(std::move(key)) {}

    Kind kind_;
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace helios::auth
