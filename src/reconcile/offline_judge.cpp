#include "reconcile/offline_judge.h"

#include <algorithm>
#include <tuple>

#include "reconcile/activate.h"
#include "reconcile/case_state.h"
#include "reconcile/closed_cases.h"
#include "reconcile/engine.h"
#include "reconcile/offline_leg.h"
#include "reconcile/scratch_file.h"

namespace helios::reconcile {
namespace {

/// Of the one case that an engine has: as a rule nobody asks for it again.
class OneClosedCase final : public ClosedCases {
public:
    std::optional<ClosedCase> find(const std::string&) override {
        if (as_it_was_) {
            closed_->bytes = as_it_was_->encode();
            as_it_was_.reset();
        }
        return closed_;
    }
    void put(const std::string&, ClosedCase closed) override {
        closed_ = std::move(closed);
        as_it_was_.reset();
    }
    void put_case(const std::string&, Instant amend_until, Case&& closed) override {
        closed_ = ClosedCase{closed.instance, amend_until, {}};
        as_it_was_ = std::move(closed);
    }
    void expire(Instant) override {}

private:
    std::optional<ClosedCase> closed_;
    std::optional<Case> as_it_was_;  ///< its bytes are not in closed_ yet
};

/// The absences that may still concern a case, in order.
class AbsencesToCome {
public:
    AbsencesToCome(const Judging& judging, Instant opened)
        : all_(judging.absences),
          next_(std::partition_point(all_.begin(), all_.end(), [&](const Judging::Absence& one) {
              return one.latest_end <= opened;
          })) {}

    /// Those that begin by then. Nobody asks for the effect of more on a case that is closed.
    void take_until(Instant t, Engine& engine, std::vector<Revision>& out, bool while_open) {
        for (; next_ != all_.end() && next_->record.from <= t; ++next_) {
            if (engine.time() < next_->passed) {
                engine.on_record(model::TickRecord{next_->passed}, out);
            }
            if (while_open && engine.open_cases() == 0) {
                return;
            }
            engine.on_record(next_->record, out);
        }
    }

private:
    const std::vector<Judging::Absence>& all_;
    std::vector<Judging::Absence>::const_iterator next_;
};

std::optional<Instant> event_time_of(const model::LegRecord& leg) {
    return leg.event_time ? leg.event_time : leg.occurred;
}

/// Without receive times: those without any time come first and count as of the case's earliest.
void stamp(std::span<model::CaseRecord> legs) {
    std::optional<Instant> earliest;
    for (const auto& record : legs) {
        earliest = earliest ? earliest : event_time_of(std::get<model::LegRecord>(record));
    }
    for (auto& record : legs) {
        auto& leg = std::get<model::LegRecord>(record);
        leg.at = event_time_of(leg).value_or(earliest.value_or(earliest_instant));
        leg.passed = leg.at;
    }
}

bool before(const Revision& a, const Revision& b) {
    return std::tie(a.verdict.instance, a.verdict.revision) <
           std::tie(b.verdict.instance, b.verdict.revision);
}

}  // namespace

Result<std::span<model::CaseRecord>> CaseBatch::decode_case(
    std::size_t n, std::vector<model::CaseRecord>& room) const {
    const std::size_t begin = cases_[n];
    const std::size_t end = n + 1 < cases_.size() ? cases_[n + 1] : legs_.size();
    while (room.size() < end - begin) {
        room.emplace_back(std::in_place_type<model::LegRecord>, default_tenant());
    }
    for (std::size_t i = begin; i < end; ++i) {
        const Piece& piece = legs_[i];
        const auto key = std::string_view(bytes_).substr(piece.begin, piece.key_size);
        const auto value =
            std::string_view(bytes_).substr(piece.begin + piece.key_size, piece.value_size);
        if (!read_leg(key, value, std::get<model::LegRecord>(room[i - begin]))) {
            return broken_scratch();
        }
    }
    return std::span(room).first(end - begin);
}

Result<std::vector<model::Verdict>> judge_case(const Judging& judging,
                                               std::span<model::CaseRecord> legs) {
    OneClosedCase closed;
    Engine engine(closed, judging.received ? Keys::used_again : Keys::used_once);
    for (const auto& known : judging.flows) {
        engine.use_flow(known.tenant, known.flow);
    }
    if (!judging.received) {
        stamp(legs);
    }
    std::vector<Revision> revisions;
    AbsencesToCome absences(judging, model::at_of(legs.front()));
    for (const auto& leg : legs) {
        absences.take_until(model::at_of(leg), engine, revisions, false);
        engine.on_record(leg, revisions);
    }
    absences.take_until(judging.until, engine, revisions, true);
    engine.on_record(model::TickRecord{judging.until}, revisions);
    HELIOS_TRY(closed.health());
    std::stable_sort(revisions.begin(), revisions.end(), before);
    std::vector<model::Verdict> verdicts;
    for (auto& revision : revisions) {
        if (!judging.revisions && !verdicts.empty() &&
            verdicts.back().instance == revision.verdict.instance) {
            verdicts.back() = std::move(revision.verdict);
        } else {
            verdicts.push_back(std::move(revision.verdict));
        }
    }
    return verdicts;
}

void count_cases(const std::vector<model::Verdict>& verdicts, OfflineSummary& summary) {
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (i + 1 < verdicts.size() && verdicts[i + 1].instance == verdicts[i].instance) {
            continue;
        }
        ++summary.cases;
        switch (verdicts[i].status) {
            case model::VerdictStatus::pending:
                ++summary.pending;
                break;
            case model::VerdictStatus::matched:
                ++summary.matched;
                break;
            case model::VerdictStatus::partial:
                ++summary.partial;
                break;
            case model::VerdictStatus::mismatched:
                ++summary.mismatched;
                break;
        }
    }
}

}  // namespace helios::reconcile
