#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

using testing::HasSubstr;

/// Every source is off to whoever pushes.
struct FetchedRig : Rig {
    FetchedRig() {
        SenderPolicies policies;
        policies.by_default = ProofMethod::off;
        auto opened = SenderChecks::open(policies, {.clock = clock, .telemetry = telemetry});
        HELIOS_ASSERT(opened, opened ? "" : opened.error().message());
        checks = *std::move(opened);
        open();
    }
    Receipt fetch(Endpoint endpoint, http::Request of) {
        std::promise<Receipt> promise;
        gateway->accept(Door(endpoint).as_fetched(), std::move(of), caller,
                        [&](Receipt receipt) { promise.set_value(std::move(receipt)); });
        return promise.get_future().get();
    }
    Receipt fetch(Endpoint endpoint, std::string body) {
        return fetch(endpoint, request(std::move(body)));
    }
};

std::string status_of(const Receipt& receipt) {
    return receipt.items.empty() ? "" : std::string(to_string(receipt.items.front().status));
}

TEST(Fetched, asks_for_no_credential_of_a_sender_where_what_is_pushed_is_refused) {
    FetchedRig rig;
    EXPECT_EQ(rig.send(Endpoint::aws_eventbridge, eventbridge("e-1")).status, 401);
    const auto receipt = rig.fetch(Endpoint::aws_eventbridge, eventbridge("e-1"));
    EXPECT_EQ(status_of(receipt), "accepted");
    EXPECT_TRUE(is_settled(receipt));
    EXPECT_EQ(status_of(rig.fetch(Endpoint::gcp_pubsub, pubsub("7"))), "accepted");
    EXPECT_EQ(
        status_of(rig.fetch(
            Endpoint::azure_eventgrid,
            Rig::request(
                R"({"specversion":"1.0","id":"r","source":"/s","type":"InventoryReserved","data":{"orderId":"O"}})",
                "application/cloudevents+json; charset=utf-8"))),
        "accepted");
}

TEST(Fetched, an_event_that_was_pushed_is_a_duplicate) {
    Rig pushed;
    pushed.open();
    EXPECT_EQ(pushed.send(Endpoint::aws_eventbridge, eventbridge("e-1")).status, 200);
    std::promise<Receipt> promise;
    pushed.gateway->accept(Door(Endpoint::aws_eventbridge).as_fetched(),
                           Rig::request(eventbridge("e-1")), pushed.caller,
                           [&](Receipt receipt) { promise.set_value(std::move(receipt)); });
    const auto receipt = promise.get_future().get();
    EXPECT_EQ(status_of(receipt), "duplicate");
    EXPECT_TRUE(is_settled(receipt));
    EXPECT_EQ(pushed.events().size(), 1u);
}

TEST(Fetched, the_queue_is_what_is_authentic_so_no_signature_of_sns_is_asked_for) {
    FetchedRig rig;
    json::Writer sns;
    sns.begin_object().field("Type", "Notification").field("MessageId", "m-1");
    sns.field("TopicArn", "arn:aws:sns:eu-central-1:1:orders");
    sns.field("Message", std::string_view(eventbridge("e-2"))).end_object();
    EXPECT_EQ(status_of(rig.fetch(Endpoint::aws_eventbridge, sns.take())), "accepted");
    EXPECT_EQ(rig.events().front().event().id, "e-2");
}

TEST(Fetched, what_nobody_can_read_is_kept_whole_and_may_be_deleted) {
    FetchedRig rig;
    for (const auto* body : {"no JSON", "", "[]", R"({"orderId":"detail alone"})"}) {
        const auto receipt = rig.fetch(Endpoint::aws_eventbridge, body);
        EXPECT_EQ(status_of(receipt), "quarantined") << body;
        EXPECT_TRUE(is_settled(receipt));
    }
    EXPECT_EQ(rig.kept_whole().size(), 4u);
    EXPECT_EQ(rig.kept_whole().front().quarantined().body, "no JSON");
}

TEST(Fetched,
     nothing_is_settled_before_it_is_durable_and_it_is_waited_for_longer_than_by_a_sender) {
    Rig rig;
    rig.open();
    rig.syncs.shut(true);
    std::promise<Receipt> promise;
    auto fetched = promise.get_future();
    rig.gateway->accept(Door(Endpoint::aws_eventbridge).as_fetched(),
                        Rig::request(eventbridge("e-3")), rig.caller,
                        [&](Receipt receipt) { promise.set_value(std::move(receipt)); });
    auto pushed = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("e-4")));
    rig.clock.advance(std::chrono::minutes(5));
    EXPECT_EQ(pushed.get().status, 503) << "its sender waits no longer, and is told";
    EXPECT_EQ(fetched.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    rig.syncs.shut(false);
    EXPECT_TRUE(is_settled(fetched.get()));
}

TEST(Fetched, what_is_refused_because_of_us_is_not_settled) {
    FetchedRig rig;
    rig.gateway->close();
    const auto receipt = rig.fetch(Endpoint::aws_eventbridge, eventbridge("e-4"));
    EXPECT_FALSE(is_settled(receipt));
    EXPECT_EQ(receipt.kind, Receipt::Kind::refused);
}

}  // namespace
}  // namespace helios::gateway
