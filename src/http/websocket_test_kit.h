#pragma once
/// For tests of this room and of rooms that stream: a WebSocket client, written from RFC 6455 and
/// not with the library that the server uses. Can break the rules.

#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>

#include "http/test_kit.h"

namespace helios::http {

enum class Opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10
};

struct Frame {
    bool last = true;
    Opcode opcode = Opcode::text;
    std::string payload;
    /// Of a close frame; 1005: it names none.
    unsigned close_code() const {
        return payload.size() < 2
                   ? 1005
                   : static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                                           static_cast<unsigned char>(payload[1]));
    }
};

/// The bytes of a client's frame.
inline std::string client_frame(Opcode opcode, std::string_view payload, bool last = true,
                                bool masked = true) {
    std::string bytes(1, static_cast<char>((last ? 0x80 : 0) | static_cast<int>(opcode)));
    const auto mask_bit = static_cast<char>(masked ? 0x80 : 0);
    if (payload.size() < 126) {
        bytes += static_cast<char>(mask_bit | static_cast<char>(payload.size()));
    } else {
        const int width = payload.size() <= 0xffff ? 2 : 8;
        bytes += static_cast<char>(mask_bit | (width == 2 ? 126 : 127));
        for (int i = width - 1; i >= 0; --i) {
            bytes += static_cast<char>(payload.size() >> (8 * i) & 0xff);
        }
    }
    constexpr std::string_view mask = "\x11\x22\x33\x44";
    bytes += masked ? mask : std::string_view();
    for (std::size_t i = 0; i < payload.size(); ++i) {
        bytes += static_cast<char>(masked ? payload[i] ^ mask[i % 4] : payload[i]);
    }
    return bytes;
}

inline constexpr std::string_view websocket_headers =
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A client. Not thread-safe.
class RawWebSocket {
public:
    explicit RawWebSocket(std::uint16_t port, std::string_view target, int receive_buffer_bytes = 0)
        : connection(port, receive_buffer_bytes) {
        answer = connection.exchange(
            fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, websocket_headers));
    }
    bool open() const { return answer.status == 101; }

    bool send(Opcode opcode, std::string_view payload, bool last = true, bool masked = true) {
        return connection.send(client_frame(opcode, payload, last, masked));
    }

    /// nullopt: the connection ended, or nothing came in time.
    std::optional<Frame> frame() {
        const std::string head = connection.take(2);
        if (head.size() < 2) {
            return std::nullopt;
        }
        Frame frame;
        frame.last = (head[0] & 0x80) != 0;
        frame.opcode = static_cast<Opcode>(head[0] & 0x0f);
        HELIOS_ASSERT((head[0] & 0x70) == 0 && (head[1] & 0x80) == 0,
                      "a server neither masks nor has extensions");
        std::size_t length = head[1] & 0x7f;
        if (length >= 126) {
            const std::string wide = connection.take(length == 126 ? 2 : 8);
            length = 0;
            for (const char c : wide) {
                length = length << 8 | static_cast<unsigned char>(c);
            }
        }
        frame.payload = connection.take(length);
        return frame.payload.size() == length ? std::optional(std::move(frame)) : std::nullopt;
    }

    /// The next text message; pings on the way are answered. nullopt: something else came (see
    /// `last_frame`), or nothing.
    std::optional<std::string> text() {
        for (;;) {
            last_frame = frame();
            if (last_frame && last_frame->opcode == Opcode::ping) {
                send(Opcode::pong, last_frame->payload);
                continue;
            }
            return last_frame && last_frame->opcode == Opcode::text && last_frame->last
                       ? std::optional(last_frame->payload)
                       : std::nullopt;
        }
    }

    /// Reads on to the server's close frame, answering nothing; 0: the connection ended without
    /// one.
    unsigned close_code() {
        while (auto next = frame()) {
            if (next->opcode == Opcode::close) {
                return next->close_code();
            }
        }
        return 0;
    }

    /// Closes as a client should: true if the server agreed and ended the connection first.
    bool close(unsigned code = 1000) {
        const std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
        const bool agreed =
            send(Opcode::close, payload) && close_code() == code && connection.closed();
        connection.close();
        return agreed;
    }

    RawConnection connection;
    RawConnection::Answer answer;
    std::optional<Frame> last_frame;
};

}  // namespace helios::http
