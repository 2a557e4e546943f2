// How fast senders may be: the buckets, and what each sender is told.
#include "gateway/rate_limits.h"

#include <gtest/gtest.h>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SenderPolicies with_rate(std::uint64_t rate, std::uint64_t credential_rate) {
    SenderPolicies policies;
    policies.direct.rate = rate;
    policies.direct.credential_rate = credential_rate;
    return policies;
}

TEST(RateLimits, a_second_at_once_and_then_as_time_passes) {
    RateLimits limits(with_rate(10, 0));
    const Duration start = seconds(1'000);
    for (int i = 0; i < 10; ++i) {
        ASSERT_FALSE(limits.take("direct", "", start)) << i;
    }
    const auto wait = limits.take("direct", "", start);
    ASSERT_TRUE(wait);
    EXPECT_EQ(*wait, milliseconds(100));
    EXPECT_FALSE(limits.take("direct", "", start + milliseconds(101)));
    EXPECT_TRUE(limits.take("direct", "", start + milliseconds(101)));
    int taken = 0;
    for (int i = 0; i < 100; ++i) {
        taken += !limits.take("direct", "", start + seconds(60));
    }
    EXPECT_EQ(taken, 10) << "an hour of silence saves no more than a second";
    EXPECT_FALSE(limits.take("aws", "", start)) << "which has no bound";
}

TEST(RateLimits, what_a_batch_brings_beyond_is_owed) {
    RateLimits limits(with_rate(10, 0));
    const Duration start = seconds(5);
    ASSERT_FALSE(limits.take("direct", "", start));
    limits.owe("direct", "", 59, start);  // 60 events: 10 were there
    const auto wait = limits.take("direct", "", start);
    ASSERT_TRUE(wait);
    EXPECT_EQ(*wait, milliseconds(5'100));
    EXPECT_TRUE(limits.take("direct", "", start + seconds(5)));
    EXPECT_FALSE(limits.take("direct", "", start + milliseconds(5'101)));
}

TEST(RateLimits, each_credential_has_its_own_and_they_share_the_sources) {
    RateLimits limits(with_rate(3, 2));
    const Duration now = seconds(5);
    EXPECT_FALSE(limits.take("direct", "ann", now));
    EXPECT_FALSE(limits.take("direct", "ann", now));
    EXPECT_TRUE(limits.take("direct", "ann", now));
    EXPECT_FALSE(limits.take("direct", "bob", now)) << "ann's refusal cost the source nothing";
    EXPECT_TRUE(limits.take("direct", "bob", now)) << "the source's three are gone";
}

TEST(RateLimits, credentials_beyond_the_bound_share_one_bucket_until_others_are_full_again) {
    RateLimits limits(with_rate(0, 1));
    const Duration now = seconds(5);
    for (std::size_t i = 0; i < RateLimits::credentials_max; ++i) {
        ASSERT_FALSE(limits.take("direct", "c" + std::to_string(i), now));
    }
    EXPECT_FALSE(limits.take("direct", "late", now));
    EXPECT_TRUE(limits.take("direct", "later", now)) << "one bucket for both";
    EXPECT_FALSE(limits.take("direct", "later", now + seconds(2))) << "those that are full went";
    EXPECT_FALSE(limits.take("direct", "late", now + seconds(2)));
}

TEST(Rate, beyond_it_each_sender_is_told_so_in_its_own_way_and_nothing_is_an_absence) {
    Rig rig;
    for (auto* policy : {&rig.options.senders.aws, &rig.options.senders.gcp,
                         &rig.options.senders.azure, &rig.options.senders.direct}) {
        policy->rate = 2;
    }
    rig.open();
    const auto twice = [&](Endpoint endpoint, const auto& body) {
        for (const auto* id : {"1", "2"}) {
            EXPECT_LT(rig.send(endpoint, body(id)).status, 300);
        }
        return rig.send(endpoint, body("3"));
    };
    const auto bridge = twice(Endpoint::aws_eventbridge, [](auto* id) { return eventbridge(id); });
    EXPECT_EQ(bridge.status, 429) << "EventBridge retries it, and waits as it is told";
    EXPECT_EQ(header(bridge, "Retry-After"), "1");
    auto notice = Rig::request("{}", "text/plain");
    notice.headers.emplace_back("x-amz-sns-message-type", "Notification");
    EXPECT_EQ(rig.post(Endpoint::aws_eventbridge, std::move(notice)).get().status, 503)
        << "SNS takes 429 for a final answer";
    const auto push = twice(Endpoint::gcp_pubsub, [](auto* id) { return pubsub(id); });
    EXPECT_EQ(push.status, 503);
    const auto grid =
        twice(Endpoint::azure_eventgrid, [](auto* id) { return "[" + eventgrid(id) + "]"; });
    EXPECT_EQ(grid.status, 503);
    EXPECT_EQ(header(grid, "Retry-After"), "30");
    const auto direct =
        twice(Endpoint::ingest, [](auto* id) { return order(id + std::string("d")); });
    EXPECT_EQ(direct.status, 429);
    EXPECT_TRUE(rig.refused.empty()) << "nobody was absent";
    EXPECT_NE(
        rig.telemetry.metrics.expose().find(
            R"(helios_gateway_requests_without_items_total{endpoint="/api/v1/events/ingest",outcome="rate"} 1)"),
        std::string::npos);
    const auto refused = rig.gateway->refusals("aws");
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].reason, "rate");
    EXPECT_EQ(refused[0].count, 2u);

    rig.clock.advance(seconds(1));
    EXPECT_EQ(rig.ingest(order("3d")).status, 202) << "what was refused was not begun";
    rig.reopen();
    EXPECT_EQ(rig.counted("other"),
              (std::map<std::string, std::uint64_t>{{"received", 1}, {"refused", 1}}));
}

TEST(Rate, a_batch_is_taken_whole_and_paid_for_afterwards) {
    Rig rig;
    rig.options.senders.direct.rate = 2;
    rig.open();
    const auto batch = rig.send(Endpoint::batch, "[" + order("a") + "," + order("b") + "," +
                                                     order("c") + "," + order("d") + "]");
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(rig.events().size(), 4u);
    EXPECT_EQ(header(rig.ingest(order("e")), "Retry-After"), "2") << "owes 2, needs 1: 1.5 s";
}

TEST(Rate, of_a_source_that_senders_name_it_holds_wherever_that_comes_in) {
    Rig rig;
    rig.options.senders.rates["warehouse"].rate = 2;
    rig.options.senders.rates["shop"].rate = 1;
    rig.options.cloudevents.map["https://shop.example/"] = "shop";
    rig.open();
    const auto line = [](std::string_view id, std::string_view source) {
        auto out = order(id);
        const std::string was = R"("source":"aws")";
        return out.replace(out.find(was), was.size(), R"("source":")" + std::string(source) + "\"");
    };
    EXPECT_EQ(rig.ingest(line("w-1", "warehouse")).status, 202);
    EXPECT_EQ(rig.ingest(line("w-2", "warehouse")).status, 202);
    const auto refused = rig.ingest(line("w-3", "warehouse"));
    EXPECT_EQ(refused.status, 429) << refused.body;
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_EQ(rig.ingest(line("a-1", "aws")).status, 202) << "another source has another bound";
    const auto batch =
        rig.send(Endpoint::batch, "[" + line("a-2", "aws") + "," + line("w-3", "warehouse") + "]");
    ASSERT_EQ(batch.status, 200);
    const auto document = json::Document::parse(batch.body);
    const auto items = document->root().find("items");
    EXPECT_EQ(items.at(0).find("status").text(), "accepted");
    EXPECT_EQ(items.at(1).find("status").text(), "failed");
    EXPECT_TRUE(items.at(1).find("retryable").boolean());
    EXPECT_EQ(rig.send(Endpoint::batch, "[" + line("w-3", "warehouse") + "]").status, 429);

    const auto cloudevent = [&](std::string_view id) {
        return rig.send(Endpoint::cloudevents,
                        R"({"specversion":"1.0","id":")" + std::string(id) +
                            R"(","source":"https://shop.example/o","type":"OrderPlaced",)"
                            R"("data":{"orderId":"ORD-1","customerId":"C","total":1}})",
                        "application/cloudevents+json");
    };
    EXPECT_EQ(cloudevent("c-1").status, 202);
    EXPECT_EQ(cloudevent("c-2").status, 429);
    EXPECT_TRUE(rig.refused.empty()) << "nobody was absent";
    const auto why = rig.gateway->refusals("warehouse");
    ASSERT_EQ(why.size(), 1u);
    EXPECT_EQ(why[0].reason, "rate");
    EXPECT_EQ(why[0].count, 3u);
    EXPECT_EQ(rig.gateway->refusals("shop").at(0).count, 1u);

    rig.clock.advance(seconds(1));
    EXPECT_EQ(rig.ingest(line("w-3", "warehouse")).status, 202) << "what was refused was not begun";
    EXPECT_EQ(cloudevent("c-2").status, 202);
}

}  // namespace
}  // namespace helios::gateway
