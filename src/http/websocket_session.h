#pragma once
/// The connection's side of a WebSocket. Private to the room: the code behind a route has
/// websocket.h.

#include <functional>
#include <memory>
#include <string>

#include "http/serving.h"
#include "http/stream.h"
#include "http/websocket.h"

namespace helios::http {

/// Everything on its connection's I/O thread.
class WebSocketSession {
public:
    virtual ~WebSocketSession() = default;
    virtual void start() = 0;  ///< answers 101; call once
    /// After a standstill of ours that began at `since`: the client was not silent.
    virtual void forgive(Duration since, Duration ours) = 0;
    virtual void check_deadlines(Duration at) = 0;  ///< pings, and ends what is silent or stuck
    virtual void go_away() = 0;                     ///< the server drains: close frame 1001
    virtual void drop() = 0;                        ///< ends it at once
};

struct Upgrade {
    std::string key;          ///< Sec-WebSocket-Key, valid
    std::string early_bytes;  ///< what came in behind the request
    std::shared_ptr<WebSocketEvents> events;
};

/// `ended` is called once, when the stream has been closed, on the I/O thread, perhaps from within
/// a call of the above.
std::shared_ptr<WebSocketSession> open_websocket(std::shared_ptr<Serving> shared, Stream stream,
                                                 Upgrade upgrade, std::function<void()> ended);

}  // namespace helios::http
