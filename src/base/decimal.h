#pragma once
/// Exact decimals: money and quantities from the JSON text to the verdict, never a double.
///
/// A value is coefficient × 10^-scale with |coefficient| < 10^38 and scale in [0, 38]. Bounds: at
/// most 38 digits, written exponent in [-38, 38]; beyond them parsing and arithmetic answer
/// invalid, never round.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace helios {

class Decimal {
public:
    constexpr Decimal() = default;
    static Decimal from_int(std::int64_t value);

    /// JSON number grammar exactly ("-0", "12.50", "1e3", "1.25E-2"; no "+1", ".5", "1,299.00", "
    /// 1", "NaN", ""). The written scale is kept: "12.50" has scale 2; "1e3" has scale 0 and value
    /// 1000.
    static Result<Decimal> parse(std::string_view text);

    bool is_zero() const { return coefficient_ == 0; }
    bool is_negative() const { return coefficient_ < 0; }
    int scale() const { return scale_; }  ///< digits after the point, ≥ 0

    /// Exact; invalid on overflow of 38 digits.
    static Result<Decimal> add(const Decimal& a, const Decimal& b);
    static Result<Decimal> subtract(const Decimal& a, const Decimal& b);
    static Result<Decimal> multiply(const Decimal& a, const Decimal& b);
    Decimal abs() const;
    Decimal negate() const;

    /// Numeric comparison: 1.0 equals 1.00.
    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
    friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

    /// Plain notation with max(scale(), min_scale) fraction digits, never an exponent: "1299.00".
    std::string to_string(int min_scale = 0) const;
    /// Do 38 digits suffice for that notation? Without a min_scale always.
    bool fits(int min_scale) const;

private:
    __extension__ typedef __int128 Int128;
    Int128 coefficient_ = 0;
    int scale_ = 0;
};

}  // namespace helios
