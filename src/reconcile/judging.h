#pragma once
/// One judging of one case, private to judge.cpp (presence and what is found) and checks.cpp
/// (comparisons across legs).

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "reconcile/history.h"
#include "reconcile/judge.h"

namespace helios::reconcile {

using Outcome = CheckOutcome;

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

class Judge {
public:
    Judge(const Case& c, const std::vector<Instant>& deadlines, Instant passed_below)
        : case_(c),
          flow_(*c.flow),
          deadlines_(deadlines),
          passed_below_(passed_below),
          legs_(read_histories(c)) {}

    Judgement run(bool with_outcomes);

private:
    void presence(Judgement& out);
    void orphans(Judgement& out);
    void lateness(std::vector<model::Finding>& findings);
    void duplicates(std::vector<model::Finding>& findings);
    void data(std::vector<model::Finding>& findings);
    void data_of(std::size_t leg, const Taken& event, std::vector<model::Finding>& findings);
    void unknown_currencies(std::size_t leg, std::vector<model::Finding>& findings);
    void ties(std::vector<model::Finding>& findings);
    void overflows(std::vector<model::Finding>& findings);
    void cap(std::vector<model::Finding>& findings) const;
    void notes(Judgement& out) const;
    void run_checks(std::vector<model::Finding>& findings, std::vector<Outcome>* outcomes);
    Outcome amount(const Check& check, std::vector<model::Finding>& findings);
    Outcome quantity(const Check& check, std::vector<model::Finding>& findings);
    Outcome equal(const Check& check, std::vector<model::Finding>& findings);
    Outcome skew(const Check& check, std::vector<model::Finding>& findings);
    void chosen(Judgement& out);
    void at_risk(Judgement& out);

    bool present(std::size_t leg) const {
        return !legs_[leg].taken.empty() || case_.is_overflowed(leg);
    }
    bool passed(std::size_t leg) const { return deadlines_[leg] < passed_below_; }
    std::string missing_reason(std::size_t leg, std::string& actual) const;
    void currencies_of(ReadRef ref, Amount& out) const;
    const Amount& amount_of(ReadRef ref) const;
    Amount add_up(ReadRef ref) const;
    Items items_of(ReadRef ref) const;
    bool is_money(ReadRef ref) const;
    /// Do the leg's events contradict each other in this read, and nothing orders them?
    bool is_tied(ReadRef ref) const;
    std::string name_of(ReadRef ref) const {
        return flow_.legs[ref.leg].name + "." + flow_.legs[ref.leg].reads[ref.read].name;
    }
    model::Finding too_long(const Check& check, ReadRef ref, const std::string& what,
                            int scale) const;
    std::string assumed_currency(const std::string& own) const;
    bool compare_possible(const Check& check, Outcome& outcome) const;
    model::Finding finding(model::FindingKind kind, std::size_t leg) const;
    static void take_over(Outcome& outcome, const model::Finding& finding);

    const Case& case_;
    const Flow& flow_;
    const std::vector<Instant>& deadlines_;
    Instant passed_below_;
    std::vector<LegHistory> legs_;
    mutable std::map<std::pair<std::size_t, std::size_t>, Amount>
        amounts_;  ///< by leg and read; a sum over very many is made once
};

}  // namespace helios::reconcile
