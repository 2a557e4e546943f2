#include "base/decimal.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>

namespace helios {
namespace {

Decimal dec(std::string_view text) {
    const auto parsed = Decimal::parse(text);
    EXPECT_TRUE(parsed) << text;
    return parsed ? *parsed : Decimal();
}

const std::string nines38(38, '9');

TEST(Decimal, reads_the_json_number_grammar) {
    struct Case {
        std::string_view text;
        std::string_view plain;
        int scale;
    };
    const Case cases[] = {{"0", "0", 0},
                          {"-0", "0", 0},
                          {"-0.00", "0.00", 2},
                          {"12.50", "12.50", 2},
                          {"-12.50", "-12.50", 2},
                          {"1e3", "1000", 0},
                          {"1E+3", "1000", 0},
                          {"1.25E-2", "0.0125", 4},
                          {"1.25e1", "12.5", 1},
                          {"1.25e2", "125", 0},
                          {"1.25e5", "125000", 0},
                          {"1e-38", "0.00000000000000000000000000000000000001", 38},
                          {"0e38", "0", 0},
                          {"0.0e38", "0", 0},
                          {"1e0003", "1000", 0},
                          {"9007199254740993", "9007199254740993", 0},
                          {"1299.00", "1299.00", 2},
                          {"1e37", "10000000000000000000000000000000000000", 0}};
    for (const Case& c : cases) {
        const auto parsed = Decimal::parse(c.text);
        ASSERT_TRUE(parsed) << c.text;
        EXPECT_EQ(parsed->to_string(), c.plain) << c.text;
        EXPECT_EQ(parsed->scale(), c.scale) << c.text;
    }
}

TEST(Decimal, refuses_what_is_not_a_number) {
    for (const std::string_view bad :
         {"",      "-",  "+1",    ".5",    "5.",       "1,299.00", "1.299,00", " 1",
          "1 ",    "01", "-01",   "00",    "1e",       "1e+",      "1.e3",     "e3",
          "--1",   "1-", "0x10",  "NaN",   "Infinity", "-inf",     "null",     "\"1\"",
          "1_000", "$5", "5 USD", "1.2.3", "1e2.5",    "\xd9\xa1", "1e--2"}) {
        const auto parsed = Decimal::parse(bad);
        EXPECT_FALSE(parsed) << bad;
        if (!parsed) {
            EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
        }
    }
    EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)));
    EXPECT_FALSE(Decimal::parse(std::string_view("1\0002", 3)));
}

TEST(Decimal, refuses_what_it_cannot_hold_exactly) {
    EXPECT_EQ(dec(nines38).to_string(), nines38);
    EXPECT_EQ(dec("-" + nines38).to_string(), "-" + nines38);
    EXPECT_EQ(dec("0." + nines38).to_string(), "0." + nines38);
    const std::string digits40(40, '7');
    for (const std::string& bad :
         {"1" + std::string(38, '0'), digits40, "0." + digits40, "1." + nines38,
          std::string("1e38"), std::string("1e39"), std::string("1e400"), std::string("1e-39"),
          std::string("1e-400"), std::string("1.5e-38"), std::string("0e400"),
          std::string("0e-400"), "1e" + digits40, "0." + std::string(39, '0'), nines38 + "e1",
          std::string("10e37")}) {
        const auto parsed = Decimal::parse(bad);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_NE(parsed.error().what.find("bounds"), std::string::npos) << parsed.error().what;
    }
    EXPECT_TRUE(Decimal::parse("0." + std::string(38, '0')));
    EXPECT_FALSE(Decimal::parse("1" + std::string(1'000'000, '0')));
}

TEST(Decimal, compares_by_value) {
    EXPECT_EQ(dec("1.0"), dec("1.00"));
    EXPECT_EQ(dec("-0"), dec("0.000"));
    EXPECT_LT(dec("-1"), dec("0.5"));
    EXPECT_LT(dec("0.1"), dec("0.11"));
    EXPECT_GT(dec("-0.1"), dec("-0.11"));
    EXPECT_GT(dec(nines38), dec("0." + nines38));
    EXPECT_LT(dec("-" + nines38), dec("0." + nines38));
    EXPECT_GT(dec("1"), dec("0." + nines38));
    EXPECT_LT(dec("0"), dec("1e-38"));
    EXPECT_GT(dec("0"), dec("-1e-38"));
    EXPECT_NE(dec("9007199254740992"), dec("9007199254740993"));  // equal as doubles
    EXPECT_NE(dec("0.1"), dec("0.1000000000000000055511151231257827"));
}

TEST(Decimal, adds_and_multiplies_exactly) {
    EXPECT_EQ(Decimal::add(dec("0.1"), dec("0.2"))->to_string(), "0.3");
    EXPECT_EQ(Decimal::add(dec("12.50"), dec("0.5"))->to_string(), "13.00");
    EXPECT_EQ(Decimal::subtract(dec("12.50"), dec("12.05"))->to_string(), "0.45");
    EXPECT_EQ(Decimal::subtract(dec("1"), dec("1.00"))->to_string(), "0.00");
    EXPECT_EQ(Decimal::multiply(dec("19.99"), dec("3"))->to_string(), "59.97");
    EXPECT_EQ(Decimal::multiply(dec("-0.5"), dec("0.50"))->to_string(), "-0.250");
    EXPECT_EQ(Decimal::multiply(dec("0"), dec(nines38))->to_string(), "0");
}

TEST(Decimal, refuses_arithmetic_beyond_its_bounds) {
    const Decimal most = dec(nines38);
    EXPECT_FALSE(Decimal::add(most, dec("1")));
    EXPECT_FALSE(Decimal::add(most, most));  // beyond 128 bits as well
    EXPECT_FALSE(Decimal::add(most.negate(), most.negate()));
    EXPECT_FALSE(Decimal::subtract(most.negate(), dec("1")));
    EXPECT_FALSE(Decimal::add(most, dec("0.1")));  // 39 digits
    EXPECT_TRUE(Decimal::subtract(most, most)->is_zero());
    EXPECT_TRUE(Decimal::add(most, dec("-1")));
    EXPECT_FALSE(Decimal::multiply(most, dec("2")));
    EXPECT_FALSE(Decimal::multiply(dec("1e-20"), dec("1e-20")));  // scale 40
    EXPECT_EQ(*Decimal::multiply(most, dec("-1")), most.negate());
}

TEST(Decimal, writes_at_least_the_scale_asked_for) {
    EXPECT_EQ(dec("1299").to_string(2), "1299.00");
    EXPECT_EQ(dec("1299.5").to_string(2), "1299.50");
    EXPECT_EQ(dec("1299.125").to_string(2), "1299.125");
    EXPECT_EQ(dec("0").to_string(2), "0.00");
    EXPECT_EQ(dec("-0.005").to_string(), "-0.005");
    EXPECT_EQ(dec("5").to_string(50), "5." + std::string(50, '0'));
    EXPECT_EQ(Decimal::from_int(std::numeric_limits<std::int64_t>::min()).to_string(),
              "-9223372036854775808");
    EXPECT_EQ(dec("-5").abs().to_string(), "5");
    EXPECT_EQ(dec("5").abs().to_string(), "5");
}

TEST(Decimal, says_whether_its_notation_fits) {
    EXPECT_TRUE(dec(nines38).fits(0));
    EXPECT_FALSE(dec(nines38).fits(1));
    EXPECT_TRUE(dec("9e35").fits(2));
    EXPECT_FALSE(dec("9e36").fits(2));
    EXPECT_FALSE(dec("-9e36").fits(2));
    EXPECT_TRUE(dec("0").fits(38));
    EXPECT_FALSE(dec("0").fits(39));
    EXPECT_TRUE(dec("0." + nines38).fits(2));
    EXPECT_FALSE(dec("1").fits(1000));
}

/// A decimal as text with `whole` and `fraction` digits, without leading zeros.
rc::Gen<std::string> decimal_text(int whole_max, int fraction_max) {
    return rc::gen::exec([=] {
        const int whole = *rc::gen::inRange(1, whole_max + 1);
        const int fraction = *rc::gen::inRange(0, fraction_max + 1);
        std::string text = *rc::gen::container<std::string>(
            static_cast<std::size_t>(whole), rc::gen::inRange('0', static_cast<char>('9' + 1)));
        text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
        if (fraction > 0) {
            text += "." + *rc::gen::container<std::string>(
                              static_cast<std::size_t>(fraction),
                              rc::gen::inRange('0', static_cast<char>('9' + 1)));
        }
        return (*rc::gen::arbitrary<bool>() ? "-" : "") + text;
    });
}

/// The same comparison done on text alone: pad to equal shape, compare letters.
int compare_texts(std::string a, std::string b) {
    const auto shape = [](std::string& text) {
        const bool negative = text.starts_with('-');
        if (negative) {
            text.erase(0, 1);
        }
        std::size_t point = text.find('.');
        if (point == std::string::npos) {
            point = text.size();
            text += '.';
        }
        text.insert(0, 50 - point, '0');
        text.resize(101, '0');
        return negative && text.find_first_not_of("0.") != std::string::npos;
    };
    const bool a_negative = shape(a);
    const bool b_negative = shape(b);
    if (a_negative != b_negative) {
        return a_negative ? -1 : 1;
    }
    const int magnitude = a.compare(b);
    return (a_negative ? -magnitude : magnitude) < 0 ? -1 : magnitude == 0 ? 0 : 1;
}

RC_GTEST_PROP(DecimalProperty, parses_what_it_writes, ()) {
    const std::string text = *decimal_text(19, 19);
    const Decimal value = dec(text);
    const Decimal again = dec(value.to_string());
    RC_ASSERT(again == value);
    RC_ASSERT(again.scale() == value.scale());
    RC_ASSERT(value.is_zero() || value.to_string() == text);
    RC_ASSERT(dec(value.to_string(19)) == value);
}

RC_GTEST_PROP(DecimalProperty, compares_as_text_does, ()) {
    const std::string a = *decimal_text(19, 19);
    const std::string b =
        *rc::gen::oneOf(decimal_text(19, 19), rc::gen::just(a),
                        rc::gen::map(rc::gen::just(a), [](std::string text) {
                            return text + (text.find('.') == std::string::npos ? ".0"
                                           : text.size() < 38                  ? "0"
                                                                               : "");
                        }));
    const int expected = compare_texts(a, b);
    const auto order = dec(a) <=> dec(b);
    RC_ASSERT((order < 0 ? -1 : order > 0 ? 1 : 0) == expected);
    RC_ASSERT((dec(a) == dec(b)) == (expected == 0));
}

RC_GTEST_PROP(DecimalProperty, subtraction_undoes_addition, ()) {
    const Decimal a = dec(*decimal_text(18, 18));
    const Decimal b = dec(*decimal_text(18, 18));
    const auto sum = Decimal::add(a, b);
    RC_ASSERT(sum.has_value());
    RC_ASSERT(*sum == *Decimal::add(b, a));
    RC_ASSERT(*Decimal::subtract(*sum, b) == a);
    RC_ASSERT((*sum > a) == (b > Decimal()));
}

RC_GTEST_PROP(DecimalProperty, multiplication_is_repeated_addition, ()) {
    const Decimal price = dec(*decimal_text(12, 6));
    const int quantity = *rc::gen::inRange(0, 40);
    Decimal sum;
    for (int i = 0; i < quantity; ++i) {
        sum = *Decimal::add(sum, price);
    }
    RC_ASSERT(*Decimal::multiply(price, Decimal::from_int(quantity)) == sum);
}

RC_GTEST_PROP(DecimalProperty, answers_any_bytes_with_a_value_or_invalid, ()) {
    const std::string text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789.-+eE, ")));
    const auto parsed = Decimal::parse(text);
    if (parsed) {
        RC_ASSERT(dec(parsed->to_string()) == *parsed);
    } else {
        RC_ASSERT(parsed.error().kind == ErrorKind::invalid);
    }
}

}  // namespace
}  // namespace helios
