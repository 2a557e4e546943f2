#pragma once
/// What the app hands to the API: the rooms it reads, and functions for what it may not know.
/// routes.cpp gives each group of routes its part; no other file of the room sees the whole.

#include <functional>
#include <span>

#include "api/about.h"
#include "api/barrier.h"
#include "api/explanation.h"
#include "api/options.h"
#include "api/progress.h"
#include "api/vitals.h"
#include "api/web_assets.h"
#include "base/clock.h"
#include "log/log.h"
#include "store/queries.h"
#include "telemetry/telemetry.h"

namespace helios::api {

/// What is referred to outlives the route table and its server; the rest is copied.
struct Dependencies {
    const Options& options;
    const About& about;
    log::Log& log;
    store::Queries& store;
    const Barrier& barrier;
    const Progress& progress;
    const Vitals& vitals;
    telemetry::Telemetry& telemetry;
    const Clock& clock;
    Explain explain;                   ///< absent: the endpoint answers 503
    std::span<const WebAsset> assets;  ///< web_assets()
    /// For how long a thread that serves requests has not come by; absent: nobody looks.
    std::function<Duration()> silence{};
};

}  // namespace helios::api
