#pragma once
/// What figures over decided cases are made of: counts by status and kind, how long decisions took,
/// money at risk. Sums can be added and cases taken out again, so they are kept per half minute,
/// hour and day, and a range is a few of them.
///
/// How long decisions took is a histogram: 64 buckets per power of two, so a quantile read from it
/// is within 1 % of the exact one. Everything else is exact.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/money_sum.h"
#include "store/rows.h"

namespace helios::store {

/// What a decided case contributes.
struct CaseFigures {
    model::VerdictStatus status = model::VerdictStatus::matched;
    std::int64_t kinds = 0;    ///< kind_bit of each of its findings
    Duration took{};           ///< from opening to the first decision
    std::string_view at_risk;  ///< join_money; counts where the case is partial or mismatched
};

/// Not thread-safe.
class CaseSums {
public:
    void add(const CaseFigures& figures) { change(figures, 1); }
    void take_out(const CaseFigures& figures) { change(figures, -1); }
    void add(const CaseSums& other);
    bool empty() const;

    std::string encode() const;
    static Result<CaseSums> decode(std::string_view bytes);  ///< corrupt

    /// As answered; pending cases are not among them.
    Stats stats() const;

private:
    __extension__ typedef __int128 Wide;
    void change(const CaseFigures& figures, std::int64_t by);

    std::array<std::int64_t, 4> by_status_{};
    std::array<std::int64_t, 11> by_kind_{};
    Wide took_nanos_ = 0;
    std::map<std::uint32_t, std::int64_t> took_;  ///< cases by bucket
    MoneySum at_risk_;
};

/// Which sums cover a range: `level` sums that begin in [start, end).
enum class SumLevel : std::uint8_t { half_minute = 0, hour = 1, day = 2 };
inline constexpr std::array sum_levels{SumLevel::half_minute, SumLevel::hour, SumLevel::day};
Instant start_of_sum(SumLevel level, Instant t);  ///< floor

struct SumSpan {
    SumLevel level = SumLevel::half_minute;
    Instant start;
    Instant end;
};
/// A range as spans of sums, and stretches of less than half a minute at its edges that no sum
/// covers.
struct CoveredRange {
    std::vector<SumSpan> spans;
    std::vector<TimeRange> edges;
};
CoveredRange cover(const TimeRange& range);

}  // namespace helios::store
