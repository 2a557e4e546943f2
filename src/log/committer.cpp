#include "log/committer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace helios::log {
namespace {

std::size_t index_of(RetentionClass retention) {
    return retention == RetentionClass::data ? 0 : 1;
}
const char* name_of(RetentionClass retention) {
    return retention == RetentionClass::data ? "data" : "control";
}

std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1u << 20));
}

Error as_unavailable(const Error& error) {
    return {ErrorKind::unavailable,
            fmt::format("the append did not become durable: {}", error.what),
            error.hint.empty() ? "retry; if it persists, look at the disk" : error.hint};
}

}  // namespace

/// What one pass of the committer carries from the queue to the answers.
struct DiskLog::Round {
    /// A journal's share of it.
    struct Share {
        std::uint64_t frames = 0;
        std::uint64_t bytes = 0;           ///< of all frames
        std::uint64_t transact_bytes = 0;  ///< of those of transactions
        std::optional<Error> append_error;
        std::optional<Error> error;
        std::shared_ptr<const std::string> group;
        std::uint64_t begin = 0;  ///< where the group stands
        std::uint64_t built_frames = 0;
        std::uint64_t built_records = 0;
        std::uint64_t topics = 0;
        Instant last_time{};
        std::map<format::PartitionKey, format::PartitionState> partitions;
    };
    std::vector<Call> calls;
    std::array<Share, 2> shares;
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    Instant first{};
    /// Groups moved by this round, and in which journal.
    std::map<std::string, std::pair<RetentionClass, std::map<format::PartitionKey, std::uint64_t>>,
             std::less<>>
        groups;
};

Error DiskLog::disk_full(const Error& cause) {
    const std::uint64_t needed =
        options_.segment_bytes + (reserve_there_ ? 0 : options_.reserve_bytes);
    const auto free = disk_.free_bytes(paths_.root);
    if (!free || *free >= needed) {  // a quota, or a limit of this process
        return {ErrorKind::unavailable, fmt::format("no more can be made durable: {}", cause.what),
                cause.hint};
    }
    return {ErrorKind::unavailable,
            fmt::format(
                "the disk of {} is full: {} are free, {} are needed (a segment of {}{}), {} are "
                "missing",
                paths_.root, mebibytes(*free), mebibytes(needed), mebibytes(options_.segment_bytes),
                reserve_there_
                    ? ""
                    : fmt::format(" and the reserve of {}", mebibytes(options_.reserve_bytes)),
                mebibytes(needed - *free)),
            fmt::format("free at least {} there, twice as much is better (each of two journals "
                        "sets log.segment_bytes aside); appends "
                        "are accepted again within a second",
                        mebibytes(needed - *free))};
}

// ---- Callers' threads

bool DiskLog::place_records(Call& call) {
    call.slots.resize(call.records.size());
    bool all = true;
    for (std::size_t i = 0; i < call.records.size(); ++i) {
        Record& record = call.records[i];
        const Topic* found = topic(record.topic);
        const std::uint64_t bytes = record.key.size() + record.value.size();
        std::optional<Error> error;
        if (found == nullptr) {
            error =
                Error{ErrorKind::invalid, fmt::format("there is no topic {}", record.topic), {}};
        } else if (record.partition && *record.partition >= found->partitions) {
            error = Error{ErrorKind::invalid,
                          fmt::format("topic {} has {} partitions, there is no {}", record.topic,
                                      found->partitions, *record.partition),
                          {}};
        } else if (bytes > options_.record_bytes_max) {
            error = Error{ErrorKind::invalid,
                          fmt::format("a record of {} bytes is larger than {}", bytes,
                                      options_.record_bytes_max),
                          "send less at a time"};
        }
        if (error) {
            call.rejected.emplace(i, std::move(*error));
            all = false;
            continue;
        }
        call.slots[i] = {
            found,
            record.partition ? *record.partition : partition_of(record.key, found->partitions),
            0,
            {}};
        call.bytes += format::frame_header_bytes + bytes;
    }
    return all;
}

void DiskLog::append(std::vector<Record> records, AppendDone done) {
    Call call;
    call.records = std::move(records);
    call.append_done = std::move(done);
    place_records(call);
    enqueue(std::move(call));
}

Result<std::map<format::PartitionKey, std::uint64_t>> DiskLog::place_offsets(
    const Offsets& offsets) const {
    std::map<format::PartitionKey, std::uint64_t> out;
    for (const auto& [id, offset] : offsets) {
        HELIOS_TRY_ASSIGN(const Topic* found, resolve(id));
        out[{found->id, id.partition}] = offset.value;
    }
    return out;
}

void DiskLog::transact(std::vector<Record> outputs, GroupOffsets offsets, TransactDone done) {
    Call call;
    call.records = std::move(outputs);
    call.transact_done = std::move(done);
    call.group = std::move(offsets.group);
    if (!place_records(call)) {
        Error first = call.rejected.begin()->second;
        return refuse(std::move(call), std::move(first));
    }
    auto from = place_offsets(offsets.from);
    auto to = place_offsets(offsets.to);
    if (!from || !to) {
        return refuse(std::move(call), from ? std::move(to).error() : std::move(from).error());
    }
    call.from = std::move(*from);
    call.to = std::move(*to);
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (!std::equal(call.from.begin(), call.from.end(), call.to.begin(), call.to.end(), same_key)) {
        return refuse(
            std::move(call),
            {ErrorKind::invalid, "a transaction's from and to name different partitions", {}});
    }
    if (call.group.empty() || call.group.size() > 1024) {
        return refuse(std::move(call),
                      {ErrorKind::invalid, "a group's name has 1 to 1024 bytes", {}});
    }
    if (!call.slots.empty()) {
        call.retention = call.slots.front().topic->retention;
    }
    for (const Slot& slot : call.slots) {
        if (slot.topic->retention != call.retention) {
            return refuse(std::move(call),
                          {ErrorKind::invalid,
                           "a transaction's outputs belong to more than one retention class",
                           {}});
        }
    }
    call.offsets_value = format::encode_offsets(call.to);
    call.bytes += format::frame_header_bytes + call.group.size() + call.offsets_value.size();
    enqueue(std::move(call));
}

void DiskLog::refuse(Call call, Error error) {
    call.refused = std::move(error);
    enqueue(std::move(call));
}

void DiskLog::enqueue(Call call) {
    call.arrived = clock_.monotonic();
    const std::uint64_t records = call.records.size();
    {
        const std::lock_guard lock(mutex_);
        if (lost_) {
            call.refused = *lost_;
        }
        if (closing_) {
            call.refused =
                Error{ErrorKind::stopping, "the log is closing", "retry elsewhere or later"};
        }
        if (!call.refused &&
            (call.bytes > options_.pending_bytes_max || records > options_.pending_records_max)) {
            call.refused =
                Error{ErrorKind::invalid,
                      fmt::format("{} records of {} bytes in one call are more than may ever wait",
                                  records, call.bytes),
                      "append fewer at a time, or raise log.pending_bytes_max and "
                      "log.pending_records_max"};
        }
        if (!call.refused && (pending_bytes_ + call.bytes > options_.pending_bytes_max ||
                              pending_records_ + records > options_.pending_records_max)) {
            call.refused = Error{ErrorKind::exhausted,
                                 fmt::format("{} bytes in {} records wait to become durable",
                                             pending_bytes_, pending_records_),
                                 "slow down and retry; the bound is log.pending_bytes_max"};
        }
        if (call.refused) {
            call.records.clear();
            call.bytes = 0;
            refusals_.add();
        } else {
            pending_bytes_ += call.bytes;
            pending_records_ += records;
        }
        queue_.push_back(std::move(call));
    }
    arrived_.notify_one();
}

// ---- The committer's thread

void DiskLog::run() {
    for (;;) {
        Round round;
        {
            std::unique_lock lock(mutex_);
            busy_ = false;
            if (queue_.empty()) {
                drained_.notify_all();
            }
            const auto wake = [&] { return !queue_.empty() || stop_; };
            if (data_half_.trouble || control_half_.trouble) {
                if (!arrived_.wait_for(lock, options_.retry_interval, wake)) {
                    lock.unlock();
                    retry(data_half_);
                    retry(control_half_);
                    continue;
                }
            } else {
                arrived_.wait(lock, wake);
            }
            if (queue_.empty() && stop_) {
                return;
            }
            busy_ = true;
            if (!take(round)) {
                continue;
            }
        }
        for (Half* half : {&data_half_, &control_half_}) {
            if (clock_.monotonic() >= half->next_try) {
                retry(*half);
            }
        }
        stamp(round);
        commit(data_half_, round);
        commit(control_half_, round);
        publish(round);
        answer(round);
    }
}

// Moves waiting calls into the round and reserves its stamps. mutex_ is held.
bool DiskLog::take(Round& round) {
    while (!queue_.empty() && round.bytes < options_.group_bytes_max) {
        if (!admit(queue_.front(), round)) {
            break;
        }
        Call call = std::move(queue_.front());
        queue_.pop_front();
        round.bytes += call.bytes;
        round.records += call.records.size();  // also of those refused since for a conflict: they
                                               // were counted as pending
        round.calls.push_back(std::move(call));
    }
    const std::uint64_t frames = round.shares[0].frames + round.shares[1].frames;
    if (frames > 0) {
        round.first = log_clock_->take(frames);
        round_first_ = round.first;
    }
    return !round.calls.empty();
}

// False: the call must wait for the next round. A group's moves within a round stay in one journal,
// or a torn write could keep the later one without the earlier.
bool DiskLog::admit(Call& call, Round& round) {
    if (lost_ && !call.refused) {
        call.refused = *lost_;
    }
    if (call.refused) {
        return true;
    }
    if (call.is_transact()) {
        const auto moved = round.groups.find(call.group);
        if (moved != round.groups.end() && moved->second.first != call.retention) {
            return false;
        }
        for (const auto& [key, from] : call.from) {
            std::uint64_t now = committed_at(call.group, key);
            if (moved != round.groups.end()) {
                if (const auto at = moved->second.second.find(key);
                    at != moved->second.second.end()) {
                    now = at->second;
                }
            }
            if (now == from) {
                continue;
            }
            const Topic* named = topic(key.topic);
            call.refused =
                Error{ErrorKind::conflict,
                      fmt::format("group {} is at {} on {}/{}, not at {}", call.group, now,
                                  named->name, key.partition, from),
                      "somebody else moved it: load the committed offsets and start over"};
            return true;
        }
        auto& [retention, offsets] = round.groups[call.group];
        retention = call.retention;
        for (const auto& [key, to] : call.to) {
            offsets[key] = to;
        }
        Round::Share& share = round.shares[index_of(call.retention)];
        share.frames += 1;
        share.bytes += call.bytes;
        share.transact_bytes += call.bytes;
        share.frames += call.slots.size();
        return true;
    }
    for (std::size_t i = 0; i < call.slots.size(); ++i) {
        const Slot& slot = call.slots[i];
        if (slot.topic == nullptr) {
            continue;
        }
        Round::Share& share = round.shares[index_of(slot.topic->retention)];
        share.frames += 1;
        share.bytes +=
            format::frame_header_bytes + call.records[i].key.size() + call.records[i].value.size();
    }
    return true;
}

void DiskLog::stamp(Round& round) {
    Instant next = round.first;
    for (Call& call : round.calls) {
        if (call.refused) {
            continue;
        }
        for (Slot& slot : call.slots) {
            if (slot.topic == nullptr) {
                continue;
            }
            slot.log_time = next;
            next += Duration{1};
        }
        if (call.is_transact()) {
            call.offsets_time = next;
            next += Duration{1};
        }
    }
}

void DiskLog::commit(Half& half, Round& round) {
    Round::Share& share = round.shares[half.index];
    if (share.frames == 0) {
        return;
    }
    if (auto room = make_room(half, round); !room) {
        share.error = as_unavailable(room.error());
        failures_.add();
        return;
    }
    auto group = build(half, round);
    if (share.built_frames == 0) {
        return;
    }
    share.begin = half.writer.end();
    auto written = half.writer.write(*group);
    if (!written) {
        failures_.add();
        share.error = as_unavailable(written.error());
        if (half.writer.lost()) {
            lose(written.error());
        }
        {
            const std::lock_guard lock(mutex_);
            if (!half.unsettled_from) {
                half.unsettled_from = round.first;
            }
        }
        set_trouble(half, share.error);
        retry(half);  // a new segment rules out what the failed write left behind
        return;
    }
    syncs_.add();
    share.group = std::move(group);
}

Status DiskLog::make_room(Half& half, Round& round) {
    Round::Share& share = round.shares[half.index];
    if (half.full) {
        const std::lock_guard lock(mutex_);
        share.append_error = half.trouble;
    }
    const std::uint64_t bytes =
        format::group_header_bytes + (share.append_error ? share.transact_bytes : share.bytes);
    if (share.append_error && share.transact_bytes == 0) {
        return {};
    }
    auto room = half.full ? use_reserve(half, bytes)
                          : half.writer.prepare(bytes, options_.segment_bytes, half.view.state);
    if (!room && room.error().kind == ErrorKind::exhausted && !half.full) {
        half.full = true;
        share.append_error = disk_full(room.error());
        set_trouble(half, share.append_error);
        if (share.transact_bytes == 0) {
            return {};
        }
        room = use_reserve(half, format::group_header_bytes + share.transact_bytes);
    } else if (!room && !half.full) {
        set_trouble(half, as_unavailable(room.error()));
    }
    if (room) {
        settle(half);
    }
    return room;
}

// On a full disk transactions go on, in a small segment made from the space set aside.
Status DiskLog::use_reserve(Half& half, std::uint64_t bytes) {
    const std::uint64_t segment_bytes = options_.reserve_bytes / 2;
    if (auto room = half.writer.prepare(bytes, segment_bytes, half.view.state);
        room || !reserve_there_) {
        return room;
    }
    static_cast<void>(disk_.remove(paths_.reserve));
    reserve_there_ = false;
    telemetry_.logger.warn("log", "the disk is full: the reserve is given to transactions",
                           {{"reserve_bytes", options_.reserve_bytes}});
    return half.writer.prepare(bytes, segment_bytes, half.view.state);
}

bool DiskLog::space_is_back(Half& half) {
    auto room = make_reserve();
    if (room) {
        room = half.writer.prepare(options_.segment_bytes / 4, options_.segment_bytes,
                                   half.view.state);
    }
    if (!room) {  // with the figures of now
        Error error = disk_full(room.error());
        const std::lock_guard lock(mutex_);
        half.trouble = std::move(error);
        return false;
    }
    half.full = false;
    settle(half);
    return true;
}

Status DiskLog::make_reserve() {
    if (reserve_there_ || options_.reserve_bytes == 0) {
        return {};
    }
    auto made = [&]() -> Status {
        HELIOS_TRY_ASSIGN(auto file, disk_.open(paths_.reserve, OpenMode::create));
        return file->preallocate(options_.reserve_bytes);
    }();
    reserve_there_ = made.has_value();
    if (!made) {
        static_cast<void>(disk_.remove(paths_.reserve));
    }
    return made;
}

void DiskLog::retry(Half& half) {
    {
        const std::lock_guard lock(mutex_);
        if (!half.trouble || lost_) {
            return;
        }
    }
    half.next_try = clock_.monotonic() + options_.retry_interval;
    if (half.full) {
        space_is_back(half);
        return;
    }
    auto room =
        half.writer.prepare(format::group_header_bytes, options_.segment_bytes, half.view.state);
    if (room) {
        return settle(half);
    }
    if (room.error().kind == ErrorKind::exhausted) {
        half.full = true;
        set_trouble(half, disk_full(room.error()));
    }
}

void DiskLog::lose(const Error& error) {
    const std::lock_guard lock(mutex_);
    lost_ = error;
    deleted_ = true;
}

// The journal has a segment that begins at its durable end: nothing that failed can come back.
void DiskLog::settle(Half& half) {
    bool recovered = false;
    {
        const std::lock_guard lock(mutex_);
        half.unsettled_from.reset();
        if (!half.full) {
            recovered = std::exchange(half.trouble, std::nullopt).has_value();
        }
    }
    if (recovered) {
        telemetry_.logger.info("log", "the journal accepts appends again",
                               {{"journal", name_of(half.retention)}});
    }
}

void DiskLog::set_trouble(Half& half, std::optional<Error> trouble) {
    const std::string what = trouble ? trouble->what : std::string();
    {
        const std::lock_guard lock(mutex_);
        const bool same = half.trouble && trouble && half.trouble->what == trouble->what;
        half.trouble = std::move(trouble);
        if (same) {
            return;
        }
    }
    telemetry_.logger.error("log", "the journal cannot make appends durable",
                            {{"journal", name_of(half.retention)}, {"what", what}});
}

std::shared_ptr<const std::string> DiskLog::build(Half& half, Round& round) {
    Round::Share& share = round.shares[half.index];
    auto out = std::make_shared<std::string>();
    out->reserve(format::group_header_bytes + share.bytes);
    out->resize(format::group_header_bytes);
    const std::uint64_t begin = half.writer.end();
    const std::uint64_t salt = half.writer.salt();
    format::GroupHeader header{salt, begin, 0, 0, begin, {}, {}, 0};
    const auto add = [&](format::Frame frame, std::string_view key, std::string_view value) {
        frame.position = begin + out->size();
        format::append_frame(*out, frame, key, value, salt);
        if (share.built_frames++ == 0) {
            header.first_time = frame.log_time;
        }
        header.last_time = frame.log_time;
        return frame.position;
    };
    for (Call& call : round.calls) {
        if (call.refused || (share.append_error && !call.is_transact())) {
            continue;
        }
        for (std::size_t i = 0; i < call.slots.size(); ++i) {
            Slot& slot = call.slots[i];
            if (slot.topic == nullptr || slot.topic->retention != half.retention) {
                continue;
            }
            Record& record = call.records[i];
            slot.position =
                add({0, 0, slot.log_time, format::FrameKind::record, slot.topic->id, slot.partition,
                     record.type, record.version, record.payload_key_id, 0},
                    record.key, record.value);
            header.topics |= 1ull << (slot.topic->id % 64);
            format::PartitionState& state = share.partitions[{slot.topic->id, slot.partition}];
            if (state.records++ == 0) {
                state.first = slot.position;
                state.first_time = slot.log_time;
            }
            state.end = begin + out->size();
            state.last_time = slot.log_time;
            ++share.built_records;
        }
        if (call.is_transact() && call.retention == half.retention) {
            add({0, 0, call.offsets_time, format::FrameKind::offsets, 0, 0, 0, 0, 0, 0}, call.group,
                call.offsets_value);
        }
    }
    header.bytes = static_cast<std::uint32_t>(out->size() - format::group_header_bytes);
    header.count = static_cast<std::uint32_t>(share.built_frames);
    format::encode_group_header(header, out->data());
    share.topics = header.topics;
    share.last_time = header.last_time;
    return out;
}

void DiskLog::publish(Round& round) {
    std::uint64_t records = 0, bytes = 0;
    for (Half* half : {&data_half_, &control_half_}) {
        Round::Share& share = round.shares[half->index];
        if (!share.group) {
            continue;
        }
        half->view.recent.push(share.begin, share.group);
        records += share.built_records;
        bytes += share.group->size();
        group_records_.observe(static_cast<double>(share.built_records));
    }
    {
        const std::lock_guard lock(mutex_);
        std::uint64_t topics = 0;
        for (Half* half : {&data_half_, &control_half_}) {
            Round::Share& share = round.shares[half->index];
            if (!share.group) {
                continue;
            }
            format::Snapshot& state = half->view.state;
            half->view.known_to = half->view.end = share.begin + share.group->size();
            state.last_time = share.last_time;
            last_durable_ = std::max(last_durable_, share.last_time);
            topics |= share.topics;
            for (const auto& [key, fresh] : share.partitions) {
                format::PartitionState& known = state.partitions[key];
                if (known.records == 0) {
                    known = fresh;
                    continue;
                }
                known.records += fresh.records;
                known.end = fresh.end;
                known.last_time = fresh.last_time;
            }
        }
        for (const Call& call : round.calls) {
            if (call.refused || !call.is_transact() ||
                !round.shares[index_of(call.retention)].group) {
                continue;
            }
            format::GroupState& group = journal(call.retention).state.groups[call.group];
            for (const auto& [key, to] : call.to) {
                group[key] = {to, call.offsets_time};
            }
        }
        round_first_.reset();
        pending_bytes_ -= round.bytes;
        pending_records_ -= round.records;
        pending_gauge_.set(static_cast<double>(pending_bytes_));
        announce(topics);
    }
    if (records + bytes > 0) {
        appended_records_.add(static_cast<double>(records));
        appended_bytes_.add(static_cast<double>(bytes));
        write_mark();
    }
}

void DiskLog::write_mark() {
    const std::lock_guard mark_lock(mark_mutex_);
    {
        const std::lock_guard lock(mutex_);
        mark_.data = {data_.end, data_half_.writer.segment_base()};
        mark_.control = {control_.end, control_half_.writer.segment_base()};
        mark_.watermark = watermark();
        mark_.last_time = last_durable_;
    }
    put_mark();
}

/// mark_mutex_ is held. Unsynced, and no matter if it fails: it may only be too low, and the next
/// group's header says the same.
void DiskLog::put_mark() {
    ++mark_.sequence;
    static_cast<void>(mark_file_->pwrite(0, format::encode_mark(mark_)));
}

void DiskLog::show_life(const SignOfLife& sign) {
    const std::lock_guard lock(mark_mutex_);
    const bool begins = sign.absent && !mark_.absent;
    mark_.alive = sign.at;
    mark_.absent = sign.absent;
    put_mark();
    if (begins) {
        static_cast<void>(mark_file_->sync());
    }
}

// ---- Answers

const Error* DiskLog::failure(const Round& round, const Call& call,
                              RetentionClass retention) const {
    const Round::Share& share = round.shares[index_of(retention)];
    if (share.error) {
        return &*share.error;
    }
    if (share.append_error && !call.is_transact()) {
        return &*share.append_error;
    }
    return nullptr;
}

void DiskLog::answer(Round& round) {
    const Duration now = clock_.monotonic();
    for (Call& call : round.calls) {
        if (!call.refused) {
            append_seconds_.observe(std::chrono::duration<double>(now - call.arrived).count());
        }
        answer_call(round, call);
    }
}

void DiskLog::answer_call(Round& round, Call& call) {
    const auto position = [](const Slot& slot) {
        return Position{slot.topic->name, slot.partition, Offset{slot.position}, slot.log_time};
    };
    if (call.is_transact()) {
        const Error* error = call.refused ? &*call.refused : failure(round, call, call.retention);
        if (error != nullptr) {
            return call.transact_done(fail(*error));
        }
        std::vector<Position> positions;
        positions.reserve(call.slots.size());
        for (const Slot& slot : call.slots) {
            positions.push_back(position(slot));
        }
        return call.transact_done(std::move(positions));
    }
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(call.slots.size());
    for (std::size_t i = 0; i < call.slots.size(); ++i) {
        const Slot& slot = call.slots[i];
        if (const auto rejected = call.rejected.find(i); rejected != call.rejected.end()) {
            outcomes.push_back(fail(rejected->second));
        } else if (call.refused) {
            outcomes.push_back(fail(*call.refused));
        } else if (const Error* error = failure(round, call, slot.topic->retention)) {
            outcomes.push_back(fail(*error));
        } else {
            outcomes.push_back(position(slot));
        }
    }
    call.append_done(outcomes);
}

}  // namespace helios::log
