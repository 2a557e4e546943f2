/// The barrier, hop by hop: stages that stand still at one of them, and records of every kind.

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "api/test_kit.h"
#include "base/patience.h"
#include "model/position.h"

namespace helios::api {
namespace {

using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Served;

/// Moves one partition only.
log::Offsets past(const log::Appended& at) {
    return {{at.at.partition, Offset{at.at.offset.value + 1}}};
}

model::PositionToken token_of(const log::Log& log, const log::Appended& at) {
    return {log::hash_of(log.id()), at.at, at.log_time};
}

class BarrierTest : public ::testing::Test {
protected:
    BarrierTest() {
        served_.stages_stand_still = true;
        served_.open();
        for (auto* stage : {&served_.route, &served_.engine, &served_.store}) {
            stage->advance_to(epoch_of_tests);
        }
    }
    log::Appended append_event(std::string id = "e") {
        return served_.bench.append(an_event(std::move(id), "OrderPlaced", "ORD-1"));
    }
    log::Appended append_case() {
        return served_.bench.append(model::CaseRecord(model::LegRecord(default_tenant())), "A");
    }
    log::Appended append_verdict() {
        return served_.bench.append(
            a_verdict("ORD-1", 1, model::VerdictStatus::pending, std::nullopt));
    }
    Status wait(const log::Offsets& to) const {
        return served_.barrier.wait(to, std::chrono::milliseconds(1));
    }
    std::string why(const log::Offsets& to) const {
        const auto waited = wait(to);
        return waited ? "it is over" : waited.error().what;
    }
    static void move(testing::StageByHand& stage, const log::Offsets& consumed,
                     const log::Offsets& written = {}) {
        stage.reached.advance_to(consumed, written);
    }

    Served served_;
};

TEST_F(BarrierTest, nobody_is_waited_for_who_has_gone) {
    const auto to = past(append_event());
    std::atomic<bool> gone = false;
    const PatienceScope scope({.gone = &gone});
    std::jthread leaves([&] { gone = true; });
    const auto waited = served_.barrier.wait(to, std::chrono::hours(1));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().kind, ErrorKind::stopping);
}

TEST_F(BarrierTest, waits_at_each_hop_for_what_the_one_before_has_written) {
    const auto event = append_event();
    const auto leg = append_case();
    const auto verdict = append_verdict();
    const auto to = past(event);
    EXPECT_THAT(why(to), HasSubstr("route has not yet consumed"));
    EXPECT_THAT(why(to), HasSubstr("helios.events.orders/"));
    EXPECT_THAT(why(to), HasSubstr("where it stands at 0"));
    move(served_.route, to, past(leg));
    EXPECT_THAT(why(to), HasSubstr("engine has not yet consumed"));
    EXPECT_THAT(why(to), HasSubstr("helios.cases/"));
    move(served_.engine, past(leg), past(verdict));
    EXPECT_THAT(why(to), HasSubstr("store has not yet consumed"));
    EXPECT_THAT(why(to), HasSubstr("helios.events.orders/")) << "the record itself";
    move(served_.store, to);
    EXPECT_THAT(why(to), HasSubstr("helios.cases/")) << "it holds absences";
    move(served_.store, past(leg));
    EXPECT_THAT(why(to), HasSubstr("helios.verdicts/"));
    move(served_.store, past(verdict));
    EXPECT_EQ(why(to), "it is over");
}

TEST_F(BarrierTest, a_record_that_causes_nothing_is_passed_like_any_other) {
    const auto to = past(append_event());
    move(served_.route, to);
    EXPECT_THAT(why(to), HasSubstr("store has not yet consumed")) << "nothing to judge";
    move(served_.store, to);
    EXPECT_TRUE(wait(to));
}

TEST_F(BarrierTest, a_record_that_is_taken_in_parts_is_passed_with_its_last_one) {
    const auto to = past(append_event());
    const auto leg = append_case();
    move(served_.store, past(leg));
    move(served_.store, to);
    auto at_it = to;
    at_it.begin()->second.value -= 1;
    move(served_.route, at_it, past(leg));
    EXPECT_THAT(why(to), HasSubstr("route has not yet consumed"));
    move(served_.engine, past(leg));
    EXPECT_THAT(why(to), HasSubstr("route has not yet consumed"));
    move(served_.route, to, past(leg));
    EXPECT_TRUE(wait(to));
}

TEST_F(BarrierTest, what_route_does_not_read_it_is_not_waited_for) {
    model::Quarantined item(default_tenant());
    item.id = "q";
    const auto to = past(served_.bench.append(item));
    EXPECT_THAT(why(to), HasSubstr("store has not yet consumed"));
    move(served_.store, to);
    EXPECT_TRUE(wait(to));
}

TEST_F(BarrierTest, nothing_but_the_record_and_what_came_of_it_is_waited_for) {
    const auto to = past(append_event());
    for (auto* stage : {&served_.route, &served_.store}) {
        move(*stage, to);
    }
    append_event("another");
    append_case();     // a tick, say
    append_verdict();  // by a deadline
    EXPECT_TRUE(wait(to));
    EXPECT_FALSE(wait(*served_.barrier.acknowledged()));
}

TEST_F(BarrierTest, a_read_does_not_show_less_than_the_stream_has_shown) {
    const auto verdict = append_verdict();
    const auto to = *served_.barrier.acknowledged();
    EXPECT_THAT(why(to), HasSubstr("helios.verdicts/"));
    move(served_.store, past(verdict));
    auto end = *served_.barrier.ends();
    move(served_.store, end);
    EXPECT_TRUE(wait(to));
}

TEST_F(BarrierTest, a_stage_that_has_not_restored_is_waited_for_even_if_nothing_is_there) {
    store::testing::Bench bench;
    testing::StageByHand route{*bench.log, {model::topic::orders}, {}};
    testing::StageByHand engine{*bench.log, {model::topic::cases}, {}};
    testing::StageByHand stored{*bench.log, {model::topic::orders}, {}};
    const Barrier barrier{*bench.log, route, engine, stored, bench.clock};
    const auto waited = barrier.wait(*barrier.acknowledged(), std::chrono::milliseconds(1));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(waited.error().what, HasSubstr("it has read nothing yet"));
    EXPECT_THAT(waited.error().what, Not(HasSubstr("1970")));
    route.advance_to(epoch_of_tests);
    const auto why_now = [&] {
        return barrier.wait(*barrier.acknowledged(), std::chrono::milliseconds(1)).error().what;
    };
    EXPECT_THAT(why_now(), HasSubstr("engine has not yet consumed"));
    engine.advance_to(epoch_of_tests);
    EXPECT_THAT(why_now(), HasSubstr("store has not yet consumed"));
    stored.advance_to(epoch_of_tests);
    EXPECT_TRUE(barrier.wait(*barrier.acknowledged(), std::chrono::milliseconds(1)));
}

TEST_F(BarrierTest, one_position_of_a_batch_waits_for_all_of_it) {
    const auto& log = *served_.bench.log;
    std::vector<model::PositionToken> tokens;
    log::Offsets all;
    for (int i = 0; i < 6; ++i) {
        const auto at = served_.bench.append(
            an_event("e" + std::to_string(i), i % 2 == 0 ? "OrderPlaced" : "PaymentProcessed",
                     "ORD-" + std::to_string(i)));
        tokens.push_back(token_of(log, at));
        log::add_to(all, past(at));
    }
    const auto target = "/api/v1/events?after=" + model::encode_positions(tokens);
    ASSERT_GT(all.size(), 2u);
    for (const auto& [id, end] : all) {
        EXPECT_EQ(served_.get(target).status, 503);
        for (auto* stage : {&served_.route, &served_.store}) {
            move(*stage, {{id, end}});
        }
    }
    EXPECT_EQ(served_.get(target).status, 200);
}

TEST_F(BarrierTest, a_position_of_a_batch_of_which_one_record_is_not_ours_is_refused) {
    const auto& log = *served_.bench.log;
    const auto good = token_of(log, append_event());
    const auto payment =
        token_of(log, served_.bench.append(an_event("p", "PaymentProcessed", "ORD-1")));
    for (auto* stage : {&served_.route, &served_.engine, &served_.store}) {
        stage->advance_to(served_.bench.log->last_log_time() + Duration{1});
    }
    const auto status_of = [&](const model::PositionToken& a, const model::PositionToken& b) {
        const auto position = model::encode_positions({a, b});
        std::set<int> statuses;
        for (const std::string path :
             {"/api/v1/events", "/api/v1/reconciliation/ORD-1", "/api/v1/stream"}) {
            statuses.insert(served_.get(path + "?after=" + position).status);
        }
        return statuses.size() == 1 ? *statuses.begin() : 0;
    };
    const std::string ours = model::encode_positions({good, payment});
    EXPECT_EQ(served_.get("/api/v1/events?after=" + ours).status, 200);
    EXPECT_EQ(served_.get("/api/v1/reconciliation/ORD-1?after=" + ours).status, 404);
    auto beyond = payment;
    beyond.pointer.offset.value += 1'000'000;
    auto no_record = payment;
    no_record.pointer.offset.value += 1;
    auto no_partition = payment;
    no_partition.pointer.partition.index = 100;
    auto other_time = payment;
    other_time.log_time += Duration{1};
    for (const auto& wrong : {beyond, no_record, no_partition, other_time}) {
        EXPECT_EQ(status_of(good, wrong), 400);
    }
    auto foreign_good = good;
    auto foreign_payment = payment;
    foreign_good.log = foreign_payment.log = good.log + 1;
    EXPECT_EQ(status_of(foreign_good, foreign_payment), 400);
}

}  // namespace
}  // namespace helios::api
