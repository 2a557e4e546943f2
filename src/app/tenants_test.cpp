/// Two tenants whose events, cases, quarantine, flows and counts bear the same names: every route,
/// asked as one of them, tells nothing of the other.

#include <gtest/gtest.h>
#include <string>

#include "api/test_kit.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

using api::testing::Served;

Caller caller_of(std::string_view tenant) {
    Caller caller = local_caller();
    caller.tenant = *TenantId::parse(tenant);
    return caller;
}

/// Everything that the store keeps of a tenant, with a word in it that is his alone.
void append_all(Served& served, const TenantId& tenant, const std::string& word) {
    auto& bench = served.bench;
    model::Event event(tenant);
    event.source = "aws";
    event.scope = word;
    event.id = "event-1";
    event.type = "OrderPlaced";
    event.key = "ORD-1";
    event.payload = R"({"orderId":"ORD-1","customerId":"C","note":")" + word + "\"}";
    const auto position = bench.append(event);

    model::LegRecord leg(tenant);
    leg.flow = "order";
    leg.flow_version = 2;
    leg.key = "ORD-1";
    leg.leg = "order";
    leg.event = position.at;
    leg.event_id = word;
    leg.at = position.log_time;
    bench.append(model::CaseRecord(leg), model::case_log_key(tenant, "order", "ORD-1"));

    model::FlowRecord flow(tenant);
    flow.flow = "order";
    flow.version = 2;
    flow.text = word;
    for (std::uint32_t partition = 0; partition < bench.log->partition_count(model::topic::cases);
         ++partition) {
        bench.append(model::CaseRecord(flow), "", partition);
    }

    model::Verdict verdict(tenant);
    verdict.flow = "order";
    verdict.flow_version = 2;
    verdict.key = "ORD-1";
    verdict.status = model::VerdictStatus::mismatched;
    verdict.findings.push_back(store::testing::a_finding(model::FindingKind::amount));
    verdict.findings.back().detail = word;
    verdict.events.push_back(
        {"order", "event-1", "aws", "OrderPlaced", {}, position.log_time, leg.event});
    verdict.at_risk = {{word.substr(0, 3), "1.00"}};
    verdict.opened_at = position.log_time;
    verdict.deadline = position.log_time + std::chrono::seconds(60);
    verdict.reconciled_at = verdict.at = position.log_time;
    bench.append(verdict);
    verdict.flow = "flow-" + word;
    bench.append(verdict);

    model::Quarantined item(tenant);
    item.id = uuid5(word);
    item.source = "gcp";
    item.reason = "missing_field";
    item.detail = word;
    item.key = "ORD-1";
    item.body = word;
    item.headers = "{}";
    bench.append(item);

    model::FlowActivation activation(tenant);
    activation.flow = "order";
    activation.version = 2;
    activation.text = reconcile::shipped_order_flow();
    activation.text += "\n# " + word + "\n";
    activation.hash = word;
    bench.append(activation);

    model::Counts counts(tenant);
    counts.hop = "gateway";
    counts.source = word;
    counts.minute = store::testing::epoch_of_tests;
    counts.deltas["received"] = 1;
    bench.append(counts);
}

std::string target_of(const http::Route& route, const std::string& word) {
    std::string target = route.path;
    const std::pair<const char*, std::string> names[] = {
        {"{orderId}", "ORD-1"},   {"{key}", "ORD-1"},       {"{flow}", "order"},
        {"{eventId}", "event-1"}, {"{dlqId}", uuid5(word)}, {"{id}", uuid5(word)}};
    for (const auto& [name, value] : names) {
        if (const auto at = target.find(name); at != std::string::npos) {
            target.replace(at, std::string_view(name).size(), value);
        }
    }
    if (target == "/api/v1/cases/order") {
        target += "?key=ORD-1";
    }
    if (target == "/api/v1/counts") {
        target += "?start_time=2020-01-01T00:00:00Z";
    }
    return target;
}

std::vector<std::string> filters_of(const http::Route& route) {
    if (route.path == "/api/v1/events") {
        return {"?order_id=ORD-1", "?event_type=OrderPlaced", "?source=aws",
                "?order_id=ORD-1&source=aws&start_time=2020-01-01T00:00:00Z"};
    }
    if (route.path == "/api/v1/dlq") {
        return {"?order_id=ORD-1", "?source=gcp", "?reason=missing_field"};
    }
    if (route.path == "/api/v1/reconciliation/mismatches") {
        return {"?status=mismatched", "?kind=amount", "?flow=order"};
    }
    if (route.path == "/api/v1/reconciliation/cases") {
        return {"?status=mismatched", "?kind=amount", "?by=reconciled&kind=amount", "?flow=order"};
    }
    return {};
}

TEST(Tenants, no_route_tells_one_of_the_other) {
    Served served;
    gateway::Rig rig;
    rig.open();
    const std::string words[] = {"ONE-of-default", "TWO-of-second"};
    const char* const tenants[] = {"default", "second"};
    append_all(served, *TenantId::parse(tenants[0]), words[0]);
    append_all(served, *TenantId::parse(tenants[1]), words[1]);
    for (const auto* tenant : tenants) {
        served.about.flows[*TenantId::parse(tenant)] = {"order"};
    }
    served.explain = [](const api::ExplainRequest& asked) -> Result<api::Explanation> {
        std::string all;
        for (const auto& revision : asked.revisions) {
            all += revision.findings.at(0).detail;
        }
        for (const auto& record : asked.records) {
            if (const auto* leg = std::get_if<model::LegRecord>(&record)) {
                all += leg->event_id;
            } else if (const auto* flow = std::get_if<model::FlowRecord>(&record)) {
                all += flow->text;
            }
        }
        for (const auto& row : asked.quarantined) {
            all += row.detail;
        }
        return api::Explanation{"\"" + all + "\"", all};
    };
    served.open();
    gateway::add_routes(served.table, *rig.gateway);
    std::size_t telling = 0;
    for (const std::size_t me : {0u, 1u}) {
        served.caller = caller_of(tenants[me]);
        for (const auto& route : served.table.routes()) {
            if (route.method != http::Method::get || route.websocket || route.hidden) {
                continue;
            }
            for (const auto& query : filters_of(route)) {
                const auto target = target_of(route, words[me]) + query;
                EXPECT_EQ(served.get(target).body.find(words[1 - me]), std::string::npos) << target;
            }
            const auto response = served.get(target_of(route, words[me]));
            EXPECT_EQ(response.body.find(words[1 - me]), std::string::npos)
                << route.path << response.body;
            EXPECT_EQ(response.body.find(words[1 - me].substr(0, 3) + "\""), std::string::npos)
                << route.path;
            telling += response.body.find(words[me]) != std::string::npos ||
                       response.body.find(words[me].substr(0, 3) + "\"") != std::string::npos;
        }
        const auto stats = served.get("/api/v1/reconciliation/stats");
        EXPECT_EQ(api::testing::parsed(stats).root().find("decided").raw(), "2") << stats.body;
        const auto others = served.get("/api/v1/dlq/" + uuid5(words[1 - me]));
        EXPECT_EQ(others.status, 404) << others.body;
        const auto prefix = served.get("/api/v1/dlq/" + uuid5(words[1 - me]).substr(0, 12));
        EXPECT_EQ(prefix.status, 404) << prefix.body;
    }
    EXPECT_EQ(telling, 2u * 14) << "each that reads what is kept shows its own";
    served.caller = caller_of("third");
    for (const auto& route : served.table.routes()) {
        if (route.method == http::Method::get && !route.websocket && !route.hidden) {
            const auto response = served.get(target_of(route, words[0]));
            EXPECT_EQ(response.body.find("ONE"), std::string::npos) << route.path << response.body;
            EXPECT_EQ(response.body.find("TWO"), std::string::npos) << route.path << response.body;
        }
    }
}

TEST(Tenants, each_has_a_primary_flow_of_its_own) {
    Served served;
    served.about.flows = {{default_tenant(), {"order"}}, {*TenantId::parse("second"), {"refund"}}};
    for (const char* const tenant : {"default", "second"}) {
        append_all(served, *TenantId::parse(tenant), tenant);
    }
    served.open();
    const auto primary = [&](std::string_view tenant) {
        served.caller = caller_of(tenant);
        return api::testing::parsed(served.get("/api/v1/reconciliation/none"));
    };
    EXPECT_EQ(primary("default").root().find("flow").text(), "order");
    EXPECT_EQ(api::testing::parsed(served.get("/")).root().find("flows").raw(), R"(["order"])");
    EXPECT_NE(served.get("/api/v1/flows").body.find(R"("primary":true)"), std::string::npos);
    EXPECT_EQ(primary("second").root().find("flow").text(), "refund");
    EXPECT_EQ(api::testing::parsed(served.get("/")).root().find("flows").raw(), R"(["refund"])");
    EXPECT_EQ(served.get("/api/v1/flows").body.find(R"("primary":true)"), std::string::npos);
    EXPECT_EQ(primary("third").root().find("status").raw(), "400");
    EXPECT_EQ(api::testing::parsed(served.get("/")).root().find("flows").raw(), "[]");
}

}  // namespace
}  // namespace helios::app
