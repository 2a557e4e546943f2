// What proxies say: a PROXY header in portions (the first byte says how large), and the rest as
// X-Forwarded-For and Forwarded. Portions must not matter, and nobody may speak for a peer that is
// not trusted.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "http/proxies.h"
#include "http/proxy_header.h"

namespace {

using helios::http::parse_hop;
using helios::http::ProxyHeader;
using helios::http::TrustedProxies;

std::string read(std::string_view stream, std::size_t portion) {
    ProxyHeader header;
    std::size_t used = 0;
    auto state = ProxyHeader::State::unfinished;
    while (state == ProxyHeader::State::unfinished && used < stream.size()) {
        const auto taken = header.take(stream.substr(used, portion));
        HELIOS_ASSERT(taken.state != ProxyHeader::State::unfinished ||
                          taken.bytes == std::min(portion, stream.size() - used),
                      "what is not finished takes all there is");
        state = taken.state;
        used += taken.bytes;
    }
    if (state != ProxyHeader::State::complete) {
        return state == ProxyHeader::State::malformed ? "malformed" : "unfinished";
    }
    return std::to_string(used) + (header.client() ? header.client()->to_string() : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    HELIOS_ASSERT(
        read(bytes, std::max<std::size_t>(bytes.size(), 1)) == read(bytes, 1 + data[0] % 64),
        "portions do not matter");

    static const auto proxies = *TrustedProxies::parse({"10.0.0.0/8", "2001:db8::/32"});
    const std::string text(bytes);
    const std::string name = data[0] % 2 == 0 ? "X-Forwarded-For" : "Forwarded";
    HELIOS_ASSERT(proxies.client_of("203.0.113.9:1", {{name, text}}) == "203.0.113.9:1",
                  "a stranger speaks for himself alone");
    const auto client = proxies.client_of("10.0.0.1:1", {{name, text}});
    const auto hop = parse_hop(client);
    HELIOS_ASSERT(hop && hop->to_string() == client, "a client has an address");
    const auto behind = proxies.client_of(
        "10.0.0.1:1",
        {{name, text}, {name, data[0] % 2 == 0 ? "198.51.100.1" : "for=198.51.100.1"}});
    HELIOS_ASSERT(behind == "198.51.100.1", "what a client wrote does not matter");
    return 0;
}
