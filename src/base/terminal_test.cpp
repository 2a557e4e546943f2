#include "base/terminal.h"

#include <gtest/gtest.h>
#include <sstream>

namespace helios {
namespace {

using Lines = std::vector<std::string>;

TEST(Columns, are_what_a_screen_shows) {
    EXPECT_EQ(columns_of(""), 0u);
    EXPECT_EQ(columns_of("déjà"), 4u);
    EXPECT_EQ(columns_of("de\xCC\x81ja\xCC\x80"), 4u) << "combining marks";
    EXPECT_EQ(columns_of("注文"), 4u);
    EXPECT_EQ(columns_of("🙂"), 2u);
    EXPECT_EQ(columns_of("\x1b[31mred\x1b[0m"), 3u);
    EXPECT_EQ(columns_of("\xff\xfe"), 2u) << "no text: a mark each";
    EXPECT_EQ(columns_of("a\x1b["), 1u) << "a code without an end";
}

TEST(Wrapped, between_words_and_inside_long_ones) {
    EXPECT_EQ(wrapped("one two three", 0), Lines{"one two three"});
    EXPECT_EQ(wrapped("one two three", 13), Lines{"one two three"});
    EXPECT_EQ(wrapped("one two three", 12), (Lines{"one two", "three"}));
    EXPECT_EQ(wrapped("one  two", 5), (Lines{"one", "two"}));
    EXPECT_EQ(wrapped("  indented words", 10), (Lines{"  indented", "words"}));
    EXPECT_EQ(wrapped("abcdefghij", 4), (Lines{"abcd", "efgh", "ij"}));
    EXPECT_EQ(wrapped("x abcdefghij y", 4), (Lines{"x", "abcd", "efgh", "ij y"}));
    EXPECT_EQ(wrapped("注文注文", 5), (Lines{"注文", "注文"}));
    EXPECT_EQ(wrapped("注文", 1), (Lines{"注", "文"})) << "ends, whatever is asked";
    EXPECT_EQ(wrapped("", 5), Lines{""});
}

TEST(Wrapped, loses_nothing_at_any_width) {
    const std::string text =
        "expected 21,300.66 EUR · 13,386.93 GBP · 注文 a-very-long-word-without-any-blank end";
    for (std::size_t columns = 2; columns < 90; ++columns) {
        std::string all;
        for (const auto& line : wrapped(text, columns)) {
            EXPECT_LE(columns_of(line), columns) << line;
            all += line;
        }
        std::string bare;
        std::string expected;
        std::copy_if(all.begin(), all.end(), std::back_inserter(bare),
                     [](char c) { return c != ' '; });
        std::copy_if(text.begin(), text.end(), std::back_inserter(expected),
                     [](char c) { return c != ' '; });
        EXPECT_EQ(bare, expected) << columns;
    }
}

TEST(Shortened, says_that_something_is_missing) {
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("abcd", 3), "ab…");
    EXPECT_EQ(shortened("abcd", 0), "abcd");
    EXPECT_EQ(shortened("\x1b[31mabcd\x1b[0m", 3), "\x1b[31mab…\x1b[0m")
        << "colour ends where it ended";
    EXPECT_EQ(shortened("注文注文", 4), "注…");
}

TEST(Ascii, keeps_columns_and_data) {
    const std::string drawn = "┌─┬─┐ │✓│✗│ └─┴─┘ ██░ … · →";
    EXPECT_EQ(in_ascii(drawn), "+-+-+ |+|x| +-+-+ ##. ~ - >");
    EXPECT_EQ(columns_of(in_ascii(drawn)), columns_of(drawn));
    EXPECT_EQ(in_ascii("Müller 注文"), "Müller 注文") << "somebody's data";
}

struct Shown {
    explicit Shown(Screen screen) : terminal(out, screen) {}
    std::ostringstream out;
    Terminal terminal;
};

TEST(Terminal, without_a_screen_writes_no_control_sequence) {
    Shown shown(Screen{});
    shown.terminal.progress("at 1");
    shown.terminal.line(shown.terminal.tint(Tint::red, "red"));
    shown.terminal.paragraph(std::string(300, 'x'), 4);
    shown.terminal.clear_progress();
    EXPECT_EQ(shown.out.str(), "at 1\nred\n" + std::string(300, 'x') + "\n");
}

TEST(Terminal, rewrites_one_line) {
    Shown shown({.rewrites = true, .columns = 10});
    shown.terminal.progress("0123456789abc");
    shown.terminal.progress("next");
    shown.terminal.line("stays");
    EXPECT_EQ(shown.out.str(), "01234567…\r\x1b[2Knext\r\x1b[2Kstays\n");
}

TEST(Terminal, paragraphs_hang) {
    Shown shown({.columns = 24});
    shown.terminal.paragraph("  money at risk expected 12.50 EUR", 4);
    EXPECT_EQ(shown.out.str(), "  money at risk expected\n      12.50 EUR\n");
}

TEST(Terminal, a_table_fits_the_screen) {
    const std::vector<std::string> head{"fault", "the truth", "false alarms"};
    const std::vector<Terminal::Row> rows{
        {{"double charge"}, {"mismatched: duplicate"}, {"0"}}, {}, {{"all"}, {""}, {"12"}}};
    for (const std::size_t columns : {0u, 200u, 50u, 48u, 40u, 30u, 20u}) {
        Shown shown({.columns = columns});
        shown.terminal.table(head, rows, 2);
        std::istringstream lines(shown.out.str());
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(columns_of(line), columns == 0 ? 200 : columns) << line;
        }
        EXPECT_NE(shown.out.str().find("mismatched:"), std::string::npos);
    }
    Shown wide({.columns = 60});
    wide.terminal.table(head, rows, 2);
    EXPECT_EQ(wide.out.str(),
              "  ┌───────────────┬───────────────────────┬──────────────┐\n"
              "  │ fault         │ the truth             │ false alarms │\n"
              "  ├───────────────┼───────────────────────┼──────────────┤\n"
              "  │ double charge │ mismatched: duplicate │            0 │\n"
              "  ├───────────────┼───────────────────────┼──────────────┤\n"
              "  │ all           │                       │           12 │\n"
              "  └───────────────┴───────────────────────┴──────────────┘\n");
    Shown narrow({.ascii = true, .columns = 46});
    narrow.terminal.table(head, rows, 2);
    EXPECT_EQ(narrow.out.str(),
              "  +-------------+-------------+--------------+\n"
              "  | fault       | the truth   | false alarms |\n"
              "  +-------------+-------------+--------------+\n"
              "  | double      | mismatched: |            0 |\n"
              "  | charge      | duplicate   |              |\n"
              "  +-------------+-------------+--------------+\n"
              "  | all         |             |           12 |\n"
              "  +-------------+-------------+--------------+\n");
    Shown smallest({.columns = 30});
    smallest.terminal.table(head, rows, 2);
    EXPECT_EQ(smallest.out.str(),
              "  double charge: mismatched:\n"
              "    duplicate, false alarms 0\n"
              "\n"
              "  all, false alarms 12\n");
}

}  // namespace
}  // namespace helios
