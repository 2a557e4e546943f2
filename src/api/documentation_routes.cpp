/// /openapi.json and the two pages that show it. The pages load nothing from any other host.

#include <algorithm>
#include <fmt/format.h>
#include <mutex>

#include "api/route_groups.h"
#include "api/routes.h"

namespace helios::api {
namespace {

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";  // inline styles: both pages
                                                                    // create them; scripts never
                                                                    // are

constexpr std::string_view description =
    "Helios says for every order whether every cloud agrees, why not, and what it costs. Events go "
    "in over `/api/v1/webhooks/…` "
    "and `/api/v1/events/…`; verdicts come out here. "
    "Errors are `application/problem+json`. Times are RFC 3339, UTC.\n\n"
    "Nothing is told by halves. From the start of the server until `/ready` is first 200, what is "
    "derived from the log answers "
    "503 "
    "with `Retry-After`. From then on, one case or one event is answered after everything "
    "acknowledged before the request has "
    "been "
    "taken in (at most a second, else 503); lists and figures answer at once, and their `asOf` "
    "says up to which log time they "
    "are "
    "complete. Lists page with `nextCursor`; `position` of an ingest answer, passed as `after`, "
    "makes a list wait for that "
    "event.";

constexpr std::string_view swagger_page = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Helios API</title><link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
)";

// No validator: it would send the document to a foreign host.
constexpr std::string_view swagger_start = R"(window.ui = SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis], layout: 'BaseLayout'
});
)";

constexpr std::string_view redoc_page = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Helios API reference</title><style>body{margin:0}</style></head>
<body><div id="redoc"></div><noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/redoc/redoc.standalone.js"></script><script src="/redoc/start.js"></script></body></html>
)";

constexpr std::string_view redoc_start =
    R"(Redoc.init('/openapi.json', {disableSearch: false, hideDownloadButton: false}, document.getElementById('redoc'));
)";

http::Response asset_response(std::string_view media_type, std::string_view bytes) {
    auto response = http::Response::empty(200);
    response.body = bytes;
    response.with("Content-Type", std::string(media_type))
        .with("Cache-Control", "public, max-age=3600");
    return response;
}

bool has_asset(std::span<const WebAsset> assets, std::string_view path) {
    return std::any_of(assets.begin(), assets.end(),
                       [&](const WebAsset& asset) { return asset.path == path; });
}

/// The page, or one that says which of its files this program was built without.
http::Response page(std::span<const WebAsset> assets, std::string_view html,
                    std::initializer_list<std::string_view> files) {
    std::string missing;
    for (const auto file : files) {
        if (!has_asset(assets, file)) {
            missing += fmt::format("<li><code>{}</code></li>", file);
        }
    }
    auto response =
        missing.empty()
            ? http::Response::html(200, std::string(html))
            : http::Response::html(
                  503, fmt::format("<!doctype html><html lang=\"en\"><meta "
                                   "charset=\"utf-8\"><title>Helios API</title><h1>This "
                                   "page lacks its files</h1>"
                                   "<p>This Helios was built without:</p><ul>{}</ul><p>Run "
                                   "<code>./dev setup</code> where npm "
                                   "can reach its registry, then build "
                                   "again. The document itself is at <a "
                                   "href=\"/openapi.json\">/openapi.json</a>.</p></html>\n",
                                   missing));
    response.with("Content-Security-Policy", std::string(page_policy));
    return response;
}

http::Route hidden(std::string path, Answering answering) {
    auto route = get(std::move(path), "", "", "", std::move(answering), false);
    route.hidden = true;
    route.access = http::Access::everyone;
    route.query_checked = false;
    return route;
}

/// The document, made at the first request: by then every room has added its routes.
class OpenapiDocument {
public:
    const std::string& text(const http::RouteTable& table, std::string_view version) {
        std::call_once(once_, [&] {
            text_ = table.openapi("Helios API", version, description, openapi_components());
        });
        return text_;
    }

private:
    std::once_flag once_;
    std::string text_;
};

}  // namespace

void add_documentation_routes(http::RouteTable& table, std::string version,
                              std::span<const WebAsset> assets) {
    auto document = std::make_shared<OpenapiDocument>();
    auto openapi = get(
        "/openapi.json", "getOpenapi", "System", "This document",
        [version = std::move(version), document, &table](const http::Request&,
                                                         const Caller&) -> Result<http::Response> {
            return http::Response::json(200, document->text(table, version));
        },
        false);
    openapi.access = http::Access::everyone;
    openapi.query_checked = false;
    http::Answer object;
    object.status = 200;
    object.description = "OpenAPI 3.1.";
    object.schema = R"({"type":"object"})";
    add_answers(openapi, {std::move(object)});
    table.add(std::move(openapi));

    table.add(
        hidden("/docs", [assets](const http::Request&, const Caller&) -> Result<http::Response> {
            return page(assets, swagger_page,
                        {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"});
        }));
    table.add(
        hidden("/redoc", [assets](const http::Request&, const Caller&) -> Result<http::Response> {
            return page(assets, redoc_page, {"/redoc/redoc.standalone.js"});
        }));
    table.add(
        hidden("/docs/start.js", [](const http::Request&, const Caller&) -> Result<http::Response> {
            return asset_response("text/javascript; charset=utf-8", swagger_start);
        }));
    table.add(hidden("/redoc/start.js",
                     [](const http::Request&, const Caller&) -> Result<http::Response> {
                         return asset_response("text/javascript; charset=utf-8", redoc_start);
                     }));
    for (const WebAsset& asset : assets) {
        table.add(hidden(std::string(asset.path),
                         [asset](const http::Request&, const Caller&) -> Result<http::Response> {
                             return asset_response(asset.media_type, asset.bytes);
                         }));
    }
}

}  // namespace helios::api
