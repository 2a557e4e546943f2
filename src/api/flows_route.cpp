/// /api/v1/flows: the versions that were activated.

#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

Result<http::Response> answer_flows(const Consistency& consistency, const About& about,
                                    store::Queries& rows, const Caller& caller) {
    const Instant as_of = consistency.stored_before();
    HELIOS_TRY_ASSIGN(const auto versions, rows.flows(caller.tenant));
    const auto* primary = about.primary_flow(caller.tenant);
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (std::size_t i = 0; i < versions.size(); ++i) {
        const auto& row = versions[i];
        const bool active = i + 1 == versions.size() || versions[i + 1].flow != row.flow;
        out.begin_object()
            .field("flow", row.flow)
            .field("version", std::uint64_t{row.version})
            .field("active", active);
        out.field("primary", active && primary != nullptr && *primary == row.flow)
            .field("activatedAt", format_rfc3339(row.activated_at));
        out.field("hash", row.hash).field("text", row.text).end_object();
    }
    out.end_array();
    write_as_of(out, as_of);
    return http::Response::json(200, out.end_object().take());
}

}  // namespace

void add_flows_route(http::RouteTable& table, const Consistency& consistency, const About& about,
                     store::Queries& rows) {
    auto route = get(consistency, http::Reads::list, "/api/v1/flows", "listFlows", "System",
                     "Activated flow versions",
                     [consistency, &about, &rows](const http::Request&, const Caller& caller) {
                         return answer_flows(consistency, about, rows, caller);
                     });
    route.description =
        "By flow, then activation; `active` marks the one that new cases open under.";
    add_answers(
        route,
        {answer(
            200, "The versions, with their text.", "FlowList",
            R"({"items":[{"flow":"order","version":1,"active":true,"primary":true,)"
            R"("activatedAt":"2026-01-05T10:00:00.000Z","hash":"5f2c","text":"flow: order\n"}],)"
            R"("asOf":"2026-01-05T10:23:48.120Z"})")});
    table.add(std::move(route));
}

}  // namespace helios::api
