#include "store/projector.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "base/pause.h"
#include "base/thread_name.h"
#include "model/topics.h"
#include "store/dump.h"
#include "store/migrations.h"
#include "store/projection.h"
#include "store/tables.h"

namespace helios::store {
namespace {

constexpr std::array<std::string_view, 9> projected_topics{
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

std::span<const std::string_view> topics_of_the_store() {
    return projected_topics;
}

struct Projector::Metrics {
    std::map<std::string_view, telemetry::Counter*> records;
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
                                        {{"topic", std::string(topic)}});
        }
    }
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
      metrics_(std::make_unique<Metrics>(telemetry.metrics)) {}

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
    HELIOS_TRY(projector->stand_at_applied());
    return projector;
}

Projector::~Projector() {
    stop();
}

Status Projector::stand_at_applied() {
    log::Offsets from;
    for (const auto topic : projected_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            from[id] = log::Offset{0};
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
    for (const auto& info : log_.describe()) {
        const auto found = from.find(info.id);
        if (!damaged && found != from.end() && found->second > info.end &&
            found->second.value > 0) {
            return fail(
                ErrorKind::corrupt,
                fmt::format("store: the file holds records of {}/{} that this log does not have "
                            "(next {}, log ends at {})",
                            info.id.topic, info.id.partition, found->second.value, info.end.value),
                "it was built from another log, or the log was replaced: run `helios store "
                "rebuild`");
        }
    }
    HELIOS_TRY_ASSIGN(reader_, log_.read(from));
    return {};
}

void Projector::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Projector::stop() {
    if (!thread_.joinable()) {
        return;
    }
    thread_.request_stop();
    reader_->wake();
    thread_.join();
}

Status Projector::health() const {
    std::lock_guard lock(mutex_);
    return health_;
}

void Projector::set_health(Status health) {
    std::lock_guard lock(mutex_);
    health_ = std::move(health);
}

void Projector::remember_files() {
    const std::lock_guard lock(mutex_);
    file_ = identify(options_.file);
    wal_ = identify(wal_of(options_.file));
}

Status Projector::file_health() const {
    const std::lock_guard lock(mutex_);
    return file_health_;
}

Status Projector::check_file() {
    const std::lock_guard lock(mutex_);
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
    const std::lock_guard lock(mutex_);
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
        const std::lock_guard lock(mutex_);
        remade_ = true;
    }
    telemetry_.logger.warn("store", "the store was made anew", {{"file", options_.file.string()}});
    return {};
}

Result<std::size_t> Projector::step(Duration wait) {
    if (!waiting_) {
        HELIOS_TRY_ASSIGN(
            waiting_, reader_->poll(options_.batch_records_max, options_.batch_bytes_max, wait));
    }
    if (!waiting_->records.empty()) {
        const Duration begin = clock_.monotonic();
        Projection projection;
        for (const auto& record : waiting_->records) {
            projection.add(record);
        }
        HELIOS_TRY_ASSIGN(const auto decided, tables_->write(projection.rows()));
        observe(*waiting_, decided, projection.undecodable(), clock_.monotonic() - begin);
    }
    const std::size_t taken = waiting_->records.size();
    const Instant complete = waiting_->complete_below;
    waiting_.reset();
    frontier_.advance_to(complete);
    metrics_->frontier.set(seconds(complete.time_since_epoch()));
    return taken;
}

void Projector::observe(const log::Batch& batch, std::span<const DecidedVerdict> decided,
                        std::span<const Undecodable> undecodable, Duration took) {
    for (const auto& record : batch.records) {
        if (const auto found = metrics_->records.find(record.topic);
            found != metrics_->records.end()) {
            found->second->add();
        }
    }
    metrics_->batch_records.observe(static_cast<double>(batch.records.size()));
    metrics_->commit_seconds.observe(seconds(took));
    const Instant now = clock_.wall();
    for (const auto& verdict : decided) {
        metrics_->reconciliation_seconds.observe(std::max(0.0, seconds(now - verdict.at)));
        if (verdict.first) {
            metrics_->verdict_seconds.observe(seconds(verdict.reconciled_at - verdict.opened_at));
        }
    }
    for (const auto& skipped : undecodable) {
        metrics_->undecodable.add();
        telemetry_.logger.error("store",
                                "a log record could not be decoded and is not in the store",
                                {{"topic", skipped.id.topic},
                                 {"partition", skipped.id.partition},
                                 {"offset", skipped.offset.value},
                                 {"why", skipped.why}});
    }
}

Status Projector::catch_up(Instant to) {
    while (frontier_.get() < to) {
        if (auto stepped = step(options_.idle_poll); !stepped) {
            return fail(std::move(stepped).error());
        }
    }
    return {};
}

void Projector::run(const std::stop_token& stop) {
    name_this_thread("store");
    while (!stop.stop_requested()) {
        const Duration began = clock_.monotonic();
        auto stepped = [&]() -> Result<std::size_t> {
            if (must_remake()) {
                HELIOS_TRY(remake());
            }
            return step(options_.idle_poll);
        }();
        if (stepped) {
            pause_for(stop, began + options_.pace - clock_.monotonic());
            if (!health()) {
                set_health({});
                telemetry_.logger.info("store", "writing again");
            }
            continue;
        }
        if (stepped.error().kind == ErrorKind::stopping) {
            return;
        }
        metrics_->failures.add();
        if (health().has_value() || health().error() != stepped.error()) {
            telemetry_.logger.warn(
                "store", "writing fails; queries answer from what is there, the log keeps the rest",
                {{"what", stepped.error().what}, {"hint", stepped.error().hint}});
        }
        set_health(fail(stepped.error()));
        pause_for(stop, options_.retry_pause);
    }
}

}  // namespace helios::store
