/// Handshakes of Event Grid that a person confirms.

#include "gateway/handshakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/test_kit.h"

namespace helios::gateway {
namespace {

constexpr const char* topic = "/subscriptions/5b/resourceGroups/shop/topics/stock";
constexpr const char* where = "https://rp-eastus2.eventgrid.azure.net:553/validate?id=512d";

std::string handshake(std::string_view url, std::string_view of = topic) {
    return std::string(R"([{"id":"2d17","topic":")") + std::string(of) +
           R"(","subject":"","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent",)"
           R"("eventTime":"2026-01-05T10:23:45Z","data":{"validationCode":"512D","validationUrl":")" +
           std::string(url) + R"("},"dataVersion":"1","metadataVersion":"1"}])";
}

struct Confirmed : Rig {
    std::vector<std::string> visited;
    bool event_grid_is_there = true;

    Confirmed& open_with_checks() {
        open_log();
        auto opened = SenderChecks::open(
            options.senders,
            {.clock = clock,
             .telemetry = telemetry,
             .fetch = [this](const auth::VendorUrl& url, std::size_t, const FetchDone& done) {
                 visited.push_back(url.to_string());
                 done(event_grid_is_there
                          ? Result<Fetched>(Fetched{})
                          : Result<Fetched>(fail(ErrorKind::denied, "it answers 404")));
             }});
        EXPECT_TRUE(opened) << opened.error().message();
        checks = *std::move(opened);
        open_gateway();
        return *this;
    }
    /// "" or what went wrong.
    std::string confirm(std::string_view id) {
        std::string out = "not called";
        gateway->confirm_handshake(id, [&](const Result<WaitingHandshake>& done) {
            out = done ? "" : std::string(to_string(done.error().kind)) + ": " + done.error().what;
        });
        return out;
    }
};

TEST(Handshakes, a_manual_one_waits_until_its_url_is_visited) {
    Confirmed rig;
    rig.options.senders.azure.handshake = HandshakeMode::manual;
    rig.open_with_checks();
    const auto answer = rig.send(Endpoint::azure_eventgrid, handshake(where));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "") << "without the code";
    EXPECT_TRUE(rig.visited.empty()) << "nobody has asked for that";
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, handshake(where)).status, 200) << "again";
    ASSERT_EQ(rig.gateway->handshakes().size(), 1u);
    const auto one = rig.gateway->handshakes().front();
    EXPECT_EQ(one.topic, topic);
    EXPECT_EQ(one.event_id, "2d17");
    EXPECT_EQ(one.until - one.received_at, Handshakes::kept_for);

    rig.event_grid_is_there = false;
    EXPECT_THAT(rig.confirm(one.id), ::testing::HasSubstr("404"));
    EXPECT_EQ(rig.gateway->handshakes().size(), 1u) << "it waits on";
    rig.event_grid_is_there = true;
    EXPECT_EQ(rig.confirm(one.id), "");
    EXPECT_EQ(rig.visited, (std::vector<std::string>{where, where}));
    EXPECT_TRUE(rig.gateway->handshakes().empty());
    EXPECT_THAT(rig.confirm(one.id), ::testing::HasSubstr("no handshake"));
    EXPECT_EQ(rig.visited.size(), 2u);
    EXPECT_TRUE(rig.events().empty());
    EXPECT_TRUE(rig.kept_whole().empty()) << "it is no event";
}

TEST(Handshakes, one_of_a_topic_that_is_not_listed_waits_and_a_listed_one_is_answered) {
    Confirmed rig;
    rig.options.senders.azure.topics =
        AllowList{{"/SUBSCRIPTIONS/5b/resourcegroups/Shop/topics/STOCK"}};
    rig.open_with_checks();
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, handshake(where)).body,
              R"({"validationResponse":"512D"})");
    EXPECT_TRUE(rig.gateway->handshakes().empty());
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, handshake(where, "/another")).body, "");
    ASSERT_EQ(rig.gateway->handshakes().size(), 1u);
    EXPECT_EQ(rig.gateway->handshakes().front().topic, "/another");
}

TEST(Handshakes, an_empty_list_of_topics_answers_none) {
    Confirmed rig;
    rig.options.senders.azure.topics = AllowList(std::in_place);
    rig.open_with_checks();
    EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, handshake(where)).body, "");
    EXPECT_EQ(rig.gateway->handshakes().size(), 1u) << "it waits for a person";
}

TEST(Handshakes, a_url_that_is_not_event_grids_is_neither_kept_nor_visited) {
    Confirmed rig;
    rig.options.senders.azure.handshake = HandshakeMode::manual;
    rig.open_with_checks();
    for (const char* url : {"", "http://169.254.169.254/latest/meta-data", "https://evil.example/",
                            "https://rp.eventgrid.azure.net.evil.example:553/validate",
                            "http://rp.eventgrid.azure.net/validate"}) {
        EXPECT_EQ(rig.send(Endpoint::azure_eventgrid, handshake(url)).status, 200) << url;
    }
    EXPECT_TRUE(rig.gateway->handshakes().empty());
    EXPECT_TRUE(rig.visited.empty());
    EXPECT_THAT(rig.lines, ::testing::Contains(::testing::HasSubstr("can't be confirmed")));
}

TEST(Handshakes, they_wait_ten_minutes_and_no_more_than_so_many) {
    Handshakes waiting;
    const auto began = parse_rfc3339("2026-01-05T10:00:00Z")->at;
    adapters::ValidationHandshake one;
    for (std::size_t i = 0; i < Handshakes::items_max + 5; ++i) {
        one.url = "https://rp.eventgrid.azure.net/validate?id=" + std::to_string(i);
        one.topic = std::to_string(i);
        ASSERT_TRUE(waiting.keep(one, began + std::chrono::seconds(i), {}));
    }
    const auto listed = waiting.list(began + std::chrono::minutes(2));
    ASSERT_EQ(listed.size(), Handshakes::items_max);
    EXPECT_EQ(listed.front().topic, "5") << "the oldest are let go";
    const auto id = listed.front().id;
    EXPECT_TRUE(waiting.find(id, listed.front().until - Duration(1)));
    EXPECT_FALSE(waiting.find(id, listed.front().until));
    EXPECT_EQ(waiting.list(began + std::chrono::hours(1)).size(), 0u);
}

}  // namespace
}  // namespace helios::gateway
