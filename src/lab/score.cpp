#include "lab/score.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/currency.h"
#include "base/json.h"

namespace helios::lab {
namespace {

Decimal add_money(const Decimal& a, const Decimal& b) {
    return Decimal::add(a, b).value_or(a);
}

/// Decimals by value ("12.5" is "12.50"), other text as it is; an expectation left empty says
/// nothing.
bool agrees(const std::string& expected, const std::string& actual) {
    if (expected.empty()) {
        return true;
    }
    auto a = Decimal::parse(expected);
    auto b = Decimal::parse(actual);
    return a && b ? *a == *b : expected == actual;
}

bool in_another_list(const GotFinding& finding) {
    return finding.kind == "missing" || finding.kind == "late";
}

std::string in_words(const std::string& status, const std::vector<std::string>& missing,
                     const std::vector<std::string>& findings) {
    std::string text = status;
    if (!missing.empty()) {
        text += fmt::format(", missing {}", fmt::join(missing, " and "));
    }
    if (!findings.empty()) {
        text += fmt::format(", {}", fmt::join(findings, ", "));
    }
    return text;
}

std::string in_words(const std::string& kind, const std::string& expected,
                     const std::string& actual) {
    if (expected.empty() && actual.empty()) {
        return kind;
    }
    return fmt::format("{} {} for {}", kind, actual, expected);
}

std::string in_words(const Truth& truth) {
    std::vector<std::string> findings;
    for (const ExpectedFinding& f : truth.findings) {
        findings.push_back(in_words(f.kind, f.expected, f.actual));
    }
    std::string text = in_words(truth.status, truth.missing, findings);
    return truth.at_risk ? fmt::format("{}, at risk {} {}", text, truth.at_risk->amount,
                                       truth.at_risk->currency)
                         : text;
}

std::string in_words(const std::optional<GotVerdict>& got) {
    if (!got) {
        return "no verdict";
    }
    std::vector<std::string> findings;
    for (const GotFinding& f : got->findings) {
        if (f.kind != "missing") {
            findings.push_back(in_words(f.kind, f.expected, f.actual));
        }
    }
    std::string text = in_words(got->status, got->missing, findings);
    for (const auto& [currency, amount] : got->at_risk) {
        text += fmt::format(", at risk {} {}", amount.to_string(currency_minor_units(currency)),
                            currency);
    }
    return text;
}

bool money_matches(const Truth& truth, const GotVerdict& got) {
    if (!truth.at_risk) {
        return std::ranges::all_of(got.at_risk,
                                   [](const auto& money) { return money.second.is_zero(); });
    }
    auto it = got.at_risk.find(truth.at_risk->currency);
    auto expected = Decimal::parse(truth.at_risk->amount);
    return got.at_risk.size() == 1 && it != got.at_risk.end() && expected &&
           it->second == *expected;
}

void read_findings(json::Value findings, GotVerdict& verdict) {
    for (std::size_t i = 0; i < findings.size(); ++i) {
        json::Value f = findings.at(i);
        verdict.findings.push_back(
            {std::string(f.find("kind").text()), std::string(f.find("leg").text()),
             std::string(f.find("expected").text()), std::string(f.find("actual").text())});
    }
}

}  // namespace

Result<GotVerdict> parse_verdict(std::string_view text) {
    HELIOS_TRY_ASSIGN(json::Document document, json::Document::parse(text));
    json::Value root = document.root();
    if (!root.is_object() || !root.find("status").is_string()) {
        return fail(ErrorKind::invalid, "the answer is no verdict: it has no status");
    }
    GotVerdict verdict;
    verdict.status = root.find("status").text();
    if (json::Value missing = root.find("missingEvents"); missing.is_array()) {
        for (std::size_t i = 0; i < missing.size(); ++i) {
            verdict.missing.emplace_back(missing.at(i).text());
        }
    }
    if (json::Value findings = root.find("findings"); findings.is_array()) {
        read_findings(findings, verdict);
    }
    if (json::Value money = root.find("atRisk"); money.is_array()) {
        for (std::size_t i = 0; i < money.size(); ++i) {
            HELIOS_TRY_ASSIGN(Decimal amount, Decimal::parse(money.at(i).find("amount").text()));
            verdict.at_risk[std::string(money.at(i).find("currency").text())] = amount;
        }
    }
    return verdict;
}

Lateness lateness_of(const SendTimes& times, Duration deadline) {
    constexpr Duration margin = std::chrono::seconds(1);
    if (!times.first_sent || !times.first_answered || !times.last_sent || !times.last_answered) {
        return Lateness::not_scored;
    }
    if (*times.last_sent - *times.first_answered > deadline + margin) {
        return Lateness::late;
    }
    return *times.last_answered - *times.first_sent < deadline - margin ? Lateness::in_time
                                                                        : Lateness::not_scored;
}

Score score_order(const PlannedOrder& planned, const std::optional<GotVerdict>& got) {
    const Truth& truth = planned.truth;
    Score score{false, false, in_words(truth), in_words(got)};
    if (!got || got->status == "pending") {
        return score;
    }
    std::vector<GotFinding> unexplained;
    std::ranges::copy_if(got->findings, std::back_inserter(unexplained),
                         [](const GotFinding& f) { return !in_another_list(f); });
    bool all_found = true;
    for (const ExpectedFinding& wanted : truth.findings) {
        // One expected finding explains every one of its kind: a check may name each of several
        // items.
        auto matching = [&](const GotFinding& f) {
            return f.kind == wanted.kind && agrees(wanted.expected, f.expected) &&
                   agrees(wanted.actual, f.actual);
        };
        all_found = std::erase_if(unexplained, matching) > 0 && all_found;
    }
    bool missing_right = got->missing == truth.missing;
    bool legs_invented = std::ranges::any_of(got->missing, [&](const std::string& leg) {
        return std::ranges::find(truth.missing, leg) == truth.missing.end();
    });
    score.found =
        all_found && missing_right && got->status == truth.status && money_matches(truth, *got);
    bool alarm_where_none = truth.status == "matched" && got->status != "matched";
    bool money_invented = !truth.at_risk && !money_matches(truth, *got);
    score.false_alarm = !unexplained.empty() || legs_invented || alarm_where_none || money_invented;
    return score;
}

LateScore score_late(const std::optional<GotVerdict>& got, Lateness lateness) {
    LateScore score;
    score.scored = lateness != Lateness::not_scored;
    score.is_late = lateness == Lateness::late;
    score.said_late = got && std::ranges::any_of(got->findings, [](const GotFinding& f) {
                          return f.kind == "late";
                      });
    return score;
}

void Scoreboard::add(const PlannedOrder& planned, const std::optional<GotVerdict>& got,
                     Lateness late) {
    Score score = score_order(planned, got);
    ScoreRow& r = row(planned.fault);
    r.injected += 1;
    r.found += score.right() ? 1 : 0;
    r.false_alarms += score.false_alarm ? 1 : 0;
    r.missed += !score.found && !(score.false_alarm && stays_matched(planned.fault)) ? 1 : 0;
    if (!score.right()) {
        wrong.push_back({planned.order.id, planned.fault, score.expected, score.got});
    }
    LateScore ls = score_late(got, late);
    if (!ls.scored) {
        lateness_not_scored += 1;
    } else {
        lateness.injected += ls.is_late ? 1 : 0;
        lateness.found += ls.is_late && ls.said_late ? 1 : 0;
        lateness.missed += ls.is_late && !ls.said_late ? 1 : 0;
        lateness.false_alarms += !ls.is_late && ls.said_late ? 1 : 0;
        if (ls.is_late != ls.said_late) {
            wrong.push_back({planned.order.id, planned.fault,
                             ls.is_late ? "a finding late" : "no finding late", score.got});
        }
    }
    if (planned.truth.at_risk) {
        Decimal& sum = at_risk_expected[planned.truth.at_risk->currency];
        sum = add_money(sum, Decimal::parse(planned.truth.at_risk->amount).value_or(Decimal{}));
    }
    if (got) {
        for (const auto& [currency, amount] : got->at_risk) {
            Decimal& sum = at_risk_reported[currency];
            sum = add_money(sum, amount);
        }
    }
}

ScoreRow Scoreboard::total() const {
    ScoreRow sum;
    for (const ScoreRow& r : rows) {
        sum.injected += r.injected;
        sum.found += r.found;
        sum.missed += r.missed;
        sum.false_alarms += r.false_alarms;
    }
    return sum;
}

bool Scoreboard::money_agrees() const {
    return at_risk_expected == at_risk_reported;
}

bool Scoreboard::perfect() const {
    ScoreRow sum = total();
    return sum.missed == 0 && sum.false_alarms == 0 && lateness.missed == 0 &&
           lateness.false_alarms == 0 && money_agrees() &&
           quarantined_found == quarantined_expected && quarantined_unexpected == 0 &&
           wrong.empty();
}

}  // namespace helios::lab
