// Items of the DLQ on their way in again: the same door, one append, nothing lost or doubled.

#include <gtest/gtest.h>

#include "gateway/dlq_test_kit.h"
#include "gateway/resubmission.h"

namespace helios::gateway {
namespace {

const std::string without_order =
    R"({"source":"aws","eventType":"OrderPlaced","id":"e-1","time":"2026-01-05T10:23:45.123456Z","payload":{"customerId":"C-7","totalAmount":"12.50"},"metadata":{"a":1}})";

TEST_F(Dlq, what_is_edited_becomes_the_event_that_it_should_have_been) {
    const auto id = keep(Endpoint::ingest, without_order);
    const auto response =
        resubmit(id, R"({"payload":{"orderId":"ORD-1","customerId":"C-7","totalAmount":12.50}})");
    ASSERT_EQ(response.status, 202) << response.body;
    EXPECT_EQ(member(response, "status"), "accepted");
    EXPECT_EQ(member(response, "eventId"), "e-1");
    const auto events = rig.events();
    ASSERT_EQ(events.size(), 1u);
    const auto event = events[0].event();
    EXPECT_EQ(event.payload, R"({"orderId":"ORD-1","customerId":"C-7","totalAmount":12.50})")
        << "byte for byte";
    EXPECT_EQ(event.source, "aws");
    EXPECT_EQ(event.key, "ORD-1");
    EXPECT_EQ(event.metadata, R"({"a":1})");
    EXPECT_EQ(format_rfc3339(*event.time), "2026-01-05T10:23:45.123456Z");
    const auto all = outcomes();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].id, id);
    EXPECT_EQ(all[0].what, model::DlqResult::accepted);
    EXPECT_EQ(all[0].attempt, 1u);
    EXPECT_EQ(all[0].source, "aws");
    EXPECT_EQ(all[0].event_id, "e-1");
    EXPECT_EQ(all[0].who, rig.caller.subject);
    EXPECT_EQ(all[0].edited, std::vector<std::string>{"payload"});
    ASSERT_EQ(audits.size(), 1u);
    EXPECT_EQ(audits[0].what, "dlq.resubmit " + id);
    EXPECT_EQ(audits[0].outcome, "done");
    EXPECT_EQ(audits[0].before, "waiting, edited: payload");

    EXPECT_EQ(resubmit(id).status, 200) << "asked for again, it is done";
    EXPECT_EQ(resubmit(id, R"({"id":"e-2"})").status, 409) << "an event already";
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(outcomes().size(), 1u);
    EXPECT_EQ(post("/api/v1/dlq/" + id + "/discard", R"({"reason":"no"})").status, 409);
    reopen();
    const auto counted = rig.counted("aws");
    EXPECT_EQ(counted.at("received"), 2u);
    EXPECT_EQ(counted.at("appended"), 1u);
    EXPECT_EQ(counted.at("quarantined"), 1u);
}

TEST_F(Dlq, what_fails_keeps_its_lineage_and_is_exhausted_after_three) {
    const auto id = keep(Endpoint::ingest, without_order);
    for (int i = 0; i < 4; ++i) {
        const auto response = resubmit(id);
        ASSERT_EQ(response.status, 422) << response.body;
        EXPECT_EQ(member(response, "dlqId"), id);
        EXPECT_EQ(member(response, "reason"), "missing_field");
    }
    EXPECT_EQ(rig.kept_whole().size(), 1u) << "no new item";
    const auto all = outcomes();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].what, model::DlqResult::failed);
    EXPECT_EQ(all[1].attempt, 2u);
    EXPECT_EQ(all[2].what, model::DlqResult::exhausted);
    EXPECT_EQ(all[3].what, model::DlqResult::exhausted);
    EXPECT_EQ(all[2].reason, "missing_field");
    EXPECT_EQ(audits[0].outcome, "refused");
    EXPECT_EQ(resubmit(id, R"({"payload":{"orderId":"ORD-1"}})").status, 202)
        << "by its id, edited";
    reopen();
    EXPECT_EQ(rig.counted("aws").at("quarantined"), 1u) << "it came once";
}

TEST_F(Dlq, an_item_of_a_cloud_keeps_its_source_scope_and_time) {
    const auto aws = keep(Endpoint::aws_eventbridge, eventbridge("b-1", R"({"customerId":"C"})"));
    const auto gcp = keep(Endpoint::gcp_pubsub, pubsub("g-1", R"({"amount":"1"})"));
    const auto azure = keep(Endpoint::azure_eventgrid, "[" + eventgrid("z-1", "7") + "]");
    EXPECT_EQ(resubmit(aws, R"({"payload":{"orderId":"O-1"}})").status, 202);
    EXPECT_EQ(resubmit(gcp, R"({"payload":{"orderId":"O-1","amount":"1"}})").status, 202);
    EXPECT_EQ(resubmit(azure, R"({"payload":{"orderId":"O-1"}})").status, 202);
    std::map<std::string, model::Event> by_id;
    for (const auto& record : rig.events()) {
        by_id.emplace(record.event().id, record.event());
    }
    ASSERT_EQ(by_id.size(), 3u);
    EXPECT_EQ(by_id.at("b-1").scope, "012345678901/eu");
    EXPECT_EQ(by_id.at("b-1").source, "aws");
    EXPECT_EQ(by_id.at("g-1").scope, "projects/p/subscriptions/s");
    EXPECT_EQ(by_id.at("z-1").scope, "/t");
    EXPECT_EQ(by_id.at("z-1").source, "azure");
    EXPECT_EQ(by_id.at("z-1").type, "InventoryReserved");
    EXPECT_EQ(format_rfc3339(*by_id.at("z-1").time), "2026-01-05T10:23:48.123456700Z");
    EXPECT_EQ(
        rig.send(Endpoint::aws_eventbridge, eventbridge("b-1", R"({"orderId":"O-1"})")).status,
        200);
    EXPECT_EQ(rig.events().size(), 3u) << "what its sender corrects himself is the same event";
}

TEST_F(Dlq, a_body_and_every_member_can_be_given_anew) {
    const auto broken = keep(Endpoint::azure_eventgrid, R"([{"id":"z","topic":"/t","data":{}}])");
    ASSERT_EQ(resubmit(broken, R"({"body":1})").status, 400);
    json::Writer body;
    body.begin_object().field("body", eventgrid("z-1")).end_object();
    EXPECT_EQ(resubmit(broken, body.take()).status, 202);
    const auto unknown = keep(Endpoint::ingest,
                              R"({"source":"wharehouse","eventType":"X","id":"w-1","payload":{}})");
    EXPECT_EQ(resubmit(unknown).status, 422);
    EXPECT_EQ(resubmit(unknown, R"({"source":"warehouse"})").status, 202);
    const auto scrambled = keep(Endpoint::batch, R"([{"source":"aws","id":5,"eventType":["?"]}])");
    EXPECT_EQ(
        resubmit(scrambled,
                 R"({"eventType":"T","payload":{"a":1},"id":"s-1","time":"2026-01-05T10:00:00Z"})")
            .status,
        202);
    EXPECT_EQ(rig.events().size(), 3u);
    EXPECT_EQ(outcomes().back().edited,
              (std::vector<std::string>{"eventType", "id", "payload", "time"}));
}

TEST_F(Dlq, a_declared_item_keeps_the_headers_that_its_declaration_reads) {
    auto& sender = rig.options.senders.declared["shopify"];
    sender = *recipe("shopify");
    sender.rules.source = "shopify";
    sender.signature.reset();
    rig.reopen();
    auto request = Rig::request(R"({"orderId":"O-1","orderId":"O-2"})");
    request.headers.emplace_back("X-Shopify-Topic", "orders/create");
    request.headers.emplace_back("X-Shopify-Webhook-Id", "b54557e4");
    request.headers.emplace_back("X-Shopify-Hmac-Sha256", "a credential");
    std::promise<void> kept;
    rig.gateway->accept(Door(rig.gateway->options().senders.declared.at("shopify")),
                        std::move(request), rig.caller, [&](const Receipt&) { kept.set_value(); });
    kept.get_future().get();
    ASSERT_EQ(rig.kept_whole().size(), 1u);
    const auto item = rig.kept_whole().front().quarantined();
    EXPECT_NE(item.headers.find(R"("x-shopify-topic":"orders/create")"), std::string::npos);
    EXPECT_EQ(item.headers.find("a credential"), std::string::npos) << item.headers;
    EXPECT_EQ(resubmit(item.id).status, 422) << "its body is what it was";
    EXPECT_EQ(resubmit(item.id, R"({"payload":{"orderId":"O-1"}})").status, 202)
        << "neither its id nor its type is given anew";
    ASSERT_EQ(rig.events().size(), 1u);
    const auto event = rig.events().front().event();
    EXPECT_EQ(event.id, "b54557e4");
    EXPECT_EQ(event.type, "orders/create");
    EXPECT_EQ(event.source, "shopify");
}

TEST_F(Dlq, a_taken_id_is_a_duplicate_or_a_conflict) {
    ASSERT_EQ(rig.ingest(order("e-1")).status, 202);
    const auto id = keep(Endpoint::ingest, order("e-1", "ORD-1", "99"));
    EXPECT_EQ(resubmit(id).status, 409);
    EXPECT_EQ(member(resubmit(id), "dlqId"), id);
    const auto response =
        resubmit(id, R"({"payload":{"orderId":"ORD-1","customerId":"C-7","total":12.50}})");
    EXPECT_EQ(response.status, 200) << response.body;
    const auto all = outcomes();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].what, model::DlqResult::conflict);
    EXPECT_EQ(all[2].what, model::DlqResult::duplicate);
    ASSERT_TRUE(all[2].event);
    EXPECT_EQ(all[2].event->partition.topic, model::topic::orders);
    EXPECT_EQ(rig.events().size(), 1u);
}

TEST_F(Dlq, discarding_needs_a_reason_and_is_done_once) {
    const auto id = keep(Endpoint::ingest, without_order);
    const auto path = "/api/v1/dlq/" + id + "/discard";
    for (const auto* body : {"", "{}", "[]", R"({"reason":""})", R"({"reason":7})", "{\"reason\"",
                             R"({"reason":"a","more":1})"}) {
        EXPECT_EQ(post(path, body).status, 400) << body;
    }
    EXPECT_EQ(post(path, R"({"reason":")" + std::string(2'000, 'a') + "\"}").status, 400);
    EXPECT_EQ(post("/api/v1/dlq/nobody/discard", R"({"reason":"a test"})").status, 404);
    for (int i = 0; i < 2; ++i) {
        const auto response = post(path, R"({"reason":"a test"})");
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(member(response, "status"), "discarded");
    }
    ASSERT_EQ(outcomes().size(), 1u);
    EXPECT_EQ(outcomes()[0].what, model::DlqResult::discarded);
    EXPECT_EQ(outcomes()[0].reason, "a test");
    ASSERT_EQ(audits.size(), 1u);
    EXPECT_EQ(audits[0].reason, "a test");
    EXPECT_EQ(resubmit(id, R"({"payload":{"orderId":"O"}})").status, 202) << "a change of mind";
}

TEST_F(Dlq, bad_requests_change_nothing) {
    const auto id = keep(Endpoint::ingest, without_order);
    for (const auto* edits :
         {"[]", "7", "{", R"({"key":"K"})", R"({"id":"a","id":"b"})", R"({"body":{}})", "\xff"}) {
        EXPECT_EQ(resubmit(id, edits).status, 400) << edits;
    }
    EXPECT_EQ(resubmit("nobody").status, 404);
    EXPECT_TRUE(outcomes().empty());
    for (const auto* edits : {R"({"payload":7})", R"({"payload":null})", R"({"eventType":""})",
                              R"({"id":["x"]})", R"({"source":null})", R"({"body":"not JSON"})",
                              R"({"body":"[]"})", R"({"payload":{"orderId":"a","orderId":"b"}})"}) {
        EXPECT_EQ(resubmit(id, edits).status, 422) << edits;
    }
    EXPECT_TRUE(rig.events().empty());
}

TEST_F(Dlq, a_handshake_is_no_event) {
    const auto id = keep(
        Endpoint::aws_eventbridge,
        R"({"Type":"SubscriptionConfirmation","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-central-1:1:t","Token":"x","SubscribeURL":"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription","Message":"m","Timestamp":"2026-01-05T10:23:45Z"})");
    EXPECT_EQ(resubmit(id).status, 409);
    EXPECT_EQ(post("/api/v1/dlq/" + id + "/discard", R"({"reason":"done"})").status, 200);
}

TEST_F(Dlq, a_disk_that_fails_leaves_neither_half) {
    const auto id = keep(Endpoint::ingest, without_order);
    const std::string edits = R"({"payload":{"orderId":"ORD-1"}})";
    rig.disk.fail_syncs(true);
    EXPECT_EQ(resubmit(id, edits).status, 503);
    rig.disk.fail_syncs(false);
    EXPECT_TRUE(rig.refused.empty()) << "no source was refused";
    reopen();
    EXPECT_EQ(rig.events().size(), outcomes().size());
    const auto again = resubmit(id, edits).status;
    EXPECT_TRUE(again == 202 || again == 200) << again;
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(outcomes().size(), 1u);
}

TEST_F(Dlq, an_item_is_tried_by_one_at_a_time) {
    const auto id = keep(Endpoint::ingest, without_order);
    rig.syncs.shut(true);
    auto kept = items.find(default_tenant(), id);
    ASSERT_TRUE(kept);
    Resubmission again{kept->item, *parse_edits(R"({"payload":{"orderId":"ORD-1"}})"), 1, {}};
    std::promise<Receipt> first;
    rig.gateway->resubmit(again, rig.caller, [&](Receipt r) { first.set_value(std::move(r)); });
    std::promise<Receipt> second;
    rig.gateway->resubmit(again, rig.caller, [&](Receipt r) { second.set_value(std::move(r)); });
    EXPECT_EQ(second.get_future().get().kind, Receipt::Kind::refused) << "it is being tried";
    rig.syncs.shut(false);
    EXPECT_EQ(first.get_future().get().items.at(0).status, ItemStatus::accepted);
    EXPECT_EQ(rig.events().size(), 1u);
    EXPECT_EQ(outcomes().size(), 1u);
}

}  // namespace
}  // namespace helios::gateway
