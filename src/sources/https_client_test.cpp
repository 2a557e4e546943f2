#include "sources/https_client.h"

#include <arpa/inet.h>
#include <atomic>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "sources/fetcher.h"

namespace helios::sources {
namespace {

/// Answers every connection with the same bytes, and says what it was sent.
class Server {
public:
    explicit Server(std::string answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size), 0);
        port_ = ntohs(at.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~Server() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }
    std::uint16_t port() const { return port_; }
    std::string host_and_port() const { return fmt::format("127.0.0.1:{}", port_); }
    int connections() const { return connections_; }

private:
    static constexpr char tls_handshake = 0x16;
    static bool readable(int fd) {
        pollfd one{fd, POLLIN, 0};
        return ::poll(&one, 1, 20) > 0;
    }
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            if (!readable(listener_)) {
                continue;
            }
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            ++connections_;
            std::string head;
            char buffer[4096];
            while (!stop.stop_requested() && head.find("\r\n\r\n") == std::string::npos &&
                   !head.starts_with(tls_handshake)) {
                if (readable(fd)) {
                    const auto n = ::read(fd, buffer, sizeof buffer);
                    if (n <= 0) {
                        break;
                    }
                    head.append(buffer, static_cast<std::size_t>(n));
                }
            }
            if (!answer_.empty()) {
                EXPECT_GE(::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL), 0);
            } else {
                while (!stop.stop_requested() && !readable(fd)) {
                }
            }
            ::close(fd);
        }
    }

    const std::string answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::jthread thread_;
};

std::string answer(int status, std::string_view headers, std::string_view body) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
                       status, body.size(), headers, body);
}

HttpsRequest plain(const Server& server) {
    HttpsRequest request;
    request.https = false;
    request.host = "127.0.0.1";
    request.port = server.port();
    request.target = "/keys";
    return request;
}

HttpsOptions allowing(const Server& server) {
    HttpsOptions options;
    options.test_hosts = {server.host_and_port()};
    options.timeout = std::chrono::seconds(2);
    return options;
}

TEST(HttpsClient, asks_a_test_host_over_http) {
    const Server server(answer(200, "Cache-Control: max-age=60\r\n", "hello"));
    HttpsClient client(allowing(server));
    const auto got = client.perform(plain(server));
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(got->header("cache-control"), "max-age=60");
}

TEST(HttpsClient, a_private_address_is_not_connected_to_whatever_its_name) {
    const Server server(answer(200, "", "secret"));
    HttpsClient client(HttpsOptions{});
    for (const auto* host : {"127.0.0.1", "localhost"}) {
        auto request = plain(server);
        request.host = host;
        request.https = true;
        const auto got = client.perform(request);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().kind, ErrorKind::denied) << got.error().message();
    }
    EXPECT_EQ(client.perform(plain(server)).error().kind, ErrorKind::denied) << "http";
    EXPECT_EQ(server.connections(), 0);
}

TEST(HttpsClient, a_redirect_is_an_answer_and_not_followed) {
    const Server there(answer(200, "", "metadata"));
    const Server server(
        answer(302, fmt::format("Location: http://{}/\r\n", there.host_and_port()), ""));
    auto options = allowing(server);
    options.test_hosts.push_back(there.host_and_port());
    HttpsClient client(options);
    const auto got = client.perform(plain(server));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 302);
    EXPECT_EQ(there.connections(), 0);
}

TEST(HttpsClient, an_answer_has_bounds) {
    const Server large(answer(200, "", std::string(2'000, 'x')));
    HttpsClient client(allowing(large));
    auto request = plain(large);
    request.answer_bytes_max = 1'999;
    EXPECT_EQ(client.perform(request).error().kind, ErrorKind::exhausted);
    request.answer_bytes_max = 2'000;
    EXPECT_TRUE(client.perform(request));

    const Server headers(answer(200, "X: " + std::string(100'000, 'x') + "\r\n", ""));
    HttpsClient other(allowing(headers));
    EXPECT_FALSE(other.perform(plain(headers)));

    const Server silent("");
    auto options = allowing(silent);
    options.timeout = std::chrono::milliseconds(200);
    HttpsClient waiting(options);
    EXPECT_EQ(waiting.perform(plain(silent)).error().kind, ErrorKind::timeout);

    const Server noise("what\r\n\r\n");
    HttpsClient puzzled(allowing(noise));
    EXPECT_FALSE(puzzled.perform(plain(noise)));
}

TEST(HttpsClient, what_speaks_no_tls_is_refused) {
    const Server server(answer(200, "", "hello"));
    HttpsClient client(allowing(server));
    auto request = plain(server);
    request.https = true;
    EXPECT_EQ(client.perform(request).error().kind, ErrorKind::corrupt);
}

TEST(Fetcher, answers_in_the_background_and_takes_200_alone) {
    const Server server(answer(200, "", "hello"));
    const Server missing(answer(404, "", "no"));
    auto options = allowing(server);
    options.test_hosts.push_back(missing.host_and_port());
    Fetcher fetcher(options);
    std::promise<Result<HttpsAnswer>> good;
    std::promise<Result<HttpsAnswer>> bad;
    fetcher.get(plain(server), [&](Result<HttpsAnswer> got) { good.set_value(std::move(got)); });
    fetcher.get(plain(missing), [&](Result<HttpsAnswer> got) { bad.set_value(std::move(got)); });
    EXPECT_EQ(good.get_future().get()->body, "hello");
    EXPECT_EQ(bad.get_future().get().error().kind, ErrorKind::denied);
}

TEST(Fetcher, whoever_waits_when_it_closes_is_told) {
    const Server silent("");
    auto options = allowing(silent);
    options.timeout = std::chrono::seconds(60);
    Fetcher fetcher(options);
    std::promise<ErrorKind> first;
    std::promise<ErrorKind> second;
    fetcher.get(plain(silent), [&](const auto& got) { first.set_value(got.error().kind); });
    fetcher.get(plain(silent), [&](const auto& got) { second.set_value(got.error().kind); });
    while (silent.connections() == 0) {
        std::this_thread::yield();
    }
    fetcher.close();
    EXPECT_EQ(first.get_future().get(), ErrorKind::stopping);
    EXPECT_EQ(second.get_future().get(), ErrorKind::stopping);
    std::promise<ErrorKind> late;
    fetcher.get(plain(silent), [&](const auto& got) { late.set_value(got.error().kind); });
    EXPECT_EQ(late.get_future().get(), ErrorKind::stopping);
}

}  // namespace
}  // namespace helios::sources
