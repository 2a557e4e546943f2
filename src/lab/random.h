#pragma once
/// Seeded randomness whose sequence is ours for ever: standard distributions differ between
/// libraries, and a plan must be the same on every machine.

#include <cstdint>

#include "base/assert.h"

namespace helios::lab {

/// SplitMix64. Not thread-safe; copy it freely. Not for secrets.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    /// A generator of its own for item `n` of a series: item 7 is the same in a series of 10 and of
    /// 10,000.
    static Random of(std::uint64_t seed, std::uint64_t n) {
        Random parent(seed ^ (n * 0x9e3779b97f4a7c15ULL));
        parent.next();
        return Random(parent.next());
    }

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    /// Uniform in [0, n) for small n (the bias of the multiplication is below n / 2^64).
    std::uint64_t below(std::uint64_t n) {
        HELIOS_ASSERT(n > 0, "an empty range has no element");
        __extension__ typedef unsigned __int128 Wide;
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
    }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    bool chance(std::uint64_t per_thousand) { return below(1000) < per_thousand; }

private:
    std::uint64_t state_;
};

}  // namespace helios::lab
