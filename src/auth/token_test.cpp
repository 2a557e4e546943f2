#include "auth/token.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "auth/jwks.h"
#include "auth/test_kit.h"

namespace helios::auth {
namespace {

using testing::rsa_key;
using testing::SigningKey;
using testing::token_of;
using testing::unsigned_token;

const Instant now = from_nanos(1'796'040'000'000'000'000);
const std::string good_claims =
    R"({"iss":"https://issuer","aud":"helios","sub":"ann","exp":1796043600,"iat":1796039990})";
const std::string secret(32, 's');

TokenRules rules_for(std::vector<Algorithm> algorithms) {
    TokenRules rules;
    rules.algorithms = std::move(algorithms);
    rules.issuers = {"https://issuer"};
    rules.audiences = {"helios", "https://helios.example/hook"};
    return rules;
}

KeySet shared() {
    KeySet keys;
    EXPECT_TRUE(keys.add_shared_secret(secret));
    return keys;
}

std::expected<VerifiedToken, Proof> verify(std::string_view text, const TokenRules& rules,
                                           const KeySet& keys, Instant at = now) {
    auto token = UnverifiedToken::parse(text);
    if (!token) {
        return std::unexpected(token.error());
    }
    return verify_token(*std::move(token), rules, keys, at);
}

/// "held", "forged", or why refused.
std::string outcome(const std::expected<VerifiedToken, Proof>& verified) {
    if (verified) {
        return "held";
    }
    return std::string(verified.error().kind == Proof::Kind::refused
                           ? to_string(verified.error().refusal)
                           : to_string(verified.error().kind));
}

/// Of claims signed with the shared secret.
std::string claims_outcome(std::string_view claims,
                           TokenRules rules = rules_for({Algorithm::hs256}), Instant at = now) {
    return outcome(verify(token_of(R"({"alg":"HS256"})", claims, secret), rules, shared(), at));
}
std::string with_claim(std::string_view more) {
    return fmt::format(R"({{"iss":"https://issuer","aud":"helios",{}}})", more);
}
std::string header_outcome(std::string_view header) {
    return outcome(
        verify(token_of(header, good_claims, secret), rules_for({Algorithm::hs256}), shared()));
}

// ---- the documents' own examples
// ------------------------------------------------------------------

const std::string rfc_claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
const Instant rfc_time = from_nanos(1'300'819'000'000'000'000);

TokenRules rfc_rules(Algorithm algorithm) {
    TokenRules rules;
    rules.algorithms = {algorithm};
    rules.issuers = {"joe"};
    return rules;
}

TEST(Token, rfc_7515_a1_hs256) {
    KeySet keys;
    ASSERT_TRUE(keys.add_shared_secret(
        *decode_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUu"
                          "TwjAzZr1Z9CAow")));
    const std::string token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc_claims +
                              ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const auto verified = verify(token, rfc_rules(Algorithm::hs256), keys, rfc_time);
    ASSERT_TRUE(verified) << verified.error().text;
    EXPECT_TRUE(verified->claim("http://example.com/is_root").boolean());
    EXPECT_EQ(outcome(verify(token, rfc_rules(Algorithm::hs256), keys, now)), "expired");
}

TEST(Token, rfc_7515_a2_rs256) {
    const auto jwks = parse_jwks(
        R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
        R"(HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s)"
        R"(oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmt)"
        R"(dVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91)"
        R"(kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]})");
    ASSERT_TRUE(jwks) << jwks.error().message();
    const std::string token =
        "eyJhbGciOiJSUzI1NiJ9." + rfc_claims +
        ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2"
        "Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQ"
        "BMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6Ie"
        "YI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    EXPECT_EQ(outcome(verify(token, rfc_rules(Algorithm::rs256), jwks->keys, rfc_time)), "held");
}

TEST(Token, rfc_7515_a3_es256) {
    const auto jwks = parse_jwks(
        R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    ASSERT_TRUE(jwks) << jwks.error().message();
    const std::string token = "eyJhbGciOiJFUzI1NiJ9." + rfc_claims +
                              ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApm"
                              "WQxfKTUJqPP3-Kg6NU1Q";
    EXPECT_EQ(outcome(verify(token, rfc_rules(Algorithm::es256), jwks->keys, rfc_time)), "held");
}

TEST(Token, rfc_8037_a4_eddsa) {
    const auto jwks = parse_jwks(
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    ASSERT_TRUE(jwks) << jwks.error().message();
    // Its payload is a sentence, so it is no token: the signature alone.
    EXPECT_TRUE(jwks->keys.keys().front().verifies(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        *decode_base64url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7"
                          "sVvpAr_MuM0KAg")));
}

// ---- algorithms and keys
// ---------------------------------------------------------------------------

TEST(Token, each_algorithm_holds_with_its_own_key_only) {
    struct Case {
        SigningKey key;
        Algorithm algorithm;
    };
    const Case cases[] = {{rsa_key(), Algorithm::rs256},
                          {SigningKey::p256(), Algorithm::es256},
                          {SigningKey::ed25519(), Algorithm::eddsa}};
    for (const auto& signer : cases) {
        const std::string header =
            fmt::format(R"({{"alg":"{}","kid":"k"}})", to_string(signer.algorithm));
        const std::string token = token_of(header, good_claims, signer.key);
        for (const auto& held : cases) {
            KeySet keys;
            keys.add(held.key.public_key(), "k");
            const bool same = signer.algorithm == held.algorithm;
            EXPECT_EQ(outcome(verify(token, rules_for({signer.algorithm}), keys)),
                      same ? "held" : "algorithm");
            EXPECT_EQ(outcome(verify(token, rules_for({Algorithm::hs256}), keys)), "algorithm");
        }
    }
}

TEST(Token, none_is_always_refused) {
    for (const std::string alg : {"none", "None", "NONE", "nOnE", "", "HS512", "hs256", "RS256 "}) {
        const std::string header = fmt::format(R"({{"alg":"{}"}})", alg);
        const auto all =
            rules_for({Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa});
        EXPECT_EQ(outcome(verify(unsigned_token(header, good_claims) + ".", all, shared())),
                  "algorithm")
            << alg;
        EXPECT_EQ(outcome(verify(token_of(header, good_claims, secret), all, shared())),
                  "algorithm")
            << alg;
    }
    EXPECT_EQ(header_outcome(R"({"alg":null})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":["HS256"]})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"typ":"JWT"})"), "malformed");
}

TEST(Token, a_public_key_is_never_a_shared_secret) {
    KeySet keys;
    keys.add(rsa_key().public_key(), "k");
    const auto rules = rules_for({Algorithm::rs256, Algorithm::hs256});
    const std::string header = R"({"alg":"HS256","kid":"k"})";
    for (const std::string& as_secret :
         {rsa_key().public_pem(), rsa_key().jwk("k"), std::string("k")}) {
        EXPECT_EQ(outcome(verify(token_of(header, good_claims, as_secret), rules, keys)),
                  "algorithm");
        KeySet both = keys;
        ASSERT_TRUE(both.add_shared_secret(secret));
        EXPECT_EQ(outcome(verify(token_of(header, good_claims, as_secret), rules, both)),
                  "wrong_signature");
    }
}

TEST(Token, a_kid_is_compared_and_nothing_else) {
    KeySet keys;
    keys.add(rsa_key().public_key(), "k1");
    keys.add(testing::other_rsa_key().public_key(), "k2");
    const auto rules = rules_for({Algorithm::rs256});
    const auto of = [&](std::string_view kid) {
        return outcome(verify(
            token_of(fmt::format(R"({{"alg":"RS256","kid":"{}"}})", kid), good_claims, rsa_key()),
            rules, keys));
    };
    EXPECT_EQ(of("k1"), "held");
    EXPECT_EQ(of("k2"), "forged");
    for (const char* hostile : {"../../../../dev/null", "/dev/null", "k1' OR '1'='1",
                                "https://evil.example/jwks", "", "k1\\u0000", "K1", "k1 "}) {
        EXPECT_EQ(of(hostile), "unknown_key") << hostile;
    }
    EXPECT_EQ(of(std::string(257, 'k')), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","kid":1})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","kid":null})"), "malformed");
}

TEST(Token, keys_that_a_token_brings_along_are_not_looked_at) {
    KeySet keys;
    keys.add(rsa_key().public_key(), "k");
    const SigningKey& theirs = testing::other_rsa_key();
    const std::string header =
        R"({"alg":"RS256","kid":"k","jku":"https://evil.example/keys","x5u":"https://evil.example/",)"
        R"("x5c":["AAAA"],"jwk":)" +
        theirs.jwk("k") + "}";
    EXPECT_EQ(
        outcome(verify(token_of(header, good_claims, theirs), rules_for({Algorithm::rs256}), keys)),
        "forged");
    EXPECT_EQ(outcome(verify(token_of(header, good_claims, rsa_key()),
                             rules_for({Algorithm::rs256}), keys)),
              "held");
}

TEST(Token, without_a_kid_one_key_serves_and_several_do_not) {
    const std::string token = token_of(R"({"alg":"RS256"})", good_claims, rsa_key());
    KeySet keys;
    EXPECT_EQ(outcome(verify(token, rules_for({Algorithm::rs256}), keys)), "unknown_key");
    keys.add(SigningKey::p256().public_key(), "of another algorithm");
    keys.add(rsa_key().public_key(), "k1");
    EXPECT_EQ(outcome(verify(token, rules_for({Algorithm::rs256}), keys)), "held");
    EXPECT_EQ(outcome(verify(token_of(R"({"alg":"RS256"})", good_claims, testing::other_rsa_key()),
                             rules_for({Algorithm::rs256}), keys)),
              "wrong_signature");  // perhaps of a key that came since: it may heal
    keys.add(testing::other_rsa_key().public_key(), "k2");
    EXPECT_EQ(outcome(verify(token, rules_for({Algorithm::rs256}), keys)), "unknown_key");
}

TEST(Token, any_shared_secret_of_the_list_serves) {
    KeySet keys;
    ASSERT_TRUE(keys.add_shared_secret(std::string(32, 'o')));
    ASSERT_TRUE(keys.add_shared_secret(secret));
    const auto rules = rules_for({Algorithm::hs256});
    EXPECT_EQ(
        outcome(verify(token_of(R"({"alg":"HS256","kid":"x"})", good_claims, secret), rules, keys)),
        "held");
    EXPECT_EQ(outcome(verify(token_of(R"({"alg":"HS256"})", good_claims, std::string(32, 'z')),
                             rules, keys)),
              "wrong_signature");
    EXPECT_FALSE(keys.add_shared_secret(std::string(31, 'x')));
    EXPECT_EQ(keys.add_shared_secret("hunter2").error().message().find("hunter2"),
              std::string::npos);
}

TEST(Token, a_changed_token_does_not_hold) {
    KeySet keys;
    keys.add(rsa_key().public_key(), "k");
    const std::string token = token_of(R"({"alg":"RS256","kid":"k"})", good_claims, rsa_key());
    const auto rules = rules_for({Algorithm::rs256});
    ASSERT_EQ(outcome(verify(token, rules, keys)), "held");
    for (std::size_t i = 0; i < token.size(); i += 3) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_NE(outcome(verify(changed, rules, keys)), "held") << i;
    }
    EXPECT_NE(outcome(verify(token.substr(0, token.size() - 4), rules, keys)), "held");
}

// ---- form
// ------------------------------------------------------------------------------------------

TEST(Token, has_one_spelling) {
    const std::string token = token_of(R"({"alg":"HS256"})", good_claims, secret);
    const auto rules = rules_for({Algorithm::hs256});
    ASSERT_EQ(outcome(verify(token, rules, shared())), "held");
    for (const std::string& other :
         {token + "=", token + "==", " " + token, token + " ", token + "\n", token + ".",
          token + ".x", "." + token, std::string("a.b"), std::string(), std::string(".."),
          std::string("..."), token.substr(token.find('.') + 1),
          unsigned_token(R"({"alg":"HS256"})", good_claims) + "==." + "AAAA"}) {
        EXPECT_NE(outcome(verify(other, rules, shared())), "held") << other;
    }
    // 32 bytes end in a character with two bits over: three further characters would decode alike.
    std::string non_canonical = token;
    non_canonical.back() = static_cast<char>(non_canonical.back() + 1);
    EXPECT_EQ(outcome(verify(non_canonical, rules, shared())), "malformed");
    std::string standard = token_of(R"({"alg":"HS256","x":"??>>"})", good_claims, secret);
    ASSERT_NE(standard.find_first_of("-_"), std::string::npos);
    ASSERT_EQ(outcome(verify(standard, rules, shared())), "held");
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    EXPECT_EQ(outcome(verify(standard, rules, shared())), "malformed");
}

TEST(Token, has_a_bound) {
    const auto of = [](std::size_t fill) {
        return claims_outcome(
            with_claim(fmt::format(R"("exp":1796043600,"x":"{}")", std::string(fill, 'x'))));
    };
    EXPECT_EQ(of(5'000), "held");
    EXPECT_EQ(of(8'000), "malformed");
    EXPECT_EQ(outcome(verify(std::string(10 << 20, '.'), rules_for({Algorithm::hs256}), shared())),
              "malformed");
}

TEST(Token, says_nothing_twice_at_any_depth) {
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","alg":"HS256"})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","\u0061lg":"none"})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","jwk":{"kty":"oct","kty":"RSA"}})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","x":[[{"a":1,"a":2}]]})"), "malformed");
    EXPECT_EQ(claims_outcome(with_claim(R"("exp":1796043600,"exp":1)")), "malformed");
    EXPECT_EQ(claims_outcome(with_claim(R"("exp":1796043600,"x":{"a":1,"a":1})")), "malformed");
}

TEST(Token, relies_on_no_extension) {
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","crit":["exp"],"exp":1})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","crit":[]})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","crit":null})"), "malformed");
    EXPECT_EQ(header_outcome(R"({"alg":"HS256","b64":false})"), "malformed");
}

TEST(Token, is_of_json_objects) {
    for (const char* header : {"", "{", "[]", "\"HS256\"", "null", "{\"alg\":\"HS256\"} x"}) {
        EXPECT_EQ(header_outcome(header), "malformed") << header;
    }
    for (const char* claims : {"", "[]", "1", "{\"exp\":1796043600", "{\"a\":\"\xff\"}"}) {
        EXPECT_EQ(claims_outcome(claims), "malformed") << claims;
    }
    EXPECT_EQ(claims_outcome(std::string(200, '[') + std::string(200, ']')), "malformed");
}

// ---- claims
// ----------------------------------------------------------------------------------------

TEST(Token, ends_when_it_says_so_with_a_minute_of_leeway) {
    const std::string claims = with_claim(R"("exp":1796040000)");
    const auto at = [&](std::int64_t seconds) {
        return claims_outcome(claims, rules_for({Algorithm::hs256}),
                              now + std::chrono::seconds(seconds));
    };
    EXPECT_EQ(at(0), "held");
    EXPECT_EQ(at(59), "held");
    EXPECT_EQ(at(60), "expired");
    EXPECT_EQ(at(600), "expired");
    EXPECT_EQ(claims_outcome(with_claim(R"("x":1)")), "claim");
}

TEST(Token, begins_when_it_says_so_with_a_minute_of_leeway) {
    for (const char* name : {"nbf", "iat"}) {
        const std::string claims =
            with_claim(fmt::format(R"("exp":1796047200,"{}":1796040000)", name));
        const auto at = [&](std::int64_t seconds) {
            return claims_outcome(claims, rules_for({Algorithm::hs256}),
                                  now + std::chrono::seconds(seconds));
        };
        EXPECT_EQ(at(-60), "held") << name;
        EXPECT_EQ(at(-61), "too_early") << name;
    }
}

TEST(Token, has_dates_that_are_dates) {
    for (const char* good : {"1796043600", "1796043600.5", "1.7960436e9", "1796039941.000000001",
                             "9007199254740992", "99999999999"}) {
        EXPECT_EQ(claims_outcome(with_claim(fmt::format(R"("exp":{})", good))), "held") << good;
    }
    for (const char* wrong : {"-1", "-1796043600", "9007199254740993", "1e300", "\"1796043600\"",
                              "null", "true", "[1796043600]", "{}"}) {
        EXPECT_EQ(claims_outcome(with_claim(fmt::format(R"("exp":{})", wrong))), "claim") << wrong;
        EXPECT_EQ(claims_outcome(with_claim(fmt::format(R"("exp":1796043600,"nbf":{})", wrong))),
                  "claim")
            << wrong;
    }
    for (const char* no_json : {"NaN", "Infinity", "01", "0x6b0d8c10", "+1796043600"}) {
        EXPECT_EQ(claims_outcome(with_claim(fmt::format(R"("exp":{})", no_json))), "malformed")
            << no_json;
    }
    EXPECT_EQ(claims_outcome(with_claim(R"("exp":0)")), "expired");
    EXPECT_EQ(claims_outcome(with_claim(R"("exp":-0)")), "expired");
}

TEST(Token, is_of_a_listed_issuer) {
    for (const char* wrong : {"https://issuer/", "HTTPS://ISSUER", "", "https://other"}) {
        EXPECT_EQ(
            claims_outcome(fmt::format(R"({{"iss":"{}","aud":"helios","exp":1796043600}})", wrong)),
            "issuer")
            << wrong;
    }
    EXPECT_EQ(claims_outcome(R"({"aud":"helios","exp":1796043600})"), "issuer");
    EXPECT_EQ(claims_outcome(R"({"iss":["https://issuer"],"aud":"helios","exp":1796043600})"),
              "issuer");
    auto rules = rules_for({Algorithm::hs256});
    rules.issuers = std::vector<std::string>();
    EXPECT_EQ(claims_outcome(good_claims, rules), "issuer");  // an empty list admits nobody
    rules.issuers = std::nullopt;
    EXPECT_EQ(claims_outcome(R"({"aud":"helios","exp":1796043600})", rules), "held");
}

TEST(Token, is_for_us) {
    const auto of = [](std::string_view audience) {
        return claims_outcome(
            fmt::format(R"({{"iss":"https://issuer","aud":{},"exp":1796043600}})", audience));
    };
    EXPECT_EQ(of(R"("helios")"), "held");
    EXPECT_EQ(of(R"("https://helios.example/hook")"), "held");
    EXPECT_EQ(of(R"(["other","helios"])"), "held");
    for (const char* wrong : {R"("Helios")", R"("other")", R"([])", R"(["other"])", "null",
                              R"("helios ")", R"({"a":"helios"})", "1"}) {
        EXPECT_EQ(of(wrong), "audience") << wrong;
    }
    EXPECT_EQ(of(R"(["helios",1])"), "claim");
    EXPECT_EQ(claims_outcome(R"({"iss":"https://issuer","exp":1796043600})"), "audience");
    auto rules = rules_for({Algorithm::hs256});
    rules.audiences = std::vector<std::string>();
    EXPECT_EQ(claims_outcome(good_claims, rules), "audience");  // an empty list admits nobody
    rules.audiences = std::nullopt;
    EXPECT_EQ(claims_outcome(good_claims, rules), "audience");  // it is for somebody, not for us
    EXPECT_EQ(claims_outcome(R"({"iss":"https://issuer","exp":1796043600})", rules), "held");
}

TEST(Token, may_have_to_be_of_a_type) {
    auto rules = rules_for({Algorithm::hs256});
    rules.types = {"at+jwt"};
    const auto of = [&](std::string_view header) {
        return outcome(verify(token_of(header, good_claims, secret), rules, shared()));
    };
    EXPECT_EQ(of(R"({"alg":"HS256","typ":"at+jwt"})"), "held");
    EXPECT_EQ(of(R"({"alg":"HS256","typ":"application/AT+JWT"})"), "held");
    EXPECT_EQ(of(R"({"alg":"HS256","typ":"JWT"})"), "claim");
    EXPECT_EQ(of(R"({"alg":"HS256"})"), "claim");
}

TEST(Token, claims_of_a_token_that_does_not_hold_are_not_judged) {
    const std::string expired = with_claim(R"("exp":1)");
    EXPECT_EQ(outcome(verify(token_of(R"({"alg":"HS256"})", expired, std::string(32, 'z')),
                             rules_for({Algorithm::hs256}), shared())),
              "wrong_signature");
}

TEST(Token, no_text_repeats_the_token) {
    const std::string token = token_of(R"({"alg":"HS256"})", with_claim(R"("exp":1)"), secret);
    for (const std::string& text : {token, token + "=", token.substr(0, 60)}) {
        const auto verified = verify(text, rules_for({Algorithm::hs256}), shared());
        ASSERT_FALSE(verified);
        EXPECT_EQ(verified.error().text.find(token.substr(0, 12)), std::string::npos);
        EXPECT_EQ(verified.error().text.find(token.substr(token.size() - 12)), std::string::npos);
    }
}

}  // namespace
}  // namespace helios::auth
