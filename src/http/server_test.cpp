#include "http/server.h"

#include <atomic>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "http/client.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using testing::Contains;
using testing::HasSubstr;

Handler echo() {
    return [](Request request, const Caller&, Responder responder) {
        responder.send(Response::text(200, std::move(request.body)));
    };
}

std::string post(std::string_view path, std::string_view body, std::string_view headers = "") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}",
                       path, body.size(), headers, body);
}

std::string get(std::string_view path, std::string_view headers = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers);
}

TEST(Server, keeps_a_connection_for_many_requests) {
    TestServer server;
    server.routes.add(
        {.path = "/who", .handler = [](Request request, const Caller&, Responder responder) {
             responder.send(Response::text(200, request.remote));
         }});
    server.start();
    Client client("127.0.0.1", server.port());
    const auto first = client.get("/who");
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_THAT(first->body, testing::StartsWith("127.0.0.1:"));
    for (int i = 0; i < 10; ++i) {
        const auto again = client.get("/who");
        ASSERT_TRUE(again);
        EXPECT_EQ(again->body, first->body);  // the same source port: the same connection
    }
}

TEST(Server, hands_over_path_query_headers_and_body) {
    TestServer server;
    Gate gate;
    server.routes.add({.method = Method::post,
                       .path = "/orders/{orderId}/items/{item}",
                       .handler = gate.handler()});
    server.start();
    auto connection = server.connect();
    connection.send(
        "POST /orders/a%2Fb%20c/items/..%2f?x=1&y=a+b%26&x=2 HTTP/1.1\r\nHost: "
        "localhost:1\r\nX-One: 1\r\nx-one: 2\r\n"
        "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n{}");
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    auto held = gate.take();
    const Request& request = held[0].request;
    EXPECT_EQ(request.method, Method::post);
    EXPECT_EQ(request.path_param("orderId"), "a/b c");
    EXPECT_EQ(request.path_param("item"), "../");
    EXPECT_EQ(request.path_param("other"), "");
    EXPECT_EQ(request.query_param("x"), "1");
    EXPECT_EQ(request.query_param("y"), "a b&");
    EXPECT_EQ(request.query_param("z"), std::nullopt);
    EXPECT_EQ(*request.header("X-ONE"), "1");
    EXPECT_EQ(request.header("absent"), nullptr);
    EXPECT_EQ(request.media_type(), "application/json");
    EXPECT_EQ(request.body, "{}");
    ASSERT_TRUE(request.trace);
    EXPECT_EQ(request.trace->trace_id, "0af7651916cd43dd8448eb211c80319c");
    held[0].responder.send(Response::empty(204));
    const auto answer = connection.receive();
    EXPECT_EQ(answer.status, 204);
    EXPECT_FALSE(answer.has("Content-Length"));
    EXPECT_TRUE(answer.has("Date: "));
}

TEST(Server, ignores_trace_context_given_twice) {
    TestServer server;
    Gate gate;
    server.routes.add({.path = "/", .handler = gate.handler()});
    server.start();
    constexpr auto trace =
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    auto connection = server.connect();
    connection.send(get("/", std::string(trace) + trace) +
                    get("/", std::string(trace) + trace + trace));
    ASSERT_TRUE(gate.wait_for_arrivals(2));
    for (auto& held : gate.take()) {
        EXPECT_FALSE(held.request.trace);
        held.responder.send(Response::empty(204));
    }
}

TEST(Server, answers_pipelined_requests_in_order_whatever_the_handlers_do) {
    TestServer server;
    Gate gate;
    server.options.pipeline_max = 8;
    server.routes.add({.path = "/{n}", .handler = gate.handler()});
    server.start();
    auto connection = server.connect();
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        requests += get(fmt::format("/{}", i));
    }
    ASSERT_TRUE(connection.send(requests));
    std::size_t answered = 0;
    while (answered < 100) {
        const std::size_t expected = std::min<std::size_t>(answered + 8, 100);
        ASSERT_TRUE(gate.wait_for_arrivals(expected));
        EXPECT_EQ(gate.arrived(), expected);  // no more than pipeline_max at once
        auto held = gate.take();
        std::thread([&] {  // last first, from another thread
            for (auto it = held.rbegin(); it != held.rend(); ++it) {
                it->responder.send(Response::text(200, std::string(it->request.path_param("n"))));
            }
        })
            .join();
        for (; answered < expected; ++answered) {
            const auto answer = connection.receive();
            ASSERT_EQ(answer.status, 200);
            ASSERT_EQ(answer.body, std::to_string(answered));
        }
    }
}

TEST(Server, answers_pipelined_requests_of_a_client_that_has_finished_sending) {
    TestServer server;
    server.routes.add(
        {.path = "/{n}", .handler = [](Request request, const Caller&, Responder responder) {
             responder.send(Response::text(200, std::string(request.path_param("n"))));
         }});
    server.options.pipeline_max = 4;
    server.start();
    auto connection = server.connect();
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        requests += get(fmt::format("/{}", i));
    }
    connection.send(requests);
    connection.end_of_input();
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(connection.receive().body, std::to_string(i));
    }
    EXPECT_TRUE(connection.closed());
}

TEST(Server, serves_64_connections_at_once_from_blocking_and_other_handlers) {
    TestServer server;
    server.options.io_threads = 2;
    server.routes.add(
        {.method = Method::post, .path = "/blocking", .handler = echo(), .blocking = true});
    server.routes.add({.method = Method::post, .path = "/inline", .handler = echo()});
    server.start();
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 64; ++t) {
        threads.emplace_back([&, t] {
            Client client("127.0.0.1", server.port());
            for (int i = 0; i < 10; ++i) {
                const std::string body = fmt::format(
                    "{}-{}-{}", t, i, std::string(static_cast<std::size_t>(i) * 1000, 'x'));
                const auto answer =
                    client.post(i % 2 == 0 ? "/blocking" : "/inline", "text/plain", body);
                right += answer && answer->status == 200 && answer->body == body ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, 640);
}

TEST(Server, reads_bodies_in_any_portions) {
    TestServer server;
    server.routes.add({.method = Method::post, .path = "/", .handler = echo()});
    server.start();
    auto connection = server.connect();
    const std::string chunked =
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;name=value\r\nhello\r\nA\r\n 0123456\r\n\r\n0\r\nTrailer: kept-from-nobody\r\n\r\n";
    const std::string expected("hello 0123456\r\n");
    EXPECT_EQ(connection.exchange(chunked).body, expected);
    for (const char c : chunked) {
        ASSERT_TRUE(connection.send(std::string_view(&c, 1)));
    }
    EXPECT_EQ(connection.receive().body, expected);
    const std::string large(3u << 20, 'y');
    EXPECT_EQ(connection.exchange(post("/", large)).body, large);
    EXPECT_EQ(connection.exchange(post("/", "")).body, "");
    EXPECT_EQ(connection.exchange("\r\n\r\n" + post("/", "after empty lines")).body,
              "after empty lines");
}

TEST(Server, says_continue_when_asked) {
    TestServer server;
    server.routes.add(
        {.method = Method::post, .path = "/", .handler = echo(), .body_bytes_max = 100});
    server.start();
    auto connection = server.connect();
    connection.send(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(connection.receive().status, 100);
    EXPECT_EQ(connection.exchange("body").body, "body");

    auto refused = server.connect();
    const auto too_large = refused.exchange(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\nExpect: "
        "100-continue\r\n\r\n");
    EXPECT_EQ(too_large.status, 413);
    EXPECT_TRUE(refused.closed());

    EXPECT_EQ(
        server
            .ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: more\r\n\r\n")
            .status,
        417);
}

TEST(Server, says_continue_after_the_answers_before_it) {
    TestServer server;
    Gate gate;
    server.routes.add({.path = "/slow", .handler = gate.handler()});
    server.routes.add({.method = Method::post, .path = "/", .handler = echo()});
    server.start();
    auto connection = server.connect();
    connection.send(
        get("/slow") +
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    gate.take()[0].responder.send(Response::text(200, "slow"));
    EXPECT_EQ(connection.receive().body, "slow");
    EXPECT_EQ(connection.receive().status, 100);
    EXPECT_EQ(connection.exchange("body").body, "body");
}

TEST(Server, answers_head_options_and_unknown_paths_and_methods) {
    TestServer server;
    server.routes.add(
        {.path = "/thing", .handler = [](Request, const Caller&, Responder responder) {
             responder.send(Response::json(200, "{\"a\":1}").with("X-Extra", "1"));
         }});
    server.routes.add({.method = Method::delete_, .path = "/thing", .handler = echo()});
    server.start();
    auto connection = server.connect();

    connection.send("HEAD /thing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto head = connection.receive(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.has("Content-Length: 8\r\n"));
    EXPECT_TRUE(head.has("X-Extra: 1\r\n"));

    const auto missing = connection.exchange(get("/nothing"));
    EXPECT_EQ(missing.status, 404);
    EXPECT_TRUE(missing.has("Content-Type: application/problem+json\r\n"));
    EXPECT_FALSE(missing.has("Connection: close"));

    const auto wrong = connection.exchange("PUT /thing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_TRUE(wrong.has("Allow: GET, HEAD, DELETE, OPTIONS\r\n"));

    const auto options = connection.exchange("OPTIONS /thing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(options.status, 204);
    EXPECT_TRUE(options.has("Allow: GET, HEAD, DELETE, OPTIONS\r\n"));
    EXPECT_EQ(connection.exchange("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 204);
    EXPECT_EQ(connection.exchange("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
    EXPECT_EQ(connection.exchange(get("/thing")).status, 200);  // still the same connection
}

TEST(Server, closes_when_either_side_asks) {
    TestServer server;
    server.routes.add({.path = "/", .handler = [](Request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, "x"));
                       }});
    server.routes.add(
        {.path = "/close", .handler = [](Request, const Caller&, Responder responder) {
             auto response = Response::text(200, "bye");
             response.close = true;
             responder.send(std::move(response));
         }});
    server.start();
    for (const auto& request : {get("/", "Connection: close\r\n"), get("/close"),
                                std::string("GET / HTTP/1.0\r\n\r\n")}) {
        auto connection = server.connect();
        const auto answer = connection.exchange(request);
        EXPECT_EQ(answer.status, 200) << request;
        EXPECT_TRUE(answer.has("Connection: close\r\n")) << request;
        EXPECT_TRUE(connection.closed()) << request;
    }
    auto connection = server.connect();
    EXPECT_TRUE(connection.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    .has("Connection: keep-alive\r\n"));
    EXPECT_EQ(connection.exchange(get("/close") + get("/")).body, "bye");
    EXPECT_TRUE(connection.closed());  // what was pipelined behind a closing answer gets none
}

TEST(Server, answers_500_for_a_handler_that_drops_its_request_or_throws) {
    TestServer server;
    server.routes.add({.path = "/drop", .handler = [](Request, const Caller&, Responder) {}});
    server.routes.add({.path = "/drop-later",
                       .handler = [](Request, const Caller&, Responder) {},
                       .blocking = true});
    server.routes.add({.path = "/throw", .handler = [](Request, const Caller&, Responder) {
                           throw std::runtime_error("boom");
                       }});
    server.start();
    auto connection = server.connect();
    for (const auto* path : {"/drop", "/drop-later", "/throw"}) {
        EXPECT_EQ(connection.exchange(get(path)).status, 500) << path;
    }
    server.stop();
    EXPECT_THAT(server.log_lines,
                Contains(testing::AllOf(HasSubstr("error"), HasSubstr("/drop-later"))));
    EXPECT_THAT(server.log_lines, Contains(testing::AllOf(HasSubstr("error"), HasSubstr("boom"))));
}

TEST(Server, lines_about_a_request_name_its_trace) {
    TestServer server;
    server.routes.add({.path = "/throw", .handler = [](Request, const Caller&, Responder) {
                           throw std::runtime_error("boom");
                       }});
    server.start();
    const std::string trace = "0af7651916cd43dd8448eb211c80319c";
    auto connection = server.connect();
    EXPECT_EQ(connection
                  .exchange("GET /throw HTTP/1.1\r\nHost: localhost\r\ntraceparent: 00-" + trace +
                            "-b7ad6b7169203331-01\r\n\r\n")
                  .status,
              500);
    server.stop();
    EXPECT_THAT(server.log_lines, Contains(testing::AllOf(HasSubstr("boom"), HasSubstr(trace))));
    EXPECT_THAT(server.log_lines,
                Contains(testing::AllOf(HasSubstr("answered with 500"), HasSubstr(trace))));
}

TEST(Server, sends_large_answers_whole) {
    TestServer server;
    const std::string large(5u << 20, 'z');
    server.routes.add({.path = "/", .handler = [&](Request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, large));
                       }});
    server.start();
    auto connection = server.connect();
    connection.send(get("/") + get("/"));
    EXPECT_EQ(connection.receive().body, large);
    EXPECT_EQ(connection.receive().body, large);
}

TEST(Server, never_lets_a_value_begin_a_header) {
    TestServer server;
    server.routes.add({.path = "/", .handler = [](Request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, "x").with("X", "a\r\nInjected: 1"));
                       }});
    server.start();
    EXPECT_FALSE(server.ask(get("/")).has("\r\nInjected"));
}

TEST(Server, drains_what_has_begun_and_refuses_what_is_new) {
    TestServer server;
    Gate gate;
    server.routes.add({.path = "/", .handler = gate.handler()});
    server.start();
    const auto port = server.port();
    auto busy = server.connect();
    auto kept = server.connect();
    auto untouched = server.connect();
    kept.send(get("/nothing"));
    EXPECT_EQ(kept.receive().status, 404);
    busy.send(get("/"));
    ASSERT_TRUE(gate.wait_for_arrivals(1));

    std::thread drainer([&] { server.server->drain(test_patience); });
    // Draining has begun when a request on an open connection is refused.
    RawConnection::Answer refused;
    do {
        refused = kept.exchange(get("/nothing"));
    } while (refused.status == 404);
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("Connection: close\r\n"));
    EXPECT_TRUE(refused.has("Retry-After: "));
    EXPECT_TRUE(kept.closed());

    gate.take()[0].responder.send(Response::text(200, "finished"));
    const auto finished = busy.receive();
    EXPECT_EQ(finished.body, "finished");
    drainer.join();
    EXPECT_TRUE(busy.closed());
    EXPECT_TRUE(untouched.closed());
    EXPECT_FALSE(RawConnection(port).connected());
    server.server->drain(test_patience);  // again: nothing to do
}

TEST(Server, drain_gives_up_at_its_limit_and_late_answers_are_harmless) {
    TestServer server;
    Gate gate;
    server.routes.add({.method = Method::post, .path = "/", .handler = gate.handler()});
    server.start();
    auto connection = server.connect();
    connection.send(post("/", std::string(100'000, 'x')));
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    server.server->drain(std::chrono::milliseconds(20));
    EXPECT_TRUE(connection.closed());
    auto held = gate.take();
    server.stop();
    held[0].responder.send(Response::text(200, "too late"));
}

TEST(Server, a_client_that_leaves_does_not_disturb_its_handler) {
    TestServer server;
    Gate gate;
    server.options.body_bytes_max = 100'000;
    server.options.inflight_bytes_max = 200'000;
    server.routes.add({.method = Method::post, .path = "/", .handler = gate.handler()});
    server.routes.add({.path = "/", .handler = [](Request, const Caller&, Responder responder) {
                           responder.send(Response::empty(204));
                       }});
    server.start();
    for (int i = 0; i < 5; ++i) {  // the budget has room for one: it must come back each time
        auto connection = server.connect();
        connection.send(post("/", std::string(100'000, 'x')));
        ASSERT_TRUE(gate.wait_for_arrivals(static_cast<std::size_t>(i) + 1));
        connection.close();
        gate.take()[0].responder.send(Response::text(200, "nobody hears"));
        // The answer passes through the loop before anything sent after it.
        EXPECT_EQ(server.ask(get("/")).status, 204);
    }
}

TEST(Server, counts_by_route_and_logs_no_query) {
    TestServer server(telemetry::Level::debug);
    server.routes.add(
        {.path = "/orders/{id}", .handler = [](Request, const Caller&, Responder responder) {
             responder.send(Response::text(200, "x"));
         }});
    server.start();
    EXPECT_EQ(server.ask(get("/orders/A1?token=s3cret")).status, 200);
    EXPECT_EQ(server.ask(get("/nothing?token=s3cret")).status, 404);
    server.stop();
    const std::string metrics = server.telemetry.metrics.expose();
    EXPECT_THAT(
        metrics,
        HasSubstr(
            R"(helios_http_requests_total{method="GET",route="/orders/{id}",status="2xx"} 1)"));
    EXPECT_THAT(
        metrics,
        HasSubstr(R"(helios_http_requests_total{method="any",route="none",status="4xx"} 1)"));
    EXPECT_THAT(metrics, HasSubstr("helios_http_request_seconds_count"));
    EXPECT_THAT(server.log_lines, Contains(HasSubstr("/orders/A1")));
    EXPECT_THAT(server.log_lines, Not(Contains(HasSubstr("s3cret"))));
}

TEST(Server, says_why_it_cannot_bind) {
    TestServer first;
    first.start();
    ServerOptions options;
    options.port = first.port();
    const auto taken = Server::bind(options, first.telemetry, first.clock);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(taken.error().what, HasSubstr(std::to_string(first.port())));
    EXPECT_FALSE(taken.error().hint.empty());

    options.host = "no.such.host.invalid";
    EXPECT_EQ(Server::bind(options, first.telemetry, first.clock).error().kind,
              ErrorKind::unavailable);
    options.host = "";
    EXPECT_EQ(Server::bind(options, first.telemetry, first.clock).error().kind, ErrorKind::invalid);
    options.host = "localhost";
    options.port = 0;
    const auto named = Server::bind(options, first.telemetry, first.clock);
    ASSERT_TRUE(named);
    EXPECT_NE((*named)->port(), 0);  // bound, never started: destruction is quiet
}

}  // namespace
}  // namespace helios::http
