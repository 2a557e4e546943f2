#include "log/stage.h"

#include <algorithm>
#include <utility>

#include "base/pause.h"
#include "base/thread_name.h"
#include "log/synchronous.h"

namespace helios::log {
namespace {

constexpr Duration lag_every = std::chrono::seconds(1);

}  // namespace

void Outputs::drop(std::size_t from, std::size_t n) {
    const auto begin = records_.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = begin + static_cast<std::ptrdiff_t>(n);
    for (auto it = begin; it != end; ++it) {
        bytes_ -= it->key.size() + it->value.size();
    }
    records_.erase(begin, end);
}

Result<bool> StageWork::prepare(const Batch&) {
    return true;
}

Status StageWork::complete(const Batch&, Outputs&) {
    return {};
}

void StageWork::sum_up(Outputs&) {}

Result<Offsets> commit_on_log(Consuming& log, const Outputs& out, const GroupOffsets& position) {
    HELIOS_TRY_ASSIGN(const auto written, transact_now(log, out.records(), position));
    Offsets ends;
    for (const Appended& record : written) {
        Offset& end = ends[record.at.partition];
        end = std::max(end, Offset{record.at.offset.value + 1});
    }
    return ends;
}

Stage::Stage(StageOptions options, StageWork& work, Log& log, telemetry::Telemetry& telemetry,
             const Clock& clock, telemetry::Counter& failures)
    : options_(std::move(options)),
      work_(work),
      log_(log),
      telemetry_(telemetry),
      clock_(clock),
      failures_(failures),
      records_max_(options_.batch_records_max) {}

Stage::~Stage() {
    stop();
}

Status Stage::open() {
    restart_.store(false);
    {
        const MutexLock lock(reader_mutex_);
        reader_.reset();
    }
    round_.reset();
    outputs_.clear();
    {
        const MutexLock lock(mutex_);
        works_on_ = assigned_;
    }
    HELIOS_TRY_ASSIGN(Standing standing, work_.restore(works_on_));
    if (std::any_of(standing.committed.begin(), standing.committed.end(),
                    [&](const auto& at) { return !committed_.contains(at.first); })) {
        frontier_.begin_anew();
    }
    replayed_.clear();
    for (const auto& [id, from] : standing.read_from) {
        const Offset committed = standing.committed.at(id);
        const auto outputs = standing.partly.find(id);
        if (from < committed || outputs != standing.partly.end()) {
            replayed_.push_back(
                {id, committed, outputs == standing.partly.end() ? 0 : outputs->second});
        }
    }
    committed_ = std::move(standing.committed);
    partly_ = std::move(standing.partly);
    reached_.advance_to(committed_, standing.written);
    HELIOS_TRY_ASSIGN(auto reader,
                      options_.rank != nullptr
                          ? read_in_order(log_, std::move(standing.read_from), options_.rank)
                          : log_.read(std::move(standing.read_from)));
    const MutexLock lock(reader_mutex_);
    reader_ = std::move(reader);
    return {};
}

/// What the room has in memory is ahead of what is durable: it restores with the next step.
std::unexpected<Error> Stage::give_up(Error error) {
    round_.reset();
    outputs_.clear();
    const MutexLock lock(reader_mutex_);
    reader_.reset();
    return fail(std::move(error));
}

Result<std::size_t> Stage::take(Duration wait) {
    HELIOS_TRY_ASSIGN(Batch batch, reader_->poll(records_max_, options_.batch_bytes_max, wait));
    auto wanted = work_.prepare(batch);
    if (!wanted) {
        return give_up(std::move(wanted).error());
    }
    const std::size_t taken = batch.records.size();
    if (*wanted) {
        round_ = Round{};
        round_->batch = std::move(batch);
    }
    return taken;
}

bool Stage::is_full() const {
    return outputs_.records().size() >= options_.commit_records_max ||
           outputs_.bytes() >= options_.commit_bytes_max;
}

Stage::Replayed* Stage::replayed(const StoredRecord& record) {
    for (Replayed& partition : replayed_) {
        if (partition.id == record.at.partition) {
            return &partition;
        }
    }
    return nullptr;
}

/// The next record of the round, or the next part of it.
Status Stage::apply_next() {
    Round& round = *round_;
    const StoredRecord& record = round.batch.records[round.applied];
    Replayed* known = replayed_.empty() ? nullptr : replayed(record);
    const bool has_effects = known == nullptr || record.at.offset >= known->committed;
    const std::size_t before = outputs_.records().size();
    HELIOS_TRY_ASSIGN(const Taken taken, work_.apply(record, has_effects, outputs_));
    const std::size_t caused = outputs_.records().size() - before;
    std::size_t dropped = 0;
    if (!has_effects) {
        dropped = caused;
    } else if (known != nullptr) {
        dropped = static_cast<std::size_t>(std::min<std::uint64_t>(
            caused, known->outputs - std::min(known->outputs, round.outputs)));
    }
    if (dropped > 0) {
        outputs_.drop(before, dropped);
    }
    if (taken == Taken::partly) {
        round.outputs += caused;
        round.part = true;
        return {};
    }
    round.outputs = 0;
    round.part = false;
    ++round.applied;
    if (known != nullptr && has_effects) {
        replayed_.erase(replayed_.begin() + (known - replayed_.data()));
    }
    return {};
}

/// Until the round has been applied or holds as much as one transaction should.
Status Stage::apply_some() {
    Round& round = *round_;
    while (round.applied < round.batch.records.size() && !is_full()) {
        HELIOS_TRY(apply_next());
    }
    round.complete = round.applied == round.batch.records.size();
    if (round.complete) {
        HELIOS_TRY(work_.complete(round.batch, outputs_));
    }
    return {};
}

GroupOffsets Stage::next_position() const {
    const Round& round = *round_;
    GroupOffsets position{
        .group = options_.name, .from = committed_, .to = committed_, .partly_from = partly_};
    if (round.complete) {
        add_to(position.to, reader_->position());
    } else {
        for (std::size_t i = 0; i < round.applied; ++i) {
            const StoredRecord& record = round.batch.records[i];
            Offset& to = position.to[record.at.partition];
            to = std::max(to, record.next);
        }
        if (round.part) {
            const StoredRecord& record = round.batch.records[round.applied];
            position.partly[record.at.partition] = round.outputs;
        }
    }
    for (const Replayed& partition : replayed_) {
        if (partition.outputs > 0) {  // that record is still to come, or to be gone through
            std::uint64_t& outputs = position.partly[partition.id];
            outputs = std::max(outputs, partition.outputs);
        }
    }
    return position;
}

Status Stage::commit_some() {
    const GroupOffsets position = next_position();
    if (outputs_.empty() && position.to == committed_ && position.partly == partly_) {
        return {};
    }
    if (!round_->summed_up) {
        work_.sum_up(outputs_);
        round_->summed_up = true;
    }
    const auto done = work_.commit(outputs_, position);
    if (!done) {
        if (done.error().kind == ErrorKind::conflict) {
            return give_up(done.error());
        }
        if (done.error().kind == ErrorKind::invalid && round_->batch.records.size() > 1) {
            // More than the log takes at once, and the room's bounds did not see it.
            records_max_ = std::max<std::size_t>(1, round_->batch.records.size() / 2);
            return give_up(done.error());
        }
        return fail(done.error());
    }
    committed_ = position.to;
    partly_ = position.partly;
    outputs_.clear();
    records_max_ = std::min(options_.batch_records_max, records_max_ * 2);
    work_.committed();
    reached_.advance_to(committed_, *done);
    return {};
}

Result<std::size_t> Stage::step(Duration wait) {
    HELIOS_TRY(work_.begin());
    if (restart_.load() || !reader_) {
        HELIOS_TRY(open());
    }
    std::size_t taken = 0;
    if (!round_) {
        HELIOS_TRY_ASSIGN(taken, take(wait));
        if (!round_) {
            return taken;
        }
    }
    while (round_) {
        if (!round_->to_commit) {
            if (auto applied = apply_some(); !applied) {
                return give_up(std::move(applied).error());
            }
            round_->to_commit = true;
            round_->summed_up = false;
        }
        HELIOS_TRY(commit_some());
        round_->to_commit = false;
        if (round_->complete) {
            frontier_.advance_to(round_->batch.complete_below);
            round_.reset();
        }
    }
    work_.after_round();
    show_lag();
    return taken;
}

void Stage::show_lag() {
    const Duration now = clock_.monotonic();
    if (now - lag_shown_ < lag_every && lag_shown_ != Duration::zero()) {
        return;
    }
    const auto ends = log_.ends_of(committed_);
    if (!ends) {
        return;
    }
    lag_shown_ = now;
    for (const auto& [id, end] : *ends) {
        const Offset at = committed_.at(id);
        // Offsets have gaps: an upper bound of records; 0 is exact.
        telemetry_.metrics
            .gauge("helios_consumer_lag",
                   "Offsets between a group's position and the end of the partition.",
                   {{"topic", std::string(log_.name_of(id.topic))},
                    {"partition", std::to_string(id.index)},
                    {"group", options_.name}})
            .set(end > at ? static_cast<double>(end.value - at.value) : 0.0);
    }
}

void Stage::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Stage::run(const std::stop_token& stop) {
    name_this_thread(options_.name.c_str());
    while (!stop.stop_requested()) {
        const Duration began = clock_.monotonic();
        auto stepped = step(options_.poll_wait);
        if (stepped) {
            if (!health()) {
                telemetry_.logger.info(options_.room, options_.works_again);
                set_health({});
            }
            pause_for(stop, began + options_.pace - clock_.monotonic());
            continue;
        }
        if (stepped.error().kind == ErrorKind::stopping) {
            break;
        }
        failures_.add();
        const Status before = health();
        if (before || before.error() != stepped.error()) {
            telemetry_.logger.warn(options_.room, options_.failing,
                                   {{"error", stepped.error().message()}});
        }
        set_health(fail(std::move(stepped).error()));
        pause_for(stop, options_.retry_after);
    }
    work_.stopped();
}

void Stage::stop() {
    if (thread_.joinable()) {
        thread_.request_stop();
        wake();
        thread_.join();
    }
}

void Stage::restart() {
    restart_.store(true);
    wake();
}

void Stage::assign(Assignment assignment) {
    {
        const MutexLock lock(mutex_);
        assigned_ = std::move(assignment);
    }
    restart();
}

void Stage::wake() {
    const MutexLock lock(reader_mutex_);
    if (reader_) {
        reader_->wake();
    }
}

Status Stage::health() const {
    const MutexLock lock(mutex_);
    return health_;
}

void Stage::set_health(Status health) {
    const MutexLock lock(mutex_);
    health_ = std::move(health);
}

}  // namespace helios::log
