#include "log/journal.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace helios::log {
namespace {

std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1u << 20));
}

bool is_for_space(const Status& failed) {
    return failed.error().kind == ErrorKind::exhausted;
}

}  // namespace

Error not_durable(const Error& cause) {
    return {ErrorKind::unavailable,
            fmt::format("the append did not become durable: {}", cause.what),
            cause.hint.empty() ? "retry; if it persists, look at the disk" : cause.hint};
}

Journal::Journal(StoredLog& log, RetentionClass retention, Disk& disk, Reserve& reserve,
                 telemetry::Telemetry& telemetry)
    : log_(log),
      disk_(disk),
      reserve_(reserve),
      telemetry_(telemetry),
      options_(log.options()),
      retention_(retention),
      segment_bytes_(options_.segment_bytes_of(retention)),
      view_(log.journal(retention)),
      writer_(disk, view_.segments, options_) {}

// ---- Opening

Status Journal::recover(std::uint64_t mark_end, const Kept& kept) {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(view_.segments.directory()));
    for (const std::string& name : names) {  // a segment that was never finished
        if (name.ends_with(".new")) {
            HELIOS_TRY(disk_.remove(view_.segments.directory() + "/" + name));
        }
    }
    HELIOS_TRY(remove_dropped(disk_, view_.segments.directory(), kept.begin.value));
    view_.segments.drop_below(kept.begin.value);
    HELIOS_TRY(view_.segments.load());
    view_.cut = cut_at(view_.segments, kept.begin.value, kept.dropped_until);
    HELIOS_TRY_ASSIGN(Recovered found, log::recover(view_.segments, mark_end, false,
                                                    options_.read_ahead_bytes, log_.damage_sink()));
    HELIOS_TRY(make_durable(view_.segments, found, options_.read_ahead_bytes));
    view_.state = std::move(found.state);
    view_.known_to = view_.end = found.end;
    std::uint64_t begin = found.end;
    const auto all = view_.segments.all();
    if (!all.empty()) {
        const Segment& last = *all.back();
        if (last.header_intact && begin == last.begin()) {
            begin = last.base;  // an empty segment is replaced, not followed
        } else if (auto file = disk_.open(last.path, OpenMode::write)) {
            static_cast<void>((*file)->truncate(
                begin - last.base));  // gives space back; the next segment's base is what cuts
        }
    }
    writer_.begin(begin);
    telemetry_.logger.info("log", "journal recovered",
                           {{"journal", to_string(retention_)},
                            {"segments", std::uint64_t{all.size()}},
                            {"end", found.end},
                            {"behind_end_bytes", found.cut_bytes}});
    return {};
}

Status Journal::begin(Instant floor) {
    auto room = writer_.prepare(format::group_header_bytes, segment_bytes_, view_.state);
    if (room) {
        view_.known_to = view_.end = writer_.end();
        return {};
    }
    if (!is_for_space(room)) {
        return room;
    }
    status_.advance(DiskFull{disk_full(room.error()), floor});
    telemetry_.logger.error("log", "the log opens for reading and for transactions only",
                            {{"what", status_.trouble->what}, {"hint", status_.trouble->hint}});
    return {};
}

// ---- Groups

Refusals Journal::make_room(std::uint64_t bytes, std::uint64_t transact_bytes) {
    if (status_.state == JournalState::open && renew_.exchange(false, std::memory_order_relaxed)) {
        writer_.renew(format::group_header_bytes + bytes, segment_bytes_, view_.state);
    }
    if (status_.state != JournalState::full) {
        const auto room =
            writer_.prepare(format::group_header_bytes + bytes, segment_bytes_, view_.state);
        if (room) {
            segment_ready();
            return {};
        }
        if (!is_for_space(room)) {
            Error why = not_durable(room.error());
            advance(SegmentFailed{why});
            return {.appends = {}, .all = std::move(why)};
        }
        advance(DiskFull{disk_full(room.error())});
    }
    Refusals refused{.appends = status_.trouble, .all = {}};
    if (transact_bytes == 0) {
        return refused;
    }
    if (const auto room = use_reserve(format::group_header_bytes + transact_bytes); room) {
        segment_ready();
    } else {
        refused.all = not_durable(room.error());
    }
    return refused;
}

Status Journal::use_reserve(std::uint64_t bytes) {
    const std::uint64_t segment_bytes = options_.reserve_bytes / 2;
    auto room = writer_.prepare(bytes, segment_bytes, view_.state);
    if (room || !reserve_.give()) {
        return room;
    }
    telemetry_.logger.warn("log", "the disk is full: the reserve is given to transactions",
                           {{"reserve_bytes", options_.reserve_bytes}});
    return writer_.prepare(bytes, segment_bytes, view_.state);
}

Status Journal::write(std::string_view group, Instant first) {
    auto written = writer_.write(group);
    if (!written) {
        advance(WriteFailed{not_durable(written.error()), first});
    }
    return written;
}

void Journal::publish(const Locked&, const Group& group) {
    view_.known_to = view_.end = group.end();
    view_.state.last_time = group.last_time;
    for (const auto& [key, fresh] : group.partitions) {
        format::PartitionState& known = view_.state.partitions[key];
        if (known.records == 0) {
            known = fresh;
            continue;
        }
        known.records += fresh.records;
        known.end = fresh.end;
        known.last_time = fresh.last_time;
        known.last = fresh.last;
    }
}

void Journal::move_group(const Locked&, const std::string& group,
                         const std::map<format::PartitionKey, format::GroupOffset>& to,
                         Instant at) {
    format::GroupState& state = view_.state.groups[group];
    for (const auto& [key, offset] : to) {
        state[key] = {offset, at};
    }
}

// ---- Trouble

// What a failed write left behind is ruled out by the segment that this begins. A failure for
// another reason than space tells nothing new: the trouble that led here stands.
void Journal::retry(Duration now) {
    if (status_.state == JournalState::open) {
        return;
    }
    advance(Retried{now + options_.retry_interval});
    if (status_.state == JournalState::full) {
        return look_for_space();
    }
    const auto room = writer_.prepare(format::group_header_bytes, segment_bytes_, view_.state);
    if (room) {
        segment_ready();
    } else if (is_for_space(room)) {
        advance(DiskFull{disk_full(room.error())});
    }
}

void Journal::look_for_space() {
    auto room = reserve_.make();
    if (room) {
        room = writer_.prepare(segment_bytes_ / 4, segment_bytes_, view_.state);
    }
    if (room) {
        advance(SpaceIsBack{});
    } else {
        advance(DiskFull{disk_full(room.error())});
    }
}

// With each group that goes well: nothing changes then, and no lock is taken.
void Journal::segment_ready() {
    if (status_.state != JournalState::open) {
        advance(SegmentReady{});
    }
}

void Journal::advance(const JournalEvent& event) {
    JournalNews news = JournalNews::nothing;
    {
        const Locked held = log_.lock();
        news = status_.advance(event);
    }
    switch (news) {
        case JournalNews::nothing:
            return;
        case JournalNews::trouble:
            telemetry_.logger.error(
                "log", "the journal cannot make appends durable",
                {{"journal", to_string(retention_)}, {"what", status_.trouble->what}});
            return;
        case JournalNews::recovered:
            telemetry_.logger.info("log", "the journal accepts appends again",
                                   {{"journal", to_string(retention_)}});
            return;
    }
}

Error Journal::disk_full(const Error& cause) const {
    const std::string& root = options_.directory;
    const std::uint64_t reserve = reserve_.is_there() ? 0 : options_.reserve_bytes;
    const std::uint64_t needed = segment_bytes_ + reserve;
    const auto free = disk_.free_bytes(root);
    if (!free || *free >= needed) {  // a quota, or a limit of this process
        return {ErrorKind::unavailable, fmt::format("no more can be made durable: {}", cause.what),
                cause.hint};
    }
    const std::string missing = mebibytes(needed - *free);
    return {
        ErrorKind::unavailable,
        fmt::format(
            "the disk of {} is full: {} are free, {} are needed (a segment of {}{}), {} are "
            "missing",
            root, mebibytes(*free), mebibytes(needed), mebibytes(segment_bytes_),
            reserve_.is_there() ? "" : fmt::format(" and the reserve of {}", mebibytes(reserve)),
            missing),
        fmt::format("free at least {} there, twice as much is better (each journal sets a segment "
                    "aside); appends are accepted again within a second",
                    missing)};
}

}  // namespace helios::log
