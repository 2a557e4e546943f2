/// Test events through the real gateway: by every policy they come in, and what comes of them.

#include "gateway/test_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "auth/hmac_signature.h"
#include "gateway/test_kit.h"
#include "http/url.h"

namespace helios::gateway {
namespace {

using ::testing::HasSubstr;

struct Tried : Rig {
    std::map<std::string, std::string> secrets{
        {"SECRET", "s3cret & more"},
        {"WEBHOOK", "whsec_" + base64_encode(std::string(24, 'k'))},
        {"ADYEN", "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"}};
    TestParts parts;

    Tried() {
        parts.token = "test-1";
        parts.secret = [this](const auth::SecretReference& reference) -> Result<std::string> {
            const auto found = secrets.find(reference.name);
            return found == secrets.end() ? Result<std::string>(fail(ErrorKind::not_found, "gone"))
                                          : found->second;
        };
    }
    static auth::SecretReference named(const std::string& variable) {
        return {auth::SecretReference::Kind::env, variable};
    }
    Tried& open_with_checks() {
        open_log();
        auto opened = SenderChecks::open(
            options.senders,
            {.clock = clock,
             .telemetry = telemetry,
             .environment = [this](const std::string& name) -> std::optional<std::string> {
                 const auto found = secrets.find(name);
                 return found == secrets.end() ? std::nullopt : std::optional(found->second);
             },
             .prove_bearer =
                 [](std::string_view text) {
                     return text == "helios_key" ? auth::Proof::held("the key") : auth::Proof();
                 }});
        EXPECT_TRUE(opened) << opened.error().message();
        checks = *std::move(opened);
        open_gateway();
        parts.now = clock.wall();
        return *this;
    }
    Result<std::variant<TestRequest, TestCommand>> made(std::string_view source) const {
        return test_event(options, source, parts);
    }
    int send(const TestRequest& test) {
        http::Request request;
        request.method = http::Method::post;
        request.headers = test.headers;
        request.body = test.body;
        const auto question = test.target.find('?');
        if (question != std::string::npos) {
            const auto equals = test.target.find('=', question);
            request.query.emplace_back(test.target.substr(question + 1, equals - question - 1),
                                       *http::percent_decode(test.target.substr(equals + 1)));
        }
        const auto door =
            door_at(test.target.substr(0, question), gateway->options().senders.declared);
        EXPECT_TRUE(door) << test.target;
        std::promise<http::Response> promise;
        gateway->accept(*door, std::move(request), caller,
                        [&](const Receipt& receipt) { promise.set_value(answer(*door, receipt)); });
        return promise.get_future().get().status;
    }
    /// It comes in, as it is said; unsigned it would not.
    void expect_in(std::string_view source, std::string_view by, std::string_view event_source) {
        const auto test = made(source);
        ASSERT_TRUE(test) << source << test.error().message();
        const auto* request = std::get_if<TestRequest>(&*test);
        ASSERT_NE(request, nullptr) << source;
        EXPECT_EQ(request->by, by);
        EXPECT_EQ(request->source, event_source);
        const auto before = events().size();
        const auto status = send(*request);
        EXPECT_TRUE(status >= 200 && status < 300) << source << " " << status;
        const auto all = events();
        ASSERT_EQ(all.size(), before + 1) << source;
        const auto event = all.back().event();
        EXPECT_EQ(all.back().topic, model::topic::other) << source;
        EXPECT_EQ(event.type, model::test_event_type) << source;
        EXPECT_EQ(event.source, event_source);
        EXPECT_THAT(event.payload, HasSubstr(R"("heliosTest":"test-1)"));
        EXPECT_EQ(request->shown.find("s3cret"), std::string::npos) << "no secret is shown";
        if (by != "none") {
            auto without = *request;
            std::erase_if(without.headers, [](const auto& h) {
                return h.first != "Content-Type" && h.first != "aeg-event-type";
            });
            without.target = without.target.substr(0, without.target.find('?'));
            const auto status = send(without);
            EXPECT_TRUE(status == 401 || status == 503 || by == "signature (in the item)")
                << source << " " << status;
        }
    }
};

TEST(TestEvent, comes_in_where_nobody_need_prove_who_he_is) {
    Tried rig;
    rig.options.senders.declared["shop"] = *recipe("github");
    rig.options.senders.declared["shop"].rules.source = "shop";
    rig.options.senders.declared["shop"].signature.reset();
    rig.open_with_checks();
    for (const auto* source : {"aws", "gcp", "azure", "cloudevents"}) {
        rig.expect_in(source, "none", source);
    }
    rig.parts.token = "test-1 too";
    rig.expect_in("direct", "none", "aws");
    rig.expect_in("shop", "none", "shop");
}

TEST(TestEvent, comes_in_by_each_credential_that_is_ours) {
    const auto by = [](auto set, std::string_view source, std::string_view text,
                       std::string_view event_source) {
        Tried rig;
        set(rig.options.senders);
        rig.open_with_checks();
        rig.expect_in(source, text, event_source);
    };
    const auto aws = [](ProofMethod method) {
        return [method](SenderPolicies& all) {
            all.aws.methods = {ProofMethod::sns, method};
            all.aws.topics = AllowList{{"arn:aws:sns:eu-west-1:1:t"}};
            all.aws.user = "events";
            all.aws.secrets = {Tried::named("SECRET")};
        };
    };
    by(aws(ProofMethod::api_key), "aws", "api_key (x-api-key)", "aws");
    by(aws(ProofMethod::basic), "aws", "basic (events)", "aws");
    by(aws(ProofMethod::bearer), "aws", "bearer", "aws");
    by(
        [](SenderPolicies& all) {
            all.azure.methods = {ProofMethod::query};
            all.azure.secrets = {Tried::named("SECRET")};
            all.azure.topics = AllowList{{"/subscriptions/5b/topics/stock"}};
        },
        "azure", "query (code)", "azure");
    for (const auto& [method, secret, text] :
         {std::tuple(ProofMethod::bearer, "SECRET", "bearer"),
          std::tuple(ProofMethod::hmac, "SECRET", "hmac (x-helios-signature)"),
          std::tuple(ProofMethod::standard_webhooks, "WEBHOOK",
                     "standard_webhooks (webhook-signature)")}) {
        const auto set = [&](SenderPolicy& policy) {
            policy.methods = {method};
            policy.speaking = {{Tried::named(secret), {"warehouse"}}};
        };
        by([&](SenderPolicies& all) { set(all.direct); }, "direct", text, "warehouse");
    }
}

TEST(TestEvent, comes_in_from_each_declared_sender) {
    for (const auto name : recipe_names()) {
        Tried rig;
        auto& sender = rig.options.senders.declared["shop"];
        sender = *recipe(name);
        sender.rules.source = "shop";
        sender.secrets = {Tried::named(
            name == "adyen"                                                          ? "ADYEN"
            : sender.signature->kind == auth::SignatureForm::Kind::standard_webhooks ? "WEBHOOK"
                                                                                     : "SECRET")};
        rig.open_with_checks();
        const auto test = rig.made("shop");
        ASSERT_TRUE(test) << name << test.error().message();
        rig.expect_in("shop", std::get<TestRequest>(*test).by, "shop");
    }
}

TEST(TestEvent, gets_into_a_queue_by_the_clouds_own_command) {
    Tried rig;
    const auto parts = TestParts{.token = "test-1", .now = rig.clock.wall()};
    const auto sqs = queue_test({"aws", "https://sqs.eu.amazonaws.com/1/orders", "eu", ""}, parts);
    EXPECT_THAT(sqs.text, HasSubstr("aws sqs send-message --queue-url "
                                    "https://sqs.eu.amazonaws.com/1/orders --region eu"));
    const auto pubsub = queue_test({"gcp", "projects/p/subscriptions/s", "", ""}, parts);
    EXPECT_THAT(pubsub.text, HasSubstr("projects/p/subscriptions/s"));
    const auto grid = queue_test({"azure", "orders", "", "https://n.eventgrid.azure.net"}, parts);
    EXPECT_THAT(grid.text, HasSubstr("https://n.eventgrid.azure.net/topics/orders:publish"));
    for (const auto& command : {sqs, pubsub, grid}) {
        EXPECT_THAT(command.text, HasSubstr("test-1"));
        EXPECT_THAT(command.text, HasSubstr("helios.test"));
    }
}

TEST(TestEvent, is_the_clouds_to_send_where_the_cloud_has_the_key) {
    Tried rig;
    auto& all = rig.options.senders;
    all.aws.methods = {ProofMethod::sns};
    all.aws.topics = AllowList{{"arn:aws:sns:eu-west-1:1:t"}};
    all.gcp.methods = {ProofMethod::oidc};
    all.azure.methods = {ProofMethod::entra};
    for (const auto& [source, text] :
         {std::pair("aws", "aws sns publish --topic-arn arn:aws:sns:eu-west-1:1:t"),
          std::pair("gcp", "gcloud pubsub topics publish TOPIC"),
          std::pair("azure", "aeg-sas-key")}) {
        const auto test = rig.made(source);
        ASSERT_TRUE(test) << source;
        const auto* command = std::get_if<TestCommand>(&*test);
        ASSERT_NE(command, nullptr) << source;
        EXPECT_EQ(command->source, source);
        EXPECT_THAT(command->text, HasSubstr(text));
        EXPECT_THAT(command->text, HasSubstr("test-1"));
        EXPECT_THAT(command->text, HasSubstr("helios.test"));
    }
}

TEST(TestEvent, says_why_there_is_none) {
    Tried rig;
    rig.options.senders.by_default = ProofMethod::off;
    EXPECT_EQ(rig.made("oracle").error().kind, ErrorKind::not_found);
    EXPECT_EQ(rig.made("aws").error().kind, ErrorKind::denied);
    EXPECT_EQ(rig.made("direct").error().kind, ErrorKind::denied);
    auto& direct = rig.options.senders.direct;
    direct.methods = {ProofMethod::bearer};
    EXPECT_THAT(rig.made("direct").error().hint, HasSubstr("HELIOS_TOKEN"));
    rig.parts.bearer = "helios_key";
    rig.parts.for_source = "warehouse";
    ASSERT_TRUE(rig.made("direct"));
    direct.speaking = {{Tried::named("NOWHERE"), {"warehouse"}}};
    EXPECT_EQ(rig.made("direct").error().what, "gone");
}

TEST(TestEvent, is_no_sign_of_its_sources_life_and_counts_all_the_same) {
    Tried rig;
    rig.open_with_checks();
    rig.expect_in("aws", "none", "aws");
    const auto activity = rig.gateway->activity("aws");
    EXPECT_FALSE(activity.last_received_at);
    EXPECT_FALSE(activity.behind);
    EXPECT_EQ(activity.appended, 1u);
    rig.clock.advance(std::chrono::minutes(1));
    EXPECT_EQ(rig.gateway->activity("aws").last_minute, 0u);
    rig.close();
    rig.open_log();
    EXPECT_EQ(rig.counted("aws")["appended"], 1u) << "what is on the log is counted";
}

}  // namespace
}  // namespace helios::gateway
