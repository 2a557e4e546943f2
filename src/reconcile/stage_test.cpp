// Route and engine on the real log, on a disk in memory and a clock that moves when told to.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>

#include "log/synchronous.h"
#include "model/counts.h"
#include "reconcile/stage_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

class StageTest : public ::testing::Test {
protected:
    StageTest() { good(p.start()); }

    static void good(const Status& status) { ASSERT_TRUE(status) << status.error().message(); }
    void restart() { good(p.restart()); }
    void order(std::string payload, std::string id = "o-1") {
        p.append(model::topic::orders, event("aws", "OrderPlaced", id, payload, noon(0)));
    }
    void payment(std::string payload, std::string id = "p-1") {
        p.append(model::topic::payments, event("gcp", "PaymentProcessed", id, payload, noon(0)));
    }
    void stock(std::string payload, std::string id = "i-1") {
        p.append(model::topic::inventory,
                 event("azure", "InventoryReserved", id, payload, noon(0)));
    }
    void settle() { good(p.settle()); }
    std::vector<model::Verdict> verdicts() { return p.verdicts(); }
    /// As partition 0 has met them.
    std::vector<model::AbsenceRecord> absences() {
        std::vector<model::AbsenceRecord> out;
        for (const auto& record : p.records(model::topic::cases)) {
            const auto decoded = *model::decode_case_record(record.value);
            if (const auto* absence = std::get_if<model::AbsenceRecord>(&decoded);
                absence != nullptr && record.at.partition.index == 0) {
                out.push_back(*absence);
            }
        }
        return out;
    }

    Pipeline p;
};

TEST_F(StageTest, events_become_a_verdict) {
    order(good_order);
    payment(good_payment);
    stock(good_stock);
    settle();
    const auto v = verdicts();
    ASSERT_EQ(v.size(), 2u);
    EXPECT_EQ(v[1].status, model::VerdictStatus::matched);
    EXPECT_EQ(v[1].events.at(0).pointer.partition.topic, model::topic::orders);
    EXPECT_GE(p.engine().frontier().get(), v[1].at);
    EXPECT_EQ(p.count_cases<model::FlowRecord>(), 3u) << "one copy per partition";
}

TEST_F(StageTest, after_the_frontiers_everything_derived_is_visible) {
    order(good_order);
    const Instant t = p.log().last_log_time();
    while (p.route().frontier().get() <= t) {
        good(p.step_route());
    }
    const Instant u = p.log().low_watermark();
    while (p.engine().frontier().get() < u) {
        good(p.step_engine());
    }
    EXPECT_EQ(verdicts().size(), 1u);
}

TEST_F(StageTest, silence_fires_deadlines_through_ticks) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(59));
    settle();
    ASSERT_EQ(verdicts().size(), 1u);
    p.clock.advance(std::chrono::seconds(2));
    settle();
    const auto v = verdicts();
    ASSERT_EQ(v.size(), 2u);
    EXPECT_EQ(v[1].status, model::VerdictStatus::partial);
    EXPECT_EQ(v[1].at, v[0].deadline);
}

TEST_F(StageTest, a_route_that_is_behind_is_not_a_missing_event) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(30));
    payment(good_payment);
    stock(good_stock);
    p.clock.advance(std::chrono::seconds(300));
    for (int i = 0; i < 10; ++i) {
        good(p.step_engine());  // idle, its deadline long past, but route has not come that far
    }
    EXPECT_EQ(verdicts().size(), 1u);
    settle();
    ASSERT_EQ(verdicts().size(), 2u);
    EXPECT_EQ(verdicts()[1].status, model::VerdictStatus::matched);
}

TEST_F(StageTest, while_a_case_is_open_the_log_shows_that_we_live) {
    order(good_order);
    settle();
    EXPECT_EQ(p.count_cases<model::TickRecord>(), 0u);
    for (int i = 0; i < 3; ++i) {
        p.clock.advance(std::chrono::seconds(11));
        settle();
    }
    EXPECT_EQ(p.count_cases<model::TickRecord>(), 3u) << "only the partition with the open case";
}

TEST_F(StageTest, at_the_bound_only_what_would_open_a_case_is_refused) {
    const auto room = [&](std::vector<std::string> keys) {
        for (auto& key : keys) {
            key = model::case_log_key(default_tenant(), "order", key);
        }
        return p.engine().room([&] { return keys; });
    };
    p.engine_options.open_cases_max = 2;
    restart();
    order(good_order);
    settle();
    EXPECT_TRUE(room({"new"}));
    order(R"({"orderId":"A2","total":5})", "o-2");
    order(R"({"orderId":"A3","total":5})", "o-3");
    settle();
    EXPECT_EQ(verdicts().size(), 3u) << "what is on the log is worked on";
    ASSERT_FALSE(room({"new"}));
    EXPECT_EQ(room({"new"}).error().kind, ErrorKind::exhausted);
    EXPECT_TRUE(room({"A3"}));
    EXPECT_TRUE(room({"new", "A3"})) << "joins one";
    EXPECT_TRUE(room({})) << "no flow wants it";
    payment(good_payment);
    stock(good_stock);
    settle();
    EXPECT_TRUE(room({"A1"})) << "closed, and amendable";
    ASSERT_FALSE(room({"new"}));
    p.clock.advance(std::chrono::seconds(61));
    settle();
    EXPECT_TRUE(room({"new"}));
}

TEST_F(StageTest, a_restart_with_open_cases_goes_on) {
    order(good_order);
    payment(good_payment);
    settle();
    p.clock.advance(std::chrono::seconds(20));
    settle();
    p.stop();
    p.clock.advance(std::chrono::seconds(3600));  // nobody watches
    good(p.start());
    settle();
    EXPECT_EQ(verdicts().size(), 1u) << "our absence is not their silence";
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 3u);
    stock(good_stock);
    settle();
    const auto v = verdicts();
    ASSERT_EQ(v.size(), 2u);
    EXPECT_EQ(v[1].status, model::VerdictStatus::matched);
    EXPECT_EQ(v[1].revision, 2u);
    EXPECT_GT(v[1].deadline, v[0].deadline + std::chrono::seconds(3600));
    EXPECT_EQ(p.count_cases<model::FlowRecord>(), 3u);
}

TEST_F(StageTest, a_restart_before_route_has_read_the_backlog_keeps_its_order) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(5));
    payment(good_payment);
    stock(good_stock);  // acknowledged, not routed
    p.stop();
    p.clock.advance(std::chrono::seconds(3600));
    good(p.start());
    settle();
    const auto v = verdicts();
    ASSERT_EQ(v.size(), 2u);
    EXPECT_EQ(v[1].status, model::VerdictStatus::matched);
    EXPECT_TRUE(v[1].findings.empty());
}

TEST_F(StageTest, a_sleeping_machine_moves_deadlines) {
    order(good_order);
    settle();
    p.clock.sleep_machine(std::chrono::hours(2));
    p.clock.advance(std::chrono::milliseconds(1));
    order(R"({"orderId":"A2","total":5})", "o-2");  // arrives before anybody noticed
    settle();
    order(R"({"orderId":"A3","total":5})", "o-3");
    settle();
    EXPECT_EQ(verdicts().size(), 3u);
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 3u);
    p.clock.advance(std::chrono::seconds(61));
    settle();
    ASSERT_EQ(verdicts().size(), 4u) << "A3 has no excuse";
    p.clock.advance(std::chrono::seconds(30));
    settle();
    ASSERT_EQ(verdicts().size(), 6u) << "A1 and A2 had 60 s and the grace";
}

// A backlog, a sleep noticed and written down, and a crash before route has handed it on.
TEST_F(StageTest, a_sleep_noticed_before_a_crash_still_moves_deadlines) {
    order(good_order);
    settle();
    payment(good_payment);
    const Instant last = p.log().last_log_time();
    p.clock.sleep_machine(std::chrono::hours(2));
    p.clock.advance(std::chrono::milliseconds(1));
    good(record_absence(p.log(), {last,
                                  p.log().low_watermark(),
                                  std::chrono::seconds(30),
                                  {},
                                  {},
                                  model::AbsenceCause::sleep}));
    stock(good_stock);
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 0u);
    restart();
    settle();
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 3u)
        << "once per partition; the restart took no time";
    for (const auto& v : verdicts()) {
        EXPECT_NE(v.status, model::VerdictStatus::partial) << "revision " << v.revision;
    }
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::matched);
}

TEST_F(StageTest, a_sleep_is_handed_on_once_whatever_crashes_afterwards) {
    p.route_options.batch_records_max = 1;
    restart();
    order(good_order);
    settle();
    p.clock.sleep_machine(std::chrono::hours(2));
    p.clock.advance(std::chrono::milliseconds(1));
    payment(good_payment);
    good(p.step_route());  // notices; the payment comes after the sleep, the record of the sleep
                           // after the payment
    ASSERT_EQ(p.count_cases<model::AbsenceRecord>(), 3u);
    restart();
    settle();
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 3u)
        << "the sleep, once per partition; the restart took no time";
    stock(good_stock);
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::matched);
}

TEST_F(StageTest, what_the_stages_derive_is_no_sign_of_life) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::hours(1));
    log::Record derived;
    derived.topic = model::topic::verdicts;
    derived.value = "only its log time counts here";
    ASSERT_TRUE(log::append_now(p.log(), {derived}).front());
    good(record_start(p.log(), Duration::zero(), std::chrono::seconds(1)));
    const auto flows = read_flows(p.log());
    ASSERT_TRUE(flows);
    ASSERT_TRUE(flows->back().absence);
    EXPECT_GE(flows->back().absence->to - flows->back().absence->from,
              std::chrono::hours(1) - std::chrono::seconds(1));
}

TEST_F(StageTest, a_clean_restart_after_an_idle_time_moves_nothing) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::milliseconds(8500));  // no record, but we watch
    p.stop();
    p.clock.advance(std::chrono::milliseconds(100));
    good(p.start());
    settle();
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 0u);
    p.clock.advance(std::chrono::milliseconds(51'500));
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::partial)
        << "60 s and not a moment longer";
}

TEST_F(StageTest, a_stop_counts_from_the_stop) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(20));
    p.stop();
    p.clock.advance(std::chrono::seconds(100));
    good(p.start());
    settle();
    const auto absences = this->absences();
    ASSERT_EQ(absences.size(), 1u);
    EXPECT_EQ(absences[0].cause, model::AbsenceCause::start);
    EXPECT_LE(absences[0].to - absences[0].from, std::chrono::seconds(100));
    EXPECT_GE(absences[0].to - absences[0].from, std::chrono::milliseconds(99'900));
}

TEST_F(StageTest, a_standstill_moves_deadlines_whatever_wakes_up_first) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(50));
    settle();
    p.stand_still(std::chrono::seconds(120));
    payment(good_payment);  // waited in a socket
    order(R"({"orderId":"A2","total":5})", "o-2");
    good(p.step_engine());
    settle();
    EXPECT_EQ(verdicts().size(), 2u) << "both are pending";
    stock(good_stock);
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::matched);
    const auto absences = this->absences();
    ASSERT_EQ(absences.size(), 1u);
    EXPECT_EQ(absences[0].cause, model::AbsenceCause::sleep);
}

TEST_F(StageTest, shorter_than_absence_min_is_no_standstill) {
    order(good_order);
    settle();
    p.stand_still(std::chrono::milliseconds(900));
    settle();
    EXPECT_TRUE(absences().empty());
}

TEST_F(StageTest, no_tick_is_appended_for_a_time_that_has_not_been_read) {
    p.route().presence().expect_reading();
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(59));
    const Instant before_deadline = p.log().now();
    p.clock.advance(std::chrono::seconds(60));
    p.route().presence().has_read(before_deadline);
    settle();
    EXPECT_EQ(verdicts().size(), 1u) << "what was sent by the deadline may still wait in a socket";
    p.route().presence().has_read(p.log().now());
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::partial);
}

TEST_F(StageTest, one_refusal_gives_the_grace_and_is_on_the_log_before_any_tick) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::milliseconds(59'900));
    p.route().presence().refuse("gcp");
    p.clock.advance(std::chrono::milliseconds(600));
    order(R"({"orderId":"A2","total":5})",
          "o-2");  // a leg beyond the deadline, in whatever partition
    settle();
    auto v = verdicts();
    ASSERT_EQ(v.size(), 3u);
    for (const auto& one : v) {
        if (one.status == model::VerdictStatus::partial) {
            EXPECT_EQ(one.missing, std::vector<std::string>{"inventory"})
                << "payment comes from gcp, which was refused";
        }
    }
    p.clock.advance(std::chrono::seconds(30));
    payment(good_payment);
    stock(good_stock);
    settle();
    const auto absences = this->absences();
    ASSERT_EQ(absences.size(), 1u);
    EXPECT_EQ(absences[0].cause, model::AbsenceCause::refused);
    EXPECT_EQ(absences[0].sources, std::vector<std::string>{"gcp"});
    EXPECT_EQ(absences[0].max, std::chrono::hours(24));
    EXPECT_EQ(absences[0].to - absences[0].from, std::chrono::seconds(1))
        << "until none has come for absence_min";
}

TEST_F(StageTest, a_source_that_cannot_be_fetched_is_absent_until_it_is_read_again) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(59));
    p.route().presence().cannot_fetch("gcp");
    for (int i = 0; i < 600; ++i) {  // 300 s
        p.clock.advance(std::chrono::milliseconds(500));
        good(p.step_route());
        good(p.step_engine());
    }
    ASSERT_FALSE(verdicts().empty());
    EXPECT_EQ(verdicts().back().missing, std::vector<std::string>{"inventory"})
        << "the payment comes from gcp, whose queue can't be reached";
    p.route().presence().fetched("gcp");
    payment(good_payment);
    stock(good_stock);
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::matched);
    const auto absences = this->absences();
    ASSERT_FALSE(absences.empty());
    EXPECT_LT(absences.size(), 100u) << "pieces reach farther the longer it lasts";
    for (const auto& absence : absences) {
        EXPECT_EQ(absence.cause, model::AbsenceCause::fetch);
        EXPECT_EQ(absence.sources, std::vector<std::string>{"gcp"});
        EXPECT_EQ(absence.max, std::chrono::hours(24)) << "capped by absence_max";
    }
    const auto before = absences.size();
    p.clock.advance(std::chrono::seconds(60));
    settle();
    EXPECT_EQ(this->absences().size(), before) << "it is over";
}

TEST_F(StageTest, refusals_that_go_on_are_one_stretch_of_pieces) {
    order(good_order);
    settle();
    for (int i = 0; i < 300; ++i) {  // 150 s
        p.route().presence().refuse("");
        p.clock.advance(std::chrono::milliseconds(500));
        good(p.step_route());
        good(p.step_engine());
    }
    settle();
    EXPECT_EQ(verdicts().size(), 1u) << "no deadline passes meanwhile";
    const Absences whole(absences());
    ASSERT_EQ(whole.all().size(), 1u) << "pieces touch";
    EXPECT_GE(absences().size(), 10u);
    EXPECT_LE(absences().size(), 301u);
    p.clock.advance(std::chrono::seconds(89));
    settle();
    EXPECT_EQ(verdicts().size(), 1u);
    p.clock.advance(std::chrono::seconds(4));
    settle();
    EXPECT_EQ(verdicts().back().status, model::VerdictStatus::partial)
        << "60 s, 150 s and one grace";
}

TEST_F(StageTest, refusals_that_no_record_tells_of_are_left_as_a_sign_of_life) {
    order(good_order);
    settle();
    p.clock.advance(std::chrono::seconds(5));
    const Instant refused = p.log().now();
    p.route().presence().refuse("gcp");
    p.clock.advance(std::chrono::seconds(100));
    p.stop();  // before route came to write it
    p.clock.advance(std::chrono::milliseconds(10));
    good(p.start());
    settle();
    const auto absences = this->absences();
    ASSERT_EQ(absences.size(), 1u);
    EXPECT_LE(absences[0].from, refused + std::chrono::milliseconds(1));
    EXPECT_EQ(verdicts().size(), 1u);
}

TEST_F(StageTest, a_wall_clock_set_back_moves_nothing) {
    order(good_order);
    settle();
    p.clock.jump_wall(-std::chrono::hours(1));
    settle();
    EXPECT_EQ(p.count_cases<model::AbsenceRecord>(), 0u);
    p.clock.advance(std::chrono::seconds(61));
    settle();
    EXPECT_EQ(verdicts().size(), 2u);
}

TEST_F(StageTest, every_event_is_judged_once_per_source_and_minute) {
    order(good_order);
    payment(good_payment);
    payment(good_payment, "p-2");
    p.append(model::topic::other, event("aws", "Unheard", "x", "{}"));
    settle();
    restart();
    settle();
    std::map<std::string, std::uint64_t> judged;
    for (const auto& record : p.records(model::topic::counts)) {
        const auto counts = model::decode_counts(record.value);
        ASSERT_TRUE(counts);
        EXPECT_EQ(counts->hop, "route");
        judged[counts->source] += counts->deltas.at("judged");
    }
    EXPECT_EQ(judged, (std::map<std::string, std::uint64_t>{{"aws", 2}, {"gcp", 2}}));
}

TEST_F(StageTest, the_same_version_with_another_text_is_refused) {
    Flow other = *order_flow();
    other.hash = "00";
    const auto refused = activate(p.log(), default_tenant(), other, 32);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_NE(refused.error().hint.find("raise `version:`"), std::string::npos);
    other.version = 3;
    EXPECT_TRUE(activate(p.log(), default_tenant(), other, 32)->is_new);
    EXPECT_EQ(activate(p.log(), default_tenant(), *order_flow(), 32).error().kind,
              ErrorKind::conflict);
}

TEST_F(StageTest, as_many_versions_as_may_be_are_asked_before_one_is_activated) {
    p.route_options.flow_versions_max = 2;
    ASSERT_TRUE(p.use(order_flow_of(3)));
    const auto refused = p.use(order_flow_of(4));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
    EXPECT_NE(refused.error().hint.find("reconcile.flow_versions_max"), std::string::npos);
    p.route_options.flow_versions_max = 1;  // what stands there is taken all the same
    restart();
    order(good_order);
    settle();
    EXPECT_EQ(p.verdicts().back().flow_version, 3u);
    p.route_options.flow_versions_max = 2;
    EXPECT_FALSE(p.use(order_flow_of(4)));
    p.clock.advance(std::chrono::hours(24 * 40));  // the older one has retired
    EXPECT_TRUE(p.use(order_flow_of(4)));
}

TEST_F(StageTest, lines_about_a_record_carry_its_trace) {
    auto traced = event("aws", "OrderPlaced", "o-1", "no JSON");
    traced.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    p.append(model::topic::orders, traced);
    traced.id = "o-2";
    traced.traceparent.clear();
    p.append(model::topic::orders, traced);
    settle();
    std::vector<bool> has_trace;
    for (const auto& line : p.lines()) {
        if (line.find("is not JSON") != std::string::npos) {
            has_trace.push_back(line.find(R"("traceId":"0af7651916cd43dd8448eb211c80319c")") !=
                                std::string::npos);
        }
    }
    std::sort(has_trace.begin(), has_trace.end());
    EXPECT_EQ(has_trace, (std::vector<bool>{false, true})) << "each its own, or none";
}

TEST_F(StageTest, threads_start_and_stop) {
    p.route().start();
    p.engine().start();
    order(good_order);
    const Instant t = p.log().last_log_time();
    p.clock.advance(log::log_time_grain);
    EXPECT_TRUE(p.route().frontier().wait_for(t + Duration(1), std::chrono::seconds(20)));
    const Instant routed = p.log().last_log_time();
    p.clock.advance(log::log_time_grain);
    EXPECT_TRUE(p.engine().frontier().wait_for(routed + Duration(1), std::chrono::seconds(20)));
    EXPECT_EQ(verdicts().size(), 1u);
    p.route().stop();
    p.engine().stop();
}

}  // namespace
}  // namespace helios::reconcile
