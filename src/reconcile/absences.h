#pragma once
/// Absences of Helios: the stretches in which it could not take events, and what they do to the
/// deadlines of open cases.
///
/// The one definition for engine, route, explanations and answers. Pure: the order in which
/// stretches are read and how one is cut into pieces do not matter.

#include <string>
#include <string_view>
#include <vector>

#include "model/absence.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// The stretches that are known, sorted by their begin; pieces that touch and are alike are one.
/// One thread.
class Absences {
public:
    Absences() = default;
    explicit Absences(const std::vector<model::AbsenceRecord>& pieces) {
        for (const auto& piece : pieces) {
            add(piece);
        }
    }

    void add(const model::AbsenceRecord& piece);
    /// Forgets those that end at or before `opened`: for cases opened from then on they mean
    /// nothing.
    void forget_until(Instant opened);

    const std::vector<model::AbsenceRecord>& all() const { return all_; }
    /// Cases opened from here on are concerned by none of them.
    Instant end() const { return end_; }
    /// Where those begin that may end after `opened`.
    std::vector<model::AbsenceRecord>::const_iterator since(Instant opened) const;
    /// No deadline is moved by more, beside what a flow waits for silent sources.
    Duration most() const { return most_; }

private:
    void measure();

    std::vector<model::AbsenceRecord> all_;
    Instant end_ = Instant::min();
    Duration longest_{};
    Duration most_{};
};

/// Where the deadline of a leg that may come from `sources` (empty: any) has moved to. The
/// stretches that concern one of its sources are merged and taken in order: if the deadline as
/// moved so far has not passed when one begins, and the case was opened before it ends, it moves by
/// what of the stretch came after the opening, and by the stretch's largest grace. Stretches with a
/// `max` add at most the largest max beyond what those without add. That its sources are silent
/// counts for a leg that waits for them, if no other can bring it, and adds at most `silence_max`
/// (0: it does not wait) beyond both. Never before `deadline`.
Instant deadline_moved(Instant opened_at, Instant deadline, const std::vector<std::string>& sources,
                       const Absences& absences, Duration silence_max = Duration::zero());

/// The same for each leg of a case, into `out`.
void deadlines_moved(const Flow& flow, Instant opened_at, const Absences& absences,
                     std::vector<Instant>& out);

/// No case of the flow that was opened by `opened` has a later deadline. Not the least such bound:
/// cheap.
Instant latest_deadline(const Flow& flow, Instant opened, const Absences& absences);

/// "stopped", "refused events of gcp": for a person.
std::string describe(const model::AbsenceRecord& absence);

}  // namespace helios::reconcile
