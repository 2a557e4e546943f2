#pragma once
/// The gateway's endpoints and what OpenAPI says of them.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "http/route.h"

namespace helios::gateway {

/// How it stands with a queue that we fetch ourselves.
struct PullReport {
    std::string name;                  ///< a cloud's, or one of its own
    std::string source;                ///< of its events
    SourceActivity activity;           ///< what came by it
    std::optional<std::uint64_t> lag;  ///< messages that wait; absent: the cloud does not say
    std::optional<Duration> oldest;    ///< age of the oldest that came last; absent: not known
    std::string last_error;            ///< why it can't be fetched now; empty: it can
};
/// Of all of them. Called on any thread.
using PullReports = std::function<std::vector<PullReport>()>;

/// Adds the webhooks, direct ingest, batch ingest and the clouds' health. The gateway must outlive
/// the table's last request.
void add_routes(http::RouteTable& routes, Gateway& gateway, PullReports pulls = {});

}  // namespace helios::gateway
