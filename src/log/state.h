#pragma once
/// What a stage keeps of one partition beside the log: keys and values, made durable by
/// checkpoints, so that a start reads the newest one and then only the log's tail.
///
/// DATA/state/<stage>/<partition>/: `live/`, one RocksDB without a write-ahead log, written by
/// nothing but a checkpoint, and so never beyond its position; `<offset>/`, RocksDB's own
/// checkpoint of it (hard links) with a file CHECKPOINT, written last. The two highest are kept.
/// Derived from the log, so it can be thrown away while the log is whole.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "log/log.h"

namespace rocksdb {
class Env;
}

namespace helios::log {

class Disk;

/// What a checkpoint says of itself.
struct CheckpointHeader {
    LogId log;
    std::string topic;  ///< by name, as files outside segments name one
    std::uint32_t partition = 0;
    Offset next;                 ///< everything below it is in the state, nothing from it on
    std::optional<Offset> last;  ///< the last record taken in; absent: none was
    Instant last_time{};         ///< its log time
    std::uint32_t level = 0;     ///< of the rules by which the room made its values
    std::uint32_t format = 0;    ///< of the room's keys and values
    /// Sum mod 2^128 of one hash per entry; the state's own business, of two checkpoints of the
    /// same records the same.
    Digest128 digest{};
};

/// Says why a checkpoint can't be used (the room's view: another format, a record that the log has
/// not). Good: it can.
using JudgeCheckpoint = std::function<Status(const CheckpointHeader&)>;

/// A value that says the same in fewer bytes, or none. Called in the background, on any thread and
/// at any time: what the room means by a value must not depend on whether it has happened.
using Shrink =
    std::function<std::optional<std::string>(std::string_view key, std::string_view value)>;

/// One partition's keys and values. get, scan, put, erase, changes and freeze: one thread, the
/// stage's. write: another one at a time. A value read is the one last put.
class State {
public:
    virtual ~State() = default;

    /// The checkpoint that it began from; absent: it began empty.
    virtual const std::optional<CheckpointHeader>& began_from() const = 0;

    /// absent: no such key. corrupt: the value is damaged; see StateDirectory::reject. unavailable:
    /// the disk does not let us.
    virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
    /// All entries whose key begins so, in key order. Before the first put. Errors as get's, or
    /// what `entry` returns.
    virtual Status scan(
        std::string_view prefix,
        const std::function<Status(std::string_view key, std::string_view value)>& entry) = 0;
    /// A key has at least one byte.
    virtual void put(std::string key, std::string value) = 0;
    virtual void erase(std::string key) = 0;
    /// Entries put or erased since the last freeze.
    virtual std::size_t changes() const = 0;

    /// What has been put so far is the state at this header (whose digest is filled in); what is
    /// put from now on belongs to the next one. Not while an earlier one is being written.
    virtual void freeze(CheckpointHeader header) = 0;
    /// Makes durable what was frozen. Nothing frozen: nothing to do. After an error it stays
    /// frozen, together with what a later freeze adds. A checkpoint at the newest's position is not
    /// made again: what is frozen then waits for the next. unavailable: the disk does not let us;
    /// half-made files are removed. corrupt: what is replaced, or what a failed write begins again
    /// from, is damaged; see StateDirectory::reject.
    virtual Status write() = 0;
};

struct StateOptions {
    std::string directory;  ///< DATA/state/<stage>; empty: in memory, no checkpoints
    std::string topic;      ///< name of the one whose partitions the stage keeps a state of
    std::uint64_t cache_bytes = 256u << 20;  ///< blocks, filters and indexes of all partitions
    Shrink shrink;                           ///< may be empty
    /// For tests: called after each step of opening and writing, on the thread that does it; an
    /// error is taken for that step's own.
    std::function<Status(std::string_view step)> after_step;
    /// For tests: instead of the machine's. Both are of the same files and outlive the states.
    Disk* disk = nullptr;
    rocksdb::Env* env = nullptr;
};

/// The states of one stage, by partition of its topic. Thread-safe; outlives every State it hands
/// out.
class StateDirectory {
public:
    virtual ~StateDirectory() = default;

    /// unavailable: the disk does not let us.
    static Result<std::unique_ptr<StateDirectory>> open(StateOptions options, const LogId& log);

    struct PassedOver {
        std::string path;
        Error why;
    };
    /// From the newest checkpoint that is whole and that `judge` (may be empty) lets pass; those
    /// passed over are told, and stay until a good one stands at their position. With none it is
    /// empty: whether the log can make up for that is the caller's question. The partition's
    /// earlier State is gone by then. unavailable: the disk does not let us.
    virtual Result<std::unique_ptr<State>> open(std::uint32_t partition,
                                                const JudgeCheckpoint& judge,
                                                std::vector<PassedOver>& passed_over) = 0;

    /// The newest checkpoint was found damaged: no later open tries it. Its State is gone by then.
    virtual Status reject(std::uint32_t partition) = 0;

    /// Where the older of the two kept checkpoints stands, so that the log keeps what comes after
    /// it. Absent: there are fewer than two, or the partition has not been opened.
    virtual std::optional<Offset> kept_from(std::uint32_t partition) const = 0;
};

}  // namespace helios::log
