#pragma once
/// Latencies, log-linear: every bucket is at most 1/64 of its value wide, so a percentile is at
/// most 1.6 % too high. Never too low: a bucket answers with its upper edge.

#include <array>
#include <cstdint>

#include "base/time.h"

namespace helios::lab {

/// Not thread-safe. 30 KiB.
class Histogram {
public:
    void record(Duration value);  ///< negative ones count as 0
    std::uint64_t count() const { return count_; }
    Duration max() const { return Duration(static_cast<std::int64_t>(max_)); }
    Duration mean() const {
        return count_ == 0
                   ? Duration{}
                   : Duration(static_cast<std::int64_t>(sum_ / static_cast<double>(count_)));
    }
    /// The least bucket edge that p percent of the values do not exceed (nearest rank), capped by
    /// max(). 0 if empty.
    Duration percentile(double p) const;

private:
    static constexpr unsigned sub_bits = 6;
    static constexpr std::size_t buckets = (64 - sub_bits + 1) << sub_bits;
    static std::size_t index_of(std::uint64_t nanos);
    static std::uint64_t upper_edge(std::size_t index);

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace helios::lab
