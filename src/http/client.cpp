#include "http/client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"
#include "http/host_policy.h"
#include "http/tls_client.h"
#include "http/url.h"

namespace helios::http {

namespace {

constexpr std::size_t response_bytes_max = 64u << 20;
constexpr std::size_t header_bytes_max = 256u << 10;
constexpr std::size_t read_bytes = 64u << 10;

template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
    T value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return ec == std::errc() && end == text.data() + text.size() && !text.empty()
               ? std::optional(value)
               : std::nullopt;
}

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

std::unexpected<Error> malformed(std::string_view what) {
    return fail(ErrorKind::corrupt, fmt::format("the answer is not HTTP/1.1: {}", what),
                "is this the address of a Helios server?");
}

/// Status line and headers. `keep_alive` and framing come from them.
struct Head {
    Response response;
    bool keep_alive = true;
    bool chunked = false;
    std::optional<std::uint64_t> length;
};

Status parse_header_line(std::string_view line, Head& head) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return malformed("a header without a name");
    }
    const auto name = line.substr(0, colon);
    const auto value = ascii::trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "Content-Length")) {
        head.length = parse_number<std::uint64_t>(value);
        if (!head.length) {
            return malformed("Content-Length is not a number");
        }
    } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
        if (!equal_ignoring_case(value, "chunked")) {
            return malformed(fmt::format("Transfer-Encoding {}", value));
        }
        head.chunked = true;
    } else if (equal_ignoring_case(name, "Connection")) {
        if (equal_ignoring_case(value, "close")) {
            head.keep_alive = false;
        } else if (equal_ignoring_case(value, "keep-alive")) {
            head.keep_alive = true;
        }
    }
    head.response.headers.emplace_back(name, value);
    return {};
}

/// `text` ends with an empty line.
Result<Head> parse_head(std::string_view text) {
    Head head;
    auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') {
        return malformed("no status line");
    }
    const auto status = parse_number<int>(line.substr(9, 3));
    if (!status || *status < 100 || (line.size() > 12 && line[12] != ' ')) {
        return malformed("no status");
    }
    head.response.status = *status;
    head.keep_alive = line[7] == '1';
    for (text.remove_prefix(end + 2); !text.starts_with("\r\n"); text.remove_prefix(end + 2)) {
        end = text.find("\r\n");
        HELIOS_TRY(parse_header_line(text.substr(0, end), head));
    }
    return head;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return fail(ErrorKind::invalid, fmt::format("'{}' is no usable URL: {}", text, why),
                    "write http://HOST:PORT or https://HOST:PORT");
    };
    const auto begins = [&](std::string_view scheme) {
        return equal_ignoring_case(text.substr(0, scheme.size()), scheme);
    };
    Url url;
    url.secure = begins("https://");
    if (!url.secure && !begins("http://")) {
        return bad("it does not begin with http:// or https://");
    }
    url.port = url.secure ? 443 : 80;
    const auto target = split_target(text);
    if (!target) {
        return bad(target.error().what);
    }
    const auto authority = split_authority(target->authority);
    if (!authority) {
        return bad("no host, or a bad port");
    }
    url.host = authority->name;
    if (!authority->port.empty()) {
        const auto port = parse_number<std::uint16_t>(authority->port);
        if (!port || *port == 0) {
            return bad("a port is 1 to 65535");
        }
        url.port = *port;
    } else if (target->authority.ends_with(':')) {
        return bad("the port is empty");
    }
    url.path = target->path;
    if (!target->query.empty()) {
        url.path += fmt::format("?{}", target->query);
    }
    return url;
}

namespace {

using ResolvedAddresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<ResolvedAddresses> resolve(const std::string& name, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
        code != 0) {
        return fail(code == EAI_NONAME ? ErrorKind::not_found : ErrorKind::unavailable,
                    fmt::format("cannot resolve '{}': {}", name, ::gai_strerror(code)));
    }
    return ResolvedAddresses(found, &::freeaddrinfo);
}

}  // namespace

/// Of a WebSocket.
struct Frame {
    bool last = true;
    unsigned opcode = 0;
    std::string payload;
};

enum Opcode : unsigned {
    opcode_continuation = 0,
    opcode_text = 1,
    opcode_close = 8,
    opcode_ping = 9,
    opcode_pong = 10
};

// RFC 6455's own example. The nonce keeps pages in a browser from speaking to servers that are no
// WebSockets; this client runs no stranger's code, and a fixed one is enough to know that the other
// side understood.
constexpr std::string_view websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view websocket_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view websocket_mask = "\x5a\xa5\x3c\xc3";
constexpr std::size_t control_bytes_max = 125;

/// The connection and what was read ahead on it.
struct Client::State {
    std::string always;  ///< headers of every request, as lines
    std::string host;
    std::uint16_t port;
    Duration timeout;
    SystemClock clock;
    bool secure = false;
    std::string ca_file;
    SslContext roots;  ///< once they were needed
    int fd = -1;
    std::optional<TlsClient> tls;
    std::string buffer;  ///< received, not yet used
    Duration deadline{};
    bool got_bytes = false;  ///< of the present response
    bool sent_all = false;   ///< of the present request
    int stop_descriptor = -1;
    Duration stop_grace{};
    bool stopping = false;
    bool connecting = false;

    State(std::string h, std::uint16_t p, Duration t) : host(std::move(h)), port(p), timeout(t) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { disconnect(); }

    void disconnect() {
        tls.reset();
        if (fd >= 0) {
            ::close(fd);
            fd = -1;
        }
        buffer.clear();
    }

    Status wait(short events);
    Status connect();
    Status connect_to(const addrinfo& address);
    Status secure_it();
    Status send_securely(std::string_view bytes);
    Result<std::size_t> receive_securely(char* into);
    Status send_all(std::string_view head, std::string_view body);
    Result<std::size_t> receive();
    Result<Head> read_head();
    Status read_body(Head& head, std::string& body);
    Status read_exactly(std::uint64_t length, std::string& body);
    Status read_chunks(std::string& body);
    Result<std::string> read_line();
    Result<Response> exchange(std::string_view head, std::string_view body, bool head_request);

    std::string host_header() const;
    Result<std::string> take(std::size_t bytes);
    Result<Frame> read_frame();
    Status send_frame(unsigned opcode, std::string_view payload);
};

Status Client::State::wait(short events) {
    for (;;) {
        const Duration left = deadline - clock.monotonic();
        if (left <= Duration::zero() && stopping) {
            return fail(ErrorKind::stopping, "interrupted");
        }
        if (left <= Duration::zero()) {
            return fail(ErrorKind::timeout, fmt::format("no answer from {}:{} within {}", host,
                                                        port, format_duration(timeout)));
        }
        pollfd waiting[] = {{fd, events, 0},
                            {stopping ? -1 : stop_descriptor, POLLIN, 0}};  // -1: passed over
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        const int ready =
            ::poll(waiting, 2, static_cast<int>(std::min<std::int64_t>(milliseconds, 1 << 30)));
        if (waiting[1].revents != 0) {
            stopping = true;
            deadline = std::min(deadline,
                                clock.monotonic() + (connecting ? Duration::zero() : stop_grace));
        } else if (ready > 0) {
            return {};
        }
        if (ready < 0 && errno != EINTR) {
            return fail(ErrorKind::unavailable, fmt::format("poll: {}", errno_text(errno)));
        }
    }
}

Status Client::State::connect_to(const addrinfo& address) {
    fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(ErrorKind::unavailable, fmt::format("socket: {}", errno_text(errno)));
    }
    int error = 0;
    if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            HELIOS_TRY(wait(POLLOUT));
            socklen_t size = sizeof error;
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    if (error != 0) {
        return fail(ErrorKind::unavailable,
                    fmt::format("cannot connect to {}:{}: {}", host, port, errno_text(error)),
                    "is the server running?");
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {};
}

Status Client::State::connect() {
    // "localhost" is both loopback addresses, as the server has it: no resolver needed.
    const bool both = equal_ignoring_case(host, "localhost");
    const std::vector<std::string> names =
        both ? std::vector<std::string>{"127.0.0.1", "::1"} : std::vector{host};
    std::vector<ResolvedAddresses> resolved;
    std::vector<const addrinfo*> addresses;
    for (const auto& name : names) {
        HELIOS_TRY_ASSIGN(auto found, resolve(name, port));
        for (const addrinfo* address = found.get(); address != nullptr;
             address = address->ai_next) {
            addresses.push_back(address);
        }
        resolved.push_back(std::move(found));
    }
    Status outcome = fail(ErrorKind::not_found, fmt::format("'{}' has no address", host));
    connecting = true;
    const Duration last = deadline;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        disconnect();
        // One that swallows packets must leave time for those behind it.
        const Duration now = clock.monotonic();
        deadline = now + (last - now) / static_cast<std::int64_t>(addresses.size() - i);
        auto attempt = connect_to(*addresses[i]);
        deadline = last;
        // What a reachable address says tells more than that this machine lacks the other family.
        const auto kind = attempt ? ErrorKind::invalid : attempt.error().kind;
        if (attempt || i == 0 || kind == ErrorKind::timeout || kind == ErrorKind::stopping) {
            outcome = std::move(attempt);
        }
        if (outcome || kind == ErrorKind::stopping) {
            break;
        }
    }
    if (outcome && secure) {
        outcome = secure_it();
    }
    connecting = false;
    if (!outcome) {
        disconnect();
    }
    return outcome;
}

Status Client::State::secure_it() {
    if (!roots) {
        HELIOS_TRY_ASSIGN(roots, open_roots(ca_file));
    }
    tls.emplace(*roots, fd, host);
    for (;;) {
        auto step = tls->shake_hands();
        if (step.error) {
            step.error->what =
                fmt::format("cannot connect to {}:{}: {}", host, port, step.error->what);
            return fail(*std::move(step.error));
        }
        if (step.wait_for == 0) {
            return {};
        }
        HELIOS_TRY(wait(step.wait_for));
    }
}

/// As send_all().
Status Client::State::send_securely(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto step = tls->write(bytes);
        if (step.error || step.ended) {
            return {};
        }
        if (step.wait_for != 0) {
            HELIOS_TRY(wait(step.wait_for));
            continue;
        }
        bytes.remove_prefix(step.bytes);
    }
    sent_all = true;
    return {};
}

/// At most read_bytes. 0: the server has ended.
Result<std::size_t> Client::State::receive_securely(char* into) {
    for (;;) {
        auto step = tls->read(into, read_bytes);
        if (step.error) {
            return fail(step.error->kind, fmt::format("the connection to {}:{} broke: {}", host,
                                                      port, step.error->what));
        }
        if (step.wait_for == 0) {
            return step.bytes;
        }
        HELIOS_TRY(wait(step.wait_for));
    }
}

/// A server that refuses early may answer and stop reading before all is sent: then the answer
/// counts, so a broken pipe here is no error yet.
Status Client::State::send_all(std::string_view head, std::string_view body) {
    if (tls) {
        return send_securely(body.empty() ? std::string(head) : fmt::format("{}{}", head, body));
    }
    while (!head.empty() || !body.empty()) {
        iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                          {const_cast<char*>(body.data()), body.size()}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                HELIOS_TRY(wait(POLLOUT));
                continue;
            }
            return {};
        }
        const auto of_head = std::min(head.size(), static_cast<std::size_t>(sent));
        head.remove_prefix(of_head);
        body.remove_prefix(static_cast<std::size_t>(sent) - of_head);
    }
    sent_all = true;
    return {};
}

/// Appends to the buffer. 0: the peer closed.
Result<std::size_t> Client::State::receive() {
    const std::size_t before = buffer.size();
    buffer.resize(before + read_bytes);
    if (tls) {
        auto got = receive_securely(buffer.data() + before);
        buffer.resize(before + got.value_or(0));
        got_bytes = got_bytes || got.value_or(0) > 0;
        return got;
    }
    for (;;) {
        const ssize_t got = ::recv(fd, buffer.data() + before, read_bytes, 0);
        if (got >= 0) {
            buffer.resize(before + static_cast<std::size_t>(got));
            got_bytes = got_bytes || got > 0;
            return static_cast<std::size_t>(got);
        }
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK) {
            if (auto ready = wait(POLLIN); !ready) {
                buffer.resize(before);
                return fail(std::move(ready).error());
            }
        } else if (error != EINTR) {
            buffer.resize(before);
            return fail(ErrorKind::unavailable, fmt::format("the connection to {}:{} broke: {}",
                                                            host, port, errno_text(error)));
        }
    }
}

Result<Head> Client::State::read_head() {
    for (;;) {
        if (const auto end = buffer.find("\r\n\r\n"); end != std::string::npos) {
            auto head = parse_head(std::string_view(buffer).substr(0, end + 4));
            buffer.erase(0, end + 4);
            return head;
        }
        if (buffer.size() > header_bytes_max) {
            return malformed("the header is too long");
        }
        HELIOS_TRY_ASSIGN(const std::size_t got, receive());
        if (got == 0) {
            return fail(ErrorKind::unavailable,
                        fmt::format("{}:{} closed the connection without an answer", host, port));
        }
    }
}

Status Client::State::read_exactly(std::uint64_t length, std::string& body) {
    if (length > response_bytes_max - std::min(response_bytes_max, body.size())) {
        return fail(ErrorKind::exhausted,
                    fmt::format("the answer has more than {} bytes", response_bytes_max),
                    "ask for less at once");
    }
    while (length > 0) {
        if (buffer.empty()) {
            HELIOS_TRY_ASSIGN(const std::size_t got, receive());
            if (got == 0) {
                return fail(ErrorKind::unavailable,
                            "the connection ended in the middle of the answer");
            }
        }
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer.size()));
        body.append(buffer, 0, part);
        buffer.erase(0, part);
        length -= part;
    }
    return {};
}

Result<std::string> Client::State::read_line() {
    for (;;) {
        if (const auto end = buffer.find("\r\n"); end != std::string::npos) {
            std::string line = buffer.substr(0, end);
            buffer.erase(0, end + 2);
            return line;
        }
        if (buffer.size() > header_bytes_max) {
            return malformed("a line of the body is too long");
        }
        HELIOS_TRY_ASSIGN(const std::size_t got, receive());
        if (got == 0) {
            return fail(ErrorKind::unavailable, "the connection ended in the middle of the answer");
        }
    }
}

Status Client::State::read_chunks(std::string& body) {
    for (;;) {
        HELIOS_TRY_ASSIGN(const std::string line, read_line());
        const auto size = parse_number<std::uint64_t>(
            ascii::trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
        if (!size) {
            return malformed("a chunk has no size");
        }
        if (*size == 0) {
            break;
        }
        HELIOS_TRY(read_exactly(*size, body));
        HELIOS_TRY_ASSIGN(const std::string after, read_line());
        if (!after.empty()) {
            return malformed("a chunk is longer than its size");
        }
    }
    for (;;) {  // trailer
        HELIOS_TRY_ASSIGN(const std::string line, read_line());
        if (line.empty()) {
            return {};
        }
    }
}

Status Client::State::read_body(Head& head, std::string& body) {
    if (head.chunked) {
        return read_chunks(body);
    }
    if (head.length) {
        return read_exactly(*head.length, body);
    }
    head.keep_alive = false;  // the body ends where the connection ends
    for (;;) {
        HELIOS_TRY(read_exactly(buffer.size(), body));
        HELIOS_TRY_ASSIGN(const std::size_t got, receive());
        if (got == 0) {
            return {};
        }
    }
}

Result<Response> Client::State::exchange(std::string_view head_text, std::string_view body,
                                         bool head_request) {
    got_bytes = false;
    sent_all = false;
    HELIOS_TRY(send_all(head_text, body));
    HELIOS_TRY_ASSIGN(Head head, read_head());
    while (head.response.status < 200) {  // 100 Continue and other interim answers
        HELIOS_TRY_ASSIGN(head, read_head());
    }
    const int status = head.response.status;
    if (!head_request && status != 204 && status != 304) {
        HELIOS_TRY(read_body(head, head.response.body));
    }
    if (!head.keep_alive || !sent_all || !buffer.empty()) {
        disconnect();
    }
    return std::move(head.response);
}

namespace {

Status append_header(std::string& head, std::string_view name, std::string_view value) {
    if (name.find_first_of("\r\n") != std::string_view::npos ||
        value.find_first_of("\r\n") != std::string_view::npos) {
        return fail(ErrorKind::invalid, fmt::format("the header {} contains a line break", name));
    }
    head += fmt::format("{}: {}\r\n", name, value);
    return {};
}

}  // namespace

Client::Client(std::string host, std::uint16_t port, Duration timeout)
    : state_(std::make_unique<State>(std::move(host), port, timeout)) {}
Client::Client(const Url& url, Duration timeout, std::string ca_file)
    : Client(url.host, url.port, timeout) {
    state_->secure = url.secure;
    state_->ca_file = std::move(ca_file);
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Status Client::send_always(const Headers& headers) {
    std::string lines;
    for (const auto& [name, value] : headers) {
        HELIOS_TRY(append_header(lines, name, value));
    }
    state_->always = std::move(lines);
    return {};
}

Result<Response> Client::request(Method method, std::string_view target, Headers headers,
                                 std::string_view body) {
    State& state = *state_;
    if (state.stopping) {
        return fail(ErrorKind::stopping, "interrupted");
    }
    state.deadline = state.clock.monotonic() + state.timeout;
    std::string head = fmt::format("{} {} HTTP/1.1\r\n", to_string(method), target);
    const auto given = [&](std::string_view name) {
        return std::ranges::any_of(
            headers, [&](const auto& h) { return equal_ignoring_case(h.first, name); });
    };
    if (!given("Host")) {
        head += state.host_header();
    }
    head += state.always;
    if (!given("Content-Length") && (!body.empty() || method == Method::post ||
                                     method == Method::put || method == Method::patch)) {
        head += fmt::format("Content-Length: {}\r\n", body.size());
    }
    for (const auto& [name, value] : headers) {
        HELIOS_TRY(append_header(head, name, value));
    }
    head += "\r\n";

    const bool reused = state.fd >= 0;
    if (!reused) {
        HELIOS_TRY(state.connect());
    }
    auto outcome = state.exchange(head, body, method == Method::head);
    if (!outcome) {
        state.disconnect();
        // A kept-alive connection that ended before the first byte of an answer was most likely
        // closed while idle.
        if (reused && !state.got_bytes && outcome.error().kind == ErrorKind::unavailable) {
            HELIOS_TRY(state.connect());
            outcome = state.exchange(head, body, method == Method::head);
            if (!outcome) {
                state.disconnect();
            }
        }
    }
    return outcome;
}

std::string Client::State::host_header() const {
    const bool bare_v6 = host.find(':') != std::string::npos;
    return bare_v6 ? fmt::format("Host: [{}]:{}\r\n", host, port)
                   : fmt::format("Host: {}:{}\r\n", host, port);
}

/// `bytes` from the beginning of what comes; what has come stays if the rest doesn't.
Result<std::string> Client::State::take(std::size_t bytes) {
    while (buffer.size() < bytes) {
        HELIOS_TRY_ASSIGN(const std::size_t got, receive());
        if (got == 0) {
            return fail(ErrorKind::unavailable,
                        fmt::format("{}:{} closed the connection", host, port));
        }
    }
    return buffer.substr(0, bytes);
}

/// Whole or not at all: after a timeout it can be asked again.
Result<Frame> Client::State::read_frame() {
    HELIOS_TRY_ASSIGN(auto head, take(2));
    const auto byte = [&head](std::size_t i) { return static_cast<unsigned char>(head[i]); };
    if ((byte(0) & 0x70u) != 0 || (byte(1) & 0x80u) != 0) {
        return fail(
            ErrorKind::corrupt,
            "the bytes that came are no WebSocket's: a server has no extensions here, and no mask");
    }
    std::uint64_t length = byte(1) & 0x7fu;
    const std::size_t head_bytes = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (head_bytes > 2) {
        HELIOS_TRY_ASSIGN(head, take(head_bytes));
        length = 0;
        for (std::size_t i = 2; i < head_bytes; ++i) {
            length = length << 8 | byte(i);
        }
    }
    if (length > response_bytes_max) {
        return fail(ErrorKind::exhausted,
                    fmt::format("a message has more than {} bytes", response_bytes_max));
    }
    HELIOS_TRY_ASSIGN(auto bytes, take(head_bytes + length));
    buffer.erase(0, bytes.size());
    bytes.erase(0, head_bytes);
    return Frame{(byte(0) & 0x80u) != 0, byte(0) & 0x0fu, std::move(bytes)};
}

Status Client::State::send_frame(unsigned opcode, std::string_view payload) {
    payload = payload.substr(0, control_bytes_max);
    std::string bytes{static_cast<char>(0x80u | opcode), static_cast<char>(0x80u | payload.size())};
    bytes += websocket_mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        bytes += static_cast<char>(payload[i] ^ websocket_mask[i % websocket_mask.size()]);
    }
    return send_all(bytes, {});
}

Result<Response> Client::open_websocket(std::string_view target) {
    State& state = *state_;
    state.disconnect();
    state.deadline = state.clock.monotonic() + state.timeout;
    HELIOS_TRY(state.connect());
    const auto request = fmt::format(
        "GET {} HTTP/1.1\r\n{}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
        "13\r\nSec-WebSocket-Key: "
        "{}\r\n\r\n",
        target, state.host_header() + state.always, websocket_key);
    HELIOS_TRY(state.send_all(request, {}));
    HELIOS_TRY_ASSIGN(Head head, state.read_head());
    if (head.response.status != 101) {
        HELIOS_TRY(state.read_body(head, head.response.body));
        state.disconnect();
        return std::move(head.response);
    }
    const bool understood = std::ranges::any_of(head.response.headers, [](const auto& h) {
        return equal_ignoring_case(h.first, "Sec-WebSocket-Accept") && h.second == websocket_accept;
    });
    return understood ? Result<Response>(std::move(head.response))
                      : malformed("it does not agree to a WebSocket");
}

Result<std::string> Client::next_text() {
    State& state = *state_;
    std::string message;
    bool asked = false;  // whether it is still there
    for (;;) {
        state.deadline = state.clock.monotonic() + state.timeout / 2;
        auto frame = state.read_frame();
        if (!frame && frame.error().kind == ErrorKind::timeout && !asked) {
            HELIOS_TRY(state.send_frame(opcode_ping, {}));
            asked = true;
            continue;
        }
        if (!frame) {
            state.disconnect();
            return fail(std::move(frame).error());
        }
        asked = false;
        if (frame->opcode == opcode_ping) {
            HELIOS_TRY(state.send_frame(opcode_pong, frame->payload));
        } else if (frame->opcode == opcode_close) {
            HELIOS_TRY(state.send_frame(opcode_close, frame->payload.substr(0, 2)));
            state.disconnect();
            const auto why =
                frame->payload.size() > 2 ? ": " + frame->payload.substr(2) : std::string();
            return fail(ErrorKind::unavailable,
                        fmt::format("{}:{} has closed the stream{}", state.host, state.port, why));
        } else if (frame->opcode == opcode_text || frame->opcode == opcode_continuation) {
            message += frame->payload;
            if (message.size() > response_bytes_max) {
                return fail(ErrorKind::exhausted,
                            fmt::format("a message has more than {} bytes", response_bytes_max));
            }
            if (frame->last) {
                return message;
            }
        } else if (frame->opcode != opcode_pong) {
            return fail(ErrorKind::corrupt, "what came is no text");
        }
    }
}

void Client::stop_on(int descriptor, Duration grace) {
    state_->stop_descriptor = descriptor;
    state_->stop_grace = grace;
}

Result<Response> Client::post(std::string_view target, std::string_view media_type,
                              std::string_view body) {
    return request(Method::post, target, {{"Content-Type", std::string(media_type)}}, body);
}

}  // namespace helios::http
