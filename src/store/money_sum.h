#pragma once
/// Exact sums per currency, of any size.
///
/// Each amount is a bounded decimal; the sum of very many, or of a very large and a very small one,
/// is not. One order with an absurd amount must not take the figures of all others away, so this
/// adds digit by digit and refuses nothing that can be written.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/verdict.h"

namespace helios::store {

/// One thread. Memory grows with the number of currencies, not of amounts.
class MoneySum {
public:
    /// Adds `times` times `amount`; fewer than none takes it out again. `amount` in plain notation,
    /// as Decimal::to_string writes it. False: it is anything else; the sum stays as it was.
    bool change(std::string_view currency, std::string_view amount, std::int64_t times = 1);
    void add(const MoneySum& other);
    bool empty() const { return sums_.empty(); }

    /// By currency, those of which something is left. Of the scale nothing is left out but zeros
    /// beyond the currency's minor units.
    std::vector<model::Money> take() const;

    void write(ByteWriter& out) const;
    static MoneySum read(ByteReader& in);  ///< spoils the reader of what is no sum

private:
    /// Sums of digits, not carried yet: ones, tens, … and tenths, hundredths, …
    struct Sum {
        std::int64_t amounts = 0;  ///< how many: without one there is no sum, and not one of zero
        std::vector<std::int64_t> whole, fraction;
    };
    static void add(Sum& sum, std::string_view whole, std::string_view fraction,
                    std::int64_t times);
    std::map<std::string, Sum, std::less<>> sums_;
};

}  // namespace helios::store
