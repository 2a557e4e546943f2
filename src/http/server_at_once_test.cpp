// What proxies, browsers and scanners send beside what we read: refused at once, with the status
// that says why. Never waited for, so no timeout has a part in it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using testing::HasSubstr;

class AtOnceTest : public testing::Test {
protected:
    AtOnceTest() {
        // Longer than the test's patience: whoever waits for more is seen.
        server.options.header_timeout = server.options.body_timeout = server.options.idle_timeout =
            test_patience * 3;
        const Handler echo = [](Request request, const Caller&, Responder responder) {
            responder.send(Response::text(200, std::move(request.body)));
        };
        server.routes.add({.method = Method::post, .path = "/x", .handler = echo});
        server.routes.add({.path = "/x", .handler = echo});
        server.routes.add(
            {.method = Method::post, .path = "/small", .handler = echo, .body_bytes_max = 1000});
        server.routes.add(
            {.method = Method::post, .path = "/change", .handler = echo, .changes_state = true});
        server.routes.add(
            {.path = "/socket",
             .handler = [](Request, const Caller&,
                           Responder responder) { responder.send(Response::empty(204)); },
             .websocket = true});
        server.start();
    }
    /// On a connection that stays open, as far as we are concerned.
    RawConnection::Answer ask(std::string_view bytes) { return server.ask(bytes); }

    TestServer server;
};

TEST_F(AtOnceTest, methods_that_no_path_has) {
    for (const auto* method : {"TRACE", "QUERY"}) {
        const auto known = ask(fmt::format("{} /x HTTP/1.1\r\nHost: localhost\r\n\r\n", method));
        EXPECT_EQ(known.status, 405);
        EXPECT_TRUE(known.has("Allow: GET, HEAD, POST, OPTIONS\r\n")) << known.head;
        EXPECT_EQ(
            ask(fmt::format("{} /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", method)).status,
            404);
    }
    for (const auto* target : {"localhost:80", "/x", "[::1]:443"}) {
        auto connection = server.connect();
        const auto connect = connection.exchange(
            fmt::format("CONNECT {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target));
        EXPECT_EQ(connect.status, 405) << target;
        EXPECT_TRUE(connect.has("Allow: ")) << target << connect.head;
        EXPECT_TRUE(connection.closed()) << "what follows may be a tunnel's";
    }
    for (const auto* method : {"BREW", "get", "PROPFIND", "MKCOL", "M-SEARCH", "*", "!"}) {
        auto connection = server.connect();
        const auto answer =
            connection.exchange(fmt::format("{} /x HTTP/1.1\r\nHost: localhost\r\n\r\n", method));
        EXPECT_EQ(answer.status, 501) << method;
        EXPECT_TRUE(answer.has("Content-Type: application/problem+json\r\n")) << method;
        EXPECT_THAT(answer.body, HasSubstr("OPTIONS")) << "says what is";
    }
    const auto with_body =
        ask("BREW /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n");
    EXPECT_EQ(with_body.status, 501);
    EXPECT_TRUE(with_body.has("Connection: close\r\n"));
}

TEST_F(AtOnceTest, a_method_that_no_path_has_ends_no_connection) {
    auto connection = server.connect();
    EXPECT_EQ(connection.exchange("TRACE /x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 405);
    EXPECT_EQ(connection.exchange("BREW /x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 501);
    EXPECT_EQ(connection.exchange("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
}

TEST_F(AtOnceTest, heads_whose_lines_do_not_end_as_lines_do) {
    for (const std::string_view head : {
             "GET /x HTTP/1.1\nHost: localhost\n\n",
             "GET /x HTTP/1.1\n",
             "GET /x HTTP/1.1\r\nHost: localhost\n",
             "GET /x HTTP/1.1\r\nHost: localhost\n\r\n",
             "GET /x HTTP/1.1\rHost: localhost\r\r",
             "GET /x HTTP/1.1\r\nHost: local\rhost",
             "GET /x HTTP/1.1\r\nHost: localhost\r\r\n",
             "GET /x HTTP/1.1\r\nHost: localhost\r\nX: y\r\n folded",
             "GET /x\r\n",
             "GET\r\n",
             "GET /x FTP/1.1\r\n",
         }) {
        EXPECT_EQ(ask(head).status, 400) << testing::PrintToString(head);
        const auto whole = std::string(head) + "X: y\r\n\r\n";
        EXPECT_EQ(ask(whole).status, 400) << testing::PrintToString(whole);
        auto connection = server.connect();
        for (const char c : head) {
            connection.send({&c, 1});
        }
        EXPECT_EQ(connection.receive().status, 400) << testing::PrintToString(head);
    }
}

TEST_F(AtOnceTest, chunks_that_could_never_be_taken) {
    const auto status = [&](std::string_view body, std::string_view path = "/x") {
        return ask(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n{}",
                               path, body))
            .status;
    };
    EXPECT_EQ(status("ffffffff\r\n"), 413);
    EXPECT_EQ(status("ffffffffffffffff\r\n"), 413);
    EXPECT_EQ(status("3e9\r\n", "/small"), 413);
    EXPECT_EQ(status("3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n", "/small"), 413);
    EXPECT_EQ(status("fffffffffffffffff\r\n"), 400) << "no number that we have";
    EXPECT_EQ(status("5\nhello\n0\n\n"), 400);
    EXPECT_EQ(status("5;a=b\n"), 400);
    EXPECT_EQ(status("5\r\nhello\n"), 400);
    EXPECT_EQ(status("5\r\nhello\r\n0\n"), 400);
    EXPECT_EQ(status("5\r\nhello\r\n0\r\nTrailer: x\n"), 400);
    EXPECT_EQ(status("5\r\nhello\r\n0\r\nTrailer: x\n\r\n\r\n"), 400);
    EXPECT_EQ(status("5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"), 200);
}

TEST_F(AtOnceTest, headers_that_are_there_twice_and_decide_something) {
    const auto status = [&](std::string_view headers) {
        return ask(fmt::format("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                               "0\r\n{}\r\n",
                               headers))
            .status;
    };
    EXPECT_EQ(status("Origin: http://localhost\r\n"), 200);
    EXPECT_EQ(status("Origin: http://localhost\r\nOrigin: http://evil.example\r\n"), 400);
    EXPECT_EQ(status("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), 400);
    EXPECT_EQ(status("X: 1\r\nX: 2\r\n"), 200);
}

TEST_F(AtOnceTest, head_is_wherever_get_is) {
    auto connection = server.connect();
    connection.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(connection.receive(true).status, 200);
    connection.send("HEAD /socket HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto upgrade = connection.receive(true);
    EXPECT_EQ(upgrade.status, 426);
    connection.send("HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(connection.receive(true).status, 404);
}

TEST_F(AtOnceTest, what_is_refused_is_kept_by_nobody) {
    for (const std::string_view request : {
             "GET /x HTTP/1.1\n",
             "GET /x HTTP/3.0\r\nHost: localhost\r\n\r\n",
             "GET /x HTTP/1.1\r\n\r\n",
             "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "PUT /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "TRACE /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "BREW /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
             "GET /socket HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n",
             "\x16\x03\x01",
         }) {
        const auto answer = ask(request);
        EXPECT_GE(answer.status, 400);
        EXPECT_TRUE(answer.has("Cache-Control: no-store\r\n"))
            << testing::PrintToString(request) << answer.head;
    }
}

TEST(AtOnce, a_connection_too_many_is_told_so_and_nobody_keeps_that) {
    TestServer server;
    server.options.connections_max = 1;
    server.start();
    auto first = server.connect();
    EXPECT_EQ(first.exchange("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
    const auto answer = server.connect().receive();
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Cache-Control: no-store\r\n")) << answer.head;
}

}  // namespace
}  // namespace helios::http
