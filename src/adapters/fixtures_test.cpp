// Payloads that AWS, Azure and Google publish, read where they lie, each sent to its sender's
// adapter.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <sstream>

#include "adapters/aws_eventbridge.h"
#include "adapters/azure_eventgrid.h"
#include "adapters/cloudevents.h"
#include "adapters/gcp_pubsub.h"
#include "adapters/test_kit.h"
#include "base/time.h"

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

Adapted aws(const RawRequest& request) {
    return adapt_aws(request);
}
Adapted azure(const RawRequest& request) {
    return adapt_azure(request);
}

/// Every .json below `folder` must be in the table, and every line of the table must be there.
void check(const std::string& folder, const Adapt& adapt, const Table& expected) {
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
    check("aws-lambda-go-events", aws,
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
        const Adapting a(aws, std::string(sns.raw()));
        ASSERT_TRUE(a.rejection()) << name << ": " << a.verdict();
        EXPECT_FALSE(a.rejection()->event_id.empty());
    }
}

TEST(Fixtures, azure) {
    SKIP_WITHOUT("azure-eventgrid");
    check("azure-eventgrid", azure,
          {
              {"arrayDataEvent.json", "not_an_object"},
              {"cloudEvent.json", "cloudevent"},  // a draft
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
    check("google-cloudevents", adapt_gcp,
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

using Rows = std::vector<std::vector<std::string>>;

std::string trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
    const auto end = text.find_last_not_of(" \t\r");
    return std::string(text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin));
}

/// A scenario of a feature file: its texts in quotes, its tables, the values it is tried with.
struct Scenario {
    std::string name;
    std::vector<std::string> texts;
    Rows attributes;
    Rows examples;
};

std::vector<Scenario> scenarios_of(const std::string& feature) {
    std::vector<Scenario> out;
    std::istringstream lines(feature);
    bool in_text = false;
    bool in_examples = false;
    for (std::string line; std::getline(lines, line);) {
        const auto text = trimmed(line);
        if (text.starts_with("Scenario")) {
            out.push_back({text, {}, {}, {}});
            in_examples = false;
        } else if (text == "\"\"\"") {
            in_text = !in_text;
            if (in_text) {
                out.back().texts.emplace_back();
            }
        } else if (in_text) {
            out.back().texts.back() += line.substr(std::min<std::size_t>(line.size(), 8)) + "\n";
        } else if (text.starts_with("Examples:")) {
            in_examples = true;
        } else if (text.starts_with('|')) {
            std::vector<std::string> cells;
            std::istringstream row(text.substr(1));
            for (std::string cell; std::getline(row, cell, '|');) {
                cells.push_back(trimmed(cell));
            }
            (in_examples ? out.back().examples : out.back().attributes).push_back(cells);
        }
    }
    return out;
}

std::string with_content_type(std::string text, const std::string& content_type) {
    const std::string mark = "<contentType>";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
        text.replace(at, mark.size(), content_type);
    }
    return text;
}

Adapting requested(const std::string& text) {
    std::istringstream in(text);
    std::string line;
    std::getline(in, line);  // POST /someresource HTTP/1.1
    std::vector<Header> headers;
    while (std::getline(in, line) && !line.empty()) {
        const auto colon = line.find(": ");
        headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return {[](const RawRequest& request) { return adapt_cloudevents(request); },
            {std::istreambuf_iterator<char>(in), {}},
            std::move(headers)};
}

TEST(Fixtures, cloudevents_over_http) {
    SKIP_WITHOUT("cloudevents-conformance");
    const auto feature =
        contents(fixtures() / "cloudevents-conformance/features/http-protocol-binding.feature");
    std::size_t tried = 0;
    for (const auto& scenario : scenarios_of(feature)) {
        ASSERT_EQ(scenario.texts.size(), 2u) << scenario.name;
        ASSERT_GT(scenario.examples.size(), 1u) << scenario.name;
        for (std::size_t row = 1; row < scenario.examples.size(); ++row) {
            const auto& type = scenario.examples[row].at(0);
            const auto a = requested(with_content_type(scenario.texts[0], type));
            ASSERT_TRUE(a.event()) << scenario.name << type << ": " << a.verdict();
            const auto& event = a.event()->event;
            const auto metadata = json::Document::parse(event.metadata);
            std::map<std::string, std::string> found{{"id", event.id},
                                                     {"source", event.scope},
                                                     {"specversion", "1.0"},
                                                     {"time", format_rfc3339(*event.time)}};
            for (const auto name : {"type", "datacontenttype"}) {
                found[name] = metadata->root().find(name).text();
            }
            for (std::size_t i = 1; i < scenario.attributes.size(); ++i) {
                auto expected = with_content_type(scenario.attributes[i].at(1), type);
                const auto& name = scenario.attributes[i].at(0);
                if (name == "time") {
                    expected = format_rfc3339(parse_rfc3339(expected)->at);
                }
                EXPECT_EQ(found.at(name), expected) << scenario.name << type;
            }
            const auto data = json::Document::parse(scenario.texts[1]);
            EXPECT_EQ(json::canonical(a.event()->payload), json::canonical(data->root()));
            ++tried;
        }
    }
    EXPECT_EQ(tried, 4u);
}

}  // namespace
}  // namespace helios::adapters
