#include "reconcile/explain.h"

#include <gtest/gtest.h>

#include "reconcile/test_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;

ExplainRequest request_of(std::vector<std::pair<model::Event, double>> events, double now) {
    ExplainRequest request(default_tenant());
    request.flow = "order";
    request.key = "A1";
    request.now = noon(now);
    request.records.push_back(flow_record(*order_flow(), noon(-10)));
    for (const auto& [e, when] : events) {
        for (auto& leg : legs_of(*order_flow(), e, noon(when))) {
            request.records.push_back(std::move(leg));
        }
    }
    return request;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(Explain, a_wrong_amount_is_shown_with_its_counterfactual) {
    const auto request = request_of(
        {{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0},
         {event("gcp", "PaymentProcessed", "p-1",
                R"({"orderId":"A1","paymentId":"P1","amount":12.05,"currency":"USD"})", noon(1)),
          1},
         {event("azure", "InventoryReserved", "i-1", good_stock, noon(2)), 2}},
        3);
    const auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::mismatched);
    EXPECT_EQ(e->would_match, std::vector<std::string>{"payment of 12.50 USD (0.45 more)"});
    const std::string text = to_text(*e, request);
    for (const char* part :
         {"A1   MISMATCHED   at risk 12.50 USD", "✗ paid-in-full", "12.05 of 12.50 USD ± 0.00",
          "✓ stock-reserved", "✓ close-in-time", "payment of 12.50 USD (0.45 more)", "2 × X",
          "revision 2: mismatched, amount payment"}) {
        EXPECT_TRUE(has(text, part)) << part << "\n" << text;
    }
    const auto json = json::Document::parse(to_json(*e, request));
    ASSERT_TRUE(json);
    EXPECT_EQ(json->root().find("checks").size(), 3u);
    EXPECT_EQ(json->root().find("legs").at(1).find("events").at(0).find("role").text(), "taken");
    EXPECT_EQ(json->root().find("verdict").find("status").text(), "mismatched");
}

TEST(Explain, what_was_revised_and_what_is_ambiguous_is_said) {
    const auto payment = [](const char* id, double at, const char* rest) {
        return std::pair(
            event("gcp", "PaymentProcessed", id,
                  R"({"orderId":"A1","paymentId":"P1",)" + std::string(rest) + "}", noon(at)),
            at);
    };
    const std::vector<std::pair<model::Event, double>> others{
        {event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0},
        {event("azure", "InventoryReserved", "i-1", good_stock, noon(1)), 1}};
    auto events = others;
    events.push_back(payment("pay-1", 2, R"("amount":"50.00","status":"AUTHORIZED")"));
    events.push_back(payment("pay-2", 3, R"("amount":"12.50","status":"CAPTURED")"));
    auto request = request_of(events, 5);
    auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::matched);
    EXPECT_EQ(e->revised, std::vector<std::string>{"payment P1: amount 50.00 → 12.50 by pay-2"});
    EXPECT_TRUE(has(to_text(*e, request),
                    "What later events changed\n  payment P1: amount 50.00 → 12.50 by pay-2"));
    EXPECT_EQ(e->events[2].role, "superseded");
    EXPECT_EQ(e->events[3].role, "taken");

    events = others;
    events.push_back(payment("pay-1", 2, R"("amount":"12.50","status":"VOIDED")"));
    events.push_back(payment("pay-2", 2, R"("amount":"12.50","status":"CAPTURED")"));
    request = request_of(events, 5);
    e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::mismatched);
    EXPECT_EQ(e->events[2].role, "ambiguous");
    EXPECT_EQ(e->events[3].role, "ambiguous");
    EXPECT_TRUE(has(to_text(*e, request),
                    "✗ ambiguous payment P1: pay-2 says CAPTURED, which counts, and pay-1 says "
                    "VOIDED, which does not"))
        << to_text(*e, request);
}

TEST(Explain, of_a_part_of_the_records_the_published_verdict_is_shown) {
    auto request = request_of({{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0}}, 100);
    request.truncated = true;
    request.latest.emplace(default_tenant());
    request.latest->key = "A1";
    request.latest->status = model::VerdictStatus::matched;
    const auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::matched);
    EXPECT_TRUE(e->view.judgement.checks.empty());
    EXPECT_TRUE(e->would_match.empty());
    EXPECT_EQ(e->caveats.size(), 1u);
}

TEST(Explain, legs_stand_side_by_side_where_they_fit) {
    const std::string uuid = "8f434346-648f-4b96-9f89-dda901c5176b";
    const auto request =
        request_of({{event("aws", "OrderPlaced", uuid, good_order, noon(0)), 0}}, 3);
    const auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    const auto widest = [](const std::string& text) {
        std::size_t most = 0;
        for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
            most = std::max(most, rest.find('\n'));
        }
        return most;
    };
    const auto whole = to_text(*e, request);
    EXPECT_TRUE(has(whole, uuid + "  ")) << whole;
    EXPECT_EQ(to_text(*e, request, {.columns = 200}), whole);
    const auto shorter = to_text(*e, request, {.columns = 100});
    EXPECT_TRUE(has(shorter, "\n  event       8f434346  ")) << shorter;
    EXPECT_TRUE(has(shorter, "order: OrderPlaced " + uuid)) << "whole where it can be copied";
    const auto below = to_text(*e, request, {.columns = 60});
    EXPECT_TRUE(has(below, "\n  order\n    state       ✓ here\n    event       " + uuid + "\n"))
        << below;
    EXPECT_TRUE(has(below, "\n  payment\n    state       … awaited\n")) << below;
    EXPECT_LE(widest(below.substr(below.find("Legs"), below.find("Checks") - below.find("Legs"))),
              60u)
        << below;
    EXPECT_TRUE(has(to_text(*e, request, {.columns = 100, .full_ids = true}),
                    "    event       " + uuid + "\n"));
}

TEST(Explain, what_was_assumed_is_said_in_full) {
    const auto request =
        request_of({{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0},
                    {event("gcp", "PaymentProcessed", "p-1",
                           R"({"orderId":"A1","paymentId":"P1","amount":12.50})", noon(1)),
                     1},
                    {event("azure", "InventoryReserved", "i-1", good_stock, noon(2)), 2}},
                   3);
    const auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::matched);
    const std::string text = to_text(*e, request);
    EXPECT_TRUE(has(text, "12.50 of 12.50 USD ± 0.00  only one of them names a currency: assumed"))
        << text;
    EXPECT_FALSE(has(text, "…")) << text;
}

TEST(Explain, a_pending_case_shows_what_it_waits_for_and_tentative_results) {
    auto request = request_of(
        {{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0},
         {event(
              "gcp", "PaymentProcessed", "p-1",
              R"({"orderId":"A1","paymentId":"P1","amount":12.05,"currency":"USD","status":"DECLINED"})",
              noon(1)),
          1},
         {event("gcp", "PaymentProcessed", "p-2",
                R"({"orderId":"A1","paymentId":"P2","amount":12.05,"currency":"USD"})", noon(2)),
          2}},
        20);
    request.quarantined.push_back({"af2f90cc-8cc2-550f-837b-265dbc67867c", "azure",
                                   "InventoryReserved", "i-9", "bad_time",
                                   "eventTime is \"soon\"\x1b[2J", noon(3)});
    const auto e = explain(request);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(e->verdict.status, model::VerdictStatus::pending);
    ASSERT_EQ(e->view.judgement.tentative.size(), 1u);
    const std::string text = to_text(*e, request);
    for (const char* part : {"PENDING", "nothing is final",
                             "waits for inventory until 2026-01-05T12:01:00.000Z (40s from now)",
                             "does not count", "bad_time", "af2f90cc-8cc2-550f-837b-265dbc67867c\n",
                             "… awaited", "waits for inventory"}) {
        EXPECT_TRUE(has(text, part)) << part << "\n" << text;
    }
    EXPECT_FALSE(has(text, "\x1b")) << "what an event says must not drive a terminal";
}

TEST(Explain, the_timeline_tells_of_deadlines_and_absences) {
    auto request = request_of({{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0}}, 1000);
    request.records.push_back(away(30, 500));
    const auto e = explain(request);
    ASSERT_TRUE(e);
    ASSERT_EQ(e->timeline.size(), 4u);
    EXPECT_EQ(e->timeline[0].what, "event");
    EXPECT_EQ(e->timeline[1].text, "revision 1: pending");
    EXPECT_EQ(e->timeline[2].what, "away");
    EXPECT_EQ(
        e->timeline[2].text,
        "Helios had been away for 470s: it had been stopped; open deadlines move by that and 30s");
    EXPECT_EQ(e->timeline[3].at, noon(60 + 500));
    EXPECT_EQ(e->verdict.missing.size(), 2u);
}

TEST(Explain, the_verdict_of_an_open_case_has_the_deadline_that_absences_left_it) {
    auto request = request_of({{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0}}, 520);
    request.records.push_back(away(30, 500));
    const auto open = explain(request);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->verdict.status, model::VerdictStatus::pending);
    EXPECT_EQ(open->verdict.deadline, noon(60 + 500));
}

TEST(Explain, a_stretch_of_refusals_is_told_once_with_its_sources) {
    auto request = request_of({{event("aws", "OrderPlaced", "o-1", good_order, noon(0)), 0}}, 100);
    for (int i = 0; i < 3; ++i) {
        request.records.push_back(model::AbsenceRecord{noon(30 + i),
                                                       noon(31 + i),
                                                       std::chrono::seconds(30),
                                                       std::chrono::hours(24),
                                                       {"gcp"},
                                                       model::AbsenceCause::refused});
    }
    const auto e = explain(request);
    ASSERT_TRUE(e);
    std::vector<std::string> away_lines;
    for (const auto& entry : e->timeline) {
        if (entry.what == "away") {
            away_lines.push_back(entry.text);
        }
    }
    EXPECT_EQ(away_lines,
              std::vector<std::string>{
                  "Helios had been away for 3s: it refused events of gcp; open deadlines move by "
                  "that and 30s, by at most 1d in all"});
}

TEST(Explain, no_records_no_case) {
    const auto e = explain(request_of({}, 1));
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace helios::reconcile
