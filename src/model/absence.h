#pragma once
/// A stretch of time in which Helios itself could not take events: stopped, asleep, or refusing.
/// On helios.flows; route hands it to every partition of helios.cases.
///
/// What a stretch does to deadlines is reconcile's business (absences.h).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace helios::model {

/// Why we were away. Numbers are stored.
enum class AbsenceCause : std::uint8_t {
    start = 0,    ///< between two lives of the server
    sleep = 1,    ///< the machine slept, the process stood still, the wall clock was set forward
    gap = 2,      ///< nobody took events in, says the log itself (cluster)
    refused = 3,  ///< we answered that we could not take an event
    lost = 4,     ///< a process was lost (cluster)
    fetch = 5,    ///< a source that we must fetch could not be reached
    silent = 6,   ///< a source is known to be silent
};
std::string_view to_string(AbsenceCause cause);
Result<AbsenceCause> parse_absence_cause(std::string_view text);  ///< invalid, with those there are

/// The stretch [from, to) of log time, or one piece of it: pieces that touch are one stretch. Its
/// `at` is `to`.
struct AbsenceRecord {
    Instant from;
    Instant to;
    Duration grace{};  ///< given once per stretch, on top
    Duration max{};  ///< all stretches with a max together move a deadline by at most the largest;
                     ///< 0: no cap
    std::vector<std::string> sources;  ///< whose events we could not take, sorted; empty: all
    AbsenceCause cause = AbsenceCause::start;
    friend bool operator==(const AbsenceRecord&, const AbsenceRecord&) = default;
};

inline constexpr std::uint8_t absence_version = 1;

std::string encode(const AbsenceRecord& record);
Result<AbsenceRecord> decode_absence(
    std::string_view bytes);  ///< corrupt: not this encoding, or no stretch

}  // namespace helios::model
