#include "lab/load_connections.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

namespace helios::lab {
namespace {

constexpr std::size_t read_chunk = 64u << 10;

/// Value of a header in `head` (name lower case, with colon), trimmed; empty if absent.
std::string_view header_in(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.size() > name.size() &&
            std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
                return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
            })) {
            std::size_t start = line.find_first_not_of(' ', name.size());
            return start == std::string_view::npos ? std::string_view{} : line.substr(start);
        }
    }
    return {};
}

std::string reason() {
    return std::strerror(errno);
}

}  // namespace

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host == "::1" || host == "[::1]") {
        return true;
    }
    in_addr address{};
    return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
           (ntohl(address.s_addr) >> 24) == 127;
}

LoadConnections::LoadConnections(std::uint32_t pipeline_max, OnAnswer on_answer)
    : pipeline_max_(pipeline_max), on_answer_(std::move(on_answer)) {}

LoadConnections::~LoadConnections() {
    for (Connection& connection : connections_) {
        if (connection.fd >= 0) {
            ::close(connection.fd);
        }
    }
    if (epoll_ >= 0) {
        ::close(epoll_);
    }
}

Result<std::unique_ptr<LoadConnections>> LoadConnections::open(const http::Url& url,
                                                               const std::string& ca_file,
                                                               std::uint32_t connections,
                                                               std::uint32_t pipeline_max,
                                                               OnAnswer on_answer) {
    const std::string& host = url.host;
    if (!is_loopback(host)) {
        return fail(ErrorKind::invalid, fmt::format("{} is not this machine", host),
                    "the load generator only talks to loopback addresses");
    }
    std::unique_ptr<LoadConnections> load(new LoadConnections(pipeline_max, std::move(on_answer)));
    load->host_ = host;
    load->name_ = host;
    load->port_ = url.port;
    if (url.secure) {
        HELIOS_TRY_ASSIGN(load->roots_, http::open_roots(ca_file));
    }
    load->epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll_ < 0) {
        return fail(ErrorKind::unavailable, "epoll: " + reason());
    }
    load->connections_.resize(connections);
    for (std::size_t i = 0; i < connections; ++i) {
        auto connected = load->connect(i);
        if (!connected && i == 0 &&
            host == "localhost") {  // both families: the server may have the other
            load->host_ = "::1";
            connected = load->connect(i);
        }
        HELIOS_TRY(connected);
        load->free_ += pipeline_max;
    }
    return load;
}

Status LoadConnections::connect(std::size_t index) {
    bool six = host_.find(':') != std::string::npos;
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (six) {
        auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
        *address = {};
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port_);
        address->sin6_addr = in6addr_loopback;
        size = sizeof *address;
    } else {
        auto* address = reinterpret_cast<sockaddr_in*>(&storage);
        address->sin_family = AF_INET;
        address->sin_port = htons(port_);
        if (inet_pton(AF_INET, host_.c_str(), &address->sin_addr) != 1) {
            address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        }
        size = sizeof *address;
    }
    int fd = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(ErrorKind::unavailable, "socket: " + reason(), "raise the limit of open files");
    }
    // Connecting blocks (loopback answers at once); everything after it does not.
    if (::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
        std::string why = reason();
        ::close(fd);
        return fail(ErrorKind::unavailable,
                    fmt::format("can't connect to {}:{}: {}", host_, port_, why),
                    "is the server running?");
    }
    int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Connection& connection = connections_[index];
    connection = Connection{};
    connection.fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail(ErrorKind::unavailable, "epoll: " + reason());
    }
    return roots_ ? shake_hands(connection) : Status{};
}

/// Waits for it: it belongs to connecting.
Status LoadConnections::shake_hands(Connection& connection) const {
    constexpr int wait_ms = 5'000;
    ::fcntl(connection.fd, F_SETFL, O_NONBLOCK);
    connection.tls = std::make_unique<http::TlsClient>(*roots_, connection.fd, name_);
    for (;;) {
        auto step = connection.tls->shake_hands();
        if (step.error) {
            return fail(*std::move(step.error));
        }
        if (step.wait_for == 0) {
            return {};
        }
        pollfd waiting{connection.fd, step.wait_for, 0};
        if (::poll(&waiting, 1, wait_ms) == 0) {
            return fail(ErrorKind::timeout, "the server does not answer the TLS handshake");
        }
    }
}

LoadConnections::Moved LoadConnections::put(Connection& connection) {
    const auto rest = std::string_view(connection.out).substr(connection.out_at);
    if (connection.tls) {
        const auto step = connection.tls->write(rest);
        return {step.bytes, step.wait_for != 0, step.error.has_value() || step.ended};
    }
    const ssize_t n = ::send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const bool later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return {static_cast<std::size_t>(std::max<ssize_t>(n, 0)), later,
            n < 0 && !later && errno != EINTR};
}

LoadConnections::Moved LoadConnections::take(Connection& connection, std::span<char> into) {
    if (connection.tls) {
        const auto step = connection.tls->read(into.data(), into.size());
        return {step.bytes, step.wait_for != 0, step.error.has_value() || step.ended};
    }
    const ssize_t n = ::recv(connection.fd, into.data(), into.size(), MSG_DONTWAIT);
    const bool later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return {static_cast<std::size_t>(std::max<ssize_t>(n, 0)), later,
            n == 0 || (n < 0 && !later && errno != EINTR)};
}

void LoadConnections::watch(std::size_t index, bool write) {
    Connection& connection = connections_[index];
    if (connection.wants_write == write) {
        return;
    }
    connection.wants_write = write;
    epoll_event event{};
    event.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = index;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void LoadConnections::send(std::uint64_t tag, std::string_view request) {
    HELIOS_ASSERT(has_room(), "ask has_room() first");
    // Round robin over connections with room, so that load spreads as that of many senders would.
    while (connections_[next_].fd < 0 || connections_[next_].tags.size() >= pipeline_max_) {
        next_ = (next_ + 1) % connections_.size();
    }
    std::size_t index = next_;
    next_ = (next_ + 1) % connections_.size();
    Connection& connection = connections_[index];
    connection.out.append(request);
    connection.tags.push_back(tag);
    free_ -= 1;
    under_way_ += 1;
    if (!connection.dirty) {
        connection.dirty = true;
        dirty_.push_back(index);
    }
}

void LoadConnections::turn(Duration wait) {
    std::vector<std::size_t> dirty;
    dirty.swap(dirty_);
    for (std::size_t index : dirty) {
        connections_[index].dirty = false;
        write_out(index);
    }
    std::array<epoll_event, 256> events;
    timespec limit{};
    std::int64_t nanos = std::max<std::int64_t>(0, wait.count());
    limit.tv_sec = nanos / 1'000'000'000;
    limit.tv_nsec = nanos % 1'000'000'000;
    int n = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
    if (n < 0 && errno == ENOSYS) {  // an older kernel: whole milliseconds
        n = epoll_wait(
            epoll_, events.data(), static_cast<int>(events.size()),
            static_cast<int>(std::min<std::int64_t>((nanos + 999'999) / 1'000'000, 1000)));
    }
    for (int i = 0; i < n; ++i) {
        std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
        std::uint32_t what = events[static_cast<std::size_t>(i)].events;
        if ((what & EPOLLOUT) != 0 && connections_[index].fd >= 0) {
            write_out(index);
        }
        if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connections_[index].fd >= 0) {
            read_in(index);
        }
    }
}

void LoadConnections::write_out(std::size_t index) {
    Connection& connection = connections_[index];
    while (connection.fd >= 0 && connection.out_at < connection.out.size()) {
        const auto moved = put(connection);
        if (moved.lost) {
            lose(index);
            return;
        }
        if (moved.later) {
            watch(index, true);
            return;
        }
        connection.out_at += moved.bytes;
    }
    connection.out.clear();
    connection.out_at = 0;
    if (connection.fd >= 0) {
        watch(index, false);
    }
}

void LoadConnections::read_in(std::size_t index) {
    Connection& connection = connections_[index];
    std::array<char, read_chunk> chunk;
    for (;;) {
        const auto moved = take(connection, chunk);
        if (moved.lost) {
            lose(index);
            return;
        }
        connection.in.append(chunk.data(), moved.bytes);
        // OpenSSL may hold more than the descriptor shows: only its word ends the reading.
        if (moved.later || (!connection.tls && moved.bytes < chunk.size() && moved.bytes > 0)) {
            break;
        }
    }
    while (take_answer(connection)) {
    }
    connection.in.erase(0, connection.in_at);
    connection.in_at = 0;
}

/// One whole response from the front of what was read. Helios answers with Content-Length; anything
/// else ends the connection.
bool LoadConnections::take_answer(Connection& connection) {
    std::string_view rest = std::string_view(connection.in).substr(connection.in_at);
    std::size_t head_end = rest.find("\r\n\r\n");
    if (head_end == std::string_view::npos || connection.tags.empty()) {
        return false;
    }
    std::string_view head = rest.substr(0, head_end + 2);
    int status = 0;
    std::size_t length = 0;
    std::string_view digits = head.size() > 12 ? head.substr(9, 3) : std::string_view{};
    std::from_chars(digits.data(), digits.data() + digits.size(), status);
    std::string_view text = header_in(head, "content-length:");
    std::from_chars(text.data(), text.data() + text.size(), length);
    if (rest.size() < head_end + 4 + length) {
        return false;
    }
    connection.in_at += head_end + 4 + length;
    LoadAnswer answer{connection.tags.front(), status, rest.substr(head_end + 4, length)};
    connection.tags.pop_front();
    free_ += 1;
    under_way_ -= 1;
    on_answer_(answer);
    return true;
}

/// Requests of a broken connection may have been stored or not: they are told as unanswered, never
/// sent again.
void LoadConnections::lose(std::size_t index) {
    Connection& connection = connections_[index];
    ::close(connection.fd);
    connection.fd = -1;
    broken_ += 1;
    std::deque<std::uint64_t> lost = std::move(connection.tags);
    connection = Connection{};
    under_way_ -= lost.size();
    free_ -= pipeline_max_ - lost.size();
    if (connect(index)) {
        free_ += pipeline_max_;
    }
    for (std::uint64_t tag : lost) {
        on_answer_({tag, 0, {}});
    }
}

}  // namespace helios::lab
