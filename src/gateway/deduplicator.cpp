#include "gateway/deduplicator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/assert.h"
#include "base/bytes.h"
#include "gateway/dedup_index.h"
#include "log/stage.h"
#include "model/quarantined.h"
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

/// The topics that ids come from.
constexpr std::array<std::string_view, 5> indexed_topics{
    model::topic::orders, model::topic::payments, model::topic::inventory, model::topic::other,
    model::topic::dlq};

model::TopicId topic_of(std::string_view name) {
    const auto id = model::topic_of(name);
    HELIOS_ASSERT(id != model::TopicId::none, "a position on a topic that is none of ours");
    return id;
}

bool exists(const model::EventPointer& at) {
    return !model::name_of(at.topic).empty();
}
log::TopicPartition partition_of(const model::EventPointer& at) {
    return {std::string(model::name_of(at.topic)), at.partition};
}

/// Exact content, fast to compare. Unequal digests say nothing yet: the same JSON can be written in
/// many ways.
Digest128 digest_of(const Content& content) {
    ByteWriter out;
    out.string(content.type);
    out.raw(content.payload);
    return sha256_128(out.view());
}

bool same_content(const Content& content, std::string_view type, std::string_view payload) {
    if (content.type != type) {
        return false;
    }
    if (content.payload == payload) {
        return true;
    }
    const auto other = json::Document::parse(payload);
    return content.parsed && other &&
           json::canonical(content.parsed) == json::canonical(other->root());
}

struct IdentityHash {
    std::size_t operator()(const Digest128& d) const {
        std::size_t h = 0;
        std::memcpy(&h, d.data(), sizeof h);  // already a hash
        return h;
    }
};

/// The identity under which a stored record is found, and its content.
struct StoredIdentity {
    Digest128 identity{};
    std::string type;
    std::string payload;
};

std::optional<StoredIdentity> identity_of(const log::StoredRecord& record) {
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event: {
            auto event = model::decode_event(record.value);
            if (!event) {
                return std::nullopt;
            }
            return StoredIdentity{model::identity_of(*event), std::move(event->type),
                                  std::move(event->payload)};
        }
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation: {
            const auto item = model::decode_quarantined(record.value);
            if (!item) {
                return std::nullopt;
            }
            return StoredIdentity{dlq_identity(item->id), {}, {}};
        }
        default:
            return std::nullopt;
    }
}

class Pending final : public PendingAppend {
public:
    explicit Pending(const Content& content) : type_(content.type), payload_(content.payload) {}

    bool has_content(const Content& content) const {
        return same_content(content, type_, payload_);
    }

    void when_settled(std::function<void(const Settled&)> then) override {
        {
            std::lock_guard lock(mutex_);
            if (!outcome_) {
                waiting_.push_back(std::move(then));
                return;
            }
        }
        then(*outcome_);  // never changes once set
    }

    void settle(Settled outcome) {
        std::vector<std::function<void(const Settled&)>> waiting;
        {
            std::lock_guard lock(mutex_);
            outcome_ = std::move(outcome);
            waiting.swap(waiting_);
        }
        for (auto& then : waiting) {
            then(*outcome_);
        }
    }

private:
    const std::string type_;
    const std::string payload_;
    std::mutex mutex_;
    std::optional<Settled> outcome_;
    std::vector<std::function<void(const Settled&)>> waiting_;
};

struct Entry {
    std::shared_ptr<Pending> pending;  ///< null once durable
    Digest128 content{};
    model::EventPointer at;
    Instant log_time{};
};

struct Shard {
    std::mutex mutex;
    std::unordered_map<Digest128, Entry, IdentityHash> entries;
    std::deque<std::pair<Digest128, model::EventPointer>>
        durable;  ///< in the order in which they became durable: the oldest leave first
};

class TailedDeduplicator final : public Deduplicator, log::StageWork {
public:
    TailedDeduplicator(const Options& options, log::Log& log, telemetry::Telemetry& telemetry,
                       const Clock& clock)
        : options_(options),
          log_(log),
          telemetry_(telemetry),
          index_failures_(
              telemetry.metrics.counter("helios_gateway_index_failures_total",
                                        "Failed reads and writes of the deduplication index")),
          rebuilds_(telemetry.metrics.counter(
              "helios_gateway_index_rebuilds_total",
              "Deduplication index thrown away and rebuilt from the log")),
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

    log::Offsets indexed() const override {
        log::Offsets out;
        const std::lock_guard lock(indexed_mutex_);
        for (const auto topic : indexed_topics) {
            const auto& partitions = indexed_[static_cast<std::size_t>(topic_of(topic))];
            for (auto& id : log_.partitions_of(topic)) {
                const std::size_t at = id.partition;
                out[std::move(id)] = log::Offset{at < partitions.size() ? partitions[at] : 0};
            }
        }
        return out;
    }

    Status health() const override {
        if (!troubled_.load(std::memory_order_acquire)) {
            return {};
        }
        const std::lock_guard lock(trouble_mutex_);
        return lost_ ? fail(*lost_) : damaged_ ? fail(*damaged_) : Status{};
    }

    Status check_files() override {
        Status found;
        {
            const std::shared_lock lock(index_mutex_);
            if (!index_) {
                return health();  // being rebuilt, and that failed
            }
            found = index_->check_files();
        }
        if (!found && found.error().kind == ErrorKind::corrupt) {
            give_up(found.error());
            return health();
        }
        const std::lock_guard lock(trouble_mutex_);
        lost_ = found ? std::optional<Error>() : found.error();
        troubled_.store(lost_ || damaged_, std::memory_order_release);
        return found;
    }

    Result<Claim> claim(const Digest128& identity, const Content& content) override {
        HELIOS_TRY(health());
        const auto digest = digest_of(content);
        Shard& shard = shard_of(identity);
        bool trust_index = true;
        while (true) {
            model::EventPointer at;
            std::shared_ptr<Pending> pending;
            {
                std::lock_guard lock(shard.mutex);
                if (const auto it = shard.entries.find(identity); it != shard.entries.end()) {
                    const Entry& entry = it->second;
                    if (!entry.pending && is_past(content.source, entry.log_time)) {
                        shard.entries.erase(it);
                        memory_ids_.add(-1);
                        return take(shard, identity, content, digest);
                    }
                    if (!entry.pending && entry.content == digest) {
                        return Taken{token_of(entry.at, entry.log_time), true};
                    }
                    pending = entry.pending;
                    at = entry.at;
                } else {
                    std::optional<model::EventPointer> hit;
                    if (trust_index) {
                        HELIOS_TRY_ASSIGN(hit, find_in_index(identity));
                    }
                    if (!hit) {
                        return take(shard, identity, content, digest);
                    }
                    at = *hit;
                }
            }
            if (pending) {
                return Joined{pending, pending->has_content(content)};
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

    void settle(const Digest128& identity, const log::AppendOutcome& outcome) override {
        Shard& shard = shard_of(identity);
        std::shared_ptr<Pending> pending;
        Settled settled = fail(ErrorKind::unavailable, "");
        {
            std::lock_guard lock(shard.mutex);
            const auto it = shard.entries.find(identity);
            HELIOS_ASSERT(it != shard.entries.end() && it->second.pending,
                          "settled an id that nobody has claimed");
            pending = std::move(it->second.pending);
            if (outcome) {
                Entry& entry = it->second;
                entry.at = {topic_of(outcome->topic), outcome->partition, outcome->offset.value};
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
        std::unique_lock lock(caught_up_mutex_);
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

    Result<std::optional<model::EventPointer>> find_in_index(const Digest128& identity) {
        const std::shared_lock lock(index_mutex_);
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
            const std::lock_guard lock(trouble_mutex_);
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
        const std::lock_guard lock(trouble_mutex_);
        return damaged_.has_value();
    }

    void recovered() {
        const std::lock_guard lock(trouble_mutex_);
        if (!damaged_) {
            return;
        }
        damaged_.reset();
        troubled_.store(lost_.has_value(), std::memory_order_release);
        telemetry_.logger.info(room, "the deduplication index is rebuilt");
    }

    /// What is in memory stays there until the new index has it.
    Status make_anew() {
        const std::unique_lock lock(index_mutex_);
        index_.reset();
        HELIOS_TRY(DedupIndex::destroy(options_));
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_));
        rebuilds_.add();
        return {};
    }

    // -- What the stage asks: durable records → index, then what memory may forget.

    Result<log::Standing> restore() override {
        caught_up_.store(false, std::memory_order_release);
        entries_.clear();
        const bool anew = is_damaged();
        if (anew) {
            publish(from_beginning());  // before the index that knows of nothing is in place
            HELIOS_TRY(make_anew());
        }
        log::Offsets from = from_beginning();
        // What it was opened with is what it stands at only before anything was written.
        if (const auto& kept = index_->position_at_open(); !kept.empty()) {
            for (auto& [id, offset] : from) {
                const auto at = kept.find(id);
                offset = at == kept.end() ? log::Offset{} : at->second;
            }
        } else {
            HELIOS_TRY_ASSIGN(from, from_horizon());
        }
        publish(from);
        ends_.clear();
        for (const auto& info : log_.describe()) {
            if (from.contains(info.id)) {
                ends_[info.id] = info.end;
            }
        }
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
            entries_.push_back({stored->identity,
                                {topic_of(record.topic), record.partition, record.offset.value},
                                record.log_time});
        }
        last_applied_ = record.log_time;
        return log::Taken::whole;
    }

    Result<log::Offsets> commit(const log::Outputs&, const log::GroupOffsets& position) override {
        auto written = index_->write(entries_, position.to);
        if (!written && written.error().kind == ErrorKind::corrupt) {
            give_up(written.error());
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
                from[id] = log::Offset{};
                const std::lock_guard lock(indexed_mutex_);
                auto& partitions = indexed_of(topic_of(topic));
                partitions.resize(std::max<std::size_t>(partitions.size(), id.partition + 1));
            }
        }
        return from;
    }

    /// Where ids begin to count: nothing older is a copy's original, and nothing older may be on
    /// the log.
    Result<log::Offsets> from_horizon() {
        std::vector<log::TopicPartition> ids;
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
            const std::lock_guard lock(caught_up_mutex_);
            caught_up_.store(true, std::memory_order_release);
            caught_up_changed_.notify_all();
        }
        recovered();
    }

    /// Under the shard's lock: the id becomes the caller's.
    Result<Claim> take(Shard& shard, const Digest128& identity, const Content& content,
                       const Digest128& digest) {
        if (shard.entries.size() >= options_.unindexed_ids_max / shard_count + 1 &&
            shard.entries.size() > options_.recent_ids_max / shard_count) {
            return fail(ErrorKind::exhausted, "too many ids wait for the deduplication index",
                        "slow down; raise gateway.unindexed_ids_max if this lasts");
        }
        Entry entry;
        entry.pending = std::make_shared<Pending>(content);
        entry.content = digest;
        shard.entries.emplace(identity, std::move(entry));
        memory_ids_.add(1);
        return Fresh{identity};
    }

    /// Under the shard's lock: durable ids beyond the bound leave, oldest first, once the index has
    /// them.
    void evict(Shard& shard) {
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
    void forget(Shard& shard, const Digest128& identity, const model::EventPointer& at) {
        std::lock_guard lock(shard.mutex);
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
                                                  const model::EventPointer& at) {
        if (!exists(at)) {
            return std::nullopt;
        }
        const auto batch = log_.read_at(partition_of(at), log::Offset{at.offset});
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
        const auto stored = identity_of(record);
        if (!stored || stored->identity != identity || is_past(content.source, record.log_time)) {
            return std::nullopt;
        }
        return Taken{token_of(at, record.log_time),
                     same_content(content, stored->type, stored->payload)};
    }

    Status open_index() {
        auto opened = DedupIndex::open(options_);
        std::string why;
        if (opened) {
            index_ = *std::move(opened);
            why = why_foreign();
        } else if (opened.error().kind == ErrorKind::corrupt) {
            why = opened.error().what;
        } else {
            return fail(opened.error());
        }
        if (why.empty()) {
            return {};
        }
        telemetry_.logger.error(
            room, "the deduplication index is damaged or another log's; it is rebuilt from the log",
            {{"why", why}});
        rebuilds_.add();
        index_.reset();
        HELIOS_TRY(DedupIndex::destroy(options_));
        HELIOS_TRY_ASSIGN(index_, DedupIndex::open(options_));
        return {};
    }

    /// Empty if the index reflects a prefix of this log.
    std::string why_foreign() {
        std::map<log::TopicPartition, log::Offset> ends;
        for (const auto& info : log_.describe()) {
            ends[info.id] = info.end;
        }
        for (const auto& [id, offset] : index_->position_at_open()) {
            const auto it = ends.find(id);
            if ((it == ends.end() && offset.value > 0) ||
                (it != ends.end() && offset > it->second)) {
                return "it is past the end of the log";
            }
        }
        if (!index_->position_at_open().empty()) {
            const auto reader = log_.read(index_->position_at_open());
            if (!reader && reader.error().kind == ErrorKind::not_found) {
                return "it stands where the log has been dropped";
            }
        }
        if (const auto& last = index_->last_entry_at_open(); last && !is_dropped(last->at)) {
            const auto batch =
                exists(last->at)
                    ? log_.read_at(partition_of(last->at), log::Offset{last->at.offset})
                    : Result<log::Batch>(fail(ErrorKind::not_found, ""));
            if (batch && !batch->records.empty()) {
                const auto stored = identity_of(batch->records.front());
                if (stored && stored->identity == last->identity) {
                    return {};
                }
            }
            return "its last entry is not on this log";
        }
        return {};
    }

    /// Past the log's retention: nothing can be compared with it any more.
    bool is_dropped(const model::EventPointer& at) {
        return std::ranges::any_of(log_.kept(), [&](const log::Kept& kept) {
            return kept.retention == log::RetentionClass::data && at.offset < kept.begin.value;
        });
    }

    void publish(const log::Offsets& position) {
        std::lock_guard lock(indexed_mutex_);
        for (const auto& [id, offset] : position) {
            indexed_of(topic_of(id.topic))[id.partition] = offset.value;
        }
    }

    bool is_indexed(const model::EventPointer& at) {
        std::lock_guard lock(indexed_mutex_);
        const auto& partitions = indexed_of(at.topic);
        return at.partition < partitions.size() && at.offset < partitions[at.partition];
    }

    const Options options_;
    model::PositionToken token_of(const model::EventPointer& at, Instant log_time) const {
        return {log::hash_of(log_.id()), at, log_time};
    }

    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    telemetry::Counter& index_failures_;
    telemetry::Counter& rebuilds_;
    telemetry::Gauge& memory_ids_;
    telemetry::Counter& stale_hits_;

    std::array<Shard, shard_count> shards_;
    std::shared_mutex index_mutex_;  ///< exclusive: index_ is exchanged, by the tail
    std::unique_ptr<DedupIndex> index_;

    mutable std::mutex trouble_mutex_;
    std::optional<Error> damaged_;  ///< guarded; until a new index has caught up
    std::optional<Error> lost_;     ///< guarded; its files are not there
    std::atomic<bool> troubled_{false};

    mutable std::mutex indexed_mutex_;
    std::array<std::vector<std::uint64_t>, model::all_topics.size() + 1>
        indexed_;  ///< topic → partition → next offset
    std::vector<std::uint64_t>& indexed_of(model::TopicId topic) {
        return indexed_[static_cast<std::size_t>(topic)];
    }

    mutable std::mutex caught_up_mutex_;
    mutable std::condition_variable caught_up_changed_;
    std::atomic<bool> caught_up_{false};
    std::atomic<std::int64_t> reached_ns_{0};

    // The stage's thread's.
    std::vector<IndexEntry> entries_;  ///< applied, not yet written
    log::Offsets ends_;                ///< of the log, when the index began to follow it
    bool batch_is_empty_ = true;
    Instant last_applied_{};

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
    auto deduplicator = std::make_unique<TailedDeduplicator>(options, log, telemetry, clock);
    HELIOS_TRY(deduplicator->start());
    return deduplicator;
}

}  // namespace helios::gateway
