#pragma once
/// The scoreboard as people see it. Prints what score.h counted; decides nothing.

#include <vector>

#include "base/terminal.h"
#include "base/time.h"
#include "lab/options.h"
#include "lab/score.h"

namespace helios::lab {

/// The p-th percentile (0 to 100) of sorted values by nearest rank; zero if there are none.
Duration percentile(const std::vector<Duration>& sorted, double p);

/// "12,345.60 USD · 0.00 EUR", sorted by currency.
std::string money_in_words(const std::map<std::string, Decimal>& money);

void print_scoreboard(Terminal& terminal, const Scoreboard& board, const DemoOptions& options);
void print_times(Terminal& terminal, const std::vector<Duration>& to_verdict);
/// The orders whose verdict differs from the truth, at most 20 of them.
void print_wrong(Terminal& terminal, const Scoreboard& board);

}  // namespace helios::lab
