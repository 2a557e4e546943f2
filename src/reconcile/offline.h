#pragma once
/// Events from files instead of a log: the same route and the same engine (`helios reconcile`).
///
/// Two ways, decided by the first event. With a receive time, inputs are processed in that order,
/// whatever the order of lines (those received at one instant by position, else by event time,
/// source, scope and id); an export reaches the live server's verdicts. Without, one key is one
/// case, processed when all input has been read: its events by (event time, source, id), each at
/// its event time, so that a leg is late if it happened after the case's earliest event plus its
/// deadline.
///
/// Either way a case's verdicts depend on its own legs, on flows and on absences, so legs are
/// sorted by case and each case is judged by itself, many at a time. Memory is bounded whatever the
/// input: what does not fit waits in files without a name.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/case_record.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/verdict.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

class Workers;

/// How far close() and finish() are, for whoever watches.
struct OfflineStep {
    enum class Kind : std::uint8_t {
        comparing_ids,  ///< events done of all
        reading_again,  ///< likewise: flows that came after events want legs of them
        judging,        ///< legs done of all
    };
    Kind kind = Kind::judging;
    std::uint64_t done = 0;
    std::uint64_t all = 0;
};

struct OfflineOptions {
    std::string scratch;     ///< a directory for temporary files
    bool revisions = false;  ///< every revision, else the latest of each case
    std::optional<Instant>
        as_of;  ///< later inputs are ignored, deadlines before it have passed; absent: the input's
                ///< end line, or if there is none all deadlines have passed
    std::function<bool()> stop;  ///< asked often; true ends close() and finish() with `stopping`.
                                 ///< May be empty
    std::function<void(const OfflineStep&)> step;  ///< called often. May be empty
    /// Of an event that is readable_again: model::encode of the event that was given with this
    /// origin. Several threads call it at a time. Its error ends close().
    std::function<Result<std::string>(std::string_view origin)> again;
    std::size_t memory_bytes = 192u << 20;  ///< for what waits, before it goes to disk
    std::size_t chunk_bytes = 16u << 20;    ///< is sorted at a time
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

/// The flows that are known by now, as an event is prepared by them. Never changes.
struct OfflineRules;

/// An event as a line has it.
struct OfflineEvent {
    const model::Event& event;  ///< without its payload
    json::Value payload;
    std::optional<Instant> received_at;
    std::string_view position;    ///< what an export wrote; such a line is not deduplicated again
    std::string_view origin;      ///< what the caller knows the line by
    bool readable_again = false;  ///< OfflineOptions::again has it by its origin: it is not kept
};

/// Events that have been prepared, by one thread, to be taken by another.
class OfflineBatch {
public:
    /// Of lines that are about so many bytes long together.
    explicit OfflineBatch(std::shared_ptr<const OfflineRules> rules, std::size_t line_bytes = 0);
    ~OfflineBatch();
    OfflineBatch(OfflineBatch&&) noexcept;
    OfflineBatch& operator=(OfflineBatch&&) noexcept;

    /// Parsing apart all that an event costs until it is judged.
    void prepare(const OfflineEvent& line);
    std::size_t size() const;

private:
    friend class OfflineReconcile;
    struct State;
    std::unique_ptr<State> state_;
};

/// One thread, which works with others of its own; add everything, then close, then finish, each
/// once.
class OfflineReconcile {
public:
    /// `flows`: those to judge by; empty: the flows of the input's control lines, or the shipped
    /// order flow if there are none. With flows given, control lines that activate others are
    /// passed over (a backtest).
    static Result<std::unique_ptr<OfflineReconcile>> open(const OfflineOptions& options,
                                                          std::vector<Flow> flows);
    ~OfflineReconcile();

    /// Those that work here: the caller may give them work of his own until finish().
    Workers& workers() const;
    /// Cheaper to judge if the rules by which events are prepared are those that hold in the end.
    std::shared_ptr<const OfflineRules> rules() const;
    /// The n-th event of a batch, in the order of lines. invalid: some events have a receive time
    /// and this one hasn't, or the other way round; it is not taken then. unavailable: scratch
    /// space.
    Status take(const OfflineBatch& batch, std::size_t n);
    /// Both in one.
    Status add(const model::Event& event, std::optional<Instant> received_at,
               std::string_view position, std::string_view origin = {});

    // Control lines.
    Status add_flow(const model::FlowActivation& activation, Instant at);
    Status add_absence(const model::AbsenceRecord& absence);
    void add_end(Instant at);

    /// Of events with the same id one counts, whichever line it stands on: the one received first,
    /// then the earliest by its own time. Others with the same content are duplicates. Those with
    /// other content are conflicts: told by the origin of the line that is left out, in the order
    /// of the lines that made them known.
    Status close(
        const std::function<void(std::string_view origin, std::string_view why)>& conflict);

    /// Verdicts sorted by (tenant, flow, key, instance, revision). stopping: options.stop said so.
    Result<OfflineSummary> finish(const std::function<void(const model::Verdict&)>& sink);
    /// The same, written out by several threads: `render` appends a verdict to a text, at the same
    /// time as other calls; `write` gets the texts of many, in order.
    Result<OfflineSummary> finish(
        const std::function<void(const model::Verdict&, std::string&)>& render,
        const std::function<void(std::string_view)>& write);

private:
    struct State;
    explicit OfflineReconcile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace helios::reconcile
