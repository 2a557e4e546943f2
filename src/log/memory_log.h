#pragma once
/// A log in memory that promises no more than Kafka does: for tests of what stands on log.h.
///
/// Log time has a grain, so records tie; a broker's clock may step back; offsets have gaps; order
/// is within a partition and nowhere else; somebody's open transaction hides what lies behind it; a
/// transaction fails, or nobody can say whether it has happened; a group's holder is fenced. What
/// is drawn at random comes from the seed, time from the clock: one thread sees the same history
/// every time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "log/log.h"

namespace helios::log {

struct MemoryLogOptions {
    std::uint64_t seed = 1;
    std::uint32_t partitions = 3;
    std::size_t record_bytes_max = 1u << 20;
    Duration grain = std::chrono::milliseconds(1);  ///< stamps are multiples of it
    bool gaps = true;  ///< offsets are left out, as by markers and by batches that came to nothing
    bool shuffled = true;  ///< a poll takes partitions' records in any order; else by log time
};

/// Of so many transactions about one; 0: none.
struct TransactionFaults {
    std::uint32_t aborted_in = 0;  ///< unavailable: nothing of it is there
    std::uint32_t unknown_in = 0;  ///< timeout: it may be there, all of it. Asked for again, it is
                                   ///< answered, and there once
};

/// Thread-safe. Answers on the caller's thread, before append and transact return. Outlives its
/// readers, the clock outlives it.
class MemoryLog final : public Log {
public:
    MemoryLog(const MemoryLogOptions& options, const std::vector<TopicSpec>& topics,
              const Clock& clock);
    ~MemoryLog() override;

    /// A new life of the processes that use it: after close() it takes appends again, and signs of
    /// life are those of the life before.
    void reopen();

    // What goes wrong, until told otherwise.
    void fail_transactions(const TransactionFaults& faults);
    /// Somebody else takes the group over: transactions of whoever held it are a conflict, whatever
    /// they say, until the group's position has been read again.
    void fence(std::string_view group);
    /// The clock of the partition's broker jumps, in either direction; log time never falls.
    void step_clock(const Partition& id, Duration by);
    /// Somebody's transaction is open there: readers see nothing from here on. No effect on one
    /// that is held already.
    void hold(const Partition& id);
    void release(const Partition& id);

    /// What was appended beside the record, as a tool of somebody else would read it. not_found: no
    /// record begins there.
    Result<Headers> headers_at(const Position& at);

    /// Everything in the partition stamped earlier is visible to readers, and nothing will be
    /// stamped below it any more; with it may be. Never falls.
    Instant watermark(const Partition& id);

    LogId id() const override;
    void append(std::vector<Record> records, AppendDone done) override;
    void transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) override;
    Result<std::unique_ptr<Reader>> read(Offsets from) override;
    Result<Batch> read_at(const Position& at) override;
    Result<Offsets> offsets_at(const std::vector<Partition>& ids, Instant t) override;
    Result<Offsets> committed(std::string_view group) override;
    Result<Parts> partly(std::string_view group) override;
    /// The least of all partitions'.
    Instant low_watermark() override;
    Instant now() override;
    void show_life(const SignOfLife& sign) override;
    SignOfLife last_sign_of_life() override;
    Instant last_log_time() override;
    std::string_view name_of(TopicId topic) const override;
    std::vector<Partition> partitions_of(TopicId topic) const override;
    std::uint32_t partition_count(TopicId topic) const override;
    Result<std::vector<PartitionInfo>> describe() override;
    Result<Offsets> ends_of(const Offsets& of) override;
    std::vector<Damage> damage() override { return {}; }
    Status health() override { return {}; }
    void close() override;

private:
    struct State;
    class Cursor;
    std::unique_ptr<State> state_;
};

}  // namespace helios::log
