#pragma once
/// The groups of routes, and what each needs. routes.cpp adds them all. Private to the room.
///
/// What is passed by reference outlives the routes; the rest is copied.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "api/about.h"
#include "api/consistency.h"
#include "api/endpoint.h"
#include "api/explanation.h"
#include "api/kept.h"
#include "api/lookup.h"
#include "api/options.h"
#include "api/stream.h"
#include "api/vitals.h"
#include "api/web_assets.h"
#include "base/clock.h"
#include "http/route.h"

namespace helios::api {

void add_reconciliation_routes(http::RouteTable& table, const Consistency& consistency,
                               const Cases& cases, const Options& options);
void add_stats_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases);
void add_explain_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases,
                       Explain explain);
void add_event_routes(http::RouteTable& table, const Consistency& consistency, const Kept& kept,
                      const Options& options);
void add_quarantine_routes(http::RouteTable& table, const Consistency& consistency,
                           const Kept& kept, const Options& options);
void add_probe_routes(http::RouteTable& table, const Vitals& vitals,
                      std::function<Duration()> silence);
void add_health_route(http::RouteTable& table, const About& about, const Vitals& vitals,
                      const Clock& clock);
void add_metrics_route(http::RouteTable& table, const telemetry::Metrics& metrics);
void add_flows_route(http::RouteTable& table, const Consistency& consistency, const About& about,
                     store::Queries& rows);
void add_counts_route(http::RouteTable& table, const Consistency& consistency, store::Queries& rows,
                      const Clock& clock);
void add_stream_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases,
                      std::shared_ptr<Stream> stream);
void add_status_page(http::RouteTable& table, const About& about, const Progress& progress,
                     store::Queries& rows, const Clock& clock);
void add_documentation_routes(http::RouteTable& table, std::string version,
                              std::span<const WebAsset> assets);

}  // namespace helios::api
