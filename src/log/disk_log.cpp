#include "log/disk_log.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/thread_name.h"
#include "log/committer.h"

namespace helios::log {

Result<std::unique_ptr<Log>> open_disk_log(const DiskLogOptions& options,
                                           std::vector<TopicSpec> topics, Disk& disk,
                                           const Clock& clock, telemetry::Telemetry& telemetry) {
    return DiskLog::open(options, std::move(topics), disk, clock, telemetry);
}

Result<std::unique_ptr<Log>> DiskLog::open(const DiskLogOptions& options,
                                           std::vector<TopicSpec> topics, Disk& disk,
                                           const Clock& clock, telemetry::Telemetry& telemetry) {
    HELIOS_TRY(options.validate());
    std::unique_ptr<DiskLog> log(new DiskLog(options, disk, clock, telemetry));
    HELIOS_TRY(log->recover_directory(topics));
    log->thread_ = std::thread([raw = log.get()] {
        name_this_thread("log");
        raw->run();
    });
    if (options.scrub_interval > Duration::zero()) {
        log->scrubber_ = std::jthread([raw = log.get()](const std::stop_token& stop) {
            name_this_thread("scrub");
            raw->scrub_.run(stop);
        });
    }
    return log;
}

DiskLog::DiskLog(const DiskLogOptions& options, Disk& disk, const Clock& clock,
                 telemetry::Telemetry& telemetry)
    : StoredLog(options, disk, clock, telemetry),
      data_half_(disk, data_, options_, RetentionClass::data),
      control_half_(disk, control_, options_, RetentionClass::control),
      presence_(disk, paths_, {&data_.segments, &control_.segments}),
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
                                             "Bytes accepted and not yet durable.")),
      scrub_(*this, clock, telemetry) {}

DiskLog::~DiskLog() {
    if (!thread_.joinable()) {
        return;
    }
    HELIOS_ASSERT(std::this_thread::get_id() != thread_.get_id(),
                  "a log is not destroyed by its own callback");
    scrubber_.request_stop();
    close();
    if (scrubber_.joinable()) {
        scrubber_.join();
    }
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    arrived_.notify_all();
    thread_.join();
    for (Half* half : {&data_half_, &control_half_}) {
        half->writer.finish();
    }
    write_mark();
    if (const auto synced = mark_file_->sync(); !synced) {
        telemetry_.logger.warn(
            "log", "the durable mark was not written; the next start finds the end from the groups",
            {{"what", synced.error().what}});
    }
}

Status DiskLog::recover_directory(const std::vector<TopicSpec>& topics) {
    HELIOS_TRY(check_directory(disk_, paths_,
                               options_.partitions));  // a refusal must not even make a directory
    HELIOS_TRY(disk_.make_directories(paths_.root));
    HELIOS_TRY_ASSIGN(locks_, DirectoryLocks::take(disk_, paths_, options_.folders));
    HELIOS_TRY(check_directory(
        disk_, paths_, options_.partitions));  // once more: another may have had it until now
    static_cast<void>(locks_->sign(paths_));   // a full disk lacks the name; the lock holds
    HELIOS_TRY(claim_directory(disk_, paths_, options_.partitions));
    HELIOS_TRY_ASSIGN(auto all_topics, claim_topics(disk_, paths_, options_.partitions, topics));
    set_topics(std::move(all_topics));

    format::Mark mark;
    HELIOS_TRY_ASSIGN(mark_file_, disk_.open(paths_.mark, OpenMode::create));
    HELIOS_TRY_ASSIGN(const auto read, read_mark(*mark_file_, paths_.mark, damage_sink()));
    if (read) {
        mark = *read;
    }
    mark_.sequence = mark.sequence;
    mark_.alive = mark.alive;
    mark_.absent = mark.absent;
    life_at_open_ = {mark.alive, mark.absent};

    HELIOS_TRY(recover_journal(data_half_, mark.data.end));
    HELIOS_TRY(recover_journal(control_half_, mark.control.end));
    last_durable_ = std::max({data_.state.last_time, control_.state.last_time});
    // What a reader in another process was told is complete must stay so.
    const Instant last =
        std::max({last_durable_, mark.last_time, mark.watermark - Duration{1}, mark.alive});
    const Instant wall = clock_.wall();
    if (wall + std::chrono::seconds(1) < last) {
        telemetry_.logger.warn("log",
                               "the wall clock is behind the log; log time goes on from the log",
                               {{"wall", format_rfc3339(wall)}, {"log", format_rfc3339(last)}});
    }
    log_clock_.emplace(clock_, last);

    for (Half* half : {&data_half_, &control_half_}) {
        half->unsettled_from = log_clock_->floor();
        auto room = half->writer.prepare(format::group_header_bytes, options_.segment_bytes,
                                         half->view.state);
        if (room) {
            half->unsettled_from.reset();
            half->view.known_to = half->view.end = half->writer.end();
            continue;
        }
        if (room.error().kind != ErrorKind::exhausted) {
            return room;
        }
        half->full = true;
        half->trouble = disk_full(room.error());
        telemetry_.logger.error("log", "the log opens for reading and for transactions only",
                                {{"what", half->trouble->what}, {"hint", half->trouble->hint}});
    }
    write_mark();
    HELIOS_TRY(mark_file_->sync());
    HELIOS_TRY(disk_.sync_directory(paths_.log));
    static_cast<void>(make_reserve());
    if (options_.reserve_bytes > 0 && !reserve_there_) {
        telemetry_.logger.warn("log",
                               "no space for the reserve that lets stages finish on a full disk",
                               {{"reserve_bytes", options_.reserve_bytes}});
    }
    return presence_.check();  // what is there now is what must stay
}

Status DiskLog::recover_journal(Half& half, std::uint64_t mark_end) {
    JournalView& view = half.view;
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(view.segments.directory()));
    for (const std::string& name : names) {  // a segment that was never finished
        if (name.ends_with(".new")) {
            HELIOS_TRY(disk_.remove(view.segments.directory() + "/" + name));
        }
    }
    HELIOS_TRY(view.segments.load());
    HELIOS_TRY_ASSIGN(Recovered found, recover(view.segments, mark_end, false,
                                               options_.read_ahead_bytes, damage_sink()));
    HELIOS_TRY(make_durable(view.segments, found, options_.read_ahead_bytes));
    view.state = std::move(found.state);
    view.known_to = view.end = found.end;
    std::uint64_t begin = found.end;
    const auto all = view.segments.all();
    if (!all.empty()) {
        const Segment& last = *all.back();
        if (last.header_intact && begin == last.begin()) {
            begin = last.base;  // an empty segment is replaced, not followed
        } else if (auto file = disk_.open(last.path, OpenMode::write)) {
            static_cast<void>((*file)->truncate(
                begin - last.base));  // gives space back; the next segment's base is what cuts
        }
    }
    half.writer.begin(begin);
    telemetry_.logger.info(
        "log", "journal recovered",
        {{"journal", half.retention == RetentionClass::data ? "data" : "control"},
         {"segments", std::uint64_t{all.size()}},
         {"end", found.end},
         {"behind_end_bytes", found.cut_bytes}});
    return {};
}

Instant DiskLog::watermark() {
    Instant mark = round_first_ ? *round_first_ : log_clock_->floor();
    for (const Half* half : {&data_half_, &control_half_}) {
        if (half->unsettled_from) {
            mark = std::min(mark, *half->unsettled_from);
        }
    }
    return mark;
}

Instant DiskLog::low_watermark() {
    const std::lock_guard lock(mutex_);
    return watermark();
}

Instant DiskLog::now() {
    const std::lock_guard lock(mutex_);
    return log_clock_->floor();
}

Instant DiskLog::last_log_time() {
    const std::lock_guard lock(mutex_);
    return last_durable_;
}

Status DiskLog::check_files() {
    Status found = presence_.check();
    const std::lock_guard lock(mutex_);
    if (deleted_) {
        return fail(*lost_);
    }
    if (found) {
        lost_.reset();
    } else {
        lost_ = found.error();
    }
    return found;
}

Status DiskLog::health() {
    const std::lock_guard lock(mutex_);
    if (lost_) {
        return fail(*lost_);
    }
    for (const Half* half : {&data_half_, &control_half_}) {
        if (half->trouble) {
            return fail(*half->trouble);
        }
    }
    return {};
}

StoredLog::View DiskLog::view() {
    const std::lock_guard lock(mutex_);
    return {data_.end, control_.end, watermark(), closing_};
}

void DiskLog::wait(ReaderSignal& signal, Duration wait) {
    std::unique_lock lock(mutex_);
    const Duration bounded = std::min<Duration>(wait, std::chrono::hours(1));
    signal.wakeup.wait_for(lock, bounded,
                           [&] { return signal.published || signal.woken || closing_; });
}

void DiskLog::close() {
    std::unique_lock lock(mutex_);
    closing_ = true;
    announce(~std::uint64_t{0});
    arrived_.notify_all();
    drained_.wait(lock, [&] { return queue_.empty() && !busy_; });
}

}  // namespace helios::log
