#include "log/state_entry.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace helios::log {
namespace {

std::optional<std::string> first_two(std::string_view, std::string_view value) {
    return std::string(value.substr(0, 2));
}

TEST(StateEntry, reads_what_was_put) {
    for (const std::string& value : {std::string(), std::string("v"), std::string(500, 'x')}) {
        const std::string stored = encode_entry("key", value);
        EXPECT_EQ(stored.size(), entry_head_bytes + value.size());
        EXPECT_EQ(*decode_entry("key", stored), value);
        EXPECT_EQ(*hash_in_entry(stored), hash_of_entry("key", value));
    }
}

TEST(StateEntry, a_shrunk_one_keeps_its_hash_and_is_shrunk_once) {
    const std::string stored = encode_entry("key", "0123456789");
    const auto shrunk = shrink_entry("key", stored, first_two);
    ASSERT_TRUE(shrunk.has_value());
    EXPECT_LT(shrunk->size(), stored.size());
    EXPECT_EQ(*decode_entry("key", *shrunk), "01");
    EXPECT_EQ(*hash_in_entry(*shrunk), hash_of_entry("key", "0123456789"));
    EXPECT_FALSE(shrink_entry("key", *shrunk, first_two).has_value());
}

TEST(StateEntry, one_that_would_not_get_smaller_stays) {
    EXPECT_FALSE(shrink_entry("key", encode_entry("key", "012345"), first_two).has_value());
}

TEST(StateEntry, damage_is_seen_and_not_shrunk_away) {
    const std::string whole = encode_entry("key", "0123456789");
    for (const std::string& stored : {whole, *shrink_entry("key", whole, first_two)}) {
        EXPECT_FALSE(decode_entry("kex", stored).has_value());
        EXPECT_FALSE(decode_entry("key", stored + "x").has_value());
        for (std::size_t at = 0; at < stored.size(); ++at) {
            EXPECT_FALSE(decode_entry("key", stored.substr(0, at)).has_value()) << at;
            std::string flipped = stored;
            flipped[at] = static_cast<char>(flipped[at] ^ 1);
            const auto read = decode_entry("key", flipped);
            ASSERT_FALSE(read.has_value()) << at;
            EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
            EXPECT_FALSE(shrink_entry("key", flipped, first_two).has_value());
        }
    }
}

TEST(StateEntry, a_sum_is_the_same_in_any_order_and_can_be_taken_back) {
    Digest128 ones;
    ones.fill(0xff);
    Digest128 one{};
    one.back() = 1;
    Digest128 low{};  // 2^64 - 1
    std::fill(low.begin() + 8, low.end(), std::uint8_t{0xff});
    DigestSum sum;
    sum.add(ones);
    sum.add(one);
    EXPECT_EQ(sum.value(), Digest128{});
    sum.subtract(one);
    EXPECT_EQ(sum.value(), ones);
    DigestSum carried;
    carried.add(low);
    carried.add(one);
    Digest128 expected{};
    expected[7] = 1;
    EXPECT_EQ(carried.value(), expected);
    DigestSum other(one);
    other.add(low);
    EXPECT_EQ(other.value(), carried.value());
    carried.subtract(one);
    EXPECT_EQ(carried.value(), low);
}

}  // namespace
}  // namespace helios::log
