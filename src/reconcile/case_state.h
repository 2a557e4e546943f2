#pragma once
/// What the engine remembers of one case: every distinct event of it, their reads, and what was
/// last published.
///
/// Packed, because a busy shop has hundreds of thousands of open cases: an event is a few numbers
/// and one string. No payload. Knows how to take an event in; what the events of one identity say
/// together is history.h's business, what the case means is judge.h's.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/case_record.h"
#include "model/verdict.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// A read as it is kept: text (text, decimal as written, or the reason why it is bad) or items.
struct ReadView {
    model::ReadValue::Kind kind = model::ReadValue::Kind::absent;
    std::string_view text;
    std::string_view packed_items;  ///< items(): (key, quantity) pairs, sorted by key

    std::vector<std::pair<std::string_view, std::string_view>> items() const;
};

/// Views into a HeldEvent.
struct EventView {
    std::string_view identity;
    std::string_view event_id;
    std::string_view source;
    std::string_view type;
    Position at;
    std::vector<ReadView>
        reads;  ///< the leg's reads in flow order, then the status if the leg has a rule
    std::vector<std::string_view> unreadable;  ///< why identity could not be read
    std::vector<std::string_view>
        doubts;  ///< what could not be used as sent, and changes no status
};

/// One event of a case. Of several deliveries the first place on the log and the earliest times
/// stand.
struct HeldEvent {
    static constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();

    std::uint16_t leg = 0;
    bool counts = true;
    bool unknown_status = false;
    std::int64_t occurred_ns = no_time;
    std::int64_t event_ns = no_time;  ///< the envelope's claim
    std::int64_t at_ns = 0;
    std::uint64_t content_hash = 0;
    std::string packed;

    std::string_view identity() const;
    std::string_view sequence() const;  ///< empty: not said
    std::string_view content()
        const;  ///< all but times and place: equal for deliveries of one event
    EventView view() const;
    std::optional<Instant> occurred() const;
    /// Some time of its own could be read, the envelope's or one that the flow names.
    bool timed() const { return occurred_ns != no_time || event_ns != no_time; }
};

/// Whether a status lets an event of this leg count.
struct StatusVerdict {
    bool counts = true;
    bool unknown = false;
};
StatusVerdict judge_status(const Leg& leg, const model::ReadValue& status);

struct Case {
    const Flow* flow = nullptr;
    std::uint32_t instance = 1;
    std::uint32_t revision = 0;
    std::uint32_t level = 1;  ///< of the engine, when it was opened
    std::uint32_t satisfied =
        0;  ///< bit per leg: an identity counts; meaningful after settle_legs()
    std::uint32_t unsettled = 0;  ///< bit per leg: it took something since
    std::uint32_t overflowed =
        0;  ///< bit per leg: it had more events than events_max, and holds none any more
    model::VerdictStatus status = model::VerdictStatus::pending;  ///< as last published
    bool decided = false;                                         ///< some revision was not pending
    std::uint64_t published = 0;  ///< digest of what was last published
    Instant opened_at;
    Instant closed_at;                   ///< when it first closed; meaningful while it is closed
    Instant scheduled = Instant::max();  ///< its entry in the deadline queue; Instant::max(): none
    Instant latest = Instant::min();     ///< the largest `at` or fired deadline that it has seen
    Instant judged_at;                   ///< `latest` at the last judgement
    Instant put_off = Instant::max();    ///< a large case: when what it took since will be judged;
                                         ///< Instant::max(): nothing waits
    std::vector<HeldEvent> events;       ///< in order of arrival

    bool is_satisfied(std::size_t leg) const { return (satisfied >> leg & 1u) != 0; }
    bool is_overflowed(std::size_t leg) const { return (overflowed >> leg & 1u) != 0; }

    /// Takes the event in. False: nothing changed.
    bool take(const Leg& leg, std::size_t leg_index, const model::LegRecord& record);
    /// After take(): which legs have an identity that counts.
    void settle_legs();

    /// Compact bytes of all of it, and back; engine_state_format (engine_state.h) is their version.
    /// corrupt: they are no case of this flow and version; whatever they are, nothing worse
    /// happens.
    std::string encode() const;
    static Result<Case> decode(std::string_view bytes, const Flow* flow);
    /// Without decoding the rest. Of damaged bytes 0 and the epoch.
    static std::uint32_t flow_version_of(std::string_view bytes);
    static Instant opened_at_of(std::string_view bytes);

private:
    HeldEvent* find(const HeldEvent& fresh);
    void index(std::size_t event);
    void index_all();

    // Only of cases with more events than index_above: where an event with that content hash
    // stands, and how many each leg has.
    std::vector<std::uint32_t> slots_;  ///< open addressing; index + 1, 0: free
    std::vector<std::uint32_t> held_;
};

}  // namespace helios::reconcile
