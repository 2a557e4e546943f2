#include "sources/public_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>

namespace helios::sources {
namespace {

bool is_public_text(const std::string& text) {
    sockaddr_storage storage{};
    if (text.find(':') == std::string::npos) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &v4.sin_addr), 1) << text;
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        v6.sin6_family = AF_INET6;
        EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    }
    const auto& address = reinterpret_cast<const sockaddr&>(storage);
    EXPECT_EQ(to_text(address), text);
    return is_public(address);
}

TEST(PublicAddress, the_internet_at_large) {
    for (const auto* text :
         {"1.1.1.1", "52.94.5.1", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255",
          "172.32.0.1", "192.167.1.1", "198.17.255.255", "223.255.255.255", "2600:1f18::1",
          "2a00:1450:4001::200e", "2001:4860:4860::8888"}) {
        EXPECT_TRUE(is_public_text(text)) << text;
    }
}

TEST(PublicAddress, nothing_that_only_we_can_reach) {
    for (const auto* text : {"0.0.0.0",
                             "0.1.2.3",
                             "10.0.0.1",
                             "10.255.255.255",
                             "100.64.0.1",
                             "127.0.0.1",
                             "127.255.255.254",
                             "169.254.169.254",
                             "169.254.170.2",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.0.1",
                             "192.0.0.192",
                             "198.18.0.1",
                             "203.0.113.9",
                             "224.0.0.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "fe80::1",
                             "fc00::1",
                             "fd00:ec2::254",
                             "ff02::1",
                             "2001:db8::1",
                             "2001::1",
                             "2002:7f00:1::",
                             "2002:a9fe:a9fe::",
                             "64:ff9b::a9fe:a9fe"}) {
        EXPECT_FALSE(is_public_text(text)) << text;
    }
    EXPECT_FALSE(is_public_text("::ffff:127.0.0.1"));
    EXPECT_FALSE(is_public_text("::ffff:8.8.8.8")) << "an IPv4 address comes as one";
}

TEST(PublicAddress, another_family_is_none) {
    sockaddr local{};
    local.sa_family = AF_UNIX;
    EXPECT_FALSE(is_public(local));
    EXPECT_EQ(to_text(local), "");
}

}  // namespace
}  // namespace helios::sources
