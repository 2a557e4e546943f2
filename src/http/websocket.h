#pragma once
/// A WebSocket as the code behind a route sees it: text messages out, and word of when there is
/// room and when it is over.
///
/// One way: what a client sends is read past (within limits). Knows no message's meaning. A route
/// answers a request for an upgrade either with an ordinary Response or with
/// Response::accept_websocket(events).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace helios::http {

/// Close codes of RFC 6455 that a route has use for.
enum class CloseCode : std::uint16_t { normal = 1000, going_away = 1001, internal_error = 1011 };

/// Thread-safe. May outlive its connection and its server: what is asked of it then has no effect.
class WebSocket {
public:
    using Text = std::shared_ptr<const std::string>;  ///< UTF-8; shared, since many clients get the
                                                      ///< same bytes
    virtual ~WebSocket() = default;

    /// Puts a message in line. False: not taken, since as many bytes as are allowed wait already
    /// (WebSocketEvents::room says when to try again), or since it is over. The last message taken
    /// may pass the bound.
    virtual bool send(Text text) = 0;

    /// Ends it: messages in line are dropped, the one being written is finished, then the close
    /// frame goes out. `reason` is ASCII for whoever looks into it; a frame has room for 123 bytes
    /// of it.
    virtual void close(CloseCode code, std::string reason) = 0;
};

/// What happens to one WebSocket. Called on its I/O thread, one after another: hand over and
/// return, never block.
struct WebSocketEvents {
    std::function<void(std::shared_ptr<WebSocket>)>
        opened;                    ///< once, first: the client has its 101
    std::function<void()> room;    ///< after a refused send(): half of what may wait has gone
    std::function<void()> closed;  ///< once, last, if it was opened
};

}  // namespace helios::http
