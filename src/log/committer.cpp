#include "log/committer.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/thread_name.h"
#include "log/group.h"

namespace helios::log {

/// What one pass of the committer carries from the queue to the answers.
struct Committer::Round {
    /// A journal's share of it.
    struct Share {
        std::uint64_t frames = 0;
        std::uint64_t bytes = 0;           ///< of all frames
        std::uint64_t transact_bytes = 0;  ///< of those of transactions
        Refusals refused;
        Group group;  ///< once it is durable
    };
    /// Where a consumer group has moved in this round, and in which journal.
    struct Moved {
        RetentionClass retention = RetentionClass::data;
        std::map<format::PartitionKey, format::GroupOffset> to;
    };
    std::vector<Call> calls;
    std::array<Share, retention_classes> shares;  ///< by index_of(retention)
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    Instant stamp{};  ///< of all its records
    std::map<std::string, Moved, std::less<>> groups;

    Share& share(RetentionClass retention) { return shares[index_of(retention)]; }
};

Committer::Committer(StoredLog& log, const Journals& journals, MarkFile& mark, const Clock& clock,
                     telemetry::Telemetry& telemetry)
    : log_(log),
      journals_(journals),
      mark_(mark),
      clock_(clock),
      options_(log.options()),
      appended_records_(
          telemetry.metrics.counter("helios_log_appended_records_total", "Records made durable.")),
      appended_bytes_(telemetry.metrics.counter("helios_log_appended_bytes_total",
                                                "Bytes of groups made durable.")),
      syncs_(telemetry.metrics.counter("helios_log_fsyncs_total", "Groups synced to disk.")),
      failures_(telemetry.metrics.counter("helios_log_failed_groups_total",
                                          "Groups that could not be made durable.")),
      refusals_(
          telemetry.metrics.counter("helios_log_refused_calls_total",
                                    "Appends and transactions refused before they were tried.")),
      group_records_(telemetry.metrics.histogram("helios_log_group_records",
                                                 "Records that shared one fsync.",
                                                 {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000})),
      append_seconds_(telemetry.metrics.histogram(
          "helios_log_append_seconds", "From append to its answer.",
          {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2})),
      pending_gauge_(telemetry.metrics.gauge("helios_log_pending_bytes",
                                             "Bytes accepted and not yet durable.")) {}

Committer::~Committer() {
    HELIOS_ASSERT(!started(), "a committer is stopped before it is destroyed");
}

// ---- From open to close

void Committer::set_time(Instant least_stamp, Instant last_durable) {
    const Locked lock = log_.lock();
    Shared& shared = shared_.with(lock);
    shared.clock.emplace(clock_, least_stamp);
    shared.last_durable = last_durable;
}

void Committer::start() {
    thread_ = std::thread([this] {
        name_this_thread("log");
        run();
    });
}

void Committer::stop() {
    {
        const Locked lock = log_.lock();
        shared_.with(lock).stop = true;
    }
    arrived_.notify_all();
    thread_.join();
}

void Committer::drain(Locked& lock) {
    HELIOS_ASSERT(std::this_thread::get_id() != thread_.get_id(),
                  "a log is not closed or destroyed by its own callback");
    arrived_.notify_all();
    const Shared& shared = shared_.with(lock);
    drained_.wait(lock, [&] { return shared.queue.empty() && !shared.busy; });
}

Instant Committer::watermark(const Locked& lock) {
    Shared& shared = shared_.with(lock);
    Instant mark = shared.round_stamp ? *shared.round_stamp : shared.clock->now();
    for (const Journal* journal : journals_) {
        if (const auto& unsettled = journal->status(lock).unsettled_from) {
            mark = std::min(mark, *unsettled);
        }
    }
    return mark;
}

Instant Committer::log_time(const Locked& lock) {
    return shared_.with(lock).clock->now();
}

Instant Committer::last_durable(const Locked& lock) const {
    return shared_.with(lock).last_durable;
}

const std::optional<Error>& Committer::lost(const Locked& lock) const {
    return shared_.with(lock).lost;
}

Status Committer::note_files(const Locked& lock, Status found) {
    Shared& shared = shared_.with(lock);
    if (shared.deleted) {
        return fail(*shared.lost);
    }
    if (found) {
        shared.lost.reset();
    } else {
        shared.lost = found.error();
    }
    return found;
}

void Committer::write_mark() {
    const auto marked = [&] {
        const Locked lock = log_.lock();
        return durable(lock);
    }();
    mark_.write(marked);
}

MarkFile::Durable Committer::durable(const Locked& lock) {
    MarkFile::Durable out{{}, watermark(lock), last_durable(lock)};
    for (std::size_t i = 0; i < journals_.size(); ++i) {
        out.journals[i] = journals_[i]->durable();
    }
    return out;
}

// ---- Callers' threads

std::optional<Error> Committer::why_refused(const Locked& lock, const Call& call) const {
    const Shared& shared = shared_.with(lock);
    const std::uint64_t records = call.records.size();
    if (log_.closing(lock)) {
        return Error{ErrorKind::stopping, "the log is closing", "retry elsewhere or later"};
    }
    if (shared.lost) {
        return shared.lost;
    }
    if (call.refused) {
        return call.refused;
    }
    if (call.bytes > options_.pending_bytes_max || records > options_.pending_records_max) {
        return Error{ErrorKind::invalid,
                     fmt::format("{} records of {} bytes in one call are more than may ever wait",
                                 records, call.bytes),
                     "append fewer at a time, or raise log.pending_bytes_max and "
                     "log.pending_records_max"};
    }
    if (shared.pending_bytes + call.bytes > options_.pending_bytes_max ||
        shared.pending_records + records > options_.pending_records_max) {
        return Error{ErrorKind::exhausted,
                     fmt::format("{} bytes in {} records wait to become durable",
                                 shared.pending_bytes, shared.pending_records),
                     "slow down and retry; the bound is log.pending_bytes_max"};
    }
    return std::nullopt;
}

void Committer::enqueue(Call call) {
    call.arrived = clock_.monotonic();
    {
        const Locked lock = log_.lock();
        Shared& shared = shared_.with(lock);
        call.refused = why_refused(lock, call);
        if (call.refused) {
            call.records.clear();
            call.bytes = 0;
            refusals_.add();
        } else {
            shared.pending_bytes += call.bytes;
            shared.pending_records += call.records.size();
        }
        shared.queue.push_back(std::move(call));
    }
    arrived_.notify_one();
}

// ---- The committer's thread

void Committer::run() {
    for (;;) {
        Round round;
        if (!wait_for_calls(round)) {
            return;
        }
        const Duration now = clock_.monotonic();
        for (Journal* journal : journals_) {
            if (journal->retry_due(now)) {
                retry(*journal);
            }
        }
        stamp(round);
        for (Journal* journal : journals_) {
            commit(*journal, round);
        }
        publish(round);
        answer_all(round);
    }
}

/// Fills the round. A journal in trouble is tried meanwhile. False: stopped, and nothing waits.
bool Committer::wait_for_calls(Round& round) {
    const auto in_trouble = [](const Journal* journal) {
        return journal->status().state != JournalState::open;
    };
    for (;;) {
        Locked lock = log_.lock();
        Shared& shared = shared_.with(lock);
        shared.busy = false;
        if (shared.queue.empty()) {
            drained_.notify_all();
        }
        const auto wake = [&] { return !shared.queue.empty() || shared.stop; };
        if (std::ranges::none_of(journals_, in_trouble)) {
            arrived_.wait(lock, wake);
        } else if (!arrived_.wait_for(lock, options_.retry_interval, wake)) {
            lock.unlock();
            for (Journal* journal : journals_) {
                retry(*journal);
            }
            continue;
        }
        if (shared.queue.empty()) {
            return false;
        }
        shared.busy = true;
        if (take(lock, round)) {
            return true;
        }
    }
}

// Moves waiting calls into the round and takes its stamp.
bool Committer::take(const Locked& lock, Round& round) {
    Shared& shared = shared_.with(lock);
    while (!shared.queue.empty() && round.bytes < options_.group_bytes_max) {
        if (!admit(lock, shared.queue.front(), round)) {
            break;
        }
        Call call = std::move(shared.queue.front());
        shared.queue.pop_front();
        round.bytes += call.bytes;
        round.records += call.records.size();  // also of those refused since for a conflict: they
                                               // were counted as pending
        round.calls.push_back(std::move(call));
    }
    if (std::any_of(round.shares.begin(), round.shares.end(),
                    [](const Round::Share& share) { return share.frames > 0; })) {
        round.stamp = shared.clock->now();
        shared.round_stamp = round.stamp;
    }
    return !round.calls.empty();
}

// False: the call must wait for the next round.
bool Committer::admit(const Locked& lock, Call& call, Round& round) {
    if (!call.refused) {
        call.refused = lost(lock);
    }
    if (call.refused) {
        return true;
    }
    if (call.is_transact()) {
        return admit_transact(lock, call, round);
    }
    for (std::size_t i = 0; i < call.slots.size(); ++i) {
        const Slot& slot = call.slots[i];
        if (slot.topic == nullptr) {
            continue;
        }
        Round::Share& share = round.share(slot.topic->retention);
        share.frames += 1;
        share.bytes +=
            format::frame_header_bytes + call.records[i].key.size() + call.records[i].value.size();
    }
    return true;
}

namespace {

/// "17", "17 and 3 outputs beyond".
std::string in_words(const format::GroupOffset& at) {
    return at.outputs == 0 ? std::to_string(at.offset)
                           : fmt::format("{} and {} outputs beyond", at.offset, at.outputs);
}

}  // namespace

// A consumer group's moves within a round stay in one journal, or a torn write could keep the later
// one without the earlier.
bool Committer::admit_transact(const Locked& lock, Call& call, Round& round) {
    const auto moved = round.groups.find(call.group);
    if (moved != round.groups.end() && moved->second.retention != call.retention) {
        return false;
    }
    for (const auto& [key, from] : call.from) {
        format::GroupOffset now = log_.committed_at(lock, call.group, key);
        if (moved != round.groups.end()) {
            if (const auto at = moved->second.to.find(key); at != moved->second.to.end()) {
                now = at->second;
            }
        }
        if (now == from) {
            continue;
        }
        call.refused =
            Error{ErrorKind::conflict,
                  fmt::format("group {} is at {} on {}/{}, not at {}", call.group, in_words(now),
                              log_.topic(key.topic)->name, key.partition, in_words(from)),
                  "somebody else moved it: load the committed offsets and start over"};
        return true;
    }
    if (const auto last = log_.moved_elsewhere(lock, call.group, call.retention)) {
        // Of two journals' moves the later one counts, so they must not tie.
        shared_.with(lock).clock->pass(*last + log_time_grain);
    }
    Round::Moved& group = round.groups[call.group];
    group.retention = call.retention;
    for (const auto& [key, to] : call.to) {
        group.to[key] = to;
    }
    Round::Share& share = round.share(call.retention);
    share.frames += call.slots.size() + 1;
    share.bytes += call.bytes;
    share.transact_bytes += call.bytes;
    return true;
}

void Committer::stamp(Round& round) {
    for (Call& call : round.calls) {
        if (call.refused) {
            continue;
        }
        for (Slot& slot : call.slots) {
            slot.log_time = round.stamp;
        }
        call.offsets_time = round.stamp;
    }
}

void Committer::commit(Journal& journal, Round& round) {
    Round::Share& share = round.share(journal.retention());
    if (share.frames == 0) {
        return;
    }
    share.refused = journal.make_room(share.bytes, share.transact_bytes);
    if (share.refused.all) {
        failures_.add();
        return;
    }
    Group group = build_group(round.calls, {journal.retention(), share.refused.appends.has_value(),
                                            journal.end(), journal.salt(), share.bytes});
    if (group.frames == 0) {
        return;
    }
    if (const auto written = journal.write(*group.bytes, round.stamp); !written) {
        failures_.add();
        share.refused.all = not_durable(written.error());
        if (journal.lost()) {
            lose(written.error());
        }
        retry(journal);  // a new segment rules out what the failed write left behind
        return;
    }
    syncs_.add();
    share.group = std::move(group);
}

void Committer::publish(Round& round) {
    std::uint64_t records = 0, bytes = 0;
    for (Journal* journal : journals_) {
        const Group& group = round.share(journal->retention()).group;
        if (!group.bytes) {
            continue;
        }
        journal->view().recent.push(group.begin, group.bytes);
        records += group.records;
        bytes += group.bytes->size();
        group_records_.observe(static_cast<double>(group.records));
    }
    MarkFile::Durable marked;
    {
        const Locked lock = log_.lock();
        Shared& shared = shared_.with(lock);
        std::uint64_t topics = 0;
        for (Journal* journal : journals_) {
            const Group& group = round.share(journal->retention()).group;
            if (!group.bytes) {
                continue;
            }
            journal->publish(lock, group);
            shared.last_durable = std::max(shared.last_durable, group.last_time);
            topics |= group.topics;
        }
        for (const Call& call : round.calls) {
            if (!call.refused && call.is_transact() && round.share(call.retention).group.bytes) {
                journals_[index_of(call.retention)]->move_group(lock, call.group, call.to,
                                                                call.offsets_time);
            }
        }
        shared.round_stamp.reset();
        shared.pending_bytes -= round.bytes;
        shared.pending_records -= round.records;
        pending_gauge_.set(static_cast<double>(shared.pending_bytes));
        marked = durable(lock);
        log_.announce(lock, topics);
    }
    if (bytes > 0) {
        appended_records_.add(static_cast<double>(records));
        appended_bytes_.add(static_cast<double>(bytes));
        mark_.write(marked);
    }
}

void Committer::answer_all(Round& round) {
    const Duration now = clock_.monotonic();
    for (Call& call : round.calls) {
        if (!call.refused) {
            append_seconds_.observe(std::chrono::duration<double>(now - call.arrived).count());
        }
        std::array<const Error*, retention_classes> failed{};
        for (std::size_t i = 0; i < failed.size(); ++i) {
            const Refusals& refused = round.shares[i].refused;
            if (refused.all) {
                failed[i] = &*refused.all;
            } else if (refused.appends && !call.is_transact()) {
                failed[i] = &*refused.appends;
            }
        }
        answer(call, failed);
    }
}

void Committer::retry(Journal& journal) {
    {
        const Locked lock = log_.lock();
        if (lost(lock)) {
            return;  // nothing new is begun where files are not ours any more
        }
    }
    journal.retry(clock_.monotonic());
}

void Committer::lose(const Error& error) {
    const Locked lock = log_.lock();
    Shared& shared = shared_.with(lock);
    shared.lost = error;
    shared.deleted = true;
}

}  // namespace helios::log
