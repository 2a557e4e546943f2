#pragma once
/// What the events of one identity say together: whether it counts, what it is worth, when it
/// happened, where they contradict each other. Pure, and the same for every order of arrival.
///
/// Events of one identity are ordered by when they happened (`occurred`), then by the envelope's
/// time, then by what the source counts (`sequence`). What one of two events does not say orders
/// them no further. What then is still unordered is never decided by an id or by the order of
/// arrival: if it matters, it is a tie, and the case ambiguous.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "reconcile/case_state.h"

namespace helios::reconcile {

/// Two events of one identity that nothing orders, and what each says.
struct Tie {
    static constexpr std::size_t of_status = std::numeric_limits<std::size_t>::max();
    std::size_t read = of_status;  ///< which read; of_status: one counts and the other does not
    std::string one;
    std::string one_by;  ///< event id
    std::string other;
    std::string other_by;
};

/// A read that a later event has changed, as the flow lets it.
struct RevisedRead {
    std::size_t read = 0;
    std::string from;
    std::string to;
    std::string by;  ///< event id
};

/// One identity on one leg. Views into the case's events.
struct Taken {
    const HeldEvent* held =
        nullptr;     ///< the event that decides; of several that nothing orders the least by id
    EventView view;  ///< of that event, but `reads` hold what the identity's events say together
    bool counts = true;  ///< also if that is tied: money may have moved
    bool unknown_status = false;
    std::uint32_t differs = 0;  ///< bit per read: events differ in it, and none may change it
    std::int64_t happened_ns =
        HeldEvent::no_time;            ///< when the first of its events that counted happened
    std::int64_t arrived_ns = 0;       ///< log time at which the first that counts came
    const HeldEvent* first = nullptr;  ///< that first event
    std::vector<Tie> ties;             ///< in the order of reads, of_status first
    std::vector<RevisedRead> revised;  ///< in the order of reads
    /// All of it, if there are several; true: no other one surely came later.
    std::vector<std::pair<const HeldEvent*, bool>> events;
};

/// What one leg brings.
struct LegHistory {
    std::vector<Taken>
        taken;  ///< counting and chosen: one, unless the leg takes several; earliest first
    std::vector<Taken> duplicates;    ///< counting, but the leg takes one
    std::vector<Taken> not_counting;  ///< earliest first
    bool tied = false;  ///< the leg takes one, and nothing tells which of two that count came first
};

/// Per leg of the case's flow. An overflowed leg brings nothing.
std::vector<LegHistory> read_histories(const Case& c);

/// Has the leg an identity that counts? Cheap.
bool leg_counts(const Case& c, std::size_t leg);

/// Whole numbers as LegRecord has them, of any length: a < b as numbers.
bool sequence_less(std::string_view a, std::string_view b);

/// A read as a person may see it.
std::string shown(const ReadView& read);

}  // namespace helios::reconcile
