#include "api/routes.h"

#include "api/route_groups.h"
#include "base/assert.h"

namespace helios::api {

void add_routes(http::RouteTable& table, const Dependencies& dependencies) {
    const auto& d = dependencies;
    HELIOS_ASSERT(d.options.validate().has_value(), "options were validated by whoever read them");
    const Consistency consistency(d.progress, d.barrier, d.options.barrier_limit);
    const Kept kept{d.store, d.log};
    const Cases cases(kept, d.about);
    add_reconciliation_routes(table, consistency, cases, d.options);
    add_stats_route(table, consistency, cases);
    add_explain_route(table, consistency, cases, d.explain);
    add_event_routes(table, consistency, kept, d.options);
    add_quarantine_routes(table, consistency, kept, d.options);
    add_probe_routes(table, d.vitals, d.silence);
    add_health_route(table, d.about, d.vitals, d.clock);
    add_metrics_route(table, d.telemetry.metrics);
    add_flows_route(table, consistency, d.about, d.store);
    add_counts_route(table, consistency, d.store, d.clock);
    add_stream_route(table, consistency, cases,
                     std::make_shared<Stream>(d.options, d.log, d.telemetry));
    add_status_page(table, d.about, d.progress, d.store, d.clock);
    add_documentation_routes(table, d.about.version, d.assets);
}

}  // namespace helios::api
