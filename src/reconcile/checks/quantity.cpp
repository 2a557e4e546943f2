// kind: quantity. Two legs have the same quantity of every item.
#include <algorithm>
#include <map>
#include <utility>

#include "reconcile/checks/compared.h"

namespace helios::reconcile {
namespace {

using model::Finding;
using model::FindingKind;

constexpr std::size_t item_findings_max = 50;

void parse(ReferenceReader& in, const yaml::Node& node, Check& check) {
    in.is_map(node, "check '" + check.name + "'", {"kind", "expected", "actual"});
    parse_compared(in, node, Read::Type::items, check);
}

Finding other_quantity(const Check& check, const CaseReading& c, std::string_view item,
                       const Decimal& expected, const Decimal& actual) {
    const int scale = std::max(expected.scale(), actual.scale());
    if (!expected.fits(scale) || !actual.fits(scale)) {
        return too_long(check, c, expected.fits(scale) ? check.actual : check.expected,
                        std::string(item), scale);
    }
    Finding f = c.finding(FindingKind::quantity, check.actual.leg);
    f.check = check.name;
    f.expected = expected.to_string(scale);
    f.actual = actual.to_string(scale);
    f.unit = item;
    f.detail = f.unit + ": " + c.leg(check.expected.leg).name + " asks for " + f.expected + ", " +
               f.leg + " has " + f.actual;
    return f;
}

CheckOutcome run(const Check& check, const CaseReading& c, std::vector<Finding>& findings) {
    CheckOutcome outcome = begin_compared(check, c);
    if (!outcome.note.empty()) {
        return outcome;
    }
    std::map<std::string_view, std::pair<Decimal, Decimal>> items;
    for (const bool is_actual : {false, true}) {
        const ReadRef ref = is_actual ? check.actual : check.expected;
        const Items side = c.items(ref);
        if (side.state != Items::State::good) {
            return not_compared(std::move(outcome),
                                c.name(ref) + (side.state == Items::State::bad    ? " can't be read"
                                               : side.state == Items::State::tied ? " is ambiguous"
                                                                                  : " is absent"));
        }
        for (const auto& [item, total] : side.totals) {
            (is_actual ? items[item].second : items[item].first) = total;
        }
    }
    outcome.state = CheckOutcome::State::passed;
    std::size_t differing = 0;
    for (const auto& [item, sides] : items) {
        const auto& [expected, actual] = sides;
        if (expected == actual || ++differing > item_findings_max) {
            continue;
        }
        findings.push_back(other_quantity(check, c, item, expected, actual));
        if (differing == 1) {
            take_over(outcome, findings.back());
        }
    }
    if (differing > item_findings_max) {
        findings.back().detail +=
            "; " + std::to_string(differing - item_findings_max) + " more items differ";
    }
    if (differing > 1) {
        outcome.note += "; " + std::to_string(differing - 1) + " more differ";
    } else if (differing == 0) {
        outcome.expected = outcome.actual = std::to_string(items.size());
        outcome.unit = items.size() == 1 ? "item" : "items";
    }
    return outcome;
}

std::string remedy(const Finding& f) {
    return f.leg + " of " + f.expected + " × " + f.unit + " instead of " + f.actual;
}

}  // namespace

constexpr CheckKind quantity_check{.word = "quantity",
                                   .parse = parse,
                                   .run = run,
                                   .describe = describe_compared,
                                   .remedy = remedy};

}  // namespace helios::reconcile
