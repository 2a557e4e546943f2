#pragma once
/// The kinds of checks: one file each, and one table of them. A new kind is a file beside the
/// others, its name in Check::Kind and here, and its row in check_kind.cpp.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "model/verdict.h"
#include "reconcile/case_reading.h"
#include "reconcile/flow.h"
#include "reconcile/judge.h"
#include "reconcile/reference_reader.h"

namespace helios::reconcile {

/// What a kind is. All functions are pure.
struct CheckKind {
    std::string_view word;  ///< in a flow file, `kind: amount`, and in explanations
    bool of_money = false;  ///< what it compares is written with its currency's decimals

    /// Fills `check`, whose name and kind stand already, from its map in the flow file. A complaint
    /// for every parameter that is not this kind's.
    void (*parse)(ReferenceReader& in, const yaml::Node& node, Check& check);

    /// Makes the check, once per judging; what disagrees goes to `findings`. The outcome's `check`
    /// and `kind` are the caller's. Not called for a case of which only a part is held.
    CheckOutcome (*run)(const Check& check, const CaseReading& c,
                        std::vector<model::Finding>& findings);

    /// What was compared, in a few words: "12.05 of 12.50 USD ± 0.00". Only called if the outcome
    /// has an expected or actual value.
    std::string (*describe)(const CheckOutcome& outcome);

    /// What would have agreed, for a finding of a kind that checks alone make: "payment of 12.50
    /// USD (0.45 more)". May be empty.
    std::string (*remedy)(const model::Finding& finding);
};

extern const CheckKind amount_check;
extern const CheckKind quantity_check;
extern const CheckKind equal_check;
extern const CheckKind skew_check;

const CheckKind& kind_of(Check::Kind kind);

/// The words of all kinds, in the order of Check::Kind.
Names check_words();
std::optional<Check::Kind> check_kind_named(std::string_view word);

CheckOutcome not_compared(CheckOutcome outcome, std::string why);

/// The check failed by this finding: it shows the same values.
void take_over(CheckOutcome& outcome, const model::Finding& finding);

}  // namespace helios::reconcile
