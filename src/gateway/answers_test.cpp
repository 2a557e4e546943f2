#include "gateway/answers.h"

#include <gtest/gtest.h>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

const DeclaredSender& hooks() {
    static const DeclaredSender sender = [] {
        auto out = *recipe("standard_webhooks");
        out.rules.source = "hooks";
        return out;
    }();
    return sender;
}

/// In the order of docs/contracts.md: SNS, API destination, Pub/Sub, Event Grid, Standard Webhooks,
/// CloudEvents, direct; and direct senders' batches.
struct Column {
    Door door;
    SenderKind sender;
};
const std::vector<Column>& columns() {
    static const std::vector<Column> all{{Endpoint::aws_eventbridge, SenderKind::sns},
                                         {Endpoint::aws_eventbridge, SenderKind::api_destination},
                                         {Endpoint::gcp_pubsub, SenderKind::pubsub},
                                         {Endpoint::azure_eventgrid, SenderKind::event_grid},
                                         {Door(hooks()), SenderKind::standard_webhooks},
                                         {Endpoint::cloudevents, SenderKind::cloudevents},
                                         {Endpoint::ingest, SenderKind::direct},
                                         {Endpoint::batch, SenderKind::direct}};
    return all;
}

ItemReceipt item(ItemStatus status, std::optional<Error> error = {}) {
    ItemReceipt out;
    out.status = status;
    out.event_id = "e-1";
    out.dlq_id = "d-1";
    out.error = std::move(error);
    return out;
}
Receipt receipt(std::vector<ItemReceipt> items) {
    Receipt out;
    out.items = std::move(items);
    return out;
}
std::vector<int> row(Receipt what) {
    std::vector<int> statuses;
    for (const auto& [door, sender] : columns()) {
        what.sender = sender;
        statuses.push_back(answer(door, what).status);
    }
    return statuses;
}
using Row = std::vector<int>;

/// The table of what each sender is told.
TEST(Answers, the_table) {
    EXPECT_EQ(row(receipt({item(ItemStatus::accepted)})),
              (Row{200, 200, 204, 200, 200, 202, 202, 200}));
    EXPECT_EQ(row(receipt({item(ItemStatus::duplicate)})),
              (Row{200, 200, 204, 200, 200, 200, 200, 200}));
    EXPECT_EQ(row(receipt({item(ItemStatus::conflict)})),
              (Row{200, 200, 204, 200, 200, 409, 409, 200}));
    EXPECT_EQ(row(receipt({item(ItemStatus::quarantined)})),
              (Row{200, 200, 204, 200, 200, 422, 422, 200}));
    const Error full{ErrorKind::unavailable, "the disk is full", "free some space"};
    const Error busy{ErrorKind::exhausted, "too much at once", "slow down"};
    EXPECT_EQ(row(receipt({item(ItemStatus::failed, full)})),
              (Row{503, 503, 503, 503, 503, 503, 503, 503}));
    EXPECT_EQ(row(receipt({item(ItemStatus::failed, busy)})),
              (Row{503, 503, 503, 503, 429, 503, 429, 429}));
    auto large = item(ItemStatus::failed, Error{ErrorKind::invalid, "too large", ""});
    large.too_large = true;
    for (const Door& door : {Door(Endpoint::ingest), Door(Endpoint::cloudevents), Door(hooks())}) {
        EXPECT_EQ(answer(door, receipt({large})).status, 413) << door.path();
    }
    EXPECT_EQ(answer(Endpoint::batch, receipt({large})).status, 200) << "per item, not retryable";

    Receipt other;
    other.error = full;
    other.kind = Receipt::Kind::not_this_protocol;
    EXPECT_EQ(row(other), (Row{400, 400, 400, 400, 400, 400, 400, 400}));
    other.kind = Receipt::Kind::wrong_media_type;
    EXPECT_EQ(row(other), (Row{415, 415, 415, 415, 415, 415, 415, 415}));
    other.kind = Receipt::Kind::too_large;
    EXPECT_EQ(row(other), (Row{413, 413, 413, 413, 413, 413, 413, 413}));
    other.kind = Receipt::Kind::refused;
    EXPECT_EQ(row(other), (Row{503, 503, 503, 503, 503, 503, 503, 503}));
    other.error = busy;
    EXPECT_EQ(row(other), (Row{503, 503, 503, 503, 429, 503, 429, 429}));
    other.kind = Receipt::Kind::too_fast;
    EXPECT_EQ(row(other), (Row{503, 429, 503, 503, 429, 429, 429, 429}))
        << "SNS takes 429 for a final answer; EventBridge waits as it says";
}

TEST(Answers, who_did_not_prove_who_he_is) {
    using Kind = auth::Proof::Kind;
    const auto row_of = [](Kind proof, bool asks_basic = false) {
        Receipt receipt;
        receipt.kind = Receipt::Kind::unproved;
        receipt.proof = proof;
        receipt.asks_basic = asks_basic;
        receipt.error = {ErrorKind::denied, "no", "yes"};
        for (const auto& [door, sender] : columns()) {
            receipt.sender = sender;
            const auto response = answer(door, receipt);
            EXPECT_EQ(response.status == 401, !header(response, "WWW-Authenticate").empty());
            EXPECT_EQ(response.status == 503, !header(response, "Retry-After").empty());
        }
        return row(receipt);
    };
    EXPECT_EQ(row_of(Kind::refused), (Row{503, 401, 403, 503, 401, 401, 401, 401}));
    EXPECT_EQ(row_of(Kind::absent), (Row{503, 401, 403, 503, 401, 401, 401, 401}));
    EXPECT_EQ(row_of(Kind::absent, true), (Row{401, 401, 403, 503, 401, 401, 401, 401}))
        << "SNS sends it then";
    EXPECT_EQ(row_of(Kind::forged), (Row{403, 403, 403, 403, 401, 401, 401, 401}));
}

/// A declared sender may have said what it wants to hear.
TEST(Answers, what_a_declared_sender_asks_to_hear) {
    auto sender = hooks();
    sender.status = 202;
    sender.body = "[accepted]";
    const auto told = answer(Door(sender), receipt({item(ItemStatus::quarantined)}));
    EXPECT_EQ(told.status, 202);
    EXPECT_EQ(told.body, "[accepted]");
}

TEST(Answers, when_to_come_again) {
    Receipt refused;
    refused.kind = Receipt::Kind::refused;
    refused.error = {ErrorKind::exhausted, "more waits than can be answered in time", ""};
    const auto again = [&](Duration time) {
        refused.again = time;
        std::vector<std::string> said;
        for (const auto& [door, sender] : columns()) {
            said.push_back(header(answer(door, refused), "Retry-After"));
        }
        return said;
    };
    using Said = std::vector<std::string>;
    EXPECT_EQ(again({}), (Said{"1", "1", "1", "30", "1", "1", "1", "1"}));
    EXPECT_EQ(again(std::chrono::milliseconds(7'001)),
              (Said{"8", "8", "8", "30", "8", "8", "8", "8"}));
    EXPECT_EQ(again(std::chrono::hours(1)), (Said{"60", "60", "60", "60", "60", "60", "60", "60"}));
}

/// No 429, which says that nothing was stored.
TEST(Answers, nobody_knows_yet) {
    Receipt overdue;
    overdue.kind = Receipt::Kind::overdue;
    overdue.error = {ErrorKind::timeout, "the disk takes longer than you wait", "send it again"};
    EXPECT_EQ(row(overdue), (Row{503, 503, 503, 503, 503, 503, 503, 503}));
    EXPECT_EQ(header(answer(Endpoint::ingest, overdue), "Retry-After"), "1");
    EXPECT_EQ(header(answer(Endpoint::azure_eventgrid, overdue), "Retry-After"), "30");
}

TEST(Answers, part_of_a_batch_fails) {
    const auto what =
        receipt({item(ItemStatus::accepted),
                 item(ItemStatus::failed, Error{ErrorKind::unavailable, "the disk is full", ""})});
    const auto azure = answer(Endpoint::azure_eventgrid, what);
    EXPECT_EQ(azure.status, 503) << "the rest are duplicates next time";
    EXPECT_EQ(header(azure, "Retry-After"), "30");
    const auto batch = answer(Endpoint::batch, what);
    EXPECT_EQ(batch.status, 200);
    EXPECT_EQ(
        batch.body,
        R"({"accepted":1,"duplicate":0,"conflict":0,"quarantined":0,"failed":1,"items":[)"
        R"({"index":0,"status":"accepted","eventId":"e-1","retryable":false,"warnings":[]},)"
        R"({"index":1,"status":"failed","eventId":"e-1","retryable":true,"error":"the disk is full"}]})");
    EXPECT_EQ(answer(Endpoint::azure_eventgrid,
                     receipt({item(ItemStatus::accepted), item(ItemStatus::quarantined),
                              item(ItemStatus::conflict)}))
                  .status,
              200);
}

TEST(Answers, retry_after_is_said_once) {
    for (const auto& [door, sender] : columns()) {
        Receipt refused;
        refused.kind = Receipt::Kind::refused;
        refused.error = {ErrorKind::exhausted, "x", ""};
        const auto response = answer(door, refused);
        EXPECT_EQ(std::count_if(response.headers.begin(), response.headers.end(),
                                [](const auto& h) { return h.first == "Retry-After"; }),
                  1);
    }
}

TEST(Answers, several_events_have_one_position_which_is_all_of_theirs) {
    auto first = item(ItemStatus::accepted);
    auto second = item(ItemStatus::duplicate);
    auto third = item(ItemStatus::quarantined);
    first.position =
        model::PositionToken{7, {{model::topic::orders, 1}, Offset{7}}, from_nanos(20)};
    second.position =
        model::PositionToken{7, {{model::topic::orders, 2}, Offset{9}}, from_nanos(10)};
    third.position =
        model::PositionToken{7, {{model::topic::orders, 1}, Offset{8}}, from_nanos(20)};
    const auto items = receipt({third, first, second});
    const auto webhook = header(answer(Endpoint::azure_eventgrid, items), "Helios-Position");
    const auto positions = model::decode_positions(webhook);
    ASSERT_TRUE(positions);
    ASSERT_EQ(positions->size(), 2u);
    EXPECT_EQ(positions->at(0).pointer.offset.value, 8u) << "the last of the partition";
    EXPECT_EQ(positions->at(1).pointer.offset.value, 9u);
    EXPECT_EQ(positions->at(1).log_time, from_nanos(10));
    EXPECT_EQ(member(answer(Endpoint::batch, items), "position"), webhook);
    const auto alone = answer(Endpoint::azure_eventgrid, receipt({first}));
    EXPECT_TRUE(model::decode_position(header(alone, "Helios-Position")));
    EXPECT_EQ(header(answer(Endpoint::azure_eventgrid, receipt({item(ItemStatus::noted)})),
                     "Helios-Position"),
              "");
}

TEST(Answers, hostile_ids_are_escaped) {
    auto odd = item(ItemStatus::accepted);
    odd.event_id = "\"}</script>\n\xff";
    for (const auto endpoint : {Endpoint::ingest, Endpoint::batch, Endpoint::aws_eventbridge}) {
        EXPECT_TRUE(json::Document::parse(answer(endpoint, receipt({odd})).body));
    }
    odd.status = ItemStatus::quarantined;
    odd.errors = {"\xff\"", ""};
    EXPECT_TRUE(json::Document::parse(answer(Endpoint::ingest, receipt({odd})).body));
}

}  // namespace
}  // namespace helios::gateway
