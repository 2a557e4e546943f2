#pragma once
/// The load generator's events: an endless shop with labels, cheap enough to be written at the rate
/// at which it is sent.
///
/// A few orders of the shop become templates; an event is a template with twelve digits of order
/// number patched in, base64 data included. Everything follows from (options, run start): which
/// events are repeated, which orders come late, which are wrong.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "lab/options.h"
#include "lab/shop.h"

namespace helios::lab {

/// One event of the stream.
struct CorpusEvent {
    std::uint64_t order = 0;
    Leg leg = Leg::order;
    bool repeat = false;
};

/// The order of sending: order n, payment of n − 16, reservation of n − 32, and so on; then repeats
/// and held-back legs where they fall. Not thread-safe. Memory: what is held back.
class CorpusStream {
public:
    /// `orders` in all; a held-back leg comes `held_for` events later.
    CorpusStream(const BenchOptions& options, std::uint64_t orders, std::uint64_t held_for);
    /// False at the end: every leg of every order was given.
    bool next(CorpusEvent& event);

private:
    struct Held {
        std::uint64_t due;
        CorpusEvent event;
    };
    bool from_shop(CorpusEvent& event);
    const BenchOptions& options_;
    std::uint64_t orders_;
    std::uint64_t held_for_;
    std::uint64_t slot_ = 0;
    unsigned leg_ = 0;
    std::uint64_t given_ = 0;
    std::deque<Held> late_;     ///< in order of due
    std::deque<Held> repeats_;  ///< in order of due
};

/// Labels, from the seed alone.
bool is_mismatch(const BenchOptions& options, std::uint64_t order);
bool is_late(const BenchOptions& options, std::uint64_t order);

/// Writes the stream's events. Immutable once built; thread-safe.
class CorpusText {
public:
    CorpusText(const BenchOptions& options, Instant run_start);

    std::string order_id(std::uint64_t order) const;
    /// True and the number, if `key` is an order of this run.
    bool order_of(std::string_view key, std::uint64_t& order) const;

    enum class Form : std::uint8_t {
        request,  ///< a whole HTTP request in its cloud's envelope
        grid,     ///< an Event Grid event (element of an array)
        line,     ///< an event line of /api/v1/events/batch
    };
    /// Appends the event to `out`.
    void append(std::string& out, const CorpusEvent& event, Form form) const;

private:
    struct Template {
        std::string bytes;
        std::vector<std::size_t> digits_at;  ///< twelve digits each
        std::vector<std::size_t>
            base64_at;  ///< the sixteen characters that stand for twelve digits each
    };
    static constexpr std::size_t varieties = 16;
    Template make(const BenchOptions& options, std::size_t variety, Leg leg, bool wrong, Form form,
                  Instant run_start) const;
    const Template& of(const CorpusEvent& event, Form form) const;

    const BenchOptions& options_;
    std::string run_;  ///< hex of the run's start: keys of different runs never meet
    std::string run_digits_;
    std::vector<Template> templates_;
};

}  // namespace helios::lab
