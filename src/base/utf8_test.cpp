#include "base/utf8.h"

#include <gtest/gtest.h>

namespace helios::utf8 {
namespace {

TEST(Utf8, every_code_point_reads_back) {
    std::string all;
    for (std::uint32_t c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        std::string one;
        append(one, c);
        ASSERT_EQ(sequence_length(one), one.size()) << c;
        ASSERT_EQ(one.size(), c < 0x80 ? 1u : c < 0x800 ? 2u : c < 0x10000 ? 3u : 4u);
        all += one;
    }
    EXPECT_TRUE(is_valid(all));
    EXPECT_EQ(valid_prefix(all), all.size());
}

TEST(Utf8, our_scan_agrees_with_simdjson_on_every_short_sequence) {
    for (std::uint32_t bits = 0; bits < 1u << 24;
         bits += 1 + bits % 7) {  // a thinned walk through all three-byte texts
        const char bytes[3] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
                               static_cast<char>(bits)};
        const std::string_view text(bytes, 3);
        ASSERT_EQ(valid_prefix(text) == 3, is_valid(text)) << bits;
    }
}

TEST(Utf8, knows_what_steers) {
    for (const std::string_view text :
         {"\n", "\x1b[", "\x7f", "\u0080", "\u009f", "\u061c", "\u200e", "\u2028", "\u202a",
          "\u202e", "\u2066", "\u2069", "\ufeff"}) {
        EXPECT_TRUE(steering(text)) << text;
    }
    for (const std::string_view text :
         {"", "a", " ", "\u00a0", "\u200d", "\u202f", "\u206a", "😀", "\xff", "\xc2"}) {
        EXPECT_FALSE(steering(text)) << text;
    }
    EXPECT_EQ(steering("\u202e"), 0x202eu);
}

TEST(Utf8, tells_what_nobody_sees) {
    for (const std::string_view text : {"\n", "\u202e", "\u00a0", "\u00ad", "\u2009", "\u200b",
                                        "\u200d", "\u2060", "\u3000", "\ufeff"}) {
        EXPECT_TRUE(unseen(text)) << text;
    }
    for (const std::string_view text : {"", "a", " ", "é", "元", "😀", "\xff"}) {
        EXPECT_FALSE(unseen(text)) << text;
    }
}

TEST(Utf8, finds_where_a_text_stops_being_valid) {
    EXPECT_EQ(valid_prefix(""), 0u);
    EXPECT_TRUE(is_valid(""));
    EXPECT_EQ(valid_prefix("abc\xff"), 3u);
    EXPECT_EQ(valid_prefix("\xc3\xa9\xc3"), 2u);
    EXPECT_EQ(valid_prefix("\xf0\x9f\x98"), 0u);
    EXPECT_FALSE(is_valid("\xed\xa0\x80"));
    EXPECT_FALSE(is_valid("\xf4\x90\x80\x80"));
    EXPECT_EQ(sequence_length("\xf4\x90\x80\x80"), 0u);
    EXPECT_EQ(sequence_length(""), 0u);
}

}  // namespace
}  // namespace helios::utf8
