#include "store/money_sum.h"

#include <gtest/gtest.h>

namespace helios::store {
namespace {

std::string sum_of(std::initializer_list<std::string_view> amounts,
                   std::string_view currency = "USD") {
    MoneySum sum;
    for (const auto amount : amounts) {
        const bool added = sum.change(currency, amount);
        EXPECT_TRUE(added) << amount;
    }
    const auto all = sum.take();
    return all.size() == 1 ? all[0].amount : "not one sum";
}

TEST(MoneySum, adds_exactly_at_the_largest_scale) {
    EXPECT_EQ(sum_of({"0.10", "0.20"}), "0.30");
    EXPECT_EQ(sum_of({"999.999", "0.006"}), "1000.005");
    EXPECT_EQ(sum_of({"1", "1"}, "JPY"), "2");
    EXPECT_EQ(sum_of({"1", "1"}, "KWD"), "2.000");
    EXPECT_EQ(sum_of({"0.00"}), "0.00");
    EXPECT_EQ(sum_of({"12.50", "-12.50"}), "0.00");
    EXPECT_EQ(sum_of({"12.50", "-12.51"}), "-0.01");
    EXPECT_EQ(sum_of({"-99.99", "-0.01"}), "-100.00");
    EXPECT_EQ(sum_of({"-0.01", "1.00"}), "0.99");
}

TEST(MoneySum, is_not_bounded_by_what_one_decimal_holds) {
    const std::string nines(38, '9');
    EXPECT_EQ(sum_of({nines + ".00", nines + ".00", nines + ".00"}),
              "2" + std::string(37, '9') + "7.00");
    EXPECT_EQ(sum_of({"1000.00", "0." + std::string(37, '0') + "1"}),
              "1000." + std::string(37, '0') + "1");
}

TEST(MoneySum, keeps_currencies_apart_and_refuses_what_is_no_amount) {
    MoneySum sum;
    EXPECT_TRUE(sum.change("USD", "1.00"));
    EXPECT_TRUE(sum.change("EUR", "2.00"));
    for (const auto* bad : {"", "-", ".5", "1e3", "1,0", "--1"}) {
        EXPECT_FALSE(sum.change("USD", bad)) << bad;
    }
    const auto all = sum.take();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].currency, "EUR");
    EXPECT_EQ(all[1].amount, "1.00");
}

TEST(MoneySum, what_was_added_can_be_taken_out_again) {
    MoneySum sum;
    sum.change("USD", "12.505");
    sum.change("USD", "1.10");
    sum.change("USD", "12.505", -1);
    EXPECT_EQ(sum.take(), (std::vector<model::Money>{{"USD", "1.10"}}));
    sum.change("USD", "1.10", -1);
    EXPECT_TRUE(sum.take().empty()) << "no sum of zero";
}

TEST(MoneySum, reads_what_it_wrote) {
    MoneySum sum;
    for (int i = 0; i < 300; ++i) {
        sum.change("USD", "99.99");
        sum.change("EUR", "-0.1");
    }
    ByteWriter out;
    sum.write(out);
    ByteReader in(out.view());
    const MoneySum again = MoneySum::read(in);
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(again.take(), sum.take());
    EXPECT_EQ(again.take().at(1).amount, "29997.00");
}

}  // namespace
}  // namespace helios::store
