#include "http/stream.h"

#include <fmt/format.h>

namespace helios::http {

std::optional<std::string> Stream::remote() {
    error_code ec;
    const auto peer = socket().remote_endpoint(ec);
    if (ec) {
        return std::nullopt;
    }
    auto from = peer.address();
    if (from.is_v6() && from.to_v6().is_v4_mapped()) {  // a socket of both families shows IPv4 so
        from = asio::ip::make_address_v4(asio::ip::v4_mapped, from.to_v6());
    }
    return from.is_v6() ? fmt::format("[{}]:{}", from.to_string(), peer.port())
                        : fmt::format("{}:{}", from.to_string(), peer.port());
}

}  // namespace helios::http
