// Requests that would be answered later than their senders wait, and those that are not answered in
// that time. Time passes when the test says so.
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <semaphore>
#include <thread>

#include "gateway/routes.h"
#include "gateway/sender_patience.h"
#include "gateway/test_kit.h"
#include "http/test_kit.h"

namespace helios::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Sums = std::map<std::string, std::uint64_t>;

std::string sns(std::string_view id) {
    json::Writer out;
    out.begin_object()
        .field("Type", "Notification")
        .field("MessageId", std::string_view("m-" + std::string(id)))
        .field("TopicArn", "arn:aws:sns:eu-central-1:123456789012:orders")
        .field("Message", std::string_view(eventbridge(id)));
    return out.end_object().take();
}
http::Request sns_request(std::string_view id) {
    auto request = Rig::request(sns(id), "text/plain; charset=UTF-8");
    request.headers.emplace_back("x-amz-sns-message-type", "Notification");
    return request;
}
/// It has waited for us so long already.
http::Request waited(Rig& rig, http::Request request, Duration time) {
    request.waiting_since = rig.clock.monotonic() - time;
    return request;
}
bool is_there(std::future<http::Response>& answer) {
    return answer.wait_for(seconds(0)) == std::future_status::ready;
}
bool comes(std::future<http::Response>& answer) {
    return answer.wait_for(http::test_patience) == std::future_status::ready;
}

/// However a test ends, the disk goes on in the end.
struct StalledRig : Rig {
    StalledRig() {
        open();
        syncs.shut(true);
    }
    ~StalledRig() { syncs.shut(false); }
};

/// Nobody waits any more, within the test's patience.
bool is_idle(Rig& rig) {
    auto& in_flight = rig.telemetry.metrics.gauge("helios_gateway_requests_in_flight", "");
    const SystemClock clock;
    const auto until = clock.monotonic() + http::test_patience;
    while (in_flight.value() != 0 && clock.monotonic() < until) {
        std::this_thread::yield();
    }
    return in_flight.value() == 0;
}

TEST(Patience, each_sender_has_its_own) {
    const auto of = [](Endpoint endpoint, const http::Request& request = {}) {
        return patience_of(endpoint, request) / seconds(1);
    };
    EXPECT_EQ(of(Endpoint::aws_eventbridge), 5);
    EXPECT_EQ(of(Endpoint::aws_eventbridge, sns_request("1")), 15);
    EXPECT_EQ(of(Endpoint::gcp_pubsub), 10);
    EXPECT_EQ(of(Endpoint::azure_eventgrid), 30);
    EXPECT_EQ(of(Endpoint::ingest), 10);
    EXPECT_EQ(of(Endpoint::batch), 10);
    EXPECT_EQ(time_to_answer(seconds(5)), seconds(4));
    EXPECT_EQ(time_to_answer(seconds(30)), seconds(24));
}

TEST(Patience, what_has_waited_longer_than_its_sender_does_is_not_even_parsed) {
    Rig rig;
    rig.open();
    const auto late = rig.post(Endpoint::aws_eventbridge,
                               waited(rig, Rig::request("no JSON"), milliseconds(4'600)))
                          .get();
    EXPECT_EQ(late.status, 503) << late.body;
    EXPECT_EQ(header(late, "Retry-After"), "1");
    EXPECT_NE(late.body.find("4.6 s"), std::string::npos) << late.body;
    const auto direct =
        rig.post(Endpoint::ingest, waited(rig, Rig::request(order("d-1")), seconds(13))).get();
    EXPECT_EQ(direct.status, 429) << direct.body;
    EXPECT_EQ(header(direct, "Retry-After"), "5") << "it would have been 5 s too late";
    const auto grid = rig.post(Endpoint::azure_eventgrid,
                               waited(rig, Rig::request("[" + eventgrid("z-1") + "]"), seconds(25)))
                          .get();
    EXPECT_EQ(grid.status, 503);
    EXPECT_EQ(header(grid, "Retry-After"), "30");
    EXPECT_EQ(rig.events().size(), 0u);
    EXPECT_EQ(rig.refused, (std::vector<std::string>{"aws", "", "azure"}));

    EXPECT_EQ(
        rig.post(Endpoint::aws_eventbridge, waited(rig, Rig::request(eventbridge("a")), seconds(3)))
            .get()
            .status,
        200);
    EXPECT_EQ(rig.post(Endpoint::aws_eventbridge, waited(rig, sns_request("b"), seconds(11)))
                  .get()
                  .status,
              200);
    const auto metrics = rig.telemetry.metrics.expose();
    EXPECT_NE(metrics.find("helios_gateway_requests_without_items_total{endpoint=\"/api/v1/"
                           "webhooks/aws/eventbridge\",outcome=\"overload\"} 1"),
              std::string::npos)
        << metrics;
    rig.close();
    EXPECT_EQ(std::count_if(rig.lines.begin(), rig.lines.end(),
                            [](const std::string& line) {
                                return line.contains("would wait longer than their senders do");
                            }),
              1)
        << "once, however many";
    rig.open();
    EXPECT_EQ(rig.counted("aws"), (Sums{{"received", 3}, {"appended", 2}, {"refused", 1}}));
}

TEST(Patience, while_the_disk_stands_still_senders_are_told_before_they_hang_up) {
    StalledRig rig;
    auto bridge = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("a")));
    auto notice = rig.post(Endpoint::aws_eventbridge, sns_request("n"));
    auto pubsub_push = rig.post(Endpoint::gcp_pubsub, Rig::request(pubsub("g")));
    auto grid = rig.post(Endpoint::azure_eventgrid, Rig::request("[" + eventgrid("z") + "]"));
    auto joined = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("a")));
    auto batch = rig.post(Endpoint::batch, Rig::request("[" + order("b") + "," + order("c") + "]"));
    rig.clock.advance(milliseconds(3'900));
    auto later = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("l")));
    EXPECT_FALSE(is_there(later)) << "it may be in time yet";
    rig.clock.advance(milliseconds(100));
    ASSERT_TRUE(comes(bridge));
    ASSERT_TRUE(comes(joined)) << "though another appends it";
    const auto told = bridge.get();
    EXPECT_EQ(told.status, 503);
    EXPECT_EQ(header(told, "Retry-After"), "1");
    EXPECT_NE(told.body.find("is a duplicate"), std::string::npos) << told.body;
    EXPECT_EQ(joined.get().status, 503);
    rig.clock.advance(milliseconds(100));
    auto next = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("next")));
    ASSERT_TRUE(is_there(next)) << "refused at once: who waits longest has waited for 4.1 s";
    EXPECT_EQ(next.get().status, 503);
    EXPECT_FALSE(is_there(pubsub_push));
    auto notice_too = rig.post(Endpoint::aws_eventbridge, sns_request("o"));
    EXPECT_FALSE(is_there(notice_too));

    rig.clock.advance(seconds(4));
    ASSERT_TRUE(comes(pubsub_push));
    EXPECT_EQ(pubsub_push.get().status, 503);
    ASSERT_TRUE(comes(batch));
    EXPECT_EQ(batch.get().status, 503) << "no 429: that says that nothing was stored";
    ASSERT_TRUE(comes(later));
    EXPECT_EQ(later.get().status, 503);
    rig.clock.advance(seconds(4));
    ASSERT_TRUE(comes(notice));
    EXPECT_EQ(notice.get().status, 503);
    EXPECT_FALSE(is_there(notice_too));
    EXPECT_FALSE(is_there(grid));

    rig.syncs.shut(false);
    EXPECT_EQ(grid.get().status, 200);
    EXPECT_EQ(notice_too.get().status, 200);
    ASSERT_TRUE(is_idle(rig));
    const auto again = rig.send(Endpoint::aws_eventbridge, eventbridge("a"));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(member(again, "status"), "duplicate") << "as it was told";
    EXPECT_EQ(rig.events().size(), 8u);
    rig.reopen();
    EXPECT_EQ(rig.counted("aws"),
              (Sums{{"received", 9}, {"appended", 6}, {"duplicate", 2}, {"refused", 1}}))
        << "a, n, l, o, b and c; twice a again; next";
    EXPECT_EQ(rig.counted("gcp"), (Sums{{"received", 1}, {"appended", 1}}));
    EXPECT_EQ(rig.counted("azure"), (Sums{{"received", 1}, {"appended", 1}}));
}

TEST(Patience, an_append_that_fails_after_its_sender_was_told_is_counted_once) {
    StalledRig rig;
    rig.disk.fail_syncs(true);
    auto bridge = rig.post(Endpoint::aws_eventbridge, Rig::request(eventbridge("a")));
    rig.clock.advance(seconds(5));
    ASSERT_TRUE(comes(bridge));
    EXPECT_EQ(bridge.get().status, 503);
    rig.syncs.shut(false);
    rig.gateway->close();  // waits for the outcome
    const auto activity = rig.gateway->activity("aws");
    EXPECT_EQ(activity.received, 1u);
    EXPECT_EQ(activity.refused, 1u);
    EXPECT_EQ(activity.appended, 0u);
    EXPECT_EQ(rig.refused, (std::vector<std::string>{"aws", "aws"})) << "told; and failed";
    rig.disk.fail_syncs(false);
}

/// Over connections, with the thread that reads them held up.
class HeldUpTest : public testing::Test {
protected:
    HeldUpTest() {
        rig.open();
        server.http_clock = &rig.clock;
        server.options.websocket_ping_interval = milliseconds(8);  // so that ticks come often
        add_routes(server.routes, *rig.gateway);
        server.routes.add(
            {.method = http::Method::post,
             .path = "/stand",
             .handler = [this](const http::Request&, const Caller&, http::Responder responder) {
                 stands.release();
                 goes_on.acquire();
                 responder.send(http::Response::empty(204));
             }});
        server.start();
    }
    ~HeldUpTest() override { server.stop(); }

    struct Sender {
        Endpoint endpoint;
        std::string headers;
        std::function<std::string(std::string_view)> body;
    };
    static std::string request(const Sender& from, std::string_view id) {
        const auto body = from.body(id);
        return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{}",
                           path_of(from.endpoint), from.headers, body.size(), body);
    }
    /// So many of each wait while the time passes: what each was told.
    std::vector<std::map<int, int>> wait(std::vector<http::RawConnection>& connections,
                                         Duration time) {
        auto standing = server.connect();
        standing.send("POST /stand HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stands.acquire();
        for (auto& connection : connections) {
            std::string all;
            for (const auto& sender : senders) {
                all += request(sender, std::to_string(++sent));
            }
            connection.send(all);
        }
        for (auto& connection : connections) {
            EXPECT_TRUE(connection.has_arrived());
        }
        rig.clock.advance(time);
        goes_on.release();
        std::vector<std::map<int, int>> statuses(senders.size());
        for (auto& connection : connections) {
            for (auto& of_sender : statuses) {
                ++of_sender[connection.receive().status];
            }
        }
        EXPECT_EQ(standing.receive().status, 204);
        EXPECT_TRUE(is_idle(rig));
        return statuses;
    }

    const std::string json_type = "Content-Type: application/json\r\n";
    std::vector<Sender> senders{
        {Endpoint::aws_eventbridge, json_type, [](std::string_view id) { return eventbridge(id); }},
        {Endpoint::aws_eventbridge, json_type, [](std::string_view) { return "no JSON"; }},
        {Endpoint::aws_eventbridge,
         "Content-Type: text/plain\r\nx-amz-sns-message-type: Notification\r\n",
         [](std::string_view id) { return sns(id); }},
        {Endpoint::gcp_pubsub, json_type, [](std::string_view id) { return pubsub(id); }},
        {Endpoint::azure_eventgrid, json_type,
         [](std::string_view id) { return "[" + eventgrid(id) + "]"; }},
        {Endpoint::ingest, json_type, [](std::string_view id) { return order(id); }},
        {Endpoint::batch, json_type,
         [](std::string_view id) { return "[" + order(std::string("b") + std::string(id)) + "]"; }},
    };
    std::counting_semaphore<> stands{0}, goes_on{0};
    Rig rig;
    http::TestServer server;
    int sent = 0;
};

TEST_F(HeldUpTest,
       whoever_has_waited_too_long_unread_is_refused_and_the_sum_of_what_is_kept_holds) {
    using Statuses = std::map<int, int>;
    constexpr int n = 290;  // with 7 requests each: more than one look of epoll reports
    std::vector<http::RawConnection> connections;
    for (int i = 0; i < n; ++i) {
        connections.push_back(server.connect());
        ASSERT_EQ(connections.back().exchange(request(senders[5], "w" + std::to_string(i))).status,
                  202);
    }
    EXPECT_EQ(
        wait(connections, milliseconds(3'900)),
        (std::vector<Statuses>{
            {{200, n}}, {{400, n}}, {{200, n}}, {{204, n}}, {{200, n}}, {{202, n}}, {{200, n}}}));
    EXPECT_EQ(
        wait(connections, milliseconds(4'500)),
        (std::vector<Statuses>{
            {{503, n}}, {{503, n}}, {{200, n}}, {{204, n}}, {{200, n}}, {{202, n}}, {{200, n}}}))
        << "neither parsed nor kept, while who waits longer is served";
    EXPECT_EQ(
        wait(connections, seconds(11)),
        (std::vector<Statuses>{
            {{503, n}}, {{503, n}}, {{200, n}}, {{503, n}}, {{200, n}}, {{429, n}}, {{429, n}}}));
    EXPECT_EQ(rig.events().size(), static_cast<std::size_t>(n * (1 + 6 + 5 + 2)));
    server.stop();
    rig.reopen();
    const std::uint64_t m = n;
    EXPECT_EQ(rig.counted("aws"), (Sums{{"received", m * (1 + 5 + 5 + 3)},
                                        {"appended", m * (1 + 4 + 3 + 1)},
                                        {"refused", m * (0 + 1 + 2 + 2)}}));
    EXPECT_EQ(rig.counted("gcp"), (Sums{{"received", m * 3}, {"appended", m * 2}, {"refused", m}}));
    EXPECT_EQ(rig.counted("azure"), (Sums{{"received", m * 3}, {"appended", m * 3}}));
    EXPECT_EQ(rig.counted("other"), (Sums{{"received", m * 2}, {"refused", m * 2}}));
}

}  // namespace
}  // namespace helios::gateway
