#include "base/decimal.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/shown.h"

namespace helios {
namespace {

__extension__ typedef __int128 Int128;

constexpr int digits_max = 38;
constexpr int exponent_max = 38;

constexpr std::array<Int128, digits_max + 1> powers_of_ten = [] {
    std::array<Int128, digits_max + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

/// Coefficients lie strictly between -limit and limit.
constexpr Int128 limit = powers_of_ten[digits_max];

Int128 power_of_ten(int exponent) {
    return powers_of_ten[static_cast<std::size_t>(exponent)];
}
Int128 magnitude(Int128 v) {
    return v < 0 ? -v : v;
}

/// a × b, or false beyond 38 digits. Not the compiler's overflow builtin: for signed 128 bits it
/// needs a runtime function that libgcc lacks.
bool multiply_checked(Int128 a, Int128 b, Int128& out) {
    if (a != 0 && magnitude(b) > (limit - 1) / magnitude(a)) {
        return false;
    }
    out = a * b;
    return true;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::unexpected<Error> not_a_number(std::string_view text) {
    return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a decimal number", shown(text)),
                "write digits with an optional point, for example 1299.00");
}

std::unexpected<Error> out_of_bounds(std::string_view what) {
    return fail(ErrorKind::invalid, fmt::format("{} exceeds the bounds of a decimal", what),
                "at most 38 digits and an exponent between -38 and 38");
}

/// A number taken apart by the JSON grammar.
struct Literal {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
    bool exponent_negative = false;
    std::string_view exponent;
};

std::string_view take_digits(std::string_view& rest) {
    std::size_t n = 0;
    while (n < rest.size() && is_digit(rest[n])) {
        ++n;
    }
    const std::string_view digits = rest.substr(0, n);
    rest.remove_prefix(n);
    return digits;
}

bool split(std::string_view rest, Literal& out) {
    if (rest.starts_with('-')) {
        out.negative = true;
        rest.remove_prefix(1);
    }
    out.whole = take_digits(rest);
    if (out.whole.empty() || (out.whole.size() > 1 && out.whole.front() == '0')) {
        return false;
    }
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        out.fraction = take_digits(rest);
        if (out.fraction.empty()) {
            return false;
        }
    }
    if (rest.starts_with('e') || rest.starts_with('E')) {
        rest.remove_prefix(1);
        out.exponent_negative = rest.starts_with('-');
        if (rest.starts_with('-') || rest.starts_with('+')) {
            rest.remove_prefix(1);
        }
        out.exponent = take_digits(rest);
        if (out.exponent.empty()) {
            return false;
        }
    }
    return rest.empty();
}

bool accumulate(std::string_view digits, Int128& coefficient) {
    for (const char c : digits) {
        if (coefficient >= limit / 10) {
            return false;
        }
        coefficient = coefficient * 10 + (c - '0');
    }
    return true;
}

}  // namespace

Decimal Decimal::from_int(std::int64_t value) {
    Decimal d;
    d.coefficient_ = value;
    return d;
}

Result<Decimal> Decimal::parse(std::string_view text) {
    Literal literal;
    if (!split(text, literal)) {
        return not_a_number(text);
    }

    int exponent = 0;
    for (const char c : literal.exponent) {
        exponent = exponent * 10 + (c - '0');
        if (exponent > exponent_max) {
            return out_of_bounds("the number");
        }
    }
    if (literal.exponent_negative) {
        exponent = -exponent;
    }
    if (literal.fraction.size() > digits_max) {
        return out_of_bounds("the number");
    }

    Int128 coefficient = 0;
    if (!accumulate(literal.whole, coefficient) || !accumulate(literal.fraction, coefficient)) {
        return out_of_bounds("the number");
    }
    int scale = static_cast<int>(literal.fraction.size()) - exponent;
    if (scale > digits_max) {
        return out_of_bounds("the number");
    }
    if (scale < 0) {
        if (!multiply_checked(coefficient, power_of_ten(-scale), coefficient)) {
            return out_of_bounds("the number");
        }
        scale = 0;
    }
    Decimal d;
    d.coefficient_ = literal.negative ? -coefficient : coefficient;
    d.scale_ = scale;
    return d;
}

Result<Decimal> Decimal::add(const Decimal& a, const Decimal& b) {
    Decimal sum;
    sum.scale_ = std::max(a.scale_, b.scale_);
    Int128 left = 0;
    Int128 right = 0;
    if (!multiply_checked(a.coefficient_, power_of_ten(sum.scale_ - a.scale_), left) ||
        !multiply_checked(b.coefficient_, power_of_ten(sum.scale_ - b.scale_), right)) {
        return out_of_bounds("the sum");
    }
    // Two addends below 10^38 may pass the range of 128 bits, so the bound is checked before
    // adding.
    if (right > 0 ? left > limit - 1 - right : left < -(limit - 1) - right) {
        return out_of_bounds("the sum");
    }
    sum.coefficient_ = left + right;
    return sum;
}

Result<Decimal> Decimal::subtract(const Decimal& a, const Decimal& b) {
    return add(a, b.negate());
}

Result<Decimal> Decimal::multiply(const Decimal& a, const Decimal& b) {
    Decimal product;
    product.scale_ = a.scale_ + b.scale_;
    if (product.scale_ > digits_max ||
        !multiply_checked(a.coefficient_, b.coefficient_, product.coefficient_)) {
        return out_of_bounds("the product");
    }
    return product;
}

Decimal Decimal::abs() const {
    return is_negative() ? negate() : *this;
}

Decimal Decimal::negate() const {
    Decimal d = *this;
    d.coefficient_ = -coefficient_;
    return d;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    if (a.scale_ == b.scale_) {
        return a.coefficient_ <=> b.coefficient_;
    }
    if (a.is_negative() != b.is_negative()) {
        return a.is_negative() ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    if (a.scale_ > b.scale_) {
        return 0 <=> (b <=> a);
    }

    // Same sign, a has fewer fraction digits. Scaling a up could overflow; dividing b cannot.
    const Int128 divisor = power_of_ten(b.scale_ - a.scale_);
    const Int128 quotient = b.coefficient_ / divisor;
    if (a.coefficient_ != quotient) {
        return a.coefficient_ <=> quotient;
    }
    return 0 <=> b.coefficient_ % divisor;
}

std::string Decimal::to_string(int min_scale) const {
    char reversed[digits_max];
    std::size_t digits = 0;
    for (Int128 rest = magnitude(coefficient_); rest != 0; rest /= 10) {
        reversed[digits++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    }
    const auto fraction = static_cast<std::size_t>(scale_);
    std::string out;
    out.reserve(digits + fraction + 4);
    if (is_negative()) {
        out.push_back('-');
    }
    if (digits <= fraction) {
        out.push_back('0');
    }
    for (std::size_t i = digits; i > fraction; --i) {
        out.push_back(reversed[i - 1]);
    }
    const auto padding = static_cast<std::size_t>(std::max(0, min_scale - scale_));
    if (fraction + padding == 0) {
        return out;
    }
    out.push_back('.');
    for (std::size_t i = fraction; i > 0; --i) {
        out.push_back(i <= digits ? reversed[i - 1] : '0');
    }
    out.append(padding, '0');
    return out;
}

bool Decimal::fits(int min_scale) const {
    const int padding = std::max(0, min_scale - scale_);
    return scale_ + padding <= digits_max &&
           magnitude(coefficient_) <= (limit - 1) / power_of_ten(padding);
}

}  // namespace helios
