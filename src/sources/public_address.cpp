#include "sources/public_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <span>

namespace helios::sources {
namespace {

struct Net4 {
    std::uint32_t net;
    unsigned bits;
};

constexpr std::uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d) {
    return (a << 24) | (b << 16) | (c << 8) | d;
}

constexpr std::array special_v4{
    Net4{ip(0, 0, 0, 0), 8},      Net4{ip(10, 0, 0, 0), 8},     Net4{ip(100, 64, 0, 0), 10},
    Net4{ip(127, 0, 0, 0), 8},    Net4{ip(169, 254, 0, 0), 16}, Net4{ip(172, 16, 0, 0), 12},
    Net4{ip(192, 0, 0, 0), 24},   Net4{ip(192, 0, 2, 0), 24},   Net4{ip(192, 88, 99, 0), 24},
    Net4{ip(192, 168, 0, 0), 16}, Net4{ip(198, 18, 0, 0), 15},  Net4{ip(198, 51, 100, 0), 24},
    Net4{ip(203, 0, 113, 0), 24}, Net4{ip(224, 0, 0, 0), 4},    Net4{ip(240, 0, 0, 0), 4},
};

bool is_public_v4(std::uint32_t address) {
    return std::ranges::none_of(
        special_v4, [&](const Net4& net) { return (address ^ net.net) >> (32 - net.bits) == 0; });
}

std::uint32_t v4_at(std::span<const std::uint8_t, 16> bytes, std::size_t at) {
    return ip(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool begins_with(std::span<const std::uint8_t, 16> bytes,
                 std::initializer_list<std::uint8_t> with) {
    return std::ranges::equal(bytes.first(with.size()), with);
}

bool is_public_v6(std::span<const std::uint8_t, 16> bytes) {
    constexpr std::size_t of_6to4 = 2;
    constexpr std::size_t last_four = 12;
    if (begins_with(bytes, {0x20, 0x02})) {
        return is_public_v4(v4_at(bytes, of_6to4));
    }
    if (begins_with(bytes, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {  // NAT64
        return is_public_v4(v4_at(bytes, last_four));
    }
    // 2000::/3 is all that has been given out; of it, Teredo and its neighbours (2001::/23) and
    // what documentation uses.
    const bool given_out = (bytes[0] & 0xe0) == 0x20;
    const bool special = (begins_with(bytes, {0x20, 0x01}) && (bytes[2] & 0xfe) == 0) ||
                         begins_with(bytes, {0x20, 0x01, 0x0d, 0xb8}) ||
                         begins_with(bytes, {0x3f, 0xff});
    return given_out && !special;
}

}  // namespace

bool is_public(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        return is_public_v6(std::span<const std::uint8_t, 16>(v6.sin6_addr.s6_addr));
    }
    return false;
}

bool is_private_network(const sockaddr& address) {
    constexpr std::array nets{Net4{ip(10, 0, 0, 0), 8}, Net4{ip(100, 64, 0, 0), 10},
                              Net4{ip(172, 16, 0, 0), 12}, Net4{ip(192, 168, 0, 0), 16}};
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        const auto at = ntohl(v4.sin_addr.s_addr);
        return std::ranges::any_of(
            nets, [&](const Net4& net) { return (at ^ net.net) >> (32 - net.bits) == 0; });
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        constexpr std::uint8_t unique_local = 0xfc;  // /7; EC2's metadata service is fd00:ec2::254
        const std::span<const std::uint8_t, 16> bytes(v6.sin6_addr.s6_addr);
        return (bytes[0] & 0xfe) == unique_local && !begins_with(bytes, {0xfd, 0x00, 0x0e, 0xc2});
    }
    return false;
}

std::string to_text(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    }
    return text.data();
}

}  // namespace helios::sources
