#pragma once
/// From an event to what one leg of one flow sees of it. Pure.
///
/// Refuses to judge: a value that can't be used is carried as `bad` with its reason; the engine
/// makes a `data` finding of it if the event is one that counts.

#include <optional>

#include "base/json.h"
#include "model/case_record.h"
#include "model/event.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// Names of reads that every leg has beside its own.
inline constexpr std::string_view status_read = "status";      ///< if the leg has a status rule
inline constexpr std::string_view identity_read = "identity";  ///< only if bad

/// Where and when an event stands on the log; offline, what an export says of that.
struct Arrival {
    Position pointer;
    Instant at;  ///< goes into the record: log time
};

/// Items and sums read at most this many elements; a longer list is `bad`.
inline constexpr std::size_t items_max = 10'000;
inline constexpr std::size_t key_bytes_max = 1024;
inline constexpr std::size_t sequence_digits_max = 128;
/// Longer texts, and lists whose keys are longer together, are `bad`: a case record must fit the
/// log whatever the event holds, and cases wait in memory.
inline constexpr std::size_t text_bytes_max = 4096;
inline constexpr std::size_t item_keys_bytes_max = 1u << 20;

/// nullopt: no key can be read by the leg's key paths (absent, a container, ambiguous, longer than
/// key_bytes_max, or with a NUL, which separates the parts of a case's name), so the event belongs
/// to no case of this flow.
std::optional<model::LegRecord> extract(const Flow& flow, const Leg& leg, bool opens,
                                        const model::Event& event, json::Value payload,
                                        const Arrival& arrival);

}  // namespace helios::reconcile
