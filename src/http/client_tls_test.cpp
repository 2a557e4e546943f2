// The client over https: whom it believes, and what it says where it does not.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <thread>

#include "http/client.h"
#include "http/tls_test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class ClientTlsTest : public testing::Test {
protected:
    void start() {
        server.options.tls = files.options();
        server.routes.add(
            {.path = "/x", .handler = [](Request request, const Caller&, Responder responder) {
                 responder.send(Response::text(200, request.remote));
             }});
        server.routes.add({.path = "/held", .handler = gate.handler()});
        server.routes.add({.method = Method::post,
                           .path = "/echo",
                           .handler = [](Request request, const Caller&, Responder responder) {
                               responder.send(Response::text(200, std::move(request.body)));
                           }});
        server.start();
    }
    ~ClientTlsTest() override {
        for (auto& held : gate.take()) {
            held.responder.send(Response::empty(204));
        }
    }
    Client client(const std::string& host = "localhost", Duration timeout = test_patience) const {
        return client_of(host, files.ca_file(), timeout);
    }
    Client client_of(const std::string& host, const std::string& ca_file,
                     Duration timeout = test_patience) const {
        return Client(Url{.secure = true, .host = host, .port = server.port(), .path = "/"},
                      timeout, ca_file);
    }

    TlsFiles files;
    Gate gate;
    TestServer server;
};

TEST_F(ClientTlsTest, asks_on_one_connection_by_name_and_by_address) {
    start();
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        auto one = client(host);
        const auto first = one.get("/x");
        ASSERT_TRUE(first) << first.error().message();
        EXPECT_EQ(first->status, 200);
        EXPECT_EQ(one.get("/x")->body, first->body) << "the same connection";
    }
    auto one = client();
    const std::string large(9u << 20, 'l');
    const auto echoed = one.post("/echo", "text/plain", large);
    ASSERT_TRUE(echoed) << echoed.error().message();
    EXPECT_EQ(echoed->body, large);
    EXPECT_EQ(one.get("/nothing")->status, 404);
}

TEST_F(ClientTlsTest, believes_nobody_who_does_not_prove_who_he_is) {
    start();
    const auto refusal = [&](Client one) {
        const auto answer = one.get("/x");
        EXPECT_FALSE(answer);
        return answer ? Error{} : answer.error();
    };
    const auto unknown = refusal(client_of("localhost", ""));  // the system's
    EXPECT_EQ(unknown.kind, ErrorKind::denied);
    EXPECT_THAT(unknown.message(), HasSubstr("--ca-file"));
    files.write("other.pem", make_certificate(TlsFiles::parts("another authority", true)).pem());
    EXPECT_EQ(refusal(client_of("localhost", files.path("other.pem"))).kind, ErrorKind::denied);
    const auto no_file = refusal(client_of("localhost", files.path("none.pem")));
    EXPECT_EQ(no_file.kind, ErrorKind::invalid);
    EXPECT_THAT(no_file.message(), HasSubstr("none.pem: No such file"));
    const auto no_certificate = refusal(client_of("localhost", files.path("key.pem")));
    EXPECT_EQ(no_certificate.kind, ErrorKind::invalid);
    EXPECT_THAT(no_certificate.message(), HasSubstr("no certificate"));
}

TEST_F(ClientTlsTest, believes_a_certificate_for_the_name_that_it_asked_for_alone) {
    auto parts = TlsFiles::parts("elsewhere", false);
    parts.also.clear();
    files.use(make_certificate(parts, &files.authority));
    start();
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        auto one = client(host);
        const auto answer = one.get("/x");
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind, ErrorKind::denied);
        EXPECT_THAT(answer.error().message(), HasSubstr("another name than " + host));
    }
}

TEST_F(ClientTlsTest, says_that_a_server_wants_a_certificate_of_its_own) {
    auto options = files.options();
    server.options.tls.client_ca_file = files.ca_file();
    options.client_ca_file = files.ca_file();
    server.options.tls = options;
    server.start();
    auto one = client();
    const auto answer = one.get("/x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::denied) << answer.error().message();
    EXPECT_THAT(answer.error().message(), HasSubstr("certificate required"));
}

TEST_F(ClientTlsTest, tells_a_server_without_tls_from_one_that_is_away) {
    server.start();  // plain
    auto one = client();
    const auto plain = one.get("/x");
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(plain.error().message(), HasSubstr("write http://"));
    const auto port = server.port();
    server.stop();
    Client away(Url{.secure = true, .host = "localhost", .port = port, .path = "/"}, test_patience);
    EXPECT_EQ(away.get("/x").error().kind, ErrorKind::unavailable);
}

/// One that takes a connection and says nothing.
TEST_F(ClientTlsTest, waits_for_a_handshake_no_longer_than_it_was_told_to) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener, 4), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const Url url{
        .secure = true, .host = "127.0.0.1", .port = ntohs(address.sin_port), .path = "/"};
    Client patient(url, milliseconds(50));
    EXPECT_EQ(patient.get("/x").error().kind, ErrorKind::timeout);

    const int stop = ::eventfd(1, EFD_CLOEXEC);
    Client stopped(url, test_patience);
    stopped.stop_on(stop, test_patience);
    EXPECT_EQ(stopped.get("/x").error().kind, ErrorKind::stopping) << "at once while it connects";
    ::close(stop);
    ::close(listener);
}

TEST_F(ClientTlsTest, stops_when_it_is_told_to_while_it_waits_for_an_answer) {
    start();
    const int stop = ::eventfd(0, EFD_CLOEXEC);
    auto one = client();
    ASSERT_TRUE(one.get("/x"));
    one.stop_on(stop, milliseconds(1));
    std::thread stopper([&] {
        EXPECT_TRUE(gate.wait_for_arrivals(1));
        const std::uint64_t once = 1;
        EXPECT_EQ(::write(stop, &once, sizeof once), 8);
    });
    EXPECT_EQ(one.get("/held").error().kind, ErrorKind::stopping);
    stopper.join();
    ::close(stop);
}

TEST_F(ClientTlsTest, connects_again_when_a_kept_connection_has_been_closed) {
    server.options.idle_timeout = milliseconds(600);  // longer than between two looks at the gauge
    start();
    auto one = client();
    const auto first = one.get("/x");
    ASSERT_TRUE(first);
    const auto open = [&] {
        return server.telemetry.metrics.gauge("helios_http_connections", "").value();
    };
    const auto until = server.clock.monotonic() + test_patience;
    for (const double wanted : {1.0, 0.0}) {  // it is 0 until somebody has looked, too
        while (open() != wanted && server.clock.monotonic() < until) {
            std::this_thread::yield();
        }
        ASSERT_EQ(open(), wanted);
    }
    const auto second = one.get("/x");
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_NE(second->body, first->body) << "another connection";
}

}  // namespace
}  // namespace helios::http
