#include "store/projector.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "model/topics.h"
#include "store/dump.h"
#include "store/migrations.h"
#include "store/projection.h"
#include "store/tables.h"

namespace helios::store {
namespace {

constexpr std::array<TopicId, 9> projected_topics{
    model::topic::orders,   model::topic::payments, model::topic::inventory,
    model::topic::other,    model::topic::dlq,      model::topic::cases,
    model::topic::verdicts, model::topic::flows,    model::topic::counts,
};

std::filesystem::path wal_of(std::filesystem::path file) {
    return file.concat("-wal");
}
std::filesystem::path shm_of(std::filesystem::path file) {
    return file.concat("-shm");
}

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
                      "Log time (Unix seconds) before which everything is visible to queries.")) {
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
                     const Clock& clock, std::unique_ptr<Database> database,
                     std::unique_ptr<Tables> tables)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      clock_(clock),
      database_(std::move(database)),
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
    HELIOS_TRY_ASSIGN(Database database, Database::open(options.file, Database::Mode::write));
    HELIOS_TRY(migrate(database));
    HELIOS_TRY(database.set_cache_bytes(options.write_cache_bytes));
    auto owned = std::make_unique<Database>(std::move(database));
    HELIOS_TRY_ASSIGN(auto tables, Tables::prepare(*owned));
    std::unique_ptr<Projector> projector(
        new Projector(options, log, telemetry, clock, std::move(owned), std::move(tables)));
    projector->remember_files();
    if (options.from_log_start) {
        HELIOS_TRY(projector->begin_at_log_start());
    }
    HELIOS_TRY(projector->stage_.open());
    return projector;
}

/// Written down also where nothing is left to read: else a later start would begin before it.
Status Projector::begin_at_log_start() {
    HELIOS_TRY_ASSIGN(const auto applied, applied_offsets(*database_));
    if (!applied.empty()) {
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

Result<log::Standing> Projector::restore() {
    *waiting_ = {};
    log::Offsets from;
    for (const auto topic : projected_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            from[id] = Offset{0};
        }
    }
    HELIOS_TRY_ASSIGN(const auto applied, applied_offsets(*database_));
    for (const auto& [id, next] : applied) {
        if (const auto found = from.find(id); found != from.end()) {
            found->second = next;
        }
    }
    const bool damaged =
        !log_.damage().empty();  // then what is gone may have been the last of its partition
    for (const auto& [id, end] : log_.ends_of(from)) {
        const Offset next = from.at(id);
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

void Projector::remember_files() {
    const MutexLock lock(mutex_);
    file_ = identify(options_.file);
    wal_ = identify(wal_of(options_.file));
}

Status Projector::file_health() const {
    const MutexLock lock(mutex_);
    return file_health_;
}

Status Projector::check_file() {
    const MutexLock lock(mutex_);
    if (!file_health_ && !remade_) {
        return file_health_;  // being worked on
    }
    const auto wal = identify(wal_of(options_.file));
    if (!wal_) {
        wal_ = wal;
    }
    const auto file = identify(options_.file);
    file_health_ = {};
    if (file && file == file_ && wal == wal_) {
        return {};
    }
    remade_ = false;
    file_health_ = fail(ErrorKind::unavailable,
                        fmt::format("the store {} {}", options_.file.string(),
                                    file && file == file_ ? "has lost its WAL"
                                    : file ? "is not the file that was opened: it was replaced"
                                           : "is gone: it was removed"),
                        "it is made anew; nothing is lost, all of it is on the log");
    return file_health_;
}

bool Projector::must_remake() const {
    const MutexLock lock(mutex_);
    return !file_health_ && !remade_;
}

/// A deleted file lives on as long as it is open: nobody has to wait until the log is read again.
Status Projector::remake() {
    const auto fresh = std::filesystem::path(options_.file).concat(".new");
    std::error_code failed;
    std::filesystem::create_directory(options_.file.parent_path(),
                                      failed);  // not those above: they are not the store's
    for (const auto& left :
         {fresh, wal_of(fresh), wal_of(options_.file), shm_of(fresh), shm_of(options_.file)}) {
        std::filesystem::remove(left, failed);
    }
    HELIOS_TRY(database_->copy_into(fresh));
    std::filesystem::rename(fresh, options_.file, failed);
    if (failed) {
        return fail(ErrorKind::unavailable,
                    fmt::format("store: {}: {}", options_.file.string(), failed.message()));
    }
    HELIOS_TRY_ASSIGN(Database database, Database::open(options_.file, Database::Mode::write));
    HELIOS_TRY(database.set_cache_bytes(options_.write_cache_bytes));
    auto owned = std::make_unique<Database>(std::move(database));
    HELIOS_TRY_ASSIGN(auto tables, Tables::prepare(*owned));
    tables_ = std::move(tables);  // before the database that its statements belong to
    database_ = std::move(owned);
    remember_files();
    {
        const MutexLock lock(mutex_);
        remade_ = true;
    }
    telemetry_.logger.warn("store", "the store was made anew", {{"file", options_.file.string()}});
    return {};
}

Status Projector::begin() {
    return must_remake() ? remake() : Status{};
}

Result<log::Taken> Projector::apply(const log::StoredRecord& record, bool, log::Outputs&) {
    waiting_->projection.add(record);
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
    HELIOS_TRY_ASSIGN(const auto decided, tables_->write(waiting_->projection.rows()));
    observe(decided, clock_.monotonic() - begin);
    *waiting_ = {};
    return log::Offsets{};
}

void Projector::after_round() {
    metrics_->frontier.set(seconds(stage_.frontier().get().time_since_epoch()));
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
