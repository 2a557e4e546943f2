#include "base/currency.h"

#include <gtest/gtest.h>

namespace helios {
namespace {

TEST(Currency, knows_minor_units) {
    EXPECT_EQ(currency_minor_units("USD"), 2);
    EXPECT_EQ(currency_minor_units("EUR"), 2);
    EXPECT_EQ(currency_minor_units("JPY"), 0);
    EXPECT_EQ(currency_minor_units("KWD"), 3);
    EXPECT_EQ(currency_minor_units("CLF"), 4);
    EXPECT_EQ(currency_minor_units("XXX"), 2);
    EXPECT_EQ(currency_minor_units(""), 2);
}

TEST(Currency, the_list_knows_its_codes) {
    for (const auto code : {"EUR", "USD", "XXX", "XTS", "XAU", "CHW", "ZWG", "HRK"}) {
        EXPECT_TRUE(is_iso_4217(code)) << code;
    }
    for (const auto code : {"", "EU", "EURO", "eur", "ABC", "BTC", "AAA", "ZZZ"}) {
        EXPECT_FALSE(is_iso_4217(code)) << code;
    }
}

}  // namespace
}  // namespace helios
