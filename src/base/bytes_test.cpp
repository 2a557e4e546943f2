#include "base/bytes.h"

#include <gtest/gtest.h>
#include <limits>

namespace helios {
namespace {

TEST(Bytes, reads_back_what_was_written) {
    const std::string long_text(300, 'x');
    ByteWriter w;
    w.u8(0xab);
    w.u16(0xabcd);
    w.u32(0xabcdef01);
    w.u64(0x0123456789abcdef);
    w.boolean(true);
    w.boolean(false);
    w.string("");
    w.string(long_text);
    w.string(std::string_view("a\0b", 3));
    w.raw("tail");
    ByteReader r(w.view());
    EXPECT_EQ(r.u8(), 0xab);
    EXPECT_EQ(r.u16(), 0xabcd);
    EXPECT_EQ(r.u32(), 0xabcdef01u);
    EXPECT_EQ(r.u64(), 0x0123456789abcdefu);
    EXPECT_TRUE(r.boolean());
    EXPECT_FALSE(r.boolean());
    EXPECT_EQ(r.string(), "");
    EXPECT_EQ(r.string(), long_text);
    EXPECT_EQ(r.string(), std::string_view("a\0b", 3));
    EXPECT_FALSE(r.at_end());
    EXPECT_EQ(r.rest(), "tail");
    EXPECT_EQ(r.raw(4), "tail");
    EXPECT_TRUE(r.at_end());
}

TEST(Bytes, fixed_integers_are_little_endian) {
    ByteWriter w;
    w.u32(0x01020304);
    EXPECT_EQ(w.take(), std::string("\x04\x03\x02\x01"));
}

TEST(Bytes, varints_hold_every_magnitude) {
    const std::uint64_t values[] = {
        0, 1, 127, 128, 300, 16'383, 16'384, 1ull << 35, (1ull << 63) - 1, 1ull << 63, ~0ull};
    for (const std::uint64_t v : values) {
        ByteWriter w;
        w.varint(v);
        ByteReader r(w.view());
        EXPECT_EQ(r.varint(), v);
        EXPECT_TRUE(r.at_end()) << v;
    }
    ByteWriter w;
    w.varint(300);
    EXPECT_EQ(w.view(), "\xac\x02");
}

TEST(Bytes, zigzag_keeps_small_negatives_short) {
    for (const std::int64_t v :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{-64}, std::int64_t{64},
          std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        ByteWriter w;
        w.zigzag(v);
        ByteReader r(w.view());
        EXPECT_EQ(r.zigzag(), v);
        EXPECT_TRUE(r.at_end()) << v;
        if (v >= -64 && v < 64) {
            EXPECT_EQ(w.size(), 1u);
        }
    }
}

TEST(Bytes, every_truncation_is_noticed) {
    ByteWriter w;
    w.u16(7);
    w.varint(1'000'000);
    w.string("hello");
    w.u64(9);
    const std::string whole = w.take();
    for (std::size_t n = 0; n < whole.size(); ++n) {
        ByteReader r(std::string_view(whole).substr(0, n));
        r.u16();
        r.varint();
        r.string();
        r.u64();
        EXPECT_FALSE(r.ok()) << n;
        EXPECT_FALSE(r.at_end()) << n;
    }
}

TEST(Bytes, after_the_first_shortage_nothing_is_read) {
    ByteReader r("abc");
    EXPECT_EQ(r.u32(), 0u);
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(r.u8(), 0u);  // the bytes are there, but the reader has lost its place
    EXPECT_EQ(r.string(), "");
    EXPECT_EQ(r.varint(), 0u);
    EXPECT_EQ(r.raw(0), "");
    EXPECT_FALSE(r.ok());
}

TEST(Bytes, hostile_lengths_and_varints_are_refused) {
    ByteWriter w;
    w.varint(~0ull);  // a string longer than memory
    w.raw("x");
    ByteReader lengths(w.view());
    EXPECT_EQ(lengths.string(), "");
    EXPECT_FALSE(lengths.ok());

    ByteReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    EXPECT_EQ(endless.varint(), 0u);
    EXPECT_FALSE(endless.ok());

    ByteReader too_big("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");  // bit 64
    EXPECT_EQ(too_big.varint(), 0u);
    EXPECT_FALSE(too_big.ok());
}

}  // namespace
}  // namespace helios
