#include "log/stored_log.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "log/disk_reader.h"
#include "log/scrub.h"

namespace helios::log {

KeptJournals begins_as_found(const std::array<JournalView, retention_classes>& journals) {
    KeptJournals kept;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        kept[i].retention = static_cast<RetentionClass>(i);
        if (const auto all = journals[i].segments.all(); !all.empty()) {
            kept[i].begin = Offset{all.front()->base};
        }
    }
    return kept;
}

StoredLog::StoredLog(DiskLogOptions options, Disk& disk, const Clock& clock,
                     telemetry::Telemetry& telemetry)
    : options_(std::move(options)),
      paths_(options_.directory),
      disk_(disk),
      clock_(clock),
      telemetry_(telemetry),
      journals_{JournalView(disk, paths_.journals[0], 0, options_.cache_bytes),
                JournalView(disk, paths_.journals[1], 1, options_.cache_bytes / 4),
                JournalView(disk, paths_.journals[2], 2, options_.cache_bytes / 16)},
      damage_(clock, telemetry) {}

StoredLog::~StoredLog() {
    HELIOS_ASSERT(signals_.with(lock()).empty(), "a reader outlives its log");
}

void StoredLog::set_topics(std::vector<Topic> topics) {
    topics_ = std::move(topics);
    topics_by_number_.fill(nullptr);
    for (const Topic& topic : topics_) {
        if (topic.number != no_topic) {
            topics_by_number_[static_cast<std::size_t>(topic.number)] = &topic;
        }
    }
}

Result<const Topic*> StoredLog::resolve(const Partition& id) const {
    const Topic* found = topic(id.topic);
    if (found == nullptr) {
        return fail(ErrorKind::invalid,
                    fmt::format("there is no topic number {}", static_cast<unsigned>(id.topic)),
                    "`helios log ls` names the topics");
    }
    if (id.index >= found->partitions) {
        return fail(ErrorKind::invalid, fmt::format("topic {} has {} partitions, there is no {}",
                                                    found->name, found->partitions, id.index));
    }
    return found;
}

// Where a walk for these partitions may begin: the least offset at which one of them still has
// something to read.
Result<std::unique_ptr<Reader>> StoredLog::read(Offsets from) {
    catch_up();
    std::array<std::uint64_t, retention_classes> start{};
    {
        const Locked held = lock();
        for (std::size_t i = 0; i < start.size(); ++i) {
            start[i] = journals_[i].known_to;
        }
        for (const auto& [id, offset] : from) {
            HELIOS_TRY(resolve(id));
        }
        HELIOS_TRY(check_kept(held, from));
        for (const auto& [id, offset] : from) {
            const Topic* found = topic(id.topic);
            const JournalView& view = journal(found->retention);
            const auto state = view.state.partitions.find({found->id, id.index});
            if (state == view.state.partitions.end() || offset.value >= state->second.end) {
                continue;
            }
            std::uint64_t& least = start[index_of(found->retention)];
            least = std::min(least, std::max({offset.value, state->second.first, view.cut.begin}));
        }
    }
    return std::make_unique<DiskReader>(*this, std::move(from), start);
}

Status StoredLog::check_kept(const Locked&, const Offsets& positions) const {
    for (const auto& [id, offset] : positions) {
        const Topic* found = topic(id.topic);
        const JournalView& view = journals_[index_of(found->retention)];
        const format::PartitionKey key{found->id, id.index};
        const auto state = view.state.partitions.find(key);
        if (state == view.state.partitions.end() ||
            !view.cut.took_after(key, state->second, offset.value)) {
            continue;
        }
        const std::uint64_t end = view.cut.before ? view.cut.gone(key).end : view.cut.begin;
        return fail(
            ErrorKind::not_found,
            fmt::format("records of {}/{} from offset {} up to {}, of log times up to {}, "
                        "are past the log's retention and have been dropped",
                        found->name, id.index, offset.value, end, format_rfc3339(view.cut.until)),
            fmt::format("the log begins at {} now", view.cut.begin));
    }
    return {};
}

Result<Batch> StoredLog::read_at(const Position& at) {
    const auto& [id, offset] = at;
    HELIOS_TRY_ASSIGN(const Topic* found, resolve(id));
    const View now = view();
    JournalView& source = journal(found->retention);
    const std::uint64_t end = now.ends[index_of(found->retention)];
    const auto nothing = [&] {
        return fail(ErrorKind::not_found, fmt::format("no record begins at {}/{}@{}", found->name,
                                                      at.partition.index, at.offset.value));
    };
    const auto place = source.segments.find(offset.value);
    if (offset.value >= end || offset.value < source.segments.begin()) {
        return nothing();
    }
    if (!place || offset.value < place->segment->base) {
        return fail(ErrorKind::corrupt,
                    fmt::format("the record at {}/{}@{} is lost with its file", found->name,
                                id.index, offset.value),
                    "see `helios log ls` for the extent");
    }
    if (offset.value < place->segment->begin()) {
        return nothing();
    }
    const Segment& segment = *place->segment;

    // One read usually has it all; this is how payloads are hydrated.
    constexpr std::uint64_t guess = 4096;
    JournalBytes bytes(source.segments, &source.recent, guess);
    const std::uint64_t limit = std::min(end, place->limit);
    auto read = bytes.at(segment, offset.value, format::frame_header_bytes, limit);
    if (!read && read.error().kind == ErrorKind::not_found) {  // the file
        static_cast<void>(this->view());
        if (offset.value < source.segments.begin()) {
            return nothing();
        }
        return fail(ErrorKind::corrupt, read.error().what,
                    "it was not dropped by retention: restore it from a copy");
    }
    HELIOS_TRY(read);
    std::string_view view = *read;
    const auto frame = format::decode_frame_header(view, offset.value);
    bool intact = frame && frame->bytes <= limit - offset.value;
    if (intact) {
        HELIOS_TRY_ASSIGN(view, bytes.at(segment, offset.value, frame->bytes, limit));
        intact = view.size() >= frame->bytes;
        view = view.substr(0, frame->bytes);
        intact = intact && (bytes.block().trusted || format::frame_intact(view, segment.salt));
    }
    if (!intact) {  // before any field of it is believed
        return fail(why_unreadable(source, *place, limit, *found, at));
    }
    if (frame->kind != format::FrameKind::record || frame->topic != found->id ||
        frame->partition != id.index) {
        return nothing();
    }
    Batch batch;
    batch.records.push_back({at, frame->log_time, Offset{offset.value + frame->bytes}, frame->type,
                             frame->version, frame->payload_key_id, format::frame_key(view, *frame),
                             format::frame_value(view, *frame)});
    batch.complete_below = frame->log_time;
    batch.storage.push_back(bytes.block().bytes);
    return batch;
}

// No intact frame stands at `offset`: either none ever began there, or what did is damaged. A walk
// from the segment's begin tells.
Error StoredLog::why_unreadable(JournalView& source, const SegmentTable::Place& place,
                                std::uint64_t end, const Topic& topic, const Position& at) {
    const Segment& segment = *place.segment;
    bool damaged = false;
    JournalCursor cursor(source.segments, &source.recent, options_.read_ahead_bytes,
                         [&](Damage damage) {
                             damaged = damaged || (damage.file == segment.path &&
                                                   damage.begin <= at.offset.value - segment.base &&
                                                   at.offset.value - segment.base < damage.end);
                             note_damage(std::move(damage));
                         });
    cursor.seek(at.offset.value);
    Wanted all;
    all.everything = true;
    if (auto walked = cursor.next(end, all); !walked) {
        return std::move(walked).error();
    }
    if (damaged) {
        return {ErrorKind::corrupt,
                fmt::format("the record at {}/{}@{} is damaged", topic.name, at.partition.index,
                            at.offset.value),
                "see `helios log ls` for the extent"};
    }
    return {ErrorKind::not_found,
            fmt::format("no record begins at {}/{}@{}", topic.name, at.partition.index,
                        at.offset.value),
            {}};
}

Result<Offsets> StoredLog::offsets_at(const std::vector<Partition>& ids, Instant t) {
    catch_up();
    Offsets out;
    for (const Partition& id : ids) {
        HELIOS_TRY_ASSIGN(const Topic* found, resolve(id));
        HELIOS_TRY_ASSIGN(const Offset offset, offset_at(*found, id.index, t));
        out[id] = offset;
    }
    return out;
}

Result<Offset> StoredLog::offset_at(const Topic& topic, std::uint32_t partition, Instant t) {
    JournalView& source = journal(topic.retention);
    format::PartitionState state;
    std::uint64_t gone = 0;  // records
    std::uint64_t first = 0;
    Instant until{};
    {
        const Locked held = lock();
        gone = source.cut.gone({topic.id, partition}).records;
        first = source.cut.begin;
        until = source.cut.until;
        const auto found = source.state.partitions.find({topic.id, partition});
        if (found != source.state.partitions.end()) {
            state = found->second;
        }
    }
    // Looked at later than the state, so that the walk covers all that the state speaks of.
    const View now = view();
    if (state.records == 0) {
        return Offset{0};
    }
    if (t > state.last_time || gone == state.records) {
        return Offset{state.end};
    }
    if (t <= std::max(state.first_time, until)) {
        return Offset{std::max(state.first, first)};
    }
    const auto place = source.segments.find_time(t);
    if (!place) {
        return Offset{state.end};
    }
    JournalCursor cursor(source.segments, &source.recent, options_.read_ahead_bytes, damage_sink());
    const std::uint64_t begin = std::max(place->segment->base, state.first);
    cursor.seek(begin);
    Wanted wanted;
    wanted.add(topic.id);
    wanted.not_before = t;
    const std::uint64_t end = now.ends[index_of(topic.retention)];
    for (;;) {
        const auto next = cursor.next(end, wanted);
        if (!next && next.error().kind == ErrorKind::not_found) {
            static_cast<void>(view());
            if (begin < source.segments.begin()) {  // dropped while it was looked for
                return offset_at(topic, partition, t);
            }
        }
        HELIOS_TRY(next);
        const auto& walked = *next;
        if (!walked) {
            return Offset{state.end};
        }
        if (walked->frame.partition == partition && walked->frame.log_time >= t) {
            return Offset{walked->frame.position};
        }
    }
}

format::GroupOffset StoredLog::committed_at(const Locked&, std::string_view group,
                                            format::PartitionKey key) const {
    format::Committed best;
    for (const JournalView& view : journals_) {
        const auto found = view.state.groups.find(group);
        if (found == view.state.groups.end()) {
            continue;
        }
        const auto at = found->second.find(key);
        if (at != found->second.end() && at->second.at >= best.at) {
            best = at->second;
        }
    }
    return best.to;
}

std::optional<Instant> StoredLog::moved_elsewhere(const Locked&, std::string_view group,
                                                  RetentionClass retention) const {
    std::optional<Instant> last;
    for (std::size_t i = 0; i < journals_.size(); ++i) {
        const auto found = journals_[i].state.groups.find(group);
        if (i == index_of(retention) || found == journals_[i].state.groups.end()) {
            continue;
        }
        for (const auto& [key, committed] : found->second) {
            last = std::max(last.value_or(committed.at), committed.at);
        }
    }
    return last;
}

std::map<Partition, format::GroupOffset> StoredLog::group_offsets(std::string_view group) {
    catch_up();
    std::map<Partition, format::GroupOffset> out;
    const Locked held = lock();
    for (const JournalView& view : journals_) {
        const auto found = view.state.groups.find(group);
        if (found == view.state.groups.end()) {
            continue;
        }
        for (const auto& [key, committed] : found->second) {
            if (const Topic* named = topic(key.topic); named && named->number != no_topic) {
                out[{named->number, key.partition}] = committed_at(held, group, key);
            }
        }
    }
    return out;
}

Result<Offsets> StoredLog::committed(std::string_view group) {
    Offsets out;
    for (const auto& [id, at] : group_offsets(group)) {
        out[id] = Offset{at.offset};
    }
    return out;
}

Result<Parts> StoredLog::partly(std::string_view group) {
    Parts out;
    for (const auto& [id, at] : group_offsets(group)) {
        if (at.outputs > 0) {
            out[id] = at.outputs;
        }
    }
    return out;
}

std::array<std::uint64_t, retention_classes> StoredLog::ends(const Locked&) const {
    std::array<std::uint64_t, retention_classes> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = journals_[i].end;
    }
    return out;
}

Instant StoredLog::last_time(const Locked&) const {
    Instant last{};
    for (const JournalView& view : journals_) {
        last = std::max(last, view.state.last_time);
    }
    return last;
}

std::string_view StoredLog::name_of(TopicId number) const {
    const Topic* found = topic(number);
    return found == nullptr ? std::string_view() : found->name;
}

std::vector<Partition> StoredLog::partitions_of(TopicId number) const {
    std::vector<Partition> out;
    for (std::uint32_t p = 0; p < partition_count(number); ++p) {
        out.push_back({number, p});
    }
    return out;
}

std::uint32_t StoredLog::partition_count(TopicId number) const {
    const Topic* found = topic(number);
    return found == nullptr ? 0 : found->partitions;
}

Result<std::vector<PartitionInfo>> StoredLog::describe() {
    catch_up();
    for (JournalView& view : journals_) {
        look_up_firsts(view);
    }
    std::vector<PartitionInfo> out;
    const Locked held = lock();
    for (const Topic& named : topics_) {
        const JournalView& view = journal(named.retention);
        const auto& partitions = view.state.partitions;
        for (std::uint32_t p = 0; p < named.partitions; ++p) {
            PartitionInfo info;
            info.id = {named.number, p};
            info.topic = named.name;
            if (const auto state = partitions.find({named.id, p}); state != partitions.end()) {
                const format::PartitionState gone = view.cut.gone({named.id, p});
                info.records = state->second.records - gone.records;
                info.first = Offset{state->second.first};
                info.end = Offset{state->second.end};
                info.first_time = state->second.first_time;
                info.last_time = state->second.last_time;
                if (gone.records > 0) {
                    const auto first = view.firsts.find({named.id, p});
                    const First from = first != view.firsts.end()
                                           ? first->second
                                           : First{view.cut.begin, view.cut.until};
                    info.first = Offset{from.position};
                    info.first_time = from.time;
                }
                if (info.records == 0) {
                    info.first = info.end;
                    info.first_time = info.last_time = Instant{};
                }
            }
            out.push_back(std::move(info));
        }
    }
    return out;
}

Result<Offsets> StoredLog::ends_of(const Offsets& of) {
    catch_up();
    Offsets ends;
    const Locked held = lock();
    for (const auto& [id, offset] : of) {
        const Topic* named = topic(id.topic);
        if (named == nullptr || id.index >= named->partitions) {
            continue;
        }
        const auto& partitions = journal(named->retention).state.partitions;
        const auto state = partitions.find({named->id, id.index});
        ends[id] = Offset{state == partitions.end() ? 0 : state->second.end};
    }
    return ends;
}

// Once per cut and partition: what is the first stays the first until the next cut.
void StoredLog::look_up_firsts(JournalView& journal) {
    Cut cut;
    format::Snapshot state;
    std::uint64_t end = 0;
    {
        const Locked held = lock();
        if (journal.firsts_begin != journal.cut.begin) {
            journal.firsts.clear();
            journal.firsts_begin = journal.cut.begin;
        }
        const bool known = std::ranges::all_of(journal.state.partitions, [&](const auto& entry) {
            const std::uint64_t gone = journal.cut.gone(entry.first).records;
            return gone == 0 || gone == entry.second.records ||
                   journal.firsts.contains(entry.first);
        });
        if (known) {
            return;
        }
        cut = journal.cut;
        state.partitions = journal.state.partitions;
        end = journal.known_to;
    }
    auto found = find_firsts(journal.segments, cut, state, end, options_.read_ahead_bytes);
    const Locked held = lock();
    if (found && journal.firsts_begin == cut.begin) {
        journal.firsts = *std::move(found);
    }
}

Status StoredLog::read_through() {
    Scrub(*this, clock_, telemetry_).pass([](Duration) { return true; });
    return {};
}

DamageSink StoredLog::damage_sink() {
    return [this](Damage damage) { note_damage(std::move(damage)); };
}

void StoredLog::enroll(ReaderSignal& signal) {
    const Locked held = lock();
    signals_.with(held).push_back(&signal);
}

void StoredLog::dismiss(ReaderSignal& signal) {
    const Locked held = lock();
    std::erase(signals_.with(held), &signal);
}

void StoredLog::look_again(ReaderSignal& signal) {
    const Locked held = lock();
    signal.published = false;
}

void StoredLog::wake(ReaderSignal& signal) {
    const Locked held = lock();
    signal.woken = true;
    signal.wakeup.notify_all();
}

bool StoredLog::take_wake(ReaderSignal& signal) {
    const Locked held = lock();
    return std::exchange(signal.woken, false);
}

void StoredLog::announce(const Locked& held, std::uint64_t topic_bits) {
    for (ReaderSignal* signal : signals_.with(held)) {
        if (!closing_.with(held) && (signal->topic_bits & topic_bits) == 0) {
            continue;
        }
        signal->published = true;
        signal->wakeup.notify_one();
    }
}

}  // namespace helios::log
