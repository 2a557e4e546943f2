// The server with TLS, by real sockets and real certificates: what differs from plain connections.
// The rest is tested once more over TLS (server_over_tls_test.cpp).

#include <atomic>
#include <fmt/format.h>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "http/tls_test_kit.h"
#include "http/websocket.h"
#include "http/websocket_test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using testing::AnyOf;
using testing::HasSubstr;

const std::string get_x = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Says hello, and then much.
std::shared_ptr<WebSocketEvents> greeter() {
    return std::make_shared<WebSocketEvents>(WebSocketEvents{
        .opened =
            [](const std::shared_ptr<WebSocket>& socket) {
                socket->send(std::make_shared<const std::string>("hello"));
                socket->send(std::make_shared<const std::string>(std::string(300'000, 'w')));
            },
        .room = [] {},
        .closed = [] {}});
}

class ServerTlsTest : public testing::Test {
protected:
    ServerTlsTest() {
        server.options.tls = files.options();
        server.routes.add(
            {.path = "/x", .handler = [this](Request request, const Caller&, Responder responder) {
                 ++handled;
                 responder.send(Response::text(200, request.remote));
             }});
        server.routes.add({.path = "/large",
                           .handler = [this](const Request&, const Caller&, Responder responder) {
                               responder.send(Response::text(200, large));
                           }});
        server.routes.add({.path = "/held", .handler = gate.handler()});
        server.routes.add(
            {.path = "/probe",
             .handler = [](const Request&, const Caller&,
                           Responder responder) { responder.send(Response::text(200, "alive")); },
             .probe = true});
        server.routes.add({.method = Method::post,
                           .path = "/echo",
                           .handler = [](Request request, const Caller&, Responder responder) {
                               responder.send(Response::text(200, std::move(request.body)));
                           }});
        server.routes.add({.path = "/socket",
                           .handler =
                               [](const Request&, const Caller&, Responder responder) {
                                   responder.send(Response::accept_websocket(greeter()));
                               },
                           .websocket = true});
    }
    ~ServerTlsTest() override {
        for (auto& held : gate.take()) {
            held.responder.send(Response::empty(204));
        }
    }
    TlsConnection connect(const TlsWish& wish = {}) const {
        return TlsConnection(server.port(), wish);
    }
    RawConnection connect_plainly() const {
        return RawConnection(server.port(), 0, nullptr, plainly);
    }
    std::string post(std::string_view body) const {
        return fmt::format("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                           body.size(), body);
    }
    double failed(const std::string& reason) {
        return server.telemetry.metrics
            .counter("helios_http_handshakes_failed_total", "", {{"reason", reason}})
            .value();
    }
    /// Complaints about files.
    double told() {
        return server.telemetry.metrics.counter("helios_http_certificates_refused_total", "")
            .value();
    }
    double expires() {
        return server.telemetry.metrics.gauge("helios_http_certificate_expires_seconds", "")
            .value();
    }
    template <class What>
    bool come_true(What what) {
        const auto until = server.clock.monotonic() + test_patience;
        bool has = what();
        while (!has && server.clock.monotonic() < until) {
            std::this_thread::yield();
            has = what();
        }
        return has;
    }
    Client client() const {
        Url url{.secure = true, .host = "localhost", .port = server.port(), .path = "/"};
        return Client(url, test_patience, files.ca_file());
    }

    TlsFiles files;
    std::string large = std::string(3u << 20, 'z');
    std::atomic<int> handled{0};
    Gate gate;
    TestServer server;
};

TEST_F(ServerTlsTest, answers_with_both_versions_and_refuses_older_ones) {
    server.start();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto connection = connect({.version = version, .authority = &files.authority});
        ASSERT_TRUE(connection.transport->connected()) << connection.transport->error();
        const auto answer = connection.exchange(get_x);
        EXPECT_EQ(answer.status, 200);
        EXPECT_TRUE(answer.body.starts_with("127.0.0.1:")) << answer.body;
        EXPECT_EQ(connection.exchange(get_x).status, 200) << "kept alive";
    }
    auto old = connect({.version = TLS1_1_VERSION});
    EXPECT_FALSE(old.transport->connected());
    EXPECT_TRUE(come_true([&] { return failed("version") == 1; }));
}

TEST_F(ServerTlsTest, speaks_http_1_1_to_whoever_offers_protocols_and_nothing_else) {
    server.start();
    auto both = connect({.protocols = std::string("\x02h2\x08http/1.1")});
    EXPECT_EQ(both.transport->protocol(), "http/1.1");
    EXPECT_EQ(both.exchange(get_x).status, 200);
    auto other = connect({.protocols = std::string("\x02h2")});
    EXPECT_FALSE(other.transport->connected());
    EXPECT_THAT(other.transport->error(), HasSubstr("no application protocol"));
    EXPECT_TRUE(come_true([&] { return failed("version") == 1; }));
}

TEST_F(ServerTlsTest, reads_pipelined_requests_and_large_bodies_in_any_records) {
    server.start();
    auto connection = connect();
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += get_x;
    }
    connection.send(many);
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(connection.receive().status, 200) << i;
    }
    for (const char c : get_x) {
        connection.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(connection.receive().status, 200);
    const std::string body(5u << 20, 'b');
    EXPECT_EQ(connection.exchange(post(body)).body, body);
    EXPECT_EQ(connection.exchange(post("")).status, 200);
    connection.send(
        "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\nGET /large HTTP/1.1\r\nHost: "
        "localhost\r\n\r\n" +
        get_x);
    EXPECT_EQ(connection.receive().body, large);
    EXPECT_EQ(connection.receive().body, large);
    EXPECT_EQ(connection.receive().status, 200);
}

TEST_F(ServerTlsTest, a_client_that_reads_late_gets_all_of_it) {
    server.start();
    TlsConnection connection(server.port(), {}, 4096);
    for (int i = 0; i < 4; ++i) {
        connection.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    connection.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(connection.receive().body, large) << i;
    }
    EXPECT_EQ(connection.receive().status, 200);
    EXPECT_TRUE(connection.closed());
    EXPECT_TRUE(connection.transport->ended_cleanly());
}

TEST_F(ServerTlsTest, a_half_closed_connection_is_answered_and_one_that_was_cut_off_is_not) {
    server.start();
    auto half = connect();
    half.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
    half.end_of_input();  // close_notify
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    for (auto& held : gate.take()) {
        held.responder.send(Response::text(200, "late"));
    }
    EXPECT_EQ(half.receive().body, "late");
    EXPECT_TRUE(half.closed());
    EXPECT_TRUE(half.transport->ended_cleanly());

    auto cut = connect();
    cut.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbo");
    ::shutdown(cut.fd(), SHUT_WR);  // without close_notify: more may have been meant to come
    EXPECT_EQ(cut.receive().status, 0) << "no answer to what may be a part";
}

TEST_F(ServerTlsTest, a_record_that_was_changed_on_the_way_ends_the_connection) {
    server.start();
    auto connection = connect();
    ASSERT_EQ(connection.exchange(get_x).status, 200);
    const std::string_view forged(
        "\x17\x03\x03\x00\x20"
        "0123456789abcdef0123456789abcdef",
        37);
    ::send(connection.fd(), forged.data(), forged.size(), MSG_NOSIGNAL);
    EXPECT_EQ(connection.receive().status, 0);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(connect().exchange(get_x).status, 200);
}

TEST_F(ServerTlsTest, plain_http_is_told_what_is_spoken_here) {
    server.start();
    for (const std::string method : {"GET", "POST", "DELETE", "OPTIONS"}) {
        auto plain = connect_plainly();
        plain.send(method + " /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
        const auto answer = plain.receive();
        EXPECT_EQ(answer.status, 400) << method;
        EXPECT_THAT(answer.body, HasSubstr("https")) << method;
        EXPECT_TRUE(answer.has("Connection: close")) << method;
        EXPECT_TRUE(plain.closed()) << method;
    }
    EXPECT_TRUE(come_true([&] { return failed("no_tls") == 4; }));
    auto garbage = connect_plainly();
    garbage.send(std::string(100, '\0'));
    EXPECT_TRUE(garbage.closed()) << "and neither is an answer sent";
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(connect().exchange(get_x).status, 200);
}

TEST_F(ServerTlsTest, a_slow_handshake_ends_with_the_time_for_a_header) {
    server.options.header_timeout = milliseconds(100);
    server.start();
    auto silent = connect_plainly();
    auto slow = connect_plainly();
    slow.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));  // the beginning of a ClientHello
    EXPECT_TRUE(silent.closed());
    EXPECT_TRUE(slow.closed());
    EXPECT_TRUE(come_true([&] { return failed("unfinished") == 1; }))
        << "whoever said nothing began none";
    // And so it is however often a byte comes.
    auto drop = connect_plainly();
    const std::string hello("\x16\x03\x01\x40\x00\x01", 6);
    const auto began = server.clock.monotonic();
    drop.send(hello);
    bool open = true;
    while (open && server.clock.monotonic() < began + test_patience) {
        open = drop.send(std::string(1, '\0'));
        std::this_thread::yield();
    }
    EXPECT_FALSE(open);
}

TEST_F(ServerTlsTest, connections_in_their_handshake_count_and_one_too_many_is_closed) {
    server.options.connections_max = 2;
    server.start();
    auto first = connect_plainly();
    auto second = connect_plainly();
    first.send("\x16");
    ASSERT_TRUE(come_true([&] {
        return server.telemetry.metrics.gauge("helios_http_connections", "").value() == 2;
    }));
    auto third = connect_plainly();
    EXPECT_EQ(third.rest(), "") << "what is not encrypted would be no answer";
    first.close();
    EXPECT_TRUE(come_true([&] { return connect().exchange(get_x).status == 200; }));
}

TEST_F(ServerTlsTest, renegotiation_is_refused) {
    server.start();
    auto connection = connect({.version = TLS1_2_VERSION});
    ASSERT_EQ(connection.exchange(get_x).status, 200);
    EXPECT_EQ(SSL_renegotiate(connection.transport->ssl()), 1);
    EXPECT_NE(SSL_do_handshake(connection.transport->ssl()), 1);
    EXPECT_EQ(connect().exchange(get_x).status, 200);
}

TEST_F(ServerTlsTest, clients_need_a_certificate_of_the_authority_that_is_named) {
    files.write("clients.pem", files.authority.pem());
    server.options.tls.client_ca_file = files.path("clients.pem");
    server.start();
    const auto known = files.issue("a client");
    EXPECT_EQ(connect({.certificate = &known}).exchange(get_x).status, 200);
    const auto other = make_certificate(TlsFiles::parts("somebody", false));
    const auto expired = files.issue("a client", -std::chrono::hours(3), -std::chrono::hours(2));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const auto* certificate :
             std::initializer_list<const MadeCertificate*>{nullptr, &other, &expired}) {
            auto refused = connect({.version = version, .certificate = certificate});
            EXPECT_EQ(refused.exchange(get_x).status, 0);
            EXPECT_THAT(refused.transport->error(),
                        AnyOf(HasSubstr("alert"), HasSubstr("certificate")))
                << "it hears why";
        }
    }
    EXPECT_TRUE(come_true([&] { return failed("client_certificate") == 6; }));
    EXPECT_EQ(handled, 1);
}

TEST_F(ServerTlsTest, whoever_does_not_trust_the_server_is_counted) {
    server.start();
    const auto other = make_certificate(TlsFiles::parts("another authority", true));
    auto wary = connect({.authority = &other});
    EXPECT_FALSE(wary.transport->connected());
    EXPECT_TRUE(come_true([&] { return failed("alert") == 1; }));
    auto gone = connect_plainly();
    gone.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
    gone.close();
    EXPECT_TRUE(come_true([&] { return failed("gone") == 1; }));
    connect_plainly().close();
    auto trusts = connect();
    EXPECT_EQ(trusts.exchange(get_x).status, 200);
    const auto open = [&] {
        return server.telemetry.metrics.gauge("helios_http_connections", "").value();
    };
    ASSERT_TRUE(come_true([&] { return open() == 1; }));
    trusts.close();  // without close_notify
    ASSERT_TRUE(come_true([&] { return open() == 0; }));
    EXPECT_EQ(failed("gone"), 1) << "a probe of the port is no handshake, and one that has "
                                    "succeeded does not fail afterwards";
}

TEST_F(ServerTlsTest, new_files_are_for_new_connections_and_bad_ones_for_nobody) {
    server.start();
    const auto day_ahead =
        static_cast<double>(to_nanos(TlsFiles::parts("", false).not_after) / 1'000'000'000);
    EXPECT_NEAR(expires(), day_ahead, 600);
    auto before = connect();
    const long first = before.transport->serial();
    const auto shown = [&] { return connect().transport->serial(); };

    const auto stranger = make_certificate(TlsFiles::parts("localhost", false));
    const auto expired = files.issue("localhost", -std::chrono::hours(3), -std::chrono::hours(2));
    const auto early = files.issue("localhost", std::chrono::hours(1), std::chrono::hours(2));
    const std::string half = stranger.pem().substr(0, 300);
    for (const auto& [certificate, key] : std::vector<std::pair<std::string, std::string>>{
             {stranger.pem(), files.server.key_pem()},
             {files.server.pem(), stranger.key_pem()},
             {expired.pem(), expired.key_pem()},
             {early.pem(), early.key_pem()},
             {half, stranger.key_pem()},
             {stranger.pem() + half, stranger.key_pem()},
             {"", stranger.key_pem()},
             {expired.pem(), ""},
             {stranger.pem(), stranger.key_pem("a passphrase")},
             {std::string(2u << 20, 'x'), stranger.key_pem()}}) {
        const auto lines = told();
        files.write("cert.pem", certificate);  // with the key of before it is no good pair either
        files.write("key.pem", key);
        EXPECT_TRUE(come_true([&] { return told() > lines; })) << certificate.substr(0, 40);
        EXPECT_EQ(shown(), first);
    }
    const auto lines = told();
    ::unlink(files.path("cert.pem").c_str());
    EXPECT_TRUE(come_true([&] { return told() > lines; })) << "a file that is gone";
    EXPECT_EQ(shown(), first);

    const auto next = files.issue("localhost");
    files.use(next);
    EXPECT_TRUE(come_true([&] { return shown() != first; }));
    EXPECT_EQ(before.exchange(get_x).status, 200) << "what is open goes on";
}

TEST(TlsServer, tells_once_before_its_certificate_ends_and_once_when_it_has) {
    TlsFiles files;
    files.use(files.issue("localhost", -std::chrono::hours(1), std::chrono::days(20)));
    ManualClock clock(SystemClock().wall());
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry(clock, telemetry::Level::info, lines);
    const auto opened = TlsServer::open(files.options(), telemetry, clock);
    ASSERT_TRUE(opened) << opened.error().message();
    const auto told = [&](std::string_view what) {
        return std::ranges::count_if(lines, [&](const auto& line) { return line.contains(what); });
    };
    EXPECT_EQ(told("the certificate"), 0);
    auto& looks = telemetry.metrics.counter("helios_http_certificates_refused_total", "");
    const auto look = [&](const std::string& text) {  // what is refused has been looked at
        const auto before = looks.value();
        files.write("cert.pem", text);
        const auto until = SystemClock().monotonic() + test_patience;
        while (looks.value() == before && SystemClock().monotonic() < until) {
            std::this_thread::yield();
        }
        EXPECT_GT(looks.value(), before);
    };
    for (int i = 0; i < 3; ++i) {
        clock.advance(std::chrono::days(7));
        look("no certificate " + std::to_string(2 * i));
        look("no certificate " + std::to_string(2 * i + 1));
    }
    (*opened)->stop();
    EXPECT_EQ(told("the certificate expires soon"), 1);
    EXPECT_EQ(told("the certificate has expired"), 1);
}

TEST_F(ServerTlsTest, requests_go_on_while_certificates_are_replaced) {
    server.start();
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::atomic<int> right{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            while (!stop) {
                auto one = client();
                for (int n = 0; n < 3; ++n) {
                    const auto answer = one.get("/x");
                    ++(answer && answer->status == 200 ? right : wrong);
                }
            }
        });
    }
    long last = connect().transport->serial();
    for (int i = 0; i < 5; ++i) {
        files.use(files.issue("localhost"));
        EXPECT_TRUE(come_true([&] { return connect().transport->serial() != last; })) << i;
        last = connect().transport->serial();
    }
    stop = true;
    for (auto& one : clients) {
        one.join();
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_GT(right, 0);
}

TEST_F(ServerTlsTest, does_not_start_with_bad_files_and_says_which) {
    const auto refusal = [&](auto change) {
        auto options = files.options();
        change(options);
        server.options.tls = options;
        const auto bound = Server::bind(server.options, server.telemetry, server.clock);
        EXPECT_FALSE(bound);
        return bound ? "" : bound.error().message();
    };
    const auto expired = files.issue("localhost", -std::chrono::hours(3), -std::chrono::hours(2));
    files.write("expired.pem", expired.pem());
    files.write("expired-key.pem", expired.key_pem());
    files.write("locked.pem", files.server.key_pem("a passphrase"));
    files.write("empty.pem", "");
    EXPECT_THAT(refusal([&](auto& o) { o.cert_file = files.path("none.pem"); }),
                HasSubstr("http.tls.cert_file " + files.path("none.pem") + ": No such file"));
    EXPECT_THAT(refusal([&](auto& o) { o.cert_file = files.path(""); }), HasSubstr("not a file"));
    EXPECT_THAT(refusal([&](auto& o) { o.cert_file = files.path("empty.pem"); }),
                HasSubstr("there is no certificate in it"));
    EXPECT_THAT(refusal([&](auto& o) {
                    o.cert_file = files.path("expired.pem");
                    o.key_file = files.path("expired-key.pem");
                }),
                HasSubstr("has expired at "));
    EXPECT_THAT(refusal([&](auto& o) { o.key_file = files.path("expired-key.pem"); }),
                HasSubstr("http.tls.key_file " + files.path("expired-key.pem") +
                          ": not the key of the certificate"));
    EXPECT_THAT(refusal([&](auto& o) { o.key_file = files.path("locked.pem"); }),
                HasSubstr("the key has a passphrase"));
    EXPECT_THAT(refusal([&](auto& o) { o.key_file = files.path("cert.pem"); }),
                HasSubstr("no private key"));
    EXPECT_THAT(refusal([&](auto& o) { o.key_file.clear(); }),
                HasSubstr("http.tls.key_file is empty"));
    EXPECT_THAT(refusal([&](auto& o) { o.cert_file.clear(); }),
                HasSubstr("http.tls.cert_file is empty"));
    EXPECT_THAT(refusal([&](auto& o) { o.client_ca_file = files.path("key.pem"); }),
                HasSubstr("http.tls.client_ca_file "));
}

TEST_F(ServerTlsTest, a_connection_takes_what_it_has_not_read_along_to_its_home) {
    server.start();
    auto connection = connect();
    // In one record: a probe, answered where connections are accepted, and what moves.
    connection.send("GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n" + get_x + get_x);
    EXPECT_EQ(connection.receive().body, "alive");
    EXPECT_EQ(connection.receive().status, 200);
    EXPECT_EQ(connection.receive().status, 200);
    const std::string body(100'000, 'm');  // more than is read at once
    EXPECT_EQ(connect().exchange(post(body)).body, body);
}

TEST_F(ServerTlsTest, a_turn_ends_though_a_handshake_or_a_record_has_not_arrived_whole) {
    server.start();
    auto opened = connect();
    ASSERT_EQ(opened.exchange(get_x).status, 200);
    auto handshake = connect_plainly();
    handshake.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
    const std::string_view part(
        "\x17\x03\x03\x10\x00"
        "part",
        9);
    ::send(opened.fd(), part.data(), part.size(), MSG_NOSIGNAL);
    for (int i = 0; i < 20; ++i) {
        std::promise<void> done;
        server.server->turn([&] { done.set_value(); });
        ASSERT_EQ(done.get_future().wait_for(test_patience), std::future_status::ready) << i;
    }
}

TEST_F(ServerTlsTest, a_turn_ends_after_what_had_been_encrypted_was_handed_out) {
    server.start();
    std::vector<TlsConnection> connections;
    connections.reserve(20);
    for (int i = 0; i < 20; ++i) {
        connections.push_back(connect());
        ASSERT_EQ(connections.back().exchange(get_x).status, 200);
    }
    for (int round = 1; round <= 20; ++round) {
        for (auto& connection : connections) {
            connection.send(get_x + get_x);
            ASSERT_TRUE(connection.has_arrived());
        }
        std::promise<int> done;
        server.server->turn([&] { done.set_value(handled); });
        auto future = done.get_future();
        ASSERT_EQ(future.wait_for(test_patience), std::future_status::ready);
        EXPECT_EQ(future.get(), 20 + 40 * round);
        for (auto& connection : connections) {
            ASSERT_EQ(connection.receive().status, 200);
            ASSERT_EQ(connection.receive().status, 200);
        }
    }
}

TEST_F(ServerTlsTest, draining_finishes_what_has_begun_and_says_so) {
    server.start();
    auto held = connect();
    held.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    TlsConnection slow(server.port(), {}, 4096);
    slow.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(slow.read_some());
    auto handshake = connect_plainly();
    handshake.send("\x16");
    std::thread drain([&] { server.server->drain(test_patience); });
    std::thread reader([&] { EXPECT_EQ(slow.receive().body, large) << "to its last byte"; });
    for (auto& request : gate.take()) {
        request.responder.send(Response::text(200, "done"));
    }
    const auto answer = held.receive();
    EXPECT_EQ(answer.body, "done");
    EXPECT_TRUE(held.closed());
    EXPECT_TRUE(held.transport->ended_cleanly());
    reader.join();
    slow.close();
    drain.join();
    EXPECT_TRUE(handshake.closed());
}

TEST_F(ServerTlsTest, says_that_it_ends_a_connection_on_which_nothing_is_owed) {
    server.options.idle_timeout = milliseconds(50);
    server.start();
    auto idle = connect();
    EXPECT_EQ(idle.exchange(get_x).status, 200);
    EXPECT_TRUE(idle.closed());
    EXPECT_TRUE(idle.transport->ended_cleanly());
}

TEST_F(ServerTlsTest, does_not_call_whole_what_it_cuts_off) {
    server.options.write_timeout = milliseconds(50);
    server.start();
    TlsConnection slow(server.port(), {}, 4096);
    slow.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(come_true([&] {
        return server.telemetry.metrics.gauge("helios_http_connections", "").value() == 1;
    }));
    ASSERT_TRUE(come_true([&] {
        return server.telemetry.metrics.gauge("helios_http_connections", "").value() == 0;
    }));
    EXPECT_LT(slow.discard_rest(), large.size());
    EXPECT_FALSE(slow.transport->ended_cleanly());
}

TEST_F(ServerTlsTest, carries_a_websocket) {
    server.start();
    auto connection = connect();
    const auto answer =
        connection.exchange(fmt::format("GET /socket HTTP/1.1\r\n{}\r\n{}", websocket_headers,
                                        client_frame(Opcode::ping, "early")));
    ASSERT_EQ(answer.status, 101);
    std::string frames = connection.take(2 + 5 + 10 + 300'000 + 2 + 5);
    EXPECT_THAT(frames, HasSubstr("hello"));
    EXPECT_THAT(frames, HasSubstr("early")) << "what came behind the request is read";
    EXPECT_THAT(frames, HasSubstr(std::string(300'000, 'w')));
    connection.send(client_frame(Opcode::close, std::string("\x03\xe8", 2)));
    EXPECT_EQ(connection.take(4), std::string("\x88\x02\x03\xe8", 4));
    EXPECT_TRUE(connection.closed());
    EXPECT_TRUE(connection.transport->ended_cleanly());

    auto ours = client();
    const auto opened = ours.open_websocket("/socket");
    ASSERT_TRUE(opened) << opened.error().message();
    ASSERT_EQ(opened->status, 101);
    EXPECT_EQ(ours.next_text(), "hello");
    EXPECT_EQ(ours.next_text(), std::string(300'000, 'w'));
    std::thread drain([&] { server.server->drain(test_patience); });
    const auto end = ours.next_text();
    EXPECT_THAT(end.error().what, HasSubstr("closed the stream")) << end.error().message();
    drain.join();
}

TEST_F(ServerTlsTest, openssl_and_curl_speak_to_it) {
    server.start();
    const auto run = [&](const std::string& command) {
        std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"),
                                                   ::pclose);
        std::string out;
        char chunk[4096];
        while (const auto n = ::fread(chunk, 1, sizeof chunk, pipe.get())) {
            out.append(chunk, n);
        }
        return out;
    };
    if (run("openssl version; curl --version").find("curl ") == std::string::npos) {
        GTEST_SKIP() << "openssl or curl is not there";
    }
    EXPECT_THAT(run(fmt::format("curl -sS --max-time 10 --cacert {} https://localhost:{}/x",
                                files.ca_file(), server.port())),
                HasSubstr("127.0.0.1:"));
    EXPECT_THAT(run(fmt::format("curl -sS --max-time 10 http://localhost:{}/x", server.port())),
                HasSubstr("https"));
    const auto told = run(fmt::format(
        "printf 'GET /x HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | "
        "timeout "
        "10 openssl s_client -quiet -verify_return_error -CAfile {} -connect 127.0.0.1:{}",
        files.ca_file(), server.port()));
    EXPECT_THAT(told, HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_THAT(run(fmt::format("timeout 10 openssl s_client -brief -tls1_2 -cipher "
                                "'AES128-SHA:@SECLEVEL=0' -connect 127.0.0.1:{} </dev/null",
                                server.port())),
                HasSubstr("alert handshake failure"));
}

}  // namespace
}  // namespace helios::http
