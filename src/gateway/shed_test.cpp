// Who is refused first when more comes than can be written.
#include <array>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gateway/answer_pace.h"
#include "gateway/sender_patience.h"
#include "gateway/test_kit.h"
#include "http/test_kit.h"

namespace helios::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Shed, the_order_is_direct_pubsub_eventbridge_event_grid_sns) {
    constexpr std::array order_of{SenderKind::direct, SenderKind::pubsub,
                                  SenderKind::api_destination, SenderKind::event_grid,
                                  SenderKind::sns};
    for (std::size_t i = 1; i < order_of.size(); ++i) {
        EXPECT_LT(taken_up_to(order_of[i - 1]), taken_up_to(order_of[i])) << i;
        EXPECT_GT(leaves_percent(order_of[i - 1]), leaves_percent(order_of[i])) << i;
    }
    for (const auto kind : {SenderKind::cloudevents, SenderKind::standard_webhooks}) {
        EXPECT_EQ(taken_up_to(kind), taken_up_to(SenderKind::direct));
        EXPECT_EQ(leaves_percent(kind), leaves_percent(SenderKind::direct));
    }
    EXPECT_EQ(leaves_percent(SenderKind::sns), 0u) << "all there is";
}

TEST(Shed, nobody_is_taken_in_who_would_hang_up) {
    http::Request sns;
    sns.headers.emplace_back("x-amz-sns-message-type", "Notification");
    for (const auto endpoint : all_endpoints) {
        EXPECT_LE(taken_up_to(sender_of(endpoint, {})), time_to_answer(patience_of(endpoint, {})));
    }
    EXPECT_LE(taken_up_to(SenderKind::sns),
              time_to_answer(patience_of(Endpoint::aws_eventbridge, sns)));
}

TEST(Shed, of_the_room_for_waiting_bytes_each_leaves_its_part) {
    AnswerPace pace;
    EXPECT_TRUE(pace.has_room(5'000, 1'000, 50)) << "nothing waits";
    AnswerPace::Place place;
    pace.begin(place, 400, Duration{});
    EXPECT_TRUE(pace.has_room(100, 1'000, 50));
    EXPECT_FALSE(pace.has_room(101, 1'000, 50));
    EXPECT_TRUE(pace.has_room(600, 1'000, 0));
    EXPECT_FALSE(pace.has_room(601, 1'000, 0));
    EXPECT_TRUE(pace.has_room(1u << 30, 0, 50)) << "no bound";
    pace.end(place, false, Duration{});
}

/// One of each, in the order in which they are refused.
struct Senders {
    Rig& rig;
    int sent = 0;

    std::vector<std::future<http::Response>> send() {
        const auto id = std::to_string(++sent);
        std::vector<std::future<http::Response>> out;
        out.push_back(rig.post(Endpoint::ingest, Rig::request(order("d" + id))));
        out.push_back(rig.post(Endpoint::gcp_pubsub, Rig::request(pubsub("p" + id))));
        out.push_back(rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("e" + id))));
        out.push_back(
            rig.post(Endpoint::azure_eventgrid, Rig::request("[" + eventgrid("g" + id) + "]")));
        auto notice = Rig::request(
            fmt::format(
                R"({{"Type":"Notification","MessageId":"m{0}","TopicArn":"arn:aws:sns:e:1:t",)"
                R"("Message":{1}}})",
                id, quoted(eventbridge("s" + id))),
            "text/plain");
        notice.headers.emplace_back("x-amz-sns-message-type", "Notification");
        out.push_back(rig.post(Endpoint::aws_eventbridge, std::move(notice)));
        return out;
    }
    static std::string quoted(const std::string& text) {
        std::string out;
        json::append_string(out, text);
        return out;
    }
};

TEST(Shed, while_the_disk_is_slow_sns_is_still_taken_when_direct_is_refused) {
    Rig rig;
    rig.open();
    rig.syncs.shut(true);
    Senders senders{rig};
    auto first = senders.send();
    const std::array<Duration, 5> after{milliseconds(2'001), milliseconds(3'001),
                                        milliseconds(4'001), milliseconds(8'001),
                                        milliseconds(12'001)};
    Duration now{};
    std::vector<std::vector<std::future<http::Response>>> rounds;
    for (std::size_t i = 0; i < after.size(); ++i) {
        rig.clock.advance(after[i] - now);
        now = after[i];
        auto answers = senders.send();
        for (std::size_t j = 0; j < answers.size(); ++j) {
            const bool refused = answers[j].wait_for(seconds(0)) == std::future_status::ready;
            EXPECT_EQ(refused, j <= i) << "after " << format_duration(now) << ", sender " << j;
            if (refused) {
                const auto answer = answers[j].get();
                EXPECT_EQ(answer.status, j == 0 ? 429 : 503);
                EXPECT_NE(header(answer, "Retry-After"), "");
            }
        }
        rounds.push_back(std::move(answers));
    }
    rig.syncs.shut(false);
    EXPECT_EQ(rounds[0].back().get().status, 200) << "SNS waited, and was stored";
    rig.gateway->close();
    EXPECT_EQ(rig.events().size(), 5u + 4 + 3 + 2 + 1) << "whatever was taken in";
}

}  // namespace
}  // namespace helios::gateway
