/// Every policy through the real gateway: what comes in, what is told who may not, and what lands
/// on the log.

#include "gateway/sender_checks.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "auth/claim_policies.h"
#include "auth/hmac_signature.h"
#include "auth/standard_webhooks.h"
#include "gateway/checked_test_kit.h"
#include "http/coding.h"

namespace helios::gateway {
namespace {

using auth::testing::rsa_key;
using auth::testing::token_of;
using ::testing::HasSubstr;

TEST(SenderChecks, an_api_destination_proves_itself_by_key_user_or_bearer) {
    Checked rig;
    auto& aws = rig.policies.aws;
    aws.methods = {ProofMethod::api_key, ProofMethod::basic, ProofMethod::bearer};
    aws.secrets = {Checked::named("SECRET"), Checked::named("OLD")};
    aws.user = "events";
    rig.open_with_checks();

    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cret"}}), 200);
    EXPECT_EQ(rig.aws({{"x-api-key", "old secret"}}, "e-2"), 200) << "while it is being rotated";
    EXPECT_EQ(rig.aws({{"Authorization", "Basic " + base64_encode("events:s3cret")}}, "e-3"), 200);
    EXPECT_EQ(rig.aws({{"Authorization", "bearer s3cret"}}, "e-4"), 200);
    EXPECT_EQ(rig.events().size(), 4u);

    EXPECT_EQ(rig.aws({}), 401);
    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cres"}}), 401);
    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cret"}, {"X-Api-Key", "s3cret"}}), 401)
        << "two: who knows which is meant";
    EXPECT_EQ(rig.aws({{"Authorization", "Basic " + base64_encode("other:s3cret")}}), 401);
    const auto asked = rig.send_with(Endpoint::aws_eventbridge, eventbridge("e-5"), {});
    EXPECT_THAT(header(asked, "WWW-Authenticate"), HasSubstr("Basic"));
    EXPECT_EQ(asked.body.find("s3cret"), std::string::npos);
    EXPECT_EQ(rig.events().size(), 4u);
    EXPECT_TRUE(rig.kept_whole().empty()) << "nobody knows whose it is";
    EXPECT_TRUE(rig.refused.empty()) << "what a sender got wrong is no absence of ours";
}

TEST(SenderChecks, what_is_off_lets_nobody_in) {
    Checked rig;
    rig.policies.by_default = ProofMethod::off;
    rig.open_with_checks();
    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cret"}}), 401);
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub("1")).status, 403);
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, eventgrid("1")).status, 503);
    EXPECT_EQ(rig.ingest(order("e-1")).status, 401);
    EXPECT_TRUE(rig.events().empty());
}

TEST(SenderChecks, event_grid_brings_its_secret_in_the_query) {
    Checked rig;
    rig.policies.azure.methods = {ProofMethod::query};
    rig.policies.azure.secrets = {Checked::named("SECRET")};
    rig.policies.azure.topics = AllowList{{"/t"}};
    rig.open_with_checks();
    const auto send = [&](const Checked::Sent& query) {
        return rig.send_with(Endpoint::azure_eventgrid, "[" + eventgrid("g-1") + "]", {}, query)
            .status;
    };
    EXPECT_EQ(send({{"code", "s3cret"}}), 200);
    EXPECT_EQ(send({{"code", "wrong"}}), 503) << "401 and 403 would dead-letter it";
    EXPECT_EQ(send({}), 503);
    EXPECT_EQ(send({{"code", "s3cret"}, {"code", "s3cret"}}), 503);
    EXPECT_EQ(rig.events().size(), 1u);
}

std::string google_token(const Checked& rig, std::string_view kid = "k1",
                         std::string_view email = "push@shop.iam.gserviceaccount.com") {
    const auto now = std::chrono::floor<std::chrono::seconds>(rig.clock.wall()).time_since_epoch();
    return token_of(
        fmt::format(R"({{"alg":"RS256","kid":"{}","typ":"JWT"}})", kid),
        fmt::format(
            R"({{"aud":"https://helios.example/push","email":"{}","email_verified":true,"sub":"1","iat":{},"exp":{},"iss":"https://accounts.google.com"}})",
            email, now.count(), now.count() + 3600),
        rsa_key());
}

TEST(SenderChecks, pubsub_brings_a_token_of_its_service_account) {
    Checked rig;
    auto& gcp = rig.policies.gcp;
    gcp.methods = {ProofMethod::oidc};
    gcp.audiences = {"https://helios.example/push"};
    gcp.emails = {"push@shop.iam.gserviceaccount.com"};
    const std::string url = at(auth::google_jwks_url());
    rig.published[url] = fail(ErrorKind::timeout, "no answer");
    rig.open_with_checks();
    int n = 0;
    const auto send = [&](const std::string& token) {
        return rig
            .send_with(Endpoint::gcp_pubsub, pubsub("m-" + std::to_string(++n)),
                       {{"Authorization", "Bearer " + token}})
            .status;
    };
    EXPECT_EQ(send(google_token(rig)), 403) << "its key can't be had: Pub/Sub sends it again";
    EXPECT_EQ(rig.refused, std::vector<std::string>{"gcp"}) << "that is our silence, not its";

    rig.published[url] = Fetched{"{\"keys\":[" + rsa_key().jwk("k1") + "]}", "max-age=3600"};
    rig.clock.advance(std::chrono::minutes(2));
    EXPECT_EQ(send(google_token(rig)), 204);
    EXPECT_EQ(send(google_token(rig, "k1", "push@evil.iam.gserviceaccount.com")), 403);
    EXPECT_EQ(send(google_token(rig, "k2")), 403) << "unknown, and fetched too recently to ask";
    auto forged = google_token(rig);
    forged.replace(forged.rfind('.') + 1, 4, "AAAA");
    EXPECT_EQ(send(forged), 403);
    EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, pubsub("m-9")).status, 403);
    EXPECT_EQ(rig.events().size(), 1u);

    // It is rotated: the new key is fetched when it is first named.
    rig.published[url] = Fetched{"{\"keys\":[" + rsa_key().jwk("k2") + "]}", ""};
    rig.clock.advance(std::chrono::minutes(2));
    EXPECT_EQ(send(google_token(rig, "k2")), 204);
}

TEST(SenderChecks, sns_signs_its_messages) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::sns};
    rig.policies.aws.topics = AllowList{{sns::topic}};
    rig.published[at(sns::certificate_url)] = Fetched{sns::leaf().pem(), ""};
    rig.open_with_checks();
    const auto send = [&](sns::Sent message, std::string_view more = "") {
        return rig.send_with(Endpoint::aws_eventbridge, message.body(more),
                             {{"x-amz-sns-message-type", "Notification"}});
    };
    auto message = sns::Sent().set("Message", eventbridge("e-1"));
    EXPECT_EQ(send(message.sign()).status, 200);
    ASSERT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.events()[0].event().id, "e-1");

    auto other = message;
    EXPECT_EQ(send(other.set("Message", eventbridge("e-2"))).status, 403) << "not what was signed";
    auto foreign = sns::Sent().set("TopicArn", "arn:aws:sns:eu-west-1:1:theirs").sign();
    EXPECT_EQ(send(foreign).status, 503) << "our list may be wrong: SNS comes again";
    auto elsewhere = sns::Sent().set("SigningCertURL", "https://evil.example/a.pem").sign();
    EXPECT_EQ(send(elsewhere).status, 503);
    EXPECT_EQ(rig.fetched, std::vector<std::string>{at(sns::certificate_url)})
        << "and nowhere else";
    EXPECT_EQ(rig.aws({}), 401) << "an API destination has no key here";
    EXPECT_EQ(rig.events().size(), 1u);
}

TEST(SenderChecks, what_is_beside_a_signature_is_not_believed) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::sns};
    rig.policies.aws.topics = AllowList{{sns::topic}};
    rig.published[at(sns::certificate_url)] = Fetched{sns::leaf().pem(), ""};
    rig.open_with_checks();
    auto message = sns::Sent().set("Message", eventbridge("true")).sign();
    // Members that are not signed, which would make it an event of EventBridge itself.
    const std::string_view more =
        R"(,"version":"0","id":"false","detail-type":"OrderPlaced","source":"shop","account":"012345678901","time":"2026-01-05T10:23:45Z","region":"eu","resources":[],"detail":{"orderId":"ORD-666","total":1})";
    rig.send_with(Endpoint::aws_eventbridge, message.body(more),
                  {{"x-amz-sns-message-type", "Notification"}});
    rig.send_with(Endpoint::aws_eventbridge, message.body(),
                  {{"x-amz-sns-message-type", "Notification"},
                   {"ce-id", "false"},
                   {"ce-source", "/shop"},
                   {"ce-specversion", "1.0"},
                   {"ce-type", "OrderPlaced"}});
    ASSERT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(rig.events()[0].event().id, "true");
    EXPECT_TRUE(rig.kept_whole().empty());
}

TEST(SenderChecks, a_subscription_is_confirmed_behind_its_signature) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::sns};
    rig.policies.aws.topics = AllowList{{sns::topic}};
    rig.published[at(sns::certificate_url)] = Fetched{sns::leaf().pem(), ""};
    rig.open_with_checks();
    const auto send = [&](sns::Sent message, std::string_view type) {
        return rig
            .send_with(Endpoint::aws_eventbridge, message.body(),
                       {{"x-amz-sns-message-type", std::string(type)}})
            .status;
    };
    EXPECT_EQ(send(sns::confirmation().sign(), "SubscriptionConfirmation"), 200);
    EXPECT_EQ(rig.fetched.size(), 2u);
    EXPECT_EQ(rig.fetched.back(), at(sns::subscribe_url()));
    rig.published[at(sns::subscribe_url())] = Fetched{"<ok/>", ""};
    EXPECT_EQ(send(sns::confirmation().sign(), "SubscriptionConfirmation"), 200);
    EXPECT_EQ(rig.fetched.size(), 3u) << "it failed, so it is visited again";

    EXPECT_EQ(send(sns::confirmation().sign(), "SubscriptionConfirmation"), 200);
    EXPECT_EQ(rig.fetched.size(), 3u) << "its token is visited once";

    rig.fetched.clear();
    auto ended = sns::confirmation("UnsubscribeConfirmation").sign();
    EXPECT_EQ(send(ended, "UnsubscribeConfirmation"), 200);
    auto elsewhere = sns::confirmation()
                         .set("SubscribeURL", "https://169.254.169.254/?Action=ConfirmSubscription")
                         .sign();
    EXPECT_EQ(send(elsewhere, "SubscriptionConfirmation"), 200) << "kept for a person";
    EXPECT_TRUE(rig.fetched.empty()) << rig.fetched.front();
    EXPECT_EQ(rig.kept_whole().size(), 3u);
}

// Whichever stands first: only its signature says whose URL is visited.
TEST(SenderChecks, a_subscription_is_confirmed_whatever_else_its_source_takes) {
    const std::vector<std::pair<std::string, std::string>> headers{
        {"x-amz-sns-message-type", "SubscriptionConfirmation"}, {"x-api-key", "old secret"}};
    for (const auto& methods : {std::vector{ProofMethod::api_key, ProofMethod::sns},
                                std::vector{ProofMethod::sns, ProofMethod::api_key}}) {
        for (const bool known : {true, false}) {
            Checked rig;
            rig.policies.aws.methods = methods;
            rig.policies.aws.secrets = {Checked::named("OLD")};
            rig.policies.aws.topics = AllowList{{sns::topic}};
            if (known) {
                rig.published[at(sns::certificate_url)] = Fetched{sns::leaf().pem(), ""};
            }
            rig.published[at(sns::subscribe_url())] = Fetched{"<ok/>", ""};
            rig.open_with_checks();
            const auto status =
                rig.send_with(Endpoint::aws_eventbridge, sns::confirmation().sign().body(), headers)
                    .status;
            EXPECT_EQ(status, known ? 200 : 503) << "a 200 would be the last that SNS asks";
            EXPECT_EQ(!rig.fetched.empty() && rig.fetched.back() == at(sns::subscribe_url()),
                      known);
        }
    }
}

TEST(SenderChecks, direct_senders_sign_or_bring_a_bearer) {
    Checked rig;
    auto& direct = rig.policies.direct;
    direct.methods = {ProofMethod::bearer, ProofMethod::hmac, ProofMethod::standard_webhooks};
    direct.speaking = {{Checked::named("WEBHOOK"), {}}};
    rig.open_with_checks();
    const auto now = rig.clock.wall();
    const auto body = order("e-1");
    EXPECT_EQ(
        rig.send_with(Endpoint::ingest, order("k-1"), {{"Authorization", "Bearer helios_key"}})
            .status,
        202);
    EXPECT_EQ(rig.send_with(Endpoint::ingest, order("k-2"),
                            {{"Authorization", "Bearer " + webhook_secret}})
                  .status,
              202);
    EXPECT_EQ(
        rig.send_with(Endpoint::ingest, body,
                      {{"X-Helios-Signature", auth::helios_signature(webhook_secret, body, now)}})
            .status,
        202);
    const auto at =
        std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    const auto two = order("e-2");
    EXPECT_EQ(rig.send_with(Endpoint::ingest, two,
                            {{"webhook-id", "m-1"},
                             {"webhook-timestamp", at},
                             {"webhook-signature",
                              *auth::standard_webhook_signature(webhook_secret, "m-1", at, two)}})
                  .status,
              202);
    const auto coded = http::gzip(order("e-z"), 6);
    EXPECT_EQ(rig.send_with(Endpoint::ingest, coded,
                            {{"Content-Encoding", "gzip"},
                             {"X-Helios-Signature",
                              auth::helios_signature(webhook_secret, order("e-z"), now)}})
                  .status,
              401)
        << "signed before it was compressed";
    EXPECT_EQ(
        rig.send_with(Endpoint::ingest, coded,
                      {{"Content-Encoding", "gzip"},
                       {"X-Helios-Signature", auth::helios_signature(webhook_secret, coded, now)}})
            .status,
        202)
        << "signed as it was transferred";
    EXPECT_EQ(rig.send_with(Endpoint::ingest, coded,
                            {{"Content-Encoding", "gzip"},
                             {"webhook-id", "m-2"},
                             {"webhook-timestamp", at},
                             {"webhook-signature",
                              *auth::standard_webhook_signature(webhook_secret, "m-2", at, coded)}})
                  .status,
              200)
        << "the same event again";
    EXPECT_EQ(rig.events().size(), 5u);

    EXPECT_EQ(rig.ingest(order("e-3")).status, 401);
    EXPECT_EQ(
        rig.send_with(Endpoint::ingest, order("e-3"),
                      {{"X-Helios-Signature", auth::helios_signature(webhook_secret, body, now)}})
            .status,
        401)
        << "another body";
    EXPECT_EQ(
        rig.send_with(
               Endpoint::ingest, body,
               {{"X-Helios-Signature",
                 auth::helios_signature(webhook_secret, body, now - std::chrono::minutes(6))}})
            .status,
        401)
        << "outside its window";
    EXPECT_EQ(rig.events().size(), 5u);
}

TEST(SenderChecks, a_credential_speaks_for_the_sources_it_names) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::api_key};
    rig.policies.aws.secrets = {Checked::named("OLD")};
    auto& direct = rig.policies.direct;
    direct.methods = {ProofMethod::bearer};
    direct.speaking = {{Checked::named("SHOP"), {"warehouse"}}, {Checked::named("SECRET"), {}}};
    rig.open_with_checks();
    const auto send = [&](std::string_view id, std::string_view source, std::string_view bearer) {
        auto body = order(id);
        body.replace(body.find("aws"), 3, source);
        return rig.send_with(Endpoint::ingest, std::move(body),
                             {{"Authorization", "Bearer " + std::string(bearer)}});
    };
    EXPECT_EQ(send("1", "warehouse", "the shop's secret").status, 202);
    EXPECT_EQ(send("2", "gcp", "the shop's secret").status, 403);
    EXPECT_EQ(send("3", "gcp", "s3cret").status, 202) << "nobody is authenticated at gcp's";
    EXPECT_EQ(send("4", "warehouse", "s3cret").status, 202);
    EXPECT_EQ(send("5", "aws", "s3cret").status, 403) << "aws has an endpoint that asks";
    EXPECT_EQ(rig.events().size(), 3u);

    auto mixed = order("6");
    auto good = order("7");
    good.replace(good.find("aws"), 3, "gcp");
    const auto batch = rig.send_with(Endpoint::batch, "[" + mixed + "," + good + "]",
                                     {{"Authorization", "Bearer s3cret"}});
    EXPECT_EQ(batch.status, 200);
    EXPECT_THAT(batch.body, HasSubstr(R"("accepted":1)"));
    EXPECT_THAT(batch.body, HasSubstr(R"("failed":1)"));
    EXPECT_THAT(batch.body, HasSubstr(R"("retryable":false)"));
    EXPECT_TRUE(rig.kept_whole().empty());
}

TEST(SenderChecks, what_is_fetched_and_what_another_endpoint_asks_for_is_not_spoken_for) {
    Checked rig;
    rig.policies.gcp.methods = {ProofMethod::off};
    rig.policies.gcp.fetched = true;
    rig.policies.cloudevents.methods = {ProofMethod::bearer};
    rig.policies.cloudevents.speaking = {{Checked::named("SHOP"), {}}};
    auto& direct = rig.policies.direct;
    direct.methods = {ProofMethod::bearer};
    direct.speaking = {{Checked::named("SECRET"), {}}};
    rig.open_with_checks();
    const auto send = [&](std::string_view id, std::string_view source) {
        auto body = order(id);
        body.replace(body.find("aws"), 3, source);
        return rig
            .send_with(Endpoint::ingest, std::move(body), {{"Authorization", "Bearer s3cret"}})
            .status;
    };
    EXPECT_EQ(send("1", "gcp"), 403) << "it comes from a queue of its own";
    EXPECT_EQ(send("2", "cloudevents"), 403) << "that endpoint asks for another secret";
    EXPECT_EQ(send("3", "direct"), 422) << "its own, which no flow names";
    EXPECT_EQ(send("4", "aws"), 202);
    EXPECT_EQ(rig.events().size(), 1u);
}

std::string cloudevent(std::string_view id, std::string_view source,
                       std::string_view data = R"({"orderId":"O-1","customerId":"C","total":1})") {
    return fmt::format(
        R"({{"specversion":"1.0","id":"{}","source":"{}","type":"OrderPlaced","data":{}}})", id,
        source, data);
}

TEST(SenderChecks, cloudevents_from_anybody_are_of_the_source_that_their_prefix_names) {
    Checked rig;
    rig.policies.cloudevents.methods = {ProofMethod::bearer};
    rig.policies.cloudevents.speaking = {{Checked::named("SHOP"), {"shop"}},
                                         {Checked::named("SECRET"), {}}};
    rig.options.senders = rig.policies;
    rig.options.cloudevents.map = {{"https://shop.example/", "shop"}};
    rig.open_with_checks();
    const auto send = [&](std::string body, std::string_view bearer,
                          std::string type = "application/cloudevents+json") {
        auto out = Rig::request(std::move(body), type);
        out.headers.emplace_back("Authorization", "Bearer " + std::string(bearer));
        return rig.post(Endpoint::cloudevents, std::move(out)).get();
    };
    const std::string shop = "https://shop.example/orders";
    EXPECT_EQ(send(cloudevent("1", shop), "the shop's secret").status, 202);
    EXPECT_EQ(send(cloudevent("1", shop), "the shop's secret").status, 200);
    EXPECT_EQ(send(cloudevent("1", shop, R"({"orderId":"O-2","customerId":"C","total":1})"),
                   "the shop's secret")
                  .status,
              409);
    EXPECT_EQ(send(cloudevent("2", "/other"), "the shop's secret").status, 403)
        << "of the source cloudevents";
    EXPECT_EQ(send(cloudevent("2", "/other"), "s3cret").status, 202);
    EXPECT_EQ(send(cloudevent("3", shop, "7"), "s3cret").status, 422);
    EXPECT_EQ(send(cloudevent("3", shop), "wrong").status, 401);
    EXPECT_EQ(send("no JSON", "s3cret").status, 400);
    EXPECT_EQ(send("{}", "s3cret", "application/json").status, 400);
    EXPECT_EQ(send("{}", "s3cret", "application/cloudevents+avro").status, 415);
    const auto batch = send("[" + cloudevent("4", shop) + "," + cloudevent("5", "/other") + "]",
                            "the shop's secret", "application/cloudevents-batch+json");
    EXPECT_EQ(batch.status, 200);
    EXPECT_THAT(batch.body, HasSubstr(R"("accepted":1)"));
    EXPECT_THAT(batch.body, HasSubstr(R"("failed":1)"));
    EXPECT_EQ(send("[]", "s3cret", "application/cloudevents-batch+json").status, 200);
    const auto events = rig.events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].event().source, "shop");
    EXPECT_EQ(events[0].event().scope, shop);
    EXPECT_EQ(events[1].event().source, "cloudevents");
}

TEST(SenderChecks, who_asks_whether_he_may_send_hears_his_origin_if_it_is_listed) {
    Checked rig;
    rig.policies.azure.methods = {ProofMethod::query};
    rig.policies.azure.secrets = {Checked::named("SECRET")};
    rig.policies.azure.topics = AllowList{{"/t"}};
    rig.options.senders = rig.policies;
    rig.open_with_checks();
    const auto ask = [&](Endpoint endpoint, std::string origin, const Checked::Sent& query) {
        http::Request out;
        out.method = http::Method::options;
        out.headers = {{"WebHook-Request-Origin", std::move(origin)},
                       {"WebHook-Request-Callback", "https://169.254.169.254/"},
                       {"WebHook-Request-Rate", "120"}};
        out.query = query;
        return rig.gateway->greet(endpoint, out);
    };
    const Checked::Sent good{{"code", "s3cret"}};
    const auto welcome = ask(Endpoint::azure_eventgrid, "eventgrid.azure.net", good);
    EXPECT_EQ(welcome.status, 200);
    EXPECT_EQ(header(welcome, "WebHook-Allowed-Origin"), "eventgrid.azure.net");
    EXPECT_EQ(header(welcome, "WebHook-Allowed-Rate"), "*");
    EXPECT_EQ(header(welcome, "Allow"), "OPTIONS, POST");
    EXPECT_EQ(
        header(ask(Endpoint::azure_eventgrid, "evil.example", good), "WebHook-Allowed-Origin"), "");
    EXPECT_EQ(ask(Endpoint::azure_eventgrid, "eventgrid.azure.net", {}).status, 503);
    EXPECT_EQ(header(ask(Endpoint::cloudevents, "any.example", {}), "WebHook-Allowed-Origin"),
              "any.example")
        << "nobody need prove anything there";
    EXPECT_TRUE(rig.fetched.empty()) << "nobody is called back";
}

TEST(SenderChecks, every_clouds_endpoint_tells_the_origins_it_lists_and_how_fast) {
    Checked rig;
    auto& aws = rig.policies.aws;
    aws.methods = {ProofMethod::api_key};
    aws.secrets = {Checked::named("SECRET")};
    aws.origins = AllowList{{"events.example"}};
    aws.rate = 1;
    rig.policies.gcp.origins = AllowList(std::in_place);
    rig.options.senders = rig.policies;
    rig.open_with_checks();
    const auto ask = [&](Endpoint endpoint, const char* origin, const char* rate) {
        http::Request out;
        out.method = http::Method::options;
        out.headers = {{"X-Api-Key", "s3cret"}, {"WebHook-Request-Origin", origin}};
        if (rate != nullptr) {
            out.headers.emplace_back("WebHook-Request-Rate", rate);
        }
        return rig.gateway->greet(endpoint, out);
    };
    const auto may = [&](Endpoint endpoint, const char* origin) {
        return header(ask(endpoint, origin, nullptr), "WebHook-Allowed-Origin");
    };
    EXPECT_EQ(may(Endpoint::aws_eventbridge, "events.example"), "events.example");
    EXPECT_EQ(may(Endpoint::aws_eventbridge, "other.example"), "");
    EXPECT_EQ(may(Endpoint::gcp_pubsub, "events.example"), "") << "an empty list admits nobody";
    EXPECT_EQ(may(Endpoint::azure_eventgrid, "any.example"), "any.example")
        << "nobody need prove anything, and nobody has said who";
    for (const auto& [asked, told] :
         {std::pair("120", "60"), {"30", "30"}, {"many", "60"}, {"0", "60"}}) {
        EXPECT_EQ(
            header(ask(Endpoint::aws_eventbridge, "events.example", asked), "WebHook-Allowed-Rate"),
            told)
            << asked;
    }
}

TEST(SenderChecks, secrets_are_read_again) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::api_key};
    rig.policies.aws.secrets = {Checked::named("SECRET")};
    rig.open_with_checks();
    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cret"}}), 200);
    rig.environment["SECRET"] = "another";
    rig.clock.advance(std::chrono::seconds(6));
    rig.checks->refresh();
    EXPECT_EQ(rig.aws({{"X-Api-Key", "s3cret"}}), 401);
    EXPECT_EQ(rig.aws({{"X-Api-Key", "another"}}), 200);
    rig.environment.erase("SECRET");
    rig.clock.advance(std::chrono::seconds(6));
    rig.checks->refresh();
    EXPECT_EQ(rig.aws({{"X-Api-Key", "another"}}), 200) << "what can't be read changes nothing";
}

TEST(SenderChecks, a_policy_without_what_it_needs_is_refused_by_name) {
    const auto complaint = [](auto change) {
        SenderPolicies policies;
        change(policies);
        const auto status = policies.validate();
        return status ? std::string() : status.error().what;
    };
    EXPECT_THAT(complaint([](auto& p) { p.aws.methods = {ProofMethod::api_key}; }),
                HasSubstr("sources.aws.secret"));
    EXPECT_THAT(complaint([](auto& p) { p.aws.methods = {ProofMethod::sns}; }),
                HasSubstr("sources.aws.topics"));
    EXPECT_THAT(complaint([](auto& p) { p.gcp.methods = {ProofMethod::oidc}; }),
                HasSubstr("sources.gcp.audience"));
    EXPECT_THAT(complaint([](auto& p) { p.gcp.methods = {ProofMethod::sns}; }),
                HasSubstr("sources.gcp.policy"));
    const auto query = [](auto& p) {
        p.azure.methods = {ProofMethod::query};
        p.azure.secrets = {Checked::named("SECRET")};
    };
    EXPECT_THAT(complaint(query), HasSubstr("sources.azure.topics"));
    EXPECT_THAT(complaint([&](auto& p) {
                    query(p);
                    p.azure.topics = AllowList(std::in_place);
                }),
                HasSubstr("sources.azure.topics"));
    EXPECT_EQ(complaint([&](auto& p) {
                  query(p);
                  p.azure.topics = AllowList{{"/t"}};
              }),
              "");
    EXPECT_THAT(complaint([](auto& p) { p.azure.methods = {ProofMethod::entra}; }),
                HasSubstr("sources.azure.tenant"));
    EXPECT_THAT(complaint([](auto& p) { p.direct.methods = {ProofMethod::hmac}; }),
                HasSubstr("sources.direct.secrets"));
    EXPECT_THAT(complaint([](auto& p) { p.aws.methods = {ProofMethod::none, ProofMethod::sns}; }),
                HasSubstr("sources.aws.policy"));
    EXPECT_EQ(complaint([](auto& p) { p.direct.methods = {ProofMethod::bearer}; }), "");
}

}  // namespace
}  // namespace helios::gateway
