#pragma once
/// The gateway's endpoints and what OpenAPI says of them.

#include "gateway/gateway.h"
#include "http/route.h"

namespace helios::gateway {

/// Adds the webhooks, direct ingest, batch ingest and the clouds' health. The gateway must outlive
/// the table's last request.
void add_routes(http::RouteTable& routes, Gateway& gateway);

}  // namespace helios::gateway
