#include "base/hash.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace helios {
namespace {

std::int32_t java(std::string_view text) {
    return static_cast<std::int32_t>(murmur2(text));
}

TEST(Hash, murmur2_equals_kafka) {  // vectors of Kafka's UtilsTest
    EXPECT_EQ(java("21"), -973'932'308);
    EXPECT_EQ(java("foobar"), -790'332'482);
    EXPECT_EQ(java("a-little-bit-long-string"), -985'981'536);
    EXPECT_EQ(java("a-little-bit-longer-string"), -1'486'304'829);
    EXPECT_EQ(java("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58'897'971);
    EXPECT_EQ(java("abc"), 479'470'107);
}

TEST(Hash, partition_ignores_the_sign) {
    EXPECT_EQ(partition_of("21", 12), static_cast<std::uint32_t>((-973'932'308) & 0x7fffffff) % 12);
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_LT(partition_of("ORD-" + std::to_string(i), 7), 7u);
    }
    EXPECT_DEATH(partition_of("x", 0), "at least one partition");
}

TEST(Hash, crc32c_known_values) {
    EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
    EXPECT_EQ(crc32c(""), 0u);
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720 B.4
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

TEST(Hash, crc32c_continues) {
    const std::string text = "the quick brown fox jumps over the lazy dog";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        const std::string_view whole = text;
        EXPECT_EQ(crc32c(whole.substr(n), crc32c(whole.substr(0, n))), crc32c(whole)) << n;
    }
}

TEST(Hash, xxh3_known_value) {
    EXPECT_EQ(xxh3_64(""), 0x2d06800538d394c2u);
    EXPECT_NE(xxh3_64("a"), xxh3_64("b"));
    EXPECT_EQ(to_hex(xxh3_128("", 0)), "99aa06d3014798d86001c324468d497f");
    EXPECT_NE(xxh3_128("a", 0), xxh3_128("a", 1));
}

TEST(Hash, sha256_known_values) {
    EXPECT_EQ(to_hex(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256_128("abc")), "ba7816bf8f01cfea414140de5dae2223");
}

TEST(Hash, digests_are_independent_between_threads) {
    const std::string expected = to_hex(sha256("abc"));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i) {
                EXPECT_EQ(to_hex(sha256("abc")), expected);
            }
        });
    }
    for (auto& t : threads) {
        t.join();
    }
}

TEST(Hash, uuid5_has_its_form_and_never_changes) {
    EXPECT_EQ(uuid5("default/order/ORD-1/1/1"), "7d092abb-3b61-5aa2-997c-0fe35c71686d");
    EXPECT_NE(uuid5("default/order/ORD-1/1/1"), uuid5("default/order/ORD-1/1/2"));
    for (int i = 0; i < 100; ++i) {
        const std::string id = uuid5(std::to_string(i));
        ASSERT_EQ(id.size(), 36u);
        EXPECT_EQ(id[14], '5');
        EXPECT_NE(std::string_view("89ab").find(id[19]), std::string_view::npos);
        for (const std::size_t at : {8u, 13u, 18u, 23u}) {
            EXPECT_EQ(id[at], '-');
        }
    }
}

TEST(Hash, bytes_are_read_from_hex_as_it_is_written) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all.push_back(static_cast<char>(byte));
    }
    std::array<std::uint8_t, 256> read{};
    ASSERT_TRUE(from_hex(to_hex(all), read));
    EXPECT_EQ(to_hex(read), to_hex(all));
    std::array<std::uint8_t, 2> two{};
    for (const auto* text :
         {"", "00f", "00ff0", "00ff00", "00Ff", "00fg", "0x0f", "00 f", "-0ff"}) {
        EXPECT_FALSE(from_hex(text, two)) << text;
    }
    EXPECT_TRUE(from_hex("", std::span<std::uint8_t>()));
}

TEST(Hash, hex_is_lower_case) {
    EXPECT_EQ(to_hex(std::string_view("\x00\x7f\xff\x0a", 4)), "007fff0a");
}

TEST(Hash, base64_known_values) {  // RFC 4648 section 10
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        std::string out;
        EXPECT_TRUE(base64_decode(encoded, out)) << encoded;
        EXPECT_EQ(out, plain);
        EXPECT_TRUE(base64_decode(encoded.substr(0, encoded.find('=')), out))
            << encoded;  // without padding
        EXPECT_EQ(out, plain);
    }
}

TEST(Hash, base64_round_trips_every_byte_in_both_alphabets) {
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
    }
    for (std::size_t n = 0; n <= all.size(); ++n) {
        std::string encoded = base64_encode(all.substr(n));
        std::string out;
        ASSERT_TRUE(base64_decode(encoded, out));
        EXPECT_EQ(out, all.substr(n));
        for (char& c : encoded) {
            c = c == '+' ? '-' : c == '/' ? '_' : c;
        }
        EXPECT_EQ(base64url_encode(all.substr(n)), encoded.substr(0, encoded.find('=')));
        ASSERT_TRUE(base64_decode(encoded, out));
        EXPECT_EQ(out, all.substr(n));
    }
}

TEST(Hash, base64_refuses_what_no_encoder_writes) {
    using namespace std::string_view_literals;
    for (const std::string_view bad :
         {"Z"sv, "Zg="sv, "Zg==="sv, "="sv, "===="sv, "Zm9v="sv, "Zm9v===="sv, "Z g="sv, "Zg==\n"sv,
          "Zh=="sv, "Zm9"sv, "Z=g="sv, "Zm\0v"sv, "Zm9\xc3\xa9"sv}) {
        std::string out = "left over";
        EXPECT_FALSE(base64_decode(bad, out)) << bad;
        EXPECT_EQ(out, "") << bad;
    }
}

}  // namespace
}  // namespace helios
