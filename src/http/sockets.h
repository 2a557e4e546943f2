#pragma once
/// Asio as this room uses it, included here and nowhere else, so that every file sees it with the
/// same settings. Private to the room.

#define BOOST_ASIO_NO_DEPRECATED
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // a fence says nothing to the thread sanitizer; the locks
                                         // beside it do
#endif
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace helios::http {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;

/// The socket under another loop; its descriptor stays the same. After an error neither is of use.
inline Socket moved_socket(Socket& from, asio::io_context& context, error_code& ec) {
    const auto protocol = from.local_endpoint(ec).protocol();
    Socket socket(context);
    if (!ec) {
        const auto handle = from.release(ec);
        if (!ec) {
            socket.assign(protocol, handle, ec);
        }
        if (!ec) {
            socket.non_blocking(true, ec);
        }
    }
    return socket;
}

}  // namespace helios::http
