#pragma once
/// What a connection, and a WebSocket, reads from and writes to. Private to the room.
///
/// Today that is a TCP socket as it is. Another transport is another alternative of Stream::kind_
/// with the members that PlainStream has, in a file of its own; connection.cpp and
/// websocket_session.cpp see Stream alone. What TLS (asio::ssl::stream) has to give beyond the
/// obvious:
///   - The handshake is a part of the first read (SSL_set_accept_state, no async_handshake), so
///     that header_timeout bounds it.
///   - async_read_some ends with eof if the peer has said close_notify. A FIN without that is any
///     other error: what came may be cut short.
///   - write_some never waits, and what it has taken may be forgotten by its caller. The sync calls
///     of asio::ssl::stream lose bytes on a socket that would block. So: copy up to a record's
///     worth, begin async_write_some with the copy, report it as written; would_block while that is
///     under way.
///   - async_wait_writable ends when that write has; async_write_some and shutdown_send stand in
///     line behind it.
///   - unread() counts what has been decrypted and not been read, beside what the socket holds:
///     those bytes are owed before a turn is over (Connection::owe). A record of which a part is
///     missing is not counted once the part has left the socket.
///   - While a read is out nothing is held back: then what is unread is in the socket, and
///     native_handle() is readable.
///   - shutdown_send says close_notify, and does not wait until that is out.
///   - moved_to takes what has been decrypted, and what has not, along.
///   - layer() is the asio::ssl::stream; its file includes what Beast knows of winding that up.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "http/sockets.h"

namespace helios::http {

/// TCP as it is, on a socket that does not block.
class PlainStream {
public:
    explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

    Executor get_executor() { return socket_.get_executor(); }
    /// See Stream.
    PlainStream moved_to(asio::io_context& context, error_code& ec) {
        const auto protocol = socket_.local_endpoint(ec).protocol();
        Socket socket(context);
        if (!ec) {
            const auto handle = socket_.release(ec);
            if (!ec) {
                socket.assign(protocol, handle, ec);
            }
            if (!ec) {
                socket.non_blocking(true, ec);
            }
        }
        return PlainStream(std::move(socket));
    }
    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& into, Handler&& handler) {
        return socket_.async_read_some(into, std::forward<Handler>(handler));
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
    std::size_t unread(error_code& ec) { return socket_.available(ec); }
    void shutdown_send(error_code& ec) { socket_.shutdown(Socket::shutdown_send, ec); }
    /// What Asio and Beast know it as.
    Socket& layer() { return socket_; }

private:
    Socket socket_;
};

/// One thread: that of its executor. Closes when it goes; what is under way then ends with an
/// error, and what it refers to must not be gone before it.
class Stream {
public:
    using executor_type = Executor;

    explicit Stream(Socket socket) : kind_(PlainStream(std::move(socket))) {}

    /// As it is, for what Asio and Beast do to one kind and another.
    template <class Call>
    decltype(auto) with(Call call) {
        return std::visit(call, kind_);  // of one alternative: a plain call
    }

    executor_type get_executor() {
        return with([](auto& kind) { return kind.get_executor(); });
    }

    /// Another thread's from now on: nothing of it may be under way. After an error neither is of
    /// use.
    Stream moved_to(asio::io_context& context, error_code& ec) {
        return with([&](auto& kind) { return Stream(kind.moved_to(context, ec)); });
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

    /// Bytes that have arrived and that no read has taken, at most: of those there are, at least
    /// one is counted.
    std::size_t unread(error_code& ec) {
        return with([&](auto& kind) { return kind.unread(ec); });
    }
    /// Readable, for poll(2), if bytes have arrived while a read is out.
    int native_handle() { return socket().native_handle(); }

    /// The peer's end is reached behind what has been written.
    void shutdown_send(error_code& ec) {
        with([&](auto& kind) { kind.shutdown_send(ec); });
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

private:
    explicit Stream(PlainStream kind) : kind_(std::move(kind)) {}

    Socket::lowest_layer_type& socket() {
        return with([](auto& kind) -> auto& { return kind.layer().lowest_layer(); });
    }

    std::variant<PlainStream> kind_;
};

}  // namespace helios::http
