#pragma once
/// The sockets that a server listens on: every address that its host stands for, one port. Knows no
/// connection.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/sockets.h"

namespace helios::http {

/// Bound and listening, all on the same port (0: one that is free on all of them). `localhost` is
/// 127.0.0.1 and ::1, `::` takes IPv4 as well, another name is every address of this machine that
/// it resolves to. A family that this machine does not have is left out, unless nothing else
/// remains. unavailable: says which address and why.
Result<std::vector<Acceptor>> listen_on(asio::io_context& context, const std::string& host,
                                        std::uint16_t port);

/// The same without listening: does the host stand for addresses of this machine, and may we have
/// the port? A port that is in use is fine, it may be ours.
Status check_listen(const std::string& host, std::uint16_t port);

}  // namespace helios::http
