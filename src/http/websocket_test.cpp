// WebSockets: the handshake, what is sent and what is not, bounds, and every way in which one may
// end.

#include "http/websocket.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <thread>

#include "base/mutex.h"
#include "http/client.h"
#include "http/websocket_test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

WebSocket::Text text_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

/// What a route does with its WebSockets, here: keeps them for the test. Thread-safe.
class Lobby {
public:
    struct Guest {
        std::shared_ptr<WebSocket> socket;
        int room = 0;
        bool closed = false;
    };

    Handler handler() {
        return [this](const Request& request, const Caller&, Responder responder) {
            if (request.query_param("refuse")) {
                responder.send(problem(400, "Bad request", "not like this"));
                return;
            }
            responder.send(Response::accept_websocket(events()));
        };
    }
    std::shared_ptr<WebSocketEvents> events() {
        auto guest = std::make_shared<Guest>();
        auto events = std::make_shared<WebSocketEvents>();
        events->opened = [this, guest](std::shared_ptr<WebSocket> socket) {
            change([&] {
                guest->socket = std::move(socket);
                guests_.push_back(guest);
            });
        };
        events->room = [this, guest] { change([&] { ++guest->room; }); };
        events->closed = [this, guest] { change([&] { guest->closed = true; }); };
        return events;
    }

    /// The WebSocket of the guest who came as number `index`.
    std::shared_ptr<WebSocket> socket(std::size_t index = 0) {
        EXPECT_TRUE(wait([&] { return guests_.size() > index; }));
        const MutexLock lock(mutex_);
        return guests_.at(index)->socket;
    }
    bool wait_for_room(int times, std::size_t index = 0) {
        return wait([&] { return guests_.size() > index && guests_[index]->room >= times; });
    }
    bool wait_for_close(std::size_t index = 0) {
        return wait([&] { return guests_.size() > index && guests_[index]->closed; });
    }
    bool is_closed(std::size_t index = 0) {
        const MutexLock lock(mutex_);
        return guests_.at(index)->closed;
    }

private:
    template <class Change>
    void change(Change change) {
        const MutexLock lock(mutex_);
        change();
        changed_.notify_all();
    }
    template <class Condition>
    bool wait(Condition condition) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, test_patience, condition);
    }

    Mutex mutex_;
    Condition changed_;
    std::vector<std::shared_ptr<Guest>> guests_;
};

class WebSocketTest : public testing::Test {
protected:
    void start() {
        server.routes.add({.path = "/ws", .handler = lobby.handler(), .websocket = true});
        server.routes.add(
            {.path = "/slow-ws", .handler = lobby.handler(), .blocking = true, .websocket = true});
        server.routes.add({.path = "/held", .handler = gate.handler()});
        server.start();
    }
    RawWebSocket connect(std::string_view target = "/ws", int receive_buffer_bytes = 0) {
        return RawWebSocket(server.port(), target, receive_buffer_bytes);
    }
    double metric(std::string_view name) {
        const std::string text = server.telemetry.metrics.expose();
        const auto at = text.find(fmt::format("\n{} ", name));
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }
    double ended(std::string_view why) {
        return metric(fmt::format("helios_http_websockets_ended_total{{reason=\"{}\"}}", why));
    }

    Lobby lobby;
    Gate gate;
    TestServer server;
};

// The handshake

TEST_F(WebSocketTest, answers_each_handshake_as_rfc_6455_has_it) {
    start();
    const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const std::string good =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + key;
    const std::string host = "Host: localhost\r\n";
    const std::string get = "GET /ws HTTP/1.1\r\n";
    struct Case {
        std::string request;
        int status;
        std::string_view says = "";
    };
    const std::vector<Case> cases = {
        {get + host + good, 101,
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},  // RFC 6455, 1.3
        {get + host +
             "upgrade: h2c, WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Version: "
             "13\r\n" +
             key,
         101},
        {get + host +
             "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: "
             "websocket\r\nSec-WebSocket-Version: 13\r\n" +
             key,
         101},
        {get + host + good +
             "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
         101},
        {get + host + good + "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", 101},
        {get + "Host: localhost:8001\r\n" + good + "Origin: http://localhost:8001\r\n", 101},
        {get + host, 426, "Upgrade: websocket"},
        {get + host, 426, "Connection: upgrade"},
        {get + host + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + key, 426},
        {get + host + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key, 426},
        {get + host +
             "Upgrade: websockets\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + key,
         426},
        {get + host + "Upgrade: websocket\r\nConnection: Upgrade\r\n" + key, 426,
         "Sec-WebSocket-Version: 13"},
        {get + host + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" +
             key,
         426, "Sec-WebSocket-Version: 13"},
        {get + host + good + "Sec-WebSocket-Version: 13\r\n", 426},
        {"GET /ws HTTP/1.0\r\n" + host + good, 426},
        {"POST /ws HTTP/1.1\r\n" + host + good, 405},
        {get + host + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
         400},
        {get + host + good + key, 400},
        {get + host +
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
             "13\r\nSec-WebSocket-Key: short\r\n",
         400},
        {get + host + good + "Content-Length: 2\r\n", 400},
        {get + host + good + "Origin: http://evil.example\r\n", 403},
        {get + host + good + "Origin: http://localhost:9999\r\n", 403},
        {get + host + good + "Origin: null\r\n", 403},
        {get + host + good + "Sec-Fetch-Site: cross-site\r\n", 403},
        {get + "Host: evil.example\r\n" + good, 421},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.request);
        const auto answer = server.ask(each.request + "\r\n");
        EXPECT_EQ(answer.status, each.status) << answer.body;
        EXPECT_THAT(answer.head, HasSubstr(each.says));
        EXPECT_EQ(answer.head.find("Sec-WebSocket-Extensions"), std::string::npos);
        EXPECT_EQ(answer.head.find("Sec-WebSocket-Protocol"), std::string::npos);
        if (each.status != 101) {
            EXPECT_THAT(answer.head, HasSubstr("application/problem+json"));
        }
    }
    auto head = server.connect();
    head.send("HEAD /ws HTTP/1.1\r\n" + host + good + "\r\n");
    EXPECT_EQ(head.receive(true).status, 426);
}

TEST_F(WebSocketTest, a_plain_request_can_be_followed_by_others) {
    start();
    auto connection = server.connect();
    EXPECT_EQ(connection.exchange("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 426);
    EXPECT_EQ(
        connection.exchange(fmt::format("GET /ws HTTP/1.1\r\n{}\r\n", websocket_headers)).status,
        101);
}

TEST_F(WebSocketTest, a_handler_may_refuse_with_an_ordinary_answer_that_ends_the_connection) {
    start();
    for (const auto* path : {"/ws?refuse=1", "/slow-ws?refuse=1"}) {
        auto client = connect(path);
        EXPECT_EQ(client.answer.status, 400);
        EXPECT_TRUE(client.answer.has("Connection: close"));
        EXPECT_TRUE(client.connection.closed());
    }
}

TEST_F(WebSocketTest, answers_before_it_come_first_and_frames_behind_it_are_not_lost) {
    start();
    auto client = server.connect();
    std::string bytes = "GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                        fmt::format("GET /slow-ws HTTP/1.1\r\n{}\r\n", websocket_headers);
    constexpr int pings = 300;  // more than Beast's own buffer takes
    for (int i = 0; i < pings; ++i) {
        bytes += client_frame(Opcode::ping, fmt::format("{:020}", i));
    }
    client.send(bytes);
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    gate.take().front().responder.send(Response::text(200, "first"));
    EXPECT_EQ(client.receive().body, "first");
    EXPECT_EQ(client.receive().status, 101);
    for (int i = 0; i < pings; ++i) {
        EXPECT_EQ(client.take(2), "\x8a\x14");
        ASSERT_EQ(client.take(20), fmt::format("{:020}", i));
    }
}

// Messages

TEST_F(WebSocketTest, sends_messages_of_every_size_in_order) {
    start();
    auto client = connect("/slow-ws");
    ASSERT_TRUE(client.open());
    const auto socket = lobby.socket();
    for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 500'000u}) {
        EXPECT_TRUE(socket->send(text_of(std::string(size, static_cast<char>('a' + size % 26)))));
        EXPECT_EQ(client.text(), std::string(size, static_cast<char>('a' + size % 26)));
    }
    EXPECT_EQ(metric("helios_http_websockets"), 1);
    EXPECT_TRUE(client.close());
    EXPECT_TRUE(lobby.wait_for_close());
    server.stop();
    EXPECT_EQ(metric("helios_http_websocket_messages_total"), 7);
    EXPECT_EQ(metric("helios_http_websockets"), 0);
}

TEST_F(WebSocketTest,
       who_does_not_read_is_given_no_more_than_the_bound_and_goes_on_where_it_stopped) {
    server.options.websocket_waiting_bytes_max = 64u << 10;
    start();
    auto slow = connect("/ws", 4096);
    auto quick = connect();
    ASSERT_TRUE(slow.open() && quick.open());
    const auto to_slow = lobby.socket(0);
    int taken = 0;
    while (to_slow->send(text_of(fmt::format("{:01000}", taken)))) {
        ++taken;
        ASSERT_LT(taken, 20'000) << "somebody keeps it all";
    }
    EXPECT_LE(metric("helios_http_websocket_waiting_bytes"), (64u << 10) + 1000);
    for (int i = 0; i < 100; ++i) {  // the other one notices nothing
        lobby.socket(1)->send(text_of("quick"));
        ASSERT_EQ(quick.text(), "quick");
    }
    for (int i = 0; i < taken; ++i) {
        ASSERT_EQ(slow.text(), fmt::format("{:01000}", i));
    }
    EXPECT_TRUE(lobby.wait_for_room(1));
    EXPECT_TRUE(to_slow->send(text_of("again")));
    EXPECT_EQ(slow.text(), "again");
    server.stop();
    EXPECT_EQ(metric("helios_http_websocket_waiting_bytes"), 0);
}

TEST_F(WebSocketTest, sends_from_many_threads) {
    start();
    auto client = connect();
    const auto socket = lobby.socket();
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i) {
        senders.emplace_back([&] {
            for (int n = 0; n < 500; ++n) {
                socket->send(text_of("x"));
            }
        });
    }
    for (int i = 0; i < 2000; ++i) {
        ASSERT_EQ(client.text(), "x");
    }
    for (auto& sender : senders) {
        sender.join();
    }
}

// Ends

TEST_F(WebSocketTest, the_client_closes) {
    start();
    auto client = connect();
    EXPECT_TRUE(client.close(1000));
    EXPECT_TRUE(lobby.wait_for_close());
    EXPECT_FALSE(lobby.socket()->send(text_of("too late")));
    server.stop();
    EXPECT_EQ(ended("client"), 1);
}

TEST_F(WebSocketTest, the_client_vanishes) {
    start();
    auto client = connect();
    ASSERT_TRUE(client.open());
    client.connection.close();
    EXPECT_TRUE(lobby.wait_for_close());
    server.stop();
    EXPECT_EQ(ended("lost"), 1);
}

TEST_F(WebSocketTest, the_route_closes) {
    start();
    auto client = connect();
    lobby.socket()->close(CloseCode::internal_error,
                          std::string(500, 'x'));  // longer than a close frame takes
    EXPECT_FALSE(lobby.socket()->send(text_of("too late")));
    EXPECT_EQ(client.close_code(), 1011U);
    EXPECT_TRUE(client.send(Opcode::close, "\x03\xf3"));
    EXPECT_TRUE(client.connection.closed());
    client.connection.close();
    EXPECT_TRUE(lobby.wait_for_close());
    server.stop();
    EXPECT_EQ(ended("server"), 1);
}

TEST_F(WebSocketTest, pings_keep_it_and_silence_ends_it) {
    server.options.websocket_ping_interval = milliseconds(40);
    server.options.websocket_pong_timeout = milliseconds(400);
    start();
    auto silent = connect();
    auto lively = connect();
    ASSERT_TRUE(silent.open() && lively.open());
    for (int answered = 0; answered < 20;) {
        const auto frame = lively.frame();
        ASSERT_TRUE(frame && frame->opcode == Opcode::ping);
        ASSERT_TRUE(lively.send(Opcode::pong, frame->payload));
        ++answered;
    }
    EXPECT_TRUE(lobby.wait_for_close(0));
    EXPECT_FALSE(lobby.is_closed(1));
    server.stop();
    EXPECT_EQ(ended("silent"), 1);
}

TEST_F(WebSocketTest, who_takes_nothing_for_the_write_timeout_is_dropped) {
    server.options.write_timeout = milliseconds(100);
    server.options.websocket_ping_interval = std::chrono::hours(1);
    server.options.websocket_waiting_bytes_max = 16u << 20;
    start();
    auto stuck = connect("/ws", 4096);
    const auto socket = lobby.socket();
    while (socket->send(text_of(std::string(100'000, 'x')))) {
    }
    EXPECT_TRUE(lobby.wait_for_close());
    server.stop();
    EXPECT_EQ(ended("stalled"), 1);
    EXPECT_EQ(metric("helios_http_websocket_waiting_bytes"), 0);
}

TEST_F(WebSocketTest, reads_past_short_texts_and_refuses_everything_else) {
    server.options.websocket_message_bytes_max = 100;
    start();
    auto chatty = connect();
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(chatty.send(Opcode::text, std::string(100, 'x')));
    }
    EXPECT_TRUE(chatty.send(Opcode::ping, "still there?"));
    const auto pong = chatty.frame();
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->opcode, Opcode::pong);
    EXPECT_EQ(pong->payload, "still there?");

    const std::string x(60, 'x');
    const std::string huge =
        client_frame(Opcode::text, std::string(70'000, 'x')).substr(0, 14) + "and no more";
    struct Case {
        std::string_view what;
        std::string bytes;
        unsigned code;
    };
    const std::vector<Case> cases = {
        {"too large", client_frame(Opcode::text, std::string(101, 'x')), 1009},
        {"too large, announced only", huge, 1009},
        {"too large in parts",
         client_frame(Opcode::text, x, false) + client_frame(Opcode::continuation, x), 1009},
        {"binary", client_frame(Opcode::binary, "x"), 1003},
        {"not masked", client_frame(Opcode::text, "x", true, false), 1002},
        {"an opcode that is not one", client_frame(static_cast<Opcode>(5), "x"), 1002},
        {"a long ping", client_frame(Opcode::ping, std::string(126, 'x')), 1002},
        {"reserved bits", std::string("\xf1\x80\0\0\0\0", 6), 1002},
        {"not UTF-8", client_frame(Opcode::text, "\xff\xfe"), 1007},
        {"a close code that is not one", client_frame(Opcode::close, std::string("\x03\xed", 2)),
         1002},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.what);
        auto client = connect();
        ASSERT_TRUE(client.open());
        EXPECT_TRUE(client.connection.send(each.bytes));
        EXPECT_EQ(client.close_code(), each.code);
        client.connection.close();
    }
    EXPECT_TRUE(chatty.close());
}

TEST_F(WebSocketTest, garbage_ends_it_and_nothing_else) {
    start();
    auto other = connect();
    for (unsigned seed = 1; seed <= 50; ++seed) {
        auto client = connect();
        ASSERT_TRUE(client.open());
        std::string garbage(1000, '\0');
        unsigned state = seed * 2654435761U;
        for (char& c : garbage) {
            state = state * 1664525U + 1013904223U;
            c = static_cast<char>(state >> 24);
        }
        client.connection.send(garbage);
        client.connection.end_of_input();
        client.connection.rest();
        EXPECT_TRUE(lobby.wait_for_close(seed)) << "seed " << seed;
    }
    EXPECT_TRUE(lobby.socket(0)->send(text_of("unharmed")));
    EXPECT_EQ(other.text(), "unharmed");
}

TEST_F(WebSocketTest, a_broken_client_that_will_not_go_is_dropped) {
    start();
    auto client = connect();
    client.connection.send(std::string(1000, '\xff'));
    EXPECT_EQ(client.close_code(), 1002U);
    EXPECT_TRUE(lobby.wait_for_close()) << "without the client's help";
    server.stop();
    EXPECT_EQ(ended("protocol"), 1);
}

TEST_F(WebSocketTest, draining_says_going_away_and_does_not_wait_for_the_mute) {
    start();
    auto polite = connect();
    auto mute = connect();
    auto clogged = connect("/ws", 4096);
    while (lobby.socket(2)->send(text_of(std::string(100'000, 'x')))) {
    }
    std::thread draining([&] { server.server->drain(std::chrono::seconds(8)); });
    EXPECT_EQ(polite.close_code(), 1001U);
    EXPECT_TRUE(polite.send(Opcode::close, "\x03\xe9"));
    EXPECT_TRUE(polite.connection.closed());
    EXPECT_EQ(mute.close_code(), 1001U);
    const auto begin = std::chrono::steady_clock::now();
    draining.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_TRUE(lobby.is_closed(0) && lobby.is_closed(1) && lobby.is_closed(2));
    EXPECT_EQ(ended("drain"), 3);
    EXPECT_FALSE(lobby.socket(1)->send(text_of("the server is gone")));
    const auto kept = lobby.socket(1);
    server.stop();
    kept->close(CloseCode::normal, "still nothing");
}

TEST_F(WebSocketTest, a_server_that_is_destroyed_ends_them_at_once) {
    start();
    auto client = connect();
    ASSERT_TRUE(client.open());
    const auto kept = lobby.socket();
    server.stop();
    EXPECT_TRUE(lobby.is_closed());
    EXPECT_FALSE(kept->send(text_of("x")));
    client.connection.rest();
}

TEST_F(WebSocketTest, beyond_the_bound_it_is_503_until_one_has_gone) {
    server.options.websockets_max = 2;
    start();
    auto first = connect();
    auto second = connect("/slow-ws");
    ASSERT_TRUE(first.open() && second.open());
    const auto refused = connect();
    EXPECT_EQ(refused.answer.status, 503);
    EXPECT_TRUE(refused.answer.has("Retry-After"));
    EXPECT_THAT(refused.answer.body, HasSubstr("websockets_max"));
    EXPECT_EQ(metric("helios_http_websockets_refused_total"), 1);
    EXPECT_EQ(metric("helios_http_websockets"), 2);
    EXPECT_TRUE(first.close());
    EXPECT_TRUE(lobby.wait_for_close(0));
    EXPECT_TRUE(connect().open());
}

TEST_F(WebSocketTest, our_own_client_reads_it) {
    start();
    Client client("127.0.0.1", server.port(), std::chrono::seconds(10));
    const auto refused = client.open_websocket("/ws?refuse=1");
    ASSERT_TRUE(refused) << refused.error().message();
    EXPECT_EQ(refused->status, 400);
    EXPECT_THAT(refused->body, HasSubstr("not like this"));
    const auto opened = client.open_websocket("/ws");
    ASSERT_TRUE(opened) << opened.error().message();
    ASSERT_EQ(opened->status, 101);
    const std::string large(70'000, 'x');
    for (const auto& text : {std::string("one"), std::string(300, 'y'), large}) {
        EXPECT_TRUE(lobby.socket()->send(text_of(text)));
        const auto got = client.next_text();
        ASSERT_TRUE(got) << got.error().message();
        EXPECT_TRUE(*got == text);
    }
    lobby.socket()->close(CloseCode::going_away, "until tomorrow");
    const auto ended = client.next_text();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(ended.error().what, HasSubstr("until tomorrow"));
}

TEST_F(WebSocketTest, our_own_client_asks_whether_it_is_still_there) {
    start();
    Client client("127.0.0.1", server.port(), milliseconds(200));
    ASSERT_TRUE(client.open_websocket("/ws"));
    const auto socket = lobby.socket();
    std::thread late([&] {
        ::poll(nullptr, 0, 600);  // silence is what is tested
        socket->send(text_of("after three times the limit"));
    });
    const auto got = client.next_text();
    late.join();
    ASSERT_TRUE(got) << "pings were answered: " << got.error().message();
    EXPECT_EQ(*got, "after three times the limit");
}

}  // namespace
}  // namespace helios::http
