// Payloads that AWS, Azure and Google publish, read where they lie, each sent to its sender's
// adapter.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>

#include "adapters/aws_eventbridge.h"
#include "adapters/azure_eventgrid.h"
#include "adapters/gcp_pubsub.h"
#include "adapters/test_kit.h"

namespace helios::adapters {
namespace {

std::filesystem::path fixtures() {
    const char* named = std::getenv("HELIOS_FIXTURES");
    return named != nullptr ? named : HELIOS_FIXTURES_DEFAULT;
}

std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

using Table = std::map<std::string, std::string>;  ///< file → verdict of each item, comma separated

/// Every .json below `folder` must be in the table, and every line of the table must be there.
void check(const std::string& folder, Adapted (*adapt)(const RawRequest&), const Table& expected) {
    const auto root = fixtures() / folder;
    Table found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() != ".json") {
            continue;
        }
        const Adapting a(adapt, contents(entry.path()));
        std::string verdict = a.verdict(0);
        for (std::size_t i = 1; i < a.count(); ++i) {
            verdict += "," + a.verdict(i);
        }
        found[std::filesystem::relative(entry.path(), root).string()] = verdict;
    }
    EXPECT_EQ(found, expected);
}

#define SKIP_WITHOUT(folder)                                              \
    if (!std::filesystem::is_directory(fixtures() / (folder))) {          \
        GTEST_SKIP() << "no real payloads at " << (fixtures() / (folder)) \
                     << "; set HELIOS_FIXTURES to their folder";          \
    }

TEST(Fixtures, aws) {
    SKIP_WITHOUT("aws-lambda-go-events");
    check("aws-lambda-go-events", adapt_aws_eventbridge,
          {
              // EventBridge envelopes
              {"autoscaling-event-launch-successful.json", "accepted"},
              {"autoscaling-event-launch-unsuccessful.json", "accepted"},
              {"autoscaling-event-lifecycle-action.json", "accepted"},
              {"autoscaling-event-terminate-action.json", "accepted"},
              {"autoscaling-event-terminate-successful.json", "accepted"},
              {"autoscaling-event-terminate-unsuccessful.json", "accepted"},
              {"codebuild-phase-change.json", "accepted"},
              {"codebuild-state-change.json", "accepted"},
              {"codedeploy-deployment-event.json", "accepted"},
              {"codedeploy-instance-event.json", "accepted"},
              {"codepipeline-action-execution-stage-change-event.json", "accepted"},
              {"codepipeline-execution-stage-change-event.json", "accepted"},
              {"codepipeline-execution-state-change-event.json", "accepted"},
              {"ecr-image-push-event.json", "accepted"},
              {"ecr-image-scan-event.json", "accepted"},
              {"ecs-container-instance-state-change.json", "accepted"},
              // What AWS hands to a Lambda function is no EventBridge envelope
              {"cloudwatch-alarm-sns-payload-multiple-metrics.json", "400"},
              {"cloudwatch-alarm-sns-payload-single-metric.json", "400"},
              {"cloudwatch-logs-event.json", "400"},
              {"code-commit-event.json", "400"},
              {"codepipeline-job-event.json", "400"},
              {"dynamodb-event-malformed.2.json", "400"},
              {"dynamodb-event.json", "400"},
              {"dynamodb-time-window-event.json", "400"},
              {"kafka-event.json", "400"},
              {"kinesis-analytics-output-delivery-event.json", "400"},
              {"kinesis-analytics-output-delivery-response.json", "400"},
              {"kinesis-event.json", "400"},
              {"kinesis-firehose-event.json", "400"},
              {"kinesis-firehose-response.json", "400"},
              {"kinesis-time-window-event.json", "400"},
              {"s3-event-with-decoded.json", "400"},
              {"s3-event.json", "400"},
              {"secretsmanager-secret-rotation-event.json", "400"},
              {"ses-s3-event.json", "400"},
              {"ses-sns-event.json", "400"},
              {"sns-event.json", "400"},
              {"sqs-event.json", "400"},
          });
}

/// The SNS documents of those Lambda records, as SNS itself would post them: recognised, but not
/// one holds an EventBridge envelope.
TEST(Fixtures, aws_sns_documents) {
    SKIP_WITHOUT("aws-lambda-go-events");
    for (const std::string name :
         {"sns-event.json", "cloudwatch-alarm-sns-payload-multiple-metrics.json",
          "cloudwatch-alarm-sns-payload-single-metric.json"}) {
        const auto text = contents(fixtures() / "aws-lambda-go-events" / name);
        const auto document = json::Document::parse(text);
        ASSERT_TRUE(document) << name;
        const auto sns = document->root().find("Records").at(0).find("Sns");
        ASSERT_TRUE(sns) << name;
        const Adapting a(adapt_aws_eventbridge, std::string(sns.raw()));
        ASSERT_TRUE(a.rejection()) << name << ": " << a.verdict();
        EXPECT_FALSE(a.rejection()->event_id.empty());
    }
}

TEST(Fixtures, azure) {
    SKIP_WITHOUT("azure-eventgrid");
    check("azure-eventgrid", adapt_azure_eventgrid,
          {
              {"arrayDataEvent.json", "not_an_object"},
              {"cloudEvent.json", "cloudevent"},  // version 0.1
              {"eventGridEvent.json", "accepted"},
              {"eventGridEvents.json", "accepted"},
              {"missingDataEvent.json", "missing_field"},
              {"multipleEventGridEvents.json", "accepted,accepted"},
              {"primitiveDataEvent.json", "not_an_object"},
              {"stringDataEvent.json", "not_an_object"},
              {"stringDataEvents.json", "not_an_object,not_an_object"},
          });
}

TEST(Fixtures, google) {
    SKIP_WITHOUT("google-cloudevents");
    const std::string cloud = "testdata/google/events/cloud/";
    const std::string firebase = "testdata/google/events/firebase/";
    check("google-cloudevents", adapt_gcp_pubsub,
          {
              // Pub/Sub pushes; their data is binary or text, and nothing names a type
              {cloud + "pubsub/v1/MessagePublishedData-binary.json", "not_json"},
              {cloud + "pubsub/v1/MessagePublishedData-duplicatedFields.json", "not_json"},
              {cloud + "pubsub/v1/MessagePublishedData-text.json", "not_json"},
              // The data of other CloudEvents
              {cloud + "audit/v1/LogEntryData-bigqueryjobcompleted.json", "400"},
              {cloud + "audit/v1/LogEntryData-monitoringCreateTimeSeries.json", "400"},
              {cloud + "audit/v1/LogEntryData-pubsubCreateTopic.json", "400"},
              {cloud + "cloudbuild/v1/BuildEventData-complex.json", "400"},
              {cloud + "cloudbuild/v1/BuildEventData-simple.json", "400"},
              {cloud + "firestore/v1/DocumentEventData-complex.json", "400"},
              {cloud + "firestore/v1/DocumentEventData-simple.json", "400"},
              {cloud + "scheduler/v1/SchedulerJobData-simple.json", "400"},
              {cloud + "storage/v1/StorageObjectData-complex.json", "400"},
              {cloud + "storage/v1/StorageObjectData-simple.json", "400"},
              {firebase + "analytics/v1/AnalyticsLogData-complex.json", "400"},
              {firebase + "auth/v1/AuthEventData-complex.json", "400"},
              {firebase + "database/v1/ReferenceEventData-simple.json", "400"},
              {firebase + "firebasealerts/v1/AlertData-simple.json", "400"},
              {firebase + "remoteconfig/v1/RemoteConfigEventData-simple.json", "400"},
              {firebase + "testlab/v1/TestMatrixEventData-simple.json", "400"},
          });
}

}  // namespace
}  // namespace helios::adapters
