#pragma once
/// What operators do with items of the DLQ, and what OpenAPI says of it. Looking into it is api's.

#include "gateway/dlq_items.h"
#include "gateway/gateway.h"
#include "http/route.h"

namespace helios::gateway {

class Redrives;

/// All three must outlive the table's last request.
void add_dlq_routes(http::RouteTable& routes, Gateway& gateway, DlqItems& items, Redrives& redrives,
                    WriteAudit audit);

}  // namespace helios::gateway
