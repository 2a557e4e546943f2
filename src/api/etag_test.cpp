/// Who may keep which answer, and how it is asked for again.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "api/test_kit.h"

namespace helios::api {
namespace {

using model::VerdictStatus;
using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::HasSubstr;
using testing::header_of;
using ::testing::Not;
using testing::parsed;
using testing::Served;

constexpr const char* case_path = "/api/v1/reconciliation/ORD-1";

TEST(Etag, a_case_is_known_by_it_until_anything_of_it_changes) {
    Served served;
    served.bench.append(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt));
    served.open();
    std::set<std::string> tags;
    const auto ask = [&](std::string known = {}) {
        http::Headers headers;
        if (!known.empty()) {
            headers.emplace_back("If-None-Match", std::move(known));
        }
        return served.get(case_path, std::move(headers));
    };
    const auto changed = [&](std::string_view what) {
        const auto response = ask(tags.empty() ? "" : *tags.begin());
        EXPECT_EQ(response.status, 200) << what;
        const auto tag = header_of(response, "ETag");
        EXPECT_THAT(tag, ::testing::StartsWith("\"")) << "strong";
        EXPECT_TRUE(tags.insert(tag).second) << what;
        EXPECT_EQ(header_of(response, "Cache-Control"), "private, no-cache");
        const auto again = ask(tag);
        EXPECT_EQ(again.status, 304) << what;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(header_of(again, "ETag"), tag);
        EXPECT_EQ(header_of(again, "Cache-Control"), "private, no-cache");
    };
    changed("first");

    auto verdict = a_verdict("ORD-1", 2, VerdictStatus::pending, std::nullopt);
    served.bench.append(verdict);
    served.catch_up();
    changed("a revision");

    verdict.revision = 3;
    verdict.deadline = verdict.opened_at + std::chrono::hours(1);
    served.bench.append(verdict);
    served.catch_up();
    changed("a deadline");

    auto refund = a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt);
    refund.flow = "refund";
    served.bench.append(refund);
    served.catch_up();
    changed("another flow's case of the same key");

    verdict.instance = 2;
    verdict.revision = 1;
    served.bench.append(verdict);
    served.catch_up();
    changed("an instance");
}

TEST(Etag, one_thing_has_one_and_lists_are_kept_by_nobody) {
    Served served;
    served.explain = [](const ExplainRequest&) -> Result<Explanation> {
        return Explanation{"{}", "text"};
    };
    served.bench.append(an_event("e-1", "OrderPlaced", "ORD-1"));
    served.bench.append(a_verdict("ORD-1", 1, VerdictStatus::pending, std::nullopt));
    served.open();
    for (const auto& route : served.table.routes()) {
        const bool is_one =
            route.reads == http::Reads::one_case || route.reads == http::Reads::one_record;
        if (is_one) {
            EXPECT_TRUE(std::any_of(route.answers.begin(), route.answers.end(),
                                    [](const auto& a) { return a.status == 304; }))
                << route.path << ": 304 is not documented";
        }
    }
    for (const std::string path :
         {"/api/v1/reconciliation/ORD-1", "/api/v1/reconciliation/ORD-1/revisions",
          "/api/v1/cases/order/ORD-1", "/api/v1/cases/order?key=ORD-1", "/api/v1/events/e-1",
          "/api/v1/orders/ORD-1/explain", "/api/v1/orders/ORD-1/explain?format=text"}) {
        const auto response = served.get(path);
        ASSERT_EQ(response.status, 200) << path << response.body;
        const auto tag = header_of(response, "ETag");
        EXPECT_NE(tag, "") << path;
        EXPECT_EQ(header_of(response, "Cache-Control"), "private, no-cache") << path;
        EXPECT_EQ(served.get(path, {{"If-None-Match", tag}}).status, 304) << path;
    }
    for (const std::string path :
         {"/api/v1/reconciliation/mismatches", "/api/v1/reconciliation/stats", "/api/v1/events",
          "/api/v1/dlq", "/api/v1/counts", "/api/v1/reconciliation/NONE"}) {
        const auto response = served.get(path);
        EXPECT_EQ(header_of(response, "ETag"), "") << path;
        EXPECT_EQ(header_of(response, "Cache-Control"), "no-store") << path;
    }
}

TEST(Etag, the_document_is_asked_for_again_and_sent_once) {
    Served served;
    served.open();
    const auto plain = served.get("/openapi.json");
    const auto coded = served.get("/openapi.json", {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(header_of(plain, "Cache-Control"), "no-cache");
    EXPECT_EQ(header_of(coded, "Content-Encoding"), "gzip");
    EXPECT_LT(coded.body.size(), plain.body.size() / 4);
    EXPECT_NE(header_of(plain, "ETag"), header_of(coded, "ETag"));
    EXPECT_EQ(served.get("/openapi.json", {{"If-None-Match", header_of(plain, "ETag")}}).status,
              304);
}

TEST(Files, have_names_that_change_with_them_and_are_kept_for_ever) {
    Served served({{"/docs/swagger-ui.css", "text/css", "a{}"},
                   {"/docs/swagger-ui-bundle.js", "text/javascript", "plain", "coded", "br"},
                   {"/docs/swagger-ui-bundle.js.LICENSE.txt", "text/plain", "licence"},
                   {"/redoc/redoc.standalone.js", "text/javascript", "2"}});
    served.open();
    const auto page = served.get("/docs").body;
    const auto at = page.find("/docs/swagger-ui-bundle.");
    const auto path = page.substr(at, page.find('"', at) - at);
    EXPECT_THAT(path, ::testing::MatchesRegex("/docs/swagger-ui-bundle\\.[0-9a-f]+\\.js"));
    EXPECT_THAT(page, Not(HasSubstr("/docs/start.js"))) << "hashed as well";
    const auto ask = [&](std::string coding) {
        return served.get(path, {{"Accept-Encoding", std::move(coding)}});
    };
    EXPECT_EQ(ask("identity").body, "plain");
    EXPECT_EQ(ask("gzip").body, "coded");
    EXPECT_EQ(ask("gzip, br").body, "br");
    EXPECT_EQ(header_of(ask("gzip, br"), "Content-Encoding"), "br");
    EXPECT_EQ(header_of(ask("identity"), "Vary"), "Accept-Encoding");
    EXPECT_EQ(header_of(ask("br"), "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(served.get("/docs/swagger-ui-bundle.js.LICENSE.txt").body, "licence");
}

TEST(Files, what_browsers_ask_for_by_themselves_is_there) {
    Served served;
    served.open();
    const auto icon = served.get("/favicon.ico");
    EXPECT_EQ(icon.status, 200);
    EXPECT_EQ(header_of(icon, "Content-Type"), "image/x-icon");
    EXPECT_EQ(icon.body.substr(0, 4), std::string("\0\0\1\0", 4));
    for (const std::string path : {"/docs", "/redoc"}) {
        EXPECT_EQ(served.get(path + "/").status, 308);
        EXPECT_EQ(header_of(served.get(path + "/"), "Location"), path);
    }
}

}  // namespace
}  // namespace helios::api
