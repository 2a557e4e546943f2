#pragma once
/// For tests: route and engine over the real log, on a disk in memory and a clock that moves when told to, one step at a time.

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "log/disk_log.h"
#include "log/sim_disk.h"
#include "model/topics.h"
#include "reconcile/activate.h"
#include "reconcile/engine_stage.h"
#include "reconcile/route_stage.h"
#include "reconcile/test_kit.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile::test {

inline std::vector<log::TopicSpec> topics() {
    std::vector<log::TopicSpec> specs;
    for (const auto& t : model::all_topics) {
        specs.push_back(
            {std::string(t.name), t.control ? log::RetentionClass::control : log::RetentionClass::data, t.partitions});
    }
    return specs;
}

/// One thread. Starts with the shipped order flow unless told otherwise.
class Pipeline {
public:
    explicit Pipeline(std::shared_ptr<const Flow> flow = order_flow(), Instant now = noon(0))
        : clock(now), flow_(std::move(flow)) {
        options_.directory = "d";
        options_.partitions = 3;
        options_.segment_bytes = 1u << 20;
        options_.zero_ahead_bytes = 4096;
        options_.record_bytes_max = 256u << 10;
        options_.reserve_bytes = 0;
    }
    ~Pipeline() {
        release_append();
        down();
    }

    Status start() {
        HELIOS_TRY_ASSIGN(log_owned, log::open_disk_log(options_, topics(), disk, clock, telemetry));
        HELIOS_TRY(activate(*log_owned, *flow_));
        route = std::make_unique<RouteStage>(route_options, *log_owned, telemetry, clock);
        engine = std::make_unique<EngineStage>(engine_options, *log_owned, *route, telemetry, clock);
        return route->open();
    }
    void down() {
        engine.reset();
        route.reset();
        log_owned.reset();
    }
    Status restart() {
        down();
        return start();
    }
    /// Another version of the flow, from now on.
    Status use(std::shared_ptr<const Flow> flow) {
        flow_ = std::move(flow);
        return activate(log(), *flow_) ? Status{} : Status(std::unexpected(activate(log(), *flow_).error()));
    }

    log::Log& log() { return *log_owned; }

    /// Appends and waits, unless appends are held: then it stays on its way, stamped but not visible.
    void append(std::string_view topic, const model::Event& e) {
        log::Record record;
        record.topic = topic;
        record.type = static_cast<std::uint16_t>(model::RecordType::event);
        record.version = model::event_version;
        record.key = e.id;
        record.value = model::encode(e);
        std::vector<log::Record> records;
        records.push_back(std::move(record));
        auto done = std::make_shared<std::promise<void>>();
        auto future = done->get_future();
        log().append(std::move(records), [done](std::span<const log::AppendOutcome> outcomes) {
            HELIOS_ASSERT(outcomes[0].has_value(), "a test's append succeeds");
            done->set_value();
        });
        if (held_) {
            on_their_way_.push_back(std::move(future));
            reached_sync_.get_future().wait();  // stamped, written, about to be synced
            reached_sync_ = {};
        } else {
            future.get();
        }
    }
    void hold_append() {
        held_ = std::make_shared<std::promise<void>>();
        auto gate = std::make_shared<std::shared_future<void>>(held_->get_future().share());
        disk.on_sync([this, gate, first = std::make_shared<bool>(true)] {
            if (*first) {
                *first = false;
                reached_sync_.set_value();
            }
            gate->wait();
        });
    }
    void release_append() {
        if (held_) {
            disk.on_sync({});
            held_->set_value();
            held_.reset();
            for (auto& future : on_their_way_) {
                future.get();
            }
            on_their_way_.clear();
        }
    }

    Status step_route() {
        HELIOS_TRY(route->step(Duration::zero()));
        return {};
    }
    Status step_engine() {
        HELIOS_TRY(engine->step(engine->awaits_tick() && !held_ ? std::chrono::seconds(10) : std::chrono::seconds(0)));
        return {};
    }
    /// Both stages until nothing changes any more, ticks included.
    Status settle(bool with_route = true) {
        for (int i = 0; i < 6; ++i) {
            if (with_route) {
                HELIOS_TRY(step_route());
            }
            HELIOS_TRY(step_engine());
        }
        return {};
    }

    /// All records of a topic; their bytes live as long as this object.
    std::vector<log::StoredRecord> records(std::string_view topic) {
        log::Offsets from;
        for (const auto& id : log().partitions_of(topic)) {
            from[id] = log::Offset{0};
        }
        std::vector<log::StoredRecord> out;
        const auto reader = std::move(*log().read(from));
        while (true) {
            auto batch = reader->poll(1000, 1u << 20, Duration::zero());
            HELIOS_ASSERT(batch.has_value(), "a test's log can be read");
            if (batch->records.empty()) {
                return out;
            }
            out.insert(out.end(), batch->records.begin(), batch->records.end());
            batches_.push_back(std::move(*batch));
        }
    }
    std::vector<model::Verdict> verdicts() {
        std::vector<model::Verdict> out;
        for (const auto& record : records(model::topic::verdicts)) {
            out.push_back(*model::decode_verdict(record.value));
        }
        return out;
    }
    template <class T>
    std::size_t count_cases() {
        std::size_t n = 0;
        for (const auto& record : records(model::topic::cases)) {
            n += std::holds_alternative<T>(*model::decode_case_record(record.value)) ? 1 : 0;
        }
        return n;
    }

    RouteOptions route_options;
    EngineStageOptions engine_options;
    log::SimDisk disk{7};
    ManualClock clock;
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    std::unique_ptr<log::Log> log_owned;
    std::unique_ptr<RouteStage> route;
    std::unique_ptr<EngineStage> engine;

private:
    std::shared_ptr<const Flow> flow_;
    log::DiskLogOptions options_;
    std::shared_ptr<std::promise<void>> held_;
    std::promise<void> reached_sync_;
    std::vector<std::future<void>> on_their_way_;
    std::vector<log::Batch> batches_;
};

}  // namespace helios::reconcile::test
