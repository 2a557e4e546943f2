// What stands before anything else on a connection: a proxy's word about whose it is.

#include <array>

#include "base/assert.h"
#include "http/connection.h"

namespace helios::http {

void Connection::read_proxy_header() {
    HELIOS_ASSERT(reading_ == Reading::idle, "one read at a time");
    reading_ = Reading::under_way;
    stream_->socket().async_wait(Socket::wait_read, [self = shared_from_this()](error_code ec) {
        self->proxy_header_came(ec);
    });
}

void Connection::proxy_header_came(error_code ec) {
    reading_ = Reading::idle;
    if (!stream_) {
        return;
    }
    // What is not the header's stays in the socket: the stream reads it.
    std::array<char, 512> arrived;
    auto& socket = stream_->socket();
    std::size_t bytes = 0;
    if (!ec) {
        bytes = socket.receive(asio::buffer(arrived), Socket::message_peek, ec);
    }
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
        read_proxy_header();
        return;
    }
    if (ec) {
        close();
        return;
    }
    const auto taken = proxy_header_->take(std::string_view(arrived.data(), bytes));
    if (taken.bytes > 0) {
        socket.receive(asio::buffer(arrived.data(), taken.bytes), 0, ec);
    }
    if (ec || taken.state == ProxyHeader::State::malformed) {
        shared_->metrics->proxy_headers_refused.add();
        close();
        return;
    }
    if (taken.state == ProxyHeader::State::unfinished) {
        read_proxy_header();
    } else {
        if (const auto& client = proxy_header_->client()) {
            remote_ = client->to_string();
        }
        proxy_header_.reset();
        read();
    }
    end_turn_if_read();
}

}  // namespace helios::http
