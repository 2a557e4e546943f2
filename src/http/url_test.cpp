#include "http/url.h"

#include <gtest/gtest.h>

#include "http/client.h"

namespace helios::http {
namespace {

using namespace std::string_literals;

TEST(PercentDecode, undoes_what_percent_encode_does) {
    std::string every;
    for (int c = 1; c < 128; ++c) {
        every.push_back(static_cast<char>(c));
    }
    every += "äöü€𝄞";
    EXPECT_EQ(percent_decode(percent_encode(every)), every);
    EXPECT_EQ(percent_encode("a-._~Z9 /?%"), "a-._~Z9%20%2F%3F%25");
}

TEST(PercentDecode, takes_plus_for_a_space_only_in_queries) {
    EXPECT_EQ(percent_decode("a+b%2B"), "a+b+");
    EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
}

TEST(PercentDecode, refuses_what_is_no_encoding_of_text) {
    for (const auto& bad : {"%"s, "%4"s, "a%zz"s, "%-1"s, "%00"s, "a\0b"s, "%ff"s, "%C3"s,
                            "%c0%ae"s, "%ED%A0%80"s, "%f4%90%80%80"s, "\xff"s}) {
        const auto decoded = percent_decode(bad);
        ASSERT_FALSE(decoded) << bad;
        EXPECT_EQ(decoded.error().kind, ErrorKind::invalid);
    }
}

TEST(DecodePath, keeps_encoded_slashes_as_text_and_refuses_dot_segments) {
    EXPECT_EQ(decode_path("/a/..%2fb/...%20"), "/a/../b/... ");
    EXPECT_EQ(decode_path("/"), "/");
    EXPECT_EQ(decode_path("//"), "//");
    for (const auto* bad : {"/..", "/a/../b", "/.", "/a/.", "/%2e%2E", "/a/%2e/b", "/.%2e"}) {
        EXPECT_FALSE(decode_path(bad)) << bad;
    }
}

TEST(SplitTarget, reads_the_forms_of_a_target) {
    const auto origin = split_target("/a/b?x=1?y");
    ASSERT_TRUE(origin);
    EXPECT_EQ(origin->authority, "");
    EXPECT_EQ(origin->path, "/a/b");
    EXPECT_EQ(origin->query, "x=1?y");
    const auto absolute = split_target("HTTP://host:1/a?b");
    ASSERT_TRUE(absolute);
    EXPECT_EQ(absolute->authority, "host:1");
    EXPECT_EQ(absolute->path, "/a");
    EXPECT_EQ(absolute->query, "b");
    EXPECT_EQ(split_target("http://host?q")->path, "/");
    EXPECT_EQ(split_target("http://host?q")->query, "q");
    EXPECT_EQ(split_target("*")->path, "*");
    for (const auto* bad : {"", "a", "a/b", "host:80", "ftp://h/", "http://", "http:///x", "/a b",
                            "/a#b", "/\x7f", "/\r\n"}) {
        EXPECT_FALSE(split_target(bad)) << bad;
    }
}

TEST(ParseQuery, keeps_order_repetition_and_emptiness) {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(parse_query(""), Pairs{});
    EXPECT_EQ(parse_query("&&"), Pairs{});
    EXPECT_EQ(
        parse_query("b=2&a=1&b=&c&=d&e=f=g&%26=%3D"),
        (Pairs{{"b", "2"}, {"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g"}, {"&", "="}}));
    EXPECT_FALSE(parse_query("a=%"));
    EXPECT_FALSE(parse_query("%00"));
    std::string many;
    for (int i = 0; i < 1024; ++i) {
        many += "a&";
    }
    EXPECT_EQ(parse_query(many)->size(), 1024);
    EXPECT_FALSE(parse_query(many + "a"));
}

TEST(Url, parses_what_a_person_writes) {
    const auto url = Url::parse("http://127.0.0.1:8001/base?x=1");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "127.0.0.1");
    EXPECT_EQ(url->port, 8001);
    EXPECT_EQ(url->path, "/base?x=1");
    EXPECT_EQ(Url::parse("HTTP://host")->port, 80);
    EXPECT_FALSE(url->secure);
    EXPECT_EQ(Url::parse("http://host")->path, "/");
    const auto secure = Url::parse("HTTPS://host");
    ASSERT_TRUE(secure);
    EXPECT_TRUE(secure->secure);
    EXPECT_EQ(secure->port, 443);
    EXPECT_EQ(Url::parse("https://host:8443")->port, 8443);
    EXPECT_EQ(Url::parse("http://[::1]:9/")->host, "::1");
    for (const auto* bad :
         {"", "host:1", "ftp://host", "http://", "https://", "http://:80", "http://h:0",
          "http://h:65536", "http://h:x", "http://h:", "http://u@h/", "http://h/a b"}) {
        EXPECT_FALSE(Url::parse(bad)) << bad;
    }
}

}  // namespace
}  // namespace helios::http
