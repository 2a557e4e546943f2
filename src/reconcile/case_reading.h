#pragma once
/// One case as its judging reads it: which legs are there, whose deadlines have passed, what their
/// events come to. judge.cpp finds presence and bad data in it, the kinds in checks/ compare across
/// legs.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "model/verdict.h"
#include "reconcile/case_state.h"
#include "reconcile/flow.h"
#include "reconcile/history.h"

namespace helios::reconcile {

/// A decimal over the taken events of a leg, with its currency.
struct Amount {
    enum class State : std::uint8_t { leg_absent, absent, bad, tied, good } state = State::absent;
    Decimal value;
    std::string currency;        ///< empty: not said
    std::string other_currency;  ///< set: the leg's own events disagree
    bool no_currency =
        false;        ///< what is said cannot be one, or is ambiguous: its money is under XXX
    std::string why;  ///< bad though each event by itself is not
};

/// Quantities over the taken events of a leg.
struct Items {
    enum class State : std::uint8_t { absent, bad, tied, good } state = State::good;
    std::map<std::string_view, Decimal> totals;
    std::string why;  ///< bad though each event by itself is not
};

/// Seconds with as many digits as needed: "45", "30.5".
std::string seconds(Duration d);

/// For one judging, on one thread. Case and deadlines outlive it.
class CaseReading {
public:
    /// A leg's deadline has passed if it is < passed_below.
    CaseReading(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below)
        : case_(c),
          deadlines_(deadlines),
          passed_below_(passed_below),
          histories_(read_histories(c)) {}

    const Flow& flow() const { return *case_.flow; }
    std::size_t legs() const { return histories_.size(); }
    const Leg& leg(std::size_t i) const { return flow().legs[i]; }
    const LegHistory& history(std::size_t i) const { return histories_[i]; }
    Instant deadline(std::size_t i) const { return deadlines_[i]; }

    bool present(std::size_t i) const { return !histories_[i].taken.empty() || overflowed(i); }
    bool passed(std::size_t i) const { return deadlines_[i] < passed_below_; }
    /// More events than the leg takes: whatever could be compared would be a part.
    bool overflowed(std::size_t i) const { return case_.is_overflowed(i); }
    bool overflowed() const { return case_.overflowed != 0; }

    /// A sum over very many is made once.
    const Amount& amount(ReadRef ref) const;
    Items items(ReadRef ref) const;
    /// Do the leg's events contradict each other in this read, and nothing orders them?
    bool tied(ReadRef ref) const;
    /// `own`, if it says one. Absent on one: assumed equal to the first that says; absent on all:
    /// the flow's.
    std::string assumed_currency(const std::string& own) const;
    /// "order.amount"
    std::string name(ReadRef ref) const { return leg(ref.leg).name + "." + read(ref).name; }

    /// The beginning of one: of this kind, about this leg.
    model::Finding finding(model::FindingKind kind, std::size_t i) const;

private:
    const Read& read(ReadRef ref) const { return leg(ref.leg).reads[ref.read]; }
    void currencies_of(ReadRef ref, Amount& out) const;
    bool is_money(ReadRef ref) const;
    Amount add_up(ReadRef ref) const;

    const Case& case_;
    const std::vector<Instant>& deadlines_;
    Instant passed_below_;
    std::vector<LegHistory> histories_;
    mutable std::map<std::pair<std::size_t, std::size_t>, Amount> amounts_;  ///< by leg and read
};

}  // namespace helios::reconcile
