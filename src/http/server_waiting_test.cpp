// How long requests have waited for the server when their handlers are called.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <semaphore>
#include <thread>

#include "base/mutex.h"
#include "http/server.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string post(std::string_view path, std::string_view body) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", path,
                       body.size(), body);
}

/// A clock that moves when the test says so, and a thread of all requests that stands still while
/// the handler of /stand waits. /x answers how many milliseconds the request has waited.
class WaitingTest : public testing::Test {
protected:
    WaitingTest() {
        server.http_clock = &by_hand;
        server.options.websocket_ping_interval =
            milliseconds(8);  // so that ticks follow one another closely
        const auto waited = [this](const Request& request) {
            const auto since = request.waiting_since;
            return since ? std::to_string((by_hand.monotonic() - *since) / milliseconds(1))
                         : std::string("nobody knows");
        };
        server.routes.add(
            {.method = Method::post,
             .path = "/x",
             .handler = [waited](const Request& request, const Caller&, Responder responder) {
                 responder.send(Response::text(200, waited(request)));
             }});
        server.routes.add(
            {.method = Method::post,
             .path = "/second",
             .handler = [this, waited](const Request& request, const Caller&, Responder responder) {
                 responder.send(Response::text(200, waited(request)));
                 by_hand.advance(seconds(1));
             }});
        server.routes.add({.method = Method::post,
                           .path = "/stand",
                           .handler = [this](const Request&, const Caller&, Responder responder) {
                               stands.release();
                               goes_on.acquire();
                               responder.send(Response::empty(204));
                           }});
        server.start();
    }
    /// Within the test's patience; else what was answered last.
    std::string until_nobody_waits(RawConnection& connection) {
        std::string waited;
        for (const auto until = server.clock.monotonic() + test_patience;
             waited != "0" && server.clock.monotonic() < until;) {
            waited = connection.exchange(post("/x", "")).body;
        }
        return waited;
    }

    /// What has arrived by now has been read when this returns; false: not within the test's
    /// patience.
    bool all_is_read() {
        const auto read = std::make_shared<std::binary_semaphore>(0);
        server.server->turn([read] { read->release(); });
        return read->try_acquire_for(test_patience);
    }

    /// So many connections have been accepted, within the test's patience.
    bool come_to(std::size_t count) {
        auto& open = server.telemetry.metrics.gauge("helios_http_connections", "");
        const auto until = server.clock.monotonic() + test_patience;
        while (open.value() < static_cast<double>(count) && server.clock.monotonic() < until) {
            std::this_thread::yield();
        }
        return open.value() >= static_cast<double>(count);
    }

    std::counting_semaphore<> stands{0}, goes_on{0};
    ManualClock by_hand{from_nanos(1'767'225'600'000'000'000)};  // 2026
    TestServer server;
};

TEST_F(WaitingTest, what_arrives_while_its_thread_is_held_up_has_waited_since) {
    std::vector<RawConnection> opened;
    for (int i = 0; i < 200; ++i) {  // more than one look of epoll reports
        opened.push_back(server.connect());
        ASSERT_EQ(until_nobody_waits(opened.back()), "0");
    }
    auto standing = server.connect();
    standing.send(post("/stand", ""));
    stands.acquire();
    for (auto& connection : opened) {
        connection.send(post("/x", "a body"));
    }
    std::vector<RawConnection> waiting;  // those that have not come to that thread yet
    for (int i = 0; i < 20; ++i) {
        waiting.push_back(server.connect());
        waiting.back().send(post("/x", "a body"));
    }
    ASSERT_TRUE(come_to(opened.size() + 1 + waiting.size()));
    for (auto* connections : {&opened, &waiting}) {
        for (auto& connection : *connections) {
            ASSERT_TRUE(connection.has_arrived());
        }
    }
    by_hand.advance(seconds(6));
    goes_on.release();
    for (auto* connections : {&opened, &waiting}) {
        for (auto& connection : *connections) {
            EXPECT_EQ(connection.receive().body, "6000");
        }
    }
    EXPECT_EQ(until_nobody_waits(opened.front()), "0") << "it is over";
}

TEST_F(WaitingTest, requests_in_a_row_wait_for_those_before_them) {
    auto connection = server.connect();
    ASSERT_EQ(until_nobody_waits(connection), "0");
    connection.send(post("/second", "1") + post("/second", "2") + post("/second", "3"));
    EXPECT_EQ(connection.receive().body, "0");
    EXPECT_EQ(connection.receive().body, "1000");
    EXPECT_EQ(connection.receive().body, "2000");
}

TEST_F(WaitingTest, the_time_in_which_a_peer_sends_is_its_own) {
    auto other = server.connect();
    ASSERT_EQ(until_nobody_waits(other), "0");
    auto slow = server.connect();
    ASSERT_EQ(until_nobody_waits(slow), "0");
    for (const std::string_view part : {"POST /x HTTP/1.1\r\nHost: loc", "alhost\r\nContent-Len",
                                        "gth: 9\r\n\r\n", "123", "456"}) {
        slow.send(part);
        ASSERT_TRUE(slow.has_arrived());
        ASSERT_TRUE(all_is_read());
        by_hand.advance(seconds(5));
        ASSERT_EQ(until_nobody_waits(other), "0");
    }
    slow.send("789");
    EXPECT_EQ(slow.receive().body, "0");
}

TEST_F(WaitingTest, but_what_waits_for_us_in_the_middle_of_a_request_counts) {
    auto other = server.connect();
    ASSERT_EQ(until_nobody_waits(other), "0");
    auto slow = server.connect();
    ASSERT_EQ(until_nobody_waits(slow), "0");
    slow.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n123");
    ASSERT_TRUE(slow.has_arrived());
    ASSERT_TRUE(all_is_read());
    other.send(post("/stand", ""));
    stands.acquire();
    slow.send("456789");
    ASSERT_TRUE(slow.has_arrived());
    by_hand.advance(seconds(3));
    goes_on.release();
    EXPECT_EQ(slow.receive().body, "3000");
}

}  // namespace
}  // namespace helios::http
