// Turns of accepting and reading, and what is told of requests that are refused because of the
// server itself.
#include <atomic>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <semaphore>

#include "base/mutex.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

const std::string get = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string stand = "GET /stand HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server whose one event loop stands still while the handler of /stand waits, as if the process
/// had been stopped.
class TurnTest : public testing::Test {
protected:
    void start() {
        server.routes.add(
            {.path = "/x", .handler = [this](const Request&, const Caller&, Responder responder) {
                 ++handled;
                 responder.send(Response::empty(204));
             }});
        server.routes.add({.path = "/stand",
                           .handler = [this](const Request&, const Caller&, Responder responder) {
                               stands.release();
                               goes_on.acquire();
                               responder.send(Response::empty(204));
                           }});
        server.start();
    }
    /// How many requests had been handed out when a turn ended that was begun in a standstill, with
    /// these bytes waiting.
    template <class Wait>
    int handled_in_turn(Wait wait) {
        auto standing = server.connect();
        standing.send(stand);
        stands.acquire();
        wait();
        std::promise<int> done;
        server.server->turn([&] { done.set_value(handled.load()); });
        goes_on.release();
        auto future = done.get_future();
        HELIOS_ASSERT(future.wait_for(test_patience) == std::future_status::ready, "the turn ends");
        return future.get();
    }

    std::atomic<int> handled{0};
    std::counting_semaphore<> stands{0}, goes_on{0};
    TestServer server;
};

TEST_F(TurnTest,
       whoever_waited_in_a_connection_or_in_the_backlog_is_handed_out_before_the_turn_ends) {
    start();
    std::vector<RawConnection> opened;
    for (int i = 0; i < 200; ++i) {  // more than one look of epoll reports
        opened.push_back(server.connect());
        ASSERT_EQ(opened.back().exchange(get).status, 204);
    }
    std::vector<RawConnection> waiting;
    const int n = handled_in_turn([&] {
        for (auto& connection : opened) {
            connection.send(get);
        }
        for (int i = 0; i < 50; ++i) {
            waiting.push_back(server.connect());
            waiting.back().send(get);
        }
        for (const auto* side : {&opened, &waiting}) {
            for (const auto& connection : *side) {
                ASSERT_TRUE(connection.has_arrived());
            }
        }
    });
    EXPECT_EQ(n, 200 + 200 + 50);
}

TEST_F(TurnTest, all_bytes_that_had_arrived_are_read_however_many_reads_that_takes) {
    start();
    auto opened = server.connect();
    ASSERT_EQ(opened.exchange(get).status, 204);
    std::string many;
    for (int i = 0; i < 15; ++i) {
        many += fmt::format("GET /x HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
                            std::string(2000, 'x'));
    }
    const int n = handled_in_turn([&] {
        opened.send(many);
        ASSERT_TRUE(opened.has_arrived());
    });
    EXPECT_EQ(n, 1 + 15);
}

TEST_F(TurnTest, a_request_that_has_not_arrived_whole_is_not_waited_for) {
    start();
    auto opened = server.connect();
    ASSERT_EQ(opened.exchange(get).status, 204);
    EXPECT_EQ(handled_in_turn([&] { opened.send(get.substr(0, 20)); }), 1);
}

TEST_F(TurnTest, a_turn_with_nothing_to_read_ends_at_once_and_after_a_drain_none_does) {
    start();
    EXPECT_EQ(handled_in_turn([] {}), 0);
    server.server->drain(test_patience);
    server.server->turn([] { FAIL() << "nothing is read any more"; });
}

TEST(ServerRefusals, what_is_refused_because_of_us_is_told_before_the_answer) {
    TestServer server;
    Mutex mutex;
    std::vector<std::string> told;
    const auto told_so_far = [&] {
        const MutexLock lock(mutex);
        return std::exchange(told, {});
    };
    server.refused = [&](const Route* route) {
        const MutexLock lock(mutex);
        told.push_back(route == nullptr ? "?" : route->path);
    };
    server.options.body_bytes_max = 1000;
    server.options.inflight_bytes_max = 2500;
    Gate gate;
    server.routes.add({.method = Method::post, .path = "/held", .handler = gate.handler()});
    server.routes.add(
        {.path = "/broken", .handler = [](const Request&, const Caller&, const Responder&) {}});
    server.start();
    const std::string held =
        "POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" +
        std::string(1000, 'x');
    auto first = server.connect();
    first.send(held);
    auto second = server.connect();
    second.send(held);
    ASSERT_TRUE(gate.wait_for_arrivals(2));
    EXPECT_EQ(server.ask(held).status, 503) << "no bytes left";
    EXPECT_EQ(told_so_far(), std::vector<std::string>{"/held"});
    auto third = server.connect();
    EXPECT_EQ(third.exchange("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
    EXPECT_EQ(
        third.exchange("POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
            .status,
        413);
    EXPECT_TRUE(told_so_far().empty()) << "the sender's own doing";
    auto fourth = server.connect();
    EXPECT_EQ(fourth.exchange("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 500);
    EXPECT_EQ(told_so_far(), std::vector<std::string>{"/broken"});
    for (auto& request : gate.take()) {
        request.responder.send(Response::empty(204));
    }
}

TEST(ServerRefusals, of_a_connection_too_many_nobody_knows_what_it_would_have_sent) {
    TestServer server;
    std::atomic<int> told{0};
    server.refused = [&](const Route* route) { told += route == nullptr ? 1 : 100; };
    server.options.connections_max = 1;
    server.start();
    auto first = server.connect();
    EXPECT_EQ(first.exchange(get).status, 404);
    auto second = server.connect();
    EXPECT_EQ(second.receive().status, 503);
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace helios::http
