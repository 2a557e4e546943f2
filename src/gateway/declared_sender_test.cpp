/// Senders that the configuration describes, through the real gateway: each recipe with a payload
/// in the form that its owner has published, signed as he does.

#include "gateway/declared_sender.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/standard_webhooks.h"
#include "auth/test_kit.h"
#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

using Sent = std::vector<std::pair<std::string, std::string>>;

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

struct Declared : Rig {
    std::map<std::string, std::string> secrets;

    DeclaredSender& add(const std::string& name, const std::string& by, std::string secret) {
        auto sender = *recipe(by);
        sender.rules.source = name;
        sender.secrets = {{auth::SecretReference::Kind::env, name}};
        secrets[name] = std::move(secret);
        return options.senders.declared[name] = sender;
    }
    Declared& open_declared() {
        open_log();
        auto opened = SenderChecks::open(
            options.senders,
            {.clock = clock,
             .telemetry = telemetry,
             .environment = [this](const std::string& name) -> std::optional<std::string> {
                 const auto found = secrets.find(name);
                 return found == secrets.end() ? std::nullopt : std::optional(found->second);
             }});
        EXPECT_TRUE(opened) << opened.error().message();
        checks = *std::move(opened);
        open_gateway();
        return *this;
    }
    http::Response send(const std::string& name, std::string body, const Sent& headers = {}) {
        const Door door(gateway->options().senders.declared.at(name));
        auto out = request(std::move(body));
        for (const auto& each : headers) {
            out.headers.push_back(each);
        }
        auto promise = std::make_shared<std::promise<http::Response>>();
        gateway->accept(door, std::move(out), caller, [door, promise](const Receipt& receipt) {
            promise->set_value(answer(door, receipt));
        });
        return promise->get_future().get();
    }
    std::string now() const {
        return std::to_string(
            std::chrono::floor<std::chrono::seconds>(clock.wall()).time_since_epoch().count());
    }
};

const std::string stripe_event =
    R"({"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","api_version":"2019-02-19","created":1767608625,"data":{"object":{"id":"pi_1","object":"payment_intent","amount":1099,"currency":"usd","metadata":{"orderId":"O-1"}}},"livemode":false,"pending_webhooks":0,"request":{"id":null,"idempotency_key":null},"type":"payment_intent.succeeded"})";

TEST(DeclaredSenders, stripe) {
    Declared rig;
    rig.add("stripe", "stripe", "whsec_test_secret").rules.types = {
        {"payment_intent.succeeded", "PaymentCaptured"}};
    rig.open_declared();
    const auto signed_by = [&](std::string_view secret, std::string_view body) {
        return Sent{{"Stripe-Signature",
                     "t=" + rig.now() + ",v1=" +
                         hex(auth::hmac_sha256(secret, {rig.now() + "." + std::string(body)})) +
                         ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"}};
    };
    EXPECT_EQ(rig.send("stripe", stripe_event, signed_by("whsec_test_secret", stripe_event)).status,
              200);
    ASSERT_EQ(rig.events().size(), 1u);
    const auto event = rig.events()[0].event();
    EXPECT_EQ(event.source, "stripe");
    EXPECT_EQ(event.id, "evt_1NG8Du2eZvKYlo2CUI79vXWy");
    EXPECT_EQ(event.type, "PaymentCaptured");
    EXPECT_EQ(format_rfc3339(*event.time), "2026-01-05T10:23:45.000Z");
    EXPECT_THAT(event.payload, ::testing::StartsWith(R"({"id":"pi_1")"));
    EXPECT_EQ(rig.send("stripe", stripe_event, signed_by("whsec_test_secret", stripe_event)).status,
              200)
        << "a repetition";
    EXPECT_EQ(rig.send("stripe", stripe_event, signed_by("another", stripe_event)).status, 401);
    EXPECT_EQ(rig.send("stripe", stripe_event).status, 401);
    EXPECT_EQ(rig.send("stripe", "{}", signed_by("whsec_test_secret", "{}")).status, 200)
        << "authentic: kept whole";
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
    EXPECT_EQ(rig.kept_whole()[0].quarantined().source, "stripe");
    EXPECT_EQ(rig.kept_whole()[0].quarantined().endpoint, "/api/v1/webhooks/stripe");
    EXPECT_EQ(rig.send("stripe", "no JSON", signed_by("whsec_test_secret", "no JSON")).status, 200)
        << "whatever it is";
    EXPECT_EQ(rig.kept_whole().size(), 2u);
    rig.close();
    rig.open_log();
    EXPECT_EQ(rig.counted("stripe")["appended"], 1u) << "it is a known source";
}

TEST(DeclaredSenders, adyen) {
    Declared rig;
    const std::string key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    rig.add("adyen", "adyen", key);
    rig.open_declared();
    // The example of Adyen's documentation, with its signature.
    const std::string body =
        R"({"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},"amount":{"value":1130,"currency":"EUR"},"pspReference":"7914073381342284","eventCode":"AUTHORISATION","eventDate":"2019-05-06T17:15:34.121+02:00","merchantAccountCode":"TestMerchant","operations":["CANCEL","CAPTURE","REFUND"],"merchantReference":"TestPayment-1407325143704","paymentMethod":"visa","success":"true"}}]})";
    const auto response = rig.send("adyen", body);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "[accepted]");
    ASSERT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.events()[0].event().id, "7914073381342284/AUTHORISATION/true");
    EXPECT_EQ(rig.events()[0].event().type, "AUTHORISATION");
    auto changed = body;
    changed.replace(changed.find("1130"), 4, "1131");
    EXPECT_EQ(rig.send("adyen", changed).status, 401);
    EXPECT_EQ(rig.events().size(), 1u);
}

TEST(DeclaredSenders, shopify_github_and_standard_webhooks) {
    Declared rig;
    const std::string webhook = "whsec_" + base64_encode(std::string(24, 'k'));
    rig.add("shopify", "shopify", "hush");
    rig.add("github", "github", "It's a Secret to Everybody");
    rig.add("hooks", "standard_webhooks", webhook);
    rig.open_declared();
    const std::string order = R"({"id":820982911946154508,"email":"jon@example.com"})";
    const Sent shopify{{"X-Shopify-Topic", "orders/create"},
                       {"X-Shopify-Hmac-Sha256", base64_encode(auth::hmac_sha256("hush", {order}))},
                       {"X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"},
                       {"X-Shopify-Triggered-At", "2026-01-05T10:23:45.123456789Z"}};
    EXPECT_EQ(rig.send("shopify", order, shopify).status, 200);
    EXPECT_EQ(rig.send("shopify", order + " ", shopify).status, 401);

    const std::string hello = "Hello, World!";  // GitHub's own example: signed, and no JSON
    const Sent github{{"X-Hub-Signature-256",
                       "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
                      {"X-GitHub-Event", "push"},
                      {"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}};
    EXPECT_EQ(rig.send("github", hello, github).status, 200) << "kept whole";
    EXPECT_EQ(rig.send("github", "{}", github).status, 401);

    const std::string invoice =
        R"({"type":"invoice.paid","timestamp":"2026-01-05T10:23:45Z","data":{"id":"in_1"}})";
    const auto sign = [&](const std::string& body) {
        return Sent{{"webhook-id", "msg_1"},
                    {"webhook-timestamp", rig.now()},
                    {"webhook-signature",
                     *auth::standard_webhook_signature(webhook, "msg_1", rig.now(), body)}};
    };
    EXPECT_EQ(rig.send("hooks", invoice, sign(invoice)).status, 200);
    auto other = invoice;
    other.replace(other.find("in_1"), 4, "in_2");
    EXPECT_EQ(rig.send("hooks", other, sign(other)).status, 200) << "same id: kept as a conflict";
    const auto events = rig.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].event().type, "orders/create");
    EXPECT_EQ(events[0].event().payload, order);
    EXPECT_EQ(events[1].event().id, "msg_1");
    EXPECT_EQ(events[1].event().payload, R"({"id":"in_1"})");
    EXPECT_EQ(rig.kept_whole().size(), 2u);
}

TEST(DeclaredSenders, svix_by_its_own_names) {
    Declared rig;
    const std::string secret = "whsec_" + base64_encode(std::string(24, 'k'));
    rig.add("svix", "svix", secret);
    rig.open_declared();
    const std::string invoice = R"({"type":"invoice.paid","data":{"id":"in_1"}})";
    const Sent headers{
        {"svix-id", "msg_1"},
        {"svix-timestamp", rig.now()},
        {"svix-signature", *auth::standard_webhook_signature(secret, "msg_1", rig.now(), invoice)}};
    EXPECT_EQ(rig.send("svix", invoice, headers).status, 200);
    EXPECT_EQ(rig.send("svix", invoice + " ", headers).status, 401);
    ASSERT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.events()[0].event().id, "msg_1");
}

TEST(DeclaredSenders, what_a_declaration_must_have) {
    const auto complaint = [](auto change) {
        auto sender = *recipe("stripe");
        sender.rules.source = "shop";
        sender.secrets = {{auth::SecretReference::Kind::env, "X"}};
        change(sender);
        const auto status = sender.validate();
        return status ? std::string() : status.error().what;
    };
    EXPECT_EQ(complaint([](auto&) {}), "");
    using ::testing::HasSubstr;
    EXPECT_THAT(complaint([](auto& s) { s.rules.source = "aws"; }), HasSubstr("Helios's own"));
    EXPECT_THAT(complaint([](auto& s) { s.rules.source = "Shop"; }), HasSubstr("no name"));
    EXPECT_THAT(complaint([](auto& s) { s.rules.source = "a/b"; }), HasSubstr("no name"));
    EXPECT_THAT(complaint([](auto& s) { s.secrets.clear(); }), HasSubstr("senders.shop.secret"));
    EXPECT_THAT(complaint([](auto& s) { s.rules.type.reset(); }), HasSubstr("senders.shop.type"));
    EXPECT_THAT(complaint([](auto& s) { s.status = 500; }), HasSubstr("answer.status"));
    EXPECT_EQ(complaint([](auto& s) {
                  s.secrets.clear();
                  s.signature.reset();
              }),
              "");
    EXPECT_THAT(complaint([](auto& s) { s.signature.reset(); }), HasSubstr("nothing is signed"))
        << "whoever gives a secret means it to be asked for";
    for (const auto name : recipe_names()) {
        EXPECT_TRUE(recipe(name)) << name;
    }
    EXPECT_FALSE(recipe("paypal"));
}

}  // namespace
}  // namespace helios::gateway
