#include "auth/claim_policies.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "auth/test_kit.h"

namespace helios::auth {
namespace {

const Instant now = from_nanos(1'796'040'000'000'000'000);
const std::string secret(32, 's');

/// The claims, signed with the RSA key under the rules.
template <class Rules, class Policy>
Proof judge(std::string_view claims, const Rules& rules, Policy policy) {
    KeySet keys;
    keys.add(testing::rsa_key().public_key(), "k");
    auto token = UnverifiedToken::parse(
        testing::token_of(R"({"alg":"RS256","kid":"k","typ":"JWT"})", claims, testing::rsa_key()));
    auto verified = verify_token(*std::move(token), token_rules(rules), keys, now);
    return verified ? policy(*verified, rules) : verified.error();
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    return text.replace(text.find(what), what.size(), with);
}

const GoogleRules google{.audiences = {"https://helios.example/push"},
                         .emails = {"push@shop.iam.gserviceaccount.com"},
                         .issuers = {}};
const std::string google_claims =
    R"({"aud":"https://helios.example/push","azp":"113774264463038321964",)"
    R"("email":"push@shop.iam.gserviceaccount.com","email_verified":true,)"
    R"("sub":"113774264463038321964","iat":1796039000,"exp":1796042600,)"
    R"("iss":"https://accounts.google.com"})";

Proof of_google(std::string_view claims, const GoogleRules& rules = google) {
    return judge(claims, rules, google_proof);
}

TEST(GoogleTokens, a_listed_service_account_holds) {
    EXPECT_EQ(of_google(google_claims).subject, "push@shop.iam.gserviceaccount.com");
    EXPECT_TRUE(of_google(replaced(google_claims, "https://accounts", "accounts")).is_held());
}

TEST(GoogleTokens, an_authentic_token_of_another_project_does_not) {
    EXPECT_EQ(of_google(replaced(google_claims, "push@shop", "push@evil")).refusal,
              Refusal::not_listed);
    EXPECT_EQ(of_google(replaced(google_claims, "push@shop", "Push@shop")).refusal,
              Refusal::not_listed);
    GoogleRules nobody = google;
    nobody.emails.clear();
    EXPECT_EQ(of_google(google_claims, nobody).refusal, Refusal::not_listed);
    nobody = google;
    nobody.audiences.clear();
    EXPECT_EQ(of_google(google_claims, nobody).refusal, Refusal::audience);
}

TEST(GoogleTokens, the_email_must_be_verified) {
    for (const char* wrong : {"false", "\"true\"", "1", "null"}) {
        EXPECT_EQ(of_google(replaced(google_claims, "\"email_verified\":true",
                                     fmt::format("\"email_verified\":{}", wrong)))
                      .refusal,
                  Refusal::claim)
            << wrong;
    }
    EXPECT_EQ(of_google(replaced(google_claims, "\"email_verified\":true,", "")).refusal,
              Refusal::claim);
    EXPECT_EQ(of_google(replaced(google_claims, "\"email\"", "\"mail\"")).refusal, Refusal::claim);
}

TEST(GoogleTokens, audience_issuer_and_algorithm_are_googles) {
    EXPECT_EQ(
        of_google(replaced(google_claims, "helios.example/push", "helios.example/push/")).refusal,
        Refusal::audience);
    EXPECT_EQ(of_google(replaced(google_claims, "accounts.google", "accounts.g00gle")).refusal,
              Refusal::issuer);
    EXPECT_EQ(token_rules(google).algorithms, std::vector<Algorithm>{Algorithm::rs256});
    GoogleRules emulator = google;
    emulator.issuers = {"http://127.0.0.1:9"};
    EXPECT_EQ(of_google(google_claims, emulator).refusal, Refusal::issuer);
}

constexpr std::string_view tenant = "0f7a1b2c-3d4e-5f60-7182-93a4b5c6d7e8";
const EntraRules entra{.tenant = std::string(tenant), .audiences = {"api://helios"}};
const std::string entra_claims =
    R"({"aud":"api://helios","iss":"https://login.microsoftonline.com/)" + std::string(tenant) +
    R"(/v2.0","iat":1796039000,"nbf":1796039000,"exp":1796042600,)"
    R"("azp":"4962773b-9cdb-44cf-a8bf-237846a00ab7","roles":["Other",)"
    R"("AzureEventGridSecureWebhookSubscriber"],"tid":")" +
    std::string(tenant) + R"(","ver":"2.0"})";

Proof of_entra(std::string_view claims, const EntraRules& rules = entra) {
    return judge(claims, rules, entra_proof);
}

TEST(EntraTokens, event_grid_of_the_tenant_holds) {
    EXPECT_EQ(of_entra(entra_claims).subject, "eventgrid@" + std::string(tenant));
    EXPECT_TRUE(of_entra(replaced(entra_claims, "4962773b-9cdb-44cf-a8bf-237846a00ab7",
                                  "54316b56-3481-47f9-8f30-0300f5542a7b"))
                    .is_held());
    const EntraRules upper{.tenant = "0F7A1B2C-3D4E-5F60-7182-93A4B5C6D7E8",
                           .audiences = {"api://helios"}};
    EXPECT_TRUE(of_entra(entra_claims, upper).is_held());
}

TEST(EntraTokens, version_1_names_its_client_otherwise) {
    const std::string version1 = replaced(
        replaced(entra_claims, "https://login.microsoftonline.com/" + std::string(tenant) + "/v2.0",
                 "https://sts.windows.net/" + std::string(tenant) + "/"),
        "\"azp\"", "\"appid\"");
    EXPECT_TRUE(of_entra(version1).is_held());
    EXPECT_EQ(of_entra(replaced(version1, "\"appid\"", "\"azp\"")).refusal, Refusal::not_listed);
    EXPECT_EQ(of_entra(replaced(entra_claims, "\"azp\"", "\"appid\"")).refusal,
              Refusal::not_listed);
}

TEST(EntraTokens, another_tenant_client_audience_or_role_does_not) {
    EXPECT_EQ(of_entra(replaced(entra_claims, "\"tid\":\"0f7a", "\"tid\":\"1f7a")).refusal,
              Refusal::not_listed);
    EXPECT_EQ(of_entra(replaced(entra_claims, "online.com/0f7a", "online.com/1f7a")).refusal,
              Refusal::issuer);
    EXPECT_EQ(of_entra(replaced(entra_claims, "4962773b", "4962773c")).refusal,
              Refusal::not_listed);
    EXPECT_EQ(of_entra(replaced(entra_claims, "api://helios", "api://other")).refusal,
              Refusal::audience);
    EXPECT_EQ(of_entra(replaced(entra_claims, "AzureEventGrid", "azureEventGrid")).refusal,
              Refusal::claim);
    EXPECT_EQ(of_entra(replaced(entra_claims, "\"roles\"", "\"scp\"")).refusal, Refusal::claim);
    EXPECT_FALSE(of_entra(entra_claims, {.tenant = "", .audiences = {"api://helios"}}).is_held());
}

TEST(EntraTokens, keys_are_of_the_tenant) {
    EXPECT_EQ(entra_jwks_url("ABC"), "https://login.microsoftonline.com/abc/discovery/v2.0/keys");
}

Proof of_operator(std::string_view claims) {
    KeySet keys;
    EXPECT_TRUE(keys.add_shared_secret(secret));
    auto token = UnverifiedToken::parse(testing::token_of(R"({"alg":"HS256"})", claims, secret));
    auto verified = verify_token(*std::move(token), operator_token_rules(), keys, now);
    return verified ? operator_proof(*verified) : verified.error();
}

TEST(OperatorTokens, say_role_and_sources) {
    const Proof op = of_operator(R"({"sub":"ann","role":"operator","exp":1796040100})");
    EXPECT_EQ(op.subject, "ann");
    EXPECT_EQ(op.roles, Roles{Role::operator_});
    EXPECT_FALSE(op.sources.has_value());
    const Proof sender = of_operator(R"({"sources":["aws","shop"],"exp":1796040100})");
    EXPECT_EQ(sender.roles, Roles{Role::sender});
    EXPECT_EQ(*sender.sources, (std::vector<std::string>{"aws", "shop"}));
    EXPECT_TRUE(of_operator(R"({"sources":[],"exp":1796040100})").sources->empty());
}

TEST(OperatorTokens, another_role_or_no_end_is_refused) {
    for (const char* role : {"\"admin\"", "\"Operator\"", "\"\"", "null", "[\"operator\"]"}) {
        EXPECT_EQ(of_operator(fmt::format(R"({{"role":{},"exp":1796040100}})", role)).refusal,
                  Refusal::claim)
            << role;
    }
    EXPECT_EQ(of_operator(R"({"role":"operator"})").refusal, Refusal::claim);
    for (const char* sources : {"\"aws\"", "{}", "[1]", "[\"\"]", "null", "[\"a\",[]]"}) {
        EXPECT_EQ(of_operator(fmt::format(R"({{"sources":{},"exp":1796040100}})", sources)).refusal,
                  Refusal::claim)
            << sources;
    }
}

}  // namespace
}  // namespace helios::auth
