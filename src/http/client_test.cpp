#include "http/client.h"

#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "http/test_kit.h"

namespace helios::http {
namespace {

using testing::HasSubstr;

/// Accepts connections one after another and plays a part on each: part(connection, number of the
/// connection).
class ScriptedServer {
public:
    using Part = std::function<void(RawConnection&, int)>;
    ScriptedServer(int connections, Part part)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this, connections, play = std::move(part)] {
            for (int i = 0; i < connections; ++i) {
                RawConnection connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
                play(connection, i);
            }
        });
    }
    ~ScriptedServer() {
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port = 0;

private:
    int listener_;
    std::thread thread_;
};

/// Reads one request without a body, as far as its empty line.
void read_request(RawConnection& connection) {
    while (connection.buffered().find("\r\n\r\n") == std::string::npos && connection.read_some()) {
    }
}

/// What the client makes of these bytes, when the server closes after them.
Result<Response> answer_to(Method method, const std::string& bytes) {
    ScriptedServer server(1, [&](RawConnection& connection, int) {
        read_request(connection);
        connection.send(bytes);
    });
    Client client("127.0.0.1", server.port, std::chrono::seconds(5));
    return client.request(method, "/");
}

TEST(Client, reads_bodies_however_they_are_framed) {
    EXPECT_EQ(
        answer_to(Method::get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello")->body,
        "hello");
    EXPECT_EQ(answer_to(Method::get,
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                        "chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n")
                  ->body,
              "hello");
    EXPECT_EQ(answer_to(Method::get, "HTTP/1.1 200 OK\r\n\r\nuntil the end")->body,
              "until the end");
    EXPECT_EQ(answer_to(Method::get, "HTTP/1.0 200\r\n\r\nold")->body, "old");
    EXPECT_EQ(answer_to(Method::get, "HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
    EXPECT_EQ(
        answer_to(Method::get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")->body, "");
    EXPECT_EQ(answer_to(Method::head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")->body, "");
    const auto after_interim = answer_to(
        Method::post,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 "
        "Created\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(after_interim);
    EXPECT_EQ(after_interim->status, 201);
    EXPECT_TRUE(
        answer_to(Method::get, "HTTP/1.1 200 OK\r\nA:b \r\nContent-Length: 0\r\n\r\n")->headers ==
        (Headers{{"A", "b"}, {"Content-Length", "0"}}));
}

TEST(Client, refuses_answers_that_are_cut_or_no_http) {
    for (const auto* bytes :
         {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
        const auto outcome = answer_to(Method::get, bytes);
        ASSERT_FALSE(outcome) << bytes;
        EXPECT_EQ(outcome.error().kind, ErrorKind::unavailable) << bytes;
    }
    for (const auto* bytes :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
          "HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"}) {
        const auto outcome = answer_to(Method::get, bytes);
        ASSERT_FALSE(outcome) << bytes;
        EXPECT_EQ(outcome.error().kind, ErrorKind::corrupt)
            << bytes << ": another try will not help";
    }
    EXPECT_EQ(answer_to(Method::get, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
                  .error()
                  .kind,
              ErrorKind::exhausted);
}

TEST(Client, gives_up_in_time) {
    ScriptedServer server(1, [](RawConnection& connection, int) {
        EXPECT_TRUE(connection.rest().starts_with("GET / HTTP/1.1\r\nHost: "));
    });
    Client client("127.0.0.1", server.port, std::chrono::milliseconds(50));
    const auto outcome = client.get("/");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::timeout);
}

TEST(Client, stops_when_told_to) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ScriptedServer server(2, [&](RawConnection& connection, int number) {
        read_request(connection);
        if (number == 0) {  // told while the answer is under way: it is still taken
            EXPECT_EQ(::write(ends[1], "x", 1), 1);
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        } else {
            connection.rest();
        }
    });
    Client first("127.0.0.1", server.port, std::chrono::seconds(60));
    first.stop_on(ends[0], std::chrono::seconds(30));
    const auto answered = first.get("/");
    ASSERT_TRUE(answered) << answered.error().message();
    EXPECT_EQ(answered->body, "late");
    Client second("127.0.0.1", server.port, std::chrono::seconds(60));
    second.stop_on(ends[0], std::chrono::milliseconds(20));
    for (int i = 0; i < 2; ++i) {
        const auto stopped = second.get("/");
        ASSERT_FALSE(stopped);
        EXPECT_EQ(stopped.error().kind, ErrorKind::stopping);
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(Client, comes_again_when_a_kept_connection_was_closed) {
    ScriptedServer server(2, [](RawConnection& connection, int number) {
        read_request(connection);
        connection.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", number));
    });
    Client client("127.0.0.1", server.port, std::chrono::seconds(5));
    EXPECT_EQ(client.get("/")->body, "0");
    const auto again = client.get("/");
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->body, "1");
}

TEST(Client, does_not_reuse_a_connection_that_ends_or_has_bytes_left) {
    ScriptedServer server(3, [](RawConnection& connection, int number) {
        read_request(connection);
        connection.send(
            number == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
                        : "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 666 Evil\r\n\r\n");
    });
    Client client("127.0.0.1", server.port, std::chrono::seconds(5));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(client.get("/")->status, 200);
    }
}

TEST(Client, says_what_is_wrong_with_the_other_side) {
    std::uint16_t free_port = 0;
    {
        TestServer gone;
        gone.start();
        free_port = gone.port();
    }
    const auto refused = Client("127.0.0.1", free_port).get("/");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(refused.error().what, HasSubstr(std::to_string(free_port)));
    EXPECT_THAT(refused.error().hint, HasSubstr("running"));
    const auto unknown = Client("no.such.host.invalid", 1)
                             .get("/")
                             .error();  // a resolver that is away may yet find it
    EXPECT_TRUE(unknown.kind == ErrorKind::not_found || unknown.kind == ErrorKind::unavailable)
        << unknown.message();
    EXPECT_EQ(
        Client("127.0.0.1", free_port).request(Method::get, "/", {{"X", "a\r\nb"}}).error().kind,
        ErrorKind::invalid);
}

TEST(Client, hears_a_refusal_before_it_has_sent_everything) {
    TestServer server;
    server.routes.add({.method = Method::post,
                       .path = "/",
                       .handler = [](Request, const Caller&,
                                     Responder responder) { responder.send(Response::empty(204)); },
                       .body_bytes_max = 1000});
    server.start();
    Client client("127.0.0.1", server.port());
    const std::string large(30u << 20, 'x');
    EXPECT_EQ(client.post("/", "text/plain", large)->status, 413);
    EXPECT_EQ(client.post("/", "text/plain", "small")->status, 204);
}

}  // namespace
}  // namespace helios::http
