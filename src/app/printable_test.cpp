#include "app/printable.h"

#include <gtest/gtest.h>

namespace helios::app {
namespace {

TEST(Printable, leaves_text_alone) {
    EXPECT_EQ("ORD-1 Ä € 😀 \u00A0", printable("ORD-1 Ä € 😀 \u00A0"));
    EXPECT_EQ("", printable(""));
}

TEST(Printable, control_characters_of_both_sets) {
    EXPECT_EQ("?[31m?", printable("\x1b[31m\x7f"));
    EXPECT_EQ("a?b", printable(std::string_view("a\0b", 3)));
    EXPECT_EQ("?31m ? ?", printable("\u009b31m \u0080 \u0085")) << "C1: a terminal takes U+009B for ESC [";
    EXPECT_EQ("a\nb?", printable("a\nb\r", "\n\t"));
}

TEST(Printable, characters_that_turn_the_order_of_others) {
    EXPECT_EQ("1?00? ?2?", printable("1\u202e00\u202c \u20662\u2069"));
    EXPECT_EQ("\u2029\u202f\u2065\u206a", printable("\u2029\u202f\u2065\u206a")) << "their neighbours";
}

TEST(Printable, bytes_that_are_no_text_and_ends_in_the_middle) {
    EXPECT_EQ("\xc2", printable("\xc2"));
    EXPECT_EQ("\xe2\x80", printable("\xe2\x80"));
}

}  // namespace
}  // namespace helios::app
