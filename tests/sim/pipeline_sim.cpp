/// Route and engine twice, on the same events with the same log times: as several lanes on a log
/// that promises no more than Kafka does, and as one machine on a disk that loses power.
///
/// One seed is one history: orders of which some legs are missing, late, sent twice or wrong, in
/// between stretches of our own absence, known before or noticed by lane 0 when they begin. Lanes
/// and two engines take their steps in any order and are fenced, thrown away and made anew, from
/// checkpoints or without; partitions go from one engine to the other in mid-round, and for a time
/// both believe that they have one; transactions fail, or nobody knows their outcome; somebody's
/// open transaction hides a partition; brokers' clocks step. The machine's power fails at steps
/// drawn from the seed. Once all deadlines have passed:
///  - the settled verdicts of both are the same
///  - no revision ever said that a leg is missing which came in time
///  - revisions of a case are 1, 2, 3, …, each there once
///  - every event has been counted once
/// A failing seed is printed with the command that repeats it.

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/disk_log.h"
#include "log/memory_log.h"
#include "log/sim_disk.h"
#include "log/sim_test_kit.h"
#include "log/synchronous.h"
#include "model/counts.h"
#include "model/verdict.h"
#include "reconcile/absences.h"
#include "reconcile/activate.h"
#include "reconcile/engine_stage.h"
#include "reconcile/route_stage.h"
#include "reconcile/test_kit.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {
namespace {

using namespace test;

constexpr std::uint32_t partitions = 3;

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + below(choices.size()));
    }

private:
    std::mt19937_64 engine_;
};

struct Sent {
    Instant at;  ///< planned; then its log time
    TopicId topic{};
    std::string leg;
    std::string key;
    model::Event event;
};

struct Scenario {
    std::vector<Sent> events;  ///< by `at`
    std::vector<model::AbsenceRecord> absences;
};

Sent order_of(const std::string& key, const std::string& id, Instant at, const char* total) {
    return {at, model::topic::orders, "order", key,
            event("aws", "OrderPlaced", id,
                  R"({"orderId":")" + key + R"(","totalAmount":")" + total +
                      R"(","currency":"USD","items":[{"productId":"X","price":6.25,"qty":2}]})",
                  at)};
}

Sent payment_of(const std::string& key, const std::string& id, Instant at, const char* amount,
                const std::string& payment) {
    return {at, model::topic::payments, "payment", key,
            event("gcp", "PaymentProcessed", id,
                  R"({"orderId":")" + key + R"(","paymentId":")" + payment + R"(","amount":")" +
                      amount + R"(","currency":"USD","status":"AUTHORIZED"})",
                  at)};
}

Sent stock_of(const std::string& key, const std::string& id, Instant at, int quantity) {
    return {at, model::topic::inventory, "inventory", key,
            event("azure", "InventoryReserved", id,
                  R"({"orderId":")" + key + R"(","reservationId":"R)" + key +
                      R"(","items":[{"sku":"X","quantity":)" + std::to_string(quantity) + "}]}",
                  at)};
}

/// Whole seconds often, so that legs tie, and come exactly at deadlines.
Scenario scenario_of(std::uint64_t seed) {
    Random random(seed);
    Scenario scenario;
    const auto after = [&](Instant t, std::initializer_list<int> seconds) {
        return t + std::chrono::seconds(random.one_of(seconds)) +
               std::chrono::milliseconds(random.one_in(2) ? 0 : random.below(1000));
    };
    Instant opened = noon(100);
    const std::uint64_t orders = random.one_in(4) ? 20 : 3 + random.below(6);
    for (std::uint64_t i = 0; i < orders; ++i) {
        const std::string key = "A" + std::to_string(i);
        opened = after(opened, {0, 0, 1, 7, 30, 60});
        std::vector<Sent> legs;
        if (!random.one_in(6)) {
            legs.push_back(order_of(key, "o" + key, opened, "12.50"));
        }
        if (!random.one_in(6)) {
            legs.push_back(payment_of(key, "p" + key, after(opened, {0, 1, 5, 30, 60, 61, 200}),
                                      random.one_in(4) ? "12.05" : "12.50", "P" + key));
        }
        if (!random.one_in(6)) {
            legs.push_back(stock_of(key, "i" + key, after(opened, {0, 1, 5, 30, 60, 61, 200}),
                                    random.one_in(4) ? 1 : 2));
        }
        if (!legs.empty() && random.one_in(3)) {  // the same event again
            Sent copy = legs[random.below(legs.size())];
            copy.at = after(copy.at, {0, 1, 40, 100});
            legs.push_back(std::move(copy));
        }
        if (random.one_in(5)) {
            legs.push_back(order_of(key, "o2" + key, after(opened, {1, 59, 90}), "13.00"));
        }
        if (random.one_in(5)) {
            legs.push_back(payment_of(key, "p2" + key, after(opened, {1, 59, 90}), "12.50",
                                      random.one_in(2) ? "P" + key : "Q" + key));
        }
        std::move(legs.begin(), legs.end(), std::back_inserter(scenario.events));
    }
    std::stable_sort(scenario.events.begin(), scenario.events.end(),
                     [](const Sent& a, const Sent& b) { return a.at < b.at; });
    for (std::uint64_t n = random.below(3); n > 0; --n) {
        const double from = 100 + static_cast<double>(random.below(300));
        scenario.absences.push_back(away(from, from + random.one_of({1, 20, 100})));
        if (random.one_in(3)) {
            scenario.absences.back().sources = {"gcp"};
            scenario.absences.back().cause = model::AbsenceCause::refused;
        }
    }
    return scenario;
}

log::Record record_of(const Sent& sent, bool by_key) {
    log::Record record;
    record.topic = sent.topic;
    record.type = static_cast<std::uint16_t>(model::RecordType::event);
    record.version = model::event_version;
    record.key = by_key ? sent.key : sent.event.id;
    record.value = model::encode(sent.event);
    return record;
}

/// Of everything on a topic, each partition in order.
void each_record(log::Log& log, TopicId topic,
                 const std::function<void(const log::StoredRecord&)>& visit) {
    const auto reader = log::reader_of(log, {topic});
    for (;;) {
        const auto batch = reader->poll(1000, 1u << 20, Duration::zero());
        ASSERT_TRUE(batch) << batch.error().message();
        if (batch->records.empty()) {
            return;
        }
        std::for_each(batch->records.begin(), batch->records.end(), visit);
    }
}

/// By all that is known of our absences in the end: no tick may have passed one that it moves.
std::map<std::string, Instant> deadlines_of(const model::Verdict& v, const Absences& absences) {
    std::vector<Instant> moved;
    deadlines_moved(*order_flow(), v.opened_at, absences, moved);
    std::map<std::string, Instant> out;
    for (std::size_t i = 0; i < moved.size(); ++i) {
        out[order_flow()->legs[i].name] = moved[i];
    }
    return out;
}

/// What holds on either side; returns the settled verdicts.
std::map<std::string, std::string> inspect(log::Log& log, const Scenario& scenario,
                                           const std::vector<Sent>& sent) {
    const Absences absences(scenario.absences);
    std::map<std::string, std::string> settled;
    std::map<std::string, std::uint32_t> revisions;
    each_record(log, model::topic::verdicts, [&](const log::StoredRecord& record) {
        const auto v = model::decode_verdict(record.value);
        ASSERT_TRUE(v) << v.error().message();
        EXPECT_EQ(v->instance, 1u) << v->key;
        EXPECT_EQ(v->revision, ++revisions[v->key]) << v->key;
        settled[v->key] = settled_text(*v);
        const auto deadlines = deadlines_of(*v, absences);
        for (const Sent& s : sent) {
            const bool missing = v->status == model::VerdictStatus::partial && s.key == v->key &&
                                 std::count(v->missing.begin(), v->missing.end(), s.leg) > 0;
            EXPECT_FALSE(missing && s.at <= deadlines.at(s.leg))
                << v->key << " revision " << v->revision << " at " << format_rfc3339(v->at)
                << ": the " << s.leg << " came at " << format_rfc3339(s.at);
        }
    });
    std::uint64_t judged = 0;
    each_record(log, model::topic::counts, [&](const log::StoredRecord& record) {
        const auto counts = model::decode_counts(record.value);
        ASSERT_TRUE(counts);
        judged += counts->hop == "route" ? counts->deltas.at("judged") : 0;
    });
    EXPECT_EQ(judged, sent.size());
    for (const Sent& s : sent) {
        EXPECT_TRUE(settled.contains(s.key)) << s.key;
    }
    return settled;
}

RouteOptions any_route_options(Random& random) {
    RouteOptions options;
    options.batch_records_max = 1 + random.below(6);
    options.absence_min = std::chrono::hours(10'000);  // all absences are the scenario's
    return options;
}

/// Of one side of one seed: where its engine keeps checkpoints, if it does. They lose no power.
class StateDirectory {
public:
    StateDirectory(std::string_view side, std::uint64_t seed)
        : path_((std::filesystem::path(testing::TempDir()) /
                 ("helios-sim-" + std::string(side) + "-" + std::to_string(seed)))
                    .string()) {
        std::filesystem::remove_all(path_);
    }
    ~StateDirectory() { std::filesystem::remove_all(path_); }
    StateDirectory(const StateDirectory&) = delete;
    StateDirectory& operator=(const StateDirectory&) = delete;
    std::string path(std::uint64_t seed) const { return seed % 5 == 0 ? path_ : std::string(); }

private:
    std::string path_;
};

EngineStageOptions any_engine_options(Random& random, std::string state_directory) {
    EngineStageOptions options;
    options.batch_records_max = 1 + random.below(8);
    options.commit_records_max = random.one_of({1u, 1u, 2u, 6u});
    options.heartbeat = std::chrono::seconds(1 + random.below(30));
    options.state_directory = std::move(state_directory);
    options.checkpoint_records = 1 + random.below(100);
    return options;
}

/// Lanes and an engine on the log in memory.
class Cluster {
public:
    explicit Cluster(std::uint64_t seed)
        : seed_(seed),
          random_(seed),
          refuses_(random_.one_in(2)),
          log_(any_log_options(random_, seed), all_topics(), clock_) {}

    /// Adds the absences that it noticed to the scenario's.
    std::map<std::string, std::string> run(Scenario& scenario) {
        EXPECT_TRUE(activate(log_, default_tenant(), *order_flow(), 32));
        for (const auto& absence : scenario.absences) {
            EXPECT_TRUE(record_absence(log_, absence));
        }
        log_.fail_transactions({.aborted_in = random_.one_of({0u, 3u, 10u}),
                                .unknown_in = random_.one_of({0u, 2u, 10u})});
        lanes_.resize(partitions);
        tell_all();
        const bool by_key = random_.one_in(2);
        for (const Sent& planned : scenario.events) {
            while (clock_.wall() < planned.at) {
                const Duration left = planned.at - clock_.wall();
                clock_.advance(random_.one_in(2) ? left
                                                 : Duration(1 + random_.below(left.count())));
                act_some();
            }
            Sent sent = planned;
            const auto outcome = log::append_now(log_, {record_of(sent, by_key)})[0];
            EXPECT_TRUE(outcome);
            sent.at = outcome->log_time;
            sent_.push_back(std::move(sent));
            act_some();
        }
        for (int i = 0; i < 6; ++i) {  // deadlines pass meanwhile, many at a time
            clock_.advance(std::chrono::seconds(random_.one_of({1, 20, 90})));
            release_all();
            for (int n = 0; n < 30; ++n) {
                act();
            }
        }
        settle();
        const auto history = read_flows(log_);
        EXPECT_TRUE(history);
        scenario.absences.clear();
        for (const auto& record : *history) {
            if (record.absence) {
                scenario.absences.push_back(*record.absence);
            }
        }
        SCOPED_TRACE("the lanes");
        return inspect(log_, scenario, sent_);
    }

    /// As the log has stamped them, in the order of their stamps.
    std::vector<Sent> sent() const {
        auto out = sent_;
        std::stable_sort(out.begin(), out.end(),
                         [](const Sent& a, const Sent& b) { return a.at < b.at; });
        return out;
    }

private:
    /// A process of its own, as far as the stage can tell.
    struct Engine {
        Engine(std::uint64_t seed, int number) : state("lanes-" + std::to_string(number), seed) {}
        StateDirectory state;
        std::set<Partition> assigned;
        std::unique_ptr<EngineStage> stage;
    };

    static log::MemoryLogOptions any_log_options(Random& random, std::uint64_t seed) {
        log::MemoryLogOptions options;
        options.seed = seed;
        options.partitions = partitions;
        options.grain =
            random.one_of({std::chrono::milliseconds(1), std::chrono::milliseconds(500)});
        options.gaps = !random.one_in(4);
        options.shuffled = !random.one_in(4);
        return options;
    }

    /// Everything stamped before it has come through every lane.
    Instant routed() const {
        Instant least = Instant::max();
        for (const auto& lane : lanes_) {
            least = std::min(least, lane ? lane->frontier().get() : Instant{});
        }
        return least;
    }

    static void took(const Result<std::size_t>& stepped) {
        EXPECT_TRUE(stepped || stepped.error().kind == ErrorKind::unavailable ||
                    stepped.error().kind == ErrorKind::timeout ||
                    stepped.error().kind == ErrorKind::conflict)
            << stepped.error().message();
    }
    std::size_t step_lane(std::uint32_t i) {
        if (!lanes_[i]) {
            RouteOptions options = any_route_options(random_);
            options.lane = i;
            if (refuses_ && i == 0) {
                options.absence_min = std::chrono::milliseconds(500 + random_.below(3'000));
            }
            lanes_[i] = std::make_unique<RouteStage>(options, log_, telemetry_, clock_);
        }
        const auto stepped = lanes_[i]->step(Duration::zero());
        took(stepped);
        return stepped.value_or(1);
    }
    std::size_t step_engine(Engine& engine) {
        if (!engine.stage) {
            engine.stage = std::make_unique<EngineStage>(
                any_engine_options(random_, engine.state.path(seed_)), log_,
                [this] { return routed(); }, telemetry_, clock_);
            engine.stage->assign(log::Assignment(engine.assigned));
        }
        const auto stepped = engine.stage->step(Duration::zero());
        took(stepped);
        return stepped.value_or(1);
    }
    Engine& any_engine() { return engines_[random_.below(engines_.size())]; }
    /// Told to one of them at a time: so both have it, or nobody has, until all is told.
    void tell(Engine& engine) {
        std::set<Partition> assigned;
        for (std::uint32_t i = 0; i < partitions; ++i) {
            if (&engines_[owners_[i]] == &engine) {
                assigned.insert({model::topic::cases, i});
            }
        }
        engine.assigned = std::move(assigned);
        if (engine.stage) {
            engine.stage->assign(log::Assignment(engine.assigned));
        }
    }
    void tell_all() {
        for (Engine& engine : engines_) {
            tell(engine);
        }
    }
    void hand_a_partition_over() {
        owners_[random_.below(partitions)] = random_.below(engines_.size());
        tell(any_engine());
    }

    Partition any_partition() {
        const auto topic =
            random_.one_of({model::topic::orders, model::topic::payments, model::topic::inventory,
                            model::topic::cases, model::topic::verdicts, model::topic::counts});
        return {topic, static_cast<std::uint32_t>(random_.below(partitions))};
    }
    std::uint32_t any_lane() { return static_cast<std::uint32_t>(random_.below(partitions)); }

    void act_some() {
        for (std::uint64_t n = random_.below(8); n > 0; --n) {
            act();
        }
    }
    void act() {
        switch (random_.below(18)) {
            case 0:
                log_.fence(random_.one_in(2) ? "engine" : "route-" + std::to_string(any_lane()));
                break;
            case 1:
                log_.hold(held_.emplace_back(any_partition()));
                break;
            case 2:
            case 3:
                if (!held_.empty()) {
                    log_.release(held_.back());
                    held_.pop_back();
                }
                break;
            case 4:
                refuses_ ? refuse() : step_a_clock();
                break;
            case 5:
                throw_one_away();
                break;
            case 6:
                if (!ghosts_.empty()) {
                    took(ghosts_[random_.below(ghosts_.size())]->step(Duration::zero()));
                }
                break;
            case 7:
                hand_a_partition_over();
                break;
            case 8:
            case 9:
            case 10:
            case 11:
            case 12:
                step_engine(any_engine());
                break;
            default:
                step_lane(any_lane());
                break;
        }
    }
    /// A gateway's refusals are stamped by no broker yet, so brokers' clocks agree where they are
    /// made.
    void refuse() {
        if (lanes_[0]) {
            lanes_[0]->presence().refuse(random_.one_of({"", "aws", "gcp"}));
        }
    }
    void step_a_clock() {
        log_.step_clock(any_partition(), std::chrono::milliseconds(random_.below(4'000)) -
                                             std::chrono::milliseconds(2'000));
    }
    /// A process is gone, or stands still and does not know yet that another has its place.
    void throw_one_away() {
        if (random_.one_in(3)) {
            auto& stage = any_engine().stage;
            if (stage && random_.one_in(3)) {
                stage->keep();
            }
            stage.reset();
            return;
        }
        const auto i = any_lane();
        if (i == 0 && refuses_) {
            return;  // what it has noticed and not written would be another absence, of the start
        }
        if (lanes_[i] && random_.one_in(2)) {
            ghosts_.push_back(std::move(lanes_[i]));
        }
        lanes_[i].reset();
    }

    void release_all() {
        for (const auto& id : held_) {
            log_.release(id);
        }
        held_.clear();
    }
    void settle() {
        log_.fail_transactions({});
        release_all();
        ghosts_.clear();
        tell_all();
        for (int i = 0; i < 20; ++i) {
            clock_.advance(std::chrono::minutes(1));
            int quiet = 0;
            for (int round = 0; quiet < 3 && round < 10'000; ++round) {
                std::size_t taken = 0;
                for (Engine& engine : engines_) {
                    taken += step_engine(engine);
                }
                for (std::uint32_t lane = 0; lane < partitions; ++lane) {
                    taken += step_lane(lane);
                }
                quiet = taken == 0 ? quiet + 1 : 0;
            }
            EXPECT_EQ(quiet, 3);
        }
    }

    const std::uint64_t seed_;
    Random random_;
    const bool refuses_;
    ManualClock clock_{noon(0)};
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::off, lines_};
    log::MemoryLog log_;
    std::vector<std::unique_ptr<RouteStage>> lanes_;
    std::vector<std::unique_ptr<RouteStage>> ghosts_;
    std::array<Engine, 2> engines_{Engine{seed_, 0}, Engine{seed_, 1}};
    std::array<std::size_t, partitions> owners_{};  ///< of each partition, an index of engines_
    std::vector<Partition> held_;
    std::vector<Sent> sent_;
};

/// Both stages on the disk log, as the server runs them.
class Machine {
public:
    explicit Machine(std::uint64_t seed)
        : seed_(seed), random_(seed), disk_(seed, log::SimDisk::Durability::tracked) {
        options_.directory = "sim";
        options_.partitions = partitions;
        options_.segment_bytes = 64u << 10;
        options_.zero_ahead_bytes = 4096;
        options_.reserve_bytes = 0;
        options_.scrub_interval = Duration::zero();
        options_.retry_interval = std::chrono::hours(1);
    }

    /// Events as the other side has stamped them.
    std::map<std::string, std::string> run(const Scenario& scenario, std::vector<Sent> events) {
        start();
        EXPECT_TRUE(activate(*log_, default_tenant(), *order_flow(), 32));
        for (const auto& absence : scenario.absences) {
            EXPECT_TRUE(record_absence(*log_, absence));
        }
        restart();  // so that route finds the absences
        for (Sent& sent : events) {
            clock_.advance(std::max(Duration::zero(), sent.at - clock_.wall()));
            restart_if_crashed();
            if (random_.one_in(4)) {
                disk_.crash_after(1 + random_.below(60));
            }
            append(sent);
            step_some();
        }
        for (int i = 0; i < 6; ++i) {  // deadlines pass meanwhile, many at a time
            clock_.advance(std::chrono::seconds(random_.one_of({1, 20, 90})));
            restart_if_crashed();
            disk_.crash_after(1 + random_.below(30));
            step_some();
        }
        restart_if_crashed();
        disk_.crash_after(0);
        settle();
        SCOPED_TRACE("the machine");
        return inspect(*log_, scenario, events);
    }

private:
    void start() {
        auto opened = log::open_disk_log(options_, all_topics(), disk_, clock_, telemetry_);
        ASSERT_TRUE(opened) << opened.error().message();
        log_ = std::move(*opened);
        route_ =
            std::make_unique<RouteStage>(any_route_options(random_), *log_, telemetry_, clock_);
        engine_ = std::make_unique<EngineStage>(any_engine_options(random_, state_.path(seed_)),
                                                *log_, *route_, telemetry_, clock_);
        ASSERT_TRUE(route_->open());
    }
    void restart() {
        engine_.reset();
        route_.reset();
        log_.reset();
        if (random_.one_in(3)) {
            disk_.restart_process();
        } else {
            disk_.power_cycle();
        }
        disk_.crash_after(0);
        start();
    }

    /// A tick's append may have met the end unnoticed.
    void restart_if_crashed() {
        if (disk_.crashed()) {
            restart();
        }
    }

    /// A sender that was not told asks again, and is told if it is there.
    void append(Sent& sent) {
        const auto before = log_times_of(sent);
        auto outcome = log::append_now(*log_, {record_of(sent, false)})[0];
        Instant at = outcome ? outcome->log_time : Instant{};
        if (!outcome) {
            ASSERT_TRUE(disk_.crashed()) << outcome.error().message();
            restart();
            if (const auto now = log_times_of(sent); now.size() > before.size()) {
                at = *now.rbegin();
            } else {
                outcome = log::append_now(*log_, {record_of(sent, false)})[0];
                ASSERT_TRUE(outcome) << outcome.error().message();
                at = outcome->log_time;
            }
        }
        ASSERT_LT(at - sent.at, std::chrono::microseconds(1)) << "the log times of the other side";
        sent.at = at;
    }
    /// Where it is there already.
    std::set<Instant> log_times_of(const Sent& sent) {
        const std::string value = model::encode(sent.event);
        std::set<Instant> out;
        each_record(*log_, sent.topic, [&](const log::StoredRecord& record) {
            if (record.value == value) {
                out.insert(record.log_time);
            }
        });
        return out;
    }

    /// How much it took; something, if power failed meanwhile.
    template <class Stage>
    std::size_t step(Stage& stage) {
        auto stepped = stage.step(Duration::zero());
        std::size_t taken = stepped.value_or(1);
        for (int i = 0; stepped && engine_->awaits_tick() && !disk_.crashed() && i < 500; ++i) {
            stepped = engine_->step(std::chrono::milliseconds(20));  // it comes through the log
            taken += stepped.value_or(1);
        }
        if (!stepped) {
            EXPECT_TRUE(disk_.crashed()) << stepped.error().message();
            restart();
        }
        return taken;
    }
    void step_some() {
        for (std::uint64_t n = random_.below(4); n > 0; --n) {
            random_.one_in(2) ? step(*route_) : step(*engine_);
        }
    }

    void settle() {
        for (int i = 0; i < 20; ++i) {
            clock_.advance(std::chrono::minutes(1));
            for (int quiet = 0; quiet < 3;) {
                const std::size_t taken = step(*route_) + step(*engine_);
                quiet = taken == 0 ? quiet + 1 : 0;
            }
        }
    }

    const std::uint64_t seed_;
    Random random_;
    StateDirectory state_{"machine", seed_};
    log::SimDisk disk_;
    ManualClock clock_{noon(0)};
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_{clock_, telemetry::Level::off, lines_};
    log::DiskLogOptions options_;
    std::unique_ptr<log::Log> log_;
    std::unique_ptr<RouteStage> route_;
    std::unique_ptr<EngineStage> engine_;
};

TEST(PipelineSimulation, lanes_settle_on_what_one_machine_says) {
    log::run_seeds(60, [](std::uint64_t seed) {
        Scenario scenario = scenario_of(seed);
        Cluster cluster(seed);
        const auto several = cluster.run(scenario);
        const auto one = Machine(seed).run(scenario, cluster.sent());
        EXPECT_EQ(several, one);
    });
}

}  // namespace
}  // namespace helios::reconcile
