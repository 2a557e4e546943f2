/// Route, engine and store on their threads, restarted now and then: whoever waits for a position
/// reads what follows from it.

#include <algorithm>
#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "api/barrier.h"
#include "reconcile/activate.h"
#include "reconcile/engine_stage.h"
#include "reconcile/flow.h"
#include "reconcile/route_stage.h"
#include "store/test_kit.h"

namespace helios::api {
namespace {

constexpr Duration limit = std::chrono::seconds(60);
constexpr std::string_view three_legs =
    "flow: order\nversion: 1\nkey: {name: orderId, paths: [orderId]}\nlegs:\n"
    "  order: {source: aws, type: OrderPlaced, deadline: 60s}\n"
    "  payment: {source: gcp, type: PaymentProcessed, deadline: 60s}\n"
    "  stock: {source: azure, type: InventoryReserved, deadline: 60s}\n";

constexpr std::string_view causes_nothing = "SomethingElse";

/// The events of an order that somebody sent at once, and where they stand.
struct Sent {
    std::string key;
    std::vector<std::string> ids;
    std::size_t legs = 0;  ///< of it; others cause nothing
    log::Offsets past;
};

/// A life of the stages. Small rounds, so that hops lie apart.
struct Life {
    Life(store::testing::Bench& bench, std::mt19937& random)
        : route(route_options(random), *bench.log, bench.telemetry, bench.clock),
          engine(engine_options(random), *bench.log, route, bench.telemetry, bench.clock),
          projector(open_projector(bench)),
          barrier(*bench.log, {route.frontier(), route.reached()},
                  {engine.frontier(), engine.reached()},
                  {projector->frontier(), projector->reached()}, bench.clock) {
        projector->start();
        engine.start();
        route.start();
    }
    ~Life() {
        route.stop();
        engine.stop();
        projector->stop();
    }

    static reconcile::RouteOptions route_options(std::mt19937& random) {
        reconcile::RouteOptions options;
        options.batch_records_max = 1 + random() % 4;
        options.poll_wait = std::chrono::milliseconds(1);
        options.pace = std::chrono::milliseconds(random() % 3);
        return options;
    }
    static reconcile::EngineStageOptions engine_options(std::mt19937& random) {
        reconcile::EngineStageOptions options;
        options.batch_records_max = 1 + random() % 4;
        options.commit_records_max = 1 + random() % 4;
        options.poll_wait = std::chrono::milliseconds(1);
        options.pace = std::chrono::milliseconds(random() % 3);
        return options;
    }
    static std::unique_ptr<store::Projector> open_projector(store::testing::Bench& bench) {
        auto projector = bench.open();
        HELIOS_ASSERT(projector.has_value(), "the store opens");
        return *std::move(projector);
    }

    reconcile::RouteStage route;
    reconcile::EngineStage engine;
    std::unique_ptr<store::Projector> projector;
    Barrier barrier;
};

class ReadYourWrites : public ::testing::TestWithParam<unsigned> {
protected:
    /// Some events of a new order, each in any partition: nothing rests on which.
    Sent send(std::mt19937& random) {
        std::array<std::pair<std::string_view, std::string_view>, 4> kinds{
            {{"OrderPlaced", "aws"},
             {"PaymentProcessed", "gcp"},
             {"InventoryReserved", "azure"},
             {causes_nothing, "aws"}}};
        std::shuffle(kinds.begin(), kinds.end(), random);
        Sent sent;
        sent.key = "ORD-" + std::to_string(orders_++);
        const std::size_t count = 1 + random() % kinds.size();
        for (std::size_t i = 0; i < count; ++i) {
            const auto& [type, source] = kinds[i];
            sent.ids.push_back(sent.key + "-" + std::string(type));
            sent.legs += type == causes_nothing ? 0 : 1;
            append(random,
                   store::testing::an_event(sent.ids.back(), std::string(type), sent.key,
                                            std::string(source)),
                   sent.past);
        }
        return sent;
    }

    void append(std::mt19937& random, const model::Event& event, log::Offsets& past) {
        const auto topic = model::event_topics[random() % model::event_topics.size()];
        const MutexLock lock(mutex_);
        const auto at =
            bench_.append(topic, model::RecordType::event, model::event_version, event.key,
                          encode(event), static_cast<std::uint32_t>(random() % 4));
        log::add_to(past, {{at.at.partition, Offset{at.at.offset.value + 1}}});
    }

    /// A case is there from its first leg on, and matched with its last.
    void expect_to_be_seen(const Sent& sent) {
        for (const auto& id : sent.ids) {
            const auto rows = queries_->events_by_id(default_tenant(), id, std::nullopt);
            ASSERT_TRUE(rows);
            EXPECT_EQ(rows->size(), 1u) << id;
        }
        if (sent.legs == 0) {
            return;
        }
        const auto verdict = queries_->latest({default_tenant(), "order", sent.key});
        ASSERT_TRUE(verdict) << sent.key << ": " << verdict.error().message();
        EXPECT_EQ(verdict->status == model::VerdictStatus::matched, sent.legs == 3) << sent.key;
    }

    Mutex mutex_;  // of the bench's appends
    std::atomic<unsigned> orders_{0};
    store::testing::Bench bench_;
    std::unique_ptr<store::Queries> queries_;
};

TEST_P(ReadYourWrites, a_read_behind_a_position_sees_the_verdict) {
    std::mt19937 random(GetParam());
    const auto flow = reconcile::parse_flow(std::string(three_legs), "order.yaml");
    ASSERT_TRUE(flow) << flow.error().message();
    ASSERT_TRUE(reconcile::activate(*bench_.log, default_tenant(), *flow, 32));
    ASSERT_TRUE(reconcile::raise_level(*bench_.log));
    bench_.clock.advance(log::log_time_grain);
    bench_.project();
    queries_ = bench_.queries();
    std::vector<Sent> unread;  // sent, and nobody has waited for it
    for (int life_number = 0; life_number < 4; ++life_number) {
        Life life(bench_, random);
        for (const auto& sent : unread) {  // a position outlives a life
            ASSERT_TRUE(life.barrier.wait(sent.past, limit));
            expect_to_be_seen(sent);
        }
        unread.clear();
        std::vector<std::jthread> clients;
        for (unsigned c = 0; c < 3; ++c) {
            const auto seed = static_cast<unsigned>(random());
            clients.emplace_back([this, &life, seed] {
                std::mt19937 own(seed);
                for (int i = 0; i < 12; ++i) {
                    const auto sent = send(own);
                    const auto waited = life.barrier.wait(
                        own() % 2 == 0 ? sent.past : *life.barrier.acknowledged(), limit);
                    ASSERT_TRUE(waited) << waited.error().message();
                    expect_to_be_seen(sent);
                }
            });
        }
        clients.clear();  // joins
        for (int i = 0; i < 3; ++i) {
            unread.push_back(send(random));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReadYourWrites, ::testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace helios::api
