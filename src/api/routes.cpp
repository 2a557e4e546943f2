#include "api/routes.h"

#include "api/endpoint.h"
#include "base/assert.h"

namespace helios::api {

void add_routes(http::RouteTable& table, const Dependencies& dependencies) {
    HELIOS_ASSERT(dependencies.options.validate().has_value(),
                  "options were validated by whoever read them");
    const auto shared = std::make_shared<const Dependencies>(dependencies);
    add_reconciliation_routes(table, shared);
    add_explain_route(table, shared);
    add_event_routes(table, shared);
    add_quarantine_routes(table, shared);
    add_system_routes(table, shared);
    add_stream_route(table, shared);
    add_status_page(table, shared);
    add_documentation_routes(table, shared);
}

}  // namespace helios::api
