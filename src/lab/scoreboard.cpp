#include "lab/scoreboard.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/currency.h"

namespace helios::lab {
namespace {

using Cell = Terminal::Cell;

/// In the order in which a person asks: is the healthy left alone, then what is broken.
constexpr Fault rows_in_order[] = {
    Fault::none,
    Fault::duplicate_delivery,
    Fault::out_of_order,
    Fault::late,
    Fault::missing_order,
    Fault::missing_payment,
    Fault::missing_inventory,
    Fault::malformed,
    Fault::declined,
    Fault::wrong_amount,
    Fault::other_currency,
    Fault::wrong_quantity,
    Fault::double_charge,
};

std::string_view truth_in_words(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "matched";
        case Fault::duplicate_delivery:
            return "matched, one event";
        case Fault::out_of_order:
            return "matched";
        case Fault::late:
            return "matched in the end";
        case Fault::missing_order:
            return "partial, orphan";
        case Fault::missing_payment:
        case Fault::missing_inventory:
            return "partial";
        case Fault::malformed:
            return "partial, quarantined";
        case Fault::declined:
            return "partial";
        case Fault::wrong_amount:
            return "mismatched: amount";
        case Fault::other_currency:
            return "mismatched: currency";
        case Fault::wrong_quantity:
            return "mismatched: quantity";
        case Fault::double_charge:
            return "mismatched: duplicate";
    }
    return "";
}

std::vector<Cell> cells_of(std::string name, std::string_view truth, const ScoreRow& row) {
    Tint bad_missed = row.missed > 0 ? Tint::red : Tint::dim;
    Tint bad_alarm = row.false_alarms > 0 ? Tint::red : Tint::dim;
    return {{std::move(name)},
            {std::string(truth), Tint::dim},
            {fmt::format("{}", row.injected)},
            {fmt::format("{}", row.found), row.found == row.injected ? Tint::green : Tint::yellow},
            {fmt::format("{}", row.missed), bad_missed},
            {fmt::format("{}", row.false_alarms), bad_alarm}};
}

std::string with_thousands(const std::string& plain) {
    std::size_t start = plain.starts_with('-') ? 1 : 0;
    std::size_t end = std::min(plain.find('.'), plain.size());
    std::string text = plain;
    for (std::size_t i = end; i > start + 3; i -= 3) {
        text.insert(i - 3, ",");
    }
    return text;
}

std::string in_ms(Duration d) {
    double ms = std::chrono::duration<double, std::milli>(d).count();
    return ms < 10 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} ms", ms);
}

std::string verdict_mark(const Terminal& terminal, bool good) {
    return good ? terminal.tint(Tint::green, "✓") : terminal.tint(Tint::red, "✗");
}

}  // namespace

Duration percentile(const std::vector<Duration>& sorted, double p) {
    if (sorted.empty()) {
        return Duration{};
    }
    auto rank = static_cast<std::size_t>(std::ceil(p / 100.0 * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::string money_in_words(const std::map<std::string, Decimal>& money) {
    std::string text;
    for (const auto& [currency, amount] : money) {
        text += text.empty() ? "" : " · ";
        text += with_thousands(amount.to_string(currency_minor_units(currency))) + " " + currency;
    }
    return text.empty() ? "nothing" : text;
}

void print_scoreboard(Terminal& terminal, const Scoreboard& board, const DemoOptions& options) {
    std::vector<std::vector<Cell>> rows;
    for (Fault fault : rows_in_order) {
        if (fault == Fault::missing_order || fault == Fault::duplicate_delivery) {
            rows.emplace_back();
        }
        rows.push_back(
            cells_of(fault == Fault::none ? "nothing wrong" : std::string(to_string(fault)),
                     truth_in_words(fault), board.row(fault)));
    }
    rows.emplace_back();
    rows.push_back(cells_of("all orders", "", board.total()));
    rows.push_back(cells_of("said to be late", "by the lab's clock", board.lateness));
    terminal.table({"fault", "the truth", "injected", "found", "missed", "false alarms"}, rows, 2);
    if (board.lateness_not_scored > 0) {
        terminal.paragraph(terminal.tint(
            Tint::dim, fmt::format("  Lateness not scored for {} orders: too close to the {} "
                                   "deadline to know from outside.",
                                   board.lateness_not_scored, format_duration(options.deadline))));
    }
    terminal.line();
    bool quarantine_good =
        board.quarantined_found == board.quarantined_expected && board.quarantined_unexpected == 0;
    terminal.paragraph(fmt::format("  {} money at risk   expected {}",
                                   verdict_mark(terminal, board.money_agrees()),
                                   money_in_words(board.at_risk_expected)),
                       10);
    terminal.paragraph(
        fmt::format("                    reported {}", money_in_words(board.at_risk_reported)));
    terminal.paragraph(
        fmt::format("  {} quarantine      {} malformed events sent, {} found there{}",
                    verdict_mark(terminal, quarantine_good), board.quarantined_expected,
                    board.quarantined_found,
                    board.quarantined_unexpected > 0
                        ? fmt::format(", {} more that nobody sent", board.quarantined_unexpected)
                        : ""),
        4);
}

void print_times(Terminal& terminal, const std::vector<Duration>& to_verdict) {
    terminal.paragraph(fmt::format("    time to verdict   p50 {}, p99 {} (last leg answered → "
                                   "verdict readable, {} orders)",
                                   in_ms(percentile(to_verdict, 50)),
                                   in_ms(percentile(to_verdict, 99)), to_verdict.size()),
                       4);
}

void print_wrong(Terminal& terminal, const Scoreboard& board) {
    constexpr std::size_t shown_max = 20;
    for (std::size_t i = 0; i < std::min(board.wrong.size(), shown_max); ++i) {
        const Scoreboard::Wrong& w = board.wrong[i];
        terminal.line(fmt::format("  {} {} ({})", verdict_mark(terminal, false), w.order_id,
                                  to_string(w.fault)));
        terminal.paragraph(fmt::format("      expected {}", w.expected), 9);
        terminal.paragraph(fmt::format("      got      {}", w.got), 9);
    }
    if (board.wrong.size() > shown_max) {
        terminal.line(fmt::format("  … and {} more", board.wrong.size() - shown_max));
    }
}

}  // namespace helios::lab
