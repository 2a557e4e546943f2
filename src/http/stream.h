#pragma once
/// What a connection, and a WebSocket, reads from and writes to. Private to the room.
///
/// That is a TCP socket as it is, or with TLS on it (tls_stream.h): an alternative of Stream::kind_
/// each. connection.cpp and websocket_session.cpp see Stream alone. What a kind has to give beyond
/// the obvious, as TLS needs it:
///   - The handshake is a part of the first read, so that header_timeout bounds it.
///   - async_read_some ends with eof if the peer has said close_notify. A FIN without that is any
///     other error: what came may be cut short.
///   - write_some never waits, and what it has taken may be forgotten by its caller: so what could
///     not be sent is kept as a copy, and written as soon as it can be. Until then has_unsent() is
///     true, and more would_block.
///   - async_wait_writable ends when that is out; async_write_some and shutdown_send stand in line
///     behind it.
///   - unread() counts what has been decrypted and not been read, beside what the socket holds:
///     those bytes are owed before a turn is over (Connection::owe).
///   - While a read is out, what is unread is in the socket, and native_handle() is readable; or
///     holds_unread() is true.
///   - shutdown_send says close_notify, and does not wait until that is out.
///   - moved_to takes along what has been decrypted.
///   - layer() is the socket, for Beast to wind up; begin_teardown() is what has to be said first.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "http/sockets.h"
#include "http/tls_stream.h"

namespace helios::http {

/// TCP as it is, on a socket that does not block.
class PlainStream {
public:
    explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

    Executor get_executor() { return socket_.get_executor(); }
    /// See Stream.
    PlainStream moved_to(asio::io_context& context, error_code& ec) {
        return PlainStream(moved_socket(socket_, context, ec));
    }
    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& into, Handler&& handler) {
        return socket_.async_read_some(into, std::forward<Handler>(handler));
    }
    template <class Buffers, class Handler>
    void async_read_step(const Buffers& into, Handler&& handler) {
        socket_.async_read_some(into, std::forward<Handler>(handler));
    }
    template <class Buffers, class Handler>
    auto async_write_some(const Buffers& from, Handler&& handler) {
        return socket_.async_write_some(from, std::forward<Handler>(handler));
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from, error_code& ec) {
        return socket_.write_some(from, ec);
    }
    template <class Handler>
    void async_wait_writable(Handler&& handler) {
        socket_.async_wait(Socket::wait_write, std::forward<Handler>(handler));
    }
    bool has_unsent() const { return false; }
    std::size_t unread(error_code& ec) { return socket_.available(ec); }
    bool holds_unread() const { return false; }
    void shutdown_send(error_code& ec) { socket_.shutdown(Socket::shutdown_send, ec); }
    void begin_teardown() {}
    Socket& layer() { return socket_; }

private:
    Socket socket_;
};

/// One thread: that of its executor. Closes when it goes; what is under way then ends with an
/// error, and what it refers to must not be gone before it.
class Stream {
    template <class Call>
    decltype(auto) with(Call call) {
        return std::visit(call, kind_);
    }

public:
    using executor_type = Executor;

    explicit Stream(Socket socket) : kind_(PlainStream(std::move(socket))) {}
    /// With TLS. `tls` outlives it.
    Stream(Socket socket, const TlsServer& tls) : kind_(TlsStream(std::move(socket), tls)) {}

    executor_type get_executor() {
        return with([](auto& kind) { return kind.get_executor(); });
    }

    /// Another thread's from now on: nothing of it may be under way. After an error neither is of
    /// use.
    Stream moved_to(asio::io_context& context, error_code& ec) {
        return with([&](auto& kind) { return Stream(std::in_place, kind.moved_to(context, ec)); });
    }

    /// As async_read_some, but it may end with no byte and no error: what had arrived has been
    /// read, and gave nothing to hand out yet (a part of a handshake, or of a record).
    template <class Buffers, class Handler>
    void async_read_step(const Buffers& into, Handler&& handler) {
        with([&](auto& kind) { kind.async_read_step(into, std::forward<Handler>(handler)); });
    }
    // As Asio's async streams: one read and one write at a time, at least a byte, or an error. eof:
    // the peer sends nothing more.
    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& into, Handler&& handler) {
        return with(
            [&](auto& kind) { return kind.async_read_some(into, std::forward<Handler>(handler)); });
    }
    template <class Buffers, class Handler>
    auto async_write_some(const Buffers& from, Handler&& handler) {
        return with([&](auto& kind) {
            return kind.async_write_some(from, std::forward<Handler>(handler));
        });
    }

    /// As much as is taken without waiting. would_block: nothing; async_wait_writable says when it
    /// is worth trying again. Not beside async_write_some.
    template <class Buffers>
    std::size_t write_some(const Buffers& from, error_code& ec) {
        return with([&](auto& kind) { return kind.write_some(from, ec); });
    }
    template <class Handler>
    void async_wait_writable(Handler&& handler) {
        with([&](auto& kind) { kind.async_wait_writable(std::forward<Handler>(handler)); });
    }

    /// Some of what write_some took is not out yet: async_wait_writable says when it is.
    bool has_unsent() {
        return with([](auto& kind) { return kind.has_unsent(); });
    }

    /// Bytes that have arrived and that no read has taken, at most: of those there are, at least
    /// one is counted.
    std::size_t unread(error_code& ec) {
        return with([&](auto& kind) { return kind.unread(ec); });
    }
    /// Some of unread() is not in the socket.
    bool holds_unread() {
        return with([](auto& kind) { return kind.holds_unread(); });
    }
    /// Readable, for poll(2), if bytes have arrived while a read is out: but for those.
    int native_handle() { return socket().native_handle(); }

    /// The peer's end is reached behind what has been written.
    void shutdown_send(error_code& ec) {
        with([&](auto& kind) { kind.shutdown_send(ec); });
    }
    /// Says what there is to be said before the socket is wound up.
    void begin_teardown() {
        with([](auto& kind) { kind.begin_teardown(); });
    }
    /// At once, whatever is unread or unsent.
    void close() {
        error_code ignored;
        socket().close(ignored);
    }

    /// The kernel holds about as many bytes that have been written and not been sent.
    void bound_kernel_send(int bytes) {
        error_code ignored;
        socket().set_option(asio::socket_base::send_buffer_size(bytes), ignored);
    }
    /// "203.0.113.7:4711", "[2001:db8::7]:4711"; nullopt: it is gone already.
    std::optional<std::string> remote();
    /// Under it: for what comes before anything that is read of it, and for winding it up.
    Socket& socket() {
        return with([](auto& kind) -> Socket& { return kind.layer(); });
    }

private:
    template <class Kind>
    explicit Stream(std::in_place_t /*unused*/, Kind kind) : kind_(std::move(kind)) {}

    std::variant<PlainStream, TlsStream> kind_;
};

}  // namespace helios::http
