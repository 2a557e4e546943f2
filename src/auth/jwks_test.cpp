#include "auth/jwks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "auth/test_kit.h"
#include "base/hash.h"

namespace helios::auth {
namespace {

using testing::rsa_key;
using testing::SigningKey;

std::string set_of(std::initializer_list<std::string> keys) {
    std::string out = "{\"keys\":[";
    for (const auto& key : keys) {
        out += (out.ends_with('[') ? "" : ",") + key;
    }
    return out + "]}";
}

/// An RSA key of that modulus and exponent, without a private one.
std::string rsa_jwk(std::string_view modulus, std::string_view exponent) {
    return fmt::format(R"({{"kid":"k","kty":"RSA","n":"{}","e":"{}"}})", base64url_encode(modulus),
                       base64url_encode(exponent));
}
std::string odd_modulus(std::size_t bytes) {
    std::string out(bytes, '\xab');
    return out;
}

TEST(Jwks, each_kind_is_for_its_algorithm) {
    const auto jwks =
        parse_jwks(set_of({rsa_key().jwk("r", R"(,"use":"sig","alg":"RS256")"),
                           SigningKey::p256().jwk("e", R"(,"key_ops":["verify"])"),
                           SigningKey::ed25519().jwk("o", R"(,"alg":"EdDSA","x5t":"AAAA")")}));
    ASSERT_TRUE(jwks) << jwks.error().message();
    ASSERT_EQ(jwks->keys.keys().size(), 3u);
    EXPECT_EQ(jwks->keys.keys()[0].algorithm, Algorithm::rs256);
    EXPECT_EQ(jwks->keys.keys()[1].algorithm, Algorithm::es256);
    EXPECT_EQ(jwks->keys.keys()[2].algorithm, Algorithm::eddsa);
    EXPECT_TRUE(jwks->keys.has("e"));
    EXPECT_FALSE(jwks->keys.has("E"));
    EXPECT_TRUE(jwks->skipped.empty());
}

TEST(Jwks, what_is_for_something_else_is_skipped_and_said) {
    const std::string good = rsa_key().jwk("good");
    const std::string ec = SigningKey::p256().jwk("ec");
    for (const std::string& other :
         {rsa_key().jwk("x", R"(,"use":"enc")"), rsa_key().jwk("x", R"(,"use":null)"),
          rsa_key().jwk("x", R"(,"key_ops":["sign"])"), rsa_key().jwk("x", R"(,"key_ops":[])"),
          rsa_key().jwk("x", R"(,"key_ops":"verify")"), rsa_key().jwk("x", R"(,"alg":"RS512")"),
          rsa_key().jwk("x", R"(,"alg":"HS256")"), rsa_key().jwk("x", R"(,"alg":7)"),
          std::string(
              R"({"kid":"x","kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})"),
          std::string(R"({"kid":"x","kty":"RSA"})"), std::string(R"({"kid":"x"})"),
          std::string("7"), std::string(R"({"kid":7,"kty":"RSA"})"),
          std::string(R"({"kid":"x","kty":"EC","crv":"P-384","x":"AA","y":"AA"})"),
          std::string(R"({"kid":"x","kty":"OKP","crv":"X25519","x":"AA"})"),
          std::string(R"({"kid":"x","kty":"PQC"})")}) {
        const auto jwks = parse_jwks(set_of({other, good}));
        ASSERT_TRUE(jwks) << other;
        EXPECT_EQ(jwks->keys.keys().size(), 1u) << other;
        EXPECT_EQ(jwks->skipped.size(), 1u) << other;
        EXPECT_FALSE(parse_jwks(set_of({other}))) << other;
    }
}

TEST(Jwks, weak_and_damaged_keys_are_none) {
    const std::string e("\x01\x00\x01", 3);
    EXPECT_TRUE(parse_jwks(set_of({rsa_jwk(odd_modulus(256), e)})));
    EXPECT_TRUE(parse_jwks(set_of({rsa_jwk(std::string(1, '\0') + odd_modulus(256), e)})));
    EXPECT_TRUE(parse_jwks(set_of({rsa_jwk(odd_modulus(256), "\x03")})));
    for (const std::string& weak :
         {rsa_jwk(odd_modulus(255), e), rsa_jwk(odd_modulus(128), e),
          rsa_jwk(std::string(200, '\0') + odd_modulus(128), e), rsa_jwk(odd_modulus(2048), e),
          rsa_jwk(odd_modulus(4096), e), rsa_jwk(odd_modulus(256), "\x01"),
          rsa_jwk(odd_modulus(256), "\x02"), rsa_jwk(odd_modulus(256), std::string(1, '\0')),
          rsa_jwk(odd_modulus(256), std::string(9, '\x01')),
          rsa_jwk(odd_modulus(255) + "\x02", e)}) {
        EXPECT_FALSE(parse_jwks(set_of({weak}))) << weak;
    }
    const std::string aa = base64url_encode(std::string(32, '\xaa'));
    const std::string big = base64url_encode(std::string(32, '\xff'));
    const auto ec = [](const std::string& x, const std::string& y) {
        return set_of({fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}})", x, y)});
    };
    EXPECT_FALSE(parse_jwks(ec(aa, aa)));    // not on the curve
    EXPECT_FALSE(parse_jwks(ec(big, big)));  // beyond its field
    EXPECT_FALSE(parse_jwks(ec(aa, "")));
    const std::string zero = base64url_encode(std::string(32, '\0'));
    EXPECT_FALSE(parse_jwks(ec(zero, zero)));
    EXPECT_FALSE(parse_jwks(
        set_of({R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url_encode("short") + "\"}"})));
}

TEST(Jwks, a_document_that_is_none_is_invalid) {
    const std::string key = rsa_key().jwk("k");
    for (const std::string& wrong :
         {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
          std::string(R"({"keys":[]})"), set_of({key}) + "x",
          std::string(R"({"keys":[],"keys":[)") + key + "]}",
          set_of({R"({"kty":"RSA","kty":"RSA"})", key})}) {
        EXPECT_FALSE(parse_jwks(wrong)) << wrong.substr(0, 80);
    }
    std::string padded = key;
    padded.replace(padded.find("AQAB"), 4, "AQAB=");
    EXPECT_FALSE(parse_jwks(set_of({padded})));
}

TEST(Jwks, has_a_bound) {
    EXPECT_FALSE(parse_jwks(std::string(10 << 20, ' ')));
    EXPECT_FALSE(parse_jwks(std::string(10 << 20, '[')));
    std::string many = "{\"keys\":[";
    for (std::size_t i = 0; i <= jwks_keys_max; ++i) {
        many += "{},";
    }
    many += rsa_key().jwk("k") + "]}";
    EXPECT_FALSE(parse_jwks(many));
    EXPECT_FALSE(parse_jwks(R"({"keys":)" + std::string(1000, '[') + std::string(1000, ']') + "}"));
}

}  // namespace
}  // namespace helios::auth
