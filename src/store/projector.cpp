#include "store/projector.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "model/topics.h"
#include "store/file_set.h"
#include "store/projection.h"
#include "store/tables.h"

namespace helios::store {
namespace {

constexpr std::array<TopicId, 9> projected_topics{
    model::topic::orders,   model::topic::payments, model::topic::inventory,
    model::topic::other,    model::topic::dlq,      model::topic::cases,
    model::topic::verdicts, model::topic::flows,    model::topic::counts,
};

double seconds(Duration d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace

std::span<const TopicId> topics_of_the_store() {
    return projected_topics;
}

struct Projector::Metrics {
    std::map<TopicId, telemetry::Counter*> records;
    telemetry::Counter& undecodable;
    telemetry::Counter& failures;
    telemetry::Histogram& batch_records;
    telemetry::Histogram& commit_seconds;
    telemetry::Histogram& reconciliation_seconds;
    telemetry::Histogram& verdict_seconds;
    telemetry::Gauge& frontier;
    telemetry::Gauge& slices;
    telemetry::Counter& dropped_slices;
    telemetry::Counter& dropped_cases;
    telemetry::Counter& dropped_items;

    static telemetry::Counter& dropped(telemetry::Metrics& m, std::string what) {
        return m.counter("helios_store_dropped_total",
                         "What retention has dropped: slices of events, decided cases, quarantined "
                         "items.",
                         {{"what", std::move(what)}});
    }

    explicit Metrics(telemetry::Metrics& m)
        : undecodable(m.counter(
              "helios_store_undecodable_total",
              "Log records the store could not decode and skipped; they stay in the log.")),
          failures(m.counter("helios_store_write_failures_total",
                             "Transactions that failed and are tried again.")),
          batch_records(m.histogram("helios_store_batch_records", "Log records per transaction.",
                                    {1, 10, 100, 1000, 5000, 20000})),
          commit_seconds(m.histogram("helios_store_batch_duration_seconds",
                                     "Time to write and commit one batch.",
                                     {0.001, 0.005, 0.02, 0.1, 0.5, 1, 5})),
          reconciliation_seconds(m.histogram("helios_reconciliation_duration_seconds",
                                             "From the log time of the deciding record (or the "
                                             "deadline) to the verdict being visible to queries.",
                                             {0.1, 0.5, 1, 2, 5, 10})),
          verdict_seconds(m.histogram("helios_store_time_to_verdict_seconds",
                                      "From a case's opening to its first decided verdict.",
                                      {0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600})),
          frontier(
              m.gauge("helios_store_frontier_seconds",
                      "Log time (Unix seconds) before which everything is visible to queries.")),
          slices(m.gauge("helios_store_slices", "Files of event rows.")),
          dropped_slices(dropped(m, "slices")),
          dropped_cases(dropped(m, "cases")),
          dropped_items(dropped(m, "items")) {
        for (const auto topic : projected_topics) {
            records[topic] = &m.counter("helios_store_records_total", "Log records projected.",
                                        {{"topic", std::string(model::name_of(topic))}});
        }
    }
};

struct Projector::Waiting {
    Projection projection;
    std::size_t records = 0;
};

Projector::Projector(const Options& options, log::Log& log, telemetry::Telemetry& telemetry,
                     const Clock& clock, std::unique_ptr<Tables> tables)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      clock_(clock),
      tables_(std::move(tables)),
      waiting_(std::make_unique<Waiting>()),
      metrics_(std::make_unique<Metrics>(telemetry.metrics)),
      stage_({.room = "store",
              .name = "store",
              .batch_records_max = options.batch_records_max,
              .batch_bytes_max = options.batch_bytes_max,
              .poll_wait = options.idle_poll,
              .pace = options.pace,
              .retry_after = options.retry_pause,
              .failing = "writing fails; queries answer from what is there, the log keeps the rest",
              .works_again = "writing again"},
             *this, log, telemetry, clock, metrics_->failures) {}

Result<std::unique_ptr<Projector>> Projector::open(const Options& options, log::Log& log,
                                                   telemetry::Telemetry& telemetry,
                                                   const Clock& clock) {
    HELIOS_TRY(options.validate());
    HELIOS_TRY_ASSIGN(auto tables, Tables::open(options));
    std::unique_ptr<Projector> projector(
        new Projector(options, log, telemetry, clock, std::move(tables)));
    if (options.from_log_start) {
        HELIOS_TRY(projector->begin_at_log_start());
    }
    HELIOS_TRY(projector->stage_.open());
    projector->remember_files();
    return projector;
}

/// Written down also where nothing is left to read: else a later start would begin before it.
Status Projector::begin_at_log_start() {
    if (!tables_->applied().empty()) {
        return {};
    }
    std::vector<Partition> ids;
    for (const auto topic : projected_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            ids.push_back(id);
        }
    }
    HELIOS_TRY_ASSIGN(const auto start, log::log_start(log_, ids));
    Rows rows;
    for (const auto& [id, offset] : start) {
        if (offset.value > 0) {
            rows.next_offsets[id] = offset;
        }
    }
    HELIOS_TRY(tables_->write(rows));
    return {};
}

Projector::~Projector() {
    stop();
}

Result<log::Standing> Projector::restore(const log::Assignment& assignment) {
    *waiting_ = {};
    log::Offsets from;
    for (const auto topic : projected_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            if (assignment.includes(id)) {
                from[id] = Offset{0};
            }
        }
    }
    HELIOS_TRY_ASSIGN(const auto lowest, tables_->lowest());
    for (const auto& [id, next] : lowest) {
        if (const auto found = from.find(id); found != from.end()) {
            found->second = next;
        }
    }
    const bool damaged =
        !log_.damage().empty();  // then what is gone may have been the last of its partition
    HELIOS_TRY_ASSIGN(const auto ends, log_.ends_of(from));
    for (const auto& [id, end] : ends) {
        const auto applied = tables_->applied().find(id);
        const Offset next = applied == tables_->applied().end() ? Offset{0} : applied->second;
        if (!damaged && next > end && next.value > 0) {
            return fail(
                ErrorKind::corrupt,
                fmt::format("store: the file holds records of {} that this log does not have "
                            "(next {}, log ends at {})",
                            log::to_text(log_, id), next.value, end.value),
                "it was built from another log, or the log was replaced: run `helios store "
                "rebuild`");
        }
    }
    return log::Standing{from, from};
}

// ---- Files that others remove

/// Those that have been opened since; a file that is open stays the one that was.
void Projector::remember_files() {
    const auto open = tables_->open_files();
    const MutexLock lock(mutex_);
    if (std::ranges::equal(files_, open, {}, &OpenFile::path)) {
        return;
    }
    std::vector<OpenFile> files;
    for (const auto& path : open) {
        const auto known = std::ranges::find(files_, path, &OpenFile::path);
        files.push_back(known == files_.end()
                            ? OpenFile{path, identify(path), identify(wal_of(path))}
                            : *known);
    }
    files_ = std::move(files);
}

Status Projector::file_health() const {
    const MutexLock lock(mutex_);
    return file_health_;
}

/// Empty: it is the file that was opened.
std::string Projector::look_at(OpenFile& open) {
    const auto wal = identify(wal_of(open.path));
    if (!open.wal) {
        open.wal = wal;
    }
    const auto file = identify(open.path);
    if (file && file == open.file && wal == open.wal) {
        return {};
    }
    return fmt::format("the store's {} {}", open.path.string(),
                       file && file == open.file ? "has lost its WAL"
                       : file ? "is not the file that was opened: it was replaced"
                              : "is gone: it was removed");
}

Status Projector::check_file() {
    const MutexLock lock(mutex_);
    if (!lost_.empty()) {
        return file_health_;
    }
    file_health_ = damage_ ? Status(fail(*damage_)) : Status{};
    std::string first;
    for (auto& open : files_) {
        const std::string lost = look_at(open);
        if (!lost.empty()) {
            lost_.push_back(open.path);
            first = first.empty() ? lost : first;
        }
    }
    if (!lost_.empty()) {
        file_health_ = fail(ErrorKind::unavailable, first,
                            "it is made anew; nothing is lost, all of it is on the log");
    }
    return file_health_;
}

std::vector<std::filesystem::path> Projector::lost_files() const {
    const MutexLock lock(mutex_);
    return lost_;
}

/// A deleted file lives on as long as it is open: nobody has to wait until the log is read again.
Status Projector::remake(const std::vector<std::filesystem::path>& files) {
    HELIOS_TRY(tables_->remake(files));
    {
        const MutexLock lock(mutex_);
        std::erase_if(files_, [&](const OpenFile& open) {
            return std::ranges::find(files, open.path) != files.end();
        });
        lost_.clear();
    }
    remember_files();
    for (const auto& file : files) {
        telemetry_.logger.warn("store", "the store was made anew", {{"file", file.string()}});
    }
    return {};
}

Status Projector::begin() {
    const auto lost = lost_files();
    if (!lost.empty()) {
        HELIOS_TRY(remake(lost));
    }
    if (failing_) {
        drop_expired();  // it may be what makes room
    }
    return {};
}

// ---- Rounds

Result<log::Taken> Projector::apply(const log::StoredRecord& record, bool, log::Outputs&) {
    waiting_->projection.add(record, tables_->is_current(record.at));
    ++waiting_->records;
    if (const auto found = metrics_->records.find(record.at.partition.topic);
        found != metrics_->records.end()) {
        found->second->add();
    }
    return log::Taken::whole;
}

/// Rows hold their own offsets: those of the records that they were made from.
Result<log::Offsets> Projector::commit(const log::Outputs&, const log::GroupOffsets&) {
    const Duration begin = clock_.monotonic();
    failing_ = true;
    HELIOS_TRY_ASSIGN(const auto decided, tables_->write(waiting_->projection.rows()));
    failing_ = false;
    observe(decided, clock_.monotonic() - begin);
    *waiting_ = {};
    return log::Offsets{};
}

void Projector::after_round() {
    remember_files();
    drop_expired();
    metrics_->frontier.set(seconds(stage_.frontier().get().time_since_epoch()));
}

/// Now and then, and at once again while more waits to leave. What can't leave now can later.
void Projector::drop_expired() {
    const Duration now = clock_.monotonic();
    if (now < retention_due_) {
        return;
    }
    look_for_damage();
    const auto dropped = tables_->drop_expired(clock_.wall());
    if (!dropped) {
        if (!failing_) {  // else the writer says so
            metrics_->failures.add();
            telemetry_.logger.error("store", "rows past retention could not leave",
                                    {{"why", dropped.error().what}});
        }
        retention_due_ = now + options_.retention_interval;
        return;
    }
    if (dropped->slices > 0) {
        remember_files();  // what has left is not lost
    }
    metrics_->dropped_slices.add(static_cast<double>(dropped->slices));
    metrics_->dropped_cases.add(static_cast<double>(dropped->cases));
    metrics_->dropped_items.add(static_cast<double>(dropped->items));
    metrics_->slices.set(static_cast<double>(tables_->slices()));
    retention_due_ = dropped->more ? now : now + options_.retention_interval;
}

void Projector::look_for_damage() {
    auto damage = tables_->damage();
    const MutexLock lock(mutex_);
    damage_ = std::move(damage);
}

void Projector::observe(std::span<const DecidedVerdict> decided, Duration took) {
    metrics_->batch_records.observe(static_cast<double>(waiting_->records));
    metrics_->commit_seconds.observe(seconds(took));
    const Instant now = clock_.wall();
    for (const auto& verdict : decided) {
        metrics_->reconciliation_seconds.observe(std::max(0.0, seconds(now - verdict.at)));
        if (verdict.first) {
            metrics_->verdict_seconds.observe(seconds(verdict.reconciled_at - verdict.opened_at));
        }
    }
    for (const auto& skipped : waiting_->projection.undecodable()) {
        metrics_->undecodable.add();
        telemetry_.logger.error("store",
                                "a log record could not be decoded and is not in the store",
                                {{"topic", model::name_of(skipped.at.partition.topic)},
                                 {"partition", skipped.at.partition.index},
                                 {"offset", skipped.at.offset.value},
                                 {"why", skipped.why}});
    }
}

Status Projector::catch_up(Instant to) {
    while (frontier().get() < to) {
        if (auto stepped = step(options_.idle_poll); !stepped) {
            return fail(std::move(stepped).error());
        }
    }
    return {};
}

}  // namespace helios::store
