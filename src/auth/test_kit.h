#pragma once
/// Keys, tokens and certificates made while the test runs: no key lies in the tree.

#include <chrono>
#include <initializer_list>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string>
#include <string_view>
#include <utility>

#include "auth/crypto.h"
#include "auth/encoding.h"
#include "base/assert.h"
#include "base/certificate_test_kit.h"
#include "base/hash.h"
#include "base/time.h"

namespace helios::auth::testing {

inline const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Whether a call has left anything in the library's queue of errors.
inline bool library_has_errors() {
    return ERR_peek_error() != 0;
}

/// A private key that signs as its kind does.
class SigningKey {
public:
    static SigningKey rsa(unsigned bits = 2048) { return SigningKey(EVP_RSA_gen(bits)); }
    static SigningKey p256() { return SigningKey(EVP_EC_gen("P-256")); }
    static SigningKey ed25519() {
        return SigningKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    }

    EVP_PKEY* get() const { return key_.get(); }

    /// As the library writes it: of P-256 in DER.
    std::string sign(std::string_view message, const char* digest) const {
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                         EVP_MD_CTX_free);
        std::size_t length = 1024;
        std::string out(length, '\0');
        const bool ok = EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr,
                                              get(), nullptr) == 1 &&
                        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()),
                                       &length, unsigned_bytes(message), message.size()) == 1;
        HELIOS_ASSERT(ok, "a test's key signs");
        out.resize(length);
        return out;
    }

    /// As a token has it.
    std::string sign_token(std::string_view message) const {
        if (is("ED25519")) {
            return sign(message, nullptr);
        }
        const std::string signature = sign(message, "SHA256");
        if (!is("EC")) {
            return signature;
        }
        const unsigned char* der = unsigned_bytes(signature);
        const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(
            d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(signature.size())), ECDSA_SIG_free);
        return fixed(ECDSA_SIG_get0_r(pair.get()), 32) + fixed(ECDSA_SIG_get0_s(pair.get()), 32);
    }

    /// The public half as a member of a key set; `more`: further members, ",\"use\":\"sig\"".
    std::string jwk(std::string_view kid, std::string_view more = "") const {
        std::string out = R"({"kid":")" + std::string(kid) + "\"";
        if (is("RSA")) {
            out += R"(,"kty":"RSA","n":")" + base64url_encode(number(OSSL_PKEY_PARAM_RSA_N)) +
                   R"(","e":")" + base64url_encode(number(OSSL_PKEY_PARAM_RSA_E)) + "\"";
        } else if (is("EC")) {
            out += R"(,"kty":"EC","crv":"P-256","x":")" +
                   base64url_encode(number(OSSL_PKEY_PARAM_EC_PUB_X, 32)) + R"(","y":")" +
                   base64url_encode(number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)) + "\"";
        } else {
            out += R"(,"kty":"OKP","crv":"Ed25519","x":")" + base64url_encode(raw_public()) + "\"";
        }
        return out.append(more).append("}");
    }

    PublicKey public_key() const {
        auto key =
            is("RSA") ? PublicKey::rsa(number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E))
            : is("EC") ? PublicKey::p256(number(OSSL_PKEY_PARAM_EC_PUB_X, 32),
                                         number(OSSL_PKEY_PARAM_EC_PUB_Y, 32))
                       : PublicKey::ed25519(raw_public());
        HELIOS_ASSERT(key.has_value(), "a test's key is one");
        return *key;
    }

    /// 32 bytes; Ed25519 only.
    std::string raw_public() const {
        std::string out(32, '\0');
        std::size_t length = out.size();
        EVP_PKEY_get_raw_public_key(get(), reinterpret_cast<unsigned char*>(out.data()), &length);
        return out;
    }

    /// The public half as PEM.
    std::string public_pem() const {
        const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
        PEM_write_bio_PUBKEY(out.get(), get());
        char* text = nullptr;
        const long length = BIO_get_mem_data(out.get(), &text);
        return {text, static_cast<std::size_t>(length)};
    }

private:
    explicit SigningKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {
        HELIOS_ASSERT(key != nullptr, "libcrypto makes a key");
    }
    bool is(const char* type) const { return EVP_PKEY_is_a(get(), type) == 1; }
    static std::string fixed(const BIGNUM* number, int width) {
        std::string out(static_cast<std::size_t>(width), '\0');
        BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), width);
        return out;
    }
    std::string number(const char* parameter, int width = 0) const {
        BIGNUM* number = nullptr;
        EVP_PKEY_get_bn_param(get(), parameter, &number);
        const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> held(number, BN_free);
        return fixed(number, width == 0 ? BN_num_bytes(number) : width);
    }

    std::shared_ptr<EVP_PKEY> key_;
};

/// One of each kind for all tests of a program: making an RSA key takes a while.
inline const SigningKey& rsa_key() {
    static const SigningKey key = SigningKey::rsa();
    return key;
}
inline const SigningKey& other_rsa_key() {
    static const SigningKey key = SigningKey::rsa();
    return key;
}

inline std::string unsigned_token(std::string_view header, std::string_view claims) {
    return base64url_encode(header) + "." + base64url_encode(claims);
}
inline std::string token_of(std::string_view header, std::string_view claims,
                            const SigningKey& key) {
    const std::string text = unsigned_token(header, claims);
    return text + "." + base64url_encode(key.sign_token(text));
}
inline std::string token_of(std::string_view header, std::string_view claims,
                            std::string_view secret) {
    const std::string text = unsigned_token(header, claims);
    return text + "." + base64url_encode(hmac_sha256(secret, {text}));
}

using helios::CertificateParts;

/// A certificate with its private key; issued by another, or by itself.
class Issued : public MadeCertificate {
public:
    Issued(const CertificateParts& parts, const SigningKey& key, const Issued* issuer = nullptr)
        : MadeCertificate(parts, key.get(), issuer), key_(key) {}

    const SigningKey& key() const { return key_; }

private:
    SigningKey key_;
};

}  // namespace helios::auth::testing
