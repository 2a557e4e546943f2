#include "gateway/redrive.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <iterator>
#include <optional>
#include <thread>

#include "base/hash.h"
#include "base/mutex.h"
#include "base/pause.h"
#include "base/random.h"
#include "base/thread_name.h"
#include "model/topics.h"

namespace helios::gateway {

namespace {

constexpr std::string_view room = "gateway";
constexpr std::size_t examples_max = 10;
/// Between two tries of what we could not do, doubled up to the longest.
constexpr Duration retry_first = std::chrono::milliseconds(100);
constexpr Duration retry_longest = std::chrono::seconds(5);

std::string new_id() {
    std::array<std::uint8_t, 16> bytes{};
    fill_random(bytes);
    return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Whether a redrive tries what has that status.
bool is_tried(const KeptItem& kept, const DlqFilter& filter) {
    return !kept.confirmation && !kept.expired &&
           (kept.status == model::DlqStatus::waiting ||
            (kept.status == model::DlqStatus::exhausted && !filter.ids.empty()));
}

}  // namespace

std::string why_stop(const RedriveCounts& counts, std::uint64_t failures_in_a_row) {
    if (failures_in_a_row >= failures_in_a_row_max) {
        return fmt::format("{} items in a row failed", failures_in_a_row);
    }
    if (counts.tried() >= failing_share_of_min &&
        counts.failing() * 100 >= counts.tried() * failing_percent_max) {
        return fmt::format("{} of {} items failed", counts.failing(), counts.tried());
    }
    return {};
}

struct Redrives::State {
    explicit State(Parts all) : parts(std::move(all)) {}

    struct Job {
        Job(TenantId of, std::string name) : tenant(std::move(of)), id(std::move(name)) {}

        TenantId tenant;
        std::string id;
        std::string who;
        DlqFilter filter;
        Instant until{};
        std::uint64_t total = 0;
        RedriveCounts counts;
        std::uint64_t failures_in_a_row = 0;
        std::vector<std::string> ids;
        bool is_resumed = false;  ///< ids are not known yet, and some may have been tried
    };

    // On the worker's thread, unless said otherwise.
    void run(const std::stop_token& stop);
    bool resume(const std::stop_token& stop);
    void go_through(Job& job, const std::stop_token& stop);
    bool collect(Job& job, const std::stop_token& stop);
    bool try_item(Job& job, const std::string& id, const std::stop_token& stop);
    bool settle(Job& job, const Receipt& receipt);
    void end(const Job& job, std::string why, const std::stop_token& stop);
    Receipt resubmit(Resubmission again, const Caller& caller);  ///< on any thread
    Status append(const model::RedriveRecord& record);           ///< on any thread
    model::RedriveRecord record_of(const Job& job, model::RedrivePhase phase) const;
    static Caller caller_of(const Job& job);

    const Parts parts;
    Mutex mutex;
    StoppableCondition arrived;
    std::deque<Job> jobs HELIOS_GUARDED_BY(mutex);
    std::jthread worker;
};

Redrives::Redrives(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}

Redrives::~Redrives() {
    stop();
}

void Redrives::start() {
    state_->worker = std::jthread([state = state_.get()](const std::stop_token& stop) {
        name_this_thread("redrive");
        state->run(stop);
    });
}

void Redrives::stop() {
    if (state_->worker.joinable()) {
        state_->worker.request_stop();
        state_->worker.join();
    }
}

Caller Redrives::State::caller_of(const Job& job) {
    Caller caller(job.tenant);
    caller.subject = job.who;
    caller.roles = Roles{Role::operator_};
    return caller;
}

model::RedriveRecord Redrives::State::record_of(const Job& job, model::RedrivePhase phase) const {
    model::RedriveRecord record(job.tenant);
    record.id = job.id;
    record.phase = phase;
    record.filter = to_json(job.filter);
    record.who = job.who;
    record.at = parts.clock.wall();
    record.until = job.until;
    record.total = job.total;
    record.skipped = job.counts.skipped;
    return record;
}

Status Redrives::State::append(const model::RedriveRecord& record) {
    std::vector<log::Record> records(1);
    records[0].topic = model::topic::dlq;
    records[0].type = static_cast<std::uint16_t>(model::RecordType::redrive);
    records[0].version = model::redrive_version;
    records[0].key = record.id;
    records[0].value = model::encode(record);
    std::promise<Status> promise;
    auto future = promise.get_future();
    parts.log.append(std::move(records), [&promise](std::span<const log::AppendOutcome> outcomes) {
        promise.set_value(outcomes.front() ? Status{} : Status(fail(outcomes.front().error())));
    });
    return future.get();
}

Receipt Redrives::State::resubmit(Resubmission again, const Caller& caller) {
    std::promise<Receipt> promise;
    auto future = promise.get_future();
    parts.gateway.resubmit(std::move(again), caller,
                           [&promise](Receipt receipt) { promise.set_value(std::move(receipt)); });
    return future.get();
}

Result<RedrivePreview> Redrives::preview(const DlqFilter& filter, const Caller& caller) {
    State& state = *state_;
    HELIOS_TRY_ASSIGN(
        const auto ids,
        state.parts.items.matching(caller.tenant, filter,
                                   state.parts.log.now() + log::log_time_grain, redrive_items_max));
    RedrivePreview out;
    out.matched = ids.size();
    for (std::size_t i = 0; i < ids.size() && i < previewed_max; ++i) {
        HELIOS_TRY_ASSIGN(auto kept, state.parts.items.look(caller.tenant, ids[i]));
        RedrivePreview::Example example{ids[i], kept.item.source, kept.item.event_type, {}};
        if (kept.expired) {
            example.reason = "expired";
        } else {
            Resubmission again{std::move(kept.item), {}, kept.attempts + 1, {}};
            again.dry = true;
            const auto receipt = state.resubmit(std::move(again), caller);
            if (receipt.kind != Receipt::Kind::items) {
                return fail(receipt.error);
            }
            const auto& item = receipt.items.front();
            if (item.status == ItemStatus::failed) {
                return fail(item.error.value_or(Error{}));
            }
            if (item.status != ItemStatus::accepted && item.status != ItemStatus::duplicate) {
                example.reason = item.reason;
            }
        }
        out.would_pass += example.reason.empty();
        if (!example.reason.empty()) {
            ++out.would_fail[example.reason];
        }
        if (out.examples.size() < examples_max) {
            out.examples.push_back(std::move(example));
        }
    }
    return out;
}

Result<Redrives::Begun> Redrives::begin(const DlqFilter& filter, const Caller& caller,
                                        const std::string& from) {
    State& state = *state_;
    State::Job job(caller.tenant, new_id());
    job.who = caller.subject;
    job.filter = filter;
    job.until = state.parts.log.now() + log::log_time_grain;  // with all that is there
    HELIOS_TRY_ASSIGN(
        job.ids, state.parts.items.matching(caller.tenant, filter, job.until, redrive_items_max));
    job.total = job.ids.size();
    const MutexLock lock(state.mutex);  // so that no other takes the last place
    if (state.jobs.size() >= redrives_waiting_max) {
        return fail(ErrorKind::exhausted, "too many redrives wait", "try again when one has ended");
    }
    HELIOS_TRY(state.append(state.record_of(job, model::RedrivePhase::running)));
    model::AuditRecord record(caller.tenant);
    record.who = caller.subject;
    record.from = from;
    record.what = "dlq.redrive " + job.id;
    record.after = fmt::format("{} items by {}", job.total, to_json(filter));
    record.outcome = "done";
    state.parts.audit(std::move(record));
    Begun begun{job.id, job.total};
    state.jobs.push_back(std::move(job));
    state.arrived.notify_all();
    return begun;
}

void Redrives::State::run(const std::stop_token& stop) {
    if (!resume(stop)) {
        return;
    }
    while (!stop.stop_requested()) {
        std::optional<Job> job;
        {
            MutexLock lock(mutex);
            arrived.wait_for(lock, stop, std::chrono::seconds(1),
                             [&]() HELIOS_REQUIRES(mutex) { return !jobs.empty(); });
            if (!jobs.empty()) {
                job = std::move(jobs.front());
                jobs.pop_front();
            }
        }
        if (job && !stop.stop_requested()) {
            go_through(*job, stop);
        }
    }
}

/// False: stopped first.
bool Redrives::State::resume(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (parts.gateway.ready()) {
            if (const auto open = parts.items.open_redrives()) {
                const MutexLock lock(mutex);
                std::deque<Job> begun_now = std::move(jobs);
                jobs.clear();
                for (const auto& found : *open) {
                    const bool is_queued = std::ranges::any_of(
                        begun_now, [&](const Job& job) { return job.id == found.begin.id; });
                    if (is_queued) {
                        continue;
                    }
                    Job job(found.begin.tenant, found.begin.id);
                    const auto filter = json::Document::parse(found.begin.filter);
                    const auto parsed = filter ? parse_dlq_filter(filter->root())
                                               : Result<DlqFilter>(fail(filter.error()));
                    if (!parsed) {
                        continue;  // of a later version: left to it
                    }
                    job.filter = *parsed;
                    job.who = found.begin.who;
                    job.until = found.begin.until;
                    job.total = found.begin.total;
                    job.counts = found.counts;
                    job.is_resumed = true;
                    parts.telemetry.logger.info(room, "a redrive goes on", {{"id", job.id}});
                    jobs.push_back(std::move(job));
                }
                std::ranges::move(begun_now, std::back_inserter(jobs));
                return true;
            }
        }
        pause_for(stop, std::chrono::milliseconds(100));
    }
    return false;
}

bool Redrives::State::collect(Job& job, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (auto ids = parts.items.matching(job.tenant, job.filter, job.until, redrive_items_max)) {
            job.ids = *std::move(ids);
            return true;
        }
        pause_for(stop, retry_longest);
    }
    return false;
}

void Redrives::State::go_through(Job& job, const std::stop_token& stop) {
    if (job.is_resumed && !collect(job, stop)) {
        return;
    }
    const Duration pace = Duration(std::chrono::seconds(1)) / parts.per_second;
    std::string why;
    for (const auto& id : job.ids) {
        const Duration began = parts.clock.monotonic();
        if (stop.stop_requested() || !try_item(job, id, stop)) {
            return;  // it goes on after the next start
        }
        why = why_stop(job.counts, job.failures_in_a_row);
        if (!why.empty()) {
            break;
        }
        pause_for(stop, pace - (parts.clock.monotonic() - began));
    }
    end(job, std::move(why), stop);
}

/// False: stopped first.
bool Redrives::State::try_item(Job& job, const std::string& id, const std::stop_token& stop) {
    for (Duration pause = retry_first; !stop.stop_requested();
         pause = std::min(2 * pause, retry_longest)) {
        auto kept = parts.items.look(job.tenant, id);
        Result<bool> tried = false;
        if (kept && job.is_resumed) {
            tried = parts.items.tried_in(job.tenant, id, job.id);
        }
        if (kept && tried) {
            if (*tried) {
                return true;  // counted before
            }
            if (!is_tried(*kept, job.filter)) {
                ++job.counts.skipped;
                return true;
            }
            Resubmission again{std::move(kept->item), {}, kept->attempts + 1, job.id};
            if (settle(job, resubmit(std::move(again), caller_of(job)))) {
                return true;
            }
        } else if (!kept && kept.error().kind == ErrorKind::not_found) {
            ++job.counts.skipped;  // retention was faster
            return true;
        }
        pause_for(stop, pause);
    }
    return false;
}

/// False: it was no attempt, and is to be made again.
bool Redrives::State::settle(Job& job, const Receipt& receipt) {
    if (receipt.kind != Receipt::Kind::items) {
        return false;
    }
    const ItemReceipt& item = receipt.items.front();
    switch (item.status) {
        case ItemStatus::accepted:
            ++job.counts.accepted;
            job.failures_in_a_row = 0;
            return true;
        case ItemStatus::duplicate:
            ++job.counts.duplicate;
            job.failures_in_a_row = 0;
            return true;
        case ItemStatus::conflict:
            ++job.counts.conflict;
            ++job.failures_in_a_row;
            return true;
        case ItemStatus::quarantined:
            ++job.counts.failed;
            ++job.failures_in_a_row;
            return true;
        case ItemStatus::noted:
        case ItemStatus::failed:
            break;
    }
    if (item.error &&
        (item.error->kind == ErrorKind::invalid || item.error->kind == ErrorKind::denied)) {
        ++job.counts.skipped;  // no try will help
        return true;
    }
    return false;
}

void Redrives::State::end(const Job& job, std::string why, const std::stop_token& stop) {
    auto record =
        record_of(job, why.empty() ? model::RedrivePhase::done : model::RedrivePhase::stopped);
    record.detail = why;
    while (!append(record)) {
        pause_for(stop, retry_longest);
        if (stop.stop_requested()) {
            return;
        }
    }
    model::AuditRecord audit(job.tenant);
    audit.who = job.who;
    audit.what = "dlq.redrive.end " + job.id;
    audit.before = "running";
    audit.after = fmt::format("{} accepted, {} duplicate, {} conflict, {} failed, {} skipped",
                              job.counts.accepted, job.counts.duplicate, job.counts.conflict,
                              job.counts.failed, job.counts.skipped);
    audit.reason = why;
    audit.outcome = why.empty() ? "done" : "failed";
    parts.audit(std::move(audit));
    if (!why.empty()) {
        parts.telemetry.logger.warn(room, "a redrive has ended itself",
                                    {{"id", job.id}, {"why", why}});
    }
}

}  // namespace helios::gateway
