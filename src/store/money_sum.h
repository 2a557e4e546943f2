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

#include "base/result.h"
#include "model/verdict.h"

namespace helios::store {

/// One thread. Memory grows with the number of currencies, not of amounts.
class MoneySum {
public:
    /// `amount` in plain notation, as Decimal::to_string writes it. corrupt: anything else; the sum
    /// stays as it was.
    Status add(std::string_view currency, std::string_view amount);

    /// By currency; the scale is the largest that was added, at least the currency's minor units.
    std::vector<model::Money> take() const;

private:
    /// Sums of digits, not carried yet: ones, tens, … and tenths, hundredths, …
    struct Sum {
        std::vector<std::int64_t> whole, fraction;
    };
    std::map<std::string, Sum, std::less<>> sums_;
};

}  // namespace helios::store
