/// Figures in buckets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

#include "api/test_kit.h"

namespace helios::api {
namespace {

using model::VerdictStatus;
using store::testing::a_verdict;
using ::testing::HasSubstr;
using testing::parsed;
using testing::Served;

const std::string stats = "/api/v1/reconciliation/stats";
Instant after(std::int64_t seconds) {
    return store::testing::epoch_of_tests + std::chrono::seconds(seconds);
}

constexpr std::array members{"status", "kinds", "decided", "matchRate", "timeToVerdictSeconds",
                             "atRisk"};

/// Times are after 2026-01-05T10:00:00Z.
void append_decided(Served& served, int second, VerdictStatus status) {
    auto verdict = a_verdict("K" + std::to_string(second), 1, status, after(second));
    verdict.at_risk = {{"EUR", "0.10"}};
    served.bench.append(verdict);
}

std::string without_pending(const std::string& status) {
    return std::regex_replace(status, std::regex(R"("pending":\d+,)"), "");
}

/// What each bucket says is what its range, asked for alone, says.
void expect_each_to_be_true(Served& served, json::Value buckets) {
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        const auto bucket = buckets.at(i);
        const auto alone =
            parsed(served.get(stats + "?start_time=" + std::string(bucket.find("from").text()) +
                              "&end_time=" + std::string(bucket.find("to").text())));
        for (const auto* member : members) {
            EXPECT_EQ(bucket.find(member).raw(),
                      without_pending(std::string(alone.root().find(member).raw())))
                << member << " of " << bucket.raw();
        }
        if (i > 0) {
            EXPECT_EQ(bucket.find("from").text(), buckets.at(i - 1).find("to").text());
        }
    }
}

TEST(StatsInBuckets, each_is_what_its_range_says_and_together_they_are_the_whole) {
    Served served;
    for (const int second : {0, 29, 30, 59, 60, 61, 299, 300, 3599, 3600, 3601}) {
        append_decided(served, second,
                       static_cast<VerdictStatus>(1 + static_cast<unsigned>(second) % 3));
    }
    served.bench.append(a_verdict("P", 1, VerdictStatus::pending, std::nullopt));
    served.open();
    const std::string range = "?start_time=2026-01-05T10:00:10Z&end_time=2026-01-05T11:00:01Z";
    const auto whole = parsed(served.get(stats + range));
    for (const auto& [bucket, many] : {std::pair("30s", 121u), std::pair("1m", 61u),
                                       std::pair("5m", 13u), std::pair("1h", 2u)}) {
        const auto answer = parsed(served.get(stats + range + "&bucket=" + bucket));
        for (const auto* member : members) {
            EXPECT_EQ(answer.root().find(member).raw(), whole.root().find(member).raw()) << bucket;
        }
        const auto buckets = answer.root().find("buckets");
        EXPECT_EQ(buckets.size(), many);
        EXPECT_EQ(buckets.at(0).find("from").text(), "2026-01-05T10:00:10.000Z");
        EXPECT_EQ(buckets.at(many - 1).find("from").text(), "2026-01-05T11:00:00.000Z");
        EXPECT_EQ(buckets.at(many - 1).find("to").text(), "2026-01-05T11:00:01.000Z");
        expect_each_to_be_true(served, buckets);
    }
    EXPECT_FALSE(whole.root().find("buckets").present());
}

TEST(StatsInBuckets, without_a_range_they_are_the_last_ones) {
    Served served;
    append_decided(served, 0, VerdictStatus::matched);
    served.open();
    const auto answer = parsed(served.get(stats + "?bucket=1m"));
    const auto buckets = answer.root().find("buckets");
    ASSERT_EQ(buckets.size(), 60u);
    const auto now = parse_rfc3339(buckets.at(59).find("to").text());
    ASSERT_TRUE(now);
    EXPECT_LT(served.bench.log->now(), now->at);
    EXPECT_LE(now->at, served.bench.log->now() + Duration(std::chrono::minutes(1)));
    expect_each_to_be_true(served, buckets);
    const auto ended = parsed(served.get(stats + "?bucket=1h&end_time=2026-01-05T10:00:01Z"));
    const auto before = ended.root().find("buckets");
    ASSERT_EQ(before.size(), 60u);
    EXPECT_EQ(before.at(59).find("decided").text(), "1");
}

TEST(StatsInBuckets, a_range_of_nothing_has_none_and_one_of_too_many_says_what_would_do) {
    Served served;
    served.open();
    const auto buckets_of = [&](const std::string& query) {
        return parsed(served.get(stats + query)).root().find("buckets").size();
    };
    const auto hint_of = [&](const std::string& query) {
        const auto answer = served.get(stats + query);
        EXPECT_EQ(answer.status, 400);
        return std::string(parsed(answer).root().find("hint").text());
    };
    const std::string from = "?start_time=2026-01-05T00:00:00Z&end_time=";
    EXPECT_EQ(buckets_of(from + "2026-01-05T00:00:00Z&bucket=30s"), 0u);
    EXPECT_EQ(buckets_of("?bucket=30s&start_time=2199-12-31T00:00:00Z"), 0u);
    EXPECT_EQ(buckets_of("?bucket=1h&end_time=1970-01-01T00:00:00Z"), 0u);
    EXPECT_EQ(buckets_of("?bucket=1h&end_time=1970-01-01T00:00:01Z"), 1u);
    EXPECT_EQ(buckets_of(from + "2026-01-05T08:20:00Z&bucket=30s"), 1000u);
    EXPECT_THAT(hint_of(from + "2026-01-05T08:20:01Z&bucket=30s"), HasSubstr("bucket=1m"));
    EXPECT_THAT(hint_of(from + "2026-01-07T00:00:00Z&bucket=30s"), HasSubstr("bucket=5m"));
    EXPECT_THAT(hint_of(from + "2026-02-01T00:00:00Z&bucket=1m"), HasSubstr("bucket=1h"));
    EXPECT_THAT(hint_of(from + "2027-01-01T00:00:00Z&bucket=1h"), HasSubstr("999 hours"));
    EXPECT_THAT(hint_of("?start_time=1970-01-01T00:00:00Z&end_time=2199-12-31T00:00:00Z&bucket=1h"),
                HasSubstr("999 hours"));
}

}  // namespace
}  // namespace helios::api
