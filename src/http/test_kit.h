#pragma once
/// For tests of this room and of rooms that serve: a server on a free loopback port, a raw
/// connection that can speak malformed HTTP, and a gate that holds requests until the test lets
/// them go. Waits on conditions, never on time; what should have happened and has not within ten
/// seconds fails.

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <functional>
#include <linux/sockios.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "http/server.h"

namespace helios::http {

inline constexpr std::chrono::seconds test_patience{10};

/// What a RawConnection speaks instead of plain bytes.
class RawTransport {
public:
    virtual ~RawTransport() = default;
    virtual bool send(std::string_view bytes) = 0;
    struct Got {
        std::size_t bytes = 0;  ///< 0: the end, or nothing in time
        bool timed_out = false;
    };
    virtual Got receive(char* into, std::size_t size) = 0;
    virtual void end_of_input() = 0;
};

/// Set: all connections speak so, and all TestServers are told before they start. So that tests of
/// the server can be run once more over another transport (server_over_tls_test.cpp).
inline std::function<std::unique_ptr<RawTransport>(int fd)> raw_transport;
inline std::function<void(ServerOptions&)> adjust_server;

struct Plainly {};
inline constexpr Plainly plainly;

/// A TCP connection to 127.0.0.1 that sends what it is told to.
class RawConnection {
public:
    /// `from`: another address of this machine, for a caller of its own.
    explicit RawConnection(std::uint16_t port, int receive_buffer_bytes = 0,
                           const char* from = nullptr)
        : RawConnection(port, receive_buffer_bytes, from, plainly) {
        if (raw_transport && connected_) {
            transport_ = raw_transport(fd_);
        }
    }
    /// Whatever raw_transport is.
    RawConnection(std::uint16_t port, int receive_buffer_bytes, const char* from, Plainly)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer_bytes != 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                         sizeof receive_buffer_bytes);
        }
        const timeval patience{test_patience.count(), 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        if (from != nullptr) {
            ::inet_pton(AF_INET, from, &address.sin_addr);
            ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        }
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    explicit RawConnection(int accepted_fd) : fd_(accepted_fd), connected_(true) {}
    RawConnection(RawConnection&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          connected_(other.connected_),
          transport_(std::move(other.transport_)),
          buffer_(std::move(other.buffer_)) {}
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;
    ~RawConnection() { close(); }

    bool connected() const { return connected_; }
    int fd() const { return fd_; }
    void speak(std::unique_ptr<RawTransport> transport) { transport_ = std::move(transport); }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    void end_of_input() {
        transport_ ? transport_->end_of_input() : static_cast<void>(::shutdown(fd_, SHUT_WR));
    }

    /// False: the peer has closed, or does not read.
    bool send(std::string_view bytes) {
        if (transport_) {
            return transport_->send(bytes);
        }
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno != EINTR) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
        }
        return true;
    }

    /// Waits until the peer's machine has what was sent, read or not: a busy one brings it later.
    /// False: not within the test's patience.
    bool has_arrived() const {
        const SystemClock clock;
        const auto until = clock.monotonic() + test_patience;
        int on_the_way = 1;
        while (::ioctl(fd_, SIOCOUTQ, &on_the_way) == 0 && on_the_way != 0 &&
               clock.monotonic() < until) {
            std::this_thread::yield();
        }
        return on_the_way == 0;
    }

    struct Answer {
        int status = 0;  ///< 0: the connection ended or nothing came in time
        std::string head;
        std::string body;
        bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
    };
    /// The next response, by its Content-Length.
    Answer receive(bool head_request = false) {
        Answer answer;
        std::size_t end;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!read_some()) {
                return answer;
            }
        }
        answer.head = buffer_.substr(0, end + 2);
        buffer_.erase(0, end + 4);
        std::size_t length = 0;
        if (const auto at = answer.head.find("Content-Length: ");
            at != std::string::npos && !head_request) {
            length = std::stoul(answer.head.substr(at + 16));
        }
        while (buffer_.size() < length) {
            if (!read_some()) {
                return answer;
            }
        }
        answer.body = buffer_.substr(0, length);
        buffer_.erase(0, length);
        answer.status = std::stoi(answer.head.substr(9, 3));
        return answer;
    }
    Answer exchange(std::string_view request) {
        send(request);
        return receive();
    }

    /// True once the peer has closed (nothing more came); false: bytes came, or it stayed open.
    bool closed() { return buffer_.empty() && !read_some() && !timed_out_; }
    /// Everything up to the end of the connection.
    std::string rest() {
        while (read_some()) {
        }
        return std::exchange(buffer_, {});
    }
    /// Bytes read and thrown away up to the end of the connection.
    std::size_t discard_rest() {
        std::size_t total = buffer_.size();
        buffer_.clear();
        while (read_some()) {
            total += buffer_.size();
            buffer_.clear();
        }
        return total;
    }
    bool read_some() {
        char bytes[64 << 10];
        if (transport_) {
            const auto got = transport_->receive(bytes, sizeof bytes);
            timed_out_ = got.timed_out;
            buffer_.append(bytes, got.bytes);
            return got.bytes > 0;
        }
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (got <= 0) {
            return false;
        }
        buffer_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }
    const std::string& buffered() const { return buffer_; }
    /// The next `bytes`, or fewer where the connection ends or nothing more comes in time.
    std::string take(std::size_t bytes) {
        while (buffer_.size() < bytes && read_some()) {
        }
        std::string taken = buffer_.substr(0, bytes);
        buffer_.erase(0, taken.size());
        return taken;
    }

private:
    int fd_;
    bool connected_ = false;
    bool timed_out_ = false;
    std::unique_ptr<RawTransport> transport_;
    std::string buffer_;
};

/// Holds requests whose handler calls hold(), until the test takes them. Thread-safe.
class Gate {
public:
    struct Held {
        Request request;
        Responder responder;
    };
    Handler handler() {
        return [this](Request request, const Caller&, Responder responder) {
            hold(std::move(request), std::move(responder));
        };
    }
    void hold(Request request, Responder responder) {
        const MutexLock lock(mutex_);
        held_.push_back({std::move(request), std::move(responder)});
        arrived_ += 1;
        changed_.notify_all();
    }
    /// False: fewer than `count` requests have ever arrived within the test's patience.
    bool wait_for_arrivals(std::size_t count) {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, test_patience,
                                 [&]() HELIOS_REQUIRES(mutex_) { return arrived_ >= count; });
    }
    std::vector<Held> take() {
        const MutexLock lock(mutex_);
        return std::exchange(held_, {});
    }
    std::size_t arrived() const {
        const MutexLock lock(mutex_);
        return arrived_;
    }

private:
    mutable Mutex mutex_;
    Condition changed_;
    std::vector<Held> held_ HELIOS_GUARDED_BY(mutex_);
    std::size_t arrived_ HELIOS_GUARDED_BY(mutex_) = 0;
};

/// A server on a free port of 127.0.0.1. Add routes, then start().
class TestServer {
public:
    explicit TestServer(telemetry::Level level = telemetry::Level::info)
        : telemetry(clock, level, log_lines) {
        options.port = 0;
    }
    ~TestServer() { stop(); }

    void start() {
        if (adjust_server) {
            adjust_server(options);
        }
        auto bound = Server::bind(options, telemetry, http_clock != nullptr ? *http_clock : clock);
        HELIOS_ASSERT(bound, bound ? "" : bound.error().message());
        server = *std::move(bound);
        server->start(routes, identify, refused);
    }
    void stop() { server.reset(); }
    std::uint16_t port() const { return server->port(); }
    RawConnection connect() const { return RawConnection(port()); }
    /// Sends on a new connection, returns the first answer.
    RawConnection::Answer ask(std::string_view request) const {
        return connect().exchange(request);
    }

    SystemClock clock;
    std::vector<std::string> log_lines;  ///< read after stop()
    telemetry::Telemetry telemetry;
    ServerOptions options;
    RouteTable routes;
    Server::Identify identify;          ///< set before start()
    const Clock* http_clock = nullptr;  ///< instead of `clock`; set before start()
    Server::Refused refused;            ///< likewise
    std::unique_ptr<Server> server;
};

}  // namespace helios::http
