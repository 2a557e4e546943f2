#include "reconcile/quote.h"

#include <gtest/gtest.h>

namespace helios::reconcile {
namespace {

TEST(Quote, what_can_be_seen_stands_as_it_is) {
    EXPECT_EQ(in_quotes("US$"), "\"US$\"");
    EXPECT_EQ(in_quotes("Fr. é 元 😀"), "\"Fr. é 元 😀\"");
    EXPECT_EQ(in_quotes(""), "\"\"");
}

TEST(Quote, what_cannot_be_seen_or_steers_a_terminal_is_escaped) {
    EXPECT_EQ(in_quotes("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(in_quotes(std::string_view("E\0UR\x1b[2J\n", 9)), R"("E\u0000UR\u001b[2J\n")");
    EXPECT_EQ(in_quotes("\u00a0EUR\u202e\u200b\ufeff\u0085"),
              R"("\u00a0EUR\u202e\u200b\ufeff\u0085")");
    EXPECT_EQ(in_quotes("\xff\xc3"), R"("\xff\xc3")");
}

TEST(Quote, a_long_text_is_cut_between_characters) {
    std::string accents;
    for (int i = 0; i < 2000; ++i) {
        accents += "é";
    }
    EXPECT_EQ(in_quotes(accents), "\"" + accents.substr(0, 60) + "…\"");
}

TEST(Quote, a_word_stands_in_a_sentence_as_it_is) {
    EXPECT_EQ(named("CAPTURED"), "CAPTURED");
    EXPECT_EQ(named("event:gcp::p-1"), "event:gcp::p-1");
    EXPECT_EQ(named("not yet"), "\"not yet\"");
    EXPECT_EQ(named(""), "\"\"");
    EXPECT_EQ(named("a\x1b"), R"("a\u001b")");
    EXPECT_EQ(named(std::string(4096, 'x')), "\"" + std::string(60, 'x') + "…\"");
}

}  // namespace
}  // namespace helios::reconcile
