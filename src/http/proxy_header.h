#pragma once
/// The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a header at the very
/// beginning of a connection in which a proxy says whose it is. Pure: bytes in, an answer out.
/// Private to the room.

#include <optional>
#include <string>
#include <string_view>

#include "http/proxies.h"

namespace helios::http {

/// One connection's header, as it comes in. What is bounded: version 1 by its 107 bytes, version 2
/// by 4 KiB of addresses and extensions.
class ProxyHeader {
public:
    enum class State {
        unfinished,  ///< all that came belongs to it, and more is to come
        complete,
        malformed,
    };
    struct Taken {
        State state = State::unfinished;
        std::size_t bytes = 0;  ///< of `arrived` that belong to the header
    };
    /// `arrived` goes on from what was taken before.
    Taken take(std::string_view arrived);

    /// When complete: who the proxy speaks for; nullopt: itself (LOCAL, UNKNOWN), or what is no TCP
    /// over IP.
    const std::optional<Hop>& client() const { return client_; }

private:
    State judge();
    State judge_text();
    State judge_binary();

    std::string bytes_;
    std::size_t size_ = 0;  ///< of the header, once it is known
    std::optional<Hop> client_;
};

}  // namespace helios::http
