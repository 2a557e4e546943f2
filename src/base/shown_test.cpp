#include "base/shown.h"

#include <gtest/gtest.h>

namespace helios {
namespace {

TEST(Shown, leaves_text_alone) {
    EXPECT_EQ(shown(""), "");
    EXPECT_EQ(shown("ORD-1 Ä € 😀"), "ORD-1 Ä € 😀");
}

TEST(Shown, escapes_what_steers_or_ends_the_quote) {
    EXPECT_EQ(shown("a\"b\\c"), R"(a\"b\\c)");
    EXPECT_EQ(shown("a\nb\r\t"), R"(a\nb\r\t)");
    EXPECT_EQ(shown(std::string_view("\0\x1b[31m\x7f", 7)), R"(\u0000\u001b[31m\u007f)");
    EXPECT_EQ(shown("1\u202e00\u009b\u2028\ufeff"), R"(1\u202e00\u009b\u2028\ufeff)");
    EXPECT_EQ(shown("a\xff\xe2\x82"), R"(a\xff\xe2\x82)");
}

TEST(Shown, is_short_and_cuts_no_character) {
    EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
    EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "…");
    EXPECT_EQ(shown("xxä", 3), "xx…");
    EXPECT_EQ(shown("xxä", 4), "xxä");
}

TEST(OneLine, escapes_and_cuts_nothing) {
    EXPECT_EQ(one_line("no flow \"a\\b\"\n\u202e\xff"), R"(no flow "a\b"\n\u202e\xff)");
    EXPECT_EQ(one_line(std::string(1'000, 'x')), std::string(1'000, 'x'));
}

TEST(Printable, leaves_text_alone) {
    EXPECT_EQ(printable("ORD-1 Ä € 😀 \u00A0"), "ORD-1 Ä € 😀 \u00A0");
    EXPECT_EQ(printable(""), "");
}

TEST(Printable, control_characters_of_both_sets) {
    EXPECT_EQ(printable("\x1b[31m\x7f"), "?[31m?");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
    EXPECT_EQ(printable("\u009b31m \u0080 \u0085"), "?31m ? ?")
        << "C1: a terminal takes U+009B for ESC [";
    EXPECT_EQ(printable("a\nb\r", "\n\t"), "a\nb?");
}

TEST(Printable, characters_that_turn_the_order_of_others) {
    EXPECT_EQ(printable("1\u202e00\u202c \u20662\u2069"), "1?00? ?2?");
    EXPECT_EQ(printable("\u2027\u202f\u2065\u206a"), "\u2027\u202f\u2065\u206a")
        << "their neighbours";
    EXPECT_EQ(printable("a\u2028b\u200fc\ufeffd"), "a?b?c?d")
        << "another line, marks of direction, a byte order mark inside";
}

TEST(Printable, bytes_that_are_no_text) {
    EXPECT_EQ(printable("\xc2"), "?");
    EXPECT_EQ(printable("a\xe2\x80"
                        "b"),
              "a??b")
        << "a terminal of another century takes \x9b for ESC [";
}

TEST(WriteBytes, text_or_base64) {
    json::Writer out;
    out.begin_object();
    write_bytes(out, "body", "ä\n");
    write_bytes(out, "raw", "\xff");
    EXPECT_EQ(out.end_object().take(),
              R"({"body":"ä\n","bodyEncoding":"utf-8","raw":"/w==","rawEncoding":"base64"})");
}

}  // namespace
}  // namespace helios
