#include "reconcile/checks/check_kind.h"

#include <utility>

#include "base/assert.h"

namespace helios::reconcile {
namespace {

/// The table; nullptr beyond its end. Without a default, so that the compiler names a kind that has
/// no row.
const CheckKind* row_of(Check::Kind kind) {
    switch (kind) {
        case Check::Kind::amount:
            return &amount_check;
        case Check::Kind::quantity:
            return &quantity_check;
        case Check::Kind::equal:
            return &equal_check;
        case Check::Kind::skew:
            return &skew_check;
    }
    return nullptr;
}

Check::Kind nth(std::size_t i) {
    return static_cast<Check::Kind>(i);
}

}  // namespace

const CheckKind& kind_of(Check::Kind kind) {
    const CheckKind* row = row_of(kind);
    HELIOS_ASSERT(row != nullptr, "a check of no kind");
    return *row;
}

Names check_words() {
    Names out;
    while (const CheckKind* row = row_of(nth(out.size()))) {
        out.push_back(row->word);
    }
    return out;
}

std::optional<Check::Kind> check_kind_named(std::string_view word) {
    std::size_t i = 0;
    for (const auto known : check_words()) {
        if (known == word) {
            return nth(i);
        }
        ++i;
    }
    return std::nullopt;
}

CheckOutcome not_compared(CheckOutcome outcome, std::string why) {
    outcome.state = CheckOutcome::State::not_compared;
    outcome.note = std::move(why);
    return outcome;
}

void take_over(CheckOutcome& outcome, const model::Finding& finding) {
    outcome.state = CheckOutcome::State::failed;
    outcome.expected = finding.expected;
    outcome.actual = finding.actual;
    outcome.tolerance = finding.tolerance;
    outcome.unit = finding.unit;
    outcome.note = finding.detail;
}

}  // namespace helios::reconcile
