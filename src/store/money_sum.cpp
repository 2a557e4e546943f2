#include "store/money_sum.h"

#include <algorithm>

#include "base/currency.h"
#include "base/decimal.h"

namespace helios::store {
namespace {

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `digits` from the lowest place up, each any number; `scale` of them stand behind the point.
std::string carried(const std::vector<std::int64_t>& digits, std::size_t scale) {
    for (const std::int64_t sign : {1, -1}) {
        std::string places;
        std::int64_t carry = 0;
        for (std::size_t i = 0; i < digits.size() || carry > 0; ++i) {
            const std::int64_t value = carry + (i < digits.size() ? sign * digits[i] : 0);
            const std::int64_t digit = (value % 10 + 10) % 10;
            carry = (value - digit) / 10;
            places.push_back(static_cast<char>('0' + digit));
        }
        if (carry < 0) {
            continue;  // the sum is negative
        }
        while (places.size() > scale + 1 && places.back() == '0') {
            places.pop_back();
        }
        if (scale > 0) {
            places.insert(scale, 1, '.');
        }
        if (sign < 0) {
            places.push_back('-');
        }
        std::reverse(places.begin(), places.end());
        return places;
    }
    return "0";
}

}  // namespace

Status MoneySum::add(std::string_view currency, std::string_view amount) {
    const bool negative = amount.starts_with('-');
    const std::string_view plain = amount.substr(negative ? 1 : 0);
    const std::size_t point = plain.find('.');
    const std::string_view whole = plain.substr(0, point);
    const std::string_view fraction =
        point == std::string_view::npos ? std::string_view{} : plain.substr(point + 1);
    if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) {
        return fail(ErrorKind::corrupt, "\"" + std::string(amount) + "\" in the store is no amount",
                    "rebuild the store: `helios store rebuild`");
    }
    auto found = sums_.find(currency);
    if (found == sums_.end()) {
        found = sums_.emplace(std::string(currency), Sum{}).first;
    }
    Sum& sum = found->second;
    sum.whole.resize(std::max(sum.whole.size(), whole.size()));
    sum.fraction.resize(std::max(sum.fraction.size(), fraction.size()));
    const std::int64_t sign = negative ? -1 : 1;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        sum.whole[whole.size() - 1 - i] += sign * (whole[i] - '0');
    }
    for (std::size_t i = 0; i < fraction.size(); ++i) {
        sum.fraction[i] += sign * (fraction[i] - '0');
    }
    return {};
}

std::vector<model::Money> MoneySum::take() const {
    std::vector<model::Money> out;
    for (const auto& [currency, sum] : sums_) {
        const std::size_t scale =
            std::max(sum.fraction.size(), static_cast<std::size_t>(currency_minor_units(currency)));
        std::vector<std::int64_t> digits(scale - sum.fraction.size());
        digits.insert(digits.end(), sum.fraction.rbegin(), sum.fraction.rend());
        digits.insert(digits.end(), sum.whole.begin(), sum.whole.end());
        out.push_back({currency, carried(digits, scale)});
    }
    return out;
}

}  // namespace helios::store
