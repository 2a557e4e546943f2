#pragma once
/// The judge's judge: a verdict as the API gives it, compared with the truth that the fault plan
/// knew beforehand. Pure.
///
/// Knows the verdict's JSON (docs/contracts.md) and nothing of how verdicts come about.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"
#include "lab/fault_plan.h"

namespace helios::lab {

struct GotFinding {
    std::string kind;
    std::string leg;
    std::string expected;
    std::string actual;
};

/// A verdict, as far as it is scored.
struct GotVerdict {
    std::string status;
    std::vector<std::string> missing;
    std::vector<GotFinding> findings;
    std::map<std::string, Decimal> at_risk;
};

/// invalid: not a verdict. Unknown members are ignored.
Result<GotVerdict> parse_verdict(std::string_view json);

/// When an order's events went out and came back, by the lab's own clock.
struct SendTimes {
    std::optional<Duration> first_sent;
    std::optional<Duration> first_answered;
    std::optional<Duration> last_sent;
    std::optional<Duration> last_answered;
};

/// Whether the last leg came after the deadline that the first one started. The lab cannot see the
/// server's stamps, only bound them: between `in time for certain` and `late for certain` it does
/// not score.
enum class Lateness : std::uint8_t { in_time, not_scored, late };
/// Late: last leg sent more than deadline + 1 s after the first leg's answer. In time: answered
/// within deadline − 1 s of the first one's sending. With 5 s deadlines: 6 s and 4 s.
Lateness lateness_of(const SendTimes& times, Duration deadline);

/// What one order's verdict was worth.
struct Score {
    bool found = false;        ///< everything that the truth expects is there
    bool false_alarm = false;  ///< something is there that the truth knows nothing of
    std::string expected;      ///< in words, for the list of what went wrong
    std::string got;
    bool right() const { return found && !false_alarm; }
};

/// `got` absent: there is no verdict. A pending one is none yet.
Score score_order(const PlannedOrder& planned, const std::optional<GotVerdict>& got);

struct LateScore {
    bool scored = false;
    bool is_late = false;  ///< by the lab's clock
    bool said_late = false;
};
LateScore score_late(const std::optional<GotVerdict>& got, Lateness lateness);

struct ScoreRow {
    std::uint64_t injected = 0;
    std::uint64_t found = 0;
    std::uint64_t missed = 0;
    std::uint64_t false_alarms = 0;
};

/// Adds up. The row of Fault::late is scored twice over: its settled verdict like any other, and
/// `lateness` by the clock.
struct Scoreboard {
    std::array<ScoreRow, fault_count> rows{};
    ScoreRow lateness;
    std::uint64_t lateness_not_scored = 0;
    std::map<std::string, Decimal> at_risk_expected;
    std::map<std::string, Decimal> at_risk_reported;
    std::uint64_t quarantined_expected = 0;
    std::uint64_t quarantined_found = 0;
    std::uint64_t quarantined_unexpected = 0;
    struct Wrong {
        std::string order_id;
        Fault fault;
        std::string expected;
        std::string got;
    };
    std::vector<Wrong> wrong;

    void add(const PlannedOrder& planned, const std::optional<GotVerdict>& got, Lateness lateness);
    ScoreRow& row(Fault fault) { return rows[static_cast<std::size_t>(fault)]; }
    const ScoreRow& row(Fault fault) const { return rows[static_cast<std::size_t>(fault)]; }
    ScoreRow total() const;
    bool money_agrees() const;
    /// Missed 0, false alarms 0, money to the cent, every malformed event in quarantine and nothing
    /// else there.
    bool perfect() const;
};

}  // namespace helios::lab
