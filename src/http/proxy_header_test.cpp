#include "http/proxy_header.h"

#include <gtest/gtest.h>

namespace helios::http {
namespace {

using State = ProxyHeader::State;

/// The bytes of version 2.
std::string binary(char version_and_command, char family_and_transport, std::string_view rest) {
    std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
    bytes += {version_and_command, family_and_transport, static_cast<char>(rest.size() >> 8),
              static_cast<char>(rest.size() & 0xff)};
    return bytes.append(rest);
}
const std::string v4_pair("\xcb\x00\x71\x07\x0a\x00\x00\x01\x12\x67\x01\xbb", 12);
const std::string v6_pair = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" +
                            std::string(15, '\0') + "\x01" + std::string("\x12\x67\x01\xbb", 4);

struct Outcome {
    State state;
    std::size_t bytes;
    std::string client;
};

/// What a header comes to, whole and in portions of every size.
Outcome outcome(const std::string& stream) {
    const auto in_portions = [&](std::size_t portion) {
        ProxyHeader header;
        Outcome out{State::unfinished, 0, ""};
        while (out.state == State::unfinished && out.bytes < stream.size()) {
            const auto taken = header.take(std::string_view(stream).substr(out.bytes, portion));
            out.state = taken.state;
            out.bytes += taken.bytes;
        }
        out.client = header.client() ? header.client()->to_string() : "itself";
        return out;
    };
    const auto whole = in_portions(std::max<std::size_t>(stream.size(), 1));
    for (std::size_t portion = 1; portion < stream.size(); portion += portion < 200 ? 1 : 997) {
        const auto parts = in_portions(portion);
        EXPECT_EQ(parts.state, whole.state) << portion;
        EXPECT_EQ(parts.client, whole.client) << portion;
        if (whole.state == State::complete) {
            EXPECT_EQ(parts.bytes, whole.bytes) << portion;
        }
    }
    return whole;
}

TEST(ProxyHeader, of_either_version_says_whose_connection_it_is_and_where_it_ends) {
    const std::string rest = "GET / HTTP/1.1\r\n";
    for (const auto& [header, client] : std::vector<std::pair<std::string, std::string>>{
             {"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", "203.0.113.7:4711"},
             {"PROXY TCP6 2001:db8::7 ::1 4711 443\r\n", "[2001:db8::7]:4711"},
             {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
              "255.255.255.255:65535"},
             {"PROXY UNKNOWN\r\n", "itself"},
             {"PROXY UNKNOWN ffff::1 what ever 1\r\n", "itself"},
             {binary(0x21, 0x11, v4_pair), "203.0.113.7:4711"},
             {binary(0x21, 0x21, v6_pair), "[2001:db8::7]:4711"},
             {binary(0x21, 0x11, v4_pair + std::string(4000, 'x')), "203.0.113.7:4711"},
             {binary(0x20, 0x00, ""), "itself"},
             {binary(0x20, 0x11, v4_pair), "itself"},
             {binary(0x21, 0x00, ""), "itself"},
             {binary(0x21, 0x12, v4_pair), "itself"},
             {binary(0x21, 0x31, std::string(216, 'u')), "itself"}}) {
        const auto found = outcome(header + rest);
        EXPECT_EQ(found.state, State::complete) << header;
        EXPECT_EQ(found.bytes, header.size()) << header;
        EXPECT_EQ(found.client, client) << header;
        for (std::size_t length = 0; length < header.size(); length += length < 60 ? 1 : 500) {
            EXPECT_EQ(outcome(header.substr(0, length)).state, State::unfinished) << length;
        }
    }
}

TEST(ProxyHeader, that_is_none_is_known_as_soon_as_it_can_be) {
    for (const std::string& bad : {
             std::string("GET / HTTP/1.1\r\n\r\n"),
             std::string("PROXX"),
             std::string("P\r\n"),
             std::string("PROXY \r\n"),
             std::string("PROXY TCP5 203.0.113.7 10.0.0.1 4711 443\r\n"),
             std::string("PROXY TCP4 2001:db8::7 ::1 4711 443\r\n"),
             std::string("PROXY TCP6 203.0.113.7 10.0.0.1 4711 443\r\n"),
             std::string("PROXY TCP4 203.0.113.7 10.0.0.1 4711\r\n"),
             std::string("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443 \r\n"),
             std::string("PROXY TCP4  203.0.113.7 10.0.0.1 4711 443\r\n"),
             std::string("PROXY TCP4 203.0.113.7 10.0.0.1 04711 443\r\n"),
             std::string("PROXY TCP4 203.0.113.7 10.0.0.1 65536 443\r\n"),
             std::string("PROXY TCP4 203.0.113.7 10.0.0.1 -1 443\r\n"),
             std::string("PROXY tcp4 203.0.113.7 10.0.0.1 4711 443\r\n"),
             std::string("PROXY TCP4 203.0.113.777 10.0.0.1 4711 443\r\n"),
             "PROXY UNKNOWN " + std::string(200, 'x'),
             "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n",
             std::string("\r\n\r\n\0\r\nQUIX", 11),
             std::string("\x16\x03\x01"),
             binary(0x11, 0x11, v4_pair),
             binary(0x22, 0x11, v4_pair),
             binary(0x21, 0x41, v4_pair),
             binary(0x21, 0x13, v4_pair),
             binary(0x21, 0x11, v4_pair.substr(0, 11)),
             binary(0x21, 0x21, v4_pair),
             binary(0x21, 0x11, v4_pair + std::string(5000, 'x')),
         }) {
        EXPECT_EQ(outcome(bad).state, State::malformed) << bad.substr(0, 60);
    }
}

}  // namespace
}  // namespace helios::http
