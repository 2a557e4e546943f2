#include "gateway/deduplicator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "gateway/dedup_content.h"
#include "gateway/dedup_index.h"
#include "log/stage.h"
#include "model/topics.h"

namespace helios::gateway {

namespace {

constexpr std::string_view room = "gateway";
constexpr std::size_t shard_count = 64;
constexpr std::size_t tail_records_max = 8'192;
constexpr std::size_t tail_bytes_max = 8u << 20;
constexpr Duration tail_wait = std::chrono::milliseconds(200);
constexpr Duration tail_pace = std::chrono::milliseconds(
    20);  // so that many ids share one write; meanwhile they are in memory
constexpr Duration retry_pause = std::chrono::milliseconds(200);
/// The n-th time in a row that the index is opened again, 2^n − 1 pauses pass before the next.
constexpr unsigned reopenings_in_a_row_max = 8;

/// The topics that ids come from.
constexpr std::array<TopicId, 5> indexed_topics{model::topic::orders, model::topic::payments,
                                                model::topic::inventory, model::topic::other,
                                                model::topic::dlq};

struct IdentityHash {
    std::size_t operator()(const Digest128& d) const {
        std::size_t h = 0;
        std::memcpy(&h, d.data(), sizeof h);  // already a hash
        return h;
    }
};

struct Entry {
    std::shared_ptr<Pending> pending;  ///< null once durable
    Digest128 content{};
    Position at;
    Instant log_time{};
};

struct Shard {
    Mutex mutex;
    std::unordered_map<Digest128, Entry, IdentityHash> entries HELIOS_GUARDED_BY(mutex);
    /// In the order in which they became durable: the oldest leave first.
    std::deque<std::pair<Digest128, Position>> durable HELIOS_GUARDED_BY(mutex);
};

class TailedDeduplicator final : public Deduplicator, log::StageWork {
public:
    TailedDeduplicator(const Options& options, const IndexFiles& files, log::Log& log,
                       telemetry::Telemetry& telemetry, const Clock& clock)
        : options_(options),
          files_(files),
          log_(log),
          clock_(clock),
          telemetry_(telemetry),
          index_failures_(
              telemetry.metrics.counter("helios_gateway_index_failures_total",
                                        "Failed reads and writes of the deduplication index")),
          rebuilds_(telemetry.metrics.counter(
              "helios_gateway_index_rebuilds_total",
              "Deduplication index thrown away and rebuilt from the log")),
          reopenings_(telemetry.metrics.counter(
              "helios_gateway_index_reopenings_total",
              "Deduplication index opened again because it took no writes any more")),
          memory_ids_(
              telemetry.metrics.gauge("helios_gateway_dedup_memory_ids",
                                      "Ids held in memory: pending, recent, and not yet indexed")),
          stale_hits_(
              telemetry.metrics.counter("helios_gateway_index_stale_hits_total",
                                        "Index entries that pointed at no record, another one, or "
                                        "one past its horizon")),
          stage_({.room = std::string(room),
                  .name = "dedup-index",
                  .batch_records_max = tail_records_max,
                  .batch_bytes_max = tail_bytes_max,
                  .poll_wait = tail_wait,
                  .pace = tail_pace,
                  .retry_after = retry_pause,
                  .failing = "the deduplication index can't follow the log; ids stay in memory",
                  .works_again = "the deduplication index follows the log again"},
                 *this, log, telemetry, clock, index_failures_) {}

    ~TailedDeduplicator() override { close(); }

    Status start() {
        HELIOS_TRY(open_index());
        HELIOS_TRY(stage_.open());
        stage_.start();
        return {};
    }

    log::Offsets indexed_durably() const override {
        const MutexLock lock(indexed_mutex_);
        return durable_;
    }

    Status health() const override {
        if (!troubled_.load(std::memory_order_acquire)) {
            return {};
        }
        const MutexLock lock(trouble_mutex_);
        return lost_      ? fail(*lost_)
               : damaged_ ? fail(*damaged_)
               : behind_  ? fail(*behind_)
                          : Status{};
    }

    Status index_health() const override {
        HELIOS_TRY(health());
        return stage_.health();
    }

    Status check_files() override {
        Status found;
        {
            const SharedLock lock(index_mutex_);
            if (!index_) {
                return health();  // being rebuilt, and that failed
            }
            found = index_->check_files();
        }
        if (!found && found.error().kind == ErrorKind::corrupt) {
            give_up(found.error());
            return health();
        }
        const MutexLock lock(trouble_mutex_);
        lost_ = found ? std::optional<Error>() : found.error();
        troubled_.store(lost_ || damaged_ || behind_, std::memory_order_release);
        return found;
    }

    Result<Claim> claim(const Digest128& identity, const Content& content) override {
        HELIOS_TRY(health());
        Shard& shard = shard_of(identity);
        bool trust_index = true;
        while (true) {
            Position at;
            {
                MutexLock lock(shard.mutex);
                if (const auto it = shard.entries.find(identity); it != shard.entries.end()) {
                    const Entry& entry = it->second;
                    if (entry.pending) {
                        return Joined{entry.pending, entry.content == content.digest};
                    }
                    if (is_past(content.source, entry.log_time)) {
                        shard.entries.erase(it);
                        memory_ids_.add(-1);
                        return take(shard, identity, content);
                    }
                    if (entry.content == content.digest) {
                        return Taken{token_of(entry.at, entry.log_time), true};
                    }
                    at = entry.at;
                } else {
                    std::optional<Position> hit;
                    if (trust_index) {
                        HELIOS_TRY_ASSIGN(hit, find_in_index(identity));
                    }
                    if (!hit) {
                        return take(shard, identity, content);
                    }
                    at = *hit;
                }
            }
            HELIOS_TRY_ASSIGN(auto taken, compare_with_log(identity, content, at));
            if (taken) {
                return *std::move(taken);
            }
            stale_hits_.add();
            forget(shard, identity, at);
            trust_index = false;  // what it points at is not there: the id is free
        }
    }

    Result<std::optional<bool>> find(const Digest128& identity, const Content& content) override {
        HELIOS_TRY(health());
        std::optional<Position> at;
        Shard& shard = shard_of(identity);
        {
            const MutexLock lock(shard.mutex);
            const auto it = shard.entries.find(identity);
            if (it != shard.entries.end()) {
                const Entry& entry = it->second;
                if (entry.pending || entry.content == content.digest) {
                    return entry.content == content.digest;
                }
                at = entry.at;
            }
        }
        if (!at) {
            HELIOS_TRY_ASSIGN(at, find_in_index(identity));
        }
        if (!at) {
            return std::nullopt;
        }
        HELIOS_TRY_ASSIGN(const auto taken, compare_with_log(identity, content, *at));
        return taken ? std::optional(taken->same) : std::nullopt;
    }

    void settle(const Digest128& identity, const log::AppendOutcome& outcome) override {
        Shard& shard = shard_of(identity);
        std::shared_ptr<Pending> pending;
        Settled settled = fail(ErrorKind::unavailable, "");
        {
            MutexLock lock(shard.mutex);
            const auto it = shard.entries.find(identity);
            HELIOS_ASSERT(it != shard.entries.end() && it->second.pending,
                          "settled an id that nobody has claimed");
            pending = std::move(it->second.pending);
            if (outcome) {
                Entry& entry = it->second;
                entry.at = outcome->at;
                entry.log_time = outcome->log_time;
                settled = token_of(entry.at, entry.log_time);
                shard.durable.emplace_back(identity, entry.at);
                evict(shard);
            } else {
                settled = fail(outcome.error());
                shard.entries.erase(it);
                memory_ids_.add(-1);
            }
        }
        pending->settle(std::move(settled));
    }

    bool caught_up() const override { return caught_up_.load(std::memory_order_acquire); }

    Instant reached() const override {
        return from_nanos(reached_ns_.load(std::memory_order_relaxed));
    }

    bool wait_caught_up(Duration limit) const override {
        MutexLock lock(caught_up_mutex_);
        return caught_up_changed_.wait_for(lock, limit, [&] { return caught_up(); });
    }

    void close() override {
        stage_.stop();
        if (!index_) {
            return;
        }
        if (const auto closed = index_->close(); !closed) {
            telemetry_.logger.warn(room,
                                   "the deduplication index was not written out; what it lacks the "
                                   "next start reads from the log",
                                   {{"error", closed.error().message()}});
        }
        index_.reset();
    }

private:
    Shard& shard_of(const Digest128& identity) { return shards_[identity.back() % shard_count]; }

    Result<std::optional<Position>> find_in_index(const Digest128& identity) {
        const SharedLock lock(index_mutex_);
        if (!index_) {
            return fail(ErrorKind::stopping, "the deduplication index is closed");
        }
        HELIOS_TRY(health());  // once more: a new index may be in place that knows nothing yet
        auto hit = index_->find(identity);
        if (hit) {
            return hit;
        }
        index_failures_.add();
        if (hit.error().kind != ErrorKind::corrupt) {
            return hit;
        }
        give_up(hit.error());
        return fail(health().error());
    }

    /// The index is damaged: nobody is told anything from it any more, and the tail makes it anew.
    void give_up(const Error& why) {
        {
            const MutexLock lock(trouble_mutex_);
            if (damaged_) {
                return;
            }
            damaged_ = Error{ErrorKind::unavailable,
                             "the deduplication index is damaged and is being rebuilt from the log",
                             "wait; this needs no action"};
            troubled_.store(true, std::memory_order_release);
        }
        telemetry_.logger.error(room,
                                "the deduplication index is damaged; it is rebuilt from the log",
                                {{"why", why.what}});
        stage_.restart();
    }

    bool is_damaged() const {
        const MutexLock lock(trouble_mutex_);
        return damaged_.has_value();
    }

    void recovered() {
        const MutexLock lock(trouble_mutex_);
        if (!damaged_ && !behind_) {
            return;
        }
        telemetry_.logger.info(room, damaged_ ? "the deduplication index is rebuilt"
                                              : "the deduplication index knows all ids again");
        damaged_.reset();
        behind_.reset();
        troubled_.store(lost_.has_value(), std::memory_order_release);
    }

    /// What is in memory stays there until the new index has it.
    Status make_anew() {
        const ExclusiveLock lock(index_mutex_);
        index_.reset();
        HELIOS_TRY(DedupIndex::destroy(options_, files_));
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_, files_));
        rebuilds_.add();
        return {};
    }

    /// The index takes no writes any more, until it is opened again. What it has in memory can
    /// still be found.
    void note_failure(const Error& error) {
        if (error.kind == ErrorKind::corrupt) {
            return give_up(error);
        }
        failed_ = error;
        stage_.restart();
    }

    /// Not before the disk takes writes, and later after each time that it did so in vain. What the
    /// index had in memory alone is read from the log again; nothing is claimed until then, because
    /// our own memory may have let go of those ids.
    Status reopen() {
        if (reopen_in_ > 0) {
            --reopen_in_;
            return fail(*failed_);
        }
        if (!index_->may_reopen()) {
            return fail(*failed_);
        }
        caught_up_.store(false, std::memory_order_release);
        bool told = true;
        {
            const MutexLock lock(trouble_mutex_);
            told = std::exchange(behind_, Error{ErrorKind::unavailable,
                                                "the deduplication index has been opened again "
                                                "and reads the end of the log",
                                                "wait; this needs no action"})
                       .has_value();
            troubled_.store(true, std::memory_order_release);
        }
        if (!told) {
            telemetry_.logger.warn(room,
                                   "the deduplication index took no writes any more; it is opened "
                                   "again and reads the end of the log",
                                   {{"why", failed_->what}});
        }
        Status opened;
        {
            const ExclusiveLock lock(index_mutex_);
            opened = index_->reopen();
        }
        if (opened) {
            opened = check_origin();
        }
        if (!opened) {
            if (opened.error().kind == ErrorKind::corrupt) {
                give_up(opened.error());
            }
            return fail(*failed_);
        }
        reopenings_.add();
        reopenings_in_a_row_ = std::min(reopenings_in_a_row_ + 1, reopenings_in_a_row_max);
        reopen_in_ = (1u << reopenings_in_a_row_) - 1;
        failed_.reset();
        flush_at_once_ = true;
        return {};
    }

    // -- What the stage asks: durable records → index, then what memory may forget.

    Result<log::Standing> restore(const log::Assignment&) override {
        entries_.clear();
        if (is_damaged()) {
            caught_up_.store(false, std::memory_order_release);
            publish(from_beginning());  // before the index that knows of nothing is in place
            HELIOS_TRY(make_anew());
            failed_.reset();
        } else if (failed_) {
            HELIOS_TRY(reopen());
        }
        caught_up_.store(false, std::memory_order_release);
        log::Offsets from = from_beginning();
        // What it was opened with is what it stands at only before anything was written.
        if (const auto& kept = index_->position_at_open(); !kept.empty()) {
            for (auto& [id, offset] : from) {
                const auto at = kept.find(id);
                offset = at == kept.end() ? Offset{} : at->second;
            }
        } else {
            HELIOS_TRY_ASSIGN(from, from_horizon());
        }
        publish(from);
        note_durable(from);
        flushed_at_ = clock_.monotonic();
        HELIOS_TRY_ASSIGN(ends_, log_.ends_of(from));
        if (has_reached_ends(from)) {
            catch_up();
        }
        return log::Standing{from, from};
    }

    Result<bool> prepare(const log::Batch& batch) override {
        batch_is_empty_ = batch.records.empty();
        return true;
    }

    Result<log::Taken> apply(const log::StoredRecord& record, bool, log::Outputs&) override {
        if (const auto stored = identity_of(record)) {
            entries_.push_back({*stored, record.at, record.log_time});
        }
        last_applied_ = record.log_time;
        return log::Taken::whole;
    }

    Result<log::Offsets> commit(const log::Outputs&, const log::GroupOffsets& position) override {
        const auto written = index_->write(entries_, position.to);
        if (!written) {
            note_failure(written.error());
        }
        HELIOS_TRY(written);
        publish(position.to);
        entries_.clear();
        return log::Offsets{};
    }

    void after_round() override {
        reached_ns_.store(to_nanos(last_applied_), std::memory_order_relaxed);
        if (!caught_up() && (batch_is_empty_ || has_reached_ends(stage_.committed()))) {
            catch_up();
        }
        flush_now_and_then();
    }

    /// What is on disk of the index holds the log, and a start after a crash reads the rest again.
    void flush_now_and_then() {
        const Duration now = clock_.monotonic();
        const bool due = now - flushed_at_ >= options_.index_flush_interval &&
                         stage_.committed() != indexed_durably();
        if (!health() || !(due || flush_at_once_)) {
            return;
        }
        const bool proved = !std::exchange(flush_at_once_, false);  // it has worked for a while
        flushed_at_ = now;
        if (const auto flushed = index_->flush(); !flushed) {
            index_failures_.add();
            return note_failure(flushed.error());
        }
        if (proved) {
            reopenings_in_a_row_ = reopen_in_ = 0;
        }
        note_durable(stage_.committed());
    }

    void note_durable(const log::Offsets& position) {
        const MutexLock lock(indexed_mutex_);
        durable_ = position;
    }

    /// So that the next start has little to read again; what fails here it reads.
    void stopped() override {
        while (caught_up()) {
            const auto taken = stage_.step(Duration{});
            if (!taken || *taken == 0) {
                return;
            }
        }
    }

    log::Offsets from_beginning() {
        log::Offsets from;
        for (const auto topic : indexed_topics) {
            for (const auto& id : log_.partitions_of(topic)) {
                from[id] = Offset{};
                const MutexLock lock(indexed_mutex_);
                auto& partitions = indexed_of(topic);
                partitions.resize(std::max<std::size_t>(partitions.size(), id.index + 1));
            }
        }
        return from;
    }

    /// Where ids begin to count: nothing older is a copy's original, and nothing older may be on
    /// the log.
    Result<log::Offsets> from_horizon() {
        std::vector<Partition> ids;
        for (const auto& [id, offset] : from_beginning()) {
            ids.push_back(id);
        }
        const Duration horizon = options_.dedup_horizon_longest();
        return horizon == Duration::zero() ? log::log_start(log_, ids)
                                           : log_.offsets_at(ids, log_.now() - horizon);
    }

    bool has_reached_ends(const log::Offsets& position) const {
        return std::all_of(ends_.begin(), ends_.end(),
                           [&](const auto& end) { return position.at(end.first) >= end.second; });
    }

    void catch_up() {
        {
            const MutexLock lock(caught_up_mutex_);
            caught_up_.store(true, std::memory_order_release);
            caught_up_changed_.notify_all();
        }
        recovered();
    }

    /// The id becomes the caller's.
    Result<Claim> take(Shard& shard, const Digest128& identity, const Content& content)
        HELIOS_REQUIRES(shard.mutex) {
        if (shard.entries.size() >= options_.unindexed_ids_max / shard_count + 1 &&
            shard.entries.size() > options_.recent_ids_max / shard_count) {
            return fail(ErrorKind::exhausted, "too many ids wait for the deduplication index",
                        "slow down; raise gateway.unindexed_ids_max if this lasts");
        }
        Entry entry;
        entry.pending = std::make_shared<Pending>();
        entry.content = content.digest;
        shard.entries.emplace(identity, std::move(entry));
        memory_ids_.add(1);
        return Fresh{identity};
    }

    /// Durable ids beyond the bound leave, oldest first, once the index has them.
    void evict(Shard& shard) HELIOS_REQUIRES(shard.mutex) {
        while (shard.durable.size() > options_.recent_ids_max / shard_count) {
            const auto& [identity, at] = shard.durable.front();
            if (!is_indexed(at)) {
                return;
            }
            const auto it = shard.entries.find(identity);
            if (it != shard.entries.end() && !it->second.pending && it->second.at == at) {
                shard.entries.erase(it);
                memory_ids_.add(-1);
            }
            shard.durable.pop_front();
        }
    }

    /// A stale hit may also have come from memory, when a record that was durable is damaged now.
    void forget(Shard& shard, const Digest128& identity, const Position& at) {
        MutexLock lock(shard.mutex);
        const auto it = shard.entries.find(identity);
        if (it != shard.entries.end() && !it->second.pending && it->second.at == at) {
            shard.entries.erase(it);
            memory_ids_.add(-1);
        }
    }

    /// Whether an event of that time can't make another a copy any more.
    bool is_past(std::string_view source, Instant log_time) {
        const Duration horizon = options_.dedup_horizon_of(source);
        return horizon > Duration::zero() && log_time < log_.now() - horizon;
    }

    /// The record an id is said to stand at. nullopt: there is none, it is another's, or it is past
    /// its source's horizon.
    Result<std::optional<Taken>> compare_with_log(const Digest128& identity, const Content& content,
                                                  const Position& at) {
        const auto batch = log_.read_at(at);
        if (!batch) {
            const auto kind = batch.error().kind;
            if (kind == ErrorKind::not_found || kind == ErrorKind::corrupt ||
                kind == ErrorKind::invalid) {
                return std::nullopt;
            }
            return fail(batch.error());
        }
        if (batch->records.empty()) {
            return std::nullopt;
        }
        const auto& record = batch->records.front();
        const auto stored = content_of(record);
        if (!stored || stored->identity != identity || is_past(content.source, record.log_time)) {
            return std::nullopt;
        }
        return Taken{token_of(at, record.log_time), stored->digest == content.digest};
    }

    Status open_index() {
        auto opened = DedupIndex::open(options_, files_);
        Status usable;
        if (opened) {
            index_ = *std::move(opened);
            usable = check_origin();
        } else {
            usable = fail(opened.error());
        }
        if (usable || usable.error().kind != ErrorKind::corrupt) {
            return usable;
        }
        telemetry_.logger.error(
            room, "the deduplication index is damaged or another log's; it is rebuilt from the log",
            {{"why", usable.error().what}});
        rebuilds_.add();
        index_.reset();
        HELIOS_TRY(DedupIndex::destroy(options_, files_));
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_, files_));
        return {};
    }

    /// corrupt: the index reflects no prefix of this log.
    Status check_origin() {
        HELIOS_TRY_ASSIGN(const auto ends, log_.ends_of(index_->position_at_open()));
        for (const auto& [id, offset] : index_->position_at_open()) {
            const auto it = ends.find(id);
            if ((it == ends.end() && offset.value > 0) ||
                (it != ends.end() && offset > it->second)) {
                return fail(ErrorKind::corrupt, "it is past the end of the log");
            }
        }
        if (!index_->position_at_open().empty()) {
            const auto reader = log_.read(index_->position_at_open());
            if (!reader && reader.error().kind == ErrorKind::not_found) {
                return fail(ErrorKind::corrupt, "it stands where the log has been dropped");
            }
        }
        if (const auto& last = index_->last_entry_at_open(); last && !is_dropped(last->at)) {
            const auto batch = log_.read_at(last->at);
            if (batch && !batch->records.empty()) {
                const auto stored = identity_of(batch->records.front());
                if (stored == last->identity) {
                    return {};
                }
            }
            return fail(ErrorKind::corrupt, "its last entry is not on this log");
        }
        return {};
    }

    /// Past the log's retention: nothing can be compared with it any more.
    bool is_dropped(const Position& at) {
        return std::ranges::any_of(log_.kept(), [&](const log::Kept& kept) {
            return kept.retention == log::RetentionClass::data && at.offset < kept.begin;
        });
    }

    void publish(const log::Offsets& position) {
        MutexLock lock(indexed_mutex_);
        for (const auto& [id, offset] : position) {
            indexed_of(id.topic)[id.index] = offset;
        }
    }

    bool is_indexed(const Position& at) {
        MutexLock lock(indexed_mutex_);
        const auto& partitions = indexed_of(at.partition.topic);
        return at.partition.index < partitions.size() && at.offset < partitions[at.partition.index];
    }

    const Options options_;
    const IndexFiles files_;
    model::PositionToken token_of(const Position& at, Instant log_time) const {
        return {log::hash_of(log_.id()), at, log_time};
    }

    log::Log& log_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    telemetry::Counter& index_failures_;
    telemetry::Counter& rebuilds_;
    telemetry::Counter& reopenings_;
    telemetry::Gauge& memory_ids_;
    telemetry::Counter& stale_hits_;

    std::array<Shard, shard_count> shards_;
    SharedMutex index_mutex_;  ///< exclusive: index_ is exchanged, by the tail
    std::unique_ptr<DedupIndex> index_;

    mutable Mutex trouble_mutex_;
    /// Until a new index has caught up.
    std::optional<Error> damaged_ HELIOS_GUARDED_BY(trouble_mutex_);
    /// Opened again, until it has caught up.
    std::optional<Error> behind_ HELIOS_GUARDED_BY(trouble_mutex_);
    std::optional<Error> lost_ HELIOS_GUARDED_BY(trouble_mutex_);  ///< its files are not there
    std::atomic<bool> troubled_{false};

    mutable Mutex indexed_mutex_;
    log::Offsets durable_ HELIOS_GUARDED_BY(indexed_mutex_);
    /// Topic → partition → next offset.
    std::array<std::vector<Offset>, model::all_topics.size() + 1> indexed_
        HELIOS_GUARDED_BY(indexed_mutex_);
    std::vector<Offset>& indexed_of(TopicId topic) HELIOS_REQUIRES(indexed_mutex_) {
        return indexed_[static_cast<std::size_t>(topic)];
    }

    mutable Mutex caught_up_mutex_;
    mutable Condition caught_up_changed_;
    std::atomic<bool> caught_up_{false};
    std::atomic<std::int64_t> reached_ns_{0};

    // The stage's thread's.
    std::vector<IndexEntry> entries_;  ///< applied, not yet written
    log::Offsets ends_;                ///< of the log, when the index began to follow it
    bool batch_is_empty_ = true;
    Instant last_applied_{};
    Duration flushed_at_{};        ///< monotonic
    std::optional<Error> failed_;  ///< why the index takes no writes any more
    unsigned reopen_in_ = 0;       ///< restores that only wait
    unsigned reopenings_in_a_row_ = 0;
    bool flush_at_once_ = false;  ///< it was opened again: does the disk work?

    log::Stage stage_;  // last: it uses all of the above
};

}  // namespace

Digest128 dlq_identity(std::string_view dlq_id) {
    ByteWriter name;
    for (const std::string_view part : {std::string_view(), std::string_view("dlq"), dlq_id}) {
        name.string(part);  // no event's identity begins so: no tenant is empty
    }
    return sha256_128(name.view());
}

Result<std::unique_ptr<Deduplicator>> Deduplicator::open(const Options& options, log::Log& log,
                                                         telemetry::Telemetry& telemetry,
                                                         const Clock& clock) {
    return open(options, IndexFiles{}, log, telemetry, clock);
}

Result<std::unique_ptr<Deduplicator>> Deduplicator::open(const Options& options,
                                                         const IndexFiles& files, log::Log& log,
                                                         telemetry::Telemetry& telemetry,
                                                         const Clock& clock) {
    auto deduplicator = std::make_unique<TailedDeduplicator>(options, files, log, telemetry, clock);
    HELIOS_TRY(deduplicator->start());
    return deduplicator;
}

}  // namespace helios::gateway
