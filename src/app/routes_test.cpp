/// Every route of gateway and api, with the stages held back: what is derived is told whole, or not
/// yet, or with its age.

#include "gateway/routes.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <string>

#include "api/test_kit.h"
#include "app/callers.h"
#include "base/temporary_directory.h"
#include "gateway/dlq_routes.h"
#include "gateway/handshake_routes.h"
#include "gateway/redrive.h"
#include "gateway/test_kit.h"
#include "store/database.h"

namespace helios::app {
namespace {

using api::testing::header_of;
using api::testing::parsed;
using api::testing::Served;
using http::Reads;
using store::testing::an_event;

struct NoItems final : gateway::DlqItems {
    Result<gateway::KeptItem> find(const TenantId&, std::string_view) override {
        return fail(ErrorKind::not_found, "there is none");
    }
    Result<gateway::KeptItem> look(const TenantId&, std::string_view) override {
        return fail(ErrorKind::not_found, "there is none");
    }
    Result<std::vector<std::string>> matching(const TenantId&, const gateway::DlqFilter&, Instant,
                                              std::size_t) override {
        return std::vector<std::string>{};
    }
    Result<bool> tried_in(const TenantId&, std::string_view, std::string_view) override {
        return false;
    }
    Result<std::vector<gateway::OpenRedrive>> open_redrives() override {
        return std::vector<gateway::OpenRedrive>{};
    }
};

/// A server whose stages stand still, with all of its routes.
struct Whole {
    Whole()
        : served({{"/docs/swagger-ui.css", "text/css", "a{}"},
                  {"/docs/swagger-ui-bundle.js", "text/javascript", "1"},
                  {"/redoc/redoc.standalone.js", "text/javascript", "2"}}) {
        rig.open();
        served.bench.append(an_event("e-1", "OrderPlaced", "x"));
        served.stages_stand_still = true;
        served.readiness = api::caught_up(served.barrier);
        served.explain = [](const api::ExplainRequest&) -> Result<api::Explanation> {
            return api::Explanation{"{}", ""};
        };
        served.open();
        gateway::add_routes(served.table, *rig.gateway);
        redrives = std::make_unique<gateway::Redrives>(gateway::Redrives::Parts{
            *rig.gateway, items, *rig.log, rig.telemetry, rig.clock, [](const auto&) {}});
        gateway::add_handshake_routes(served.table, *rig.gateway, [](const auto&) {});
        gateway::add_dlq_routes(served.table, *rig.gateway, items, *redrives, [](const auto&) {});
    }

    /// A question that the route answers, if it answers at all.
    static std::string target_of(const http::Route& route) {
        std::string target = route.path;
        for (auto open = target.find('{'); open != std::string::npos; open = target.find('{')) {
            target.replace(open, target.find('}') - open + 1, "x");
        }
        for (std::size_t i = 0; i < route.params.size(); ++i) {
            if (route.params[i].in == http::Param::In::query && route.params[i].required) {
                target += (target.find('?') == std::string::npos ? "?" : "&") +
                          route.params[i].name + "=x";
            }
        }
        return target;
    }

    gateway::Rig rig;
    NoItems items;
    std::unique_ptr<gateway::Redrives> redrives;
    Served served;
};

TEST(Routes, each_says_what_it_reads) {
    const Whole whole;
    for (const auto& route : whole.served.table.routes()) {
        EXPECT_NE(Reads::unsaid, route.reads) << route.path << ": set http::Route::reads";
        EXPECT_TRUE(!route.changes_state || route.reads == Reads::nothing) << route.path;
        EXPECT_EQ(route.websocket, route.reads == Reads::stream) << route.path;
        const bool documented = std::any_of(route.answers.begin(), route.answers.end(),
                                            [](const auto& a) { return a.status == 503; });
        EXPECT_TRUE(route.reads == Reads::nothing || documented)
            << route.path << ": 503 is not documented";
    }
}

TEST(Routes, each_says_who_may_call_it_and_few_are_for_everyone) {
    const Whole whole;
    std::vector<std::string> open;
    for (const auto& route : whole.served.table.routes()) {
        EXPECT_NE(route.access, http::Access::unsaid) << route.path << ": set http::Route::access";
        EXPECT_TRUE(!route.changes_state || route.access != http::Access::viewer) << route.path;
        if (route.access == http::Access::everyone) {
            open.push_back(route.path);
        }
    }
    std::sort(open.begin(), open.end());
    for (auto& path : open) {  // names of files change with their bytes
        path = std::regex_replace(path, std::regex("\\.[0-9a-f]{12}\\."), ".#.");
    }
    EXPECT_EQ(open, (std::vector<std::string>{
                        "/", "/api/v1/webhooks/aws/health", "/api/v1/webhooks/azure/health",
                        "/api/v1/webhooks/gcp/health", "/docs", "/docs/", "/docs/start.#.js",
                        "/docs/swagger-ui-bundle.#.js", "/docs/swagger-ui.#.css", "/favicon.ico",
                        "/health", "/openapi.json", "/ready", "/redoc", "/redoc/",
                        "/redoc/redoc.standalone.#.js", "/redoc/start.#.js"}));
}

/// As on a server that others reach. (What senders are asked is the gateway's: sender_checks_test.)
TEST(Routes, without_a_credential_every_route_that_is_not_for_everyone_refuses) {
    Whole whole;
    const TemporaryDirectory directory = *TemporaryDirectory::make("helios-routes-");
    const auto callers = *Callers::open({directory.path() + "/keys.json", ""}, false,
                                        whole.rig.telemetry, whole.rig.clock);
    std::size_t walked = 0;
    for (const auto& route : whole.served.table.routes()) {
        http::Request request;
        request.method = route.method;
        request.path = route.path;
        const auto answer = callers->identify(route, request);
        const auto* refused = std::get_if<http::Response>(&answer);
        if (route.access == http::Access::everyone) {
            EXPECT_EQ(refused, nullptr) << route.path;
            continue;
        }
        ++walked;
        if (route.access == http::Access::sender) {  // asked by the gateway
            ASSERT_EQ(refused, nullptr) << route.path;
            EXPECT_FALSE(std::get<Caller>(answer).roles.has(Role::viewer)) << route.path;
            continue;
        }
        ASSERT_NE(refused, nullptr) << route.path;
        EXPECT_EQ(refused->status, 401) << route.path;
        for (const int status : {401, 403}) {
            EXPECT_TRUE(route.hidden ||
                        std::any_of(route.answers.begin(), route.answers.end(),
                                    [&](const auto& said) { return said.status == status; }))
                << route.path << " does not say " << status;
        }
        EXPECT_FALSE(header_of(*refused, "WWW-Authenticate").empty()) << route.path;
    }
    EXPECT_GE(walked, 20u);
}

TEST(Routes, nothing_derived_is_told_before_the_server_has_once_been_ready) {
    Whole whole;
    EXPECT_EQ(whole.served.get("/ready").status, 503);
    std::size_t held = 0;
    for (const auto& route : whole.served.table.routes()) {
        if (route.method != http::Method::get) {
            continue;
        }
        const auto target = Whole::target_of(route);
        for (const char* accept : {"application/json", "text/html", "text/plain"}) {
            const auto response = whole.served.get(target, {{"Accept", accept}});
            if (route.reads == Reads::nothing) {
                EXPECT_TRUE(response.status == 200 || response.status == 308 ||
                            route.path == "/ready")
                    << target << response.body;
                continue;
            }
            ++held;
            EXPECT_EQ(response.status, 503) << target << response.body;
            EXPECT_EQ(header_of(response, "Retry-After"), "1") << target;
            EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json") << target;
            const auto problem = parsed(response);
            EXPECT_NE(std::string::npos,
                      problem.root().find("detail").text().find("route: it has read nothing yet"))
                << target;
            EXPECT_FALSE(problem.root().find("hint").text().empty()) << target;
        }
    }
    EXPECT_GE(held, 3u * 13);
}

TEST(Routes, once_ready_lists_say_how_old_they_are_and_single_things_wait) {
    Whole whole;
    auto& served = whole.served;
    served.catch_up();
    EXPECT_EQ(served.get("/ready").status, 200);
    const Instant complete = served.bench.log->last_log_time();
    const Instant acknowledged = served.bench.append(an_event("e-2", "OrderPlaced", "x")).log_time;
    EXPECT_EQ(served.get("/ready").status, 200) << "slow, not unready";
    for (const auto& route : served.table.routes()) {
        if (route.method != http::Method::get || route.reads == Reads::nothing) {
            continue;
        }
        const auto target = Whole::target_of(route);
        const auto response = served.get(target);
        if (route.reads == Reads::list) {
            ASSERT_EQ(response.status, 200) << target << response.body;
            const auto document = parsed(response);
            const auto as_of = document.root().find("asOf");
            ASSERT_TRUE(as_of.is_string()) << target;
            const auto at = parse_rfc3339(as_of.text())->at;
            EXPECT_TRUE(at > complete && at <= acknowledged) << target << as_of.text();
        } else if (route.reads == Reads::stream) {
            EXPECT_EQ(response.status, 101) << target;
        } else {
            EXPECT_EQ(response.status, 503) << target << response.body;
            EXPECT_EQ(header_of(response, "Retry-After"), "1") << target;
        }
    }
    served.catch_up();
    for (const auto& route : served.table.routes()) {
        if (route.reads == Reads::one_case || route.reads == Reads::one_record) {
            EXPECT_EQ(served.get(Whole::target_of(route)).status, 404) << route.path;
        }
    }
}

TEST(Routes, what_a_route_does_not_know_is_refused_with_the_nearest_name) {
    Whole whole;
    auto& served = whole.served;
    served.catch_up();
    std::set<std::string> open;
    for (const auto& route : served.table.routes()) {
        if (!route.query_checked) {
            open.insert(std::regex_replace(route.path, std::regex("\\.[0-9a-f]{12}\\."), "."));
        }
        if (route.method != http::Method::get) {
            continue;
        }
        auto target = Whole::target_of(route);
        target += target.find('?') == std::string::npos ? "?" : "&";
        const auto plain = served.get(target + "no_such_parameter=1");
        EXPECT_EQ(plain.status == 400, route.query_checked) << target << plain.body;
        if (!route.query_checked) {
            continue;
        }
        EXPECT_FALSE(header_of(plain, "X-Content-Type-Options").empty()) << target;
        for (const auto& param : route.params) {
            if (param.in != http::Param::In::query) {
                continue;
            }
            const auto expect = [&](const std::string& query, const std::string& word) {
                const auto response = served.get(target + query);
                EXPECT_EQ(response.status, 400) << target << query;
                EXPECT_NE(response.body.find("did you mean " + word + "?"), std::string::npos)
                    << target << query << response.body;
            };
            expect(param.name + "x=1", param.name);
            for (const auto& value : param.values) {
                expect(param.name + "=" + value + "x", value);
                const auto right = served.get(target + param.name + "=" + value);
                EXPECT_TRUE(right.status < 400 || right.status == 404)
                    << target << param.name << "=" << value << right.body;
            }
        }
    }
    EXPECT_EQ(open, (std::set<std::string>{"/",
                                           "/api/v1/events/batch",
                                           "/api/v1/events/ingest",
                                           "/api/v1/health",
                                           "/api/v1/webhooks/aws/eventbridge",
                                           "/api/v1/webhooks/aws/health",
                                           "/api/v1/webhooks/azure/eventgrid",
                                           "/api/v1/webhooks/azure/health",
                                           "/api/v1/webhooks/cloudevents",
                                           "/api/v1/webhooks/gcp/health",
                                           "/api/v1/webhooks/gcp/pubsub",
                                           "/docs",
                                           "/docs/",
                                           "/docs/start.js",
                                           "/docs/swagger-ui-bundle.js",
                                           "/docs/swagger-ui.css",
                                           "/favicon.ico",
                                           "/health",
                                           "/metrics",
                                           "/openapi.json",
                                           "/ready",
                                           "/redoc",
                                           "/redoc/",
                                           "/redoc/redoc.standalone.js",
                                           "/redoc/start.js"}))
        << "senders, probes, scrapes and pages";
}

TEST(Routes, no_answer_has_a_status_that_is_not_documented) {
    Whole whole;
    auto& served = whole.served;
    const std::string queries[] = {
        "",          "no_such=1",  "flow=zzz",     "limit=0",
        "cursor=x",  "after=x",    "start_time=x", "start_time=2200-01-01T00:00:00Z",
        "columns=x", "full_ids=x", "payloads=x",   "source=x",
        "key=y"};
    const auto ask_all = [&] {
        for (const auto& route : served.table.routes()) {
            if (route.method != http::Method::get || route.hidden) {
                continue;
            }
            const auto target = Whole::target_of(route);
            for (const auto& query : queries) {
                const auto whole_target =
                    target + (target.find('?') == std::string::npos ? "?" : "&") + query;
                const auto response = served.get(query.empty() ? target : whole_target);
                EXPECT_FALSE(header_of(response, "Cache-Control").empty()) << whole_target;
                EXPECT_TRUE(std::any_of(
                    route.answers.begin(), route.answers.end(),
                    [&](const auto& answer) { return answer.status == response.status; }))
                    << whole_target << " " << response.status << response.body;
            }
        }
    };
    ask_all();  // not ready yet
    served.catch_up();
    ask_all();
    auto database = store::Database::open(served.bench.options.file, store::Database::Mode::write);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("DROP TABLE cases; DROP TABLE slices; DROP TABLE quarantine;"));
    ask_all();
}

/// With the store's tables gone: who says to read nothing does not need them.
TEST(Routes, who_says_to_read_nothing_does_not_ask_the_store) {
    Whole whole;
    auto& served = whole.served;
    served.catch_up();
    ASSERT_EQ(served.get("/ready").status, 200);
    auto database = store::Database::open(served.bench.options.file, store::Database::Mode::write);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(
        "DROP TABLE slices; DROP TABLE verdicts; DROP TABLE cases; DROP TABLE quarantine; "
        "DROP TABLE quarantine_kinds; DROP TABLE flows; DROP TABLE open_cases; DROP TABLE counts; "
        "DROP TABLE control_records; DROP TABLE dlq_outcomes; DROP TABLE redrives;"));
    for (const auto& route : served.table.routes()) {
        if (route.method != http::Method::get || route.reads == Reads::stream) {
            continue;
        }
        const auto target = Whole::target_of(route);
        const auto response = served.get(target);
        if (route.reads == Reads::nothing) {
            EXPECT_LT(response.status, 500) << target << response.body;
        } else {
            EXPECT_GE(response.status, 500) << target << response.body;
        }
    }
}

}  // namespace
}  // namespace helios::app
