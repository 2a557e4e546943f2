#include "sources/pull_queues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "sources/vendor_test_kit.h"

namespace helios::sources {
namespace {

using http::Method;
using http::Response;
using testing::HasSubstr;
using testing::StartsWith;

const Variables keys{{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                     {"AWS_SECRET_ACCESS_KEY", "secret"},
                     {"AWS_SESSION_TOKEN", "session"}};

class SqsTest : public testing::Test {
protected:
    /// By the operation; started with it.
    SqsTest() {
        vendor_.on(Method::post, "/", [this](const http::Request& request) {
            const auto* target = request.header("X-Amz-Target");
            const auto found = says_.find(target == nullptr ? "" : *target);
            return found == says_.end() ? Response::json(400, R"({"__type":"x#UnknownOperation"})")
                                        : found->second;
        });
        vendor_.start();
    }
    std::unique_ptr<PullQueue> queue(Variables variables = keys) {
        PullOptions options;
        options.kind = "sqs";
        options.queue_url = vendor_.url("/1/orders");
        options.region = "eu-central-1";
        EXPECT_TRUE(options.validate("aws", std::vector{vendor_.place()}));
        return queue_of(options, vendor_.https(), parts_of(clock_, std::move(variables)))(nullptr);
    }

    std::map<std::string, Response> says_;  ///< set before it is asked
    ManualClock clock_{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    Vendor vendor_;
};

TEST_F(SqsTest, a_message_is_the_request_with_which_it_would_be_pushed) {
    says_["AmazonSQS.ReceiveMessage"] = Response::json(
        200,
        R"({"Messages":[{"MessageId":"m","ReceiptHandle":"h-1","Body":"{\"id\":\"e-1\"}","Attributes":{"SentTimestamp":"1767608625120","ApproximateReceiveCount":"1"}},)"
        R"({"ReceiptHandle":"h-2","Body":"text","Attributes":{"SentTimestamp":"soon","ApproximateReceiveCount":"3"}},{"Body":"no handle"}]})");
    const auto got = queue()->receive();
    ASSERT_TRUE(got) << got.error().message();
    ASSERT_EQ(got->messages.size(), 2u);
    EXPECT_EQ(got->messages[0].handle, "h-1");
    EXPECT_EQ(got->messages[0].request.body, R"({"id":"e-1"})");
    EXPECT_EQ(got->messages[0].sent, parse_rfc3339("2026-01-05T10:23:45.12Z")->at);
    EXPECT_FALSE(got->messages[0].again);
    EXPECT_FALSE(got->messages[1].sent);
    EXPECT_TRUE(got->messages[1].again);
    EXPECT_FALSE(got->drained);
    const auto asked = json::Document::parse(vendor_.asked().front().body);
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->root().find("QueueUrl").text(), vendor_.url("/1/orders"));
    EXPECT_EQ(asked->root().find("WaitTimeSeconds").text(), "20");
    EXPECT_EQ(asked->root().find("MaxNumberOfMessages").text(), "10");
    EXPECT_EQ(vendor_.header(0, "Content-Type"), "application/x-amz-json-1.0");
    EXPECT_EQ(vendor_.header(0, "X-Amz-Security-Token"), "session");
    EXPECT_THAT(vendor_.header(0, "Authorization"),
                StartsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260105/eu-central-1/sqs/"));
}

TEST_F(SqsTest, no_messages_is_a_queue_that_is_drained) {
    says_["AmazonSQS.ReceiveMessage"] = Response::json(200, "{}");
    const auto got = queue()->receive();
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->messages.empty());
    EXPECT_TRUE(got->drained);
}

TEST_F(SqsTest, a_part_of_a_batch_that_fails_is_told) {
    says_["AmazonSQS.DeleteMessageBatch"] = Response::json(
        200,
        R"({"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"too old"}]})");
    const auto got = queue()->remove({"h-1", "h-2"});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->done, 1u);
    EXPECT_EQ(got->failed, 1u);
    EXPECT_THAT(got->why, HasSubstr("ReceiptHandleIsInvalid"));
}

TEST_F(SqsTest, what_an_answer_says_nothing_of_was_not_done) {
    says_["AmazonSQS.DeleteMessageBatch"] = Response::json(200, R"({"Successful":[{"Id":"0"}]})");
    EXPECT_EQ(queue()->remove({"h-1", "h-2", "h-3"})->failed, 2u);
}

TEST_F(SqsTest, ten_handles_a_call) {
    says_["AmazonSQS.ChangeMessageVisibilityBatch"] =
        Response::json(200, R"({"Successful":[{},{},{},{},{},{},{},{},{},{}]})");
    EXPECT_TRUE(queue()->renew(std::vector<std::string>(25, "h")));
    EXPECT_EQ(vendor_.asked().size(), 3u);
    EXPECT_THAT(vendor_.asked().front().body, HasSubstr("\"VisibilityTimeout\":30"));
}

TEST_F(SqsTest, errors_say_what_helps) {
    const auto kind_of = [&](int status, std::string body) {
        says_["AmazonSQS.ReceiveMessage"] = Response::json(status, std::move(body));
        const auto got = queue()->receive();
        return got ? std::string() : std::string(to_string(got.error().kind));
    };
    EXPECT_EQ(kind_of(400, R"({"__type":"com.amazonaws.sqs#RequestThrottled"})"), "exhausted");
    EXPECT_EQ(kind_of(400, R"({"__type":"com.amazon.coral.availability#ThrottlingException"})"),
              "exhausted");
    EXPECT_EQ(kind_of(429, ""), "exhausted");
    EXPECT_EQ(kind_of(503, "no JSON"), "unavailable");
    EXPECT_EQ(kind_of(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist"})"), "not_found");
    EXPECT_EQ(kind_of(403, R"({"__type":"x#AccessDeniedException","message":"no"})"), "denied");
    EXPECT_EQ(kind_of(400, R"({"__type":"x#InvalidAttributeValue"})"), "invalid");
    EXPECT_EQ(kind_of(200, "<html>"), "corrupt");
    EXPECT_EQ(kind_of(200, R"({"Messages":[{"ReceiptHandle":)"), "corrupt");
    EXPECT_EQ(kind_of(200, R"({"Messages":{"ReceiptHandle":1}})"), "")
        << "nothing that can be read";
}

TEST_F(SqsTest, without_keys_nothing_is_asked) {
    const auto got = queue({{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"}})->receive();
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, HasSubstr("AWS_SECRET_ACCESS_KEY"));
    EXPECT_TRUE(vendor_.asked().empty());
}

TEST_F(SqsTest, says_how_much_waits) {
    says_["AmazonSQS.GetQueueAttributes"] =
        Response::json(200, R"({"Attributes":{"ApproximateNumberOfMessages":"42"}})");
    EXPECT_EQ(*queue()->backlog(), 42u);
    says_["AmazonSQS.GetQueueAttributes"] = Response::json(200, "{}");
    EXPECT_FALSE(queue()->backlog());
}

class PubsubTest : public testing::Test {
protected:
    PubsubTest() {
        vendor_.on(Method::post, "/v1/projects/{project}/subscriptions/{verb}",
                   [this](const http::Request& request) {
                       return says_[std::string(request.path_param("verb"))];
                   });
        vendor_.start();
    }
    std::unique_ptr<PullQueue> queue() {
        PullOptions options;
        options.kind = "pubsub";
        options.subscription = "projects/shop/subscriptions/helios";
        options.endpoint = vendor_.url();
        options.credentials = "none";
        EXPECT_TRUE(options.validate("gcp", std::vector{vendor_.place()}));
        return queue_of(options, vendor_.https(), parts_of(clock_, {}))(nullptr);
    }

    std::map<std::string, Response> says_;
    ManualClock clock_{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    Vendor vendor_;
};

TEST_F(PubsubTest, a_message_is_a_wrapped_push) {
    says_["helios:pull"] = Response::json(
        200,
        R"({"receivedMessages":[{"ackId":"a-1","message":{"data":"e30=","messageId":"7","publishTime":"2026-01-05T10:23:45.120Z"},"deliveryAttempt":2},{"ackId":"a-2"}]})");
    const auto got = queue()->receive();
    ASSERT_TRUE(got) << got.error().message();
    ASSERT_EQ(got->messages.size(), 2u);
    EXPECT_EQ(
        got->messages[0].request.body,
        R"({"message":{"data":"e30=","messageId":"7","publishTime":"2026-01-05T10:23:45.120Z"},"subscription":"projects/shop/subscriptions/helios","deliveryAttempt":2})");
    EXPECT_TRUE(got->messages[0].again);
    EXPECT_EQ(got->messages[0].sent, parse_rfc3339("2026-01-05T10:23:45.12Z")->at);
    EXPECT_EQ(got->messages[1].handle, "a-2");
    EXPECT_EQ(vendor_.header(0, "Authorization"), "");
}

TEST_F(PubsubTest, handles_are_acknowledged_renewed_and_released) {
    says_["helios:acknowledge"] = Response::json(200, "{}");
    says_["helios:modifyAckDeadline"] = Response::json(200, "{}");
    const auto made = queue();
    EXPECT_EQ(made->remove({"a-1", "a-2"})->done, 2u);
    EXPECT_TRUE(made->renew({"a-1"}));
    EXPECT_TRUE(made->release({"a-1"}));
    const auto asked = vendor_.asked();
    ASSERT_EQ(asked.size(), 3u);
    EXPECT_EQ(asked[0].body, R"({"ackIds":["a-1","a-2"]})");
    EXPECT_EQ(asked[1].body, R"({"ackIds":["a-1"],"ackDeadlineSeconds":30})");
    EXPECT_EQ(asked[2].body, R"({"ackIds":["a-1"],"ackDeadlineSeconds":0})");
    EXPECT_FALSE(made->backlog()->has_value());
}

TEST_F(PubsubTest, errors_say_what_helps) {
    const auto kind_of = [&](int status, std::string body) {
        says_["helios:pull"] = Response::json(status, std::move(body));
        const auto got = queue()->receive();
        return got ? std::string() : std::string(to_string(got.error().kind));
    };
    EXPECT_EQ(kind_of(429, R"({"error":{"status":"RESOURCE_EXHAUSTED"}})"), "exhausted");
    EXPECT_EQ(kind_of(404, R"({"error":{"status":"NOT_FOUND"}})"), "not_found");
    EXPECT_EQ(kind_of(403, R"({"error":{"status":"PERMISSION_DENIED"}})"), "denied");
    EXPECT_EQ(kind_of(503, ""), "unavailable");
    EXPECT_EQ(kind_of(504, ""), "") << "its own deadline: nothing came";
}

class EventGridTest : public testing::Test {
protected:
    EventGridTest() {
        vendor_.on(Method::post, "/topics/{topic}/eventsubscriptions/{operation}",
                   [this](const http::Request& request) {
                       return says_[std::string(request.path_param("operation"))];
                   });
        vendor_.start();
    }
    std::unique_ptr<PullQueue> queue() {
        PullOptions options;
        options.kind = "eventgrid";
        options.topic = "orders";
        options.subscription = "helios";
        options.endpoint = vendor_.url();
        options.credentials = "env:GRID_KEY";
        EXPECT_TRUE(options.validate("azure", std::vector{vendor_.place()}));
        return queue_of(options, vendor_.https(), parts_of(clock_, {{"GRID_KEY", "k=="}}))(nullptr);
    }

    std::map<std::string, Response> says_;
    ManualClock clock_{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    Vendor vendor_;
};

TEST_F(EventGridTest, a_message_is_a_cloudevent) {
    says_["helios:receive"] = Response::json(
        200,
        R"({"value":[{"brokerProperties":{"lockToken":"t-1","deliveryCount":1},"event":{"specversion":"1.0","id":"e-1"}}]})");
    const auto got = queue()->receive();
    ASSERT_TRUE(got) << got.error().message();
    ASSERT_EQ(got->messages.size(), 1u);
    EXPECT_EQ(got->messages[0].handle, "t-1");
    EXPECT_EQ(got->messages[0].request.body, R"({"specversion":"1.0","id":"e-1"})");
    EXPECT_EQ(got->messages[0].request.media_type(), "application/cloudevents+json");
    EXPECT_TRUE(got->drained) << "fewer than it could have given";
    EXPECT_EQ(vendor_.header(0, "Authorization"), "SharedAccessKey k==");
    EXPECT_EQ(vendor_.asked().front().query_param("maxWaitTime"), "20");
    EXPECT_EQ(vendor_.asked().front().query_param("api-version"), "2024-06-01");
}

TEST_F(EventGridTest, tokens_that_fail_are_told) {
    says_["helios:acknowledge"] = Response::json(
        200,
        R"({"succeededLockTokens":["t-1"],"failedLockTokens":[{"lockToken":"t-2","error":{"code":"TokenLost","message":"too late"}}]})");
    const auto got = queue()->remove({"t-1", "t-2"});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->done, 1u);
    EXPECT_EQ(got->failed, 1u);
    EXPECT_THAT(got->why, HasSubstr("TokenLost"));
    EXPECT_EQ(vendor_.asked().front().body, R"({"lockTokens":["t-1","t-2"]})");
}

TEST(PullOptions, the_region_is_in_the_url) {
    EXPECT_EQ(region_in("https://sqs.eu-central-1.amazonaws.com/1/q"), "eu-central-1");
    EXPECT_EQ(region_in("https://eu-west-3.queue.amazonaws.com/1/q"), "eu-west-3");
    EXPECT_EQ(region_in("https://vpce-1-2.sqs.us-east-2.vpce.amazonaws.com/1/q"), "us-east-2");
    EXPECT_EQ(region_in("https://sqs.cn-north-1.amazonaws.com.cn/1/q"), "cn-north-1");
    EXPECT_EQ(region_in("https://queue.example/1/q"), "");
}

TEST(PullOptions, complaints_name_the_option) {
    const auto complaint = [](const PullOptions& options, std::string_view name) {
        const auto status = options.validate(name, {});
        return status ? std::string() : status.error().what;
    };
    PullOptions options;
    options.queue_url = "https://sqs.eu-central-1.amazonaws.com/1/q";
    EXPECT_THAT(complaint(options, "aws"), StartsWith("sources.aws.pull.kind "));
    options.kind = "sqs";
    EXPECT_EQ(complaint(options, "aws"), "");
    EXPECT_THAT(complaint(options, "gcp"), StartsWith("sources.gcp.pull.kind "));
    options.concurrency = 0;
    EXPECT_THAT(complaint(options, "aws"), StartsWith("sources.aws.pull.concurrency "));
    options.concurrency = 65;
    EXPECT_THAT(complaint(options, "aws"), StartsWith("sources.aws.pull.concurrency "));
    options.concurrency = 64;
    options.queue_url = "http://127.0.0.1:9324/1/q";
    EXPECT_THAT(complaint(options, "aws"), HasSubstr("is http"));
    options.queue_url = "https://queue.example/1/q";
    EXPECT_THAT(complaint(options, "aws"), StartsWith("sources.aws.pull.region "));
    options.region = "eu-central-1";
    options.credentials = "AKIDEXAMPLE:wJalrXUtnFEMI";
    EXPECT_THAT(complaint(options, "aws"), StartsWith("sources.aws.pull.credentials "));
    EXPECT_EQ(complaint(options, "aws").find("wJalr"), std::string::npos);
    PullOptions pubsub;
    pubsub.kind = "pubsub";
    for (const auto* name : {"", "helios", "projects/p/topics/t", "projects/p/subscriptions/",
                             "projects//subscriptions/s", "projects/p/subscriptions/a b",
                             "projects/p/subscriptions/s:pull?x"}) {
        pubsub.subscription = name;
        EXPECT_THAT(complaint(pubsub, "gcp"), StartsWith("sources.gcp.pull.subscription ")) << name;
    }
    PullOptions grid;
    grid.kind = "eventgrid";
    EXPECT_THAT(complaint(grid, "azure"), StartsWith("sources.azure.pull.endpoint "));
    grid.endpoint = "https://shop.westeurope-1.eventgrid.azure.net";
    EXPECT_THAT(complaint(grid, "azure"), StartsWith("sources.azure.pull.topic "));
    grid.topic = "orders";
    EXPECT_THAT(complaint(grid, "azure"), StartsWith("sources.azure.pull.subscription "));
    grid.subscription = "a/b";
    EXPECT_THAT(complaint(grid, "azure"), StartsWith("sources.azure.pull.subscription "));
}

}  // namespace
}  // namespace helios::sources
