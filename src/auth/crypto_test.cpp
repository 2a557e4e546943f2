#include "auth/crypto.h"

#include <gtest/gtest.h>

#include "auth/certificate.h"
#include "auth/test_kit.h"
#include "base/hash.h"

namespace helios::auth {
namespace {

using testing::library_has_errors;
using testing::rsa_key;
using testing::SigningKey;

TEST(Crypto, hmac_as_rfc_4231_has_it) {
    const std::string key(20, '\x0b');
    EXPECT_EQ(to_hex(hmac_sha256(key, {"Hi There"})),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_sha256(key, {"Hi", "", " ", "There"}), hmac_sha256(key, {"Hi There"}));
    EXPECT_EQ(to_hex(hmac_sha256("Jefe", {"what do ya want for nothing?"})),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                                 {"Test Using Larger Than Block-Size Key - Hash Key First"})),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Crypto, an_empty_key_is_not_the_key_before) {
    const std::string of_nothing = hmac_sha256("", {"text"});
    static_cast<void>(hmac_sha256("another", {"text"}));
    EXPECT_EQ(hmac_sha256("", {"text"}), of_nothing);
    EXPECT_NE(hmac_sha256("another", {"text"}), of_nothing);
}

TEST(Crypto, a_key_fits_its_own_schemes_only) {
    const std::string message = "message";
    const SigningKey p256 = SigningKey::p256();
    const SigningKey ed25519 = SigningKey::ed25519();
    const PublicKey keys[] = {rsa_key().public_key(), p256.public_key(), ed25519.public_key()};
    const std::pair<Scheme, std::string> signatures[] = {
        {Scheme::rsa_sha256, rsa_key().sign(message, "SHA256")},
        {Scheme::rsa_sha1, rsa_key().sign(message, "SHA1")},
        {Scheme::ecdsa_p256_sha256, p256.sign_token(message)},
        {Scheme::ed25519, ed25519.sign_token(message)}};
    int held = 0;
    for (const PublicKey& key : keys) {
        for (const Scheme scheme :
             {Scheme::rsa_sha256, Scheme::rsa_sha1, Scheme::ecdsa_p256_sha256, Scheme::ed25519}) {
            for (const auto& [of, signature] : signatures) {
                const bool verified = key.verifies(scheme, message, signature);
                EXPECT_TRUE(!verified || scheme == of);
                held += verified ? 1 : 0;
            }
        }
    }
    EXPECT_EQ(held, 4);
}

TEST(Crypto, a_signature_of_p256_has_one_length) {
    const SigningKey signer = SigningKey::p256();
    const PublicKey key = signer.public_key();
    const std::string signature = signer.sign_token("message");
    ASSERT_TRUE(key.verifies(Scheme::ecdsa_p256_sha256, "message", signature));
    for (const std::string& other :
         {signer.sign("message", "SHA256"), signature.substr(1), signature + "x", std::string(),
          std::string(64, '\0'), std::string(64, '\xff'), signature.substr(0, 32)}) {
        EXPECT_FALSE(key.verifies(Scheme::ecdsa_p256_sha256, "message", other));
    }
}

TEST(Crypto, no_error_is_left_for_whoever_comes_next) {
    const PublicKey rsa = rsa_key().public_key();
    const PublicKey p256 = SigningKey::p256().public_key();
    const PublicKey ed25519 = SigningKey::ed25519().public_key();
    ASSERT_FALSE(library_has_errors());
    for (const std::string& bad : {std::string(), std::string(32, '\xff'), std::string(64, '\xff'),
                                   std::string(256, '\xff'), std::string(8192, '\xff')}) {
        static_cast<void>(PublicKey::rsa(bad, bad));
        static_cast<void>(PublicKey::rsa(std::string(256, '\xab'), bad));
        static_cast<void>(PublicKey::p256(bad, bad));
        static_cast<void>(PublicKey::ed25519(bad));
        EXPECT_FALSE(library_has_errors()) << bad.size();
        static_cast<void>(rsa.verifies(Scheme::rsa_sha256, "message", bad));
        static_cast<void>(p256.verifies(Scheme::ecdsa_p256_sha256, "message", bad));
        static_cast<void>(ed25519.verifies(Scheme::ed25519, "message", bad));
        EXPECT_FALSE(library_has_errors()) << bad.size();
    }
    for (const char* bad : {"", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                            "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"}) {
        EXPECT_FALSE(Certificate::parse(bad));
        EXPECT_FALSE(TrustedRoots::parse(bad));
        EXPECT_FALSE(library_has_errors()) << bad;
    }
}

}  // namespace
}  // namespace helios::auth
