#include "reconcile/engine.h"

#include <gtest/gtest.h>

#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
using model::FindingKind;
using model::VerdictStatus;

TEST(Engine, three_agreeing_legs_match_and_the_case_closes) {
    Bench b;
    b.order(0, good_order);
    ASSERT_EQ(b.revisions.size(), 1u);
    EXPECT_EQ(b.last().status, VerdictStatus::pending);
    EXPECT_TRUE(b.last().findings.empty());
    EXPECT_FALSE(b.last().reconciled_at);
    EXPECT_EQ(b.last().deadline, noon(60));
    b.payment(1, good_payment);
    EXPECT_EQ(b.revisions.size(), 1u) << "a further leg alone gives no revision";
    b.stock(2, good_stock);
    ASSERT_EQ(b.revisions.size(), 2u);
    EXPECT_EQ(b.line(), "matched");
    EXPECT_EQ(b.last().revision, 2u);
    EXPECT_EQ(b.last().reconciled_at, noon(2));
    EXPECT_EQ(b.last().events.size(), 3u);
    EXPECT_EQ(b.last().key_name, "orderId");
    EXPECT_TRUE(b.last().at_risk.empty());
    EXPECT_TRUE(b.revisions[1].first_decision);
    EXPECT_EQ(b.engine.open_cases(), 0u);
    b.tick(1000);
    EXPECT_EQ(b.revisions.size(), 2u);
}

TEST(Engine, a_leg_exactly_at_its_deadline_is_in_time) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment);
    b.stock(60, 2, good_stock);
    EXPECT_EQ(b.line(), "matched");
    EXPECT_EQ(b.revisions.size(), 2u);
}

TEST(Engine, a_leg_after_its_deadline_is_missing_then_late) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment);
    b.stock(60.000000001, 2, good_stock);
    ASSERT_EQ(b.revisions.size(), 3u);
    const auto& partial = b.revisions[1].verdict;
    EXPECT_EQ(partial.status, VerdictStatus::partial);
    EXPECT_EQ(partial.missing, std::vector<std::string>{"inventory"});
    EXPECT_EQ(partial.at, noon(60)) << "stamped with the deadline, whichever record fired it";
    EXPECT_EQ(partial.reconciled_at, noon(60));
    ASSERT_EQ(partial.at_risk.size(), 1u);
    EXPECT_EQ(partial.at_risk[0], (model::Money{"USD", "12.50"}));
    EXPECT_TRUE(partial.findings[0].final);
    EXPECT_EQ(b.line(), "matched late");
    EXPECT_FALSE(b.revisions[2].first_decision);
}

TEST(Engine, ticks_leave_no_trace) {
    Bench ticked;
    Bench plain;
    for (Bench* b : {&ticked, &plain}) {
        b->order(0, good_order);
    }
    for (int i = 1; i < 200; ++i) {
        ticked.tick(i);
    }
    plain.tick(5000);
    ASSERT_EQ(ticked.revisions.size(), plain.revisions.size());
    EXPECT_EQ(model::encode(ticked.last()), model::encode(plain.last()));
}

TEST(Engine, a_payment_without_an_order_is_an_orphan) {
    Bench b;
    b.payment(0, good_payment);
    b.tick(61);
    EXPECT_EQ(b.line(), "partial missing=order missing=inventory orphan");
    EXPECT_EQ(b.last().missing, (std::vector<std::string>{"order", "inventory"}));
    EXPECT_EQ(b.last().at_risk.at(0), (model::Money{"USD", "12.50"}));
}

TEST(Engine, statuses_decide_what_counts) {
    const auto payment = [](const char* status) {
        return std::string(
                   R"({"orderId":"A1","paymentId":"P1","amount":12.5,"currency":"USD","status":")") +
               status + "\"}";
    };
    {
        Bench b;
        b.order(0, good_order);
        b.stock(1, good_stock);
        b.payment(2, payment("DECLINED"), "p-1");
        EXPECT_EQ(b.revisions.size(), 1u);
        b.payment(3, payment("authorized"), "p-2");
        EXPECT_EQ(b.line(), "matched");
    }
    {
        Bench b;
        b.order(0, good_order);
        b.stock(1, good_stock);
        b.payment(2, payment("AUTHORIZED"), "p-1");
        EXPECT_EQ(b.line(), "matched");
        b.payment(3, payment("VOIDED"), "p-2");
        EXPECT_EQ(b.line(), "pending") << "until its deadline it may still be paid";
        b.tick(100);
        EXPECT_EQ(b.line(), "partial missing=payment");
        EXPECT_EQ(b.last().findings[0].actual, "VOIDED");
        EXPECT_EQ(b.last().findings[0].detail, "payment P1 is VOIDED, which does not count");
    }
    {
        Bench b;
        b.order(0, good_order);
        b.stock(1, good_stock);
        b.payment(2, payment("SHRUGGED"));
        EXPECT_EQ(b.line(), "mismatched data");
        EXPECT_EQ(b.last().findings[0].actual, "SHRUGGED");
    }
}

TEST(Engine, amounts_are_exact_and_scaled_alike) {
    Bench b;
    b.order(0, R"({"orderId":"A1","total":1299,"currency":"USD"})");
    b.payment(1, R"({"orderId":"A1","paymentId":"P1","amount":1298.995,"currency":"USD"})");
    b.stock(2, R"({"orderId":"A1","reservationId":"R1"})");
    ASSERT_EQ(b.line(), "mismatched amount");
    const auto& f = b.last().findings[0];
    EXPECT_EQ(f.expected, "1299.000");
    EXPECT_EQ(f.actual, "1298.995");
    EXPECT_EQ(f.tolerance, "0.000");
    EXPECT_EQ(f.unit, "USD");
    EXPECT_EQ(f.check, "paid-in-full");
    EXPECT_EQ(b.last().at_risk.at(0), (model::Money{"USD", "1299.00"}));
}

TEST(Engine, currencies_are_compared_before_amounts) {
    struct Outcome {
        std::string line;
        model::Verdict last;
    };
    const auto run = [](const char* order_currency, const char* payment_currency) {
        Bench b;
        const auto with = [](std::string head, const char* c) {
            return head + (*c != '\0' ? std::string(R"(,"currency":")") + c + "\"}" : "}");
        };
        b.order(0, with(R"({"orderId":"A1","total":"5.00")", order_currency));
        b.payment(1, with(R"({"orderId":"A1","amount":"4.00")", payment_currency));
        b.stock(2, R"({"orderId":"A1"})");
        return Outcome{b.line(), b.last()};
    };
    EXPECT_EQ(run("USD", "EUR").line, "mismatched currency");
    EXPECT_EQ(run("USD", "usd").line, "mismatched amount");
    EXPECT_EQ(run("", "").last.findings.at(0).unit, "XXX");
    EXPECT_EQ(run("", "EUR").last.findings.at(0).unit, "EUR");
    EXPECT_EQ(run("", "EUR").last.at_risk.at(0).currency, "EUR");
    EXPECT_EQ(run("JPY", "").last.at_risk.at(0), (model::Money{"JPY", "5.00"}));
}

TEST(Engine, a_double_charge_is_a_duplicate_but_a_redelivery_is_not) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment, "p-1");
    b.payment(2, good_payment, "p-1");
    b.payment(3, good_payment, "p-2");
    b.stock(4, good_stock);
    EXPECT_EQ(b.line(), "matched");
    b.payment(5, R"({"orderId":"A1","paymentId":"P2","amount":12.5,"currency":"USD"})", "p-3");
    EXPECT_EQ(b.line(), "mismatched duplicate");
    EXPECT_EQ(b.last().instance, 1u);
    EXPECT_EQ(b.last().revision, 3u);
    EXPECT_EQ(b.last().findings[0].expected, "P1");
    EXPECT_EQ(b.last().findings[0].actual, "P2");
}

TEST(Engine, events_of_one_identity_that_differ_are_data) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment, "p-1");
    b.payment(
        2,
        R"({"orderId":"A1","paymentId":"P1","amount":12.50,"currency":"USD","status":"CAPTURED"})",
        "p-2");
    b.stock(3, good_stock);
    EXPECT_EQ(b.line(), "matched") << "only status, time and the way the number is written differ";
    b.payment(4, R"({"orderId":"A1","paymentId":"P1","amount":99,"currency":"USD"})", "p-3");
    EXPECT_EQ(b.line(), "mismatched amount") << "a payment's amount may be revised";
    b.payment(5, R"({"orderId":"A1","paymentId":"P1","amount":12.5,"currency":"EUR"})", "p-4");
    EXPECT_EQ(b.line(), "mismatched data currency") << "its currency may not";
}

TEST(Engine, an_event_without_any_time_is_neither_first_nor_last) {
    const auto line = [](const char* timed, const char* timeless, const char* sequence) {
        Bench b;
        b.order(0, good_order);
        b.stock(1, good_stock);
        const auto payment = [&](const char* status, const char* id) {
            return legs_of(*b.flow,
                           event("gcp", "PaymentProcessed", id,
                                 R"({"orderId":"A1","paymentId":"P1","amount":12.5,"status":")" +
                                     std::string(status) + "\"}",
                                 noon(2)),
                           noon(3))
                .at(0);
        };
        auto one = payment(timed, "p-1");
        one.sequence = "7";
        b.feed(one);
        auto other = payment(timeless, "p-2");
        other.occurred.reset();
        other.event_time.reset();
        other.sequence = sequence;
        b.feed(other);
        return b.line();
    };
    EXPECT_EQ(line("AUTHORIZED", "VOIDED", ""), "mismatched ambiguous");
    EXPECT_EQ(line("VOIDED", "AUTHORIZED", ""), "mismatched ambiguous");
    EXPECT_EQ(line("AUTHORIZED", "CAPTURED", ""), "matched");
    EXPECT_EQ(line("AUTHORIZED", "VOIDED", "6"), "matched")
        << "the source says that it came before";
    EXPECT_EQ(line("AUTHORIZED", "VOIDED", "10"), "pending") << "ten is after seven";
}

TEST(Engine, quantities_per_item) {
    Bench b;
    b.order(
        0,
        R"({"orderId":"A1","items":[{"productId":"X","price":"2.50","qty":2},{"sku":"Y","price":1,"quantity":3}]})");
    b.payment(1, R"({"orderId":"A1","amount":8})");
    b.stock(
        2,
        R"({"orderId":"A1","items":[{"sku":"X","qty":1},{"sku":"X","qty":1},{"sku":"Y","qty":2},{"sku":"Z","qty":1}]})");
    ASSERT_EQ(b.line(), "mismatched quantity quantity");
    EXPECT_EQ(b.last().findings[0].unit, "Y");
    EXPECT_EQ(b.last().findings[0].expected, "3");
    EXPECT_EQ(b.last().findings[0].actual, "2");
    EXPECT_EQ(b.last().findings[1].unit, "Z");
    EXPECT_EQ(b.last().findings[1].expected, "0");
}

TEST(Engine, bad_numbers_are_data) {
    Bench b;
    b.order(0, R"({"orderId":"A1","total":"1,299.00"})");
    b.payment(1, R"({"orderId":"A1","amount":1299})");
    b.stock(2, R"({"orderId":"A1"})");
    ASSERT_EQ(b.line(), "mismatched data");
    EXPECT_NE(b.last().findings[0].detail.find("order.amount: total is \"1,299.00\""),
              std::string::npos)
        << b.last().findings[0].detail;
}

TEST(Engine, skew_is_measured_on_when_things_happened) {
    Bench b;
    b.order(0, R"({"orderId":"A1","total":5,"timestamp":"2026-01-05T12:00:00Z"})");
    b.payment(1, R"({"orderId":"A1","amount":5,"timestamp":"2026-01-05T11:59:29.5Z"})");
    b.stock(2, R"({"orderId":"A1"})");
    ASSERT_EQ(b.line(), "mismatched skew");
    EXPECT_EQ(b.last().findings[0].actual, "32.5");
    EXPECT_EQ(b.last().findings[0].expected, "30");
    EXPECT_EQ(b.last().findings[0].unit, "s");
}

TEST(Engine, a_doubt_is_a_warning_that_changes_no_status) {
    Bench b;
    b.order(0, good_order);
    auto payment =
        legs_of(*b.flow, event("gcp", "PaymentProcessed", "p-1", good_payment), noon(1)).at(0);
    payment.doubts = {"timestamp is \"soon\"", "created is \"later\""};
    b.feed(payment);
    b.stock(2, good_stock);
    ASSERT_EQ(b.line(), "matched data data");
    EXPECT_EQ(b.last().findings[0].severity, model::Severity::warning);
    EXPECT_EQ(b.last().findings[0].leg, "payment");
    EXPECT_EQ(b.last().findings[0].detail, "payment: timestamp is \"soon\"");
    EXPECT_EQ(b.last().findings[1].detail, "payment: created is \"later\"");
}

TEST(Engine, a_verdict_says_the_trace_of_the_leg_that_decided_it) {
    Bench b;
    const auto leg = [&](model::LegRecord record, std::string_view trace) {
        record.trace = trace_id_of(trace);
        b.feed(model::CaseRecord(std::move(record)));
    };
    const std::string one = "0af7651916cd43dd8448eb211c80319c";
    const std::string two = "1af7651916cd43dd8448eb211c80319c";
    leg(legs_of(*b.flow, event("aws", "OrderPlaced", "o-1", good_order), noon(0)).at(0), one);
    EXPECT_EQ(to_hex(b.last().trace), one);
    b.tick(100);
    EXPECT_EQ(b.line(), "partial missing=payment missing=inventory");
    EXPECT_FALSE(b.last().trace) << "a deadline decided";
    leg(legs_of(*b.flow, event("gcp", "PaymentProcessed", "p-1", good_payment), noon(101)).at(0),
        two);
    EXPECT_EQ(to_hex(b.last().trace), two);
    json::Writer out;
    model::write_json(out, b.last());
    EXPECT_EQ(out.view().find(two), std::string::npos);
}

TEST(Engine, a_leg_beyond_an_open_instance_ends_it_and_begins_the_next) {
    Bench b;
    const auto feed = [&](model::LegRecord record, std::string_view trace) {
        record.passed.reset();  // of a lane that does not know what has passed
        record.trace = trace_id_of(trace);
        b.feed(model::CaseRecord(std::move(record)));
    };
    const std::string one = "0af7651916cd43dd8448eb211c80319c";
    const std::string two = "1af7651916cd43dd8448eb211c80319c";
    const double day = 86400;
    feed(legs_of(*b.flow, event("aws", "OrderPlaced", "o-1", good_order), noon(0)).at(0), one);
    feed(
        legs_of(*b.flow, event("aws", "OrderPlaced", "o-2", good_order), noon(61 + 31 * day)).at(0),
        two);
    ASSERT_EQ(b.revisions.size(), 3u);
    EXPECT_EQ(b.revisions[1].verdict.instance, 1u);
    EXPECT_EQ(b.revisions[1].verdict.status, model::VerdictStatus::partial);
    EXPECT_FALSE(b.revisions[1].verdict.trace) << "its deadline decided";
    EXPECT_EQ(b.last().instance, 2u);
    EXPECT_EQ(b.line(), "pending");
    EXPECT_EQ(to_hex(b.last().trace), two);
}

TEST(Engine, after_amend_for_a_new_instance_begins) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment);
    b.stock(2, good_stock);
    const double day = 86400;
    b.stock(60 + 31 * day, R"({"orderId":"A1","reservationId":"R2","items":[]})", "i-2");
    EXPECT_EQ(b.last().instance, 1u);
    EXPECT_EQ(b.line(), "mismatched duplicate");
    b.stock(60.5 + 31 * day, R"({"orderId":"A1","reservationId":"R3","items":[]})", "i-3");
    EXPECT_EQ(b.last().instance, 2u);
    EXPECT_EQ(b.line(), "pending");
}

TEST(Engine, an_absence_that_moves_the_last_deadline_moves_the_end_of_amending) {
    Bench b;
    b.order(0, good_order);
    b.payment(1, good_payment);
    b.stock(2, good_stock);
    b.feed(model::CaseRecord(away(30, 130)));  // the deadline of a case that has matched: 60 → 190
    const double day = 86400;
    b.tick(100 + 31 * day);
    b.stock(190 + 31 * day, R"({"orderId":"A1","reservationId":"R2","items":[]})", "i-2");
    EXPECT_EQ(b.last().instance, 1u);
    b.stock(190.5 + 31 * day, R"({"orderId":"A1","reservationId":"R3","items":[]})", "i-3");
    EXPECT_EQ(b.last().instance, 2u);
}

TEST(Engine, our_own_absence_moves_open_deadlines) {
    Bench b;
    b.order(0, good_order);
    b.order(100, R"({"orderId":"A2","total":5})", "o-2");
    b.tick(110);
    ASSERT_EQ(b.revisions.size(), 3u);
    EXPECT_EQ(b.revisions[1].verdict.status, VerdictStatus::partial)
        << "A1's deadline was long ago";
    b.feed(away(110, 1000));
    EXPECT_EQ(b.revisions.size(), 3u) << "nothing fires because we were away";
    b.order(1001, R"({"orderId":"A3","total":5})", "o-3");
    EXPECT_EQ(b.last().deadline, noon(1061)) << "cases opened later are not concerned";
    b.tick(1080);
    EXPECT_EQ(b.last().key, "A3");
    b.tick(1081);
    EXPECT_EQ(b.last().key, "A2");
    EXPECT_EQ(b.last().at, noon(1080));
    EXPECT_EQ(b.last().deadline, noon(1080));
}

TEST(Engine, deadlines_before_an_absence_still_fire_first) {
    Bench b;
    b.order(0, good_order);
    b.feed(away(100, 1000));
    EXPECT_EQ(b.revisions.size(), 1u) << "an absence itself lets nothing pass";
    b.tick(1001);
    EXPECT_EQ(b.line(), "partial missing=payment missing=inventory");
    EXPECT_EQ(b.last().at, noon(60));
}

TEST(Engine, an_absence_of_one_source_moves_only_legs_that_it_could_have_brought) {
    Bench b;
    b.order(0, good_order);
    auto absence = away(50, 100);
    absence.sources = {"gcp"};
    b.feed(absence);
    b.tick(61);
    EXPECT_EQ(b.line(), "partial missing=inventory") << "payment comes from gcp";
    EXPECT_EQ(b.last().deadline, noon(60 + 50 + 30));
    b.tick(140.5);
    EXPECT_EQ(b.line(), "partial missing=payment missing=inventory");
    EXPECT_EQ(b.last().at, noon(140));
}

TEST(Engine, a_case_answered_while_we_were_away_is_in_time_afterwards) {
    Bench b;
    b.order(0, good_order);
    b.stock(1, good_stock);
    b.feed(away(10, 600));
    b.feed(event("gcp", "PaymentProcessed", "p-1", good_payment, noon(2)), noon(640));
    EXPECT_EQ(b.line(), "matched") << "60 s, 590 s and the grace";
}

TEST(Engine, a_stretch_in_pieces_is_one_stretch_whatever_the_records_between) {
    Bench whole, pieces;
    whole.order(0, good_order);
    whole.feed(away(30, 90));
    pieces.order(0, good_order);
    for (int i = 30; i < 90; i += 10) {
        pieces.feed(away(i, i + 10));
        pieces.tick(i + 10);
    }
    for (auto* b : {&whole, &pieces}) {
        b->tick(150);
        EXPECT_EQ(b->revisions.size(), 1u);
        b->tick(150.1);
        EXPECT_EQ(b->last().at, noon(150)) << "60 s, 60 s of absence, one grace";
    }
    EXPECT_EQ(model::encode(whole.last()), model::encode(pieces.last()));
}

TEST(Engine, each_case_keeps_the_flow_version_it_opened_with) {
    std::string text(shipped_order_flow());
    text.replace(text.find("version: 2"), 10, "version: 3");
    text.replace(text.find("tolerance: 0"), 12, "tolerance: 1");
    const auto two = std::make_shared<const Flow>(*parse_flow(text, "order.yaml"));
    Bench b;
    const auto both = [&](const model::Event& e, Instant when) {
        for (const auto& record : legs_of(*two, e, when, true)) {
            b.feed(model::CaseRecord(record));
        }
        for (const auto& record : legs_of(*b.flow, e, when, false)) {
            b.feed(model::CaseRecord(record));
        }
    };
    b.order(0, good_order);
    b.feed(model::CaseRecord(flow_record(*two, noon(1))));
    const auto rest = [&](const std::string& key, double s) {
        both(event("gcp", "PaymentProcessed", "p" + key,
                   R"({"orderId":")" + key + R"(","amount":12,"currency":"USD"})", noon(s)),
             noon(s));
        both(event("azure", "InventoryReserved", "i" + key, R"({"orderId":")" + key + R"("})",
                   noon(s)),
             noon(s));
    };
    rest("A1", 2);
    EXPECT_EQ(b.line(), "mismatched amount");
    EXPECT_EQ(b.last().flow_version, 2u);
    both(event("aws", "OrderPlaced", "o-2", R"({"orderId":"A2","total":12.5,"currency":"USD"})",
               noon(3)),
         noon(3));
    rest("A2", 4);
    EXPECT_EQ(b.line(), "matched");
    EXPECT_EQ(b.last().flow_version, 3u);
}

}  // namespace
}  // namespace helios::reconcile
