#pragma once
/// Judges the cases of an offline input, each by itself: its legs in their order, and between them
/// the absences that may move its deadlines. Pure; the verdicts are those of one engine over
/// everything.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/case_record.h"
#include "model/verdict.h"
#include "reconcile/flow.h"
#include "reconcile/offline.h"

namespace helios::reconcile {

/// What every case is judged by. Shared between threads that judge.
struct Judging {
    struct KnownFlow {
        TenantId tenant;
        std::shared_ptr<const Flow> flow;
    };
    std::vector<KnownFlow> flows;
    bool received = false;   ///< legs have log times
    bool revisions = false;  ///< all of them are wanted
    Instant until;           ///< deadlines before it pass

    /// An absence, and how far time had come when it began: what lies before that has passed.
    struct Absence {
        model::AbsenceRecord record;
        Instant passed = Instant::min();
        Instant latest_end;  ///< of this one and all before it
    };
    std::vector<Absence> absences;  ///< by their begin
};

/// Legs of some cases as they wait (offline_leg.h), one case after the other.
class CaseBatch {
public:
    /// Room for so many bytes of legs.
    explicit CaseBatch(std::size_t bytes = 0) { bytes_.reserve(bytes); }

    void begin_case() { cases_.push_back(legs_.size()); }
    void add_leg(std::string_view key, std::string_view value) {
        legs_.push_back({bytes_.size(), key.size(), value.size()});
        bytes_.append(key).append(value);
    }
    void replace_last_leg(std::string_view key, std::string_view value) {
        bytes_.resize(legs_.back().begin);
        legs_.pop_back();
        add_leg(key, value);
    }
    std::size_t bytes() const { return bytes_.size(); }
    std::size_t cases() const { return cases_.size(); }

    /// Its LegRecords, in `room`, which is used again for the next case. corrupt: a leg is not what
    /// was put in.
    Result<std::span<model::CaseRecord>> decode_case(std::size_t n,
                                                     std::vector<model::CaseRecord>& room) const;

private:
    struct Piece {
        std::size_t begin = 0, key_size = 0, value_size = 0;  ///< in bytes_
    };

    std::string bytes_;
    std::vector<Piece> legs_;
    std::vector<std::size_t> cases_;  ///< the first of each in legs_
};

/// The verdicts of one case, by (instance, revision): all that are wanted. `legs` are its
/// LegRecords, at least one; without receive times they get log times.
Result<std::vector<model::Verdict>> judge_case(const Judging& judging,
                                               std::span<model::CaseRecord> legs);

/// Counts instances by their latest revision; `verdicts` are of one case, in order.
void count_cases(const std::vector<model::Verdict>& verdicts, OfflineSummary& summary);

}  // namespace helios::reconcile
