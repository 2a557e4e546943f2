/// A whole server in this process: what it says of a wrong clock.

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "app/build_info.h"
#include "app/wiring.h"
#include "base/pause.h"
#include "base/temporary_directory.h"
#include "http/client.h"

namespace helios::app {
namespace {

using ::testing::HasSubstr;

Config config_for(const std::string& data) {
    Config config;
    config.data_dir = data;
    config.http.host = "127.0.0.1";
    config.http.port = 0;
    return config;
}

TEST(Node, does_not_start_with_a_clock_before_its_own_commit_and_writes_nothing) {
    const auto scratch = TemporaryDirectory::make("helios-node-");
    ASSERT_TRUE(scratch);
    const std::string data = scratch->path() + "/data";
    const ManualClock clock(Instant{} + std::chrono::seconds(3));
    telemetry::Telemetry telemetry(clock, telemetry::Level::off);
    const auto node = Node::open(config_for(data), clock, telemetry);
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().kind, ErrorKind::invalid);
    EXPECT_THAT(node.error().what, HasSubstr("1970-01-01T00:00:03"));
    EXPECT_FALSE(std::filesystem::exists(data));
}

TEST(Node, says_by_how_much_log_time_is_ahead_of_the_clock_and_takes_traffic) {
    const auto scratch = TemporaryDirectory::make("helios-node-");
    ASSERT_TRUE(scratch);
    const std::string data = scratch->path() + "/data";
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::off);
    {
        const ManualClock ahead(clock.wall() + std::chrono::days(3653));
        const auto earlier = Node::open(config_for(data), ahead,
                                        telemetry);  // a flow is activated: the log has a record
        ASSERT_TRUE(earlier) << earlier.error().message();
    }
    const auto node = Node::open(config_for(data), clock, telemetry);
    ASSERT_TRUE(node) << node.error().message();
    (*node)->start();
    const auto url = http::Url::parse((*node)->url());
    ASSERT_TRUE(url);
    http::Client client(url->host, url->port);
    auto ready = client.get("/ready");
    for (int tries = 0; tries < 1000 && ready && ready->status != 200; ++tries) {
        pause_for(std::stop_token{}, std::chrono::milliseconds(20));
        ready = client.get("/ready");
    }
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->status, 200) << ready->body;
    const auto health = client.get("/api/v1/health");
    ASSERT_TRUE(health);
    EXPECT_THAT(health->body, HasSubstr(R"("status":"degraded")"));
    EXPECT_THAT(health->body, HasSubstr(R"("clock":{"status":"down")"));
    EXPECT_THAT(health->body, HasSubstr("days ahead of this machine's clock"));
    const auto metrics = client.get("/metrics");
    ASSERT_TRUE(metrics);
    const auto at = metrics->body.find("\nhelios_api_log_ahead_of_clock_seconds ");
    ASSERT_NE(std::string::npos, at);
    EXPECT_GT(std::stod(metrics->body.substr(metrics->body.find(' ', at))), 3600.0 * 24 * 3600);
}

}  // namespace
}  // namespace helios::app
