#include "http/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using testing::HasSubstr;

bool has_ipv6() {
    asio::io_context context;
    return listen_on(context, "::1", 0).has_value();
}

std::vector<std::string> addresses(const std::vector<Acceptor>& acceptors) {
    std::vector<std::string> out;
    for (const auto& acceptor : acceptors) {
        out.push_back(acceptor.local_endpoint().address().to_string());
    }
    return out;
}

TEST(Listen, localhost_is_both_families_on_one_port) {
    asio::io_context context;
    for (const auto* name : {"localhost", "LocalHost"}) {
        const auto acceptors = listen_on(context, name, 0);
        ASSERT_TRUE(acceptors) << acceptors.error().message();
        EXPECT_EQ(addresses(*acceptors), has_ipv6() ? (std::vector<std::string>{"127.0.0.1", "::1"})
                                                    : std::vector<std::string>{"127.0.0.1"});
        for (const auto& acceptor : *acceptors) {
            EXPECT_EQ(acceptor.local_endpoint().port(), acceptors->front().local_endpoint().port());
        }
    }
}

TEST(Listen, a_taken_port_is_refused_on_either_family) {
    if (!has_ipv6()) {
        GTEST_SKIP() << "this machine has no IPv6";
    }
    asio::io_context context;
    for (const auto* host : {"127.0.0.1", "::1"}) {
        const auto holder = listen_on(context, host, 0);
        ASSERT_TRUE(holder);
        const auto port = holder->front().local_endpoint().port();
        const auto refused = listen_on(context, "localhost", port);
        ASSERT_FALSE(refused) << host;
        EXPECT_THAT(refused.error().message(), HasSubstr("choose another port"))
            << refused.error().message();
        EXPECT_TRUE(check_listen("localhost", port)) << "it may be ours";
    }
}

TEST(Listen, several_addresses_are_listened_on) {
    TestServer server;
    server.options.also_listen = {"127.0.0.1:0", "localhost:0"};
    server.routes.add({.path = "/x", .handler = [](Request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, "x"));
                       }});
    server.start();
    const auto addresses = server.server->addresses();
    ASSERT_EQ(addresses.size(), 3u);
    EXPECT_EQ(addresses[0].host, "127.0.0.1");
    EXPECT_EQ(addresses[0].port, server.port());
    EXPECT_EQ(addresses[2].host, "localhost");
    for (const auto& address : addresses) {
        EXPECT_NE(address.port, 0);
        EXPECT_EQ(RawConnection(address.port)
                      .exchange("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                      .status,
                  200);
    }
    EXPECT_NE(addresses[0].port, addresses[1].port);
}

TEST(Listen, a_further_address_that_is_taken_is_named) {
    TestServer first;
    first.start();
    ServerOptions options;
    options.port = 0;
    options.also_listen = {"127.0.0.1:" + std::to_string(first.port())};
    const auto refused = Server::bind(options, first.telemetry, first.clock);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr(std::to_string(first.port())));
    options.also_listen = {"127.0.0.1"};
    EXPECT_EQ(Server::bind(options, first.telemetry, first.clock).error().kind, ErrorKind::invalid);
}

TEST(Listen, an_address_that_is_not_ours_is_named) {
    asio::io_context context;
    for (const auto* host : {"192.0.2.1", "2001:db8::1", "no-such-host.invalid"}) {
        const auto refused = listen_on(context, host, 0);
        ASSERT_FALSE(refused) << host;
        EXPECT_THAT(refused.error().what, HasSubstr(host));
        EXPECT_FALSE(refused.error().hint.empty()) << refused.error().what;
        EXPECT_FALSE(check_listen(host, 0)) << host;
    }
}

TEST(Listen, the_server_answers_on_every_address) {
    if (!has_ipv6()) {
        GTEST_SKIP() << "this machine has no IPv6";
    }
    for (const std::string host : {"localhost", "::"}) {
        TestServer server;
        server.options.host = host;
        server.routes.add(
            {.path = "/who", .handler = [](Request request, const Caller&, Responder responder) {
                 responder.send(Response::text(200, request.remote));
             }});
        server.start();
        EXPECT_EQ(server.server->host(), host);
        EXPECT_TRUE(server.server->turns_within(test_patience));
        for (const std::string to : {"127.0.0.1", "::1"}) {
            const auto answer = Client(to, server.port()).get("/who");
            ASSERT_TRUE(answer) << host << " " << to << ": " << answer.error().message();
            EXPECT_THAT(answer->body, testing::StartsWith(to == "::1" ? "[::1]:" : "127.0.0.1:"))
                << host;
        }
    }
}

TEST(Listen, a_client_of_localhost_finds_the_family_that_is_served) {
    for (const std::string host : {"127.0.0.1", "::1"}) {
        if (host == "::1" && !has_ipv6()) {
            GTEST_SKIP() << "this machine has no IPv6";
        }
        TestServer server;
        server.options.host = host;
        server.routes.add({.path = "/", .handler = [](Request, const Caller&, Responder responder) {
                               responder.send(Response::text(200, "yes"));
                           }});
        server.start();
        Client client("localhost", server.port());
        for (int i = 0; i < 2; ++i) {
            const auto answer = client.get("/");
            ASSERT_TRUE(answer) << host << ": " << answer.error().message();
            EXPECT_EQ(answer->status, 200);
        }
    }
}

TEST(Listen, a_client_of_localhost_is_told_when_nobody_listens) {
    std::uint16_t port = 0;
    {
        asio::io_context context;
        const auto acceptors = listen_on(context, "localhost", 0);
        ASSERT_TRUE(acceptors);
        port = acceptors->front().local_endpoint().port();
    }
    const auto refused = Client("localhost", port).get("/");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(refused.error().what, HasSubstr("Connection refused"));
}

}  // namespace
}  // namespace helios::http
