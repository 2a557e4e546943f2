#include "adapters/azure_eventgrid.h"

#include <gtest/gtest.h>

#include "adapters/test_kit.h"
#include "base/time.h"

namespace helios::adapters {
namespace {

const std::string event =
    R"({"id":"g-1","topic":"/subscriptions/5b4b/topics/stock","subject":"orders/ORD-1","eventType":"Contoso.Orders.OrderPlaced",)"
    R"("eventTime":"2017-07-14T23:10:27.7689666Z","data":{"orderId":"ORD-1"},"dataVersion":"1.0","metadataVersion":"1"})";
const std::string validation =
    R"({"id":"v-1","topic":"/subscriptions/5b4b","subject":"","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent",)"
    R"("eventTime":"2026-01-05T10:23:45Z","data":{"validationCode":"512d38b6-c7b8","validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/x"},"dataVersion":"1","metadataVersion":"1"})";
Adapting azure(std::string body, std::map<std::string, std::string> headers = {}) {
    return {adapt_azure_eventgrid, std::move(body), std::move(headers)};
}

TEST(AzureEventGrid, array_and_single_object) {
    for (const auto& body : {event, "[" + event + "]", "[" + event + "," + event + "]"}) {
        const auto a = azure(body);
        ASSERT_TRUE(a.event()) << a.verdict();
        const auto& e = a.event()->event;
        EXPECT_EQ(e.source, "azure");
        EXPECT_EQ(e.scope, "/subscriptions/5b4b/topics/stock");
        EXPECT_EQ(e.id, "g-1");
        EXPECT_EQ(e.type, "OrderPlaced");
        EXPECT_EQ(e.time, parse_rfc3339("2017-07-14T23:10:27.7689666Z")->at)
            << "seven fraction digits";
        EXPECT_EQ(e.payload, R"({"orderId":"ORD-1"})");
        EXPECT_EQ(
            e.metadata,
            R"({"eventType":"Contoso.Orders.OrderPlaced","topic":"/subscriptions/5b4b/topics/stock","subject":"orders/ORD-1","dataVersion":"1.0","metadataVersion":"1"})");
        EXPECT_EQ(a.event()->raw, event) << "of the item, not of the array";
    }
    EXPECT_EQ(azure("[" + event + "," + event + "]").count(), 2u);
}

TEST(AzureEventGrid, type_names) {
    const auto type = [](std::string_view name) {
        const auto a = azure(replaced(event, "Contoso.Orders.OrderPlaced", name));
        return a.event() == nullptr ? a.verdict() : a.event()->event.type;
    };
    EXPECT_EQ(type("OrderPlaced"), "OrderPlaced");
    EXPECT_EQ(type("a.b"), "b");
    EXPECT_EQ(type("Contoso."), "Contoso.");
    EXPECT_EQ(type(""), "missing_field");
}

TEST(AzureEventGrid, five_thousand_events) {
    std::string body = "[";
    for (int i = 0; i < 5'000; ++i) {
        body += (i > 0 ? "," : "") + replaced(event, "g-1", "g-" + std::to_string(i));
    }
    const auto a = azure(body + "]");
    ASSERT_EQ(a.count(), 5'000u);
    EXPECT_EQ(a.event(4'999)->event.id, "g-4999");
}

TEST(AzureEventGrid, one_bad_item_does_not_spoil_the_others) {
    const auto a = azure("[" + event + ",17," + replaced(event, R"({"orderId":"ORD-1"})", "123") +
                         "," + replaced(event, R"({"orderId":"ORD-1"})", nested(600)) + "," +
                         replaced(event, R"("id":"g-1")", R"("id":"g-1","id":"g-2")") +
                         R"(,{"specversion":"1.0","id":"c-1","type":"t","source":"s"},)" +
                         replaced(event, "ORD-1\"}", "\\ud83d\"}") + "," +
                         replaced(event, "orders", "\xff") + "," + event + "]");
    ASSERT_EQ(a.count(), 9u);
    EXPECT_EQ(a.verdict(0), "accepted");
    EXPECT_EQ(a.verdict(1), "not_an_envelope");
    EXPECT_EQ(a.rejection(1)->raw, "17");
    EXPECT_EQ(a.verdict(2), "not_an_object");
    EXPECT_EQ(a.rejection(2)->event_type, "OrderPlaced");
    EXPECT_EQ(a.verdict(3), "too_deep");
    EXPECT_EQ(a.verdict(4), "duplicate_key");
    EXPECT_EQ(a.verdict(5), "cloudevent");
    EXPECT_EQ(a.verdict(6), "bad_text");
    EXPECT_EQ(a.rejection(6)->event_id, "g-1");
    EXPECT_EQ(a.rejection(6)->errors.at(0).substr(0, 14), "data.orderId: ");
    EXPECT_EQ(a.verdict(7), "bad_text");
    EXPECT_EQ(a.verdict(8), "accepted");
}

TEST(AzureEventGrid, odd_data) {
    const auto with = [](std::string_view data) {
        return azure(replaced(event, R"("data":{"orderId":"ORD-1"})", data)).verdict();
    };
    EXPECT_EQ(with(R"("data":"goodBye world")"), "not_an_object");
    EXPECT_EQ(with(R"("data":["ConfusedDev",123,true])"), "not_an_object");
    EXPECT_EQ(with(R"("data":null)"), "missing_field");
    EXPECT_EQ(with(R"("x":1)"), "missing_field");
    const auto old = azure(replaced(event, "2017-07-14T23:10:27.7689666Z", "1969-07-14T23:10:27Z"));
    ASSERT_TRUE(old.event());
    EXPECT_EQ(old.event()->event.time, std::nullopt);
    EXPECT_EQ(old.event()->event.time_as_sent, R"("1969-07-14T23:10:27Z")");
}

TEST(AzureEventGrid, validation_by_header_or_type) {
    for (const auto& body : {validation, "[" + validation + "]"}) {
        const auto a = azure(body);
        ASSERT_TRUE(a.outcome<ValidationHandshake>()) << a.verdict();
        EXPECT_EQ(a.outcome<ValidationHandshake>()->response_body,
                  R"({"validationResponse":"512d38b6-c7b8"})");
        EXPECT_EQ(a.outcome<ValidationHandshake>()->topic, "/subscriptions/5b4b");
    }
    const auto by_header =
        replaced(validation, "Microsoft.EventGrid.SubscriptionValidationEvent", "Something");
    EXPECT_EQ(azure(by_header, {{"aeg-event-type", "SubscriptionValidation"}}).verdict(),
              "handshake");
    EXPECT_EQ(azure(by_header).verdict(), "accepted");
    EXPECT_EQ(azure(replaced(validation, R"("validationCode":"512d38b6-c7b8",)", "")).verdict(),
              "400");
    EXPECT_EQ(azure(replaced(validation, "5b4b", "\\ud83d")).verdict(), "bad_text")
        << "kept, not acted on";
    EXPECT_EQ(azure("[" + event + "," + validation + "]").count(), 2u)
        << "not alone: no handshake, and nothing is dropped";
}

TEST(AzureEventGrid, subscription_deletion) {
    const auto body =
        replaced(replaced(validation, "SubscriptionValidationEvent", "SubscriptionDeletedEvent"),
                 R"("validationCode":"512d38b6-c7b8")", R"("eventSubscriptionId":"/sub/1")");
    const auto a = azure(body);
    ASSERT_TRUE(a.outcome<SubscriptionDeletion>()) << a.verdict();
    EXPECT_EQ(a.outcome<SubscriptionDeletion>()->subscription, "/sub/1");
    EXPECT_EQ(azure(event, {{"aeg-event-type", "SubscriptionDeletion"}}).verdict(), "deletion");
    EXPECT_EQ(azure(event, {{"aeg-event-type", "Notification"}}).verdict(), "accepted");
}

TEST(AzureEventGrid, what_is_not_this_protocol) {
    for (const std::string body :
         {"", "[", "[]", "{}", "[{}]", "[1,2]", "null", R"([{"id":"only"}])", "\xf0\x28"}) {
        EXPECT_EQ(azure(body).verdict(), "400") << body;
    }
}

}  // namespace
}  // namespace helios::adapters
