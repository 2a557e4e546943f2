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
Adapting azure(std::string body, std::vector<Header> headers = {}, const AzureRules& rules = {}) {
    return {[&](const RawRequest& request) { return adapt_azure(request, rules); }, std::move(body),
            std::move(headers)};
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
    EXPECT_EQ(a.verdict(5), "missing_field") << "a CloudEvent without data";
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
        EXPECT_EQ(a.outcome<ValidationHandshake>()->event_id, "v-1");
        EXPECT_EQ(a.outcome<ValidationHandshake>()->url,
                  "https://rp-eastus2.eventgrid.azure.net:553/x")
            << "for a person who confirms by hand";
        EXPECT_EQ(a.outcome<ValidationHandshake>()->raw, validation);
    }
    const auto by_header =
        replaced(validation, "Microsoft.EventGrid.SubscriptionValidationEvent", "Something");
    EXPECT_EQ(azure(by_header, {{"aeg-event-type", "SubscriptionValidation"}}).verdict(),
              "handshake");
    EXPECT_EQ(azure(by_header).verdict(), "accepted");
    EXPECT_EQ(azure(replaced(validation, R"("validationCode":"512d38b6-c7b8",)", "")).verdict(),
              "400");
    EXPECT_EQ(azure(replaced(validation, R"("validationUrl":")", R"("validationUrl":5,"x":")"))
                  .outcome<ValidationHandshake>()
                  ->url,
              "");
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

const std::string cloudevent =
    R"({"specversion":"1.0","id":"c-1","source":"/subscriptions/5b4b/topics/stock","type":"Contoso.Items.InventoryReserved","subject":"ORD-1","time":"2026-01-05T10:23:48Z","data":{"orderId":"ORD-1"}})";

TEST(AzureEventGrid, cloudevents_are_taken) {
    for (const auto& a :
         {azure(cloudevent), azure("[" + cloudevent + "]"),
          azure("[" + cloudevent + "," + event + "]"),
          azure(cloudevent, {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                             {"aeg-event-type", "Notification"}}),
          azure("[" + cloudevent + "]",
                {{"Content-Type", "application/cloudevents-batch+json; charset=utf-8"}}),
          azure(R"({"orderId":"ORD-1"})", {{"ce-id", "c-1"},
                                           {"ce-source", "/subscriptions/5b4b/topics/stock"},
                                           {"ce-specversion", "1.0"},
                                           {"ce-time", "2026-01-05T10:23:48Z"},
                                           {"ce-type", "Contoso.Items.InventoryReserved"}})}) {
        ASSERT_TRUE(a.event()) << a.verdict() << a.body;
        const auto& e = a.event()->event;
        EXPECT_EQ(e.source, "azure");
        EXPECT_EQ(e.scope, "/subscriptions/5b4b/topics/stock");
        EXPECT_EQ(e.id, "c-1");
        EXPECT_EQ(e.type, "InventoryReserved");
        EXPECT_EQ(e.time, parse_rfc3339("2026-01-05T10:23:48Z")->at);
        EXPECT_EQ(e.payload, R"({"orderId":"ORD-1"})");
    }
    const auto both = azure("[" + cloudevent + "," + event + ",5]");
    EXPECT_EQ(both.verdict(1), "accepted");
    EXPECT_EQ(both.verdict(2), "not_an_envelope");
}

TEST(AzureEventGrid, what_a_content_type_of_cloudevents_says_of_a_body) {
    const std::vector<Header> batch{{"Content-Type", "application/cloudevents-batch+json"}};
    EXPECT_TRUE(azure("[]", batch).outcome<std::vector<Item>>());
    EXPECT_EQ(azure("[]", batch).count(), 0u);
    EXPECT_EQ(azure("[{}]", batch).verdict(), "missing_field");
    EXPECT_EQ(azure("[" + event + "]", batch).verdict(), "missing_field") << "said to be one";
    EXPECT_EQ(azure("[5]", batch).verdict(), "not_an_object");
    EXPECT_EQ(azure("{", batch).verdict(), "400");
    EXPECT_EQ(azure("x", {{"Content-Type", "application/cloudevents+avro"}}).verdict(), "400");
}

/// As namespaces send them: MQTT messages in base64, dead letters with members of their own.
TEST(AzureEventGrid, events_of_namespaces) {
    const auto mqtt = azure(
        R"({"specversion":"1.0","id":"9aeb0fdf","source":"shop-namespace","type":"MQTT.EventPublished","subject":"orders/1","time":"2026-01-05T10:23:48Z","datacontenttype":"application/json","data_base64":"eyJvcmRlcklkIjoiTyJ9"})");
    ASSERT_TRUE(mqtt.event()) << mqtt.verdict();
    EXPECT_EQ(mqtt.event()->event.type, "EventPublished");
    EXPECT_EQ(mqtt.event()->event.payload, R"({"orderId":"O"})");
    const auto letter = azure(replaced(
        cloudevent, R"("subject":"ORD-1")",
        R"("deadletterreason":"Max delivery attempts was exceeded.","deliveryattempts":1,"publishtime":"2026-01-05T10:23:48Z")"));
    ASSERT_TRUE(letter.event()) << letter.verdict();
    EXPECT_NE(letter.event()->event.metadata.find(R"("deliveryattempts":1)"), std::string::npos);
}

TEST(AzureEventGrid, cloudevents_with_faults) {
    EXPECT_EQ(azure(replaced(cloudevent, R"("1.0")", R"("0.3")")).verdict(), "cloudevent");
    EXPECT_EQ(azure(replaced(cloudevent, R"("specversion":"1.0")", R"("cloudEventsVersion":"0.1")"))
                  .verdict(),
              "cloudevent")
        << "a draft";
    EXPECT_EQ(azure(replaced(cloudevent, R"("id":"c-1",)", "")).verdict(), "missing_field");
    EXPECT_EQ(azure(replaced(cloudevent, R"({"orderId":"ORD-1"})", "5")).verdict(),
              "not_an_object");
    const auto deletion = azure(replaced(cloudevent, "Contoso.Items.InventoryReserved",
                                         "Microsoft.EventGrid.SubscriptionDeletedEvent"));
    EXPECT_EQ(deletion.verdict(), "deletion");
}

AzureRules custom(std::string_view id, std::string_view type, std::string_view time,
                  std::string_view payload) {
    return {AzureCustom::parse(id, type, time, payload).value()};
}

TEST(AzureEventGrid, a_custom_schema) {
    const auto rules = custom("meta.id", "meta.kind", "at", "body");
    const std::string one =
        R"({"meta":{"id":"x-1","kind":"Contoso.Stock.InventoryReserved"},"at":1767608628000,"body":{"orderId":"ORD-1"}})";
    for (const auto& body : {one, "[" + one + "]", "[" + one + "," + event + "]"}) {
        const auto a = azure(body, {}, rules);
        ASSERT_TRUE(a.event()) << a.verdict() << body;
        const auto& e = a.event()->event;
        EXPECT_EQ(e.source, "azure");
        EXPECT_EQ(e.scope, "");
        EXPECT_EQ(e.id, "x-1");
        EXPECT_EQ(e.type, "InventoryReserved");
        EXPECT_EQ(e.time, parse_rfc3339("2026-01-05T10:23:48Z")->at);
        EXPECT_EQ(e.payload, R"({"orderId":"ORD-1"})");
        EXPECT_EQ(e.metadata, R"({"eventType":"Contoso.Stock.InventoryReserved"})");
        EXPECT_EQ(a.event()->raw, one);
    }
    EXPECT_EQ(azure(one).verdict(), "400") << "without the rules it is nothing";
    EXPECT_EQ(azure(event, {}, rules).event()->event.id, "g-1") << "all six members: Event Grid's";
    EXPECT_EQ(azure(cloudevent, {}, rules).event()->event.id, "c-1");
    EXPECT_EQ(azure("[" + validation + "]", {}, rules).verdict(), "handshake");
    EXPECT_EQ(azure("[5]", {}, rules).verdict(), "400");
    EXPECT_EQ(azure("[" + one + ",5]", {}, rules).verdict(1), "not_an_envelope");
    const auto verdict = [&](std::string_view from, std::string_view to) {
        return azure(replaced(one, from, to), {}, rules).verdict();
    };
    EXPECT_EQ(verdict(R"("kind":"Contoso.Stock.InventoryReserved")", R"("x":1)"), "missing_field");
    EXPECT_EQ(verdict(R"("Contoso.Stock.InventoryReserved")", "5"), "bad_field");
    EXPECT_EQ(verdict(R"("id":"x-1")", R"("id":{})"), "bad_field");
    EXPECT_EQ(verdict(R"("id":"x-1")", R"("id":"x-1","id":"x-2")"), "duplicate_key");
    EXPECT_EQ(verdict(R"({"orderId":"ORD-1"})", "[]"), "not_an_object");
    EXPECT_EQ(verdict(R"("body")", R"("x")"), "missing_field");
    EXPECT_EQ(verdict("ORD-1", "\\ud83d"), "bad_text");
    EXPECT_EQ(verdict(R"("x-1")", "7"), "accepted");
    EXPECT_EQ(verdict("1767608628000", R"("soon")"), "accepted");
    EXPECT_EQ(azure("{}", {}, rules).rejection()->errors,
              (std::vector<std::string>{"meta.kind: required, absent", "body: required, absent"}));
}

TEST(AzureEventGrid, a_custom_schema_without_id_time_or_payload) {
    const auto a = azure(R"({"type":"T","orderId":"O","id":"i"})", {}, custom("", "type", "", ""));
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(a.event()->event.identity, model::IdentityKind::content);
    EXPECT_EQ(a.event()->event.payload, a.body) << "the whole element";
    EXPECT_EQ(azure(R"({"eventType":"T","id":"i","data":{"a":1}})", {},
                    custom("id", "eventType", "", "data"))
                  .event()
                  ->event.id,
              "i")
        << "named like Event Grid's";
}

TEST(AzureEventGrid, paths_of_a_custom_schema) {
    EXPECT_FALSE(AzureCustom::parse("id", "", "", ""));
    EXPECT_FALSE(AzureCustom::parse("id", "a..b", "", ""));
    EXPECT_FALSE(AzureCustom::parse("items[].id", "type", "", ""));
    EXPECT_FALSE(AzureCustom::parse("", "type", "", "\"x"));
    EXPECT_TRUE(AzureCustom::parse("\"a.b\".c", "type", "t", "p"));
}

}  // namespace
}  // namespace helios::adapters
