#pragma once
/// The engine: case records in, verdict revisions out. Pure and deterministic: the same records
/// give the same bytes on any machine, in any batching, live, after a restart, offline.
///
/// Knows no log, no thread and no clock: time is the largest `passed` seen. One engine per
/// partition of helios.cases. Its state can be kept beside the log as keys and values, piece by
/// piece as it changes, and an engine restored from them goes on as if it had never stopped.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/case_record.h"
#include "model/verdict.h"
#include "reconcile/absences.h"
#include "reconcile/case_state.h"
#include "reconcile/closed_cases.h"
#include "reconcile/judge.h"
#include "reconcile/open_cases.h"

namespace helios::log {
class State;
}

namespace helios::reconcile {

/// One verdict revision to be appended.
struct Revision {
    model::Verdict verdict;
    bool first_decision = false;  ///< the first of its case that is not pending
};

/// A case as it stands, for explain and tests.
struct CaseView {
    Case state;
    bool open = false;
    std::vector<Instant> deadlines;  ///< per leg, absences included
    Judgement judgement;             ///< with outcomes
};

/// Whether a key may come again, as another case.
enum class Keys : std::uint8_t {
    used_again,  ///< beyond its flow's amend_for
    used_once,   ///< a closed case takes later facts for ever: of an input without log times, that
                 ///< can't say otherwise
};

/// One thread. Cheap to make: offline work makes one per case.
class Engine {
public:
    /// `closed` outlives the engine. Nothing else decides: no option reaches it.
    explicit Engine(ClosedCases& closed, Keys keys = Keys::used_again);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Takes one record in; appends the revisions it causes, in order. Deadlines < the record's
    /// `at` fire first, ordered by (deadline, tenant, flow, key, instance). An absence fires none:
    /// it only moves those that have not passed when it begins, and it must be taken before a
    /// record that would let one of them pass.
    void on_record(const model::CaseRecord& record, std::vector<Revision>& out);
    std::vector<Revision> on_record(const model::CaseRecord& record);

    /// Lets the deadlines < t pass that on_record would, but of no more than `cases_max` cases at a
    /// time; true: none is left.
    bool fire(Instant t, std::size_t cases_max, std::vector<Revision>& out);

    /// The same for a flow that has been parsed elsewhere: no parsing, shared between engines.
    void use_flow(const TenantId& tenant, std::shared_ptr<const Flow> flow);

    /// No deadline can fire before this one; it fires with the first record whose `at` is greater,
    /// unless an absence has moved it.
    std::optional<Instant> earliest_deadline() const;
    /// The n-th of those (1 is the next), or the last if there are fewer: no tick up to it fires
    /// more than about n cases.
    std::optional<Instant> deadline_of(std::size_t n) const;
    Instant time() const { return time_; }
    std::size_t open_cases() const { return open_.size(); }
    /// Keys of which some case has closed.
    std::size_t closed_cases() const { return closed_keys_; }
    /// Records whose flow version is not known here (its activation can't be read any more), so
    /// they were passed over.
    std::uint64_t records_without_flow() const { return records_without_flow_; }

    /// Whether a leg of this case (case_log_key) would find it open, or closed and still amendable;
    /// else it would open one.
    bool would_join(const std::string& id) const;

    std::optional<CaseView> inspect(const TenantId& tenant, std::string_view flow,
                                    std::string_view key) const;

    /// Puts into `state` what has changed since the last call, or since restore(): after that, and
    /// with the closed cases that a StoredClosedCases has put there meanwhile, it is the state
    /// after the last record taken in. Costs what has changed, not what is there.
    void put_changes(log::State& state);
    /// Takes over what put_changes() left. Of a new engine only; nothing in it: it stays new.
    /// corrupt: this is no such state, or not a whole one; conflict: it was kept under another
    /// Keys. After an error the engine is good for nothing.
    Status restore(log::State& state);
    /// What closed cases with amend_until before it say no longer matters: for shrink_closed(),
    /// once the state that it was asked together with is durable. Only ever later.
    Instant expired_before() const { return expired_before_; }

private:
    struct Due {
        Instant deadline;
        OpenCase* one;  // its id is tenant NUL flow NUL key: their order is that of the three
        friend bool operator<(const Due& a, const Due& b) {
            return a.deadline != b.deadline ? a.deadline < b.deadline : a.one->id < b.one->id;
        }
    };

    void on_leg(const model::LegRecord& record, std::vector<Revision>& out);
    void on_absence(const model::AbsenceRecord& record);
    void on_flow(const model::FlowRecord& record);
    OpenCase* find_or_open(const model::LegRecord& record, const Flow& flow,
                           std::vector<Revision>& out);
    bool amends(const ClosedCase& closed, const TenantId& tenant, std::string_view flow,
                Instant at) const;
    std::optional<Case> decode_closed(const ClosedCase& closed, const TenantId& tenant,
                                      std::string_view flow) const;
    void note_change(OpenCase& one);
    void forget_change(OpenCase& one);
    Status restore_flows(log::State& state, std::uint64_t count);
    Status restore_absences(log::State& state);
    Status restore_open(log::State& state, std::uint64_t count);
    void publish_opening(const std::string& id, Case& c, Instant stamp, std::vector<Revision>& out);
    bool put_off(OpenCase& one);
    std::optional<Instant> next_due(const Case& c, Instant passed_below) const;
    void settle(OpenCase& one, Instant stamp, Instant passed_below, std::vector<Revision>& out);
    void publish(const std::string& id, Case& c, Judgement judgement, Instant stamp,
                 std::vector<Revision>& out);
    void close(OpenCase& one, Instant stamp);
    void schedule(OpenCase& one, std::optional<Instant> next);

    const Flow* find_flow(const TenantId& tenant, std::string_view name,
                          std::uint32_t version) const;
    void deadlines_of(const Case& c, std::vector<Instant>& out) const {
        deadlines_moved(*c.flow, c.opened_at, absences_, out);
    }

    const Keys keys_;
    ClosedCases& closed_;
    Instant time_{};
    TraceId trace_;            ///< of the leg that is being judged; none: a deadline is
    std::uint32_t level_ = 1;  ///< of cases that open now
    OpenCases open_;
    std::set<Due> due_;
    Absences absences_;
    struct KnownFlow {
        TenantId tenant;
        std::shared_ptr<const Flow> flow;
    };
    std::vector<KnownFlow> flows_;
    std::uint64_t records_without_flow_ = 0;
    std::uint64_t closed_keys_ = 0;
    Instant expired_before_ = Instant::min();

    // Since the last put_changes(). Opened and closed meanwhile: in none of them.
    std::vector<OpenCase*> changed_;
    std::vector<std::string> ended_;  ///< kept as open, and not open any more
    std::size_t flows_kept_ = 0;      ///< of flows_, from the front
    bool absences_changed_ = false;
    std::string summary_kept_;

    std::string id_;                  // reused between records
    std::vector<Instant> deadlines_;  // reused between records
};

}  // namespace helios::reconcile
