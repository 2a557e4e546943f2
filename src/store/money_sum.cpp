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

void MoneySum::add(Sum& sum, std::string_view whole, std::string_view fraction,
                   std::int64_t times) {
    sum.whole.resize(std::max(sum.whole.size(), whole.size()));
    sum.fraction.resize(std::max(sum.fraction.size(), fraction.size()));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        sum.whole[whole.size() - 1 - i] += times * (whole[i] - '0');
    }
    for (std::size_t i = 0; i < fraction.size(); ++i) {
        sum.fraction[i] += times * (fraction[i] - '0');
    }
}

bool MoneySum::change(std::string_view currency, std::string_view amount, std::int64_t times) {
    const bool negative = amount.starts_with('-');
    const std::string_view plain = amount.substr(negative ? 1 : 0);
    const std::size_t point = plain.find('.');
    const std::string_view whole = plain.substr(0, point);
    const std::string_view fraction =
        point == std::string_view::npos ? std::string_view{} : plain.substr(point + 1);
    if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) {
        return false;
    }
    auto found = sums_.find(currency);
    if (found == sums_.end()) {
        found = sums_.emplace(std::string(currency), Sum{}).first;
    }
    found->second.amounts += times;
    add(found->second, whole, fraction, negative ? -times : times);
    if (found->second.amounts == 0) {
        sums_.erase(found);
    }
    return true;
}

void MoneySum::add(const MoneySum& other) {
    for (const auto& [currency, sum] : other.sums_) {
        Sum& own = sums_[currency];
        own.amounts += sum.amounts;
        own.whole.resize(std::max(own.whole.size(), sum.whole.size()));
        own.fraction.resize(std::max(own.fraction.size(), sum.fraction.size()));
        for (std::size_t i = 0; i < sum.whole.size(); ++i) {
            own.whole[i] += sum.whole[i];
        }
        for (std::size_t i = 0; i < sum.fraction.size(); ++i) {
            own.fraction[i] += sum.fraction[i];
        }
        if (own.amounts == 0) {
            sums_.erase(currency);
        }
    }
}

std::vector<model::Money> MoneySum::take() const {
    std::vector<model::Money> out;
    for (const auto& [currency, sum] : sums_) {
        const auto least = static_cast<std::size_t>(currency_minor_units(currency));
        const std::size_t scale = std::max(sum.fraction.size(), least);
        std::vector<std::int64_t> digits(scale - sum.fraction.size());
        digits.insert(digits.end(), sum.fraction.rbegin(), sum.fraction.rend());
        digits.insert(digits.end(), sum.whole.begin(), sum.whole.end());
        std::string amount = carried(digits, scale);
        for (std::size_t n = scale; n > least && amount.ends_with('0'); --n) {
            amount.pop_back();
        }
        if (amount.ends_with('.')) {
            amount.pop_back();
        }
        out.push_back({currency, std::move(amount)});
    }
    return out;
}

// Digits as they stand: a sum that is written and read again is the same one.
void MoneySum::write(ByteWriter& out) const {
    out.varint(sums_.size());
    for (const auto& [currency, sum] : sums_) {
        out.string(currency);
        out.zigzag(sum.amounts);
        for (const auto* digits : {&sum.whole, &sum.fraction}) {
            out.varint(digits->size());
            for (const auto digit : *digits) {
                out.zigzag(digit);
            }
        }
    }
}

MoneySum MoneySum::read(ByteReader& in) {
    MoneySum sums;
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        Sum& sum = sums.sums_[std::string(in.string())];
        sum.amounts = in.zigzag();
        for (auto* digits : {&sum.whole, &sum.fraction}) {
            for (std::uint64_t places = in.varint(); places > 0 && in.ok(); --places) {
                digits->push_back(in.zigzag());
            }
        }
    }
    return sums;
}

}  // namespace helios::store
