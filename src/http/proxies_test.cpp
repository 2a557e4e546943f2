#include "http/proxies.h"

#include <gtest/gtest.h>

#include "http/message.h"

namespace helios::http {
namespace {

TrustedProxies trusting(const std::vector<std::string>& networks) {
    auto proxies = TrustedProxies::parse(networks);
    EXPECT_TRUE(proxies) << proxies.error().message();
    return proxies.value_or(TrustedProxies());
}

TEST(Hop, is_read_in_all_the_ways_that_proxies_write_it) {
    for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
             {"203.0.113.7", "203.0.113.7"},
             {"203.0.113.7:4711", "203.0.113.7:4711"},
             {"2001:db8::7", "[2001:db8::7]"},
             {"[2001:db8::7]", "[2001:db8::7]"},
             {"[2001:DB8:0::7]:4711", "[2001:db8::7]:4711"},
             {"::ffff:203.0.113.7", "203.0.113.7"},
             {"::ffff:cb00:7107", "203.0.113.7"},
             {"[::1]:0", "[::1]"}}) {
        const auto hop = parse_hop(text);
        ASSERT_TRUE(hop) << text;
        EXPECT_EQ(hop->to_string(), expected) << text;
        EXPECT_EQ(parse_hop(hop->to_string())->address, hop->address);
    }
    for (const auto* bad : {"",
                            "unknown",
                            "_hidden",
                            "localhost",
                            "203.0.113",
                            "203.0.113.7:",
                            "203.0.113.7:65536",
                            "203.0.113.7:x",
                            "203.0.113.7:-1",
                            "[203.0.113.7]:1",
                            "[::1",
                            "[::1]1",
                            "[::1]:",
                            "[]",
                            "fe80::1%eth0",
                            "1.2.3.4.5",
                            "01.2.3.4",
                            " 1.2.3.4",
                            "::1:70000:1:1:1:1:1:1:1",
                            "1234:1234:1234:1234:1234:1234:1234:1234:1234:1234"}) {
        EXPECT_FALSE(parse_hop(bad)) << bad;
    }
}

TEST(TrustedProxies, networks_hold_their_addresses_and_no_others) {
    const auto proxies =
        trusting({"10.1.0.0/16", "192.0.2.7", "198.51.100.128/25", "2001:db8::/33", "::1"});
    for (const auto* inside :
         {"10.1.0.0:1", "10.1.255.255", "192.0.2.7:80", "198.51.100.128", "198.51.100.255",
          "[2001:db8::1]:9", "[2001:db8:7fff::]", "[::1]:1", "[::ffff:10.1.2.3]:1"}) {
        EXPECT_TRUE(proxies.trusts(std::string_view(inside))) << inside;
    }
    for (const auto* outside : {"10.2.0.0:1", "192.0.2.6", "198.51.100.127", "[2001:db8:8000::]:1",
                                "[::2]", "127.0.0.1:1", "", "x"}) {
        EXPECT_FALSE(proxies.trusts(std::string_view(outside))) << outside;
    }
    EXPECT_TRUE(trusting({"0.0.0.0/0"}).trusts(std::string_view("255.0.0.1")));
    EXPECT_FALSE(trusting({"0.0.0.0/0"}).trusts(std::string_view("[2001:db8::1]")));
    EXPECT_TRUE(trusting({"::/0"}).trusts(std::string_view("10.0.0.1")));
    EXPECT_FALSE(trusting({}).trusts(std::string_view("10.0.0.1")));
}

TEST(TrustedProxies, what_is_no_network_is_refused_by_name) {
    for (const std::string bad :
         {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.1/8",
          "::/129", "2001:db8::1/32", "10.0.0.0:80", "[::1]", "10.0.0.0/8/8"}) {
        const auto proxies = TrustedProxies::parse({"10.0.0.0/8", bad});
        ASSERT_FALSE(proxies) << bad;
        EXPECT_EQ(proxies.error().kind, ErrorKind::invalid);
        EXPECT_TRUE(proxies.error().what.starts_with("http.trusted_proxies has the entry '" + bad))
            << proxies.error().what;
    }
}

class ClientOfTest : public testing::Test {
protected:
    std::string client(const std::string& peer, const Headers& headers) const {
        return proxies.client_of(peer, headers);
    }
    TrustedProxies proxies = trusting({"10.0.0.0/8", "2001:db8::/32"});
};

TEST_F(ClientOfTest, is_the_peer_unless_that_is_trusted) {
    EXPECT_EQ(client("203.0.113.9:1", {{"X-Forwarded-For", "198.51.100.1"}}), "203.0.113.9:1");
    EXPECT_EQ(client("203.0.113.9:1", {{"Forwarded", "for=198.51.100.1"}}), "203.0.113.9:1");
    EXPECT_EQ(client("10.0.0.1:1", {}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"Via", "1.1 x"}}), "10.0.0.1:1");
}

TEST_F(ClientOfTest, is_the_rightmost_hop_that_is_not_trusted) {
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "198.51.100.1"}}), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1:1", {{"x-forwarded-for", "6.6.6.6, 198.51.100.1, 10.0.0.2"}}),
              "198.51.100.1")
        << "what stands left of it is its own word";
    EXPECT_EQ(client("[2001:db8::9]:1", {{"X-Forwarded-For", "198.51.100.1:555"}}),
              "198.51.100.1:555");
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "6.6.6.6"},
                                    {"Other", "x"},
                                    {"X-Forwarded-For", " [2001:0:1::5]:7 ,\t10.0.0.2 "}}),
              "[2001:0:1::5]:7")
        << "lines are one list";
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}), "10.0.0.3")
        << "all are trusted: the farthest";
}

TEST_F(ClientOfTest, what_cant_be_read_ends_the_walk_at_the_hop_before_it) {
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", ""}}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "198.51.100.1, unknown"}}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "198.51.100.1, bad, 10.0.0.2"}}),
              "10.0.0.2");
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", "198.51.100.1,,"}}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"X-Forwarded-For", std::string(60'000, ',')}}), "10.0.0.1:1");
}

TEST_F(ClientOfTest, forwarded_is_read_as_its_rfc_has_it) {
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43"}}),
              "192.0.2.60");
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "For=\"[2001:1::17]:4711\""}}),
              "[2001:1::17]:4711");
    EXPECT_EQ(client("10.0.0.1:1",
                     {{"forwarded", "for=6.6.6.6, proto=https; FOR=192.0.2.43 , for=10.0.0.2"}}),
              "192.0.2.43");
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "for=6.6.6.6;x=\", for=192.0.2.1"}}), "192.0.2.1")
        << "a quote that a client left open takes nothing along";
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "for=_secret"}}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "by=192.0.2.1"}}), "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1", {{"Forwarded", "for=192.0.2.1;for=192.0.2.2"}}), "10.0.0.1:1");
}

TEST_F(ClientOfTest, two_headers_that_do_not_agree_name_nobody) {
    EXPECT_EQ(
        client("10.0.0.1:1", {{"X-Forwarded-For", "198.51.100.1"}, {"Forwarded", "for=6.6.6.6"}}),
        "10.0.0.1:1");
    EXPECT_EQ(client("10.0.0.1:1",
                     {{"X-Forwarded-For", "198.51.100.1"}, {"Forwarded", "for=198.51.100.1"}}),
              "198.51.100.1");
}

TEST(Request, says_the_address_of_its_client_without_the_port) {
    for (const auto& [remote, address] :
         std::vector<std::pair<std::string, std::string>>{{"203.0.113.7:4711", "203.0.113.7"},
                                                          {"203.0.113.7", "203.0.113.7"},
                                                          {"[2001:db8::7]:4711", "[2001:db8::7]"},
                                                          {"[2001:db8::7]", "[2001:db8::7]"},
                                                          {"", ""}}) {
        Request request;
        request.remote = remote;
        EXPECT_EQ(request.remote_address(), address);
    }
}

}  // namespace
}  // namespace helios::http
