#include "http/proxies.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <ranges>

#include "base/ascii.h"
#include "http/url.h"

namespace helios::http {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_prefix_bits = 96;

bool is_v4(const AddressBytes& address) {
    return std::equal(v4_prefix.begin(), v4_prefix.end(), address.begin());
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
    T value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                 : std::nullopt;
}

/// Takes the last of a list off, which `is_separator` cut apart; quoted ones do not cut.
std::string_view take_last(std::string_view& list, char separator) {
    std::size_t cut = std::string_view::npos;
    bool quoted = false;
    for (std::size_t i = list.size(); i-- > 0;) {
        if (list[i] == '"') {
            quoted = !quoted;
        } else if (list[i] == separator && !quoted) {
            cut = i;
            break;
        }
    }
    const auto last = list.substr(cut == std::string_view::npos ? 0 : cut + 1);
    list = cut == std::string_view::npos ? std::string_view() : list.substr(0, cut);
    return ascii::trimmed(last);
}

/// `for` of one element of Forwarded (RFC 7239): "for=192.0.2.43;proto=https".
std::optional<Hop> hop_of_element(std::string_view element) {
    std::optional<Hop> hop;
    bool seen = false;
    while (!element.empty()) {
        auto pair = take_last(element, ';');
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos ||
            !equal_ignoring_case(ascii::trimmed(pair.substr(0, equals)), "for")) {
            continue;
        }
        auto value = ascii::trimmed(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        if (std::exchange(seen, true)) {
            return std::nullopt;
        }
        hop = parse_hop(value);
    }
    return hop;
}

}  // namespace

std::optional<AddressBytes> parse_ip(std::string_view text) {
    if (text.empty() || text.size() >= INET6_ADDRSTRLEN) {
        return std::nullopt;
    }
    std::array<char, INET6_ADDRSTRLEN> ended{};
    std::copy(text.begin(), text.end(), ended.begin());
    AddressBytes address{};
    if (::inet_pton(AF_INET6, ended.data(), address.data()) == 1) {
        return address;
    }
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.begin());
    if (::inet_pton(AF_INET, ended.data(), address.data() + v4_prefix.size()) == 1) {
        return address;
    }
    return std::nullopt;
}

std::string Hop::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = is_v4(address);
    ::inet_ntop(v4 ? AF_INET : AF_INET6, address.data() + (v4 ? v4_prefix.size() : 0), text.data(),
                text.size());
    std::string out = v4 ? std::string(text.data()) : fmt::format("[{}]", text.data());
    return port == 0 ? out : fmt::format("{}:{}", out, port);
}

std::optional<Hop> parse_hop(std::string_view text) {
    std::string_view host = text;
    std::string_view port;
    const auto colon = text.rfind(':');
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos ||
            (close + 1 != text.size() && (text[close + 1] != ':' || close + 2 == text.size()))) {
            return std::nullopt;
        }
        host = text.substr(1, close - 1);
        port = text.substr(std::min(close + 2, text.size()));
        if (host.find(':') == std::string_view::npos) {
            return std::nullopt;
        }
    } else if (colon != std::string_view::npos && text.find(':') == colon) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty()) {
            return std::nullopt;
        }
    }
    const auto address = parse_ip(host);
    const auto number =
        port.empty() ? std::optional<std::uint16_t>(0) : parse_number<std::uint16_t>(port);
    return address && number ? std::optional(Hop{*address, *number}) : std::nullopt;
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& networks) {
    TrustedProxies proxies;
    for (const auto& text : networks) {
        const auto refuse = [&](std::string_view why, std::string hint) {
            return fail(ErrorKind::invalid,
                        fmt::format("http.trusted_proxies has the entry '{}': {}", text, why),
                        std::move(hint));
        };
        const auto slash = text.find('/');
        const auto address = parse_ip(std::string_view(text).substr(0, slash));
        if (!address) {
            return refuse("no address", "for example 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32");
        }
        const bool v4 = text.find(':') == std::string::npos;
        const unsigned widest = v4 ? 32 : 128;
        const auto bits = slash == std::string::npos
                              ? std::optional(widest)
                              : parse_number<unsigned>(std::string_view(text).substr(slash + 1));
        if (!bits || *bits > widest) {
            return refuse("no prefix length",
                          fmt::format("a number from 0 to {} behind the slash", widest));
        }
        Network network{*address, *bits + (v4 ? v4_prefix_bits : 0)};
        for (unsigned bit = network.bits; bit < 128; ++bit) {
            if ((network.address[bit / 8] >> (7 - bit % 8) & 1u) != 0) {
                return refuse("bits are set behind the prefix",
                              "write the first address of the network, or one address alone");
            }
        }
        proxies.networks_.push_back(network);
    }
    return proxies;
}

bool TrustedProxies::trusts(const AddressBytes& address) const {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        const unsigned whole = network.bits / 8;
        const unsigned rest = network.bits % 8;
        return std::equal(address.begin(), address.begin() + whole, network.address.begin()) &&
               (rest == 0 || (address[whole] ^ network.address[whole]) >> (8 - rest) == 0);
    });
}

bool TrustedProxies::trusts(std::string_view remote) const {
    const auto hop = empty() ? std::nullopt : parse_hop(remote);
    return hop && trusts(hop->address);
}

std::string TrustedProxies::client_of(const std::string& peer, const Headers& headers) const {
    if (!trusts(peer)) {
        return peer;
    }
    // From the last line to the first, each from its right end.
    const auto walk = [&](std::string_view name, auto hop_of) {
        std::optional<std::string> client;
        for (const auto& [header, value] : std::views::reverse(headers)) {
            if (!equal_ignoring_case(header, name)) {
                continue;
            }
            std::string_view list = value;
            do {
                const auto hop = hop_of(take_last(list, ','));
                if (!hop) {
                    return std::optional(client.value_or(peer));
                }
                client = hop->to_string();
                if (!trusts(hop->address)) {
                    return client;
                }
            } while (!list.empty());
        }
        return client;
    };
    const auto plain = walk("X-Forwarded-For", parse_hop);
    const auto standard = walk("Forwarded", hop_of_element);
    if (plain && standard && plain != standard) {
        return peer;
    }
    return plain ? *plain : standard.value_or(peer);
}

}  // namespace helios::http
