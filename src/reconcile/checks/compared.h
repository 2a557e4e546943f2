#pragma once
/// What the kinds share that compare one read, `actual`, with another, `expected`.

#include <optional>
#include <string>

#include "reconcile/checks/check_kind.h"

namespace helios::reconcile {

/// Fills expected and actual; `type`: what both must be, else they must be alike. False: there is
/// nothing to look at more closely.
bool parse_compared(ReferenceReader& in, const yaml::Node& node, std::optional<Read::Type> type,
                    Check& check);

/// An outcome that measures the actual leg; its note is empty if both sides are there to be
/// compared, else says why they are not.
CheckOutcome begin_compared(const Check& check, const CaseReading& c);

/// Two numbers are written with as many decimals as the one that has more; `what` can't be.
model::Finding too_long(const Check& check, const CaseReading& c, ReadRef ref,
                        const std::string& what, int scale);

/// "3 of 2 X1"
std::string describe_compared(const CheckOutcome& outcome);

}  // namespace helios::reconcile
