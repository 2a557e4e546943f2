#pragma once
/// For tests: route as lanes, and an engine, on the log in memory; the verbs of a rehearsal.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/memory_log.h"
#include "log/synchronous.h"
#include "model/topics.h"
#include "reconcile/activate.h"
#include "reconcile/engine_stage.h"
#include "reconcile/route_stage.h"
#include "reconcile/test_kit.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile::test {

/// One thread. Nothing happens between steps but what the clock is told. A step that the log lets
/// down is made again later.
class Lanes {
public:
    explicit Lanes(std::uint64_t seed = 1) : log_({.seed = seed}, all_topics(), clock) {}
    ~Lanes() { stop(); }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    // Set before start().
    RouteOptions route_options;
    EngineStageOptions engine_options;

    ManualClock clock{noon(0)};

    Status start() {
        log_.reopen();
        HELIOS_TRY(activate(log_, default_tenant(), *order_flow(), 32));
        for (std::uint32_t i = 0; i < log_.partition_count(model::topic::orders); ++i) {
            RouteOptions options = route_options;
            options.lane = i;
            lanes_.push_back(std::make_unique<RouteStage>(options, log_, telemetry_, clock));
        }
        engine_ = std::make_unique<EngineStage>(
            engine_options, log_, [this] { return routed(); }, telemetry_, clock);
        return lanes_[0]->open();
    }
    void stop() {
        if (!lanes_.empty()) {
            log_.show_life(lanes_[0]->presence().sign_of_life());
        }
        engine_.reset();
        lanes_.clear();
        log_.close();
    }
    void stand_still(Duration d) {
        route().presence().expect_turns();
        clock.advance(d);
        route().presence().expect_turns(false);
    }

    void append(TopicId topic, const model::Event& event) { append_to(topic, {}, event); }
    void append_to(TopicId topic, std::optional<std::uint32_t> partition,
                   const model::Event& event) {
        log::Record record;
        record.topic = topic;
        record.partition = partition;
        record.type = static_cast<std::uint16_t>(model::RecordType::event);
        record.version = model::event_version;
        record.key = event.id;
        record.value = model::encode(event);
        HELIOS_ASSERT(log::append_now(log_, {std::move(record)})[0].has_value(),
                      "a test's append succeeds");
    }

    Status step_lane(std::uint32_t i) { return made_again(lanes_[i]->step(Duration::zero())); }
    Status step_route() {
        for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
            HELIOS_TRY(step_lane(i));
        }
        return {};
    }
    Status step_engine() { return made_again(engine_->step(Duration::zero())); }
    Status settle() {
        for (int round = 0; round < 6; ++round) {
            HELIOS_TRY(step_route());
            HELIOS_TRY(step_engine());
        }
        return {};
    }

    /// Each partition's in order.
    std::vector<log::StoredRecord> records(TopicId topic) {
        const auto reader = log::reader_of(log_, {topic});
        std::vector<log::StoredRecord> out;
        for (;;) {
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

    log::MemoryLog& log() { return log_; }
    RouteStage& route() { return *lanes_[0]; }

private:
    static Status made_again(const Result<std::size_t>& stepped) {
        return stepped || stepped.error().kind == ErrorKind::unavailable ||
                       stepped.error().kind == ErrorKind::timeout ||
                       stepped.error().kind == ErrorKind::conflict
                   ? Status{}
                   : Status(std::unexpected(stepped.error()));
    }
    Instant routed() const {
        Instant least = Instant::max();
        for (const auto& lane : lanes_) {
            least = std::min(least, lane->frontier().get());
        }
        return least;
    }

    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock, telemetry::Level::off, lines_};
    log::MemoryLog log_;
    std::vector<std::unique_ptr<RouteStage>> lanes_;
    std::unique_ptr<EngineStage> engine_;
    std::vector<log::Batch> batches_;  // what records() hands out
};

}  // namespace helios::reconcile::test
