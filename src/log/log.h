#pragma once
/// The durable log: partitioned, append-only, totally ordered per partition.
///
/// Rooms meet only here. A record is opaque bytes; the log never looks inside. Log time is stamped
/// here, once, at append: the only clock that decisions know.
///
/// What every backend promises, and log_contract.h asks: order within a partition; log times are
/// whole milliseconds, never fall within one, and tie. What the disk promises beyond, and
/// disk_log_contract.h asks: log times never fall over the whole log. Order over partitions is
/// ordered_reader.h's, for whoever needs it. Backends: disk (one node; its twin runs on an
/// in-memory disk), memory (for tests: no more than is promised everywhere), kafka (cluster,
/// later).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/position.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::log {

/// Which log this is: 128 random bits, given when it is made. Two logs never have the same.
struct LogId {
    Digest128 bits{};
    friend bool operator==(const LogId&, const LogId&) = default;
};

/// CRC-32C: what a position carries, so that one of another log is told.
std::uint32_t hash_of(const LogId& id);

/// Which journal a topic's records share: records of one class share segments, retention and
/// fsyncs.
enum class RetentionClass : std::uint8_t {
    data,     ///< kept as long, or as much, as the log's options say
    control,  ///< kept for ever: what everything else is read by
    health,   ///< kept for some days: what a process saw of itself
};
inline constexpr std::size_t retention_classes = 3;

/// "data", "control", "health".
std::string_view to_string(RetentionClass retention);

/// A topic of the log. What is appended and read names it by number; what people read, and the
/// files of a directory, by name.
struct TopicSpec {
    TopicId id{};
    std::string name;
    RetentionClass retention = RetentionClass::data;
    std::uint32_t partitions = 0;  ///< 0: the data directory's partition count
};

/// The grain of log time. Every stamp, and every time derived from one, is a whole multiple.
inline constexpr Duration log_time_grain = std::chrono::milliseconds(1);

/// Names and short texts.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// A record to append. `topic` must be one of the log's topics.
struct Record {
    TopicId topic{};
    std::optional<std::uint32_t> partition;  ///< absent: murmur2(key) mod partitions, as on Kafka
    std::uint16_t type = 0;            ///< what the value is (model/…): carried, never interpreted
    std::uint8_t version = 0;          ///< version of that type's encoding
    std::uint32_t payload_key_id = 0;  ///< 0 = not encrypted
    std::string key;
    std::string value;
    /// Short texts for other people's tools (a type's name, a trace id): a cluster's log keeps them
    /// beside the record, the disk drops them, and nothing of ours reads them.
    Headers headers = {};
};

/// Where an appended record stands, and when it got there. Durable from the moment anybody is
/// told.
struct Appended {
    Position at;
    Instant log_time;
};

/// A record read back. key and value live as long as the Batch.
struct StoredRecord {
    Position at;
    Instant log_time;
    Offset next;  ///< where a reader that has consumed it stands
    std::uint16_t type = 0;
    std::uint8_t version = 0;
    std::uint32_t payload_key_id = 0;
    std::string_view key;
    std::string_view value;
};

/// What one poll delivers: each partition's records in its order, as soon as they are visible.
struct Batch {
    std::vector<StoredRecord> records;
    /// Every record of the reader's partitions with log_time < complete_below has been delivered,
    /// by this poll or an earlier one: t while more of t may come. Never falls.
    /// With no records it still advances: that is how silence is known from a backlog.
    Instant complete_below{};
    std::vector<std::shared_ptr<const std::string>> storage;  ///< keeps key and value alive
};

/// Next offset to read, per partition: everything below it has been consumed.
using Offsets = std::map<Partition, Offset>;

/// How many outputs of the first record at or after a group's offset are on the log already: what
/// one record causes may be more than one transaction holds. Absent: none.
using Parts = std::map<Partition, std::uint64_t>;

/// A stage's progress: moves the group from `from` to `to` (same partitions in both). A partition
/// that the group has never committed is at Offset{0}.
struct GroupOffsets {
    std::string group;
    Offsets from;
    Offsets to;
    Parts partly = {};       ///< with `to`
    Parts partly_from = {};  ///< with `from`
};

using AppendOutcome = Result<Appended>;
/// Called once, on a thread of the log: hand over and return, never block, never call back into
/// append's caller under a lock.
using AppendDone = std::move_only_function<void(std::span<const AppendOutcome>)>;
using TransactDone = std::move_only_function<void(Result<std::vector<Appended>>)>;

/// Somebody who still needs what stands on the log from a position on: it is not dropped.
struct Hold {
    std::string by;  ///< as people and the metric's label name it: "route"
    /// Next offset that is still needed, per partition; one that is absent needs nothing. An error:
    /// it is not known now, so nothing is dropped. Called on a thread of the log, now and then.
    std::function<Result<Offsets>()> floor;
};

/// From where on a journal is kept, and what keeps retention from dropping more of it.
struct Kept {
    RetentionClass retention = RetentionClass::data;
    Offset begin;             ///< no record stands below; 0: nothing was ever dropped
    Instant dropped_until{};  ///< log time of the last record dropped; the epoch: none was
    struct Held {
        std::string by;
        Duration by_more{};  ///< how much more log time is kept on its account than would be
        friend bool operator==(const Held&, const Held&) = default;
    };
    std::vector<Held> held;  ///< as of the last pass
    friend bool operator==(const Kept&, const Kept&) = default;
};

/// One consumer's cursor over some partitions. Not thread-safe: one thread. Must not outlive its
/// Log.
class Reader {
public:
    virtual ~Reader() = default;

    /// Up to max_records and about max_bytes of records (at least one if there is any), durable
    /// ones only. Waits up to `wait` if there is nothing new; an empty batch is a normal answer.
    /// stopping: the log is closing. not_found: what comes next has been dropped meanwhile; the
    /// stretch is named. corrupt never: damage below the durable mark is counted, reported by
    /// Log::damage(), skipped, and the rest is served.
    virtual Result<Batch> poll(std::size_t max_records, std::size_t max_bytes, Duration wait) = 0;

    /// Next offset per partition, after the last poll. May lie behind offsets that no record has.
    virtual const Offsets& position() const = 0;

    /// Wakes a waiting poll from another thread; the only thread-safe member.
    virtual void wake() = 0;
};

/// A stretch of the journal that can't be read: which records it held is unknown, its extent is.
struct Damage {
    std::string file;
    std::uint64_t begin = 0;  ///< byte offsets in the file
    std::uint64_t end = 0;
    std::string what;
};

/// Until when somebody watched, as far as a log can know: what a process leaves for the one that
/// starts after it.
struct SignOfLife {
    Instant at{};         ///< log time; the epoch: none
    bool absent = false;  ///< the process lived on, but could take nothing in from then on, and no
                          ///< record says so yet
};

/// What a topic holds, for `helios log ls`: of what was dropped `end` alone still tells.
struct PartitionInfo {
    Partition id;
    std::string topic;  ///< the topic's name; its number may be unknown to this program: no_topic
    std::uint64_t records = 0;
    Offset first;
    Offset end;  ///< one past the last durable record
    Instant first_time{};
    Instant last_time{};
};

// What a log does, by who needs it: each takes as little as it can do with. All of it is
// thread-safe and lives as long as the log.

/// For whoever writes what nobody asked it to read.
class Appender {
public:
    virtual ~Appender() = default;

    /// Appends records to any partitions. Returns at once; `done` gets one outcome per record, in
    /// order, after the group's fsync. An outcome with a position is durable. A partition's records
    /// of one call stand in their order. Not atomic across the call on every backend: judge each
    /// outcome. Errors: exhausted (slow down and retry), unavailable (disk full or
    /// failed; retry later), invalid (too large or unknown topic; retrying cannot help), stopping.
    virtual void append(std::vector<Record> records, AppendDone done) = 0;
};

/// For stages: read, and move on together with what was made of it.
class Consuming {
public:
    virtual ~Consuming() = default;

    /// A cursor over `from` (next offset per partition; Offset{0}: all that was ever appended).
    /// not_found: records of such a partition, from its offset on, have been dropped; the stretch
    /// is named. Who wants what is left begins at log_start.
    virtual Result<std::unique_ptr<Reader>> read(Offsets from) = 0;

    /// Outputs and consumed offsets of one stage: all or nothing. Outputs belong to one retention
    /// class. conflict: the group is not at `from`, with its parts, or somebody has taken it over:
    /// reload and start over. timeout: it may have happened; asked for again with the same outputs
    /// and offsets it answers, and is there once. Else as append.
    virtual void transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) = 0;

    /// What the group has committed; partitions never committed are absent. Whoever takes a group
    /// over reads it first.
    virtual Result<Offsets> committed(std::string_view group) = 0;
    /// GroupOffsets::partly of the group's last transaction.
    virtual Result<Parts> partly(std::string_view group) = 0;
};

/// One record, for whoever has kept its position.
class Lookup {
public:
    virtual ~Lookup() = default;

    /// One record by its position. not_found: no record begins there (or it is past retention).
    /// corrupt: damaged.
    virtual Result<Batch> read_at(const Position& at) = 0;
};

/// How far log time is known to have come, over all partitions.
class Watermarks {
public:
    virtual ~Watermarks() = default;

    /// The least log time that an append not yet visible may carry, in any partition: every record
    /// stamped earlier is visible to readers. Later appends are stamped ≥ the value returned. Never
    /// falls.
    virtual Instant low_watermark() = 0;

    /// What an append made now would be stamped with at least. Never falls, whatever the wall clock
    /// does.
    virtual Instant now() = 0;

    /// The greatest log time ever stamped durably, at open or since; the epoch if none.
    virtual Instant last_log_time() = 0;
};

/// What topics and partitions there are, and what they hold. Which ones there are is known from the
/// log's opening on and never changes (a log that can't tell does not open), so that costs nothing
/// and can't fail. What they hold is asked of the backend each time. unavailable: it can't tell
/// now.
class Catalogue {
public:
    virtual ~Catalogue() = default;

    /// As TopicSpec says it; empty: no topic of this log. Lives as long as the log.
    virtual std::string_view name_of(TopicId topic) const = 0;
    virtual std::vector<Partition> partitions_of(TopicId topic) const = 0;
    virtual std::uint32_t partition_count(TopicId topic) const = 0;
    virtual Result<std::vector<PartitionInfo>> describe() = 0;
    /// PartitionInfo::end of the partitions that are named in `of`; those that do not exist are
    /// absent. Reads nothing.
    virtual Result<Offsets> ends_of(const Offsets& of) = 0;

    /// Where to begin in order to read, per partition, every record kept whose log_time ≥ t: its
    /// offset, or one before it that no kept record has.
    virtual Result<Offsets> offsets_at(const std::vector<Partition>& ids, Instant t) = 0;
};

/// All of it, and its upkeep. Thread-safe. Outlives every Reader it hands out.
class Log : public Appender, public Consuming, public Lookup, public Watermarks, public Catalogue {
public:
    /// Never changes.
    virtual LogId id() const = 0;

    /// Leaves a sign of life, in place: it needs no space, so a full disk does not matter. Not
    /// synced, unless it says `absent` and the one before did not; a crash of the machine may take
    /// it back.
    virtual void show_life(const SignOfLife& sign) = 0;
    /// The last one that a process before this one left.
    virtual SignOfLife last_sign_of_life() = 0;

    /// As far as it has been found: by readers, at open, by the scrub.
    virtual std::vector<Damage> damage() = 0;
    /// Reads and verifies everything durable, what no reader needs included, so that damage() names
    /// all there is.
    virtual Status read_through() { return {}; }
    /// Looks whether the files are still those that were opened. unavailable: they are gone,
    /// replaced or read-only; then appends are refused and health() says so, until a later look
    /// finds them again. By one thread at a time.
    virtual Status check_files() { return {}; }

    /// From now on the log drops what its options let go, at once and then about once a minute: of
    /// each journal the oldest segments, whole, as far as no hold needs a record in them. Once;
    /// the holds must work until close() has returned.
    virtual void keep(std::vector<Hold> holds) { static_cast<void>(holds); }
    /// Does so once more, now. Only after keep(). unavailable: the disk does not let us.
    virtual Status drop_expired() { return {}; }
    /// One per journal.
    virtual std::vector<Kept> kept() { return {}; }

    /// unavailable after a failed fsync or a full disk, with what and hint; else good. Read by
    /// /ready.
    virtual Status health() = 0;

    /// Refuses new appends (stopping), waits until those waiting are durable and answered, wakes
    /// readers.
    virtual void close() = 0;
};

/// "helios.cases/3": as people are told of a partition.
inline std::string to_text(const Catalogue& log, const Partition& partition) {
    return std::string(log.name_of(partition.topic)) + "/" + std::to_string(partition.index);
}

/// Where the log begins now: 0 while nothing has been dropped.
inline Result<Offsets> log_start(Catalogue& log, const std::vector<Partition>& ids) {
    return log.offsets_at(ids, earliest_instant);
}

}  // namespace helios::log
