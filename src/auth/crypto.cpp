#include "auth/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/assert.h"

namespace helios::auth {

namespace {

constexpr int modulus_bits_min = 2048;
constexpr int modulus_bits_max = 8192;  // what a stranger's key may cost to check with
constexpr int exponent_bits_max = 64;
constexpr std::size_t coordinate_bytes = 32;

/// Whoever calls libcrypto next must not find our failures.
struct ErrorsCleared {
    ErrorsCleared() = default;
    ~ErrorsCleared() { ERR_clear_error(); }
    ErrorsCleared(const ErrorsCleared&) = delete;
    ErrorsCleared& operator=(const ErrorsCleared&) = delete;
};

template <auto release>
struct Release {
    template <class T>
    void operator()(T* what) const {
        release(what);
    }
};
using BigNumber = std::unique_ptr<BIGNUM, Release<BN_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

BigNumber number_of(std::string_view big_endian) {
    return BigNumber(BN_bin2bn(bytes_of(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

/// nullptr: libcrypto does not take it for a public key of that type.
std::shared_ptr<EVP_PKEY> made_key(const char* type, OSSL_PARAM* parameters) {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        return nullptr;
    }
    return {key, EVP_PKEY_free};
}

Status check_rsa(const BIGNUM* modulus, const BIGNUM* exponent) {
    const int bits = BN_num_bits(modulus);
    if (bits < modulus_bits_min || bits > modulus_bits_max || BN_is_odd(modulus) != 1) {
        return fail(ErrorKind::invalid,
                    "an RSA modulus of " + std::to_string(bits) + " bits; 2048 to 8192 are taken");
    }
    // With the exponent 1 every message is its own signature.
    if (BN_is_odd(exponent) != 1 || BN_is_one(exponent) == 1 ||
        BN_num_bits(exponent) > exponent_bits_max) {
        return fail(ErrorKind::invalid, "an RSA exponent that is even, 1 or above 64 bits");
    }
    return {};
}

/// The DER that libcrypto wants, of r and s. Empty: they are none.
std::string der_of(std::string_view signature) {
    if (signature.size() != 2 * coordinate_bytes) {
        return {};
    }
    EcdsaSignature pair(ECDSA_SIG_new());
    BigNumber r = number_of(signature.substr(0, coordinate_bytes));
    BigNumber s = number_of(signature.substr(coordinate_bytes));
    if (pair == nullptr || r == nullptr || s == nullptr ||
        ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
        return {};
    }
    static_cast<void>(r.release());  // the pair's from here on
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(pair.get(), &der);
    if (length <= 0) {
        return {};
    }
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return out;
}

bool digest_verifies(EVP_PKEY* key, const char* digest, std::string_view message,
                     std::string_view signature) {
    const DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key,
                                   nullptr) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                            message.size()) == 1;
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::initializer_list<std::string_view> parts) {
    const ErrorsCleared cleared;
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    HELIOS_ASSERT(algorithm != nullptr, "libcrypto lacks HMAC");
    thread_local const MacContext context(EVP_MAC_CTX_new(algorithm));
    HELIOS_ASSERT(context != nullptr, "out of memory");
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    // A key of no bytes must still be one: without it the context would go on with the last one.
    static constexpr unsigned char nothing = 0;
    bool ok = EVP_MAC_init(context.get(), key.empty() ? &nothing : bytes_of(key), key.size(),
                           parameters) == 1;
    for (const std::string_view part : parts) {
        ok = ok && EVP_MAC_update(context.get(), bytes_of(part), part.size()) == 1;
    }
    std::array<unsigned char, 32> out{};
    std::size_t length = 0;
    ok = ok && EVP_MAC_final(context.get(), out.data(), &length, out.size()) == 1;
    HELIOS_ASSERT(ok && length == out.size(), "libcrypto refused to make a code");
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

Result<std::string> sign_rsa_sha256(std::string_view private_key_pem, std::string_view message) {
    const ErrorsCleared cleared;
    constexpr std::size_t pem_bytes_max = 64u << 10;
    const std::unique_ptr<BIO, Release<BIO_free>> bytes(
        private_key_pem.size() > pem_bytes_max
            ? nullptr
            : BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
    const auto no_passphrase = [](char*, int, int, void*) { return 0; };  // nobody is asked for one
    const std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>> key(
        bytes == nullptr ? nullptr
                         : PEM_read_bio_PrivateKey(bytes.get(), nullptr, +no_passphrase, nullptr));
    const int bits = key == nullptr ? 0 : EVP_PKEY_get_bits(key.get());
    if (key == nullptr || EVP_PKEY_is_a(key.get(), "RSA") != 1 || bits < modulus_bits_min ||
        bits > modulus_bits_max) {
        return fail(ErrorKind::invalid, "not an RSA private key in PEM of 2048 to 8192 bits");
    }
    const DigestContext context(EVP_MD_CTX_new());
    std::size_t length = 0;
    std::string signature;
    bool ok = context != nullptr && EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr,
                                                          nullptr, key.get(), nullptr) == 1;
    ok = ok &&
         EVP_DigestSign(context.get(), nullptr, &length, bytes_of(message), message.size()) == 1;
    signature.resize(length);
    ok = ok && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                              &length, bytes_of(message), message.size()) == 1;
    if (!ok) {
        return fail(ErrorKind::invalid, "a private key that does not sign");
    }
    signature.resize(length);
    return signature;
}

Result<PublicKey> PublicKey::rsa(std::string_view modulus, std::string_view exponent) {
    const ErrorsCleared cleared;
    constexpr std::size_t number_bytes_max = 2 * modulus_bits_max / 8;
    if (modulus.size() > number_bytes_max || exponent.size() > number_bytes_max) {
        return fail(ErrorKind::invalid, "an RSA key of too many bytes");
    }
    const BigNumber n = number_of(modulus);
    const BigNumber e = number_of(exponent);
    HELIOS_ASSERT(n != nullptr && e != nullptr, "out of memory");
    HELIOS_TRY(check_rsa(n.get(), e.get()));
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return fail(ErrorKind::invalid, "not an RSA key");
    }
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    auto key = made_key("RSA", parameters.get());
    if (key == nullptr) {
        return fail(ErrorKind::invalid, "not an RSA key");
    }
    return PublicKey(Kind::rsa, std::move(key));
}

Result<PublicKey> PublicKey::p256(std::string_view x, std::string_view y) {
    const ErrorsCleared cleared;
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
        return fail(ErrorKind::invalid, "coordinates of P-256 have 32 bytes each");
    }
    std::string point("\x04");
    point.append(x).append(y);
    char group[] = "P-256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    auto key = made_key("EC", parameters);  // which looks whether the point is one
    if (key == nullptr) {
        return fail(ErrorKind::invalid, "not a point of P-256");
    }
    return PublicKey(Kind::p256, std::move(key));
}

Result<PublicKey> PublicKey::ed25519(std::string_view x) {
    const ErrorsCleared cleared;
    EVP_PKEY* key =
        x.size() != coordinate_bytes
            ? nullptr
            : EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(x), x.size());
    if (key == nullptr) {
        return fail(ErrorKind::invalid, "a key of Ed25519 has 32 bytes");
    }
    return PublicKey(Kind::ed25519, {key, EVP_PKEY_free});
}

Result<PublicKey> PublicKey::from_library(std::shared_ptr<evp_pkey_st> key) {
    const ErrorsCleared cleared;
    if (key == nullptr) {
        return fail(ErrorKind::invalid, "a key that can't be read");
    }
    if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) {
        return PublicKey(Kind::ed25519, std::move(key));
    }
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
        BIGNUM* n = nullptr;
        BIGNUM* e = nullptr;
        const bool read = EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                          EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &e) == 1;
        const BigNumber modulus(n);
        const BigNumber exponent(e);
        if (!read) {
            return fail(ErrorKind::invalid, "a key that can't be read");
        }
        HELIOS_TRY(check_rsa(modulus.get(), exponent.get()));
        return PublicKey(Kind::rsa, std::move(key));
    }
    char group[32] = "";
    if (EVP_PKEY_is_a(key.get(), "EC") == 1 &&
        EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) == 1 &&
        std::string_view(group) == "prime256v1") {
        return PublicKey(Kind::p256, std::move(key));
    }
    return fail(ErrorKind::invalid, "a key that is neither RSA nor P-256 nor Ed25519");
}

bool PublicKey::verifies(Scheme scheme, std::string_view message,
                         std::string_view signature) const {
    const ErrorsCleared cleared;
    switch (scheme) {
        case Scheme::rsa_sha1:
            return kind_ == Kind::rsa && digest_verifies(key_.get(), "SHA1", message, signature);
        case Scheme::rsa_sha256:
            return kind_ == Kind::rsa && digest_verifies(key_.get(), "SHA256", message, signature);
        case Scheme::ecdsa_p256_sha256: {
            const std::string der = der_of(signature);
            return kind_ == Kind::p256 && !der.empty() &&
                   digest_verifies(key_.get(), "SHA256", message, der);
        }
        case Scheme::ed25519:
            return kind_ == Kind::ed25519 &&
                   digest_verifies(key_.get(), nullptr, message, signature);
    }
    return false;
}

}  // namespace helios::auth
