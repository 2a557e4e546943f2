#include "auth/hmac_signature.h"

#include <gtest/gtest.h>
#include <map>
#include <vector>

#include "auth/crypto.h"
#include "auth/standard_webhooks.h"
#include "auth/test_kit.h"
#include "base/hash.h"

namespace helios::auth {
namespace {

using Kind = SignatureForm::Kind;

const Instant now = parse_rfc3339("2026-11-30T12:00:00.5Z")->at;
constexpr std::int64_t now_seconds = 1'796'040'000;
const std::vector<std::string> secrets{"the old secret", "the new secret"};
const std::string body = "{\"total\":\"12.50\",\"name\":\"Zoë\"}\r\n";

using Headers = std::map<std::string, std::string, std::less<>>;

Proof check(const SignatureForm& form, const Headers& headers, std::string_view content,
            const std::vector<std::string>& with = secrets, Instant at = now) {
    const SignedRequest request{[&](std::string_view name) -> std::optional<std::string_view> {
                                    const auto found = headers.find(name);
                                    return found == headers.end()
                                               ? std::nullopt
                                               : std::optional<std::string_view>(found->second);
                                },
                                content};
    return check_signature(form, request, with, at, "shop");
}

std::string code(std::string_view secret, std::string_view content) {
    return to_hex(hmac_sha256(secret, {content}));
}

std::string timed(std::int64_t seconds, std::string_view secret, std::string_view content) {
    const std::string t = std::to_string(seconds);
    return "t=" + t + ",v1=" + code(secret, t + "." + std::string(content));
}

Proof helios(std::string_view header, bool plain = false, std::string_view content = body) {
    return check_helios_signature(header, content, plain, secrets, now, "direct");
}

TEST(HmacSignature, now_is_what_the_tests_think) {
    EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count(),
              now_seconds);
}

TEST(HmacSignature, what_helios_signs_holds) {
    for (const std::string& content :
         {body, std::string(), std::string(1 << 20, 'x'), std::string("a\0b", 3)}) {
        for (const std::string& secret : secrets) {
            EXPECT_EQ(helios(helios_signature(secret, content, now), false, content).subject,
                      "direct");
        }
    }
}

TEST(HmacSignature, one_bit_more_or_less_does_not_hold) {
    const std::string header = helios_signature(secrets[0], body, now);
    for (std::size_t i = 0; i < body.size() * 8; ++i) {
        std::string changed = body;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        EXPECT_EQ(helios(header, false, changed).refusal, Refusal::wrong_signature) << i;
    }
    EXPECT_EQ(helios(helios_signature("another", body, now)).refusal, Refusal::wrong_signature);
}

TEST(HmacSignature, several_codes_are_for_a_rotation) {
    const std::string t = std::to_string(now_seconds);
    const std::string good = code(secrets[1], t + "." + body);
    const std::string bad(64, '0');
    EXPECT_TRUE(helios("t=" + t + ",v1=" + bad + ",v1=" + good).is_held());
    EXPECT_TRUE(helios("v1=" + good + ",t=" + t + ",v0=whatever").is_held());
    EXPECT_FALSE(helios("t=" + t + ",v1=" + bad + ",v1=" + bad).is_held());
    EXPECT_TRUE(helios("t=" + t + ",v1=no hex,v1=" + good + ",v1=").is_held())
        << "one that can't be read spoils no other";
    std::string many = "t=" + t;
    for (int i = 0; i < 100; ++i) {
        many += ",v1=" + bad;
    }
    EXPECT_EQ(helios(many).refusal, Refusal::malformed);
}

TEST(HmacSignature, the_window_is_300_seconds_either_way) {
    for (const std::int64_t off : {-300, -299, 0, 300}) {
        EXPECT_TRUE(helios(timed(now_seconds + off, secrets[0], body)).is_held()) << off;
    }
    for (const std::int64_t off : {-301, 301, -600, 600}) {
        EXPECT_EQ(helios(timed(now_seconds + off, secrets[0], body)).refusal,
                  Refusal::outside_window)
            << off;
    }
}

TEST(HmacSignature, a_header_that_is_none_is_malformed) {
    const std::string t = "t=" + std::to_string(now_seconds);
    const std::string good = ",v1=" + std::string(64, 'a');
    for (const std::string& wrong :
         {std::string(), std::string("v1=" + std::string(64, 'a')), t, t + ",v1=xyz",
          t + ",v1=", t + "," + t + good, "t=" + good, "t=1e9" + good, "t=-1" + good, "t=+1" + good,
          "t= 1" + good, "t=9999999999999999999" + good, t + good + ",", t + good + ",,",
          std::string(9'000, 'a'), t + ",v1" + good}) {
        const Proof proof = helios(wrong);
        EXPECT_EQ(proof.kind, Proof::Kind::refused) << wrong;
        EXPECT_TRUE(proof.refusal == Refusal::malformed ||
                    proof.refusal == Refusal::wrong_signature)
            << wrong << " " << proof.text;
    }
    EXPECT_EQ(check_helios_signature(std::nullopt, body, true, secrets, now, "x").kind,
              Proof::Kind::absent);
}

TEST(HmacSignature, the_plain_form_is_taken_only_where_it_is_allowed) {
    const std::string plain = code(secrets[1], body);
    EXPECT_TRUE(helios(plain, true).is_held());
    EXPECT_TRUE(helios(helios_signature(secrets[1], body, now), true).is_held());
    EXPECT_EQ(helios(plain, false).refusal, Refusal::malformed);
    EXPECT_EQ(helios(std::string(64, '0'), true).refusal, Refusal::wrong_signature);
    EXPECT_EQ(helios(std::string(64, 'g'), true).refusal, Refusal::malformed);
}

TEST(HmacSignature, no_text_repeats_a_secret_or_a_code) {
    for (const std::string& header : {timed(now_seconds, "wrong", body), timed(1, "wrong", body),
                                      std::string(64, 'd'), std::string("dddd")}) {
        const Proof proof = helios(header);
        EXPECT_EQ(proof.text.find("dddd"), std::string::npos);
        EXPECT_EQ(proof.text.find("secret "), std::string::npos) << proof.text;
    }
}

TEST(HmacSignature, github_as_published) {
    const auto form = published_form("github");
    ASSERT_TRUE(form);
    const std::vector<std::string> with{"It's a Secret to Everybody"};
    const std::string signature =
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    EXPECT_TRUE(
        check(*form, {{"x-hub-signature-256", "sha256=" + signature}}, "Hello, World!", with)
            .is_held());
    EXPECT_EQ(check(*form, {{"x-hub-signature-256", signature}}, "Hello, World!", with).refusal,
              Refusal::malformed);
    EXPECT_EQ(check(*form, {{"x-hub-signature", "sha1=00"}}, "Hello, World!", with).kind,
              Proof::Kind::absent);
}

TEST(HmacSignature, stripe_as_published) {
    const auto form = published_form("stripe");
    ASSERT_TRUE(form);
    const std::string header = timed(now_seconds, secrets[0], body) + ",v0=" + std::string(64, '6');
    EXPECT_EQ(check(*form, {{"stripe-signature", header}}, body).subject, "shop");
    EXPECT_FALSE(check(*form, {{"stripe-signature", header}}, body + " ").is_held());
    const std::string only_v0 =
        "t=" + std::to_string(now_seconds) + ",v0=" + code(secrets[0], body);
    EXPECT_EQ(check(*form, {{"stripe-signature", only_v0}}, body).refusal, Refusal::malformed);
}

TEST(HmacSignature, shopify_as_published) {
    const auto form = published_form("shopify");
    ASSERT_TRUE(form);
    const std::string good = base64_encode(hmac_sha256(secrets[0], {body}));
    EXPECT_TRUE(check(*form, {{"x-shopify-hmac-sha256", good}}, body).is_held());
    EXPECT_EQ(check(*form, {{"x-shopify-hmac-sha256", code(secrets[0], body)}}, body).kind,
              Proof::Kind::refused);
}

TEST(HmacSignature, a_form_without_what_it_needs_is_refused) {
    for (const char* name :
         {"helios", "stripe", "shopify", "github", "adyen", "standard_webhooks", "svix"}) {
        ASSERT_TRUE(published_form(name)) << name;
        EXPECT_TRUE(validate(*published_form(name))) << name;
    }
    EXPECT_FALSE(published_form("paypal"));
    EXPECT_FALSE(validate({.kind = Kind::hmac, .header = "", .prefix = ""}));
    EXPECT_FALSE(validate({.kind = Kind::hmac_timestamp, .header = "x", .prefix = ""}));
    EXPECT_FALSE(validate({.kind = Kind::hmac_timestamp, .header = "x", .prefix = "t"}));
    EXPECT_FALSE(validate({.kind = Kind::hmac, .header = "x", .prefix = "", .window = {}}));
}

class StandardWebhooks : public ::testing::Test {
protected:
    static Headers signed_by(std::string_view secret, std::string_view id, std::int64_t seconds,
                             std::string_view content) {
        const std::string timestamp = std::to_string(seconds);
        return {{"webhook-id", std::string(id)},
                {"webhook-timestamp", timestamp},
                {"webhook-signature", *standard_webhook_signature(secret, id, timestamp, content)}};
    }
    Proof check_with(const Headers& headers, std::string_view content) const {
        return check(form, headers, content, keys);
    }

    const SignatureForm form = *published_form("standard_webhooks");
    const std::vector<std::string> keys{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                        "whsec_" + base64_encode(std::string(32, 'n'))};
};

TEST_F(StandardWebhooks, as_published) {
    const Headers headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                          {"webhook-timestamp", "1614265330"},
                          {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
    const Instant then = from_nanos(1'614'265'330'000'000'000);
    EXPECT_TRUE(check(form, headers, R"({"test": 2432232314})", keys, then).is_held());
    EXPECT_EQ(check(form, headers, R"({"test": 2432232314})", keys, now).refusal,
              Refusal::outside_window);
    EXPECT_EQ(check(form, headers, R"({"test": 2432232315})", keys, then).refusal,
              Refusal::wrong_signature);
}

TEST_F(StandardWebhooks, any_secret_and_any_listed_signature_will_do) {
    for (const std::string& key : keys) {
        EXPECT_TRUE(check_with(signed_by(key, "msg_1", now_seconds, body), body).is_held());
    }
    Headers headers = signed_by(keys[0], "msg_1", now_seconds, body);
    std::string& list = headers["webhook-signature"];
    list = "v1," + base64_encode(std::string(32, 'x')) + " v2,whatever v1a,AAAA " + list;
    EXPECT_TRUE(check_with(headers, body).is_held());
    for (const char* other : {"v1,*** ", "v1, ", "nothing ", "v1a,=== "}) {
        headers = signed_by(keys[0], "msg_1", now_seconds, body);
        headers["webhook-signature"] = other + headers["webhook-signature"];
        EXPECT_TRUE(check_with(headers, body).is_held()) << other << "spoils no other";
        EXPECT_EQ(check_with(headers, body + " ").refusal, Refusal::wrong_signature) << other;
    }
    headers["webhook-signature"] = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    EXPECT_EQ(check_with(headers, body).refusal, Refusal::wrong_signature);
}

TEST_F(StandardWebhooks, svix_has_names_of_its_own) {
    Headers headers;
    for (const auto& [name, value] : signed_by(keys[0], "msg_1", now_seconds, body)) {
        headers["svix-" + name.substr(8)] = value;
    }
    EXPECT_TRUE(check_with(headers, body).is_held());
    headers["webhook-id"] = "msg_1";  // the standard's names count where there are any
    EXPECT_EQ(check_with(headers, body).refusal, Refusal::malformed);
}

TEST_F(StandardWebhooks, a_public_key_checks_v1a) {
    const testing::SigningKey signer = testing::SigningKey::ed25519();
    const std::vector<std::string> with{keys[0], "whpk_" + base64_encode(signer.raw_public())};
    const std::string time = std::to_string(now_seconds);
    const std::string signature = signer.sign("msg_1." + time + "." + body, nullptr);
    Headers headers{{"webhook-id", "msg_1"},
                    {"webhook-timestamp", time},
                    {"webhook-signature", "v1,AAAA v1a," + base64_encode(signature)}};
    EXPECT_TRUE(check(form, headers, body, with).is_held());
    EXPECT_EQ(check(form, headers, body + " ", with).refusal, Refusal::wrong_signature);
    headers["webhook-signature"] = "v1," + base64_encode(signature);  // of the other version
    EXPECT_EQ(check(form, headers, body, with).refusal, Refusal::wrong_signature);
}

TEST_F(StandardWebhooks, id_and_time_are_signed_too) {
    Headers headers = signed_by(keys[0], "msg_1", now_seconds, body);
    headers["webhook-id"] = "msg_2";
    EXPECT_EQ(check_with(headers, body).refusal, Refusal::wrong_signature);
    headers = signed_by(keys[0], "msg_1", now_seconds - 400, body);
    headers["webhook-timestamp"] = std::to_string(now_seconds);
    EXPECT_EQ(check_with(headers, body).refusal, Refusal::wrong_signature);
    for (const std::int64_t off : {-301, 301}) {
        EXPECT_EQ(check_with(signed_by(keys[0], "msg_1", now_seconds + off, body), body).refusal,
                  Refusal::outside_window);
    }
}

TEST_F(StandardWebhooks, headers_that_are_none_are_malformed) {
    EXPECT_EQ(check_with({}, body).kind, Proof::Kind::absent);
    for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
        Headers headers = signed_by(keys[0], "msg_1", now_seconds, body);
        headers.erase(name);
        EXPECT_EQ(check_with(headers, body).refusal, Refusal::malformed) << name;
    }
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"webhook-id", ""},
                                                          {"webhook-id", "a.b"},
                                                          {"webhook-id", std::string(257, 'a')},
                                                          {"webhook-timestamp", "now"},
                                                          {"webhook-timestamp", "1.5"},
                                                          {"webhook-signature", "g0hM9SsE"},
                                                          {"webhook-signature", "v1,***"}}) {
        Headers headers = signed_by(keys[0], "msg_1", now_seconds, body);
        headers[name] = value;
        EXPECT_EQ(check_with(headers, body).refusal, Refusal::malformed) << name << " " << value;
    }
}

TEST_F(StandardWebhooks, a_secret_that_is_none_is_said_when_it_is_configured) {
    for (const std::string& secret :
         {keys[0], keys[0].substr(6), "whsec_" + base64_encode(std::string(64, 'a')),
          "whpk_" + base64_encode(std::string(32, 'a'))}) {
        EXPECT_TRUE(check_secret(form, secret)) << secret;
    }
    for (const std::string& secret :
         {std::string("whsec_"), "whsec_" + base64_encode(std::string(23, 'a')),
          "whsec_" + base64_encode(std::string(65, 'a')), std::string("whsec_?!hunter2"),
          "whpk_" + base64_encode(std::string(31, 'a')),
          "whsk_" + base64_encode(std::string(32, 'a'))}) {
        const auto checked = check_secret(form, secret);
        ASSERT_FALSE(checked) << secret;
        const std::string rest = secret.substr(6);
        EXPECT_TRUE(rest.empty() || !checked.error().message().contains(rest))
            << checked.error().message();
    }
}

class Adyen : public ::testing::Test {
protected:
    static std::string item(std::string_view reference, std::string_view signature,
                            std::string_view value = "1130") {
        std::string data =
            signature.empty() ? "{}" : "{\"hmacSignature\":\"" + std::string(signature) + "\"}";
        return R"({"NotificationRequestItem":{"additionalData":)" + data +
               R"(,"amount":{"currency":"EUR","value":)" + std::string(value) +
               R"(},"eventCode":"AUTHORISATION","eventDate":"2026-11-30T12:00:00+01:00",)" +
               R"("merchantAccountCode":"TestMerchant","merchantReference":")" +
               std::string(reference) + R"(","pspReference":"7914073381342284","success":"true"}})";
    }
    static std::string notification(const std::vector<std::string>& items) {
        std::string out = R"({"live":"false","notificationItems":[)";
        for (std::size_t i = 0; i < items.size(); ++i) {
            out += (i == 0 ? "" : ",") + items[i];
        }
        return out + "]}";
    }
    std::string sign(std::string_view of) const {
        std::string raw(keys[0].size() / 2, '\0');
        EXPECT_TRUE(from_hex("44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056",
                             {reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()}));
        return base64_encode(hmac_sha256(
            raw, {"7914073381342284::TestMerchant:", of, ":1130:EUR:AUTHORISATION:true"}));
    }
    Proof check_body(const std::string& text) const { return check(form, {}, text, keys); }

    const SignatureForm form = *published_form("adyen");
    // From Adyen's documentation.
    const std::vector<std::string> keys{
        "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"};
    const std::string reference = "TestPayment-1407325143704";
    const std::string published = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=";
};

TEST_F(Adyen, as_published) {
    EXPECT_EQ(sign(reference), published);
    EXPECT_EQ(check_body(notification({item(reference, published)})).subject, "shop");
    EXPECT_EQ(check_body(notification({item(reference, published, "1131")})).refusal,
              Refusal::wrong_signature);
    EXPECT_TRUE(check_secret(form, keys[0]));
    EXPECT_FALSE(check_secret(form, "not hex"));
    EXPECT_FALSE(check_secret(form, "4478"));
}

TEST_F(Adyen, a_reference_with_a_colon_may_be_joined_escaped_or_not) {
    EXPECT_TRUE(check_body(notification({item("A:1\\\\2", sign("A:1\\2"))})).is_held());
    EXPECT_TRUE(check_body(notification({item("A:1\\\\2", sign("A\\:1\\\\2"))})).is_held());
    EXPECT_FALSE(check_body(notification({item("A:1\\\\2", sign("A:1"))})).is_held());
}

TEST_F(Adyen, every_item_must_hold) {
    const std::string good = item(reference, published);
    EXPECT_TRUE(check_body(notification({good, item("B", sign("B"))})).is_held());
    EXPECT_EQ(check_body(notification({good, item("B", sign("C"))})).refusal,
              Refusal::wrong_signature);
    EXPECT_EQ(check_body(notification({good, item("B", "")})).refusal, Refusal::malformed);
    EXPECT_EQ(check_body(notification({item("B", "")})).kind, Proof::Kind::absent);
}

TEST_F(Adyen, what_is_no_notification_is_malformed) {
    for (const std::string& wrong :
         {std::string(), std::string("[]"), std::string("{}"), notification({}),
          notification({item(reference, "???")}),
          std::string(R"({"notificationItems":[],"notificationItems":[]})"),
          notification({R"({"NotificationRequestItem":{"pspReference":{},)"
                        R"("additionalData":{"hmacSignature":"AAAA"}}})"})}) {
        EXPECT_EQ(check_body(wrong).refusal, Refusal::malformed) << wrong;
        EXPECT_EQ(check_body(wrong).kind, Proof::Kind::refused) << wrong;
    }
}

}  // namespace
}  // namespace helios::auth
