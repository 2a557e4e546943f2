#include "base/shown.h"

#include <gtest/gtest.h>

namespace helios {
namespace {

TEST(Shown, LeavesTextAlone) {
    EXPECT_EQ(shown(""), "");
    EXPECT_EQ(shown("ORD-1 Ä € 😀"), "ORD-1 Ä € 😀");
}

TEST(Shown, EscapesWhatSteersOrEndsTheQuote) {
    EXPECT_EQ(shown("a\"b\\c"), R"(a\"b\\c)");
    EXPECT_EQ(shown("a\nb\r\t"), R"(a\nb\r\t)");
    EXPECT_EQ(shown(std::string_view("\0\x1b[31m\x7f", 7)), R"(\u0000\u001b[31m\u007f)");
    EXPECT_EQ(shown("1\u202e00\u009b\u2028\ufeff"), R"(1\u202e00\u009b\u2028\ufeff)");
    EXPECT_EQ(shown("a\xff\xe2\x82"), R"(a\xff\xe2\x82)");
}

TEST(Shown, IsShortAndCutsNoCharacter) {
    EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
    EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "…");
    EXPECT_EQ(shown("xxä", 3), "xx…");
    EXPECT_EQ(shown("xxä", 4), "xxä");
}

TEST(OneLine, EscapesAndCutsNothing) {
    EXPECT_EQ(one_line("no flow \"a\\b\"\n\u202e\xff"), R"(no flow "a\b"\n\u202e\xff)");
    EXPECT_EQ(one_line(std::string(1'000, 'x')), std::string(1'000, 'x'));
}

TEST(Printable, LeavesTextAlone) {
    EXPECT_EQ("ORD-1 Ä € 😀 \u00A0", printable("ORD-1 Ä € 😀 \u00A0"));
    EXPECT_EQ("", printable(""));
}

TEST(Printable, ControlCharactersOfBothSets) {
    EXPECT_EQ("?[31m?", printable("\x1b[31m\x7f"));
    EXPECT_EQ("a?b", printable(std::string_view("a\0b", 3)));
    EXPECT_EQ("?31m ? ?", printable("\u009b31m \u0080 \u0085"))
        << "C1: a terminal takes U+009B for ESC [";
    EXPECT_EQ("a\nb?", printable("a\nb\r", "\n\t"));
}

TEST(Printable, CharactersThatTurnTheOrderOfOthers) {
    EXPECT_EQ("1?00? ?2?", printable("1\u202e00\u202c \u20662\u2069"));
    EXPECT_EQ("\u2027\u202f\u2065\u206a", printable("\u2027\u202f\u2065\u206a"))
        << "their neighbours";
    EXPECT_EQ("a?b?c?d", printable("a\u2028b\u200fc\ufeffd"))
        << "another line, marks of direction, a byte order mark inside";
}

TEST(Printable, BytesThatAreNoText) {
    EXPECT_EQ("?", printable("\xc2"));
    EXPECT_EQ("a??b", printable("a\xe2\x80"
                                "b"))
        << "a terminal of another century takes \x9b for ESC [";
}

TEST(WriteBytes, TextOrBase64) {
    json::Writer out;
    out.begin_object();
    write_bytes(out, "body", "ä\n");
    write_bytes(out, "raw", "\xff");
    EXPECT_EQ(out.end_object().take(),
              R"({"body":"ä\n","bodyEncoding":"utf-8","raw":"/w==","rawEncoding":"base64"})");
}

}  // namespace
}  // namespace helios
