// Requests per second over loopback, keep-alive, a handler that does nothing: what the transport
// costs.
//   <build>/src/http/http_bench
// The client runs on a thread of its own: on two cores, one each.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "http/server.h"

namespace helios::http {
namespace {

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        return -1;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// Keeps `depth` requests under way on each connection until `total` are answered. Answers all have
/// one size.
class Load {
public:
    Load(std::uint16_t port, std::size_t connections, std::string request, std::size_t depth)
        : request_(std::move(request)) {
        for (std::size_t i = 0; i < depth; ++i) {
            batch_ += request_;
        }
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        for (std::size_t i = 0; i < connections; ++i) {
            const int fd = connect_to(port);
            fds_.push_back(fd);
            epoll_event event{EPOLLIN, {.u32 = static_cast<std::uint32_t>(i)}};
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        }
        waiting_.resize(connections);
        std::string probe(64 << 10, '\0');
        (void)::send(fds_[0], request_.data(), request_.size(), MSG_NOSIGNAL);
        answer_bytes_ = static_cast<std::size_t>(::recv(fds_[0], probe.data(), probe.size(), 0));
    }
    ~Load() {
        for (const int fd : fds_) {
            ::close(fd);
        }
        ::close(epoll_);
    }

    /// Every connection goes on by itself, `rounds` times.
    void run(std::size_t rounds) {
        std::vector<std::size_t> left(fds_.size(), rounds);
        std::size_t busy = fds_.size();
        for (std::size_t i = 0; i < fds_.size(); ++i) {
            send(i);
        }
        std::vector<char> buffer(256 << 10);
        epoll_event events[64];
        while (busy > 0) {
            const int ready = ::epoll_wait(epoll_, events, 64, -1);
            for (int e = 0; e < ready; ++e) {
                const std::size_t i = events[e].data.u32;
                const auto got = ::recv(fds_[i], buffer.data(), buffer.size(), 0);
                waiting_[i] -= static_cast<std::size_t>(got);
                if (waiting_[i] == 0) {
                    --left[i] == 0 ? static_cast<void>(--busy) : send(i);
                }
            }
        }
    }

private:
    void send(std::size_t i) {
        (void)::send(fds_[i], batch_.data(), batch_.size(), MSG_NOSIGNAL);
        waiting_[i] = answer_bytes_ * (batch_.size() / request_.size());
    }

    std::string request_;
    std::string batch_;
    std::vector<int> fds_;
    std::vector<std::size_t> waiting_;
    std::size_t answer_bytes_ = 0;
    int epoll_ = -1;
};

double cpu_seconds(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// range(0) connections, range(1) requests in a row on each.
void post_500_bytes(benchmark::State& state) {
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::warn);
    RouteTable routes;
    routes.add({.method = Method::post,
                .path = "/api/v1/events/ingest",
                .handler =
                    [](Request request, const Caller&, Responder responder) {
                        benchmark::DoNotOptimize(request.body.data());
                        responder.send(Response::json(202, R"({"status":"accepted"})"));
                    },
                .changes_state = true});
    ServerOptions options;
    options.port = 0;
    auto server = Server::bind(options, telemetry, clock);
    (*server)->start(routes);
    const std::string body(500, 'x');
    const std::string request =
        "POST /api/v1/events/ingest HTTP/1.1\r\nHost: 127.0.0.1:8001\r\nContent-Type: "
        "application/json\r\nContent-Length: "
        "500\r\n\r\n" +
        body;
    const auto depth = static_cast<std::size_t>(state.range(1));
    Load load((*server)->port(), static_cast<std::size_t>(state.range(0)), request, depth);
    constexpr std::size_t rounds = 100;
    const double before = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD);
    for (auto _ : state) {
        load.run(rounds);
    }
    const double server_cpu = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD) - before;
    state.counters["server_cpu_us_per_request"] =
        server_cpu * 1e6 /
        (static_cast<double>(state.iterations() * state.range(0) * state.range(1)) * rounds);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rounds) *
                            state.range(0) * state.range(1));
    (*server)->drain(std::chrono::seconds(1));
}
BENCHMARK(post_500_bytes)
    ->Args({1, 1})
    ->Args({64, 1})
    ->Args({512, 1})
    ->Args({16, 16})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace helios::http
