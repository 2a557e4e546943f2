#pragma once
/// The read side over HTTP: verdicts, events, quarantine, completeness, health, documentation.
/// Every route brings its own documentation; /openapi.json is made of them.
///
/// Handlers translate: parameters in, one question to the store, JSON out. Only GET: nothing here
/// changes anything.

#include "api/dependencies.h"
#include "http/route.h"

namespace helios::api {

/// Adds every route. The table must outlive its server and must not move: /openapi.json is made of
/// it at the first request, whoever adds routes after this call included.
void add_routes(http::RouteTable& table, const Dependencies& dependencies);

/// The `components` object of the OpenAPI document: schemas that routes refer to as
/// {"$ref":"#/components/schemas/Name"}.
std::string_view openapi_components();

}  // namespace helios::api
