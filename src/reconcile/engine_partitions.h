#pragma once
/// The partitions of helios.cases that an engine stage works on: an engine each, and its state,
/// restored at start and kept by checkpoints.
///
/// One checkpoint is written at a time, on a thread of its own: the stage only hands over what has
/// changed, and goes on.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "log/log.h"
#include "log/stage.h"
#include "log/state.h"
#include "reconcile/closed_cases.h"
#include "reconcile/engine.h"
#include "reconcile/options.h"

namespace helios::telemetry {
struct Telemetry;
}

namespace helios::reconcile {

/// One thread, the stage's.
struct EnginePartition {
    EnginePartition(std::uint32_t of, std::unique_ptr<log::State> kept)
        : number(of), state(std::move(kept)), closed(*state), engine(closed) {}

    const std::uint32_t number;
    std::unique_ptr<log::State> state;
    StoredClosedCases closed;
    Engine engine;
    std::shared_ptr<std::atomic<bool>> tick_on_its_way = std::make_shared<std::atomic<bool>>(false);
    std::uint64_t without_flow = 0;  ///< already counted

    /// A record has been taken in, whole.
    void took(const log::StoredRecord& record, bool tick);

    Offset next;  ///< everything below it is in the engine's state
    std::optional<Offset> last;
    Instant last_time{};
    std::uint64_t records = 0;  ///< since the last checkpoint
    std::uint64_t ticks = 0;    ///< of them
    Duration kept_at{};         ///< monotonic; the last checkpoint
};

/// Not thread-safe but for health(). Log, telemetry and clock outlive it.
class EnginePartitions {
public:
    EnginePartitions(const EngineStageOptions& options, log::Log& log,
                     telemetry::Telemetry& telemetry, const Clock& clock);
    ~EnginePartitions();
    EnginePartitions(const EnginePartitions&) = delete;
    EnginePartitions& operator=(const EnginePartitions&) = delete;

    /// Every partition assigned, from its newest good checkpoint or from the beginning; no other.
    /// Where one begins is its `next`. `committed`: of the group.
    Status restore(const log::Assignment& assignment, const log::Offsets& committed);

    /// In the order of their numbers.
    const std::vector<std::unique_ptr<EnginePartition>>& all() const { return partitions_; }
    /// One that is assigned.
    EnginePartition& at(std::uint32_t number) { return *by_number_.at(number); }

    /// corrupt: a closed case that was asked for is damaged. What has come out of the engines since
    /// is to be dropped; restore() begins from an older checkpoint.
    Status check();
    Status check(const EnginePartition& partition);

    /// It has one checkpoint only, and has been still for some time: with any record after that one
    /// it gets a second, and retention need not keep its log from the beginning.
    bool wants_a_record(const EnginePartition& partition) const;

    /// Hands one partition over that is due, unless one is being written. What its engine has taken
    /// in is committed.
    void keep_one();
    /// Every partition that has changed, and waits until all are written: the last thing that
    /// happens. While the log takes nothing, none is.
    void keep_all();

    /// Good, or why the latest checkpoint could not be written: it is tried again.
    Status health() const;
    /// Where the older of the two kept checkpoints stands, per partition; 0: there are not two.
    /// Thread-safe.
    log::Offsets kept_from() const;

private:
    struct Metrics;

    Status restore_all(const std::vector<Partition>& ids, const log::Offsets& committed);
    Result<std::unique_ptr<EnginePartition>> restore_one(const Partition& id, Offset committed);
    Status check_start(const EnginePartition& partition, const Partition& id,
                       const std::vector<std::string>& unusable) const;
    std::string folder_of(std::uint32_t partition) const;
    std::string path_of(std::uint32_t partition, Offset at) const;
    std::string checkpoints_of(std::uint32_t partition, std::vector<std::string> unusable) const;
    bool is_dropped(const Partition& id, Offset at) const;
    Duration quiet_interval() const;
    Status judge(const log::CheckpointHeader& header, Offset committed) const;
    bool is_due(const EnginePartition& partition, Duration now) const;
    void hand_over(EnginePartition& partition);
    void pass_over(const std::string& checkpoint, const Error& why,
                   std::vector<std::string>& unusable) const;
    void wait_for_writer();
    void collect();
    void note_kept();
    void write_handed_over(const std::stop_token& stop);

    const EngineStageOptions options_;
    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    std::unique_ptr<Metrics> metrics_;
    std::shared_ptr<std::atomic<std::int64_t>> expired_before_;  ///< for the shrinking of values
    std::unique_ptr<log::StateDirectory> states_;
    std::vector<std::unique_ptr<EnginePartition>> partitions_;
    std::vector<EnginePartition*> by_number_;  ///< nullptr: not assigned
    std::vector<std::uint32_t> damaged_;       ///< partitions whose newest checkpoint is
    std::vector<Instant> durable_expiry_;  ///< by number: expired_before() at its last checkpoint

    mutable Mutex mutex_;
    StoppableCondition changed_;
    EnginePartition* writing_ HELIOS_GUARDED_BY(mutex_) = nullptr;  ///< handed over
    Instant writing_expiry_ HELIOS_GUARDED_BY(mutex_){};
    std::optional<Status> written_ HELIOS_GUARDED_BY(mutex_);  ///< its outcome, not yet looked at
    Status health_ HELIOS_GUARDED_BY(mutex_);
    log::Offsets kept_from_ HELIOS_GUARDED_BY(mutex_);
    std::jthread writer_;
};

}  // namespace helios::reconcile
