#pragma once
/// Why a case stands as it does: for a person at 3 a.m. (text) and for programs (JSON). Pure.
///
/// Works on what the log holds of the case, through the same engine that decided it, so the
/// explanation can't drift from the decision. Shows what verdicts don't: checks that passed, checks
/// that wait, what came but does not count, what happens next.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/case_record.h"
#include "model/verdict.h"
#include "reconcile/engine.h"

namespace helios::reconcile {

/// Something in quarantine that names the key.
struct QuarantinedItem {
    std::string id;
    std::string source;
    std::string event_type;
    std::string event_id;
    std::string reason;
    std::string detail;
    std::optional<Instant> received_at;
};

struct ExplainRequest {
    explicit ExplainRequest(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string flow;
    std::string key;
    std::vector<model::CaseRecord> records;  ///< legs of the case, activated flow versions and
                                             ///< absences, in the partition's order
    std::vector<QuarantinedItem> quarantined;
    Instant now;                         ///< as far as the engine has come
    std::optional<Instant> known_since;  ///< where older records were, nobody knows any more: the
                                         ///< request is `truncated`; absent: all are known
    std::size_t expired = 0;             ///< records of the case that the log no longer has
    bool truncated = false;  ///< more records than could be handed out: what they would give is the
                             ///< verdict of a part
    std::optional<model::Verdict> latest;  ///< as published; shown if `truncated`
};

struct TimelineEntry {
    Instant at;
    std::string what;  ///< "event", "deadline", "revision", "away", "flow"
    std::string leg;   ///< events
    std::string text;  ///< one line
};

/// One event of the case and what became of it.
struct LegEvent {
    model::LegRecord record;
    bool taken = false;  ///< the verdict rests on it
    std::string role;    ///< "taken", "duplicate", "ambiguous", "does not count", "superseded",
                         ///< "redelivered", "other version", "not compared" (its leg has more than
                         ///< events_max)
};

struct Explanation {
    explicit Explanation(model::Verdict of) : verdict(std::move(of)) {}

    model::Verdict verdict;  ///< the latest revision, its deadline as absences have moved it
    std::shared_ptr<const Flow> flow;
    CaseView view;
    std::vector<LegEvent> events;  ///< in order of arrival; of very many the first of each leg
    std::vector<TimelineEntry> timeline;
    std::vector<std::string>
        would_match;                   ///< what would have made it match, one remedy per finding
    std::vector<std::string> next;     ///< what happens next
    std::vector<std::string> revised;  ///< "payment P1: amount 50.00 → 45.00 by pay-2"
    std::vector<std::string> caveats;  ///< what this explanation can't see
};

/// not_found: the records say nothing of such a case. invalid: its flow's text can't be read.
Result<Explanation> explain(const ExplainRequest& request);

std::string to_json(const Explanation& explanation, const ExplainRequest& request);

/// The screen that the text is for.
struct TextLayout {
    std::size_t columns = 0;  ///< 0: legs stand side by side however wide that is; else one below
                              ///< the other where that is wider
    bool full_ids =
        false;  ///< not even to make room for that are ids that are hashes cut to their beginning
};
std::string to_text(const Explanation& explanation, const ExplainRequest& request,
                    const TextLayout& layout = {});

}  // namespace helios::reconcile
