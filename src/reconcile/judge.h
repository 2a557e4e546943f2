#pragma once
/// What a case's events mean together: status, findings, chosen events, money at risk. Pure: no
/// state, no clock.
///
/// Texts of findings name no instant of arrival (but those of `late`), so that a settled verdict
/// does not depend on the order in which events came.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/verdict.h"
#include "reconcile/case_state.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

/// One check as it stands, for people: also those that passed, wait or could not be made.
struct CheckOutcome {
    enum class State : std::uint8_t {
        passed,
        failed,
        waiting,
        not_compared
    } state = State::waiting;
    std::string check;
    Check::Kind kind = Check::Kind::amount;
    std::string leg;  ///< the leg that is measured
    std::string expected;
    std::string actual;
    std::string tolerance;
    std::string unit;
    std::string note;  ///< why not compared, what was assumed
};
std::string_view to_string(CheckOutcome::State state);

struct Judgement {
    model::VerdictStatus status = model::VerdictStatus::pending;
    bool awaited = false;              ///< a needed leg may still come in time
    std::vector<std::string> missing;  ///< needed legs past their deadline, in flow order
    std::vector<model::Finding>
        findings;  ///< what is published; while awaited only missing and orphan, not final
    std::vector<model::VerdictEvent>
        events;  ///< chosen events, in flow order; of a leg at most 100
    std::vector<std::pair<std::string, std::uint64_t>>
        unlisted;  ///< leg, and how many more of it are chosen
    std::vector<model::Money> at_risk;
    /// Did that leg come after its deadline?
    bool late(std::string_view leg) const;

    std::vector<CheckOutcome> checks;  ///< only if asked for; in the flow's order
    std::vector<model::Finding>
        tentative;  ///< only if asked for: what would be found if nothing more came
    std::vector<std::string>
        revised;  ///< only if asked for: what later events of an identity have changed
};

/// `deadlines`: per leg, resumes included. A leg's deadline has passed if it is < passed_below.
Judgement judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below,
                bool with_outcomes = false);

/// Just the status; cheap.
model::VerdictStatus pending_or_partial(const Case& c, const std::vector<Instant>& deadlines,
                                        Instant passed_below);

}  // namespace helios::reconcile
