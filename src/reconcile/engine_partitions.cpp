#include "reconcile/engine_partitions.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/thread_name.h"
#include "model/engine_level.h"
#include "model/topics.h"
#include "reconcile/engine_state.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t restore_threads_max = 4;
constexpr std::int64_t quiet_factor = 12;

}  // namespace

struct EnginePartitions::Metrics {
    telemetry::Counter& written;
    telemetry::Counter& failures;
    telemetry::Counter& passed_over;
    telemetry::Histogram& seconds;

    explicit Metrics(telemetry::Metrics& m)
        : written(m.counter("helios_reconcile_checkpoints_total",
                            "Checkpoints of the engine's partitions written.")),
          failures(m.counter("helios_reconcile_checkpoint_failures_total",
                             "Checkpoints that could not be written and are tried again.")),
          passed_over(m.counter("helios_reconcile_checkpoints_passed_over_total",
                                "Checkpoints found at start that could not be used.")),
          seconds(m.histogram("helios_reconcile_checkpoint_duration_seconds",
                              "Time to write one partition's checkpoint.",
                              {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5})) {}
};

void EnginePartition::took(const log::StoredRecord& record, bool tick) {
    next = record.next;
    last = record.at.offset;
    last_time = record.log_time;
    ++records;
    ticks += tick ? 1 : 0;
}

EnginePartitions::EnginePartitions(const EngineStageOptions& options, log::Log& log,
                                   telemetry::Telemetry& telemetry, const Clock& clock)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      clock_(clock),
      metrics_(std::make_unique<Metrics>(telemetry.metrics)),
      expired_before_(
          std::make_shared<std::atomic<std::int64_t>>(std::numeric_limits<std::int64_t>::min())) {}

EnginePartitions::~EnginePartitions() {
    if (writer_.joinable()) {
        writer_.request_stop();
        writer_.join();
    }
}

// ---- Restoring

/// Whether a checkpoint can be gone on from: this engine can read it, and it is of this log.
Status EnginePartitions::judge(const log::CheckpointHeader& header, Offset committed) const {
    if (header.format != engine_state_format || header.level > model::highest_level) {
        return fail(
            ErrorKind::invalid,
            fmt::format("it is of format {} and level {}, this binary knows {} and {}",
                        header.format, header.level, engine_state_format, model::highest_level),
            "the log is replayed instead");
    }
    if (header.next > committed) {
        return fail(ErrorKind::corrupt,
                    fmt::format("it stands at {}, beyond what the engine has committed ({})",
                                header.next.value, committed.value),
                    "it is another log's, or the log was replaced by an older copy");
    }
    const Partition id{model::topic::cases, header.partition};
    if (const auto tail = log_.read({{id, header.next}});
        !tail && tail.error().kind == ErrorKind::not_found) {
        return fail(ErrorKind::not_found, "the log lacks what follows it", tail.error().what);
    }
    if (!header.last) {
        return {};
    }
    const auto record = log_.read_at({id, *header.last});
    if (!record && record.error().kind == ErrorKind::not_found && is_dropped(id, *header.last)) {
        return {};  // retention keeps what comes after it
    }
    if (!record) {
        return record.error().kind == ErrorKind::not_found
                   ? fail(ErrorKind::corrupt,
                          fmt::format("the log has no record at {}, the last one in it",
                                      header.last->value))
                   : fail(record.error());
    }
    if (record->records.front().log_time != header.last_time) {
        return fail(ErrorKind::corrupt,
                    fmt::format("the last record in it, at {}, is another one on this log",
                                header.last->value));
    }
    return {};
}

/// Whether retention has dropped what stood there.
bool EnginePartitions::is_dropped(const Partition& id, Offset at) const {
    const auto reader = log_.read({{id, at}});
    return !reader && reader.error().kind == ErrorKind::not_found;
}

void EnginePartitions::pass_over(const std::string& checkpoint, const Error& why,
                                 std::vector<std::string>& unusable) const {
    const std::string line = checkpoint + ": " + why.what;
    if (std::find(unusable.begin(), unusable.end(), line) != unusable.end()) {
        return;  // a newer one was rejected since, and all are looked at again
    }
    metrics_->passed_over.add();
    telemetry_.logger.warn("reconcile",
                           "a checkpoint of the engine can't be used; an older one is, or the log",
                           {{"checkpoint", checkpoint}, {"why", why.message()}});
    unusable.push_back(line);
}

Result<std::unique_ptr<EnginePartition>> EnginePartitions::restore_one(const Partition& id,
                                                                       Offset committed) {
    std::vector<std::string> unusable;
    for (;;) {
        std::vector<log::StateDirectory::PassedOver> passed_over;
        auto opened = states_->open(
            id.index, [&](const auto& header) { return judge(header, committed); }, passed_over);
        for (const auto& checkpoint : passed_over) {
            pass_over(checkpoint.path, checkpoint.why, unusable);
        }
        if (!opened) {
            return fail(std::move(opened).error());
        }
        auto partition = std::make_unique<EnginePartition>(id.index, *std::move(opened));
        const auto& from = partition->state->began_from();
        if (from) {
            partition->next = from->next;
            partition->last = from->last;
            partition->last_time = from->last_time;
        }
        auto restored = partition->engine.restore(*partition->state);
        if (restored) {
            HELIOS_TRY(check_start(*partition, id, unusable));
            partition->kept_at = clock_.monotonic();
            return partition;
        }
        if (!from) {
            return fail(std::move(restored).error());
        }
        pass_over(path_of(id.index, from->next), restored.error(), unusable);
        partition.reset();
        HELIOS_TRY(states_->reject(id.index));
    }
}

/// As log::StateDirectory names it.
std::string EnginePartitions::folder_of(std::uint32_t partition) const {
    return fmt::format("{}/{}", std::filesystem::absolute(options_.state_directory).string(),
                       partition);
}

std::string EnginePartitions::path_of(std::uint32_t partition, Offset at) const {
    return fmt::format("{}/{}", folder_of(partition), at.value);
}

/// What there is of checkpoints, and why the engine can't begin from it: those passed over now, and
/// those set aside when they were found damaged.
std::string EnginePartitions::checkpoints_of(std::uint32_t partition,
                                             std::vector<std::string> unusable) const {
    constexpr std::string_view set_aside = ".bad";
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(
             options_.state_directory.empty() ? "" : folder_of(partition), none)) {
        std::string path = entry.path().string();
        if (!path.ends_with(set_aside)) {
            continue;
        }
        path.resize(path.size() - set_aside.size());
        const bool told = std::any_of(unusable.begin(), unusable.end(), [&](const auto& line) {
            return line.starts_with(path + ": ");
        });
        if (!told) {
            unusable.push_back(path + ": it was found damaged and set aside");
        }
    }
    return unusable.empty() ? "there is no checkpoint of it"
                            : fmt::format("{}", fmt::join(unusable, "; "));
}

/// Whether the log still has all that comes after what the partition begins from.
Status EnginePartitions::check_start(const EnginePartition& partition, const Partition& id,
                                     const std::vector<std::string>& unusable) const {
    const auto reader = log_.read({{id, partition.next}});
    if (reader || reader.error().kind != ErrorKind::not_found) {
        return {};
    }
    return fail(ErrorKind::not_found,
                fmt::format("the engine can't go on with {}: {}; {}", log::to_text(log_, id),
                            checkpoints_of(id.index, unusable), reader.error().what),
                "restore the data directory from a copy, `state` included; or save what is left "
                "with `helios log export` and ingest it into a new directory");
}

/// Several at a time: reading and decoding a million open cases is what a start waits for.
Status EnginePartitions::restore_all(const std::vector<Partition>& ids,
                                     const log::Offsets& committed) {
    std::vector<std::optional<Result<std::unique_ptr<EnginePartition>>>> restored(ids.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < ids.size(); i = next++) {
            const auto it = committed.find(ids[i]);
            restored[i] = restore_one(ids[i], it == committed.end() ? Offset{0} : it->second);
        }
    };
    {
        std::vector<std::jthread> helpers;
        for (unsigned n = 1;
             n < std::min<std::size_t>(std::thread::hardware_concurrency(), restore_threads_max);
             ++n) {
            helpers.emplace_back(work);
        }
        work();
    }
    for (auto& one : restored) {
        HELIOS_TRY_ASSIGN(auto partition, *std::move(one));
        by_number_.at(partition->number) = partition.get();
        partitions_.push_back(std::move(partition));
    }
    return {};
}

Status EnginePartitions::restore(const log::Assignment& assignment, const log::Offsets& committed) {
    wait_for_writer();
    {
        const MutexLock lock(mutex_);
        writing_ = nullptr;
        written_.reset();
    }
    partitions_.clear();
    by_number_.assign(log_.partition_count(model::topic::cases), nullptr);
    if (!states_) {
        log::StateOptions options;
        options.directory = options_.state_directory;
        options.topic = model::name_of(model::topic::cases);
        options.cache_bytes = options_.cache_bytes;
        options.shrink = [before = expired_before_](std::string_view key, std::string_view value) {
            return shrink_closed(key, value, from_nanos(before->load(std::memory_order_relaxed)));
        };
        HELIOS_TRY_ASSIGN(states_, log::StateDirectory::open(std::move(options), log_.id()));
    }
    auto ids = log_.partitions_of(model::topic::cases);
    std::erase_if(ids, [&](const Partition& id) { return !assignment.includes(id); });
    for (const auto number : std::exchange(damaged_, {})) {
        HELIOS_TRY(states_->reject(number));
    }
    HELIOS_TRY(restore_all(ids, committed));
    durable_expiry_.assign(by_number_.size(), Instant::max());
    for (const auto& partition : partitions_) {
        durable_expiry_[partition->number] = partition->engine.expired_before();
    }
    note_kept();
    return {};
}

void EnginePartitions::note_kept() {
    log::Offsets kept;
    for (const auto& partition : partitions_) {
        kept[{model::topic::cases, partition->number}] =
            states_->kept_from(partition->number).value_or(Offset{0});
    }
    const MutexLock lock(mutex_);
    kept_from_ = std::move(kept);
}

Status EnginePartitions::check() {
    for (const auto& partition : partitions_) {
        HELIOS_TRY(check(*partition));
    }
    return {};
}

Status EnginePartitions::check(const EnginePartition& partition) {
    auto status = partition.closed.health();
    if (!status) {
        damaged_.push_back(partition.number);
        telemetry_.logger.error(
            "reconcile", "a closed case is damaged: the engine goes back to an older checkpoint",
            {{"partition", partition.number}, {"why", status.error().message()}});
    }
    return status;
}

// ---- Keeping

/// Between checkpoints of a partition in which nothing but time has passed.
Duration EnginePartitions::quiet_interval() const {
    return options_.checkpoint_interval * quiet_factor;
}

bool EnginePartitions::wants_a_record(const EnginePartition& partition) const {
    if (options_.state_directory.empty() || !partition.last || partition.records > 0 ||
        clock_.monotonic() - partition.kept_at < quiet_interval()) {
        return false;
    }
    const MutexLock lock(mutex_);
    const auto kept = kept_from_.find({model::topic::cases, partition.number});
    return kept != kept_from_.end() && kept->second == Offset{0};
}

bool EnginePartitions::is_due(const EnginePartition& partition, Duration now) const {
    if (partition.records == 0) {
        return false;
    }
    const Duration age = now - partition.kept_at;
    const Duration interval =
        partition.records == partition.ticks ? quiet_interval() : options_.checkpoint_interval;
    return age >= interval ||
           partition.records >= options_.checkpoint_records / partitions_.size() + 1;
}

/// Up to here it is cheap: the changes are put together, not written.
void EnginePartitions::hand_over(EnginePartition& partition) {
    partition.engine.put_changes(*partition.state);
    log::CheckpointHeader header;
    header.log = log_.id();
    header.topic = model::name_of(model::topic::cases);
    header.partition = partition.number;
    header.next = partition.next;
    header.last = partition.last;
    header.last_time = partition.last_time;
    header.level = model::highest_level;
    header.format = engine_state_format;
    partition.state->freeze(std::move(header));
    partition.records = 0;
    partition.ticks = 0;
    partition.kept_at = clock_.monotonic();
    if (!writer_.joinable()) {
        writer_ = std::jthread([this](const std::stop_token& stop) { write_handed_over(stop); });
    }
    const MutexLock lock(mutex_);
    writing_expiry_ = partition.engine.expired_before();
    writing_ = &partition;
    changed_.notify_all();
}

void EnginePartitions::write_handed_over(const std::stop_token& stop) {
    name_this_thread("checkpoints");
    for (;;) {
        EnginePartition* partition = nullptr;
        {
            MutexLock lock(mutex_);
            if (!changed_.wait(lock, stop, [&]() HELIOS_REQUIRES(mutex_) {
                    return writing_ != nullptr && !written_;
                })) {
                return;
            }
            partition = writing_;
        }
        const Duration began = clock_.monotonic();
        Status outcome = partition->state->write();
        if (outcome) {
            metrics_->written.add();
            metrics_->seconds.observe(
                std::chrono::duration<double>(clock_.monotonic() - began).count());
        }
        const MutexLock lock(mutex_);
        written_ = std::move(outcome);
        changed_.notify_all();
    }
}

/// Nothing is handed over, or its outcome is there.
void EnginePartitions::wait_for_writer() {
    MutexLock lock(mutex_);
    changed_.wait(lock, [&]() HELIOS_REQUIRES(mutex_) { return writing_ == nullptr || written_; });
}

/// The outcome of what was handed over, if there is one.
void EnginePartitions::collect() {
    Status outcome;
    EnginePartition* partition = nullptr;
    Instant expiry{};
    {
        const MutexLock lock(mutex_);
        if (!written_) {
            return;
        }
        outcome = *std::exchange(written_, std::nullopt);
        partition = std::exchange(writing_, nullptr);
        expiry = writing_expiry_;
        if (!outcome && health_) {
            telemetry_.logger.warn(
                "reconcile", "a checkpoint of the engine can't be written and is tried again",
                {{"partition", partition->number}, {"error", outcome.error().message()}});
        } else if (outcome && !health_) {
            telemetry_.logger.info("reconcile", "checkpoints of the engine are written again");
        }
        health_ = outcome;
    }
    note_kept();
    if (outcome) {
        durable_expiry_[partition->number] = expiry;
        const Instant least = *std::min_element(durable_expiry_.begin(), durable_expiry_.end());
        expired_before_->store(to_nanos(least), std::memory_order_relaxed);
        return;
    }
    metrics_->failures.add();
    partition->records = std::max<std::uint64_t>(partition->records, 1);  // due again, in its time
    if (outcome.error().kind == ErrorKind::corrupt) {
        partition->closed.damaged(outcome.error());
    }
}

void EnginePartitions::keep_one() {
    if (options_.state_directory.empty()) {
        return;
    }
    {
        const MutexLock lock(mutex_);
        if (writing_ != nullptr && !written_) {
            return;
        }
    }
    collect();
    const Duration now = clock_.monotonic();
    EnginePartition* oldest = nullptr;
    for (const auto& partition : partitions_) {
        if (is_due(*partition, now) &&
            (oldest == nullptr || partition->kept_at < oldest->kept_at)) {
            oldest = partition.get();
        }
    }
    if (oldest != nullptr && log_.health()) {
        hand_over(*oldest);
    }
}

void EnginePartitions::keep_all() {
    if (options_.state_directory.empty()) {
        return;
    }
    wait_for_writer();
    collect();
    for (const auto& partition : partitions_) {
        if (partition->records > 0 && log_.health()) {
            hand_over(*partition);
            wait_for_writer();
            collect();
        }
    }
}

Status EnginePartitions::health() const {
    const MutexLock lock(mutex_);
    return health_;
}

log::Offsets EnginePartitions::kept_from() const {
    const MutexLock lock(mutex_);
    return kept_from_;
}

}  // namespace helios::reconcile
