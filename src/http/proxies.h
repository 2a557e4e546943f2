#pragma once
/// Whom a request is from when proxies stand in between. Pure: knows no socket.
///
/// What a proxy says counts only if the proxy is trusted, and nothing beyond the first hop, from
/// our side, that is not. Private to the room.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace helios::http {

/// Of either family; an IPv4 address is the IPv6 one that stands for it (::ffff:a.b.c.d).
using AddressBytes = std::array<std::uint8_t, 16>;

/// nullopt: no address of either family (a name, a zone).
std::optional<AddressBytes> parse_ip(std::string_view text);

/// One end of a connection, as proxies write it: "203.0.113.7", "203.0.113.7:4711", "2001:db8::7",
/// "[2001:db8::7]:4711".
struct Hop {
    AddressBytes address{};
    std::uint16_t port = 0;  ///< 0: not said

    /// "203.0.113.7", "203.0.113.7:4711", "[2001:db8::7]", "[2001:db8::7]:4711".
    std::string to_string() const;
};
/// nullopt: anything else ("unknown", "_hidden", a name).
std::optional<Hop> parse_hop(std::string_view text);

/// Immutable, thread-safe.
class TrustedProxies {
public:
    TrustedProxies() = default;
    /// Networks ("10.0.0.0/8", "2001:db8::/32") and addresses. invalid: one is neither, or has bits
    /// behind its prefix.
    static Result<TrustedProxies> parse(const std::vector<std::string>& networks);

    bool empty() const { return networks_.empty(); }
    bool trusts(const AddressBytes& address) const;
    /// `remote` as Request has it.
    bool trusts(std::string_view remote) const;

    /// The client of a request that came from `peer`: the peer itself unless that is trusted; else
    /// the rightmost hop that X-Forwarded-For, or Forwarded, names and that is not trusted. If all
    /// are, the leftmost. What can't be read ends the walk: the hop before it is the client. Both
    /// headers, and they do not agree: nobody can tell which of them the proxy wrote, so it is the
    /// peer.
    std::string client_of(const std::string& peer, const Headers& headers) const;

private:
    struct Network {
        AddressBytes address;
        unsigned bits;  ///< of the 128
    };
    std::vector<Network> networks_;
};

}  // namespace helios::http
