#include "reconcile/checks/compared.h"

#include <utility>

namespace helios::reconcile {

bool parse_compared(ReferenceReader& in, const yaml::Node& node, std::optional<Read::Type> type,
                    Check& check) {
    const yaml::Node* expected = in.required(node, "expected", "expected: order.amount");
    const yaml::Node* actual = in.required(node, "actual", "actual: payment.amount");
    if (expected == nullptr || actual == nullptr) {
        return false;
    }
    check.expected = in.reference(*expected, type).value_or(ReadRef{});
    check.actual = in.reference(*actual, type).value_or(ReadRef{});
    const auto& legs = in.legs();
    if (legs.empty() || legs[check.expected.leg].reads.empty() ||
        legs[check.actual.leg].reads.empty()) {
        return false;  // already complained
    }
    const auto type_of = [&](ReadRef ref) { return legs[ref.leg].reads[ref.read].type; };
    if (type_of(check.expected) != type_of(check.actual)) {
        in.complain(
            node.mark,
            "expected and actual are of different types: " + in_words(type_of(check.expected)) +
                " and " + in_words(type_of(check.actual)),
            "compare like with like");
    }
    return true;
}

CheckOutcome begin_compared(const Check& check, const CaseReading& c) {
    CheckOutcome outcome;
    outcome.leg = c.leg(check.actual.leg).name;
    for (const ReadRef ref : {check.expected, check.actual}) {
        const Leg& leg = c.leg(ref.leg);
        if (!c.present(ref.leg)) {
            if (c.passed(ref.leg) || leg.optional) {
                return not_compared(std::move(outcome), leg.name + " is missing");
            }
            outcome.note = "waits for " + leg.name;
            return outcome;
        }
        if (c.history(ref.leg).tied) {
            return not_compared(std::move(outcome), "nothing tells which " + leg.name +
                                                        " came first, so none is compared");
        }
    }
    return outcome;
}

model::Finding too_long(const Check& check, const CaseReading& c, ReadRef ref,
                        const std::string& what, int scale) {
    model::Finding f = c.finding(model::FindingKind::data, ref.leg);
    f.check = check.name;
    f.detail = check.name + ": " + what + " written with " + std::to_string(scale) +
               " decimals has more than 38 digits";
    return f;
}

std::string describe_compared(const CheckOutcome& outcome) {
    return outcome.actual + " of " + outcome.expected + " " + outcome.unit;
}

}  // namespace helios::reconcile
