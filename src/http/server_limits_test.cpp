// Hostile, broken and too much: what the server refuses, and that it stays well.

#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/select.h>
#include <thread>

#include "base/mutex.h"
#include "http/client.h"
#include "http/server.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using testing::HasSubstr;

std::string get(std::string_view path, std::string_view headers = "Host: localhost\r\n") {
    return fmt::format("GET {} HTTP/1.1\r\n{}\r\n", path, headers);
}

/// A server with one route for everything, which counts its calls.
class LimitsTest : public testing::Test {
protected:
    void start() {
        const Handler count = [this](Request request, const Caller&, Responder responder) {
            ++handled;
            responder.send(Response::text(200, std::move(request.body)));
        };
        server.routes.add({.method = Method::post, .path = "/{any}", .handler = count});
        server.routes.add({.path = "/{any}", .handler = count});
        server.routes.add({.method = Method::post, .path = "/held", .handler = gate.handler()});
        server.routes.add(
            {.method = Method::post, .path = "/change", .handler = count, .changes_state = true});
        server.routes.add(
            {.method = Method::post, .path = "/small", .handler = count, .body_bytes_max = 1000});
        server.start();
    }
    double metric(std::string_view name) {
        const std::string text = server.telemetry.metrics.expose();
        const auto at = text.find(fmt::format("\n{} ", name));
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }

    std::atomic<int> handled{0};
    Gate gate;
    ManualClock clock{from_nanos(0)};
    TestServer server;
};

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t size = 0;
    std::size_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::size_t>(::getpagesize());
}

TEST_F(LimitsTest, refuses_a_100_mb_body_announced_or_chunked_within_little_memory) {
    server.options.inflight_bytes_max =
        2 * server.options.body_bytes_max;  // refused for its size, not for want of room
    start();
    const std::string block(1u << 20, 'x');
    [[maybe_unused]] const std::size_t before = resident_bytes();

    auto announced = server.connect();
    announced.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n");
    for (int i = 0; i < 100 && announced.send(block); ++i) {
    }
    EXPECT_EQ(announced.receive().status, 413);
    EXPECT_TRUE(announced.closed());

    auto chunked = server.connect();
    chunked.send("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0;
         i < 100 && chunked.send("100000\r\n") && chunked.send(block) && chunked.send("\r\n");
         ++i) {
    }
    EXPECT_EQ(chunked.receive().status, 413);
    EXPECT_TRUE(chunked.closed());

    EXPECT_EQ(handled, 0);
#ifndef HELIOS_SANITIZED  // a sanitizer keeps freed memory and shadows the rest
    EXPECT_LT(resident_bytes() - std::min(before, resident_bytes()), 64u << 20);
#endif
}

TEST_F(LimitsTest, keeps_the_bound_of_a_route) {
    start();
    auto connection = server.connect();
    EXPECT_EQ(
        connection
            .exchange("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" +
                      std::string(1000, 'x'))
            .status,
        200);
    EXPECT_EQ(connection
                  .exchange("POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n3e8\r\n" +
                            std::string(1000, 'x') + "\r\n0\r\n\r\n")
                  .status,
              200);
    EXPECT_EQ(server.ask("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
                  .status,
              413);
    EXPECT_EQ(server
                  .ask("POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n3e9\r\n" +
                       std::string(1001, 'x'))
                  .status,
              413);
    EXPECT_EQ(server
                  .ask("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                       "18446744073709551615\r\n\r\n")
                  .status,
              413);
    EXPECT_EQ(server
                  .ask("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                       "18446744073709551616\r\n\r\n")
                  .status,
              400);
    EXPECT_EQ(handled, 2);
}

TEST_F(LimitsTest, ends_slow_headers_slow_bodies_and_silence) {
    server.options.header_timeout = milliseconds(200);
    server.options.body_timeout = milliseconds(60);
    server.options.idle_timeout = milliseconds(60);
    start();
    auto slow_header = server.connect();
    EXPECT_EQ(slow_header.exchange("GET /x HTTP/1.1\r\nHost: local").status, 408);
    EXPECT_TRUE(slow_header.closed());
    auto slow_body = server.connect();
    EXPECT_EQ(
        slow_body.exchange("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
            .status,
        408);
    EXPECT_TRUE(slow_body.closed());
    auto silent = server.connect();
    EXPECT_TRUE(silent.closed());
    auto idle = server.connect();
    const auto answer = idle.exchange(get("/x"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(idle.closed());
}

TEST_F(LimitsTest, a_standstill_of_ours_is_no_silence_of_the_peer) {
    server.http_clock = &clock;
    server.options.idle_timeout = server.options.body_timeout = milliseconds(300);
    server.options.websocket_ping_interval =
        milliseconds(8);  // so that ticks follow one another closely
    start();
    auto idle = server.connect();
    ASSERT_EQ(idle.exchange(get("/x")).status, 200);
    auto half = server.connect();
    half.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12");
    ASSERT_EQ(server.ask(get("/x")).status, 200);
    const SystemClock real;
    for (const auto begun = real.monotonic(); real.monotonic() < begun + milliseconds(100);) {
        clock.advance(std::chrono::minutes(10));  // at once, as after SIGSTOP
        EXPECT_EQ(server.ask(get("/x")).status, 200);
    }
    EXPECT_EQ(idle.exchange(get("/x")).status, 200);
    EXPECT_EQ(half.exchange("345").body, "12345");

    std::jthread time([&](const std::stop_token& stop) {
        for (auto before = real.monotonic(); !stop.stop_requested();) {
            server.ask(get("/x"));
            const auto now = real.monotonic();
            clock.advance(now - std::exchange(before, now));
        }
    });
    EXPECT_TRUE(idle.closed()) << "silent while we were there";
}

TEST_F(LimitsTest, a_drop_at_a_time_does_not_keep_a_connection_open) {
    server.options.header_timeout = milliseconds(100);
    start();
    auto connection = server.connect();
    connection.send("GET /x HTTP/1.1\r\n");
    while (connection.send("a: b\r\n")) {  // each header comes at once; the whole never ends
        if (timeval nothing{0, 2000}; ::select(0, nullptr, nullptr, nullptr, &nothing) != 0) {
            break;
        }
    }
    EXPECT_THAT(connection.rest(), testing::AnyOf(HasSubstr(" 408 "), HasSubstr(" 431 "), ""));
    EXPECT_EQ(handled, 0);
}

TEST_F(LimitsTest, a_handler_may_take_longer_than_every_timeout) {
    server.options.header_timeout = server.options.body_timeout = server.options.idle_timeout =
        server.options.write_timeout = milliseconds(20);
    start();
    auto held = server.connect();
    held.send("POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    auto witness = server.connect();  // silent: when it is closed, the timeout has passed
    EXPECT_TRUE(witness.closed());
    gate.take()[0].responder.send(Response::text(200, "at last"));
    EXPECT_EQ(held.receive().body, "at last");
}

TEST_F(LimitsTest, drops_a_client_that_does_not_read) {
    server.options.write_timeout = milliseconds(50);
    server.routes.add(
        {.path = "/large/answer", .handler = [](Request, const Caller&, Responder responder) {
             responder.send(Response::text(200, std::string(32u << 20, 'x')));
         }});
    start();
    RawConnection connection(server.port(), 4096);
    connection.send(get("/large/answer"));
    ASSERT_TRUE(connection.read_some());  // the answer has begun: now stop reading
    const auto patience = std::chrono::steady_clock::now() + test_patience;
    for (const double wanted : {1.0, 0.0}) {
        while (metric("helios_http_connections") != wanted) {
            ASSERT_LT(std::chrono::steady_clock::now(), patience);
            std::this_thread::yield();
        }
    }
    EXPECT_LT(connection.discard_rest(), 32u << 20);
}

TEST_F(LimitsTest, bounds_headers_by_bytes_and_number) {
    server.options.header_bytes_max = 8192;
    server.options.header_fields_max = 50;
    start();
    EXPECT_EQ(server.ask(get("/" + std::string(9000, 'a'))).status, 431);
    EXPECT_EQ(server
                  .ask("GET /x HTTP/1.1\r\nHost: localhost\r\nLong: " + std::string(9000, 'a') +
                       "\r\n\r\n")
                  .status,
              431);
    EXPECT_EQ(
        server.ask("GET /x HTTP/1.1\r\nHost: localhost\r\nLong: " + std::string(9000, 'a')).status,
        431);  // without an end
    std::string fields = "Host: localhost\r\n";
    for (int i = 0; i < 49; ++i) {
        fields += fmt::format("H{}: x\r\n", i);
    }
    EXPECT_EQ(server.ask(get("/x", fields)).status, 200);
    EXPECT_EQ(server.ask(get("/x", fields + "One: more\r\n")).status, 431);
    EXPECT_EQ(handled, 1);
}

TEST_F(LimitsTest, bounds_what_surrounds_a_chunk) {
    server.options.header_bytes_max = 4096;
    start();
    const std::string head =
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(server.ask(head + "1;" + std::string(10'000, 'e')).status, 400);
    EXPECT_EQ(
        server.ask(head + "0\r\n" + std::string("T: t\r\n", 6) + std::string(10'000, 't')).status,
        400);
    EXPECT_EQ(server.ask(head + "zz\r\n").status, 400);
    EXPECT_EQ(server.ask(head + "-1\r\n").status, 400);
    EXPECT_EQ(server.ask(head + "fffffffffffffffff\r\n").status, 400);
    auto endless = server.connect();
    endless.send(head + "ffffffffffffffff\r\n" + std::string(100, 'x') +
                 "\r\n0\r\n\r\n");  // all of it is body
    endless.end_of_input();
    EXPECT_EQ(endless.receive().status, 413);
    EXPECT_EQ(handled, 0);
}

TEST_F(LimitsTest, refuses_requests_that_two_servers_could_read_differently) {
    start();
    const std::string smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const std::vector<std::string> attempts = {
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: "
        "chunked\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: "
        "6\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "identity\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding\t: chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: localhost\nTransfer-Encoding: chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\rTransfer-Encoding: chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n" +
            smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\n" + smuggled,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"s,
        "POST /x HTTP/1.1\r\nHost: localhost\r\nNo colon\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: localhost\r\n: no name\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        "POST  /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        "POST /x y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        "POST /x\r\nHost: localhost\r\n\r\n",
        "G\x01T /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: local host\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: user@localhost\r\n\r\n",
        "GET /x#fragment HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET ftp://localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),  // a TLS hello
    };
    for (const std::string& attempt : attempts) {
        auto connection = server.connect();
        EXPECT_EQ(connection.exchange(attempt).status, 400) << attempt;
        // Whatever follows is not read as another request.
        connection.end_of_input();
        const std::string rest = connection.rest();
        EXPECT_THAT(rest, Not(HasSubstr(" 200 "))) << attempt;
    }
    EXPECT_EQ(server.ask("GET /x HTTP/2.0\r\nHost: localhost\r\n\r\n").status, 505);
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(server.ask(get("/x")).status, 200);
}

TEST_F(LimitsTest, refuses_requests_that_end_early) {
    start();
    for (const std::string_view part :
         {"GET", "GET /x HTTP/1.1\r\nHost: localhost\r\n",
          "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1234",
          "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
          "chunked\r\n\r\n5\r\n12345\r\n0\r\n"}) {
        auto connection = server.connect();
        connection.send(part);
        connection.end_of_input();
        EXPECT_EQ(connection.receive().status, 400) << part;
        EXPECT_TRUE(connection.closed()) << part;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(LimitsTest, refuses_bad_encodings_and_keeps_odd_ones_as_text) {
    start();
    auto connection = server.connect();
    for (const auto* path :
         {"/%", "/%4", "/%zz", "/a%00b", "/%ff", "/%c0%ae", "/x?a=%", "/x?%00=1", "/x?a=%ed%a0%80",
          "/../etc/passwd", "/x/..", "/./x", "/%2e%2e/x", "/x/%2E"}) {
        EXPECT_EQ(connection.exchange(get(path)).status, 400) << path;
    }
    EXPECT_EQ(handled, 0);
    for (const auto* path :
         {"/..%2f..%2fetc%2fpasswd", "/...", "/a%20b", "/%C3%A4", "/x?", "/x?=&&a", "/x?a=1&a=2"}) {
        EXPECT_EQ(connection.exchange(get(path)).status, 200) << path;
    }
    EXPECT_EQ(connection.exchange(get("//x")).status, 404);
    EXPECT_EQ(connection.exchange(get("/")).status, 404);
}

TEST_F(LimitsTest, answers_only_to_its_own_names) {
    start();
    const auto status = [&](std::string_view host) {
        return server.ask(get("/x", fmt::format("Host: {}\r\n", host))).status;
    };
    for (const auto* host : {"localhost", "LOCALHOST:9", "localhost.", "127.0.0.1",
                             "127.0.0.1:8001", "127.8.9.1", "[::1]", "[::1]:80"}) {
        EXPECT_EQ(status(host), 200) << host;
    }
    for (const auto* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                             "10.0.0.1", "0.0.0.0", "[::2]", "127.1", "2130706433"}) {
        EXPECT_EQ(status(host), 421) << host;
    }
    for (const auto* host : {"", "localhost:port", "[::1", "a/b", "localhost:123456"}) {
        EXPECT_EQ(status(host), 400) << host;
    }
    EXPECT_EQ(server.ask(get("http://evil.example/x")).status, 421);  // the target's host counts
    EXPECT_EQ(server.ask(get("http://localhost/x", "Host: localhost\r\n")).status, 200);
    const auto refused = server.ask(get("/x", "Host: evil.example\r\n"));
    EXPECT_THAT(refused.body, HasSubstr("allowed_hosts"));
    EXPECT_EQ(server.ask("GET /x HTTP/1.0\r\n\r\n").status, 200);  // no browser speaks so
}

TEST_F(LimitsTest, answers_to_the_names_it_is_told) {
    server.options.allowed_hosts = {"helios.example", "proxy.example:8443"};
    start();
    const auto status = [&](std::string_view host) {
        return server.ask(get("/x", fmt::format("Host: {}\r\n", host))).status;
    };
    EXPECT_EQ(status("helios.example"), 200);
    EXPECT_EQ(status("Helios.Example:1234"), 200);
    EXPECT_EQ(status("proxy.example:8443"), 200);
    EXPECT_EQ(status("proxy.example"), 421);
    EXPECT_EQ(status("www.helios.example"), 421);
}

TEST_F(LimitsTest, lets_no_page_of_another_site_change_anything) {
    start();
    const auto status = [&](std::string_view headers, std::string_view path = "/change") {
        return server
            .ask(fmt::format(
                "POST {} HTTP/1.1\r\nHost: localhost:8001\r\nContent-Length: 0\r\n{}\r\n", path,
                headers))
            .status;
    };
    EXPECT_EQ(status(""), 200);  // no browser
    EXPECT_EQ(status("Origin: http://localhost:8001\r\n"), 200);
    EXPECT_EQ(status("Origin: http://localhost:8001\r\nSec-Fetch-Site: same-origin\r\n"), 200);
    EXPECT_EQ(status("Sec-Fetch-Site: none\r\n"), 200);
    EXPECT_EQ(status("Origin: http://evil.example\r\n"), 403);
    EXPECT_EQ(status("Origin: http://localhost:3000\r\n"), 403);
    EXPECT_EQ(status("Origin: http://localhost\r\n"), 403);
    EXPECT_EQ(status("Origin: http://localhost:8001.evil.example\r\n"), 403);
    EXPECT_EQ(status("Origin: null\r\n"), 403);
    EXPECT_EQ(status("Origin: \r\n"), 403);
    EXPECT_EQ(status("Sec-Fetch-Site: cross-site\r\n"), 403);
    EXPECT_EQ(status("Sec-Fetch-Site: same-site\r\n"), 403);
    EXPECT_EQ(status("Origin: http://localhost:8001\r\nSec-Fetch-Site: cross-site\r\n"), 403);
    EXPECT_EQ(status("Origin: http://evil.example\r\n", "/x"),
              200);  // reading is the browser's own business
}

TEST_F(LimitsTest, holds_all_bodies_together_within_one_budget) {
    server.options.body_bytes_max = 100'000;
    server.options.inflight_bytes_max = 250'000;
    start();
    const std::string body(100'000, 'x');
    const std::string held =
        fmt::format("POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body);
    auto first = server.connect();
    first.send(held);
    ASSERT_TRUE(gate.wait_for_arrivals(1));

    std::vector<RawConnection> others;
    RawConnection::Answer refused;
    for (int i = 0; i < 3 && refused.status == 0; ++i) {
        auto& connection = others.emplace_back(server.connect());
        connection.send(held);
        // Either it is refused, or it is held as well; three cannot be.
        auto probe = server.connect();
        EXPECT_EQ(probe.exchange(get("/x")).status, 200);  // small requests go on
        if (gate.arrived() == static_cast<std::size_t>(i) + 1) {
            refused = connection.receive();
        }
    }
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("Retry-After: "));
    for (auto& request : gate.take()) {
        request.responder.send(Response::empty(204));
    }
    EXPECT_EQ(first.receive().status, 204);
    const std::size_t arrived = gate.arrived();
    auto again = server.connect();
    again.send(held);
    EXPECT_TRUE(gate.wait_for_arrivals(arrived + 1));  // room again
    for (auto& request : gate.take()) {
        request.responder.send(Response::empty(204));
    }
    EXPECT_EQ(again.receive().status, 204);
}

TEST_F(LimitsTest, announcing_much_takes_nothing_from_the_budget) {
    server.options.body_bytes_max = 1'000'000;
    server.options.inflight_bytes_max = 2'000'000;
    start();
    std::vector<RawConnection> greedy;
    for (int i = 0; i < 20; ++i) {
        auto& connection = greedy.emplace_back(server.connect());
        connection.send(
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: "
            "100-continue\r\n\r\n");
        ASSERT_EQ(connection.receive().status, 100);
    }
    const std::string body(500'000, 'x');
    EXPECT_EQ(
        server
            .ask(fmt::format("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                             body.size(), body))
            .status,
        200);
}

TEST_F(LimitsTest, refuses_blocking_work_beyond_its_queue) {
    server.options.worker_threads = 1;
    server.options.worker_queue_max = 2;
    Mutex busy;
    server.routes.add({.path = "/blocking/work",
                       .handler =
                           [&](Request request, const Caller&, Responder responder) {
                               gate.hold(std::move(request), Responder([](Response) {}));
                               const MutexLock wait(busy);
                               responder.send(Response::empty(204));
                           },
                       .blocking = true});
    start();
    MutexLock hold(busy);
    auto connection = server.connect();
    connection.send(get("/blocking/work"));
    ASSERT_TRUE(gate.wait_for_arrivals(1));  // it runs; two more may wait
    Mutex mutex;
    Condition changed;
    std::map<int, int> by_status;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            const int status = server.ask(get("/blocking/work")).status;
            const MutexLock lock(mutex);
            ++by_status[status];
            changed.notify_all();
        });
    }
    {
        MutexLock lock(mutex);
        EXPECT_TRUE(changed.wait_for(lock, test_patience, [&] { return by_status[503] == 2; }));
    }
    hold.unlock();
    EXPECT_EQ(connection.receive().status, 204);
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(by_status[204], 2);
    server.stop();  // before what its handler refers to
}

TEST_F(LimitsTest, refuses_connections_beyond_their_number) {
    server.options.connections_max = 2;
    start();
    auto first = server.connect();
    auto second = server.connect();
    EXPECT_EQ(first.exchange(get("/x")).status, 200);
    EXPECT_EQ(second.exchange(get("/x")).status, 200);
    auto third = server.connect();
    EXPECT_EQ(third.receive().status, 503);
    EXPECT_TRUE(third.closed());
    first.close();
    for (int status = 0;
         status != 200;) {  // its place is free as soon as the server has seen it go
        status = server.ask(get("/x")).status;
    }
}

TEST_F(LimitsTest, reads_no_compressed_bodies) {
    start();
    const auto status = [&](std::string_view encoding) {
        return server
            .ask(fmt::format("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                             "1\r\nContent-Encoding: {}\r\n\r\nx",
                             encoding))
            .status;
    };
    EXPECT_EQ(status("identity"), 200);
    EXPECT_EQ(status("gzip"), 415);
    EXPECT_EQ(status("identity, br"), 415);
    EXPECT_EQ(handled, 1);
}

}  // namespace
}  // namespace helios::http
