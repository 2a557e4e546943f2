#pragma once
/// A stage: a thread that reads records, lets a room do its work with them, and makes the outcome
/// durable together with how far it has come.
///
/// The one place for reading, pacing, cutting rounds, trying again, saying a failure once, health,
/// frontier, lag and stopping. What is done with a record is the room's (StageWork): so a new room
/// on the log is a StageWork and nothing else.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/frontier.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "log/assignment.h"
#include "log/log.h"
#include "log/ordered_reader.h"
#include "log/reached.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// Where a stage's state stands, for the partitions that it is assigned, and where its effects do:
/// what is read below `committed` changes the state and has no effects, because they are there
/// already.
struct Standing {
    Offsets read_from;
    Offsets committed;  ///< the same partitions, none below read_from
    /// Of the first record at or after `committed`, so many outputs are on the log already.
    Parts partly = {};
    /// One past what was ever written for it, at least: the ends, as read after `committed`, of the
    /// partitions that the outputs go to.
    Offsets written = {};
};

/// What the records of a round cause.
class Outputs {
public:
    void add(Record record) {
        bytes_ += record.key.size() + record.value.size();
        records_.push_back(std::move(record));
    }
    const std::vector<Record>& records() const { return records_; }
    std::size_t bytes() const { return bytes_; }
    bool empty() const { return records_.empty(); }
    /// The first n of those behind `from` go.
    void drop(std::size_t from, std::size_t n);
    void clear() {
        records_.clear();
        bytes_ = 0;
    }

private:
    std::vector<Record> records_;
    std::size_t bytes_ = 0;
};

/// How much of a record was taken in.
enum class Taken : std::uint8_t {
    whole,
    partly,  ///< it causes more than one transaction should hold: apply it again after a commit
};

/// What a room does. All of it on the stage's thread.
class StageWork {
public:
    virtual ~StageWork() = default;

    /// Makes or loads the state of the partitions assigned, lets go of all others, and says where
    /// it stands. At the first step, and again after an error of apply, prepare or complete, a
    /// conflict, restart() or assign().
    virtual Result<Standing> restore(const Assignment& assignment) = 0;
    /// Before anything else of a step.
    virtual Status begin() { return {}; }
    /// A batch has been read, and nothing of it has been applied. False: it is not to be taken now
    /// (only one without records).
    virtual Result<bool> prepare(const Batch& batch);
    /// Takes a record in. `has_effects`: false for one whose outputs are durable already.
    virtual Result<Taken> apply(const StoredRecord& record, bool has_effects, Outputs& out) = 0;
    /// All records of the batch have been applied.
    virtual Status complete(const Batch& batch, Outputs& out);
    /// Something is about to be committed: what sums up the records since the last commit.
    virtual void sum_up(Outputs& out);
    /// Outputs and position, all or nothing; commit_on_log() for those that keep both on the log.
    /// One past the last output, per partition. An error of kind conflict: somebody else has moved
    /// the position, restore. Any other: the same is tried again.
    virtual Result<Offsets> commit(const Outputs& out, const GroupOffsets& position) = 0;
    /// It is durable.
    virtual void committed() {}
    /// The frontier has moved on.
    virtual void after_round() {}
    /// The last step has been made.
    virtual void stopped() {}
};

/// Transacts and waits for the outcome.
Result<Offsets> commit_on_log(Consuming& log, const Outputs& out, const GroupOffsets& position);

struct StageOptions {
    std::string room;  ///< as log lines name it
    std::string name;  ///< of the stage and its thread; the group whose position it moves
    std::size_t batch_records_max = 4096;
    std::size_t batch_bytes_max = 8u << 20;
    /// A transaction is closed when it holds so much; one record's outputs may go beyond.
    std::size_t commit_records_max = 50'000;
    std::size_t commit_bytes_max = 16u << 20;
    Duration poll_wait = std::chrono::milliseconds(20);
    /// Rounds begin at least so far apart, so that what arrives meanwhile shares one transaction.
    Duration pace{};
    /// How records of one instant are ranked, if the room relies on one order over its topics; else
    /// it is shown each partition's records as soon as they are there.
    TopicRank rank = nullptr;
    Duration retry_after = std::chrono::milliseconds(200);
    std::string failing;      ///< log line when steps begin to fail
    std::string works_again;  ///< and when they succeed again
};

/// open() and step() are for one thread, and not beside start(). All else is thread-safe. Work,
/// log, telemetry and clock outlive it; it is the last member of what owns both.
class Stage {
public:
    Stage(StageOptions options, StageWork& work, Log& log, telemetry::Telemetry& telemetry,
          const Clock& clock, telemetry::Counter& failures);
    ~Stage();  ///< stops
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    /// Restores now instead of with the first step.
    Status open();
    bool is_open() const { return reader_ != nullptr; }
    void start();
    /// Lets the commit at work finish. Idempotent.
    void stop();
    /// Restores with the next step.
    void restart();
    /// From the next step on it works on these partitions: what it had applied and not committed is
    /// dropped, and the room restores. Until told: on all that the room reads.
    void assign(Assignment assignment);

    /// One poll, and as many commits as its outputs need; how many records it took. After an error
    /// the same outputs wait for the next step, or it restores.
    Result<std::size_t> step(Duration wait);

    /// Every record of its partitions stamped before it has been applied and its effects are
    /// durable and visible. Begins anew where assign() adds a partition.
    const Frontier& frontier() const { return frontier_; }
    /// The same in offsets, and where its outputs end; from open() on.
    const Reached& reached() const { return reached_; }
    /// Good, or why the latest step failed: it goes on trying, nothing is lost.
    Status health() const;
    /// Nothing has been applied that is not committed. For the stage's thread.
    bool is_settled() const { return !round_; }
    /// Up to where effects are durable. For the stage's thread.
    const Offsets& committed() const { return committed_; }

private:
    struct Round {
        Batch batch;
        std::size_t applied = 0;    ///< records of it
        bool part = false;          ///< the next one has been applied in part
        std::uint64_t outputs = 0;  ///< what that part has caused
        bool complete = false;
        bool to_commit = false;  ///< what has been applied waits for its commit
        bool summed_up = false;
    };
    /// A partition whose state is read again: below `committed` without effects.
    struct Replayed {
        Partition id;
        Offset committed;
        std::uint64_t outputs = 0;  ///< of the first record behind, on the log already
    };

    Result<std::size_t> take(Duration wait);
    bool is_full() const;
    Replayed* replayed(const StoredRecord& record);
    Status apply_next();
    Status apply_some();
    GroupOffsets next_position() const;
    Status commit_some();
    std::unexpected<Error> give_up(Error error);
    void show_lag();
    void run(const std::stop_token& stop);
    void wake();
    void set_health(Status health);

    const StageOptions options_;
    StageWork& work_;
    Log& log_;
    telemetry::Telemetry& telemetry_;
    const Clock& clock_;
    telemetry::Counter& failures_;

    std::unique_ptr<Reader> reader_;
    Mutex reader_mutex_;  ///< for waking it from stop() and restart()
    Offsets committed_;
    Parts partly_;
    std::vector<Replayed> replayed_;
    std::optional<Round> round_;
    Outputs outputs_;
    std::size_t records_max_;  ///< per poll; fewer after a commit that the log found too large
    std::atomic<bool> restart_{false};
    Duration lag_shown_{};
    Frontier frontier_;
    Reached reached_;
    Assignment works_on_;
    mutable Mutex mutex_;
    Status health_ HELIOS_GUARDED_BY(mutex_);
    Assignment assigned_ HELIOS_GUARDED_BY(mutex_);
    std::jthread thread_;
};

}  // namespace helios::log
