#include "reconcile/rehearsal.h"

#include <optional>
#include <utility>

#include "base/mutex.h"
#include "log/disk_log.h"
#include "model/case_record.h"
#include "model/topics.h"
#include "reconcile/activate.h"

namespace helios::reconcile {
namespace {

constexpr std::uint64_t disk_seed = 7;
constexpr int settling_rounds =
    6;  // event, verdict, tick, its verdict, the next tick, and one to see that it is quiet

std::vector<log::TopicSpec> topics() {
    std::vector<log::TopicSpec> specs;
    for (const auto& topic : model::all_topics) {
        specs.push_back({topic.id, std::string(topic.name),
                         static_cast<log::RetentionClass>(topic.kept), topic.partitions});
    }
    return specs;
}

}  // namespace

/// Where the log's own thread and the caller meet: answers, and the sync that waits while appends
/// are held.
struct Rehearsal::Gate {
    using Answer = std::shared_ptr<std::optional<Status>>;

    Mutex mutex;
    Condition changed;
    bool holding = false;  ///< changed by the caller alone, with the mutex held
    bool reached HELIOS_GUARDED_BY(mutex) =
        false;  ///< something is stamped, written, and about to be synced
    Answer on_its_way;

    void wait_to_sync() {
        MutexLock lock(mutex);
        reached = true;
        changed.notify_all();
        changed.wait(lock, [this] { return !holding; });
    }
};

Rehearsal::Rehearsal(std::shared_ptr<const Flow> flow, Instant now)
    : clock(now),
      flow_(std::move(flow)),
      disk_(disk_seed),
      telemetry_(clock, telemetry::Level::warn, lines_),
      gate_(std::make_shared<Gate>()) {
    log_options.directory = "d";
    log_options.partitions = 3;
    log_options.segment_bytes = 1u << 20;
    log_options.zero_ahead_bytes = 4096;
    log_options.record_bytes_max = 256u << 10;
    log_options.reserve_bytes = 0;
    log_options.scrub_interval = Duration::zero();
}

Rehearsal::~Rehearsal() {
    stop();
}

Status Rehearsal::start() {
    HELIOS_TRY_ASSIGN(log_, log::open_disk_log(log_options, topics(), disk_, clock, telemetry_));
    HELIOS_TRY(activate(*log_, default_tenant(), *flow_, route_options.flow_versions_max));
    appended_ = true;
    route_ = std::make_unique<RouteStage>(route_options, *log_, telemetry_, clock);
    engine_ = std::make_unique<EngineStage>(engine_options, *log_, *route_, telemetry_, clock);
    return route_->open();
}

void Rehearsal::stop() {
    static_cast<void>(release_append());  // a closing log waits for its syncs; who appended was not
                                          // told that it is durable
    if (log_ && route_) {
        log_->show_life(route_->presence().sign_of_life());
    }
    engine_.reset();
    route_.reset();
    log_.reset();
}

Status Rehearsal::restart() {
    stop();
    return start();
}

void Rehearsal::stand_still(Duration d) {
    route_->presence().expect_turns();
    clock.advance(d);
    route_->presence().expect_turns(false);
}

Status Rehearsal::use(std::shared_ptr<const Flow> flow) {
    if (gate_->holding) {
        return fail(ErrorKind::conflict, "a flow can't be activated while appends are held",
                    "release append first");
    }
    HELIOS_TRY(activate(*log_, default_tenant(), *flow, route_options.flow_versions_max));
    flow_ = std::move(flow);
    appended_ = true;
    return {};
}

Status Rehearsal::append(TopicId topic, const model::Event& event) {
    if (gate_->on_its_way) {
        return fail(ErrorKind::conflict, "an append is held already",
                    "release append first: a second one would not even be stamped");
    }
    log::Record record;
    record.topic = topic;
    record.type = static_cast<std::uint16_t>(model::RecordType::event);
    record.version = model::event_version;
    record.key = event.id;
    record.value = model::encode(event);
    appended_ = true;
    std::vector<log::Record> records;
    records.push_back(std::move(record));

    auto answer = std::make_shared<std::optional<Status>>();
    log_->append(
        std::move(records), [gate = gate_, answer](std::span<const log::AppendOutcome> outcomes) {
            const MutexLock lock(gate->mutex);
            *answer = outcomes[0] ? Status{} : Status(std::unexpected(outcomes[0].error()));
            gate->changed.notify_all();
        });
    MutexLock lock(gate_->mutex);
    gate_->changed.wait(lock, [&]() HELIOS_REQUIRES(gate_->mutex) {
        return answer->has_value() || (gate_->holding && gate_->reached);
    });
    if (answer->has_value()) {
        return **answer;
    }
    gate_->on_its_way = std::move(answer);
    return {};
}

Status Rehearsal::hold_append() {
    HELIOS_TRY(settle());
    {
        const MutexLock lock(gate_->mutex);
        gate_->holding = true;
        gate_->reached = false;
    }
    disk_.on_sync([gate = gate_] { gate->wait_to_sync(); });
    return {};
}

Status Rehearsal::release_append() {
    disk_.on_sync({});
    MutexLock lock(gate_->mutex);
    gate_->holding = false;
    gate_->changed.notify_all();
    if (!gate_->on_its_way) {
        return {};
    }
    gate_->changed.wait(lock, [&] { return gate_->on_its_way->has_value(); });
    const auto answer = std::exchange(gate_->on_its_way, nullptr);
    return **answer;
}

/// Route waits until a millisecond is over: more may come in it.
void Rehearsal::finish_millisecond() {
    if (std::exchange(appended_, false)) {
        clock.advance(log::log_time_grain);
    }
}

Status Rehearsal::step_route() {
    finish_millisecond();
    HELIOS_TRY(route_->step(Duration::zero()));
    return {};
}

Status Rehearsal::step_engine() {
    // A tick comes back through the log: waited for, unless it stands behind held appends.
    const bool tick_will_come = engine_->awaits_tick() && !gate_->holding;
    HELIOS_TRY(engine_->step(tick_will_come ? std::chrono::seconds(10) : std::chrono::seconds(0)));
    return {};
}

Status Rehearsal::settle(bool with_route) {
    for (int round = 0; round < settling_rounds; ++round) {
        if (with_route) {
            HELIOS_TRY(step_route());
        }
        HELIOS_TRY(step_engine());
    }
    return {};
}

Result<std::vector<log::StoredRecord>> Rehearsal::records(TopicId topic) {
    return read(topic, batches_);
}

Result<std::vector<model::Verdict>> Rehearsal::verdicts() {
    std::vector<log::Batch> batches;
    HELIOS_TRY_ASSIGN(const auto stored, read(model::topic::verdicts, batches));
    std::vector<model::Verdict> out;
    for (const auto& record : stored) {
        HELIOS_TRY_ASSIGN(auto verdict, model::decode_verdict(record.value));
        out.push_back(std::move(verdict));
    }
    return out;
}

Result<std::vector<log::StoredRecord>> Rehearsal::read(TopicId topic,
                                                       std::vector<log::Batch>& batches) {
    HELIOS_TRY_ASSIGN(const auto from, log::log_start(*log_, log_->partitions_of(topic)));
    HELIOS_TRY_ASSIGN(const auto reader, log_->read(from));
    std::vector<log::StoredRecord> out;
    while (true) {
        HELIOS_TRY_ASSIGN(auto batch, reader->poll(1000, 1u << 20, Duration::zero()));
        if (batch.records.empty()) {
            return out;
        }
        out.insert(out.end(), batch.records.begin(), batch.records.end());
        batches.push_back(std::move(batch));
    }
}

}  // namespace helios::reconcile
