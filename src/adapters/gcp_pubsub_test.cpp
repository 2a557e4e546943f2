#include "adapters/gcp_pubsub.h"

#include <gtest/gtest.h>

#include "adapters/test_kit.h"
#include "base/hash.h"
#include "base/time.h"

namespace helios::adapters {
namespace {

std::string push(
    std::string_view data,
    std::string_view members = R"("attributes":{"eventType":"PaymentProcessed","region":"eu"})") {
    return R"({"message":{"data":")" + base64_encode(data) +
           R"(","messageId":"m-1","publishTime":"2026-01-05T10:23:47.123456789Z",)" +
           std::string(members) + R"(},"subscription":"projects/p/subscriptions/s"})";
}
Adapting gcp(std::string body, std::vector<Header> headers = {}) {
    return {adapt_gcp, std::move(body), std::move(headers)};
}
const std::string payload = R"({"orderId":"ORD-1","amount":12.50})";

TEST(GcpPubSub, push_becomes_an_event) {
    const auto a = gcp(push(payload));
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto& event = a.event()->event;
    EXPECT_EQ(event.source, "gcp");
    EXPECT_EQ(event.scope, "projects/p/subscriptions/s");
    EXPECT_EQ(event.id, "m-1");
    EXPECT_EQ(event.type, "PaymentProcessed");
    EXPECT_EQ(event.payload, payload);
    EXPECT_EQ(event.time, parse_rfc3339("2026-01-05T10:23:47.123456789Z")->at);
    EXPECT_EQ(
        event.metadata,
        R"({"attributes":{"eventType":"PaymentProcessed","region":"eu"},"subscription":"projects/p/subscriptions/s"})");
    EXPECT_EQ(a.event()->payload.find("amount").raw(), "12.50");
    EXPECT_EQ(a.event()->raw, a.body);
}

TEST(GcpPubSub, both_spellings_must_agree) {
    const auto second = push(
        payload,
        R"("message_id":"m-1","publish_time":"2026-01-05T10:23:47.123456789Z","attributes":{"eventType":"P"})");
    EXPECT_EQ(gcp(second).verdict(), "accepted");
    const auto snake = replaced(
        replaced(second, R"("messageId":"m-1","publishTime":"2026-01-05T10:23:47.123456789Z",)",
                 ""),
        "eventType", "event_type");
    ASSERT_TRUE(gcp(snake).event()) << gcp(snake).verdict();
    EXPECT_EQ(gcp(snake).event()->event.id, "m-1");
    EXPECT_TRUE(gcp(snake).event()->event.time);
    EXPECT_EQ(gcp(replaced(second, R"("message_id":"m-1")", R"("message_id":"m-2")")).verdict(),
              "ambiguous_field");
    EXPECT_EQ(
        gcp(push(payload, R"("ordering_key":"k","attributes":{"eventType":"P"})"))
            .event()
            ->event.metadata,
        R"({"attributes":{"eventType":"P"},"orderingKey":"k","subscription":"projects/p/subscriptions/s"})");
}

TEST(GcpPubSub, where_the_type_comes_from) {
    const auto type = [](std::string_view attributes, std::string_view data) {
        const auto a = gcp(push(data, R"("attributes":)" + std::string(attributes)));
        return a.event() == nullptr ? a.verdict() : a.event()->event.type;
    };
    EXPECT_EQ(type(R"({"type":"C","event_type":"B","eventType":"A"})", "{}"), "ambiguous_field");
    EXPECT_EQ(type(R"({"type":"B","event_type":"B","eventType":"","ce-type":"x.B"})", "{}"), "B");
    EXPECT_EQ(type(R"({"type":"C","event_type":"B"})", "{}"), "ambiguous_field");
    EXPECT_EQ(type(R"({"type":"C","ce-type":"x.D"})", "{}"), "ambiguous_field");
    EXPECT_EQ(type(R"({"ce-type":"com.contoso.D"})", "{}"), "D");
    EXPECT_EQ(type("{}", R"({"type":"F","eventType":"E"})"), "E")
        << "a payload's type may be a card's";
    EXPECT_EQ(type("{}", R"({"eventType":"E","eventType":"F"})"), "duplicate_key");
    EXPECT_EQ(type("{}", R"({"eventType":"E\u0000"})"), "bad_field");
    EXPECT_EQ(type("{}", R"({"event_type":"F"})"), "F");
    EXPECT_EQ(type("null", R"({"type":"G"})"), "G");
    EXPECT_EQ(type("{}", R"({"type":5})"), "missing_field")
        << "no type: quarantine, where it can be given one";
    EXPECT_EQ(type("{}", payload), "missing_field");
    EXPECT_EQ(type(R"({"eventType":5})", "{}"), "bad_field");
    EXPECT_EQ(type(R"({"eventType":"A","eventType":"B"})", "{}"), "duplicate_key");
    EXPECT_EQ(type("[]", "{}"), "not_an_object");
}

TEST(GcpPubSub, data_that_is_no_object_is_rejected) {
    EXPECT_EQ(gcp(push("\x01\x02\x03\x04")).verdict(), "not_json");
    EXPECT_EQ(gcp(push("test message 3")).verdict(), "not_json");
    EXPECT_EQ(gcp(push("[1]")).verdict(), "not_an_object");
    EXPECT_EQ(gcp(push("\"text\"")).verdict(), "not_an_object");
    EXPECT_EQ(gcp(push("{\"a\":\"\xff\"}")).verdict(), "bad_text");
    EXPECT_EQ(gcp(push(std::string("{\"a\":\"\0\"}", 9))).verdict(), "bad_text");
    EXPECT_EQ(gcp(push(nested(10'000))).verdict(), "too_deep");
    EXPECT_EQ(gcp(replaced(push(payload), R"("data":")", R"("data":"*)")).verdict(), "bad_base64");
    EXPECT_EQ(
        gcp(R"({"message":{"data":5,"messageId":"m","attributes":{"eventType":"A"}}})").verdict(),
        "bad_base64");
    const auto a =
        gcp(R"({"message":{"messageId":"m-7","attributes":{"eventType":"A"}},"subscription":"s"})");
    ASSERT_TRUE(a.rejection());
    EXPECT_EQ(a.rejection()->errors, std::vector<std::string>{"message.data: required, absent"});
    EXPECT_EQ(a.rejection()->event_id, "m-7");
    EXPECT_EQ(a.rejection()->scope, "s");
    EXPECT_EQ(a.rejection()->event_type, "A");
}

TEST(GcpPubSub, a_time_that_cannot_be_taken_is_kept_as_sent) {
    const auto time_of = [](std::string_view times) {
        const auto a =
            gcp(R"({"message":{"data":"e30=","messageId":"m","attributes":{"eventType":"A"},)" +
                std::string(times) + R"(},"subscription":"s"})");
        return a.event() == nullptr    ? a.verdict()
               : a.event()->event.time ? format_rfc3339(*a.event()->event.time)
                                       : "as sent " + a.event()->event.time_as_sent;
    };
    EXPECT_EQ(time_of(R"("publishTime":"0001-01-01T00:00:00Z")"),
              R"(as sent "0001-01-01T00:00:00Z")");
    EXPECT_EQ(time_of(R"("publish_time":1767607425)"), "as sent 1767607425");
    EXPECT_EQ(time_of(R"("publishTime":"soon","publish_time":"2026-01-05T10:00:00Z")"),
              "2026-01-05T10:00:00.000Z");
    EXPECT_EQ(
        time_of(R"("publishTime":"2026-01-05T11:00:00Z","publish_time":"2026-01-05T10:00:00Z")"),
        R"(as sent ["2026-01-05T11:00:00Z","2026-01-05T10:00:00Z"])");
}

TEST(GcpPubSub, a_flaw_inside_a_value_is_kept_with_what_could_be_read) {
    const auto a = gcp(push(R"({"orderId":"ORD-1","note":"\ud83d"})"));
    ASSERT_TRUE(a.rejection());
    EXPECT_EQ(a.rejection()->errors,
              std::vector<std::string>{
                  "message.data.note: a high surrogate without a low one (byte 33)"});
    EXPECT_EQ(a.rejection()->payload.find("orderId").text(), "ORD-1");
    const auto outer = gcp(replaced(push(payload), "subscription\":\"", "subscription\":\"\xff"));
    ASSERT_TRUE(outer.rejection()) << outer.verdict();
    EXPECT_EQ(outer.rejection()->reason, "bad_text");
    EXPECT_EQ(outer.rejection()->event_id, "m-1");
    EXPECT_EQ(outer.rejection()->errors.size(), 1u);
    const auto inside = gcp(replaced(push(payload), "m-1", "\\ud83d"));
    ASSERT_TRUE(inside.rejection()) << inside.verdict();
    EXPECT_EQ(inside.rejection()->errors.size(), 1u) << "told once, though both envelopes have it";
    EXPECT_TRUE(gcp(push("\xef\xbb\xbf" + payload)).event());
    EXPECT_TRUE(gcp(push(nested(511))).event() ||
                gcp(push(nested(511))).verdict() == "missing_field");
    EXPECT_EQ(gcp(push(nested(512))).verdict(), "too_deep") << "as deep as at any other door";
}

TEST(GcpPubSub, envelope_faults) {
    EXPECT_EQ(
        gcp(replaced(push(payload), R"("messageId":"m-1")", R"("messageId":1)")).event()->event.id,
        "1");
    EXPECT_EQ(gcp(replaced(push(payload), R"("messageId":"m-1")",
                           R"("messageId":"m-1","message_id":"m-2")"))
                  .verdict(),
              "ambiguous_field");
    EXPECT_EQ(gcp(replaced(push(payload), R"("messageId":"m-1")", R"("messageId":[1])")).verdict(),
              "bad_field");
    EXPECT_EQ(gcp(replaced(push(payload), R"("messageId":"m-1")",
                           R"("messageId":"m-1","messageId":"m-1")"))
                  .verdict(),
              "duplicate_key");
    EXPECT_EQ(gcp(R"({"message":5,"subscription":"s"})").verdict(), "not_an_object");
    EXPECT_EQ(gcp(R"({"message":{"data":)" + nested(10'000) + "}}").verdict(), "too_deep");
    const auto without_id = gcp(replaced(push(payload), R"("messageId":"m-1",)", ""));
    ASSERT_TRUE(without_id.event());
    EXPECT_EQ(without_id.event()->event.identity, model::IdentityKind::content);
}

TEST(GcpPubSub, what_is_not_this_protocol) {
    for (const std::string body : {"", "{", "{}", "[]", R"({"message":5})", R"({"message":{}})",
                                   R"({"subscription":"s"})", R"({"data":"e30="})", "\xc3"}) {
        EXPECT_EQ(gcp(body).verdict(), "400") << body;
    }
}

std::vector<Header> unwrapped(std::vector<Header> attributes = {
                                  {"Eventtype", "PaymentProcessed"}}) {
    attributes.insert(attributes.end(),
                      {{"X-Goog-Pubsub-Message-Id", "m-1"},
                       {"x-goog-pubsub-subscription-name", "projects/p/subscriptions/s"},
                       {"x-goog-pubsub-publish-time", "2026-01-05T10:23:47.123456789Z"},
                       {"User-Agent", "APIs-Google; (+https://developers.google.com/x)"},
                       {"Authorization", "Bearer secret"}});
    return attributes;
}

TEST(GcpPubSub, unwrapped_is_the_same_event) {
    const auto a = gcp(payload, unwrapped());
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto w = gcp(push(payload, R"("attributes":{"eventType":"PaymentProcessed"})"));
    EXPECT_EQ(a.event()->event, w.event()->event);
    EXPECT_EQ(a.event()->event.metadata.find("secret"), std::string::npos);
    const auto again = gcp(std::string(a.event()->raw));
    ASSERT_TRUE(again.event()) << "it would wait in quarantine whole, as wrapped";
    EXPECT_EQ(again.event()->event, a.event()->event);
    const auto ordered =
        gcp(payload, unwrapped({{"type", "P"}, {"x-goog-pubsub-ordering-key", "k"}}));
    EXPECT_EQ(
        ordered.event()->event.metadata,
        R"({"attributes":{"type":"P"},"orderingKey":"k","subscription":"projects/p/subscriptions/s"})");
}

TEST(GcpPubSub, where_the_type_of_an_unwrapped_message_comes_from) {
    const auto type = [](std::vector<Header> attributes, std::string body) {
        const auto a = gcp(std::move(body), unwrapped(std::move(attributes)));
        return a.event() == nullptr ? a.verdict() : a.event()->event.type;
    };
    EXPECT_EQ(type({{"event_type", "B"}}, "{}"), "B");
    EXPECT_EQ(type({{"ce-type", "x.B"}}, "{}"), "B");
    EXPECT_EQ(type({{"type", "A"}, {"event_type", "B"}}, "{}"), "ambiguous_field");
    EXPECT_EQ(type({}, R"({"eventType":"E"})"), "E");
    EXPECT_EQ(type({}, "{}"), "missing_field");
    EXPECT_EQ(type({{"eventType", "A"}, {"EVENTTYPE", "A"}}, "{}"), "duplicate_key");
    EXPECT_EQ(type({{"eventType", "\xff"}}, "{}"), "bad_text");
}

/// Attributes are headers, and publishers choose those.
TEST(GcpPubSub, what_pubsub_says_itself_is_said_once) {
    for (const std::string name : {"x-goog-pubsub-message-id", "X-Goog-PubSub-Subscription-Name",
                                   "x-goog-pubsub-publish-time", "x-goog-pubsub-ordering-key"}) {
        const auto a = gcp(payload, unwrapped({{"eventType", "P"}, {name, "forged"}, {name, "x"}}));
        EXPECT_EQ(a.verdict(), "duplicate_key") << name;
    }
    EXPECT_EQ(gcp(push(payload, R"("attributes":{"eventType":"Forged"})"), unwrapped()).verdict(),
              "accepted");
    EXPECT_EQ(gcp(push(payload), unwrapped()).event()->event.payload, push(payload))
        << "what looks like a push is data";
    EXPECT_EQ(gcp(payload, {{"x-goog-pubsub-subscription-name", "s"}}).verdict(), "400")
        << "without an id it may be anything";
}

TEST(GcpPubSub, unwrapped_data_that_is_no_object_is_rejected) {
    for (const auto& [body, reason] : {std::pair<std::string, std::string>{"", "missing_field"},
                                       {"null", "missing_field"},
                                       {"text", "not_json"},
                                       {"{", "not_json"},
                                       {"[1]", "not_an_object"},
                                       {"{\"a\":\"\xff\"}", "bad_text"},
                                       {nested(512), "too_deep"}}) {
        const auto a = gcp(body, unwrapped());
        EXPECT_EQ(a.verdict(), reason) << body.substr(0, 40);
        EXPECT_EQ(a.rejection()->event_id, "m-1");
        EXPECT_EQ(a.rejection()->scope, "projects/p/subscriptions/s");
        EXPECT_EQ(a.rejection()->event_type, "PaymentProcessed");
    }
    EXPECT_EQ(gcp("\xef\xbb\xbf" + payload, unwrapped()).verdict(), "accepted");
}

TEST(GcpPubSub, the_delivery_attempt_is_kept) {
    const auto metadata = [](std::string_view attempt) {
        const auto a =
            gcp(replaced(push(payload, R"("attributes":{"eventType":"P"})"), R"("subscription":)",
                         R"("deliveryAttempt":)" + std::string(attempt) + R"(,"subscription":)"));
        return a.event() == nullptr ? a.verdict() : a.event()->event.metadata;
    };
    const std::string with =
        R"({"attributes":{"eventType":"P"},"subscription":"projects/p/subscriptions/s")";
    EXPECT_EQ(metadata("5"), with + R"(,"deliveryAttempt":5})");
    for (const std::string other : {"null", "1.5", "-1", R"("5")", "{}", "99999999999"}) {
        EXPECT_EQ(metadata(other), with + "}") << other;
    }
}

const std::string ce_attributes =
    R"("ce-id":"c 1%20","ce-source":"/shop/payments","ce-specversion":"1.0","ce-type":"com.example.PaymentProcessed","ce-n":"5")";
const std::string cloudevent =
    R"({"specversion":"1.0","id":"c-1","source":"/shop/payments","type":"com.example.PaymentProcessed","data":{"orderId":"ORD-1","amount":12.50}})";

TEST(GcpPubSub, a_message_that_is_a_cloudevent_in_binary_mode) {
    const auto a = gcp(push(payload, R"("orderingKey":"k","attributes":{)" + ce_attributes + "}"));
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto& event = a.event()->event;
    EXPECT_EQ(event.source, "gcp");
    EXPECT_EQ(event.scope, "/shop/payments");
    EXPECT_EQ(event.id, "c 1%20") << "nothing is encoded here";
    EXPECT_EQ(event.type, "PaymentProcessed");
    EXPECT_EQ(event.payload, payload);
    EXPECT_EQ(
        event.metadata,
        R"({"source":"/shop/payments","type":"com.example.PaymentProcessed","datacontenttype":"application/json","extensions":{"n":"5"},"pubsub":{"attributes":{)" +
            ce_attributes +
            R"(},"orderingKey":"k","subscription":"projects/p/subscriptions/s","messageId":"m-1"}})");
    EXPECT_EQ(a.event()->raw, a.body);
    EXPECT_EQ(
        gcp(push(payload, R"("attributes":{)" + ce_attributes + R"(,"Content-Type":"text/plain"})"))
            .verdict(),
        "not_json");
    EXPECT_EQ(gcp(push("[]", R"("attributes":{)" + ce_attributes + "}")).verdict(),
              "not_an_object");
    EXPECT_EQ(gcp(replaced(push(payload, R"("attributes":{)" + ce_attributes + "}"), R"("data":")",
                           R"("data":"*)"))
                  .verdict(),
              "bad_base64");
    const auto old = gcp(replaced(push(payload, R"("attributes":{)" + ce_attributes + "}"),
                                  R"("ce-specversion":"1.0")", R"("ce-specversion":"0.3")"));
    EXPECT_EQ(old.verdict(), "cloudevent");
    EXPECT_EQ(old.rejection()->raw, old.body) << "the push, whole";
    EXPECT_EQ(old.rejection()->errors.size(), 1u);
    const auto plain = gcp(replaced(push(payload, R"("attributes":{)" + ce_attributes + "}"),
                                    "ce-source", "x-source"));
    const auto without = gcp(
        replaced(push(payload, R"("attributes":{)" + ce_attributes + "}"), R"("c 1%20")", "null"));
    EXPECT_EQ(without.event()->event.id, "m-1");
    EXPECT_EQ(plain.event()->event.id, "m-1") << "without all four it is a message like others";
}

TEST(GcpPubSub, a_message_that_is_a_cloudevent_in_structured_mode) {
    const auto with = [](std::string_view data, std::string_view type) {
        return gcp(push(data, R"("attributes":{"content-type":")" + std::string(type) + "\"}"));
    };
    const auto a = with(cloudevent, "application/cloudevents+json; charset=utf-8");
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(a.event()->event.id, "c-1");
    EXPECT_EQ(a.event()->event.scope, "/shop/payments");
    EXPECT_EQ(a.event()->event.source, "gcp");
    EXPECT_EQ(a.event()->event.payload, payload);
    EXPECT_EQ(with("[" + cloudevent + "]", "application/cloudevents-batch+json").verdict(),
              "cloudevent");
    EXPECT_EQ(with(cloudevent, "application/cloudevents+avro").verdict(), "cloudevent");
    EXPECT_EQ(with("{", "application/cloudevents+json").verdict(), "not_json");
    EXPECT_EQ(with("[]", "application/cloudevents+json").verdict(), "not_an_object");
    const auto empty = with("{}", "application/cloudevents+json");
    EXPECT_EQ(empty.verdict(), "missing_field");
    EXPECT_EQ(empty.rejection()->event_id, "m-1") << "what is known";
    EXPECT_EQ(empty.rejection()->scope, "projects/p/subscriptions/s");
    EXPECT_EQ(empty.rejection()->source, "gcp");
}

TEST(GcpPubSub, cloudevents_in_unwrapped_messages) {
    const auto binary = gcp(payload, unwrapped({{"ce-id", "c 1%20"},
                                                {"ce-source", "/shop/payments"},
                                                {"ce-specversion", "1.0"},
                                                {"ce-type", "com.example.PaymentProcessed"},
                                                {"ce-n", "5"},
                                                {"Content-Type", "application/octet-stream"}}));
    ASSERT_TRUE(binary.event()) << binary.verdict();
    EXPECT_EQ(binary.event()->event,
              gcp(push(payload, R"("attributes":{)" + ce_attributes + "}")).event()->event)
        << "one event, wrapped or not";
    const auto structured =
        gcp(cloudevent, unwrapped({{"content-type", "application/cloudevents+json"}}));
    ASSERT_TRUE(structured.event()) << structured.verdict();
    EXPECT_EQ(structured.event()->event.id, "c-1");
}

/// Its attributes may be named like a push's members.
TEST(GcpPubSub, a_cloudevent_that_looks_like_a_push) {
    const auto a = gcp(payload, {{"ce-id", "c-1"},
                                 {"ce-source", "/shop/payments"},
                                 {"ce-specversion", "1.0"},
                                 {"ce-type", "PaymentProcessed"},
                                 {"ce-message", "m"},
                                 {"ce-subscription", "s"}});
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto again = gcp(std::string(a.event()->raw));
    ASSERT_TRUE(again.event()) << again.verdict();
    EXPECT_EQ(again.event()->event, a.event()->event);
}

TEST(GcpPubSub, cloudevents_posted_as_such) {
    for (const auto& a :
         {gcp(cloudevent), gcp(cloudevent, {{"Content-Type", "application/cloudevents+json"}}),
          gcp("[" + cloudevent + "]", {{"Content-Type", "application/cloudevents-batch+json"}}),
          gcp(payload, {{"ce-id", "c%2D1"},
                        {"ce-source", "/shop/payments"},
                        {"ce-specversion", "1.0"},
                        {"ce-type", "com.example.PaymentProcessed"}})}) {
        ASSERT_TRUE(a.event()) << a.verdict() << a.body;
        EXPECT_EQ(a.event()->event.source, "gcp");
        EXPECT_EQ(a.event()->event.scope, "/shop/payments");
        EXPECT_EQ(a.event()->event.id, "c-1");
        EXPECT_EQ(a.event()->event.payload, payload);
    }
}

}  // namespace
}  // namespace helios::adapters
