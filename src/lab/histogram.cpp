#include "lab/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace helios::lab {

std::size_t Histogram::index_of(std::uint64_t nanos) {
    constexpr std::uint64_t linear = std::uint64_t{1} << sub_bits;
    if (nanos < linear) {
        return nanos;
    }
    // Values with their top bit at sub_bits + e share row e + 1; the sub_bits below the top bit
    // choose the place in it.
    auto exponent = static_cast<unsigned>(std::bit_width(nanos)) - 1 - sub_bits;
    return ((std::size_t{exponent} + 1) << sub_bits) + ((nanos >> exponent) & (linear - 1));
}

std::uint64_t Histogram::upper_edge(std::size_t index) {
    constexpr std::uint64_t linear = std::uint64_t{1} << sub_bits;
    if (index < linear) {
        return index;
    }
    std::uint64_t exponent = (index >> sub_bits) - 1;
    std::uint64_t base = (linear + (index & (linear - 1))) << exponent;
    return base + ((std::uint64_t{1} << exponent) - 1);
}

void Histogram::record(Duration value) {
    auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.count()));
    counts_[index_of(nanos)] += 1;
    count_ += 1;
    max_ = std::max(max_, nanos);
    sum_ += static_cast<double>(nanos);
}

Duration Histogram::percentile(double p) const {
    if (count_ == 0) {
        return Duration{};
    }
    auto rank = static_cast<std::uint64_t>(std::ceil(p / 100.0 * static_cast<double>(count_)));
    rank = std::clamp<std::uint64_t>(rank, 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts_[i];
        if (seen >= rank) {
            return Duration(static_cast<std::int64_t>(std::min(upper_edge(i), max_)));
        }
    }
    return max();
}

}  // namespace helios::lab
