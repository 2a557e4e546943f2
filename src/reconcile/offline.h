#pragma once
/// Events from files instead of a log: the same route and the same engine (`helios reconcile`).
///
/// Two ways, decided by the first event. With a receive time, inputs are processed in that order,
/// whatever the order of lines (those received at one instant by position, else by event time,
/// source, scope and id); an export reaches the live server's verdicts. Without, one key is one
/// case, processed by itself when all input has been read: its events by (event time, source, id),
/// each at its event time, so that a leg is late if it happened after the case's earliest event
/// plus its deadline. Events, ids, closed cases and verdicts wait in scratch space on disk; memory
/// holds open cases.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/case_record.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/verdict.h"
#include "reconcile/flow.h"
#include "reconcile/spill.h"

namespace helios::reconcile {

class Router;
struct Revision;

struct OfflineOptions {
    std::string scratch;     ///< an empty directory of its own; the caller removes it
    bool revisions = false;  ///< every revision, else the latest of each case
    std::optional<Instant>
        as_of;  ///< later inputs are ignored, deadlines before it have passed; absent: the input's
                ///< end line, or if there is none all deadlines have passed
    std::function<bool()> stop;  ///< asked often; true ends finish() with `stopping`. May be empty
};

struct OfflineSummary {
    std::uint64_t events = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t unwanted = 0;     ///< no flow wants such an event
    std::uint64_t keyless = 0;      ///< wanted, but its key can't be read
    std::uint64_t after_as_of = 0;  ///< ignored: later than `as_of`
    Instant first_after_as_of{};    ///< the earliest of those
    std::uint64_t cases = 0;
    std::uint64_t pending = 0, matched = 0, partial = 0,
                  mismatched = 0;                    ///< by their latest revision
    std::vector<std::shared_ptr<const Flow>> flows;  ///< what was judged by, last
};

/// One thread; add everything, then finish once.
class OfflineReconcile {
public:
    /// `flows`: those to judge by; empty: the flows of the input's control lines, or the shipped
    /// order flow if there are none. With flows given, control lines that activate others are
    /// passed over (a backtest).
    static Result<std::unique_ptr<OfflineReconcile>> open(const OfflineOptions& options,
                                                          std::vector<Flow> flows);
    ~OfflineReconcile();

    enum class Added { accepted, duplicate };
    /// `position`: what an export wrote; such a line is not deduplicated again. conflict: same id,
    /// other content; of the two the one received first counts, else the earlier by its own time,
    /// whichever is added first; left_out() is the other. `origin`: what the caller knows a line
    /// by; kept in scratch space. invalid: some events have a receive time and this one hasn't, or
    /// the other way round. unavailable: scratch space.
    Result<Added> add(const model::Event& event, std::optional<Instant> received_at,
                      std::string_view position, std::string_view origin = {});
    /// After a conflict: the origin of the line that does not count.
    const std::string& left_out() const { return left_out_; }

    // Control lines.
    Status add_flow(const model::FlowActivation& activation, Instant at);
    Status add_absence(const model::AbsenceRecord& absence);
    void add_end(Instant at);

    /// Verdicts sorted by (tenant, flow, key, instance, revision). stopping: options.stop said so.
    Result<OfflineSummary> finish(const std::function<void(const model::Verdict&)>& sink);

private:
    OfflineReconcile(const OfflineOptions& options, std::vector<Flow> flows,
                     std::unique_ptr<Spill> spill);
    Status scan(char prefix,
                const std::function<Status(std::string_view key, std::string_view value)>& visit);
    Result<Added> add_once(const model::Event& event, Instant at, std::string_view origin);
    std::string next_place(Instant at, char kind, std::string_view order, std::string_view content);
    Status in_receive_order();
    Status case_by_case();
    Status sort_legs(Router& router);
    Status judge_case(const Router& router, std::vector<model::LegRecord>& legs);
    Status keep(std::vector<Revision>& revisions);
    void count_as_later(Instant at);
    void name_flows(const Router& router);
    Result<OfflineSummary> emit(const std::function<void(const model::Verdict&)>& sink);

    OfflineOptions options_;
    std::vector<Flow> flows_;
    std::unique_ptr<Spill> spill_;
    std::optional<bool> has_receive_times_;
    bool has_control_flows_ = false;
    std::optional<Instant> end_;
    std::int64_t sequence_ = 0;
    std::string left_out_;
    OfflineSummary summary_;
};

}  // namespace helios::reconcile
