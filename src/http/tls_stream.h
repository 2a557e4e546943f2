#pragma once
/// TLS on a socket, as Stream wants it (stream.h says what that is). Private to the room.
///
/// OpenSSL works on the descriptor itself, which does not block; Asio says when it is worth trying
/// again. So nothing that has arrived is kept between the two: what is not decrypted is in the
/// socket, and a connection moves to another loop by its descriptor, as a plain one does.
///
/// A peer that speaks no TLS, or whose handshake is refused, gets no TLS: the first read ends with
/// not_tls or refused_tls, and from then on bytes are read and written as they are, so that a last
/// word can be said in plain text, or an alert can arrive before the connection ends.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "http/sockets.h"

namespace helios::http {

class TlsServer;

/// What is decrypted, or encrypted, at once.
inline constexpr std::size_t tls_record_bytes_max = 16u << 10;

/// What came is no TLS, but may be HTTP.
error_code not_tls();
/// The handshake was refused, by us: the peer is being told why.
error_code refused_tls();

/// See Stream. `server` outlives it.
class TlsStream {
public:
    TlsStream(Socket socket, const TlsServer& server);
    TlsStream(TlsStream&&) noexcept = default;
    TlsStream& operator=(TlsStream&&) = delete;
    ~TlsStream();

    Executor get_executor();
    TlsStream moved_to(asio::io_context& context, error_code& ec);

    template <class Buffers, class Handler>
    void async_read_some(const Buffers& into, Handler&& handler) {
        read(first_of(into), false, Done(std::forward<Handler>(handler)));
    }
    template <class Buffers, class Handler>
    void async_read_step(const Buffers& into, Handler&& handler) {
        read(first_of(into), true, Done(std::forward<Handler>(handler)));
    }
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& from, Handler&& handler) {
        write(gather(from), Done(std::forward<Handler>(handler)));
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from, error_code& ec) {
        return write_now(gather(from), ec);
    }
    template <class Handler>
    void async_wait_writable(Handler&& handler) {
        wait_writable(Waiter(std::forward<Handler>(handler)));
    }
    bool has_unsent() const;
    std::size_t unread(error_code& ec);
    bool holds_unread() const;
    void shutdown_send(error_code& ec);
    void begin_teardown();  ///< says close_notify
    Socket& layer();

private:
    using Done = std::move_only_function<void(error_code, std::size_t)>;
    using Waiter = std::move_only_function<void(error_code)>;
    struct State;

    explicit TlsStream(std::shared_ptr<State> state);

    template <class Buffers>
    static asio::mutable_buffer first_of(const Buffers& buffers) {
        auto at = asio::buffer_sequence_begin(buffers);
        const auto end = asio::buffer_sequence_end(buffers);
        for (; at != end; ++at) {
            if (const asio::mutable_buffer buffer(*at); buffer.size() > 0) {
                return buffer;
            }
        }
        return {};
    }
    /// The beginning of the buffers, as one record: one of them as it is, or copied together.
    template <class Buffers>
    static std::string_view gather(const Buffers& buffers) {
        const auto begin = asio::buffer_sequence_begin(buffers);
        const auto end = asio::buffer_sequence_end(buffers);
        if (begin != end) {
            const asio::const_buffer first(*begin);
            if (first.size() >= tls_record_bytes_max || std::next(begin) == end) {
                return {static_cast<const char*>(first.data()),
                        std::min(first.size(), tls_record_bytes_max)};
            }
        }
        const auto scratch = scratch_of_thread();
        return {static_cast<const char*>(scratch.data()), asio::buffer_copy(scratch, buffers)};
    }
    static asio::mutable_buffer scratch_of_thread();

    void read(asio::mutable_buffer into, bool step, Done done);
    void write(std::string_view record, Done done);
    std::size_t write_now(std::string_view record, error_code& ec);
    void wait_writable(Waiter waiter);

    std::shared_ptr<State> state_;  ///< also of what is under way
};

}  // namespace helios::http
