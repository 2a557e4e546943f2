#pragma once
/// What operators do with handshakes of Event Grid that wait for them.

#include "gateway/dlq_items.h"
#include "gateway/gateway.h"
#include "http/route.h"

namespace helios::gateway {

/// The gateway outlives the routes.
void add_handshake_routes(http::RouteTable& routes, Gateway& gateway, WriteAudit audit);

}  // namespace helios::gateway
