// The server behind proxies: whom it takes a request to be from.

#include <fmt/format.h>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/tls_test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::string get(std::string_view headers = {}) {
    return fmt::format("GET /who HTTP/1.1\r\nHost: localhost\r\n{}\r\n", headers);
}

class ServerProxyTest : public testing::Test {
protected:
    ServerProxyTest() {
        const auto who = [](const Request& request, const Caller&, Responder responder) {
            const auto peer = request.peer.substr(0, request.peer.find(':'));
            responder.send(Response::text(200, request.remote + " by " + peer));
        };
        server.routes.add({.path = "/who", .handler = who});
        server.routes.add({.path = "/question", .handler = gate.handler(), .blocking = true});
        server.options.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"};
    }
    ~ServerProxyTest() override {
        for (auto& held : gate.take()) {
            held.responder.send(Response::empty(204));
        }
    }
    RawConnection connect(const char* from = nullptr) const {
        return RawConnection(server.port(), 0, from);
    }
    RawConnection connect_plainly(const char* from = nullptr) const {
        return RawConnection(server.port(), 0, from, plainly);
    }
    double refused() {
        return server.telemetry.metrics.counter("helios_http_proxy_headers_refused_total", "")
            .value();
    }

    Gate gate;
    TestServer server;
};

TEST_F(ServerProxyTest, the_word_of_a_trusted_peer_counts_request_by_request) {
    server.start();
    auto proxy = connect();
    EXPECT_EQ(proxy.exchange(get("X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n")).body,
              "203.0.113.7 by 127.0.0.1");
    EXPECT_EQ(proxy.exchange(get("Forwarded: for=\"[2001:db8::7]:4711\"\r\n")).body,
              "[2001:db8::7]:4711 by 127.0.0.1");
    EXPECT_TRUE(proxy.exchange(get()).body.starts_with("127.0.0.1:"));
    auto stranger = connect("127.0.0.5");
    EXPECT_TRUE(
        stranger.exchange(get("X-Forwarded-For: 203.0.113.7\r\n")).body.starts_with("127.0.0.5:"));
}

TEST_F(ServerProxyTest, questions_wait_in_turn_by_client_and_not_by_proxy) {
    server.options.worker_threads = 1;
    server.start();
    auto busy = connect();
    const auto ask = [](std::string_view client) {
        return fmt::format(
            "GET /question HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\n\r\n", client);
    };
    busy.send(ask("203.0.113.1") + ask("203.0.113.1"));
    ASSERT_TRUE(gate.wait_for_arrivals(2));
    for (auto& held : gate.take()) {
        EXPECT_EQ(held.request.remote_address(), "203.0.113.1");
        held.responder.send(Response::empty(204));
    }
}

TEST_F(ServerProxyTest, a_proxy_header_of_either_version_says_who_it_is) {
    server.options.proxy_protocol = true;
    server.start();
    auto text = connect_plainly();
    text.send("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" + get() + get());
    EXPECT_EQ(text.receive().body, "203.0.113.7:4711 by 127.0.0.1");
    EXPECT_EQ(text.receive().body, "203.0.113.7:4711 by 127.0.0.1");

    std::string binary(
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x0a\0\0\x01\x12\x67\x01\xbb", 28);
    binary += get();
    auto slow = connect_plainly();
    for (const char c : binary) {
        slow.send(std::string_view(&c, 1));
        slow.has_arrived();
    }
    EXPECT_EQ(slow.receive().body, "203.0.113.7:4711 by 127.0.0.1");

    auto local = connect_plainly();
    local.send(std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16) + get());
    EXPECT_TRUE(local.receive().body.starts_with("127.0.0.1:")) << "LOCAL is the proxy's own";

    auto chain = connect_plainly();
    chain.send("PROXY TCP4 10.1.1.1 10.0.0.1 4711 443\r\n" +
               get("X-Forwarded-For: 203.0.113.9\r\n"));
    EXPECT_EQ(chain.receive().body, "203.0.113.9 by 127.0.0.1");
    auto forger = connect_plainly();
    forger.send("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" +
                get("X-Forwarded-For: 203.0.113.9\r\n"));
    EXPECT_EQ(forger.receive().body, "203.0.113.7:4711 by 127.0.0.1")
        << "whom the proxy speaks for is no proxy";
}

TEST_F(ServerProxyTest, without_a_good_header_a_trusted_peer_is_closed) {
    server.options.proxy_protocol = true;
    server.options.header_timeout = milliseconds(100);
    server.start();
    for (const std::string& bad : {get(), std::string("PROXY TCP4 203.0.113.7 10.0.0.1 4711\r\n"),
                                   "PROXY UNKNOWN " + std::string(500, 'x')}) {
        auto connection = connect_plainly();
        connection.send(bad);
        EXPECT_EQ(connection.rest(), "") << bad;
    }
    EXPECT_EQ(refused(), 3);
    auto silent = connect_plainly();
    EXPECT_TRUE(silent.closed());
    auto slow = connect_plainly();
    slow.send("PROXY TCP4 203.");
    EXPECT_TRUE(slow.closed());
    auto ended = connect_plainly();
    ended.send("PROXY TCP4 203.");
    ended.end_of_input();
    EXPECT_TRUE(ended.closed());
}

TEST_F(ServerProxyTest, whoever_is_not_trusted_speaks_without_one) {
    server.options.proxy_protocol = true;
    server.start();
    auto direct = connect_plainly("127.0.0.5");
    EXPECT_TRUE(direct.exchange(get()).body.starts_with("127.0.0.5:"));
    auto forger = connect_plainly("127.0.0.5");
    EXPECT_EQ(forger.exchange("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" + get()).status, 400);
}

TEST_F(ServerProxyTest, a_turn_ends_though_a_header_has_not_arrived_whole) {
    server.options.proxy_protocol = true;
    server.start();
    auto connection = connect_plainly();
    connection.send("PROXY TCP4 203.");
    for (int i = 0; i < 20; ++i) {
        std::promise<void> done;
        server.server->turn([&] { done.set_value(); });
        ASSERT_EQ(done.get_future().wait_for(test_patience), std::future_status::ready) << i;
    }
    connection.send("0.113.7 10.0.0.1 4711 443\r\n" + get());
    EXPECT_EQ(connection.receive().body, "203.0.113.7:4711 by 127.0.0.1");
}

TEST_F(ServerProxyTest, tls_begins_behind_the_header) {
    const TlsFiles files;
    server.options.tls = files.options();
    server.options.proxy_protocol = true;
    server.start();
    auto connection = connect_plainly();
    connection.send("PROXY TCP6 2001:db8::7 ::1 4711 443\r\n");
    connection.speak(
        std::make_unique<TlsTransport>(connection.fd(), TlsWish{.authority = &files.authority}));
    EXPECT_EQ(connection.exchange(get()).body, "[2001:db8::7]:4711 by 127.0.0.1");
}

TEST_F(ServerProxyTest, options_that_make_no_sense_are_refused) {
    server.options.trusted_proxies = {"10.0.0.1/8"};
    EXPECT_THAT(server.options.validate().error().message(), HasSubstr("http.trusted_proxies"));
    server.options.trusted_proxies = {};
    server.options.proxy_protocol = true;
    EXPECT_THAT(server.options.validate().error().message(), HasSubstr("http.trusted_proxies"));
    EXPECT_TRUE(server.options.behind_proxy());
    server.options.proxy_protocol = false;
    EXPECT_TRUE(server.options.validate());
    EXPECT_FALSE(server.options.behind_proxy());
}

}  // namespace
}  // namespace helios::http
