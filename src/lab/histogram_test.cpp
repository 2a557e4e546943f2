#include "lab/histogram.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "lab/random.h"

namespace helios::lab {
namespace {

TEST(Histogram, empty_and_single) {
    Histogram h;
    EXPECT_EQ(h.percentile(99), Duration{});
    EXPECT_EQ(h.mean(), Duration{});
    h.record(Duration(123'456'789));
    EXPECT_EQ(h.percentile(0), Duration(123'456'789)) << "capped by the maximum";
    EXPECT_EQ(h.percentile(100), Duration(123'456'789));
    EXPECT_EQ(h.max(), Duration(123'456'789));
}

TEST(Histogram, small_values_are_exact) {
    Histogram h;
    for (int i = 0; i < 100; ++i) {
        h.record(Duration(i));
    }
    EXPECT_EQ(h.percentile(50), Duration(49));
    EXPECT_EQ(h.percentile(1), Duration(0));
}

TEST(Histogram, percentiles_are_never_too_low_and_at_most1_6_percent_too_high) {
    Random random(1);
    std::vector<std::int64_t> values;
    Histogram h;
    for (int i = 0; i < 20'000; ++i) {
        std::int64_t value = static_cast<std::int64_t>(random.next() >> (random.below(50) + 10));
        values.push_back(value);
        h.record(Duration(value));
    }
    std::ranges::sort(values);
    for (double p : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
        auto rank = std::max<std::size_t>(
            1, static_cast<std::size_t>(std::ceil(p / 100 * static_cast<double>(values.size()))));
        double exact = static_cast<double>(values[rank - 1]);
        double told = static_cast<double>(h.percentile(p).count());
        EXPECT_GE(told, exact) << p;
        EXPECT_LE(told, exact * (1 + 1.0 / 64) + 1) << p;
    }
}

TEST(Histogram, takes_what_nobody_expects) {
    Histogram h;
    h.record(Duration(-5));
    h.record(Duration::max());
    EXPECT_EQ(h.count(), 2u);
    EXPECT_EQ(h.percentile(50), Duration(0));
    EXPECT_EQ(h.percentile(100), Duration::max());
}

}  // namespace
}  // namespace helios::lab
