/// What is taken of a sender who has proved who he is, what is kept whole, and what is refused.

#include <fmt/format.h>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/hmac_signature.h"
#include "gateway/checked_test_kit.h"
#include "http/coding.h"

namespace helios::gateway {
namespace {

using ::testing::HasSubstr;

TEST(ProvenSenders, what_an_authentic_cloud_sends_is_kept_whatever_it_is) {
    Checked rig;
    rig.policies.azure.methods = {ProofMethod::query};
    rig.policies.azure.secrets = {Checked::named("SECRET")};
    rig.policies.azure.topics = AllowList{{"/t"}};
    rig.open_with_checks();
    for (const auto* body : {"not JSON", "[1", R"({"what":"ever"})", ""}) {
        EXPECT_EQ(rig.send_with(Endpoint::azure_eventgrid, body, {}, {{"code", "s3cret"}}).status,
                  200)
            << body;
        EXPECT_EQ(rig.send(Endpoint::gcp_pubsub, body).status, 400)
            << "of Pub/Sub nothing is checked: " << body;
    }
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 4u);
    EXPECT_EQ(kept[0].quarantined().body, "not JSON");
    EXPECT_EQ(kept[0].quarantined().reason, "not_json");
    EXPECT_EQ(kept[2].quarantined().reason, "not_an_envelope");
}

TEST(ProvenSenders, event_grid_brings_events_of_listed_topics_alone) {
    Checked rig;
    rig.policies.azure.methods = {ProofMethod::query};
    rig.policies.azure.secrets = {Checked::named("SECRET")};
    rig.policies.azure.topics = AllowList{{"/T", "/subscriptions/5b/topics/shop"}};
    rig.options.senders = rig.policies;
    rig.open_with_checks();
    const auto send = [&](std::string body, const char* type = "application/json") {
        auto out = Rig::request(std::move(body), type);
        out.query = {{"code", "s3cret"}};
        return rig.post(Endpoint::azure_eventgrid, std::move(out)).get();
    };
    const auto of = [](std::string_view id, std::string_view topic) {
        auto one = eventgrid(id);
        const std::string was = R"("topic":"/t")";
        return one.replace(one.find(was), was.size(), topic);
    };
    EXPECT_EQ(send("[" + eventgrid("g-1") + "]").status, 200) << "in whatever case";
    const auto other = send("[" + of("g-2", R"("topic":"/other")") + "]");
    EXPECT_EQ(other.status, 503) << "it may still be listed; 401 and 403 would dead-letter it";
    EXPECT_EQ(header(other, "Retry-After"), "30");
    EXPECT_EQ(send("[" + of("g-3", R"("and":"nothing")") + "]").status, 503) << "of no topic";
    EXPECT_EQ(send("[" + eventgrid("g-4") + "," + of("g-5", R"("topic":"/other")") + "]").status,
              503);
    EXPECT_EQ(rig.events().size(), 2u) << "what is listed is taken: the rest comes again";
    const auto cloudevent = [](std::string_view id, std::string_view source) {
        return fmt::format(
            R"({{"specversion":"1.0","id":"{}","source":"{}","type":"InventoryReserved","data":{{"orderId":"ORD-1"}}}})",
            id, source);
    };
    constexpr const char* type = "application/cloudevents+json";
    EXPECT_EQ(send(cloudevent("c-1", "/subscriptions/5B/topics/SHOP"), type).status, 200);
    EXPECT_EQ(send(cloudevent("c-2", "/subscriptions/5b/topics/other"), type).status, 503);
    EXPECT_EQ(rig.events().size(), 3u);
    EXPECT_EQ(send("not JSON").status, 200) << "kept whole: nobody knows of which topic";
    EXPECT_EQ(send(R"([{"id":"g-6","topic":"/other","eventType":7}])").status, 503);
    EXPECT_EQ(rig.kept_whole().size(), 1u);
    EXPECT_TRUE(rig.refused.empty()) << "no absence of ours";
    const auto refusals = rig.checks->refusals("azure");
    ASSERT_EQ(refusals.size(), 1u);
    EXPECT_EQ(refusals[0].reason, "topic");
    EXPECT_EQ(refusals[0].count, 5u);
}

TEST(ProvenSenders, a_custom_schema_has_no_topic_and_an_empty_list_admits_nobody) {
    Checked rig;
    rig.options.azure_custom.type = "kind";
    rig.options.senders.azure.topics = AllowList{{"/t"}};
    rig.open_with_checks();
    const auto custom = R"([{"kind":"InventoryReserved","orderId":"ORD-1"}])";
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, custom).status, 200);
    rig.gateway.reset();
    rig.options.senders.azure.topics = AllowList(std::in_place);
    rig.open_gateway();
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, custom).status, 503);
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("g-1") + "]").status, 503);
    rig.gateway.reset();
    rig.options.senders.azure.topics.reset();
    rig.open_gateway();
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, "[" + eventgrid("g-1") + "]").status, 200)
        << "nobody has to prove anything, and nobody has said which";
}

// It would be sent again for a day, and dropped then.
TEST(ProvenSenders, what_an_authentic_cloud_sends_damaged_is_kept_as_it_was_transferred) {
    Checked rig;
    rig.policies.aws.methods = {ProofMethod::api_key};
    rig.policies.aws.secrets = {Checked::named("SECRET")};
    rig.options.body_bytes_max = 1u << 20;
    rig.options.direct_bytes_max = 1u << 20;
    rig.open_with_checks();
    const auto send = [&](std::string body, const char* key) {
        return rig
            .send_with(Endpoint::aws_eventbridge, std::move(body),
                       {{"Content-Encoding", "gzip"}, {"X-Api-Key", key}})
            .status;
    };
    const auto good = http::gzip(eventbridge("e-1"), 6);
    const auto damaged = good + "trailing";
    EXPECT_EQ(send(damaged, "s3cret"), 200);
    EXPECT_EQ(send(damaged, "wrong"), 401);
    EXPECT_EQ(send(http::gzip("not JSON", 6), "s3cret"), 200);
    EXPECT_EQ(send(http::gzip(std::string(2u << 20, ' '), 9), "s3cret"), 413)
        << "above the read limit";
    EXPECT_EQ(send(good, "s3cret"), 200);
    EXPECT_EQ(rig.events().size(), 1u);
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[0].quarantined().body, damaged);
    EXPECT_EQ(kept[0].quarantined().reason, "not_json");
    EXPECT_THAT(kept[0].quarantined().headers, HasSubstr("\"content-encoding\":\"gzip\""));
    EXPECT_EQ(kept[1].quarantined().body, "not JSON");
}

TEST(ProvenSenders, what_an_authentic_declared_sender_sends_is_kept_whatever_it_is) {
    Checked rig;
    auto hooks = *recipe("github");
    hooks.rules.source = "repo";
    hooks.secrets = {Checked::named("SECRET")};
    rig.policies.declared["repo"] = hooks;
    auto open = hooks;
    open.rules.source = "open";
    open.signature.reset();
    open.secrets.clear();
    rig.policies.declared["open"] = open;
    rig.options.senders = rig.policies;
    rig.open_with_checks();
    const auto send = [&](const char* name, std::string body, const char* secret) {
        const auto& sender = rig.gateway->options().senders.declared.at(name);
        auto headers = *auth::signature_headers(*hooks.signature, secret, "id", body, sns::now);
        auto out = Rig::request(std::move(body));
        std::ranges::move(headers, std::back_inserter(out.headers));
        std::promise<int> status;
        rig.gateway->accept(Door(sender), std::move(out), rig.caller, [&](const Receipt& receipt) {
            status.set_value(answer(Door(sender), receipt).status);
        });
        return status.get_future().get();
    };
    EXPECT_EQ(send("repo", "not JSON", "s3cret"), 200);
    EXPECT_EQ(send("repo", "", "s3cret"), 200);
    EXPECT_EQ(send("repo", "not JSON", "wrong"), 401);
    EXPECT_EQ(send("open", "not JSON", "s3cret"), 400) << "nothing was checked";
    const auto kept = rig.kept_whole();
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[0].quarantined().body, "not JSON");
    EXPECT_EQ(kept[0].quarantined().source, "repo");
    EXPECT_EQ(kept[0].quarantined().reason, "not_json");
}

TEST(ProvenSenders, each_way_of_being_refused_is_counted_by_its_reason) {
    Checked rig;
    rig.policies.direct.methods = {ProofMethod::bearer};
    rig.policies.direct.speaking = {{Checked::named("SECRET"), {"warehouse"}}};
    rig.options.record_bytes_max = 4'096;
    rig.options.dlq_bytes_max = 64u << 10;
    rig.options.senders = rig.policies;
    rig.open_with_checks();
    const auto send = [&](std::string body, const char* type = "application/json",
                          const char* secret = "s3cret") {
        auto out = Rig::request(std::move(body), type);
        out.headers.emplace_back("Authorization", std::string("Bearer ") + secret);
        return rig.post(Endpoint::ingest, std::move(out)).get().status;
    };
    const auto line = [](std::string payload) {
        return R"({"source":"warehouse","eventType":"OrderPlaced","id":"e","payload":)" +
               std::move(payload) + "}";
    };
    EXPECT_EQ(send("{"), 400);
    EXPECT_EQ(send("{}", "text/plain"), 415);
    EXPECT_EQ(send(order("e-1")), 403);
    EXPECT_EQ(send(order("e-1"), "application/json", "wrong"), 401);
    EXPECT_EQ(send(line(R"({"orderId":"O-1","customerId":"C","total":1,"x":")" +
                        std::string(5'000, 'x') + "\"}")),
              413);
    const std::string bad = R"({"x":")" + std::string(60'000, 'x') + "\"}";
    EXPECT_EQ(send(line(bad)), 422);
    EXPECT_EQ(send(line(R"({"y":1,)" + bad.substr(1))), 429);
    std::map<std::string, std::uint64_t> counted;
    for (const auto* source : {"direct", "warehouse", "aws", "other"}) {
        for (const auto& refused : rig.gateway->refusals(source)) {
            counted[std::string(source) + " " + refused.reason] = refused.count;
            EXPECT_EQ(refused.last_at, rig.clock.wall());
        }
    }
    // Before an event is read nobody knows whose it is: it counts with its endpoint.
    EXPECT_EQ(counted, (std::map<std::string, std::uint64_t>{{"direct unreadable", 1},
                                                             {"direct media_type", 1},
                                                             {"aws source", 1},
                                                             {"direct wrong_secret", 1},
                                                             {"warehouse too_large", 1},
                                                             {"warehouse dlq_full", 1}}));
}

}  // namespace
}  // namespace helios::gateway
