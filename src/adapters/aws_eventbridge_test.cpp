#include "adapters/aws_eventbridge.h"

#include <gtest/gtest.h>

#include "adapters/test_kit.h"
#include "base/time.h"

namespace helios::adapters {
namespace {

const std::string envelope =
    R"({"version":"0","id":"6a7e8feb-b491","detail-type":"OrderPlaced","source":"shop.orders","account":"012345678901",)"
    R"("time":"2026-01-05T10:23:45Z","region":"eu-central-1","resources":["arn:aws:x"],"detail":{"orderId":"ORD-1", "totalAmount":12.50}})";

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}
std::string notification(std::string_view message) {
    return R"({"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-central-1:012345678901:orders","Subject":"s","Message":)" +
           quoted(message) +
           R"(,"Timestamp":"2026-01-05T10:23:46.000Z","SignatureVersion":"2","Signature":"AA==","SigningCertURL":"https://x","UnsubscribeURL":"https://y"})";
}
Adapting aws(std::string body, std::vector<Header> headers = {}, const AwsRules& rules = {}) {
    return {[&](const RawRequest& request) { return adapt_aws(request, rules); }, std::move(body),
            std::move(headers)};
}

TEST(AwsEventBridge, envelope_becomes_an_event) {
    const auto a = aws(envelope);
    ASSERT_TRUE(a.event()) << a.verdict();
    const auto& event = a.event()->event;
    EXPECT_EQ(event.source, "aws");
    EXPECT_EQ(event.scope, "012345678901/eu-central-1");
    EXPECT_EQ(event.id, "6a7e8feb-b491");
    EXPECT_EQ(event.identity, model::IdentityKind::native);
    EXPECT_EQ(event.type, "OrderPlaced");
    EXPECT_EQ(event.time, parse_rfc3339("2026-01-05T10:23:45Z")->at);
    EXPECT_EQ(event.payload, R"({"orderId":"ORD-1", "totalAmount":12.50})") << "exact bytes";
    EXPECT_EQ(
        event.metadata,
        R"({"source":"shop.orders","account":"012345678901","region":"eu-central-1","resources":["arn:aws:x"]})");
    EXPECT_EQ(a.event()->raw, a.body);
    EXPECT_EQ(a.event()->payload.find("totalAmount").raw(), "12.50");
}

TEST(AwsEventBridge, sns_wrapped_keeps_the_inner_id) {
    const auto a = aws(notification(envelope));
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(a.event()->event.id, "6a7e8feb-b491");
    EXPECT_EQ(a.event()->event.payload, R"({"orderId":"ORD-1", "totalAmount":12.50})");
    EXPECT_NE(a.event()->event.metadata.find(R"("messageId":"m-1")"), std::string::npos);
    EXPECT_EQ(a.event()->raw, a.body) << "quarantine keeps the whole request";
    EXPECT_EQ(model::identity_of(a.event()->event),
              model::identity_of(aws(envelope).event()->event));
}

TEST(AwsEventBridge, sns_message_that_is_no_envelope_is_rejected_with_what_is_known) {
    for (const auto& [message, reason] :
         {std::pair<std::string, std::string>{"plain text", "not_json"},
          {R"({"source":"gcp","eventType":"PaymentProcessed","payload":{}})", "not_an_envelope"},
          {"[1]", "not_an_envelope"},
          {nested(10'000), "not_an_envelope"},
          {replaced(envelope, "12.50", nested(600)), "too_deep"},
          {replaced(envelope, "ORD-1", "\\ud83d"), "bad_text"},
          {replaced(envelope, R"("detail":{)", R"("detail":[],"x":{)"), "not_an_object"}}) {
        const auto a = aws(notification(message));
        EXPECT_EQ(a.verdict(), reason) << message.substr(0, 80);
        ASSERT_TRUE(a.rejection());
        EXPECT_EQ(a.rejection()->event_id,
                  message.find("6a7e8feb-b491") != std::string::npos ? "6a7e8feb-b491" : "m-1");
        EXPECT_EQ(a.rejection()->raw, a.body);
    }
}

TEST(AwsEventBridge, sns_confirmations) {
    for (const std::string type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
        const auto a = aws(
            R"({"Type":")" + type +
            R"(","MessageId":"m-2","Token":"t","TopicArn":"arn:t","Message":"You have chosen…","SubscribeURL":"https://sns/?Action=ConfirmSubscription","Timestamp":"2026-01-05T10:23:46.000Z"})");
        const auto* confirmation = a.outcome<SnsConfirmation>();
        ASSERT_TRUE(confirmation) << a.verdict();
        EXPECT_EQ(confirmation->type, type);
        EXPECT_EQ(confirmation->topic_arn, "arn:t");
        EXPECT_EQ(confirmation->message_id, "m-2");
        EXPECT_EQ(confirmation->subscribe_url, "https://sns/?Action=ConfirmSubscription");
        EXPECT_EQ(confirmation->raw, a.body);
    }
    EXPECT_EQ(
        aws(R"({"Type":"SubscriptionConfirmation","MessageId":"m","TopicArn":"t"})").verdict(),
        "missing_field");
    EXPECT_EQ(aws(R"({"Type":"Surprise","MessageId":"m","TopicArn":"t"})").verdict(), "bad_field");
    EXPECT_EQ(aws(R"({"Type":"Notification","MessageId":"m","TopicArn":"t"})").verdict(),
              "missing_field");
    EXPECT_EQ(
        aws(R"({"Type":"Notification","MessageId":"m","TopicArn":"t","Message":{}})").verdict(),
        "bad_field");
}

TEST(AwsEventBridge, what_is_not_this_protocol) {
    for (const std::string body :
         {"", "not json", "{}", "[]", "1", "null", R"({"Records":[]})", R"({"detail":{}})",
          R"({"id":"x","source":"y"})", "{\"detail-type\":\"x\"", "\xff\xfe",
          "{\"detail-type\":\"a\x00\"}"}) {
        EXPECT_EQ(aws(body).verdict(), "400") << body;
    }
    EXPECT_FALSE(aws("{}").refusal()->hint.empty());
}

TEST(AwsEventBridge, bad_content_is_rejected_and_named) {
    struct Case {
        std::string_view from, to, reason, error;
    };
    for (const auto& c : std::vector<Case>{
             {R"("detail":{"orderId":"ORD-1", "totalAmount":12.50})", R"("detail":"text")",
              "not_an_object", "detail: must be an object, is string"},
             {R"(,"detail":{"orderId":"ORD-1", "totalAmount":12.50})", "", "missing_field",
              "detail: required, absent"},
             {R"("detail-type":"OrderPlaced")", R"("detail-type":"")", "missing_field",
              "detail-type: required, absent"},
             {R"("detail-type":"OrderPlaced")", R"("detail-type":7)", "bad_field",
              "detail-type: must be a string, is number"},
             {R"("version":"0")", R"("id":"another")", "duplicate_key",
              "id: occurs more than once, so which one is meant cannot be known"},
             {R"("id":"6a7e8feb-b491")", R"("id":{})", "bad_field",
              "id: must be a string, is object"},
             {R"("id":"6a7e8feb-b491")", R"("id":"a\u0000b")", "bad_field",
              "id: contains control characters"},
         }) {
        const auto a = aws(replaced(envelope, c.from, c.to));
        ASSERT_TRUE(a.rejection()) << c.to << ": " << a.verdict();
        EXPECT_EQ(a.rejection()->reason, c.reason) << c.to;
        EXPECT_EQ(a.rejection()->errors, std::vector<std::string>{std::string(c.error)});
        EXPECT_EQ(a.rejection()->raw, a.body);
    }
}

TEST(AwsEventBridge, every_complaint_is_collected) {
    const auto a = aws(R"({"detail-type":"","source":"s","id":[5],"detail":5})");
    ASSERT_TRUE(a.rejection());
    EXPECT_EQ(a.rejection()->errors.size(), 3u);
    EXPECT_EQ(a.rejection()->reason, "missing_field") << "the first one's";
}

TEST(AwsEventBridge, times) {
    const auto with_time = [](std::string_view time) {
        return aws(replaced(envelope, R"("2026-01-05T10:23:45Z")", time));
    };
    EXPECT_EQ(with_time("1767608625120").event()->event.time,
              parse_rfc3339("2026-01-05T10:23:45.120Z")->at)
        << "integers are epoch milliseconds";
    EXPECT_FALSE(with_time(R"("2026-01-05T10:23:45")").event()->event.time_had_zone);
    EXPECT_TRUE(with_time(R"("2026-01-05T11:23:45+01:00")").event()->event.time_had_zone);
    EXPECT_EQ(with_time("null").event()->event.time, std::nullopt);
    for (const auto bad : {R"("1969-12-31T23:59:59Z")", R"("2200-01-01T00:00:00Z")", "-1", "1e400",
                           "12.5", "99999999999999999999", "true", R"("soon")", "{}"}) {
        ASSERT_TRUE(with_time(bad).event()) << bad;
        EXPECT_EQ(with_time(bad).event()->event.time, std::nullopt) << bad;
        EXPECT_EQ(with_time(bad).event()->event.time_as_sent, bad);
    }
}

TEST(AwsEventBridge, without_an_id_the_content_is_the_identity) {
    const auto without = replaced(envelope, R"("id":"6a7e8feb-b491",)", "");
    const auto a = aws(without);
    ASSERT_TRUE(a.event());
    EXPECT_EQ(a.event()->event.identity, model::IdentityKind::content);
    EXPECT_EQ(a.event()->event.id.size(), 64u);
    EXPECT_EQ(aws(replaced(without, R"({"orderId":"ORD-1", "totalAmount":12.50})",
                           R"({"totalAmount":12.50,"orderId":"ORD-1"})"))
                  .event()
                  ->event.id,
              a.event()->event.id)
        << "canonical";
    EXPECT_NE(aws(replaced(without, "12.50", "12.5")).event()->event.id, a.event()->event.id)
        << "numbers as written";
    EXPECT_NE(aws(replaced(without, "10:23:45Z", "10:23:46Z")).event()->event.id,
              a.event()->event.id);
    EXPECT_EQ(aws(replaced(without, "arn:aws:x", "arn:aws:y")).event()->event.id,
              a.event()->event.id)
        << "no metadata";
}

TEST(AwsEventBridge, hostile_numbers_pass_untouched) {
    const auto a =
        aws(replaced(envelope, "12.50",
                     "[9007199254740993, 1e400, 0.1234567890123456789012345678901234567890, -0]"));
    ASSERT_TRUE(a.event());
    EXPECT_NE(a.event()->event.payload.find(
                  "9007199254740993, 1e400, 0.1234567890123456789012345678901234567890, -0"),
              std::string::npos);
}

TEST(AwsEventBridge, a_flaw_inside_a_value_is_kept_whole) {
    for (const auto& body :
         {replaced(envelope, "ORD-1", "\\ud83d"), replaced(envelope, "ORD-1", "\xe2\x82"),
          replaced(envelope, "shop.orders", "\xff"),
          notification(replaced(envelope, "ORD-1", "\\ud83d")),
          replaced(notification(envelope), "Subject\":\"s", "Subject\":\"\x01")}) {
        const auto a = aws(body);
        EXPECT_EQ(a.verdict(), "bad_text") << body;
        ASSERT_TRUE(a.rejection());
        EXPECT_EQ(a.rejection()->raw, body);
    }
    EXPECT_EQ(aws(replaced(envelope, "ORD-1", "\\ud83d")).rejection()->errors.at(0),
              "detail.orderId: a high surrogate without a low one (byte 219)");
    EXPECT_TRUE(aws("\xef\xbb\xbf" + envelope).event());
    EXPECT_TRUE(aws(notification("\xef\xbb\xbf" + envelope)).event());
}

TEST(AwsEventBridge, too_deep_is_kept_whole) {
    const auto a = aws(replaced(envelope, "12.50", nested(10'000)));
    ASSERT_TRUE(a.rejection()) << a.verdict();
    EXPECT_EQ(a.rejection()->reason, "too_deep");
    EXPECT_EQ(a.rejection()->raw, a.body);
    EXPECT_TRUE(aws(replaced(envelope, "12.50", nested(500))).event())
        << "what AWS may send and we can read";
}

const std::string cloudevent =
    R"({"specversion":"1.0","id":"c-1","source":"/shop/orders","type":"com.example.OrderPlaced","data":{"orderId":"ORD-1"}})";

TEST(AwsEventBridge, cloudevents_are_taken) {
    for (const auto& a :
         {aws(cloudevent), aws(cloudevent, {{"Content-Type", "application/cloudevents+json"}}),
          aws("[" + cloudevent + "]", {{"content-type", "application/cloudevents-batch+json"}}),
          aws(R"({"orderId":"ORD-1"})", {{"ce-id", "c-1"},
                                         {"ce-source", "/shop/orders"},
                                         {"ce-specversion", "1.0"},
                                         {"ce-type", "com.example.OrderPlaced"}}),
          aws(notification(cloudevent))}) {
        ASSERT_TRUE(a.event()) << a.verdict() << a.body;
        EXPECT_EQ(a.event()->event.source, "aws");
        EXPECT_EQ(a.event()->event.scope, "/shop/orders");
        EXPECT_EQ(a.event()->event.id, "c-1");
        EXPECT_EQ(a.event()->event.type, "OrderPlaced");
        EXPECT_EQ(a.event()->event.payload, R"({"orderId":"ORD-1"})");
    }
    EXPECT_NE(aws(notification(cloudevent))
                  .event()
                  ->event.metadata.find(
                      R"("sns":{"topicArn":"arn:aws:sns:eu-central-1:012345678901:orders")"),
              std::string::npos);
    EXPECT_EQ(aws(replaced(cloudevent, "1.0", "0.3")).verdict(), "cloudevent");
    EXPECT_EQ(aws(notification(replaced(cloudevent, R"("id")", R"("x")"))).verdict(),
              "missing_field");
    EXPECT_EQ(aws("x", {{"Content-Type", "application/cloudevents+avro"}}).verdict(), "400");
    EXPECT_EQ(aws(cloudevent, {{"ce-id", "c-2"}}).event()->event.id, "c-1")
        << "some of the four headers are no binary mode";
}

TEST(AwsEventBridge, raw_delivery_of_sns) {
    const std::vector<Header> raw{{"x-amz-sns-rawdelivery", "true"},
                                  {"x-amz-sns-message-type", "Notification"},
                                  {"x-amz-sns-message-id", "m-1"},
                                  {"x-amz-sns-topic-arn", "arn:t"},
                                  {"Content-Type", "text/plain; charset=UTF-8"}};
    const auto a = aws(envelope, raw);
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(model::identity_of(a.event()->event),
              model::identity_of(aws(envelope).event()->event));
    EXPECT_NE(a.event()->event.metadata.find(R"("sns":{"topicArn":"arn:t","messageId":"m-1"})"),
              std::string::npos);
    EXPECT_EQ(aws(cloudevent, raw).verdict(), "accepted");
    for (const auto& [body, reason] :
         {std::pair<std::string, std::string>{"plain text", "not_json"},
          {"{\"a\":", "not_json"},
          {"[]", "not_an_envelope"},
          {R"({"orderId":"ORD-1"})", "not_an_envelope"}}) {
        const auto rejected = aws(body, raw);
        EXPECT_EQ(rejected.verdict(), reason) << body;
        EXPECT_EQ(rejected.rejection()->event_id, "m-1");
        EXPECT_EQ(rejected.rejection()->scope, "arn:t");
    }
    EXPECT_EQ(aws("", raw).verdict(), "400");
    EXPECT_EQ(aws(R"({"orderId":"O"})", raw, {.detail_only = "Shipped"}).event()->event.type,
              "Shipped");
    EXPECT_EQ(aws("x", {{"X-Amz-Sns-RawDelivery", "True"}}).verdict(), "not_json");
    EXPECT_EQ(aws("x", {{"x-amz-sns-rawdelivery", "false"}}).verdict(), "400");
    EXPECT_EQ(aws("x", {{"x-amz-sns-rawdelivery", "true"}, {"x-amz-sns-message-id", "\xff"}})
                  .rejection()
                  ->event_id,
              "");
}

/// Whoever may publish must not be able to have a subscription confirmed.
TEST(AwsEventBridge, what_is_published_raw_is_never_a_message_of_sns) {
    for (const std::string type :
         {"SubscriptionConfirmation", "UnsubscribeConfirmation", "Notification"}) {
        const auto a = aws(R"({"Type":")" + type +
                               R"(","MessageId":"m-2","TopicArn":"arn:t","Message":"{}",)"
                               R"("SubscribeURL":"https://sns/"})",
                           {{"x-amz-sns-rawdelivery", "true"}});
        EXPECT_EQ(a.verdict(), "not_an_envelope") << type;
    }
}

TEST(AwsEventBridge, a_detail_alone_is_no_event_but_can_be_kept) {
    const std::string detail = R"({"orderId":"ORD-1","totalAmount":"12.50"})";
    const auto a = aws(detail);
    ASSERT_TRUE(a.refusal()) << a.verdict();
    EXPECT_NE(a.refusal()->hint.find("sources.aws.detail_only"), std::string::npos);
    ASSERT_TRUE(a.refusal()->kept);
    EXPECT_EQ(a.refusal()->kept->reason, "detail_alone");
    EXPECT_EQ(a.refusal()->kept->raw, detail);
    EXPECT_EQ(a.refusal()->kept->payload.find("orderId").text(), "ORD-1") << "its key is found";
    EXPECT_EQ(aws("{}").refusal()->kept->reason, "detail_alone");
    EXPECT_EQ(aws("[]").refusal()->kept->reason, "not_an_envelope");
    EXPECT_EQ(aws("{").refusal()->kept->reason, "not_json");
}

TEST(AwsEventBridge, details_of_a_declared_type) {
    const AwsRules rules{.detail_only = "OrderPlaced"};
    const auto detail = [&](std::string body) { return aws(std::move(body), {}, rules); };
    const auto a = detail(R"({"orderId":"ORD-1","totalAmount":"12.50"})");
    ASSERT_TRUE(a.event()) << a.verdict();
    EXPECT_EQ(a.event()->event.source, "aws");
    EXPECT_EQ(a.event()->event.scope, "");
    EXPECT_EQ(a.event()->event.type, "OrderPlaced");
    EXPECT_EQ(a.event()->event.identity, model::IdentityKind::content);
    EXPECT_EQ(a.event()->event.payload, a.body);
    EXPECT_EQ(a.event()->event.metadata, "{}");
    EXPECT_EQ(detail(R"({ "totalAmount":"12.50","orderId":"ORD-1"})").event()->event.id,
              a.event()->event.id)
        << "equal details are one event";
    EXPECT_NE(detail(R"({"orderId":"ORD-2","totalAmount":"12.50"})").event()->event.id,
              a.event()->event.id);
    EXPECT_EQ(aws(notification(a.body), {}, rules).event()->event.id, a.event()->event.id)
        << "through SNS too";
    EXPECT_EQ(detail(R"({"a":"\ud83d"})").verdict(), "bad_text");
    EXPECT_EQ(detail(R"({"a":1,"a":2})").verdict(), "accepted") << "the sender's business";
    EXPECT_EQ(detail(nested(511)).verdict(), "accepted");
    EXPECT_EQ(detail(nested(512)).verdict(), "too_deep") << "as deep as in its envelope";
    EXPECT_EQ(detail("[]").verdict(), "400");
    EXPECT_EQ(detail("").verdict(), "400");
    EXPECT_EQ(detail(envelope).event()->event.id, "6a7e8feb-b491") << "a whole one is taken whole";
}

}  // namespace
}  // namespace helios::adapters
