#include "store/case_sums.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/bytes.h"
#include "store/projection.h"

namespace helios::store {
namespace {

constexpr int buckets_per_octave_bits = 6;
constexpr std::uint64_t buckets_per_octave = 1u << buckets_per_octave_bits;

/// Small values have a bucket each, larger ones share it with those that agree in the highest
/// seven bits.
std::uint32_t bucket_of(Duration took) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
    if (value < buckets_per_octave) {
        return static_cast<std::uint32_t>(value);
    }
    const int shift = std::bit_width(value) - 1 - buckets_per_octave_bits;
    return static_cast<std::uint32_t>(
        (static_cast<std::uint64_t>(shift) << buckets_per_octave_bits) + (value >> shift));
}

/// The middle of a bucket.
Duration value_of(std::uint32_t bucket) {
    if (bucket < buckets_per_octave) {
        return Duration{bucket};
    }
    const int shift = static_cast<int>(bucket >> buckets_per_octave_bits) - 1;
    const std::uint64_t low = (buckets_per_octave + bucket % buckets_per_octave) << shift;
    return Duration{static_cast<std::int64_t>(low + ((std::uint64_t{1} << shift) - 1) / 2)};
}

bool is_broken(model::VerdictStatus status) {
    return status == model::VerdictStatus::partial || status == model::VerdictStatus::mismatched;
}

}  // namespace

void CaseSums::change(const CaseFigures& figures, std::int64_t by) {
    by_status_.at(static_cast<std::size_t>(figures.status)) += by;
    for (std::size_t kind = 0; kind < by_kind_.size(); ++kind) {
        by_kind_[kind] += ((figures.kinds >> kind) & 1) * by;
    }
    took_nanos_ += static_cast<Wide>(figures.took.count()) * by;
    const auto bucket = took_.try_emplace(bucket_of(figures.took)).first;
    bucket->second += by;
    if (bucket->second == 0) {
        took_.erase(bucket);
    }
    if (!is_broken(figures.status)) {
        return;
    }
    for (const auto& money : split_money(figures.at_risk)) {
        (void)at_risk_.change(money.currency, money.amount, by);  // what is no amount adds nothing
    }
}

void CaseSums::add(const CaseSums& other) {
    for (std::size_t i = 0; i < by_status_.size(); ++i) {
        by_status_[i] += other.by_status_[i];
    }
    for (std::size_t i = 0; i < by_kind_.size(); ++i) {
        by_kind_[i] += other.by_kind_[i];
    }
    took_nanos_ += other.took_nanos_;
    for (const auto& [bucket, cases] : other.took_) {
        const auto own = took_.try_emplace(bucket).first;
        own->second += cases;
        if (own->second == 0) {
            took_.erase(own);
        }
    }
    at_risk_.add(other.at_risk_);
}

bool CaseSums::empty() const {
    return took_.empty() && at_risk_.empty() &&
           std::ranges::all_of(by_status_, [](auto n) { return n == 0; });
}

std::string CaseSums::encode() const {
    ByteWriter out;
    out.u8(1);  // of this encoding
    for (const auto n : by_status_) {
        out.zigzag(n);
    }
    for (const auto n : by_kind_) {
        out.zigzag(n);
    }
    const auto wide = static_cast<unsigned __int128>(took_nanos_);
    out.u64(static_cast<std::uint64_t>(wide));
    out.u64(static_cast<std::uint64_t>(wide >> 64));
    out.varint(took_.size());
    std::uint32_t last = 0;
    for (const auto& [bucket, cases] : took_) {
        out.varint(bucket - last);
        out.zigzag(cases);
        last = bucket;
    }
    at_risk_.write(out);
    return out.take();
}

Result<CaseSums> CaseSums::decode(std::string_view bytes) {
    ByteReader in(bytes);
    CaseSums sums;
    const bool known = in.u8() == 1;
    for (auto& n : sums.by_status_) {
        n = in.zigzag();
    }
    for (auto& n : sums.by_kind_) {
        n = in.zigzag();
    }
    const std::uint64_t low = in.u64();
    const std::uint64_t high = in.u64();
    sums.took_nanos_ = static_cast<Wide>((static_cast<unsigned __int128>(high) << 64) | low);
    std::uint32_t bucket = 0;
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
        bucket += static_cast<std::uint32_t>(in.varint());
        sums.took_.emplace_hint(sums.took_.end(), bucket, in.zigzag());
    }
    sums.at_risk_ = MoneySum::read(in);
    if (!known || !in.at_end()) {
        return fail(ErrorKind::corrupt, "store: a kept sum can't be decoded",
                    "run `helios store rebuild`");
    }
    return sums;
}

Stats CaseSums::stats() const {
    Stats out;
    std::int64_t cases = 0;
    for (std::size_t i = 0; i < by_status_.size(); ++i) {
        out.by_status[i] = static_cast<std::uint64_t>(by_status_[i]);
        cases += by_status_[i];
    }
    for (std::size_t i = 0; i < by_kind_.size(); ++i) {
        out.by_kind[i] = static_cast<std::uint64_t>(by_kind_[i]);
    }
    out.at_risk = at_risk_.take();
    if (cases <= 0) {
        return out;
    }
    out.mean_to_verdict = Duration{static_cast<std::int64_t>(took_nanos_ / cases)};
    // Nearest rank: the least value that at least 99 % do not exceed.
    std::int64_t left = cases - cases / 100;
    for (const auto& [bucket, n] : took_) {
        left -= n;
        if (left <= 0) {
            out.p99_to_verdict = value_of(bucket);
            break;
        }
    }
    return out;
}

// ---- Ranges

namespace {

Duration length_of(SumLevel level) {
    switch (level) {
        case SumLevel::half_minute:
            return std::chrono::seconds(30);
        case SumLevel::hour:
            return std::chrono::hours(1);
        case SumLevel::day:
            break;
    }
    return std::chrono::hours(24);
}

constexpr Instant first{Duration{std::numeric_limits<std::int64_t>::min()}};
constexpr Instant last{Duration{std::numeric_limits<std::int64_t>::max()}};

/// An open end stays open, on every level.
Instant floor_to(SumLevel level, Instant t) {
    return t == first || t == last ? t : start_of_sum(level, t);
}
Instant ceil_to(SumLevel level, Instant t) {
    const Instant floor = floor_to(level, t);
    return floor == t ? t : floor + length_of(level);
}

void cover_between(std::size_t level, Instant start, Instant end, CoveredRange& out) {
    if (level + 1 == sum_levels.size()) {
        if (start < end) {
            out.spans.push_back({sum_levels[level], start, end});
        }
        return;
    }
    const SumLevel above = sum_levels[level + 1];
    const Instant inner_start = ceil_to(above, start);
    const Instant inner_end = floor_to(above, end);
    if (inner_start >= inner_end) {
        if (start < end) {
            out.spans.push_back({sum_levels[level], start, end});
        }
        return;
    }
    if (start < inner_start) {
        out.spans.push_back({sum_levels[level], start, inner_start});
    }
    cover_between(level + 1, inner_start, inner_end, out);
    if (inner_end < end) {
        out.spans.push_back({sum_levels[level], inner_end, end});
    }
}

}  // namespace

Instant start_of_sum(SumLevel level, Instant t) {
    const auto length = length_of(level);
    auto past = t.time_since_epoch() % length;
    if (past < Duration::zero()) {
        past += length;
    }
    return t - past;
}

CoveredRange cover(const TimeRange& range) {
    CoveredRange out;
    const Instant start = range.start.value_or(first);
    const Instant end = range.end.value_or(last);
    if (start >= end) {
        return out;
    }
    const Instant inner_start = ceil_to(SumLevel::half_minute, start);
    const Instant inner_end = floor_to(SumLevel::half_minute, end);
    if (inner_start > inner_end) {
        out.edges.push_back({start, end});
        return out;
    }
    if (start < inner_start) {
        out.edges.push_back({start, inner_start});
    }
    cover_between(0, inner_start, inner_end, out);
    if (inner_end < end) {
        out.edges.push_back({inner_end, end});
    }
    return out;
}

}  // namespace helios::store
