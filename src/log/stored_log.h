#pragma once
/// The reading half of a log on disk: topics, readers, single records, times, figures, damage.
///
/// Two kinds share it: DiskLog, which also writes, and the read-only log of another process, which
/// follows the durable mark.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "log/cursor.h"
#include "log/cut.h"
#include "log/damage_list.h"
#include "log/directory.h"
#include "log/disk.h"
#include "log/locked.h"
#include "log/log.h"
#include "log/options.h"
#include "log/recovery.h"
#include "log/segments.h"
#include "telemetry/telemetry.h"

namespace helios::log {

/// How a publisher reaches one waiting reader. Fields are guarded by the log's mutex.
struct ReaderSignal {
    std::uint64_t topic_bits = 0;
    bool published = false;  ///< something of these topics, since the reader last looked
    bool woken = false;
    Condition wakeup;
};

/// The place of a journal among them.
inline std::size_t index_of(RetentionClass retention) {
    return static_cast<std::size_t>(retention);
}

/// One journal as its readers see it. segments and recent are thread-safe; the rest
/// is guarded by the log's mutex, but that who alone changes them (a disk log's committer; of
/// state and known_to in a read-only log, who catches up) reads them without.
struct JournalView {
    JournalView(Disk& disk, const std::string& directory, std::uint8_t id,
                std::uint64_t cache_bytes)
        : segments(disk, directory, id), recent(cache_bytes) {}
    SegmentTable segments;
    RecentGroups recent;
    std::uint64_t end = 0;  ///< everything below is durable and may be read
    format::Snapshot state;
    Cut cut;
    Firsts firsts;                   ///< of partitions that `cut` took records from
    std::uint64_t firsts_begin = 0;  ///< the cut for which they were looked up
    std::uint64_t known_to =
        0;  ///< what state reflects; below end only while a read-only log has not caught up
};

/// What a directory whose `kept` can't be read holds: each journal begins with its first segment.
KeptJournals begins_as_found(const std::array<JournalView, retention_classes>& journals);

/// Thread-safe. Outlives its readers.
class StoredLog : public Log {
public:
    ~StoredLog() override;

    LogId id() const override { return id_; }
    Result<std::unique_ptr<Reader>> read(Offsets from) override;
    Result<Batch> read_at(const Position& at) override;
    Result<Offsets> offsets_at(const std::vector<Partition>& ids, Instant t) override;
    Result<Offsets> committed(std::string_view group) override;
    Result<Parts> partly(std::string_view group) override;
    std::string_view name_of(TopicId topic) const override;
    std::vector<Partition> partitions_of(TopicId topic) const override;
    std::uint32_t partition_count(TopicId topic) const override;
    Result<std::vector<PartitionInfo>> describe() override;
    Result<Offsets> ends_of(const Offsets& of) override;
    std::vector<Damage> damage() override { return damage_.all(); }
    Status read_through() override;

    // -- For DiskReader.

    struct View {
        std::array<std::uint64_t, retention_classes> ends{};  ///< by index_of(retention)
        Instant watermark{};
        bool closing = false;
    };
    /// One consistent look: everything below the ends and stamped before the watermark may be
    /// delivered.
    virtual View view() = 0;
    /// Until something of the reader's topics is published, it is woken, the log closes, or `wait`
    /// is over.
    virtual void wait(ReaderSignal& signal, Duration wait) = 0;
    void enroll(ReaderSignal& signal);
    void dismiss(ReaderSignal& signal);
    void look_again(ReaderSignal& signal);  ///< clears published: the view taken next includes it
    void wake(ReaderSignal& signal);
    bool take_wake(ReaderSignal& signal);

    /// nullptr: no topic of this log.
    const Topic* topic(TopicId number) const {
        return topics_by_number_[static_cast<std::size_t>(number)];
    }
    /// By the directory's own id.
    const Topic* topic(std::uint16_t id) const {
        return id >= 1 && id <= topics_.size() ? &topics_[id - 1] : nullptr;
    }
    JournalView& journal(RetentionClass retention) { return journals_[index_of(retention)]; }
    DamageSink damage_sink();
    void tell_damage() { damage_.tell(); }
    void forget_damage(const std::string& file) { damage_.forget(file); }
    /// not_found: records at one of these positions or after it have been dropped; the stretch is
    /// named.
    Status check_kept(const Locked&, const Offsets& positions) const;
    const DiskLogOptions& options() const { return options_; }

    // -- For the writing side.

    Locked lock() { return Locked(mutex_); }
    /// invalid: no such topic or partition.
    Result<const Topic*> resolve(const Partition& id) const;
    /// The group's position on one partition.
    format::GroupOffset committed_at(const Locked&, std::string_view group,
                                     format::PartitionKey key) const;
    /// When the group last moved in another journal than this.
    std::optional<Instant> moved_elsewhere(const Locked&, std::string_view group,
                                           RetentionClass retention) const;
    /// Wakes the readers of these topics.
    void announce(const Locked&, std::uint64_t topic_bits);
    bool closing(const Locked& lock) const { return closing_.with(lock); }

protected:
    StoredLog(DiskLogOptions options, Disk& disk, const Clock& clock,
              telemetry::Telemetry& telemetry);

    void set_topics(std::vector<Topic> topics);
    void set_id(const LogId& id) { id_ = id; }
    void note_damage(Damage damage) { damage_.note(std::move(damage)); }
    /// The journals' ends as they are now, and the last log time in them.
    std::array<std::uint64_t, retention_classes> ends(const Locked&) const;
    Instant last_time(const Locked&) const;
    /// Brings `state` of the journals up to date, for those that don't do it as they write.
    virtual void catch_up() {}

    const DiskLogOptions options_;
    const DirectoryPaths paths_;
    Disk& disk_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    std::array<JournalView, retention_classes> journals_;  ///< by index_of(retention)
    Guarded<bool> closing_;

private:
    std::map<Partition, format::GroupOffset> group_offsets(std::string_view group);
    Result<Offset> offset_at(const Topic& topic, std::uint32_t partition, Instant t);
    void look_up_firsts(JournalView& journal);
    Error why_unreadable(JournalView& source, const SegmentTable::Place& place, std::uint64_t end,
                         const Topic& topic, const Position& at);

    LogId id_;
    std::vector<Topic> topics_;  ///< by id - 1; fixed after opening
    std::array<const Topic*, 256> topics_by_number_{};
    mutable Mutex mutex_;
    Guarded<std::vector<ReaderSignal*>> signals_;
    DamageList damage_;
};

}  // namespace helios::log
