#include "reconcile/engine_stage.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/assert.h"
#include "log/synchronous.h"
#include "model/topics.h"
#include "reconcile/route_stage.h"
#include "reconcile/stage_options.h"
#include "telemetry/telemetry.h"
#include "telemetry/trace_scope.h"

namespace helios::reconcile {
namespace {

/// Of the request that brought what a record tells; none: nobody's.
TraceId trace_of(const model::CaseRecord& record) {
    const auto* leg = std::get_if<model::LegRecord>(&record);
    return leg == nullptr ? TraceId{} : leg->trace;
}

constexpr std::string_view group = "engine";
constexpr Duration show_every = std::chrono::seconds(1);
constexpr std::size_t fired_cases_max = 4096;  // deadlines that pass in one step
constexpr std::array<model::VerdictStatus, 4> statuses{
    model::VerdictStatus::pending, model::VerdictStatus::matched, model::VerdictStatus::partial,
    model::VerdictStatus::mismatched};

}  // namespace

struct EngineStage::Metrics {
    std::array<telemetry::Counter*, 4> reconciled{};  // by VerdictStatus
    std::array<telemetry::Counter*, 4> revisions{};
    telemetry::Counter& amendments;
    telemetry::Counter& records;
    telemetry::Counter& ticks;
    telemetry::Counter& failures;
    telemetry::Counter& without_flow;
    telemetry::Gauge& open;
    telemetry::Gauge& closed;
    telemetry::Histogram& time_to_verdict;

    explicit Metrics(telemetry::Metrics& m)
        : amendments(m.counter("helios_reconcile_amendments_total",
                               "Revisions of cases that had been decided before.")),
          records(m.counter("helios_reconcile_engine_records_total",
                            "Case records processed by the engine, replays included.")),
          ticks(m.counter("helios_reconcile_ticks_total", "Ticks appended.")),
          failures(m.counter("helios_reconcile_engine_failures_total",
                             "Rounds of the engine that failed and were tried again.")),
          without_flow(m.counter("helios_reconcile_records_without_flow_total",
                                 "Case records whose flow version is not known.")),
          open(m.gauge("helios_reconcile_open_cases", "Cases that wait for legs or deadlines.")),
          closed(m.gauge(
              "helios_reconcile_closed_cases",
              "Keys of which a case has closed: the case itself, or its last instance's number.")),
          time_to_verdict(m.histogram("helios_reconcile_time_to_verdict_seconds",
                                      "From the case's opening to its first decision, in log time.",
                                      {0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3600})) {
        for (const auto status : statuses) {
            const auto index = static_cast<std::size_t>(status);
            const telemetry::Labels labels{{"status", std::string(model::to_string(status))}};
            revisions[index] = &m.counter("helios_reconcile_revisions_total",
                                          "Verdict revisions appended.", labels);
            if (status != model::VerdictStatus::pending) {
                reconciled[index] = &m.counter("helios_events_reconciled_total",
                                               "First decided verdict per case.", labels);
            }
        }
    }
};

/// The first log time at which a deadline has passed.
Instant just_after(Instant deadline) {
    return std::chrono::floor<std::chrono::milliseconds>(deadline) + log::log_time_grain;
}

std::optional<Instant> tick_due(const Engine& engine, Instant may_be, Duration heartbeat) {
    const auto deadline = engine.earliest_deadline();
    const bool fires = deadline && *deadline < may_be;
    const bool beats = engine.open_cases() > 0 && may_be - engine.time() >= heartbeat;
    if (fires) {
        // After a standstill everything is due at once; a tick at a time keeps what one transaction
        // must hold bounded.
        return std::min(may_be, just_after(*engine.deadline_of(fired_cases_max)));
    }
    return beats ? std::optional<Instant>(may_be) : std::nullopt;
}

EngineStage::EngineStage(const EngineStageOptions& options, log::Log& log,
                         std::function<Instant()> routed, telemetry::Telemetry& telemetry,
                         const Clock& clock)
    : options_(options),
      log_(log),
      routed_(std::move(routed)),
      telemetry_(telemetry),
      clock_(clock),
      metrics_(std::make_unique<Metrics>(telemetry.metrics)),
      partitions_(options, log, telemetry, clock),
      stage_(stage_options(options, std::string(group), "engine"), *this, log, telemetry, clock,
             metrics_->failures) {}

EngineStage::EngineStage(const EngineStageOptions& options, log::Log& log, const Frontier& route,
                         telemetry::Telemetry& telemetry, const Clock& clock)
    : EngineStage(options, log, [&route] { return route.get(); }, telemetry, clock) {}

EngineStage::EngineStage(const EngineStageOptions& options, log::Log& log, const RouteStage& route,
                         telemetry::Telemetry& telemetry, const Clock& clock)
    : EngineStage(options, log, route.frontier(), telemetry, clock) {
    presence_ = &route.presence();
}

EngineStage::~EngineStage() {
    stop();
}

Result<log::Standing> EngineStage::restore(const log::Assignment& assignment) {
    const MutexLock lock(engines_mutex_);
    log::Standing standing;
    HELIOS_TRY_ASSIGN(const auto committed, log_.committed(group));
    HELIOS_TRY_ASSIGN(const auto partly, log_.partly(group));
    HELIOS_TRY_ASSIGN(standing.written,
                      log_.ends_of(log::beginning_of(log_, {model::topic::verdicts})));
    HELIOS_TRY(partitions_.restore(assignment, committed));
    for (const auto& partition : partitions_.all()) {
        const Partition id{model::topic::cases, partition->number};
        const auto it = committed.find(id);
        standing.committed[id] = it == committed.end() ? Offset{0} : it->second;
        standing.read_from[id] = partition->next;
        if (const auto outputs = partly.find(id); outputs != partly.end()) {
            standing.partly.insert(*outputs);
        }
    }
    return standing;
}

void EngineStage::emit(Revision&& revision, log::Outputs& out) {
    const model::Verdict& verdict = revision.verdict;
    const auto status = static_cast<std::size_t>(verdict.status);
    metrics_->revisions[status]->add();
    if (revision.first_decision) {
        metrics_->reconciled[status]->add();
        metrics_->time_to_verdict.observe(
            std::chrono::duration<double>(verdict.at - verdict.opened_at).count());
    } else if (verdict.status != model::VerdictStatus::pending) {
        metrics_->amendments.add();
    }
    log::Record record;
    record.topic = model::topic::verdicts;
    record.type = static_cast<std::uint16_t>(model::RecordType::verdict);
    record.version = model::verdict_version;
    record.key = model::case_log_key(verdict.tenant, verdict.flow, verdict.key);
    record.value = model::encode(verdict);
    out.add(std::move(record));
}

/// A record that lets very many deadlines pass is taken in steps, so that what one transaction must
/// hold is bounded.
Result<log::Taken> EngineStage::apply(const log::StoredRecord& stored, bool has_effects,
                                      log::Outputs& out) {
    const auto record = model::decode_case_record(stored.value);
    if (!record) {
        telemetry_.logger.error("reconcile", "a case record can't be decoded and was passed over",
                                {{"partition", stored.at.partition.index},
                                 {"offset", stored.at.offset.value},
                                 {"error", record.error().message()}});
        return log::Taken::whole;
    }
    const telemetry::TraceScope scope(trace_of(*record));
    const MutexLock lock(engines_mutex_);
    EnginePartition& partition = partitions_.at(stored.at.partition.index);
    revisions_.clear();
    const auto passed = model::passed_of(*record);
    const std::size_t cases_max = std::min(fired_cases_max, options_.commit_records_max);
    const bool whole = !passed || partition.engine.fire(*passed, cases_max, revisions_);
    if (whole) {
        partition.engine.on_record(*record, revisions_);
        HELIOS_TRY(partitions_.check(partition));  // here, where it is known what asked for it
        const bool tick = std::holds_alternative<model::TickRecord>(*record);
        if (tick) {
            partition.tick_on_its_way->store(false);
        }
        partition.took(stored, tick);
        if (const auto count = partition.engine.records_without_flow();
            count != partition.without_flow) {
            metrics_->without_flow.add(static_cast<double>(count - partition.without_flow));
            partition.without_flow = count;
        }
        metrics_->records.add();
    }
    if (has_effects) {
        for (Revision& revision : revisions_) {
            emit(std::move(revision), out);
        }
    }
    return whole ? log::Taken::whole : log::Taken::partly;
}

Status EngineStage::complete(const log::Batch&, log::Outputs&) {
    count_open_cases();
    return partitions_.check();
}

void EngineStage::count_open_cases() {
    std::size_t open = 0;
    for (const auto& partition : partitions_.all()) {
        open += partition->engine.open_cases();
    }
    open_cases_.store(open, std::memory_order_relaxed);
}

Status EngineStage::room(const std::function<std::vector<std::string>()>& keys) const {
    const std::size_t open = open_cases_.load(std::memory_order_relaxed);
    if (open < options_.open_cases_max) {
        return {};
    }
    bool opens = false;
    const auto wanted = keys();
    const MutexLock lock(engines_mutex_);
    for (const auto& id : wanted) {
        const bool joins =
            std::any_of(partitions_.all().begin(), partitions_.all().end(),
                        [&](const auto& partition) { return partition->engine.would_join(id); });
        if (joins) {
            return {};
        }
        opens = true;
    }
    if (!opens) {
        return {};
    }
    return fail(ErrorKind::exhausted,
                std::to_string(open) + " cases are open, and no more than " +
                    std::to_string(options_.open_cases_max) + " may be: this event would open one",
                "room comes as deadlines pass; raise reconcile.open_cases_max if there is memory "
                "(about 1 KiB each)");
}

/// Ticks may carry `may_be`: deadlines before it have passed, but for those that wait for a tick
/// still.
void EngineStage::settle(Instant may_be) {
    Instant fired = may_be;
    for (const auto& partition : partitions_.all()) {
        if (const auto deadline = partition->engine.earliest_deadline()) {
            fired = std::min(fired, *deadline);
        }
    }
    const MutexLock lock(settled_mutex_);
    settled_ = {stage_.frontier().get(), fired};
}

EngineStage::Settled EngineStage::settled() const {
    const MutexLock lock(settled_mutex_);
    return settled_;
}

void EngineStage::append_ticks() {
    // In this order: what route had committed when the frontier was read is < the watermark read
    // before it.
    const Instant read = presence_ == nullptr ? Instant::max() : presence_->read_until();
    const Instant low = log_.low_watermark();
    const Instant may_be = std::min({read, low, routed_()});
    settle(may_be);
    if (!ticking_.load()) {
        return;
    }
    std::vector<log::Record> ticks;
    std::vector<std::shared_ptr<std::atomic<bool>>> flags;
    for (const auto& partition : partitions_.all()) {
        auto at = tick_due(partition->engine, may_be, options_.heartbeat);
        if (!at && partitions_.wants_a_record(*partition)) {
            at = may_be;
        }
        if (!at || partition->tick_on_its_way->load()) {
            continue;
        }
        partition->tick_on_its_way->store(true);
        flags.push_back(partition->tick_on_its_way);
        log::Record record;
        record.topic = model::topic::cases;
        record.partition = partition->number;
        record.type = static_cast<std::uint16_t>(model::RecordType::case_record);
        record.version = model::case_record_version;
        record.value = model::encode(model::CaseRecord(model::TickRecord{*at}));
        ticks.push_back(std::move(record));
    }
    if (ticks.empty()) {
        return;
    }
    metrics_->ticks.add(static_cast<double>(ticks.size()));
    log_.append(std::move(ticks),
                [flags = std::move(flags)](std::span<const log::AppendOutcome> outcomes) {
                    for (std::size_t i = 0; i < outcomes.size(); ++i) {
                        if (!outcomes[i]) {
                            flags[i]->store(false);  // the next round tries again
                        }
                    }
                });
}

bool EngineStage::awaits_tick() const {
    return std::any_of(partitions_.all().begin(), partitions_.all().end(),
                       [](const auto& partition) { return partition->tick_on_its_way->load(); });
}

void EngineStage::show() {
    const Duration t = clock_.monotonic();
    if (t - shown_ < show_every && shown_ != Duration::zero()) {
        return;
    }
    shown_ = t;
    std::size_t closed = 0;
    for (const auto& partition : partitions_.all()) {
        closed += partition->engine.closed_cases();
    }
    metrics_->open.set(static_cast<double>(open_cases_.load(std::memory_order_relaxed)));
    metrics_->closed.set(static_cast<double>(closed));
}

void EngineStage::keep() {
    if (!stage_.is_settled()) {
        return;  // a checkpoint beyond what is committed would be passed over
    }
    const MutexLock lock(engines_mutex_);
    partitions_.keep_all();
}

void EngineStage::after_round() {
    append_ticks();
    {
        const MutexLock lock(engines_mutex_);
        partitions_.keep_one();
    }
    show();
}

}  // namespace helios::reconcile
