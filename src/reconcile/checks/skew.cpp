// kind: skew. What the legs tell happened within some time.
#include <optional>
#include <utility>

#include "reconcile/checks/check_kind.h"

namespace helios::reconcile {
namespace {

using model::Finding;
using model::FindingKind;

void parse(ReferenceReader& in, const yaml::Node& node, Check& check) {
    in.is_map(node, "check '" + check.name + "'", {"kind", "max", "legs"});
    if (const yaml::Node* max = in.required(node, "max", "max: 30s")) {
        check.max = in.duration(*max, "max");
    }
    if (const yaml::Node* which = node.find("legs")) {
        for (const yaml::Node* item : in.list(*which, "legs")) {
            if (const auto leg = in.leg(in.text(*item, "a leg"), item->mark)) {
                check.legs.push_back(*leg);
            }
        }
        return;
    }
    for (std::size_t leg = 0; leg < in.legs().size(); ++leg) {
        check.legs.push_back(leg);
    }
}

CheckOutcome run(const Check& check, const CaseReading& c, std::vector<Finding>& findings) {
    CheckOutcome outcome;
    std::optional<std::pair<std::int64_t, std::size_t>> first, last;
    std::size_t with_time = 0;
    for (const std::size_t leg : check.legs) {
        if (!c.present(leg) && !c.leg(leg).optional && !c.passed(leg)) {
            outcome.note = "waits for " + c.leg(leg).name;
            return outcome;
        }
        bool has_time = false;
        for (const Taken& event : c.history(leg).taken) {
            if (event.happened_ns == HeldEvent::no_time) {
                continue;
            }
            has_time = true;
            const std::pair when(event.happened_ns, leg);
            first = !first || when.first < first->first ? when : *first;
            last = !last || when.first > last->first ? when : *last;
        }
        with_time += has_time ? 1 : 0;
    }
    if (with_time < 2) {
        return not_compared(std::move(outcome), "fewer than two legs have a time");
    }
    const Duration distance{last->first - first->first};
    Finding f = c.finding(FindingKind::skew, last->second);
    f.check = check.name;
    f.expected = seconds(check.max);
    f.actual = seconds(distance);
    f.unit = "s";
    take_over(outcome, f);
    outcome.leg = f.leg;
    if (distance <= check.max) {
        outcome.state = CheckOutcome::State::passed;
        return outcome;
    }
    f.detail = f.leg + " happened " + f.actual + " s after " + c.leg(first->second).name +
               "; at most " + f.expected + " s are allowed";
    outcome.note = f.detail;
    findings.push_back(std::move(f));
    return outcome;
}

std::string describe(const CheckOutcome& outcome) {
    return outcome.actual + " of at most " + outcome.expected + " " + outcome.unit;
}

std::string remedy(const Finding& f) {
    return f.leg + " within " + f.expected + " s of the others";
}

}  // namespace

constexpr CheckKind skew_check{
    .word = "skew", .parse = parse, .run = run, .describe = describe, .remedy = remedy};

}  // namespace helios::reconcile
