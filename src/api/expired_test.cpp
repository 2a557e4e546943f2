/// What is past the log's retention: rows stay, payloads read as expired, nothing is a failure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/test_kit.h"
#include "model/position.h"

namespace helios::api {
namespace {

using model::VerdictStatus;
using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::HasSubstr;
using testing::parsed;
using testing::Served;

TEST(Expired, payloads_past_retention_are_said_to_be_gone_everywhere) {
    Served served;
    const auto at = served.bench.append(an_event("e-1", "OrderPlaced", "ORD-1"));
    auto verdict =
        a_verdict("ORD-1", 1, VerdictStatus::matched, epoch_of_tests + std::chrono::seconds(60));
    verdict.events = {{"order", "e-1", "aws", "OrderPlaced", {}, at.log_time, at.at}};
    served.bench.append(verdict);
    ExplainRequest asked(default_tenant());
    served.explain = [&](const ExplainRequest& request) -> Result<Explanation> {
        asked = request;
        return Explanation{"{}", "text"};
    };
    served.open();
    const std::string gone = R"("payload":null,"expired":true)";
    const std::vector<std::string> paths{"/api/v1/events/e-1", "/api/v1/events?order_id=ORD-1",
                                         "/api/v1/reconciliation/ORD-1",
                                         "/api/v1/cases/order/ORD-1"};
    for (const auto& path : paths) {
        EXPECT_THAT(served.get(path).body, ::testing::Not(HasSubstr("expired"))) << path;
    }
    served.bench.drop_all();
    served.catch_up();
    for (const auto& path : paths) {
        const auto response = served.get(path);
        EXPECT_EQ(response.status, 200) << path << " " << response.body;
        EXPECT_THAT(response.body, HasSubstr(gone)) << path;
    }
    EXPECT_EQ(served.get("/api/v1/orders/ORD-1/explain").status, 200);
    EXPECT_EQ(served.get("/api/v1/reconciliation/ORD-1/revisions").status, 200);
    const auto token =
        model::encode_position({log::hash_of(served.bench.log->id()), at.at, at.log_time});
    const auto after = served.get("/api/v1/reconciliation/ORD-1?after=" + token);
    EXPECT_EQ(after.status, 400);
    EXPECT_THAT(after.body, HasSubstr("past retention"));
}

TEST(Expired, a_quarantined_item_reads_as_expired_when_it_has_been_kept_for_its_time) {
    Served served;
    served.options.quarantine_keep = std::chrono::hours(48);
    model::Quarantined item(default_tenant());
    item.id = "q-1234";
    item.reason = "missing_field";
    item.body = "a body";
    item.headers = R"({"x":"y"})";
    item.errors = {"amount: required, absent"};
    served.bench.append(item);
    served.open();
    served.bench.clock.advance(std::chrono::hours(48) - log::log_time_grain);
    EXPECT_THAT(served.get("/api/v1/dlq/q-1234").body, HasSubstr("a body"));
    served.bench.clock.advance(std::chrono::milliseconds(1));
    const auto expired = served.get("/api/v1/dlq/q-1234");
    EXPECT_EQ(expired.status, 200);
    EXPECT_THAT(expired.body, HasSubstr(R"("body":null,"expired":true)"));
    EXPECT_THAT(expired.body, HasSubstr("missing_field")) << "the row stays";
    EXPECT_THAT(expired.body, ::testing::Not(HasSubstr("a body")));
    EXPECT_THAT(expired.body, ::testing::Not(HasSubstr("amount: required")));
    EXPECT_THAT(served.get("/api/v1/dlq").body, HasSubstr("q-1234"));

    served.bench.append(item);  // it came again, and was kept again
    served.catch_up();
    EXPECT_THAT(served.get("/api/v1/dlq/q-1234").body, HasSubstr("a body"));
}

}  // namespace
}  // namespace helios::api
