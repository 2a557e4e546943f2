// A server that ends: what has begun is finished, or told that it will not be.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "http/server.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;

std::string post_head(std::size_t bytes) {
    return fmt::format("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", bytes);
}

class DrainTest : public testing::Test {
protected:
    DrainTest() {
        server.routes.add({.method = Method::post,
                           .path = "/x",
                           .handler = [](Request request, const Caller&, Responder responder) {
                               responder.send(Response::text(200, std::move(request.body)));
                           }});
        server.routes.add({.path = "/held", .handler = gate.handler()});
        server.start();
    }
    ~DrainTest() override {
        if (drainer.joinable()) {
            drainer.join();
        }
    }
    /// Returns once draining has begun.
    void drain(Duration limit) {
        auto probe = server.connect();
        const std::string unknown = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
        EXPECT_EQ(probe.exchange(unknown).status, 404);
        drainer = std::thread([this, limit] { server.server->drain(limit); });
        RawConnection::Answer answer;
        do {
            answer = probe.exchange(unknown);
        } while (answer.status == 404 && !answer.has("Connection: close\r\n"));
    }
    /// A request of which the server has read all that came, but not all there is.
    RawConnection half(std::string_view bytes) {
        auto connection = server.connect();
        connection.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(bytes));
        EXPECT_EQ(connection.receive().status, 404);
        return connection;
    }

    Gate gate;
    TestServer server;
    std::thread drainer;
};

TEST_F(DrainTest, an_upload_that_is_half_read_is_finished) {
    auto counted = half(post_head(10) + "01234");
    auto chunked =
        half("POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234");
    drain(test_patience);
    counted.send("56789");
    chunked.send("\r\n5\r\n56789\r\n0\r\n\r\n");
    for (auto* upload : {&counted, &chunked}) {
        const auto answer = upload->receive();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "0123456789");
        EXPECT_TRUE(answer.has("Connection: close\r\n"));
        EXPECT_TRUE(upload->closed());
    }
    drainer.join();
}

TEST_F(DrainTest, an_upload_that_does_not_end_is_told_so_within_the_limit) {
    auto stuck = half(post_head(10'000'000) + "01234");
    auto sending = half(post_head(10'000'000) + "01234");
    std::jthread sender([&](const std::stop_token& stop) {
        while (!stop.stop_requested() && sending.send("x")) {
            std::this_thread::yield();
        }
    });
    const auto begun = std::chrono::steady_clock::now();
    drain(milliseconds(4000));
    EXPECT_EQ(stuck.receive().status, 503);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(4000));
    const auto answer = sending.receive();
    sender.request_stop();
    EXPECT_EQ(answer.status, 503) << "not lost to a reset, though bytes came behind it";
    EXPECT_TRUE(answer.has("Retry-After: "));
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    sender.join();
    drainer.join();
}

TEST_F(DrainTest, a_head_that_is_half_read_is_refused_at_once) {
    auto connection = half("POST /x HTTP/1.1\r\nHost: local");
    drain(test_patience * 3);
    EXPECT_EQ(connection.receive().status, 503);
    connection.close();
    drainer.join();
}

TEST_F(DrainTest, the_last_answer_says_that_the_connection_ends) {
    auto connection = server.connect();
    connection.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(gate.wait_for_arrivals(1));
    drain(test_patience);
    gate.take()[0].responder.send(Response::text(200, "finished"));
    const auto answer = connection.receive();
    EXPECT_EQ(answer.body, "finished");
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    EXPECT_TRUE(connection.closed());
    drainer.join();
}

TEST_F(DrainTest, whoever_is_silent_holds_nothing_up) {
    auto silent = server.connect();
    auto kept = half("");
    const auto begun = std::chrono::steady_clock::now();
    server.server->drain(test_patience * 3);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, test_patience);
    EXPECT_TRUE(silent.closed());
    EXPECT_TRUE(kept.closed());
}

}  // namespace
}  // namespace helios::http
