#include "lab/fault_plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/json.h"

namespace helios::lab {
namespace {

const Instant start = parse_rfc3339("2026-01-05T10:00:00Z")->at;

PlanOptions options_for(std::uint64_t seed, std::uint32_t orders = 300) {
    PlanOptions options;
    options.seed = seed;
    options.orders = orders;
    options.start = start;
    return options;
}

const PlannedEvent* first_of(const PlannedOrder& order, Leg leg) {
    auto it = std::ranges::find_if(order.events,
                                   [&](const PlannedEvent& e) { return e.fact.leg == leg; });
    return it == order.events.end() ? nullptr : &*it;
}

TEST(FaultPlan, same_seed_same_plan) {
    FaultPlan a = make_plan(options_for(7));
    FaultPlan b = make_plan(options_for(7));
    ASSERT_EQ(a.orders.size(), b.orders.size());
    for (std::size_t i = 0; i < a.orders.size(); ++i) {
        EXPECT_EQ(a.orders[i].fault, b.orders[i].fault);
        ASSERT_EQ(a.orders[i].events.size(), b.orders[i].events.size());
        for (std::size_t e = 0; e < a.orders[i].events.size(); ++e) {
            EXPECT_EQ(a.orders[i].events[e].fact.payload, b.orders[i].events[e].fact.payload);
            EXPECT_EQ(a.orders[i].events[e].fact.event_id, b.orders[i].events[e].fact.event_id);
            EXPECT_EQ(a.orders[i].events[e].send_after, b.orders[i].events[e].send_after);
        }
    }
}

TEST(FaultPlan, every_fault_occurs_for_any_seed_even_among20) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        std::map<Fault, int> seen;
        for (const PlannedOrder& order : make_plan(options_for(seed, 20)).orders) {
            seen[order.fault] += 1;
        }
        EXPECT_EQ(seen.size(), fault_count) << "seed " << seed;
    }
}

TEST(FaultPlan, deals_faults_evenly) {
    std::map<Fault, int> seen;
    for (const PlannedOrder& order : make_plan(options_for(7)).orders) {
        seen[order.fault] += 1;
    }
    EXPECT_EQ(seen[Fault::none], 180);
    for (const auto& [fault, n] : seen) {
        EXPECT_GE(n, 10) << to_string(fault);
    }
}

TEST(FaultPlan, event_ids_are_unique_unless_repeated) {
    std::set<std::string> ids;
    for (const PlannedOrder& order : make_plan(options_for(9, 2000)).orders) {
        for (const PlannedEvent& event : order.events) {
            if (!event.repeat) {
                EXPECT_TRUE(ids.insert(event.fact.event_id).second) << event.fact.event_id;
            } else {
                EXPECT_TRUE(ids.contains(event.fact.event_id));
            }
        }
    }
}

TEST(FaultPlan, fits_its_time_and_its_order) {
    PlanOptions options = options_for(7);
    FaultPlan plan = make_plan(options);
    EXPECT_LE(plan.last_send(), options.send_for + std::chrono::seconds(1));
    for (const PlannedOrder& order : plan.orders) {
        EXPECT_TRUE(std::ranges::is_sorted(order.events, {}, &PlannedEvent::send_after));
        EXPECT_GE(order.events.front().send_after, Duration{});
        for (const PlannedEvent& event :
             order.events) {  // no skew: the facts lie close together, however late they are told
            EXPECT_LT(event.fact.at - order.order.placed_at, std::chrono::seconds(5));
        }
        Duration spread = order.events.back().send_after - order.events.front().send_after;
        if (order.fault == Fault::late) {
            EXPECT_GT(spread, std::chrono::seconds(7)) << order.order.id;
        } else {
            EXPECT_LT(spread, std::chrono::milliseconds(3600))
                << order.order.id << ' ' << to_string(order.fault);
        }
    }
}

TEST(FaultPlan, truth_follows_from_the_fault) {
    for (const PlannedOrder& order : make_plan(options_for(7, 1000)).orders) {
        const Truth& truth = order.truth;
        EXPECT_EQ(stays_matched(order.fault), truth.status == "matched") << to_string(order.fault);
        EXPECT_EQ(truth.at_risk.has_value(), truth.status != "matched");
        EXPECT_EQ(truth.status == "partial", !truth.missing.empty());
        if (order.fault == Fault::malformed || order.fault == Fault::declined) {
            EXPECT_EQ(truth.missing, std::vector<std::string>{std::string(to_string(order.leg))});
        }
        if (truth.at_risk) {
            EXPECT_EQ(*Decimal::parse(truth.at_risk->amount), order.order.total);
            EXPECT_EQ(truth.at_risk->currency, order.order.currency);
        }
    }
}

TEST(FaultPlan, what_is_sent_is_what_the_truth_says) {
    for (const PlannedOrder& order : make_plan(options_for(21, 1000)).orders) {
        for (Leg leg : {Leg::order, Leg::payment, Leg::inventory}) {
            const PlannedEvent* event = first_of(order, leg);
            bool absent = order.fault == Fault::missing_order ? leg == Leg::order
                          : order.fault == Fault::missing_payment
                              ? leg == Leg::payment
                              : order.fault == Fault::missing_inventory && leg == Leg::inventory;
            ASSERT_EQ(event == nullptr, absent) << order.order.id;
            if (event) {
                EXPECT_EQ(event->reaches_case,
                          !(order.fault == Fault::malformed && leg == order.leg));
            }
        }
        const PlannedEvent* payment = first_of(order, Leg::payment);
        if (!payment || !payment->reaches_case) {
            continue;
        }
        auto document = json::Document::parse(payment->fact.payload);
        ASSERT_TRUE(document);
        bool same_amount =
            *Decimal::parse(document->root().find("amount").text()) == order.order.total;
        EXPECT_EQ(same_amount, order.fault != Fault::wrong_amount);
        EXPECT_EQ(document->root().find("currency").text() == order.order.currency,
                  order.fault != Fault::other_currency);
        EXPECT_EQ(document->root().find("status").text() == "AUTHORIZED",
                  order.fault != Fault::declined);
    }
}

TEST(FaultPlan, malformed_is_counted) {
    FaultPlan plan = make_plan(options_for(7));
    auto malformed = std::ranges::count(plan.orders, Fault::malformed, &PlannedOrder::fault);
    EXPECT_EQ(plan.quarantined(), static_cast<std::size_t>(malformed));
    EXPECT_GT(plan.events(), plan.orders.size() * 2);
    std::set<std::string> ways;
    for (const PlannedOrder& order : make_plan(options_for(7, 1000)).orders) {
        ways.insert(order.malformed_how);
    }
    EXPECT_EQ(ways.size(), 7u) << "six ways and the empty text";
}

}  // namespace
}  // namespace helios::lab
