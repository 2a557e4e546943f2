/// Events, quarantine, completeness, health, documentation.

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <set>

#include "api/cursor.h"
#include "api/test_kit.h"
#include "model/position.h"

namespace helios::api {
namespace {

using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::HasSubstr;
using testing::header_of;
using ::testing::Not;
using testing::parsed;
using testing::Served;

TEST(EventRoutes, an_event_whole_with_position_and_exact_payload) {
    Served served;
    auto event = an_event("e-1", "OrderPlaced", "ORD-1");
    event.payload = R"({"orderId":"ORD-1","totalAmount":12.500,"big":12345678901234567890})";
    event.metadata = R"({"trace":"x"})";
    event.warnings = {"customerId: expected, absent"};
    event.scope = "1234/eu-west-1";
    served.bench.append(event);
    served.open();
    const auto document = parsed(served.get("/api/v1/events/e-1"));
    const auto root = document.root();
    EXPECT_EQ(event.payload, root.find("payload").raw());
    EXPECT_EQ(event.metadata, root.find("metadata").raw());
    EXPECT_EQ(root.find("scope").text(), "1234/eu-west-1");
    EXPECT_EQ(root.find("orderId").text(), "ORD-1");
    EXPECT_EQ(root.find("identity").text(), "native");
    EXPECT_EQ(root.find("warnings").size(), 1u);
    EXPECT_FALSE(root.find("position").text().empty());
    EXPECT_EQ(parsed(served.get("/api/v1/events?order_id=ORD-1&event_type=OrderPlaced&source=aws"))
                  .root()
                  .find("items")
                  .size(),
              1u);
    EXPECT_EQ(parsed(served.get("/api/v1/events?order_id=ORD-2")).root().find("items").size(), 0u);
}

TEST(EventRoutes, a_copy_is_no_second_event_and_is_not_hidden) {
    Served served;
    const auto event = an_event("x", "OrderPlaced", "A");
    served.bench.append(event);
    served.bench.append(an_event("alone", "OrderPlaced", "A"));
    served.bench.clock.advance(std::chrono::hours(23));
    const auto copy = served.bench.append(event);
    served.open();
    const auto list = parsed(served.get("/api/v1/events?order_id=A"));
    ASSERT_EQ(list.root().find("items").size(), 2u);
    EXPECT_FALSE(list.root().find("items").at(0).find("copies").present());
    EXPECT_EQ(list.root().find("items").at(1).find("copies").raw(), "1");
    const auto one = parsed(served.get("/api/v1/events/x"));
    EXPECT_EQ(one.root().find("copies").raw(), "1");
    ASSERT_EQ(one.root().find("otherRecords").size(), 1u);
    const auto record = one.root().find("otherRecords").at(0);
    EXPECT_EQ(record.find("receivedAt").text(), format_rfc3339(copy.log_time));
    EXPECT_EQ(record.find("sameContent").raw(), "true");
    const auto position = model::decode_position(record.find("position").text());
    ASSERT_TRUE(position);
    EXPECT_EQ(position->pointer, copy.at);
    EXPECT_FALSE(parsed(served.get("/api/v1/events/alone")).root().find("otherRecords").present());

    auto changed = event;
    changed.payload = R"({"orderId":"A","totalAmount":"2"})";
    served.bench.append(changed);
    served.catch_up();
    EXPECT_EQ(parsed(served.get("/api/v1/events?order_id=A")).root().find("items").size(), 3u)
        << "other content is an event of its own";
    const auto newest = parsed(served.get("/api/v1/events/x"));
    EXPECT_EQ(newest.root().find("payload").raw(), changed.payload);
    EXPECT_FALSE(newest.root().find("copies").present());
    ASSERT_EQ(newest.root().find("otherRecords").size(), 2u);
    EXPECT_EQ(newest.root().find("otherRecords").at(0).find("sameContent").raw(), "false");
}

TEST(EventRoutes, an_id_of_several_origins_is_ambiguous_until_one_is_named) {
    Served served;
    served.bench.append(an_event("x", "OrderPlaced", "A"));
    served.bench.append(an_event("x", "OrderPlaced", "A", "gcp"));
    auto scoped = an_event("x", "OrderPlaced", "A", "gcp");
    scoped.scope = "subscription/2";
    served.bench.append(scoped);
    served.bench.append(scoped);  // the same identity again: no further candidate
    served.open();
    const auto response = served.get("/api/v1/events/x");
    EXPECT_EQ(response.status, 409);
    EXPECT_EQ(parsed(response).root().find("candidates").size(), 3u);
    EXPECT_EQ(served.get("/api/v1/events/x?source=aws").status, 200);
    EXPECT_EQ(served.get("/api/v1/events/x?source=gcp").status, 409);
    EXPECT_EQ(served.get("/api/v1/events/x?source=gcp&scope=subscription%2F2").status, 200);
    served.bench.append(an_event("z", "OrderPlaced", "A"));
    EXPECT_EQ(served.get("/api/v1/events/y").status,
              503);  // something was acknowledged that the store does not have yet
    EXPECT_EQ(served.get("/api/v1/events/x?source=aws").status, 503)
        << "also where there is an answer already: it may be an old one";
    served.catch_up();
    EXPECT_EQ(served.get("/api/v1/events/y").status, 404);
}

TEST(Prefixes, of_ids_resolve_where_only_one_has_them) {
    Served served;
    served.bench.append(an_event("3f786850e387550fdab836ed7e6dc881de23001b", "OrderPlaced", "A"));
    served.bench.append(an_event("3f786850e387550fda000000000000000000000b", "OrderPlaced", "A"));
    served.bench.append(an_event("o-17", "OrderPlaced", "A"));
    for (const char* id : {"af2f90cc-8cc2-550f-837b-265dbc67867c",
                           "af2f90cc-0000-550f-837b-265dbc67867c", "b000-x"}) {
        model::Quarantined item(default_tenant());
        item.id = id;
        item.source = "aws";
        item.reason = "missing_field";
        item.body = "{}";
        served.bench.append(item);
    }
    served.open();
    const auto event_of = [&](std::string_view id) {
        const auto response = served.get("/api/v1/events/" + std::string(id));
        return response.status == 200 ? std::string(parsed(response).root().find("eventId").text())
                                      : std::to_string(response.status);
    };
    EXPECT_EQ(event_of("3f786850e387550fdab8"), "3f786850e387550fdab836ed7e6dc881de23001b");
    EXPECT_EQ(event_of("3f786850"), "409");
    EXPECT_EQ(event_of("o-1"), "404") << "a program that asks for o-1 does not want o-17";
    EXPECT_EQ(event_of("o-1%E2%80%A6"), "o-17") << "copied with its ellipsis";
    EXPECT_EQ(event_of("3f786850e387550fdab8ff"), "404");
    const auto both = parsed(served.get("/api/v1/events/3f786850"));
    EXPECT_EQ(both.root().find("candidates").size(), 2u);
    EXPECT_EQ(event_of("3f786850e387550fdab8?source=gcp"), "404");
    EXPECT_EQ(served.get("/api/v1/dlq/af2f90cc-8").status, 200);
    EXPECT_EQ(served.get("/api/v1/dlq/b000").status, 200);
    EXPECT_EQ(served.get("/api/v1/dlq/b00").status, 404);
    EXPECT_EQ(served.get("/api/v1/dlq/b001").status, 404);
    const auto two = served.get("/api/v1/dlq/af2f");
    EXPECT_EQ(two.status, 409);
    EXPECT_EQ(parsed(two).root().find("candidates").at(0).find("dlqId").text(),
              "af2f90cc-0000-550f-837b-265dbc67867c");
}

TEST(QuarantineRoutes, a_list_and_whole_items) {
    Served served;
    model::Quarantined item(default_tenant());
    item.id = "q/1";
    item.source = "azure";
    item.reason = "duplicate_key";
    item.detail = "orderId occurs twice";
    item.errors = {"orderId: twice"};
    item.body = std::string("\xff\x00{", 3);
    item.headers = R"({"authorization":"sha256:ab"})";
    served.bench.append(item);
    served.open();
    const auto list = parsed(served.get("/api/v1/dlq?reason=duplicate_key&source=azure"));
    ASSERT_EQ(list.root().find("items").size(), 1u);
    EXPECT_FALSE(list.root().find("items").at(0).find("body").present());
    const auto one = parsed(served.get("/api/v1/dlq/q%2F1"));
    EXPECT_EQ(one.root().find("bodyEncoding").text(), "base64");
    EXPECT_EQ(one.root().find("body").text(), "/wB7");
    EXPECT_EQ(item.headers, one.root().find("headers").raw());
    EXPECT_EQ(parsed(served.get("/api/v1/dlq?reason=too_deep")).root().find("items").size(), 0u);
    const auto wrong = served.get("/api/v1/dlq?reason=duplicat_key");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_THAT(wrong.body, HasSubstr("did you mean duplicate_key?"));
    served.catch_up();
    EXPECT_EQ(served.get("/api/v1/dlq/none").status, 404);
}

TEST(Counts, per_minute_source_and_hop) {
    Served served;
    served.bench.append(an_event("e", "OrderPlaced", "A"));
    served.bench.append(store::testing::some_counts(
        "gateway", epoch_of_tests, {{"received", 2}, {"appended", 1}, {"duplicate", 1}}));
    served.open();
    const auto document = parsed(served.get("/api/v1/counts"));
    const auto hops = document.root().find("totals").at(0).find("hops");
    EXPECT_EQ(hops.raw(),
              R"({"gateway":{"appended":1,"duplicate":1,"received":2},"store":{"stored":1}})");
    EXPECT_EQ(document.root().find("items").at(0).find("minute").text(),
              "2026-01-05T10:00:00.000Z");
    EXPECT_EQ(parsed(served.get("/api/v1/counts?source=gcp")).root().find("totals").size(), 0u);
}

TEST(Flows, the_active_version_is_marked) {
    Served served;
    served.bench.append(store::testing::an_activation("order", 1, "v1", "h1"));
    served.bench.append(store::testing::an_activation("order", 2, "v2", "h2"));
    served.open();
    const auto document = parsed(served.get("/api/v1/flows"));
    ASSERT_EQ(document.root().find("items").size(), 2u);
    EXPECT_FALSE(document.root().find("items").at(0).find("active").boolean());
    EXPECT_TRUE(document.root().find("items").at(1).find("active").boolean());
    EXPECT_TRUE(document.root().find("items").at(1).find("primary").boolean());
}

TEST(Health, ready_says_what_is_not) {
    Served served;
    bool warm = false;
    served.readiness = {
        {"dedup", [&warm]() -> Status {
             return warm ? Status{}
                         : Status(fail(ErrorKind::unavailable, "the index is catching up"));
         }}};
    served.health.clouds = {{"aws", [] { return std::string(R"({"status":"ok"})"); }}};
    served.open();
    const auto before = served.get("/ready");
    EXPECT_EQ(before.status, 503);
    EXPECT_THAT(before.body, HasSubstr("dedup: the index is catching up"));
    EXPECT_EQ(parsed(served.get("/api/v1/health")).root().find("status").text(), "degraded");
    EXPECT_EQ(served.get("/health").status, 200);
    warm = true;
    EXPECT_EQ(served.get("/ready").status, 200);
    const auto health = parsed(served.get("/api/v1/health"));
    EXPECT_EQ(health.root().find("status").text(), "healthy");
    EXPECT_EQ(health.root().find("clouds").find("aws").find("status").text(), "ok");
    EXPECT_EQ(health.root().find("stages").size(), 3u);
}

TEST(Health, a_stage_is_ready_once_it_has_worked_off_the_start_and_what_came_of_it) {
    Served served;
    served.bench.append(an_event("e", "OrderPlaced", "A"));
    const auto checks = caught_up(served.barrier);
    ASSERT_EQ(checks.size(), 3u);
    const auto good = [&] {
        std::string names;
        for (const auto& check : checks) {
            names += check.check() ? check.name + " " : "";
        }
        return names;
    };
    EXPECT_EQ(good(), "");
    EXPECT_THAT(checks[0].check().error().what, HasSubstr("has read nothing yet"));
    EXPECT_THAT(checks[0].check().error().what, Not(HasSubstr("1970")));
    // What route made of it: stamped later than the event, and nothing that the log had at the
    // start.
    served.bench.append(model::CaseRecord(model::LegRecord(default_tenant())), "A");
    served.route.advance_to(served.bench.log->last_log_time() + Duration{1});
    served.engine.advance_to(served.bench.log->last_log_time());
    served.store.advance_to(served.bench.log->last_log_time() + Duration{1});
    EXPECT_EQ(good(), "route ");
    EXPECT_THAT(checks[1].check().error().what, HasSubstr("has come to 2026-01-05T10:00:00"));
    EXPECT_THAT(checks[2].check().error().what, HasSubstr("can't be complete before engine is"));
    served.bench.append(a_verdict("A", 1, model::VerdictStatus::matched, epoch_of_tests));
    served.engine.advance_to(served.bench.log->last_log_time() + Duration{1});
    EXPECT_EQ(good(), "route engine ");
    served.store.advance_to(served.bench.log->last_log_time() + Duration{1});
    EXPECT_EQ(good(), "route engine store ");
    served.bench.append(an_event("f", "OrderPlaced", "A"));
    EXPECT_EQ(good(), "route engine store ");
}

TEST(Health, a_stage_that_has_read_nothing_is_not_said_to_stand_in_1970) {
    Served served;
    served.bench.append(an_event("e", "OrderPlaced", "A"));
    served.stages_stand_still = true;
    served.open();
    for (const char* path : {"/api/v1/health", "/ready", "/", "/api/v1/reconciliation/A"}) {
        EXPECT_THAT(served.get(path).body, Not(HasSubstr("1970"))) << path;
    }
    EXPECT_TRUE(parsed(served.get("/api/v1/health"))
                    .root()
                    .find("stages")
                    .at(0)
                    .find("frontier")
                    .is_null());
}

TEST(Health, a_clock_behind_the_log_is_said_with_how_far_and_is_no_reason_to_stay_away) {
    Served served;
    served.open();
    served.bench.append(an_event("e", "OrderPlaced", "A"));
    EXPECT_EQ(parsed(served.get("/api/v1/health")).root().find("status").text(), "healthy");
    served.bench.clock.jump_wall(-std::chrono::seconds(50));
    EXPECT_EQ(parsed(served.get("/api/v1/health")).root().find("status").text(), "healthy")
        << "within a minute";
    served.bench.clock.jump_wall(-std::chrono::hours(24 * 3650));
    const auto health = served.get("/api/v1/health");
    EXPECT_EQ(parsed(health).root().find("status").text(), "degraded");
    EXPECT_THAT(health.body, HasSubstr("log time is 3650 days ahead"));
    EXPECT_THAT(health.body, HasSubstr("log export"));
    EXPECT_EQ(served.get("/ready").status, 200);
    EXPECT_EQ(served.get("/api/v1/events").status, 200);
}

/// What follows from an event comes in three hops; a list is as old as the last event whose hops
/// are all behind it.
TEST(AsOf, is_the_time_before_which_everything_and_all_that_follows_from_it_is_there) {
    Served served;
    served.open();
    const auto as_of = [&](std::string_view target) {
        const auto document = parsed(served.get(target));
        return parse_rfc3339(document.root().find("asOf").text())->at;
    };
    constexpr std::string_view stats = "/api/v1/reconciliation/stats";
    const auto past_the_end = [&] { return served.bench.log->last_log_time() + Duration{1}; };
    const Instant event = served.bench.append(an_event("e", "OrderPlaced", "A")).log_time;
    EXPECT_LE(as_of(stats), event);
    served.bench.append(model::CaseRecord(model::LegRecord(default_tenant())), "A");
    served.route.advance_to(event + Duration{1});
    EXPECT_LE(as_of(stats), event) << "routed only";
    served.store.advance_to(past_the_end());
    EXPECT_GT(as_of("/api/v1/events"), event) << "the event itself is there";
    EXPECT_LE(as_of(stats), event) << "nobody has judged it";
    served.engine.advance_to(served.bench.log->last_log_time());
    EXPECT_LE(as_of(stats), event) << "the engine is one record short";
    served.bench.append(a_verdict("A", 1, model::VerdictStatus::matched, epoch_of_tests));
    served.engine.advance_to(served.bench.log->last_log_time());
    EXPECT_LE(as_of(stats), event) << "judged, but not in the store";
    served.catch_up();
    EXPECT_GT(as_of(stats), event);
    EXPECT_GT(as_of("/api/v1/reconciliation/mismatches"), event);
}

TEST(AsOf, does_not_pass_a_deadline_that_has_not_been_let_pass) {
    store::testing::Bench bench;
    Frontier route;
    Frontier engine;
    Frontier stored;
    const log::Reached nothing;
    const Barrier barrier{
        *bench.log, {route, nothing}, {engine, nothing}, {stored, nothing}, bench.clock};
    Settled settled;
    const Progress progress(
        *bench.log, barrier, [&] { return settled; }, {}, bench.telemetry, bench.clock);
    const auto in = [](int seconds) { return epoch_of_tests + std::chrono::seconds(seconds); };
    route.advance_to(in(10));
    stored.advance_to(in(11));
    settled = {in(11), in(5)};  // a deadline at 5 s is due, its tick is on its way
    EXPECT_LE(progress.judged_before(), in(5));
    settled.fired = in(10);
    EXPECT_EQ(in(10), progress.judged_before());
    settled.fired = in(3);  // an old case has turned up: what was true stays true
    EXPECT_EQ(in(10), progress.judged_before());
}

TEST(StatusPage, json_for_programs_and_a_page_for_browsers) {
    Served served;
    served.about.ephemeral = true;
    served.readiness = {
        {"<script>", []() -> Status { return fail(ErrorKind::unavailable, "a<b"); }}};
    served.open();
    EXPECT_EQ(parsed(served.get("/")).root().find("name").text(), "Helios");
    const auto page = served.get("/", {{"Accept", "text/html,application/xhtml+xml"}});
    EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(page.body, Not(HasSubstr("<script")));
    EXPECT_THAT(page.body, HasSubstr("Ephemeral"));
    EXPECT_THAT(page.body, Not(HasSubstr("//")));  // nothing from another host
    EXPECT_THAT(header_of(page, "Content-Type"), HasSubstr("text/html"));
}

TEST(StatusPage, accept_is_read_with_its_qualities) {
    Served served;
    served.open();
    for (const auto& [accept, html] : std::vector<std::pair<std::string, bool>>{
             {"text/html", true},
             {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
             {"text/html, */*", true},
             {"TEXT/HTML ; Q=0.7 , application/json;q=0.5", true},
             {"text/*", true},
             {"text/html;q=0", false},
             {"text/html;q=0.000, */*", false},
             {"application/json, text/html;q=0.5", false},
             {"application/json, text/html", false},
             {"*/*", false},
             {"text/*;q=0.3, application/*;q=0.4", false},
             {"application/json", false},
             {"", false},
             {";,;q=,q", false}}) {
        const auto response = served.get("/", {{"Accept", accept}});
        EXPECT_EQ(header_of(response, "Content-Type").starts_with("text/html"), html) << accept;
    }
}

TEST(Metrics, are_exposed) {
    Served served;
    served.open();
    const auto response = served.get("/metrics");
    EXPECT_THAT(response.body, HasSubstr("helios_store_batch_records"));
    EXPECT_THAT(header_of(response, "Content-Type"), HasSubstr("version=0.0.4"));
}

/// Every string under "$ref" in the document.
void collect_references(json::Value value, std::set<std::string>& references) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value.is_object() && value.key_at(i) == "$ref") {
            references.emplace(value.at(i).text());
        }
        collect_references(value.at(i), references);
    }
}

TEST(Documentation, every_route_is_described_and_every_reference_leads_somewhere) {
    Served served;
    served.open();
    const auto document = parsed(served.get("/openapi.json"));
    const auto root = document.root();
    EXPECT_EQ(root.find("openapi").text(), "3.1.0");
    std::set<std::string> references;
    collect_references(root, references);
    EXPECT_FALSE(references.empty());
    constexpr std::string_view prefix = "#/components/schemas/";
    for (const auto& reference : references) {
        ASSERT_TRUE(reference.starts_with(prefix)) << reference;
        EXPECT_TRUE(
            root.find("components").find("schemas").find(reference.substr(prefix.size())).present())
            << reference;
    }
    for (const auto& route : served.table.routes()) {
        if (route.hidden) {
            continue;
        }
        const auto operation = root.find("paths").find(route.path).find("get");
        ASSERT_TRUE(operation.present()) << route.path;
        for (const char* member : {"operationId", "summary", "tags"}) {
            EXPECT_TRUE(operation.find(member).present()) << route.path << " " << member;
        }
        EXPECT_GT(operation.find("responses").size(), 0u) << route.path;
        EXPECT_FALSE(operation.find("responses").find("default").present()) << route.path;
        for (const auto& param : route.params) {
            EXPECT_FALSE(param.description.empty()) << route.path << " " << param.name;
        }
    }
    EXPECT_FALSE(root.find("components").find("schemas").has_duplicate_keys());
}

TEST(Documentation, problems_have_no_member_that_their_schema_lacks) {
    Served served;
    served.open();
    served.catch_up();
    const auto document = parsed(served.get("/openapi.json"));
    const auto known =
        document.root().find("components").find("schemas").find("Problem").find("properties");
    for (const char* target :
         {"/api/v1/reconciliation/NONE", "/api/v1/reconciliation/NONE?flow=none",
          "/api/v1/events/none", "/api/v1/dlq/none", "/api/v1/events?limit=x"}) {
        const auto response = served.get(target);
        EXPECT_GE(response.status, 400) << target;
        const auto problem = parsed(response);
        for (std::size_t i = 0; i < problem.root().size(); ++i) {
            EXPECT_TRUE(known.find(problem.root().key_at(i)).present())
                << target << " " << problem.root().key_at(i);
        }
    }
}

TEST(Documentation, pages_say_what_is_missing_and_load_nothing_foreign) {
    Served bare;
    bare.open();
    EXPECT_EQ(bare.get("/docs").status, 503);
    EXPECT_THAT(bare.get("/docs").body, HasSubstr("./dev setup"));
    EXPECT_EQ(bare.get("/redoc").status, 503);

    Served served({{"/docs/swagger-ui.css", "text/css", "a{}"},
                   {"/docs/swagger-ui-bundle.js", "text/javascript", "1"},
                   {"/redoc/redoc.standalone.js", "text/javascript", "2"}});
    served.open();
    for (const char* path : {"/docs", "/redoc"}) {
        const auto page = served.get(path);
        EXPECT_EQ(page.status, 200);
        EXPECT_THAT(page.body, Not(HasSubstr("//")));
        EXPECT_THAT(header_of(page, "Content-Security-Policy"), HasSubstr("script-src 'self'"));
        for (auto at = page.body.find("src=\""); at != std::string::npos;
             at = page.body.find("src=\"", at)) {
            at += 5;
            const auto file = page.body.substr(at, page.body.find('"', at) - at);
            EXPECT_EQ(served.get(file).status, 200) << file;
        }
    }
}

TEST(Cursors, survive_a_round_trip_and_refuse_anything_else) {
    EXPECT_TRUE(rc::check("round trip", [](std::int64_t at, std::uint32_t instance) {
        const auto key = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
        for (const auto list :
             {CaseList::mismatches, CaseList::by_opening, CaseList::by_decision}) {
            const auto by = list == CaseList::by_opening ? store::CaseTime::opened
                                                         : store::CaseTime::reconciled;
            const store::CaseCursor cursor{by, from_nanos(at), "order", key, instance};
            const auto text = encode_cursor(9, list, cursor);
            RC_ASSERT(decode_case_cursor(9, list, text).value() == cursor);
            RC_ASSERT(!decode_case_cursor(8, list, text).has_value());
        }
    }));
    EXPECT_TRUE(rc::check("anything else", [](const std::string& text) {
        (void)decode_case_cursor(9, CaseList::mismatches, text);
        (void)decode_event_cursor(9, text);
        (void)decode_quarantine_cursor(9, text);
        RC_ASSERT(!decode_event_cursor(9, encode_cursor(9, store::QuarantineCursor{{}, text}))
                       .has_value());
    }));
}

}  // namespace
}  // namespace helios::api
