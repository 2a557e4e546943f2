#include "app/listing.h"

#include <gtest/gtest.h>
#include <sstream>

namespace helios::app {
namespace {

const std::string uuid = "8f434346-648f-4b96-9f89-dda901c5176b";

std::string listed(std::size_t columns, bool full_ids = false) {
    std::ostringstream out;
    Terminal terminal(out, Screen{.columns = columns});
    Listing table(terminal, {{"id"}, {"times", true}, {"key"}, {"detail"}}, full_ids);
    table.row({{uuid}, {"2"}, {"ORD-1"}, {"amount: required, absent"}});
    table.row({{"short"}, {"12"}, {""}, {"注文 is not a number"}});
    table.end();
    return out.str();
}

TEST(Listing, without_a_screen_each_row_is_a_line) {
    EXPECT_EQ(listed(0),
              "id                                    times  key    detail\n"
              "8f434346-648f-4b96-9f89-dda901c5176b      2  ORD-1  amount: required, absent\n"
              "short                                    12  -      注文 is not a number\n");
}

TEST(Listing, on_a_screen_hashes_are_short_and_the_last_column_is_wrapped) {
    EXPECT_EQ(listed(46),
              "id        times  key    detail\n"
              "8f434346      2  ORD-1  amount: required,\n"
              "                        absent\n"
              "short        12  -      注文 is not a number\n");
}

TEST(Listing, what_does_not_fit_beside_stands_below) {
    EXPECT_EQ(listed(24),
              "id        times  key\n"
              "    detail\n"
              "8f434346      2  ORD-1\n"
              "    amount: required,\n"
              "    absent\n"
              "short        12  -\n"
              "    注文 is not a number\n");
    EXPECT_NE(listed(24, true).find("8f434346-648f-4b96-9f89-"), std::string::npos);
}

TEST(Listing, many_rows_come_before_the_end) {
    std::ostringstream out;
    Terminal terminal(out, Screen{});
    Listing table(terminal, {{"a"}, {"b"}}, false);
    for (int i = 0; i < 1000; ++i) {
        table.row({{"x"}, {"y"}});
    }
    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1001);
}

TEST(Listing, nothing_of_nothing) {
    std::ostringstream out;
    Terminal terminal(out, Screen{});
    Listing(terminal, {{"a"}}, false).end();
    EXPECT_EQ(out.str(), "");
}

TEST(ShortId, is_for_hashes) {
    EXPECT_EQ(short_id(uuid), "8f434346");
    EXPECT_EQ(short_id(std::string(64, 'a')), "aaaaaaaa");
    EXPECT_EQ(short_id("ORD-2026-0000000000000000000000000000001"),
              "ORD-2026-0000000000000000000000000000001");
    EXPECT_EQ(short_id("12345"), "12345");
}

}  // namespace
}  // namespace helios::app
