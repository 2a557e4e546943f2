#pragma once
/// Which addresses others may make us connect to. Pure.

#include <string>

struct sockaddr;

namespace helios::sources {

/// Whether it is an address of the internet at large: not this machine's, no private or local
/// network's, no cloud's metadata service, none that stands for one of these in IPv6 (IANA's
/// registries of special-purpose addresses, RFC 6890).
bool is_public(const sockaddr& address);

/// Whether it is one of a private network (RFC 1918, RFC 6598, RFC 4193), where a cloud may have an
/// endpoint of its own.
bool is_private_network(const sockaddr& address);

/// "203.0.113.7", "2001:db8::7"
std::string to_text(const sockaddr& address);

}  // namespace helios::sources
