#include "log/memory_log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/mutex.h"

namespace helios::log {
namespace {

constexpr std::uint64_t gap_in = 8;  // of so many records, about one lies behind a gap

struct Entry {
    Offset offset;
    Instant log_time;
    std::uint16_t type = 0;
    std::uint8_t version = 0;
    std::uint32_t payload_key_id = 0;
    std::size_t key_bytes = 0;
    std::shared_ptr<const std::string> bytes;  // key, then value
    Headers headers;
};

struct Part {
    Partition id;
    std::size_t topic = 0;
    std::vector<Entry> entries;
    Offset end;                  // the next record's, at least
    Instant floor{};             // the next stamp's, at least
    Duration skew{};             // of its broker's clock
    std::optional<Offset> held;  // readers see nothing from here on
    Instant held_at{};

    Offset stable_end() const { return held.value_or(end); }
    std::size_t index_of(Offset offset) const {
        const auto found = std::lower_bound(
            entries.begin(), entries.end(), offset,
            [](const Entry& entry, Offset wanted) { return entry.offset < wanted; });
        return static_cast<std::size_t>(found - entries.begin());
    }
    /// The first visible one from there on, or nullptr.
    const Entry* next(Offset from) const {
        const std::size_t i = index_of(from);
        return i < entries.size() && entries[i].offset < stable_end() ? &entries[i] : nullptr;
    }
    Result<const Entry*> at(Offset offset) const {
        const Entry* entry = next(offset);
        if (entry == nullptr || entry->offset != offset) {
            return fail(ErrorKind::not_found, "no record begins there");
        }
        return entry;
    }
};

struct Group {
    Offsets at;
    Parts partly;
    bool fenced = false;
    /// Happened, and nobody was told.
    struct Unknown {
        std::vector<Record> outputs;
        GroupOffsets offsets;
        std::vector<Appended> positions;
    };
    std::optional<Unknown> unknown;
};

std::string number_of(TopicId topic) {
    return std::to_string(static_cast<unsigned>(topic));
}

bool is_same(const Record& a, const Record& b) {
    return a.topic == b.topic && a.partition == b.partition && a.type == b.type &&
           a.version == b.version && a.payload_key_id == b.payload_key_id && a.key == b.key &&
           a.value == b.value && a.headers == b.headers;
}

bool is_same(const Group::Unknown& known, const std::vector<Record>& outputs,
             const GroupOffsets& offsets) {
    return known.offsets.from == offsets.from && known.offsets.to == offsets.to &&
           known.offsets.partly == offsets.partly &&
           known.offsets.partly_from == offsets.partly_from &&
           std::equal(known.outputs.begin(), known.outputs.end(), outputs.begin(), outputs.end(),
                      [](const Record& a, const Record& b) { return is_same(a, b); });
}

std::uint64_t outputs_at(const Parts& partly, const Partition& id) {
    const auto found = partly.find(id);
    return found == partly.end() ? 0 : found->second;
}

bool name_the_same(const Offsets& a, const Offsets& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.first == y.first; });
}

}  // namespace

struct MemoryLog::State {
    State(const MemoryLogOptions& o, const std::vector<TopicSpec>& specs, const Clock& c)
        : options(o), topics(specs), clock(c), random(o.seed) {
        for (std::size_t t = 0; t < topics.size(); ++t) {
            if (topics[t].partitions == 0) {
                topics[t].partitions = options.partitions;
            }
            for (std::uint32_t p = 0; p < topics[t].partitions; ++p) {
                index.emplace(Partition{topics[t].id, p}, parts.size());
                parts.push_back({{topics[t].id, p}, t, {}, {}, {}, {}, {}, {}});
            }
        }
    }

    const MemoryLogOptions options;
    std::vector<TopicSpec> topics;  // fixed
    const Clock& clock;
    mutable Mutex mutex;
    Condition changed;
    std::mt19937_64 random HELIOS_GUARDED_BY(mutex);
    std::vector<Part> parts HELIOS_GUARDED_BY(mutex);  // by topic, then partition
    std::map<Partition, std::size_t> index HELIOS_GUARDED_BY(mutex);
    std::map<std::string, Group, std::less<>> groups HELIOS_GUARDED_BY(mutex);
    TransactionFaults faults HELIOS_GUARDED_BY(mutex);
    SignOfLife sign HELIOS_GUARDED_BY(mutex);
    SignOfLife last_sign HELIOS_GUARDED_BY(mutex);
    Instant last_stamp HELIOS_GUARDED_BY(mutex){};
    bool closing HELIOS_GUARDED_BY(mutex) = false;

    std::uint64_t below(std::uint64_t n) HELIOS_REQUIRES(mutex) { return random() % n; }
    bool one_in(std::uint32_t n) HELIOS_REQUIRES(mutex) { return n > 0 && below(n) == 0; }

    const TopicSpec* find_topic(TopicId id) const {
        const auto found = std::ranges::find(topics, id, &TopicSpec::id);
        return found == topics.end() ? nullptr : &*found;
    }
    Part* find(const Partition& id) HELIOS_REQUIRES(mutex) {
        const auto found = index.find(id);
        return found == index.end() ? nullptr : &parts[found->second];
    }
    Result<Part*> resolve(const Partition& id) HELIOS_REQUIRES(mutex) {
        Part* part = find(id);
        if (part == nullptr) {
            return fail(ErrorKind::invalid, "there is no partition " + std::to_string(id.index) +
                                                " of topic number " + number_of(id.topic));
        }
        return part;
    }

    /// What is said of a partition's time is true from then on: its next stamp is no earlier.
    Instant stamp(Part& part) {
        const Duration since = (clock.wall() + part.skew).time_since_epoch();
        part.floor = std::max(part.floor, Instant(since - since % options.grain));
        return part.floor;
    }
    Instant watermark(Part& part) { return part.held ? part.held_at : stamp(part); }

    void leave_a_gap(Part& part, std::uint64_t most) HELIOS_REQUIRES(mutex) {
        if (options.gaps) {
            part.end.value += 1 + below(most);
        }
    }

    /// Where it goes. invalid: nowhere.
    Result<Part*> place(const Record& record) HELIOS_REQUIRES(mutex) {
        const TopicSpec* topic = find_topic(record.topic);
        if (topic == nullptr) {
            return fail(ErrorKind::invalid, "there is no topic number " + number_of(record.topic));
        }
        if (record.key.size() + record.value.size() > options.record_bytes_max) {
            return fail(ErrorKind::invalid, "a record of " + std::to_string(record.value.size()) +
                                                " bytes is too large");
        }
        return resolve(
            {record.topic, record.partition.value_or(partition_of(record.key, topic->partitions))});
    }

    Appended put(Part& part, const Record& record) HELIOS_REQUIRES(mutex) {
        if (one_in(gap_in)) {
            leave_a_gap(part, 3);
        }
        const Appended appended{{part.id, part.end}, stamp(part)};
        part.entries.push_back({part.end, appended.log_time, record.type, record.version,
                                record.payload_key_id, record.key.size(),
                                std::make_shared<const std::string>(record.key + record.value),
                                record.headers});
        part.end.value += 1;
        last_stamp = std::max(last_stamp, appended.log_time);
        return appended;
    }

    Result<std::vector<Part*>> place_all(const std::vector<Record>& outputs,
                                         const GroupOffsets& offsets) HELIOS_REQUIRES(mutex);
    Result<std::vector<Appended>> transact(const std::vector<Record>& outputs,
                                           const GroupOffsets& offsets) HELIOS_REQUIRES(mutex);
    void fill(Batch& batch, Offsets& position, std::size_t max_records, std::size_t max_bytes)
        HELIOS_REQUIRES(mutex);
    Instant complete_below(const Offsets& position) HELIOS_REQUIRES(mutex);
    StoredRecord deliver(const Part& part, const Entry& entry, Batch& batch) const;
};

/// A reader's place; what it reads is the log's, under its mutex.
class MemoryLog::Cursor final : public Reader {
public:
    Cursor(State& state, Offsets from) : state_(state), position_(std::move(from)) {}

    Result<Batch> poll(std::size_t max_records, std::size_t max_bytes, Duration wait) override {
        MutexLock lock(state_.mutex);
        const auto has_news = [&]() HELIOS_REQUIRES(state_.mutex) {
            return state_.closing || woken_ ||
                   std::any_of(position_.begin(), position_.end(),
                               [&](const auto& at) HELIOS_REQUIRES(state_.mutex) {
                                   return state_.find(at.first)->next(at.second) != nullptr;
                               });
        };
        if (wait > Duration::zero()) {
            state_.changed.wait_for(lock, wait, has_news);
        }
        woken_ = false;
        if (state_.closing) {
            return fail(ErrorKind::stopping, "the log is closing");
        }
        Batch batch;
        state_.fill(batch, position_, std::max<std::size_t>(max_records, 1), max_bytes);
        complete_below_ = std::max(complete_below_, state_.complete_below(position_));
        batch.complete_below = complete_below_;
        return batch;
    }
    const Offsets& position() const override { return position_; }
    void wake() override {
        {
            const MutexLock lock(state_.mutex);
            woken_ = true;
        }
        state_.changed.notify_all();
    }

private:
    State& state_;
    Offsets position_;
    Instant complete_below_{};
    bool woken_ HELIOS_GUARDED_BY(state_.mutex) = false;
};

StoredRecord MemoryLog::State::deliver(const Part& part, const Entry& entry, Batch& batch) const {
    StoredRecord record;
    record.at = {part.id, entry.offset};
    record.next = Offset{entry.offset.value + 1};
    record.log_time = entry.log_time;
    record.type = entry.type;
    record.version = entry.version;
    record.payload_key_id = entry.payload_key_id;
    record.key = std::string_view(*entry.bytes).substr(0, entry.key_bytes);
    record.value = std::string_view(*entry.bytes).substr(entry.key_bytes);
    batch.storage.push_back(entry.bytes);
    return record;
}

void MemoryLog::State::fill(Batch& batch, Offsets& position, std::size_t max_records,
                            std::size_t max_bytes) {
    struct Source {
        Part* part;
        Offset* next;
        const Entry* entry;
    };
    std::vector<Source> sources;
    for (auto& [id, offset] : position) {
        Part* part = find(id);
        sources.push_back({part, &offset, part->next(offset)});
    }
    std::size_t bytes = 0;
    for (;;) {
        // Drained: it stands behind what nobody is ever shown, too.
        std::erase_if(sources, [](const Source& source) {
            if (source.entry == nullptr) {
                *source.next = std::max(*source.next, source.part->stable_end());
            }
            return source.entry == nullptr;
        });
        if (sources.empty() || batch.records.size() >= max_records || bytes >= max_bytes) {
            return;
        }
        auto& source = options.shuffled
                           ? sources[below(sources.size())]
                           : *std::min_element(sources.begin(), sources.end(),
                                               [](const Source& a, const Source& b) {
                                                   return a.entry->log_time < b.entry->log_time;
                                               });
        batch.records.push_back(deliver(*source.part, *source.entry, batch));
        bytes += source.entry->bytes->size();
        *source.next = batch.records.back().next;
        source.entry = source.part->next(*source.next);
    }
}

Instant MemoryLog::State::complete_below(const Offsets& position) {
    Instant least = Instant::max();
    for (const auto& [id, offset] : position) {
        Part& part = *find(id);
        const Entry* entry = part.next(offset);
        least = std::min(least, entry != nullptr ? entry->log_time : watermark(part));
    }
    return least == Instant::max() ? Instant{} : least;
}

Result<std::vector<Part*>> MemoryLog::State::place_all(const std::vector<Record>& outputs,
                                                       const GroupOffsets& offsets) {
    if (offsets.group.empty()) {
        return fail(ErrorKind::invalid, "a group has a name");
    }
    if (!name_the_same(offsets.from, offsets.to)) {
        return fail(ErrorKind::invalid, "a transaction's from and to name different partitions");
    }
    for (const auto& [id, offset] : offsets.from) {
        HELIOS_TRY(resolve(id));
    }
    std::vector<Part*> places;
    for (const Record& output : outputs) {
        HELIOS_TRY_ASSIGN(Part* const part, place(output));
        places.push_back(part);
        if (topics[part->topic].retention != topics[places.front()->topic].retention) {
            return fail(ErrorKind::invalid,
                        "a transaction's outputs belong to more than one retention class");
        }
    }
    return places;
}

Result<std::vector<Appended>> MemoryLog::State::transact(const std::vector<Record>& outputs,
                                                         const GroupOffsets& offsets) {
    if (closing) {
        return fail(ErrorKind::stopping, "the log is closing");
    }
    HELIOS_TRY_ASSIGN(const auto places, place_all(outputs, offsets));
    Group& group = groups[offsets.group];
    if (group.fenced) {
        return fail(ErrorKind::conflict, "group " + offsets.group + " has been taken over");
    }
    if (group.unknown && is_same(*group.unknown, outputs, offsets)) {
        auto positions = std::move(group.unknown->positions);
        group.unknown.reset();
        return positions;
    }
    for (const auto& [id, from] : offsets.from) {
        const auto at = group.at.find(id);
        if ((at == group.at.end() ? Offset{0} : at->second) != from ||
            outputs_at(group.partly, id) != outputs_at(offsets.partly_from, id)) {
            return fail(ErrorKind::conflict, "group " + offsets.group + " is elsewhere");
        }
    }
    const bool aborted = one_in(faults.aborted_in);
    const bool unknown = !aborted && one_in(faults.unknown_in);
    const std::set<Part*> touched(places.begin(), places.end());
    if (aborted || (unknown && below(2) == 0)) {
        for (Part* part : touched) {
            leave_a_gap(*part, outputs.size() + 1);
        }
        return aborted ? fail(ErrorKind::unavailable, "the transaction was aborted")
                       : fail(ErrorKind::timeout, "the transaction's outcome is not known");
    }
    std::vector<Appended> positions;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        positions.push_back(put(*places[i], outputs[i]));
    }
    for (Part* part : touched) {
        leave_a_gap(*part, 1);  // the marker
    }
    for (const auto& [id, to] : offsets.to) {
        group.at[id] = to;
        group.partly.erase(id);
        if (const auto left = outputs_at(offsets.partly, id); left > 0) {
            group.partly[id] = left;
        }
    }
    group.unknown.reset();
    if (unknown) {
        group.unknown = {outputs, offsets, std::move(positions)};
        return fail(ErrorKind::timeout, "the transaction's outcome is not known");
    }
    return positions;
}

MemoryLog::MemoryLog(const MemoryLogOptions& options, const std::vector<TopicSpec>& topics,
                     const Clock& clock)
    : state_(std::make_unique<State>(options, topics, clock)) {}

MemoryLog::~MemoryLog() = default;

void MemoryLog::reopen() {
    const MutexLock lock(state_->mutex);
    state_->closing = false;
    state_->last_sign = state_->sign;
}

void MemoryLog::fail_transactions(const TransactionFaults& faults) {
    const MutexLock lock(state_->mutex);
    state_->faults = faults;
}

void MemoryLog::fence(std::string_view group) {
    const MutexLock lock(state_->mutex);
    state_->groups[std::string(group)].fenced = true;
}

void MemoryLog::step_clock(const Partition& id, Duration by) {
    const MutexLock lock(state_->mutex);
    state_->find(id)->skew += by;
}

void MemoryLog::hold(const Partition& id) {
    const MutexLock lock(state_->mutex);
    Part& part = *state_->find(id);
    if (!part.held) {
        part.held = part.end;
        part.held_at = state_->stamp(part);
        part.end.value += 1;  // its first record, which nobody of us will see
    }
}

void MemoryLog::release(const Partition& id) {
    {
        const MutexLock lock(state_->mutex);
        state_->find(id)->held.reset();
    }
    state_->changed.notify_all();
}

Instant MemoryLog::watermark(const Partition& id) {
    const MutexLock lock(state_->mutex);
    return state_->watermark(*state_->find(id));
}

LogId MemoryLog::id() const {
    return {sha256_128("memory log " + std::to_string(state_->options.seed))};
}

void MemoryLog::append(std::vector<Record> records, AppendDone done) {
    std::vector<AppendOutcome> outcomes;
    {
        const MutexLock lock(state_->mutex);
        for (const Record& record : records) {
            if (state_->closing) {
                outcomes.push_back(fail(ErrorKind::stopping, "the log is closing"));
            } else if (const auto part = state_->place(record)) {
                outcomes.push_back(state_->put(**part, record));
            } else {
                outcomes.push_back(fail(part.error()));
            }
        }
    }
    state_->changed.notify_all();
    done(outcomes);
}

void MemoryLog::transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) {
    auto outcome = [&] {
        const MutexLock lock(state_->mutex);
        return state_->transact(outputs, offsets);
    }();
    state_->changed.notify_all();
    done(std::move(outcome));
}

Result<std::unique_ptr<Reader>> MemoryLog::read(Offsets from) {
    const MutexLock lock(state_->mutex);
    for (const auto& [id, offset] : from) {
        HELIOS_TRY(state_->resolve(id));
    }
    return std::make_unique<Cursor>(*state_, std::move(from));
}

Result<Batch> MemoryLog::read_at(const Position& at) {
    const MutexLock lock(state_->mutex);
    HELIOS_TRY_ASSIGN(Part* const part, state_->resolve(at.partition));
    HELIOS_TRY_ASSIGN(const Entry* const entry, part->at(at.offset));
    Batch batch;
    batch.records.push_back(state_->deliver(*part, *entry, batch));
    return batch;
}

Result<Headers> MemoryLog::headers_at(const Position& at) {
    const MutexLock lock(state_->mutex);
    HELIOS_TRY_ASSIGN(Part* const part, state_->resolve(at.partition));
    HELIOS_TRY_ASSIGN(const Entry* const entry, part->at(at.offset));
    return entry->headers;
}

Result<Offsets> MemoryLog::offsets_at(const std::vector<Partition>& ids, Instant t) {
    const MutexLock lock(state_->mutex);
    Offsets out;
    for (const Partition& id : ids) {
        HELIOS_TRY_ASSIGN(Part* const part, state_->resolve(id));
        const auto found = std::lower_bound(
            part->entries.begin(), part->entries.end(), t,
            [](const Entry& entry, Instant least) { return entry.log_time < least; });
        out[id] = found == part->entries.end() ? part->end : found->offset;
    }
    return out;
}

Result<Offsets> MemoryLog::committed(std::string_view group) {
    const MutexLock lock(state_->mutex);
    const auto found = state_->groups.find(group);
    if (found == state_->groups.end()) {
        return Offsets{};
    }
    found->second.fenced = false;
    return found->second.at;
}

Result<Parts> MemoryLog::partly(std::string_view group) {
    const MutexLock lock(state_->mutex);
    const auto found = state_->groups.find(group);
    return found == state_->groups.end() ? Parts{} : found->second.partly;
}

Instant MemoryLog::low_watermark() {
    const MutexLock lock(state_->mutex);
    Instant least = Instant::max();
    for (Part& part : state_->parts) {
        least = std::min(least, state_->watermark(part));
    }
    return least;
}

Instant MemoryLog::now() {
    const MutexLock lock(state_->mutex);
    Instant least = Instant::max();
    for (Part& part : state_->parts) {
        least = std::min(least, state_->stamp(part));
    }
    return least;
}

void MemoryLog::show_life(const SignOfLife& sign) {
    const MutexLock lock(state_->mutex);
    state_->sign = sign;
}

SignOfLife MemoryLog::last_sign_of_life() {
    const MutexLock lock(state_->mutex);
    return state_->last_sign;
}

Instant MemoryLog::last_log_time() {
    const MutexLock lock(state_->mutex);
    return state_->last_stamp;
}

std::string_view MemoryLog::name_of(TopicId topic) const {
    const TopicSpec* found = state_->find_topic(topic);
    return found == nullptr ? std::string_view() : found->name;
}

std::vector<Partition> MemoryLog::partitions_of(TopicId topic) const {
    std::vector<Partition> out;
    for (std::uint32_t p = 0; p < partition_count(topic); ++p) {
        out.push_back({topic, p});
    }
    return out;
}

std::uint32_t MemoryLog::partition_count(TopicId topic) const {
    const TopicSpec* found = state_->find_topic(topic);
    return found == nullptr ? 0 : found->partitions;
}

Result<std::vector<PartitionInfo>> MemoryLog::describe() {
    const MutexLock lock(state_->mutex);
    std::vector<PartitionInfo> out;
    for (const Part& part : state_->parts) {
        PartitionInfo info;
        info.id = part.id;
        info.topic = state_->topics[part.topic].name;
        info.records = part.index_of(part.stable_end());
        info.end = part.stable_end();
        if (info.records > 0) {
            info.first = part.entries.front().offset;
            info.first_time = part.entries.front().log_time;
            info.last_time = part.entries[info.records - 1].log_time;
        }
        out.push_back(std::move(info));
    }
    return out;
}

Result<Offsets> MemoryLog::ends_of(const Offsets& of) {
    const MutexLock lock(state_->mutex);
    Offsets ends;
    for (const Part& part : state_->parts) {
        if (of.contains(part.id)) {
            ends[part.id] = part.stable_end();
        }
    }
    return ends;
}

void MemoryLog::close() {
    {
        const MutexLock lock(state_->mutex);
        state_->closing = true;
    }
    state_->changed.notify_all();
}

}  // namespace helios::log
