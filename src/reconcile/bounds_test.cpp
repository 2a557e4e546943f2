// What happens at the room's bounds: too many identities, too long texts, more revisions at once
// than one transaction takes.
#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "reconcile/stage_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

TEST(Bounds, one_id_in_two_scopes_at_one_instant_does_not_depend_on_the_order_of_arrival) {
    const auto chosen = [](bool declined_first) {
        Bench b;
        b.order(0, good_order);
        b.stock(1, good_stock);
        for (const bool declined : {declined_first, !declined_first}) {
            auto e = event(
                "gcp", "PaymentProcessed", "p-1",
                R"({"orderId":"A1","paymentId":"P1","amount":12.5,"currency":"USD","status":")" +
                    std::string(declined ? "DECLINED" : "AUTHORIZED") + "\"}",
                noon(2));
            e.scope = declined ? "one" : "two";
            b.feed(e, noon(declined == declined_first ? 3 : 4));
        }
        b.tick(100);
        return b.line();
    };
    EXPECT_EQ(chosen(true), chosen(false));
}

TEST(Bounds, a_long_text_is_bad_data_not_a_long_record) {
    Bench b;
    const std::string huge(100'000, 'x');
    const auto records = legs_of(*b.flow,
                                 event("gcp", "PaymentProcessed", "p",
                                       R"({"orderId":"A1","amount":1,"currency":")" + huge + "\"}"),
                                 noon(0));
    ASSERT_EQ(records.size(), 1u);
    EXPECT_LT(model::encode(model::CaseRecord(records[0])).size(), 2000u);
    EXPECT_EQ(records[0].reads[1].second.text, "currency is longer than 4 KiB");
}

TEST(Bounds, long_item_keys_are_bad_data_not_a_long_record) {
    std::string items;
    for (int i = 0; i < 1200; ++i) {
        items += (i == 0 ? "" : ",") + std::string(R"({"qty":1,"sku":")") + std::string(1000, 'x') +
                 std::to_string(i) + "\"}";
    }
    Bench b;
    const auto records = legs_of(
        *b.flow,
        event("azure", "InventoryReserved", "i", R"({"orderId":"A1","items":[)" + items + "]}"),
        noon(0));
    ASSERT_EQ(records.size(), 1u);
    EXPECT_LT(model::encode(model::CaseRecord(records[0])).size(), 2000u);
    EXPECT_EQ(records[0].reads[0].second.text, "the keys of items are longer than 1 MiB together");
}

constexpr std::string_view instalments_flow = R"(flow: instalments
version: 1
key: {name: id, paths: [id]}
amend_for: 1d
currency: USD
legs:
  bill: {source: aws, type: Bill, deadline: 60s, identity: key, read: {sum: {type: decimal, first: [sum, {sum: "lines[]", of: [price, qty]}]},
    items: {type: items, first: [{each: "items[]", key: [sku], quantity: [qty]}]}}}
  part: {source: gcp, type: Part, deadline: 60s, cardinality: many, identity: event, read: {sum: {type: decimal, first: [sum]},
    items: {type: items, first: [{each: "items[]", key: [sku], quantity: [qty]}]}}}
checks:
  paid: {kind: amount, expected: bill.sum, actual: part.sum, tolerance: 1}
  sent: {kind: quantity, expected: bill.items, actual: part.items}
at_risk: [bill.sum, part.sum]
)";

/// One bill and its parts, all in time: the last verdict in one line, then each finding's detail.
std::string settled(std::string_view bill, std::initializer_list<std::string_view> parts) {
    const auto flow = parse_flow(instalments_flow, "instalments.yaml");
    EXPECT_TRUE(flow) << (flow ? "" : flow.error().message());
    Bench b(std::make_shared<const Flow>(*flow));
    b.feed(event("aws", "Bill", "b", R"({"id":"A1",)" + std::string(bill) + "}", noon(0)), noon(0));
    int n = 0;
    for (const auto part : parts) {
        ++n;
        b.feed(event("gcp", "Part", "p" + std::to_string(n),
                     R"({"id":"A1",)" + std::string(part) + "}", noon(n)),
               noon(n));
    }
    b.tick(100);
    std::string out = b.line();
    for (const auto& money : b.last().at_risk) {
        out += " " + money.amount;
    }
    for (const auto& f : b.last().findings) {
        out += "\n" + f.leg + ": " + f.detail;
    }
    return out;
}

std::shared_ptr<const Flow> instalments(std::string_view events_max) {
    std::string text(instalments_flow);
    const std::string_view before = "cardinality: many, ";
    text.insert(text.find(before) + before.size(), "events_max: " + std::string(events_max) + ", ");
    const auto flow = parse_flow(text, "instalments.yaml");
    HELIOS_ASSERT(flow.has_value(), "the test's flow is one");
    return std::make_shared<const Flow>(*flow);
}

model::Event part(int n, std::string_view sum = "1.00") {
    return event("gcp", "Part", "p" + std::to_string(n),
                 R"({"id":"A1","sum":)" + std::string(sum) + "}", noon(1));
}

TEST(Bounds, beyond_events_max_nothing_is_compared_whatever_the_order) {
    const auto told = [](std::vector<int> order) {
        Bench b(instalments("3"));
        for (const int n : order) {
            b.feed(n == 0 ? event("aws", "Bill", "b", R"({"id":"A1","sum":4})", noon(0)) : part(n),
                   noon(n));
        }
        b.tick(100);
        std::string out = b.line();
        for (const auto& f : b.last().findings) {
            out += "\n" + f.leg + ": " + f.detail;
        }
        for (const auto& money : b.last().at_risk) {
            out += "\nat risk " + money.amount;
        }
        return out;
    };
    EXPECT_EQ(told({0, 1, 2, 3}), "matched") << "3 of 4, within the tolerance";
    const std::string beyond =
        "mismatched data\npart: part has more than 3 events, its events_max: nothing of this case "
        "is compared, for that would be "
        "a "
        "part\nat risk 4.00";
    EXPECT_EQ(told({0, 1, 2, 3, 4}), beyond);
    EXPECT_EQ(told({4, 2, 0, 1, 3, 3, 1}), beyond);
    EXPECT_EQ(told({0, 1, 2, 3, 3, 3, 2, 1}), "matched") << "redeliveries are no further events";
}

TEST(Bounds, ten_thousand_payments_of_one_case_are_added_up_in_seconds) {
    Bench b(instalments("100000"));
    b.feed(event("aws", "Bill", "b", R"({"id":"A1","sum":10000})", noon(0)), noon(0));
    std::size_t bytes = 0, largest = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int n = 0; n < 10'000; ++n) {
        b.feed(part(n), noon(1 + n * 0.002));
    }
    b.tick(100);
    const auto took = std::chrono::steady_clock::now() - begin;
    for (const auto& revision : b.revisions) {
        const std::size_t size = model::encode(revision.verdict).size();
        bytes += size;
        largest = std::max(largest, size);
    }
    EXPECT_EQ(b.line(), "matched");
    EXPECT_EQ(b.last().events.size(), 101u);
    EXPECT_EQ(b.last().unlisted,
              (std::vector<std::pair<std::string, std::uint64_t>>{{"part", 9900}}));
    EXPECT_LT(largest, 20'000u) << "whatever the case holds";
    EXPECT_LT(bytes, 5'000'000u) << "all revisions together";
    EXPECT_LT(took, std::chrono::seconds(20))
        << "seconds by itself; 10,000 judgements of all would be minutes";
}

TEST(Bounds, a_verdict_stays_short_whatever_is_found) {
    Bench b(instalments("100000"));
    b.feed(event("aws", "Bill", "b", R"({"id":"A1","sum":10000})", noon(0)), noon(0));
    for (int n = 0; n < 3000; ++n) {
        b.feed(part(n, "\"" + std::string(4000, 'x') + "\""), noon(1));
    }
    b.tick(100);
    ASSERT_EQ(b.last().findings.size(), 50u);
    EXPECT_TRUE(b.last().findings.back().detail.ends_with("; 2950 more like this"))
        << b.last().findings.back().detail;
    EXPECT_LT(model::encode(b.last()).size(), 50'000u);
}

TEST(Bounds, many_events_of_one_identity_are_folded_in_seconds) {
    Bench b;
    b.order(0, good_order);
    b.stock(1, good_stock);
    for (int n = 0; n < 10'000; ++n) {
        b.feed(event("gcp", "PaymentProcessed", "p-" + std::to_string(n), good_payment, noon(2)),
               noon(2 + n * 0.001));
    }
    b.tick(100);
    EXPECT_EQ(b.line(), "matched") << "all say the same, and nothing tells which is the last";
}

TEST(Bounds, an_amendment_of_a_large_closed_case_comes_back_whole) {
    Bench b(instalments("100000"));
    b.feed(event("aws", "Bill", "b", R"({"id":"A1","sum":1000})", noon(0)), noon(0));
    for (int n = 0; n < 1000; ++n) {
        b.feed(part(n), noon(1));
    }
    b.tick(100);
    EXPECT_EQ(b.line(), "matched");
    EXPECT_EQ(b.engine.open_cases(), 0u);
    b.feed(part(5), noon(200));
    EXPECT_EQ(b.line(), "matched") << "a redelivery";
    for (int n = 1000; n < 1010; ++n) {
        b.feed(part(n), noon(200));
    }
    b.tick(300);
    EXPECT_EQ(b.line(), "mismatched amount");
    EXPECT_EQ(b.last().findings[0].actual, "1010.00");
    EXPECT_EQ(b.engine.open_cases(), 0u);
}

TEST(Bounds, an_amount_that38_digits_cannot_write_is_bad_data) {
    EXPECT_EQ(settled(R"("sum":9e38)", {R"("sum":1)"}).substr(0, 17), "mismatched data 1");
    EXPECT_EQ(settled(R"("sum":9e36)", {R"("sum":"9e36")"}),
              "mismatched data data\nbill: bill.sum: written in USD it has more than 38 digits\n"
              "part: part.sum: written in USD it has more than 38 digits");
    EXPECT_EQ(settled(R"("sum":9e35)", {R"("sum":"9e35")"}), "matched");
    EXPECT_EQ(settled(R"("sum":100)", {R"("sum":99.999999999999999999999999999999999999)"}),
              "mismatched data 100.00\nbill: paid: bill.sum written with 36 decimals has more than "
              "38 digits");
    EXPECT_EQ(settled(R"("lines":[{"price":1e30,"qty":1e7}])", {R"("sum":1)"}).substr(0, 17),
              "mismatched data 1");
}

TEST(Bounds, a_sum_over_events_that38_digits_cannot_write_is_bad_data) {
    EXPECT_EQ(
        settled(R"("sum":1)", {R"("sum":60000000000000000000000000000000000000)",
                               R"("sum":60000000000000000000000000000000000000)"}),
        "mismatched data 1.00\npart: part.sum: the sum over its events has more than 38 digits");
    EXPECT_EQ(settled(R"("sum":3,"items":[{"sku":"X","qty":1}])",
                      {R"("sum":1,"items":[{"sku":"X","qty":6e37}])",
                       R"("sum":2,"items":[{"sku":"X","qty":6e37}])"}),
              "mismatched data 3.00\npart: part.items: the sum of X over its events has more than "
              "38 digits");
    EXPECT_EQ(
        settled(R"("sum":3,"items":[{"sku":"X","qty":6e37}])",
                {R"("sum":3,"items":[{"sku":"X","qty":0.5}])"}),
        "mismatched data 3.00\nbill: sent: X written with 1 decimals has more than 38 digits");
}

TEST(Bounds, a_tick_lets_only_so_many_deadlines_pass) {
    Bench b;
    for (int i = 0; i < 5000; ++i) {
        b.order(i / 128.0, R"({"orderId":"B)" + std::to_string(i) + R"(","total":5})",
                "o-" + std::to_string(i));
    }
    const auto first = tick_due(b.engine, noon(1000), std::chrono::seconds(10));
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, std::chrono::floor<std::chrono::milliseconds>(noon(60 + 4095 / 128.0)) +
                          log::log_time_grain)
        << "a log time, and the first behind the deadline";
    b.feed(model::CaseRecord(model::TickRecord{*first}));
    EXPECT_EQ(b.engine.open_cases(), 904u);
    b.feed(model::CaseRecord(
        model::TickRecord{*tick_due(b.engine, noon(1000), std::chrono::seconds(10))}));
    EXPECT_EQ(b.engine.open_cases(), 0u) << "the rest with the next";
}

TEST(Bounds, more_revisions_than_one_transaction_takes_are_all_appended_once) {
    Pipeline p;
    p.engine_options.commit_records_max = 3;
    ASSERT_TRUE(p.start());
    for (int i = 0; i < 20; ++i) {
        p.append(model::topic::orders,
                 event("aws", "OrderPlaced", "o-" + std::to_string(i),
                       R"({"orderId":"B)" + std::to_string(i) + R"(","total":5})"));
    }
    ASSERT_TRUE(p.settle());
    p.clock.advance(std::chrono::seconds(61));
    ASSERT_TRUE(p.settle());
    ASSERT_TRUE(p.restart());
    ASSERT_TRUE(p.settle());
    std::set<std::string> ids;
    const auto all = p.verdicts();
    for (const auto& v : all) {
        ids.insert(model::verdict_id(v));
    }
    EXPECT_EQ(all.size(), 40u);
    EXPECT_EQ(ids.size(), 40u);
}

TEST(Bounds, more_case_records_than_one_transaction_takes_are_routed_in_several) {
    const auto wide = [](int n) {
        std::string text = "flow: wide" + std::to_string(n) +
                           "\nversion: 1\nkey: {paths: [orderId]}\namend_for: 1h\nlegs:\n";
        for (int leg = 0; leg < 32; ++leg) {
            text += "  leg" + std::to_string(leg) +
                    ": {source: aws, type: OrderPlaced, deadline: 1h, identity: key}\n";
        }
        const auto flow = parse_flow(text, "wide.yaml");
        HELIOS_ASSERT(flow.has_value(), "the test's flow is one");
        return std::make_shared<const Flow>(*flow);
    };
    Pipeline p(wide(0));
    ASSERT_TRUE(p.start());
    for (int n = 1; n < 20; ++n) {
        ASSERT_TRUE(p.use(wide(n)));
    }
    ASSERT_TRUE(p.settle());
    constexpr std::size_t events = 320;  // 640 records of each: more than the log lets wait
    for (std::size_t i = 0; i < events; ++i) {
        p.append(model::topic::orders,
                 event("aws", "OrderPlaced", "o-" + std::to_string(i), R"({"orderId":"B"})"));
    }
    ASSERT_TRUE(p.step_route()) << "cut between events";
    EXPECT_EQ(p.count_cases<model::LegRecord>(), events * 640);
}

TEST(Bounds, an_event_of_the_last_moment_before_a_sleep_comes_after_the_absence) {
    // Else it would let deadlines pass that the absence moves, in its partition alone.
    Pipeline p;
    ASSERT_TRUE(p.start());
    p.append(model::topic::orders, event("aws", "OrderPlaced", "o-1", good_order));
    ASSERT_TRUE(p.settle());
    p.clock.advance(std::chrono::milliseconds(40));
    p.append(model::topic::orders,
             event("aws", "OrderPlaced", "o-2", R"({"orderId":"A2","total":5})"));
    p.clock.sleep_machine(std::chrono::hours(2));
    ASSERT_TRUE(p.settle());
    std::map<std::uint32_t, Instant> latest;  // per partition, of the legs before the absence
    std::size_t found = 0;
    for (const auto& record : p.records(model::topic::cases)) {
        const auto decoded = model::decode_case_record(record.value);
        if (const auto* absence = std::get_if<model::AbsenceRecord>(&*decoded)) {
            ++found;
            EXPECT_GE(absence->from, latest[record.partition]);
        } else if (const auto* leg = std::get_if<model::LegRecord>(&*decoded)) {
            latest[record.partition] = leg->at;
        }
    }
    EXPECT_EQ(found, 3u);
}

}  // namespace
}  // namespace helios::reconcile
