/// Verdicts over HTTP: what they say, when they wait, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "api/test_kit.h"
#include "http/client.h"
#include "model/position.h"

namespace helios::api {
namespace {

using model::VerdictStatus;
using store::testing::a_finding;
using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::header_of;
using testing::parsed;
using testing::Served;

Instant after(std::int64_t seconds) {
    return epoch_of_tests + std::chrono::seconds(seconds);
}

model::Verdict broken(std::string key, std::uint32_t revision, std::int64_t seconds) {
    auto verdict = a_verdict(std::move(key), revision, VerdictStatus::mismatched, after(seconds));
    verdict.findings = {a_finding(model::FindingKind::amount)};
    return verdict;
}

model::PositionToken token_of(const log::Log& log, const log::Appended& position) {
    return {log::hash_of(log.id()), position.at, position.log_time};
}

TEST(Reconciliation, shows_the_verdict_with_payloads_and_other_flows) {
    Served served;
    const auto at = served.bench.append(an_event("e-1", "OrderPlaced", "ORD-1"));
    auto verdict = a_verdict("ORD-1", 2, VerdictStatus::partial, after(60));
    verdict.missing = {"payment"};
    verdict.events = {{"order", "e-1", "aws", "OrderPlaced", after(0), at.log_time,
                       token_of(*served.bench.log, at).pointer},
                      {"payment",
                       "gone",
                       "gcp",
                       "PaymentProcessed",
                       {},
                       at.log_time,
                       {{model::topic::payments, 0}, Offset{4711}}}};
    served.bench.append(verdict);
    auto refund = a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt);
    refund.flow = "refund";
    served.bench.append(refund);
    served.open();
    const auto response = served.get("/api/v1/reconciliation/ORD-1");
    ASSERT_EQ(response.status, 200) << response.body;
    const auto document = parsed(response);
    const auto root = document.root();
    EXPECT_EQ(root.find("flow").text(),
              "order");  // the primary one, although `refund` was given first
    EXPECT_EQ(root.find("orderId").text(), "ORD-1");
    EXPECT_EQ(root.find("status").text(), "partial");
    EXPECT_EQ(root.find("otherFlows").raw(), R"(["refund"])");
    EXPECT_EQ(root.find("events").find("order").find("payload").raw(),
              R"({"orderId":"ORD-1","customerId":"C-ORD-1"})");
    EXPECT_TRUE(root.find("events").find("payment").find("payload").is_null());
    EXPECT_TRUE(root.find("events").find("payment").find("expired").boolean());
    EXPECT_EQ(
        parsed(served.get("/api/v1/reconciliation/ORD-1?flow=refund")).root().find("flow").text(),
        "refund");
    EXPECT_EQ(parsed(served.get("/api/v1/cases/refund/ORD-1")).root().find("flow").text(),
              "refund");
    EXPECT_EQ(header_of(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(header_of(response, "Content-Security-Policy"),
                HasSubstr("frame-ancestors 'none'"));
}

TEST(Reconciliation, not_found_is_said_only_when_every_stage_has_caught_up) {
    Served served;
    model::Quarantined item(default_tenant());
    item.id = "q1";
    item.source = "aws";
    item.reason = "missing_field";
    item.key = "ORD-1";
    served.bench.append(item);
    served.stages_stand_still = true;
    served.open();
    const Instant all = served.bench.log->last_log_time() + Duration{1};
    for (auto* stage : {&served.route, &served.engine, &served.store}) {
        stage->advance_to(served.bench.log->last_log_time());  // one stamp short
        const auto behind = served.get("/api/v1/reconciliation/ORD-1");
        EXPECT_EQ(behind.status, 503);
        EXPECT_EQ(header_of(behind, "Retry-After"), "1");
        stage->advance_to(all);
    }
    const auto response = served.get("/api/v1/reconciliation/ORD-1");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
    const auto document = parsed(response);
    EXPECT_EQ(document.root().find("quarantined").at(0).find("dlqId").text(), "q1");
    EXPECT_EQ(document.root().find("quarantined").at(0).find("reason").text(), "missing_field");
    EXPECT_EQ(parsed(served.get("/api/v1/reconciliation/ORD-2")).root().find("quarantined").size(),
              0u);
}

constexpr std::string_view awaits_until_60_and_90 =
    "flow: order\nversion: 1\nkey: {name: orderId, paths: [orderId]}\nlegs:\n"
    "  order: {source: aws, type: OrderPlaced, deadline: 60s}\n"
    "  payment: {source: gcp, type: PaymentProcessed, deadline: 90s}\n";

TEST(Reconciliation, absences_move_the_deadline_of_a_case_that_awaits_legs) {
    Served served;
    using std::chrono::seconds;
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.at = after(0);
    const auto away = [&](std::int64_t from, std::int64_t to, std::uint32_t partition) {
        served.bench.append(model::CaseRecord(model::AbsenceRecord{
                                after(from), after(to), seconds(30), {}, {}, {}}),
                            "", partition);
    };
    served.bench.append(
        store::testing::an_activation("order", 1, std::string(awaits_until_60_and_90), "h1"));
    away(-105, -5, 2);  // before the case
    away(-3, 0, 2);     // ends with its first event
    for (const std::string key : {"WAITS", "DONE", "HALF"}) {
        leg.key = key;
        served.bench.append(model::CaseRecord(leg), "", 2);
    }
    served.bench.append(a_verdict("WAITS", 1, VerdictStatus::pending, std::nullopt));
    served.bench.append(broken("DONE", 2, 10));
    auto half = broken("HALF", 2, 60);  // one leg overdue, another awaited until 90
    half.status = VerdictStatus::partial;
    half.deadline = after(90);
    half.findings[0].final = false;
    served.bench.append(half);
    away(110, 170, 2);
    away(50, 110, 2);  // touches the one before, whichever came first
    away(50, 170, 1);  // where another case is
    away(200, 205, 2);
    served.open();
    served.catch_up();
    const auto deadline = [&](std::string_view target) {
        return parse_rfc3339(parsed(served.get(target)).root().find("deadline").text())->at;
    };
    EXPECT_EQ(after(90 + 150 + 35), deadline("/api/v1/reconciliation/WAITS"));
    EXPECT_EQ(after(90 + 150 + 35), deadline("/api/v1/cases/order/WAITS"));
    EXPECT_EQ(after(90 + 150 + 35), deadline("/api/v1/cases/order?key=WAITS"));
    EXPECT_EQ(after(60), deadline("/api/v1/reconciliation/DONE")) << "decided: as it was";
    EXPECT_EQ(after(90 + 150 + 35), deadline("/api/v1/reconciliation/HALF"));
    const auto list = parsed(served.get("/api/v1/reconciliation/mismatches"));
    EXPECT_EQ(format_rfc3339(after(90 + 150 + 35)),
              list.root().find("items").at(0).find("deadline").text());
    const auto revisions = parsed(served.get("/api/v1/reconciliation/WAITS/revisions"));
    EXPECT_EQ(format_rfc3339(after(60)),
              revisions.root().find("items").at(0).find("deadline").text())
        << "a revision stays";
}

TEST(Reconciliation, a_flow_that_does_not_exist_is_named_as_the_reason) {
    Served served;
    served.bench.append(store::testing::an_activation("order", 1, "v1", "h1"));
    served.open();
    served.catch_up();
    EXPECT_THAT(served.get("/api/v1/reconciliation/A?flow=ordr").body,
                HasSubstr("did you mean order?"));
    EXPECT_THAT(served.get("/api/v1/reconciliation/A").body,
                HasSubstr("no event that was acknowledged so far names this key"));
}

TEST(Reconciliation, what_was_acknowledged_before_the_read_is_seen_once_the_stages_get_there) {
    Served served;
    served.options.barrier_limit = std::chrono::seconds(30);
    served.open();
    served.bench.append(an_event("e", "OrderPlaced", "ORD-1"));
    std::jthread stages([&] {
        // route, then engine (its verdict), then store, each only after the one before, as they do
        served.route.advance_to(served.bench.log->last_log_time() + Duration{1});
        served.bench.append(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt));
        served.catch_up();
    });
    const auto response = served.get("/api/v1/reconciliation/ORD-1");
    EXPECT_EQ(response.status, 200) << response.body;
}

TEST(Reconciliation, what_was_acknowledged_is_waited_for_even_when_there_is_an_older_answer) {
    Served served;
    served.bench.append(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt));
    served.explain = [](const ExplainRequest&) -> Result<Explanation> {
        return Explanation{"{}", ""};
    };
    served.open();
    EXPECT_EQ(served.get("/api/v1/reconciliation/ORD-1").status, 200);
    const auto position = model::encode_position(
        token_of(*served.bench.log, served.bench.append(an_event("e", "OrderPlaced", "ORD-1"))));
    for (const std::string path :
         {"/api/v1/reconciliation/ORD-1", "/api/v1/reconciliation/ORD-1/revisions",
          "/api/v1/cases/order/ORD-1", "/api/v1/orders/ORD-1/explain"}) {
        const auto behind = served.get(path);
        EXPECT_EQ(behind.status, 503) << path;
        EXPECT_EQ(header_of(behind, "Retry-After"), "1") << path;
        EXPECT_EQ(served.get(path + "?after=" + position).status, 503) << path;
    }
    EXPECT_EQ(served.get("/api/v1/events").status, 200) << "a list says how old it is instead";
    EXPECT_EQ(served.get("/api/v1/events?after=" + position).status, 503);
    served.catch_up();
    EXPECT_EQ(served.get("/api/v1/reconciliation/ORD-1?after=" + position).status, 200);
    EXPECT_EQ(served.get("/api/v1/events?after=" + position).status, 200);
    EXPECT_EQ(served.get("/api/v1/reconciliation/ORD-1?after=nonsense").status, 400);
}

TEST(Reconciliation, a_position_of_another_data_directory_is_refused_with_one_sentence_everywhere) {
    Served served;
    served.bench.append(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt));
    const auto ours =
        token_of(*served.bench.log, served.bench.append(an_event("e", "OrderPlaced", "ORD-1")));
    served.explain = [](const ExplainRequest&) -> Result<Explanation> {
        return Explanation{"{}", ""};
    };
    served.open();
    served.catch_up();
    auto beyond = ours;
    beyond.log_time = after(1'000'000);
    auto other_time = ours;
    other_time.log_time -= Duration{1};
    auto no_record = ours;
    no_record.pointer.offset.value += 1;
    auto no_partition = ours;
    no_partition.pointer.partition.index = 100;
    for (const auto& token : {beyond, other_time, no_record, no_partition}) {
        std::set<std::string> details;
        for (const std::string path :
             {"/api/v1/reconciliation/ORD-1", "/api/v1/reconciliation/ORD-1/revisions",
              "/api/v1/cases/order/ORD-1", "/api/v1/cases/order?key=ORD-1", "/api/v1/events",
              "/api/v1/orders/ORD-1/explain", "/api/v1/stream"}) {
            const auto response =
                served.get(path + (path.find('?') == std::string::npos ? "?after=" : "&after=") +
                           model::encode_position(token));
            EXPECT_EQ(response.status, 400) << path << response.body;
            const auto problem = json::Document::parse(response.body);
            ASSERT_TRUE(problem);
            details.insert(std::string(problem->root().find("detail").text()) + "; " +
                           std::string(problem->root().find("hint").text()));
        }
        EXPECT_EQ(details.size(), 1u);
        EXPECT_NE(std::string::npos, details.begin()->find("another server"));
    }
}

TEST(Reconciliation, keys_are_text) {
    Served served;
    const std::vector<std::string> keys{
        "a/b",           "../../etc/passwd",     "Привет ☃", "' OR 1=1 --", "0012",
        "a b+c&d=e?f#g", std::string(1024, 'k'), "stats.",   "%2F"};
    for (const auto& key : keys) {
        served.bench.append(a_verdict(key, 1, VerdictStatus::pending, std::nullopt));
    }
    for (const char* word : {"mismatches", "stats"}) {
        served.bench.append(a_verdict(word, 1, VerdictStatus::pending, std::nullopt));
    }
    served.open();
    for (const auto& key : keys) {
        const auto response = served.get("/api/v1/reconciliation/" + http::percent_encode(key));
        ASSERT_EQ(response.status, 200) << key << response.body;
        EXPECT_EQ(key, parsed(response).root().find("orderId").text());
        EXPECT_EQ(key, parsed(served.get("/api/v1/cases/order?key=" + http::percent_encode(key)))
                           .root()
                           .find("key")
                           .text());
    }
    EXPECT_TRUE(parsed(served.get("/api/v1/reconciliation/stats"))
                    .root()
                    .find("matchRate")
                    .present());  // fixed words win
    EXPECT_TRUE(
        parsed(served.get("/api/v1/reconciliation/mismatches")).root().find("items").is_array());
    EXPECT_EQ(parsed(served.get("/api/v1/cases/order/stats")).root().find("key").text(), "stats");
    EXPECT_EQ(served.get("/api/v1/reconciliation/" + std::string(1025, 'k')).status, 400);
    EXPECT_EQ(served.get("/api/v1/cases/order").status, 400);
}

TEST(Reconciliation, revisions_oldest_first) {
    Served served;
    served.bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    served.bench.append(a_verdict("A", 2, VerdictStatus::matched, after(2)));
    served.open();
    served.catch_up();
    const auto document = parsed(served.get("/api/v1/reconciliation/A/revisions"));
    ASSERT_EQ(document.root().find("items").size(), 2u);
    EXPECT_EQ(document.root().find("items").at(0).find("status").text(), "pending");
    EXPECT_EQ(served.get("/api/v1/reconciliation/B/revisions").status, 404);
}

std::vector<std::string> walk(Served& served, const std::string& base) {
    std::vector<std::string> keys;
    std::string target = base;
    for (int pages = 0; pages < 100; ++pages) {
        const auto response = served.get(target);
        HELIOS_ASSERT(response.status == 200, response.body);
        const auto document = parsed(response);
        const auto items = document.root().find("items");
        for (std::size_t i = 0; i < items.size(); ++i) {
            keys.emplace_back(items.at(i).find("key").text());
        }
        const auto next = document.root().find("nextCursor");
        if (next.is_null()) {
            return keys;
        }
        target = base + "&cursor=" + std::string(next.text());
    }
    return {"endless"};
}

TEST(Mismatches, a_walk_by_cursor) {
    Served served;
    for (int i = 0; i < 7; ++i) {
        served.bench.append(broken("K" + std::to_string(i), 1, i / 2));
    }
    served.open();
    EXPECT_THAT(walk(served, "/api/v1/reconciliation/mismatches?limit=3"),
                ElementsAre("K6", "K5", "K4", "K3", "K2", "K1", "K0"));
    EXPECT_THAT(
        walk(served,
             "/api/v1/reconciliation/"
             "mismatches?limit=1&start_time=2026-01-05T10:00:01Z&end_time=2026-01-05T10:00:02Z"),
        ElementsAre("K3", "K2"));
    EXPECT_THAT(walk(served, "/api/v1/reconciliation/mismatches?kind=skew"), ElementsAre());
}

TEST(Mismatches, a_page_ends_early_when_its_payloads_are_large) {
    Served served;
    served.options.page_bytes_max = 1;
    for (int i = 0; i < 3; ++i) {
        const auto at = served.bench.append(an_event("e" + std::to_string(i), "OrderPlaced", "K"));
        auto verdict = broken("K" + std::to_string(i), 1, i);
        verdict.events = {{"order",
                           "e",
                           "aws",
                           "OrderPlaced",
                           {},
                           at.log_time,
                           token_of(*served.bench.log, at).pointer}};
        served.bench.append(verdict);
    }
    served.open();
    EXPECT_EQ(parsed(served.get("/api/v1/reconciliation/mismatches")).root().find("items").size(),
              1u);
    EXPECT_THAT(walk(served, "/api/v1/reconciliation/mismatches?limit=100"),
                ElementsAre("K2", "K1", "K0"));
    EXPECT_EQ(parsed(served.get("/api/v1/events")).root().find("items").size(), 1u);
}

TEST(Cases, of_every_status_by_opening_and_by_decision) {
    Served served;
    for (int i = 0; i < 4; ++i) {
        const auto status = static_cast<VerdictStatus>(i);
        auto verdict = a_verdict("K" + std::to_string(i), 1, status, std::nullopt);
        verdict.opened_at = after(i);
        if (status != VerdictStatus::pending) {
            verdict.reconciled_at = after(20 - i);
            verdict.findings = {a_finding(model::FindingKind::late)};
        }
        served.bench.append(verdict);
    }
    served.open();
    const std::string cases = "/api/v1/reconciliation/cases";
    EXPECT_THAT(walk(served, cases + "?limit=1"), ElementsAre("K3", "K2", "K1", "K0"));
    EXPECT_THAT(walk(served, cases + "?by=opened&limit=3"), ElementsAre("K3", "K2", "K1", "K0"));
    EXPECT_THAT(walk(served, cases + "?by=reconciled&limit=1"), ElementsAre("K1", "K2", "K3"));
    EXPECT_THAT(walk(served, cases + "?kind=late&status=matched"), ElementsAre("K1"));
    EXPECT_THAT(walk(served, cases + "?status=pending"), ElementsAre("K0"));
    EXPECT_THAT(walk(served, cases + "?by=reconciled&start_time=2026-01-05T10:00:18Z"),
                ElementsAre("K1", "K2"));
    EXPECT_THAT(walk(served, cases + "?end_time=2026-01-05T10:00:01Z"), ElementsAre("K0"));
    EXPECT_EQ(served.get(cases + "?by=reconciled&status=pending").status, 400);
    const auto of = [&](const std::string& query) {
        return std::string(parsed(served.get(cases + query)).root().find("nextCursor").text());
    };
    const auto opened = of("?limit=1");
    const auto decided = of("?limit=1&by=reconciled");
    EXPECT_EQ(served.get(cases + "?cursor=" + opened).status, 200);
    EXPECT_EQ(served.get(cases + "?cursor=" + decided).status, 400);
    EXPECT_EQ(served.get(cases + "?by=reconciled&cursor=" + opened).status, 400);
    EXPECT_EQ(served.get("/api/v1/reconciliation/mismatches?cursor=" + decided).status, 400);
    EXPECT_EQ(served.get(cases + "?cursor=" + opened.substr(0, opened.size() / 2)).status, 400);
}

TEST(Cases, every_number_of_the_figures_has_a_list) {
    Served served;
    for (int i = 0; i < 60; ++i) {
        const auto status = static_cast<VerdictStatus>(i % 4);
        auto verdict = a_verdict("K" + std::to_string(i), 1, status, std::nullopt);
        verdict.flow = i % 5 == 0 ? "refund" : "order";
        verdict.opened_at = after(i % 7);
        if (status != VerdictStatus::pending) {
            verdict.reconciled_at = after(10 + i % 9);
            verdict.findings = {a_finding(static_cast<model::FindingKind>(i % 11)),
                                a_finding(static_cast<model::FindingKind>(i % 3))};
        }
        served.bench.append(verdict);
    }
    for (int i = 0; i < 30; ++i) {
        model::Quarantined item(default_tenant());
        item.id = "q" + std::to_string(i);
        item.source = i % 2 == 0 ? "aws" : "gcp";
        item.reason = model::quarantine_reasons.at(static_cast<std::size_t>(i * i % 18));
        served.bench.append(item);
    }
    served.open();
    for (const std::string range :
         {"", "&flow=order", "&flow=refund",
          "&start_time=2026-01-05T10:00:12Z&end_time=2026-01-05T10:00:16Z"}) {
        const auto stats = parsed(served.get("/api/v1/reconciliation/stats?" +
                                             (range.empty() ? range : range.substr(1))));
        for (const std::string word : {"status", "kind"}) {
            const auto numbers = stats.root().find(word == "kind" ? "kinds" : word);
            ASSERT_GE(numbers.size(), 4u);
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                const std::string name(numbers.key_at(i));
                const auto flow = range.find("flow") == std::string::npos ? "" : range;
                const auto query = name == "pending"
                                       ? "?status=pending" + flow
                                       : "?by=reconciled&" + word + "=" + name + range;
                EXPECT_EQ(
                    numbers.at(i).text(),
                    std::to_string(
                        walk(served, "/api/v1/reconciliation/cases" + query + "&limit=7").size()))
                    << query;
            }
        }
    }
    std::map<std::string, std::size_t> waits;
    const auto all = parsed(served.get("/api/v1/dlq?limit=1000"));
    for (std::size_t i = 0; i < all.root().find("items").size(); ++i) {
        const auto item = all.root().find("items").at(i);
        ++waits["reason=" + std::string(item.find("reason").text())];
        ++waits["source=" + std::string(item.find("source").text())];
    }
    EXPECT_GT(waits.size(), 5u);
    for (const auto& [query, count] : waits) {
        const auto page = parsed(served.get("/api/v1/dlq?limit=1000&" + query));
        EXPECT_EQ(page.root().find("items").size(), count) << query;
    }
}

TEST(Flows, one_that_was_never_active_is_named_with_the_nearest_and_one_without_cases_is_empty) {
    Served served;
    served.explain = [](const ExplainRequest&) -> Result<Explanation> {
        return Explanation{"{}", ""};
    };
    served.bench.append(store::testing::an_activation("invoice", 1, "v1", "h1"));
    served.bench.append(broken("K", 1, 1));
    served.open();
    served.catch_up();
    const std::string base = "/api/v1/reconciliation/";
    for (const auto& path :
         {base + "mismatches", base + "cases", base + "stats", std::string("/api/v1/stream"),
          base + "K", base + "K/revisions", std::string("/api/v1/orders/K/explain")}) {
        const auto response = served.get(path + "?flow=ordr");
        EXPECT_EQ(response.status, 404) << path << response.body;
        EXPECT_FALSE(response.websocket);
        EXPECT_THAT(response.body, HasSubstr("did you mean order?")) << path;
        EXPECT_THAT(served.get(path + "?flow=zzzzz").body,
                    HasSubstr("there are: invoice, order, refund"))
            << path;
    }
    EXPECT_EQ(served.get("/api/v1/cases/ordr/K").status, 404);
    for (const char* flow : {"invoice", "refund"}) {
        EXPECT_THAT(walk(served, base + "cases?flow=" + flow), ElementsAre());
        EXPECT_THAT(walk(served, base + "mismatches?flow=" + flow), ElementsAre());
        EXPECT_EQ(served.get(base + "stats?flow=" + flow).status, 200);
        EXPECT_EQ(served.get(std::string("/api/v1/stream?flow=") + flow).status, 101);
    }
}

TEST(Parameters, of_open_words_say_how_events_write_them) {
    Served served;
    served.bench.append(an_event("e-1", "OrderPlaced", "K"));
    served.bench.append(an_event("e-2", "PaymentProcessed", "K", "gcp"));
    served.open();
    const auto hint = [&](const std::string& target) {
        const auto response = served.get(target);
        EXPECT_EQ(response.status, 200) << target;
        const auto document = parsed(response);
        const auto found = document.root().find("hint");
        return found.present() ? std::string(found.text()) : "none";
    };
    EXPECT_THAT(hint("/api/v1/events?source=AWS"), HasSubstr("did you mean aws?"));
    EXPECT_THAT(hint("/api/v1/events?event_type=orderplaced"), HasSubstr("OrderPlaced?"));
    EXPECT_THAT(hint("/api/v1/events?event_type=OrderPlacd&source=gpc"),
                ::testing::AllOf(HasSubstr("OrderPlaced?"), HasSubstr("gcp?")));
    EXPECT_THAT(hint("/api/v1/dlq?source=Gcp"), HasSubstr("gcp?"));
    EXPECT_THAT(hint("/api/v1/counts?source=Gcp"), HasSubstr("gcp?"));
    EXPECT_EQ(hint("/api/v1/events?source=something"), "none");
    EXPECT_EQ(hint("/api/v1/events?source=aws&event_type=PaymentProcessed"), "none")
        << "both are written as events have them";
    EXPECT_EQ(hint("/api/v1/events?source=aws"), "none");
}

TEST(Parameters, of_one_event_say_how_it_is_written) {
    Served served;
    served.bench.append(an_event("e-1", "OrderPlaced", "K"));
    served.bench.append(an_event("e-2", "PaymentProcessed", "K", "gcp"));
    model::Quarantined item(default_tenant());
    item.id = "q-1";
    item.source = "azure";
    item.reason = "missing_field";
    served.bench.append(item);
    served.explain = [](const ExplainRequest&) -> Result<Explanation> { return Explanation{}; };
    served.open();
    const auto hint = [&](const std::string& target, int status = 404) {
        const auto response = served.get(target);
        EXPECT_EQ(response.status, status) << target;
        return std::string(parsed(response).root().find("hint").text());
    };
    EXPECT_THAT(hint("/api/v1/events/e-1?source=AWS"), HasSubstr("that id from aws"));
    EXPECT_THAT(hint("/api/v1/events/e-1?source=gcp"), HasSubstr("that id from aws"));
    EXPECT_THAT(hint("/api/v1/events/e-1?scope=x"), HasSubstr("?source=aws&scope="));
    EXPECT_THAT(hint("/api/v1/events/e-9?source=AWS"), HasSubstr("did you mean aws?"));
    EXPECT_THAT(hint("/api/v1/events/e-9?source=aws"), HasSubstr("/api/v1/dlq"));
    EXPECT_THAT(hint("/api/v1/events/e-9"), HasSubstr("/api/v1/dlq"));
    EXPECT_THAT(hint("/api/v1/dlq?source=Azure", 200), HasSubstr("did you mean azure?"))
        << "which has no event";
    for (const char* target :
         {"/api/v1/reconciliation/K?flow=ordr", "/api/v1/reconciliation/K/revisions?flow=ordr",
          "/api/v1/orders/K/explain?flow=ordr", "/api/v1/cases/ordr/K",
          "/api/v1/cases/ordr?key=K"}) {
        EXPECT_THAT(hint(target), HasSubstr("did you mean order?")) << target;
    }
}

TEST(Parameters, are_read_strictly) {
    Served served;
    served.open();
    served.catch_up();
    const std::string base = "/api/v1/reconciliation/mismatches?";
    for (const char* wrong : {"start_time=2026-01-05T10:00:00", "start_time=yesterday", "limit=0",
                              "limit=1001", "limit=ten", "limit=-1", "limit=1e2", "cursor=xyz",
                              "status=matched", "status=odd", "kind=odd", "flow=", "flow=a&flow=b",
                              "start_time=2026-01-06T00:00:00Z&end_time=2026-01-05T00:00:00Z"}) {
        const auto response = served.get(base + wrong);
        EXPECT_EQ(response.status, 400) << wrong;
        EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
    }
    const auto unknown = served.get(base + "statu=partial");
    EXPECT_EQ(unknown.status, 400);
    EXPECT_THAT(unknown.body, HasSubstr("did you mean status?"));
    EXPECT_EQ(served.get(base + "start_time=2026-01-05T10:00:00%2B02:00&limit=1000").status, 200);
    for (const char* far : {"start_time=1969-12-31T23:59:59Z", "end_time=2200-01-01T00:00:00Z"}) {
        EXPECT_THAT(served.get(base + far).body, HasSubstr("is not between 1970 and 2200")) << far;
    }
}

const std::vector<std::string> lists = {
    "/api/v1/events", "/api/v1/dlq", "/api/v1/reconciliation/mismatches",
    "/api/v1/reconciliation/cases", "/api/v1/reconciliation/cases?by=reconciled"};

std::string with(const std::string& list, const std::string& parameter) {
    return list + (list.find('?') == std::string::npos ? "?" : "&") + parameter;
}

/// Of everything two, so that each list has a second page.
void append_two_of_each(Served& served) {
    for (int i = 0; i < 2; ++i) {
        served.bench.append(an_event("e" + std::to_string(i), "OrderPlaced", "K"));
        served.bench.append(broken("K" + std::to_string(i), 1, i));
        model::Quarantined item(default_tenant());
        item.id = "q" + std::to_string(i);
        item.source = "aws";
        item.reason = "missing_field";
        item.body = "{}";
        served.bench.append(item);
    }
}

/// The cursor of each list's first page.
std::vector<std::string> cursors_of(Served& served) {
    std::vector<std::string> cursors;
    for (const auto& list : lists) {
        const auto page = parsed(served.get(with(list, "limit=1")));
        cursors.emplace_back(page.root().find("nextCursor").text());
        EXPECT_FALSE(cursors.back().empty()) << list;
    }
    return cursors;
}

TEST(Cursors, are_of_one_list) {
    Served served;
    append_two_of_each(served);
    served.open();
    const auto cursors = cursors_of(served);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        for (std::size_t j = 0; j < lists.size(); ++j) {
            EXPECT_EQ(served.get(with(lists[i], "cursor=" + cursors[j])).status, i == j ? 200 : 400)
                << lists[i] << " with that of " << lists[j];
        }
    }
}

TEST(Cursors, that_were_cut_or_changed_or_are_of_an_older_version_are_refused) {
    Served served;
    append_two_of_each(served);
    served.open();
    const std::vector<std::string> of_before = {
        "AoD2vcSVuersMQMA4bkE", "A4Cl87uVuersMSQ3NzdlNmE3OS0wMmU2LTU2OTUtYTM5ZS0xN2QwNTNjMTkwOWE",
        "BID2vcSVuersMQVvcmRlcgJCMgE", "BYDJ27-VuersMQVvcmRlcgJCMgE",
        "BoDJ27-VuersMQVvcmRlcgJCMgE"};
    const auto cursors = cursors_of(served);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        std::vector<std::string> wrong = {of_before[i], cursors[i] + "AAAA",
                                          std::string(60'000, 'A')};
        for (std::size_t chars = 1; chars < cursors[i].size(); ++chars) {
            wrong.push_back(cursors[i].substr(0, chars));
        }
        for (const auto& cursor : wrong) {
            const auto answer = served.get(with(lists[i], "cursor=" + cursor));
            EXPECT_EQ(answer.status, 400) << lists[i] << " " << cursor.substr(0, 100);
            EXPECT_LT(answer.body.size(), 2000u);
            EXPECT_THAT(answer.body, HasSubstr("leave it out for the first page"));
        }
    }
}

TEST(Parameters, a_limit_is_from_1_to_1000_on_every_list) {
    Served served;
    append_two_of_each(served);
    served.open();
    for (const auto& list : lists) {
        for (const char* limit : {"0", "-1", "1001", "1000000000", "18446744073709551617", "1.0"}) {
            const auto answer = served.get(with(list, std::string("limit=") + limit));
            EXPECT_EQ(answer.status, 400) << list << " " << limit;
            EXPECT_THAT(answer.body, HasSubstr("is not a number from 1 to 1000"));
        }
        EXPECT_EQ(served.get(with(list, "limit=1000")).status, 200) << list;
    }
}

TEST(Cursors, of_another_tenant_are_refused) {
    Served served;
    append_two_of_each(served);
    served.open();
    const auto cursors = cursors_of(served);
    served.caller.tenant = *TenantId::parse("second");
    for (std::size_t i = 0; i < lists.size(); ++i) {
        EXPECT_EQ(served.get(with(lists[i], "cursor=" + cursors[i])).status, 400) << lists[i];
    }
}

TEST(Stats, figures_are_exact) {
    Served served;
    for (int i = 0; i < 3; ++i) {
        auto verdict = broken("K" + std::to_string(i), 1, 10);
        verdict.at_risk = {{"USD", "0.10"}};
        served.bench.append(verdict);
    }
    served.bench.append(a_verdict("M", 1, VerdictStatus::matched, after(2)));
    served.open();
    const auto document = parsed(served.get("/api/v1/reconciliation/stats"));
    const auto root = document.root();
    EXPECT_EQ(root.find("atRisk").raw(), R"([{"currency":"USD","amount":"0.30"}])");
    EXPECT_EQ(root.find("matchRate").text(), "0.25");
    EXPECT_EQ(root.find("timeToVerdictSeconds").find("mean").text(), "8");
    EXPECT_EQ(root.find("kinds").find("amount").text(), "3");
    EXPECT_TRUE(parsed(served.get("/api/v1/reconciliation/stats?flow=refund"))
                    .root()
                    .find("matchRate")
                    .is_null());
}

TEST(Stats, times_are_numbers_that_a_person_reads) {
    Served served;
    for (const auto& [key, decided] :
         {std::pair{"A", Duration{2}},
          std::pair{"B", std::chrono::microseconds(24) + Duration{1}}}) {
        auto verdict = a_verdict(key, 1, VerdictStatus::matched, after(0) + decided);
        served.bench.append(verdict);
    }
    served.open();
    const auto document = parsed(served.get("/api/v1/reconciliation/stats"));
    const auto times = document.root().find("timeToVerdictSeconds");
    EXPECT_EQ(times.find("mean").raw(), "0.000012");
    EXPECT_EQ(times.find("p99").raw(), "0.000024");
}

TEST(ExplainRoute, hands_over_the_records_in_order_and_answers_in_both_shapes) {
    Served served;
    std::vector<std::string> seen;
    std::size_t columns = 1;
    bool full_ids = false;
    served.explain = [&](const ExplainRequest& request) -> Result<Explanation> {
        columns = request.columns;
        full_ids = request.full_ids;
        for (const auto& record : request.records) {
            const auto* leg = std::get_if<model::LegRecord>(&record);
            seen.push_back(leg != nullptr ? leg->leg : "control");
        }
        seen.push_back(std::to_string(request.revisions.size()) + " revisions, " +
                       std::to_string(request.quarantined.size()) + " quarantined");
        return Explanation{R"({"key":"A"})", "case A\n"};
    };
    model::LegRecord leg(default_tenant());
    leg.flow = "order";
    leg.key = "A";
    leg.leg = "order";
    leg.at = epoch_of_tests;
    const auto log_key = model::case_log_key(default_tenant(), "order", "A");
    const auto partition = served.bench.append(model::CaseRecord(leg), log_key).at.partition.index;
    served.bench.append(model::CaseRecord(store::testing::absence_until(2)), "", partition);
    leg.leg = "payment";
    served.bench.append(model::CaseRecord(leg), log_key);
    served.bench.append(a_verdict("A", 1, VerdictStatus::pending, std::nullopt));
    served.open();
    served.catch_up();
    const auto json = served.get("/api/v1/orders/A/explain");
    EXPECT_EQ(json.body, R"({"key":"A"})");
    EXPECT_THAT(seen, ElementsAre("control", "order", "payment", "1 revisions, 0 quarantined"));
    EXPECT_EQ(served.get("/api/v1/orders/A/explain", {{"Accept", "text/plain"}}).body, "case A\n");
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?format=text").body, "case A\n");
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?format=json", {{"Accept", "text/plain"}}).body,
              R"({"key":"A"})");
    EXPECT_EQ(columns, 0u);
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?columns=80&full_ids=true").status, 200);
    EXPECT_EQ(columns, 80u);
    EXPECT_TRUE(full_ids);
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?columns=wide").status, 400);
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?columns=-1").status, 400);
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?full_ids=maybe").status, 400);
    EXPECT_EQ(served.get("/api/v1/orders/A/explain?format=pdf").status, 400);
    EXPECT_EQ(served.get("/api/v1/orders/B/explain").status, 404);
}

}  // namespace
}  // namespace helios::api
