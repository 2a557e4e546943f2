/// /openapi.json and the two pages that show it. The pages load nothing from any other host.

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <vector>

#include "api/route_groups.h"
#include "api/routes.h"
#include "base/hash.h"
#include "http/coding.h"

namespace helios::api {

extern const std::string_view favicon;  // favicon.ico

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
<title>Helios API</title><link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
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
<title>Helios API reference</title><link rel="icon" href="/favicon.ico"><style>body{margin:0}</style></head>
<body><div id="redoc"></div><noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/redoc/redoc.standalone.js"></script><script src="/redoc/start.js"></script></body></html>
)";

constexpr std::string_view redoc_start =
    R"(Redoc.init('/openapi.json', {disableSearch: false, hideDownloadButton: false}, document.getElementById('redoc'));
)";

/// Where a file is served: under a name that changes with its bytes, so that it may be kept for
/// ever. Licences have the name under which the files that they are for point at them.
std::string path_of(const WebAsset& asset) {
    if (asset.path.ends_with(".txt")) {
        return std::string(asset.path);
    }
    constexpr std::size_t digits = 12;
    const auto dot = asset.path.rfind('.');
    return fmt::format("{}.{}{}", asset.path.substr(0, dot),
                       to_hex(sha256_128(asset.bytes)).substr(0, digits), asset.path.substr(dot));
}

http::Response asset_response(const http::Request& request, const WebAsset& asset) {
    auto response = http::Response::empty(200);
    response.with("Content-Type", std::string(asset.media_type))
        .with("Cache-Control", asset.path.ends_with(".txt")
                                   ? "public, max-age=3600"
                                   : "public, max-age=31536000, immutable");
    response.body = asset.bytes;
    if (!asset.gzip.empty() || !asset.brotli.empty()) {
        http::vary_by(response, "Accept-Encoding");
    }
    if (!asset.brotli.empty() && http::accepts_coding(request, "br")) {
        response.with("Content-Encoding", "br").body = asset.brotli;
    } else if (!asset.gzip.empty() && http::accepts_coding(request, "gzip")) {
        response.with("Content-Encoding", "gzip").body = asset.gzip;
    }
    return response;
}

/// `html`, with each file under the name that it is served by.
std::string with_paths(std::string_view html, std::span<const WebAsset> assets) {
    std::string out(html);
    for (const auto& asset : assets) {
        const auto quoted = fmt::format("\"{}\"", asset.path);
        if (const auto at = out.find(quoted); at != std::string::npos) {
            out.replace(at, quoted.size(), fmt::format("\"{}\"", path_of(asset)));
        }
    }
    return out;
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

/// What people type, and browsers ask for by themselves.
http::Route moved(std::string path, std::string_view to) {
    return hidden(std::move(path),
                  [to](const http::Request&, const Caller&) -> Result<http::Response> {
                      return http::Response::empty(308).with("Location", std::string(to));
                  });
}

/// The document, made at the first request: by then every room has added its routes.
class OpenapiDocument {
public:
    http::Response answer(const http::Request& request, const http::RouteTable& table,
                          std::string_view version) {
        std::call_once(once_, [&] {
            text_ = table.openapi("Helios API", version, description, openapi_components()) + "\n";
            coded_ = http::gzip(text_, 9);
        });
        const bool coded = http::accepts_coding(request, "gzip");
        auto response = http::Response::json(200, coded ? coded_ : text_);
        response.with("Cache-Control", "no-cache");
        if (coded) {
            response.with("Content-Encoding", "gzip");
        }
        http::vary_by(response, "Accept-Encoding");
        return http::with_etag(request, std::move(response));
    }

private:
    std::once_flag once_;
    std::string text_;
    std::string coded_;
};

}  // namespace

void add_documentation_routes(http::RouteTable& table, std::string version,
                              std::span<const WebAsset> assets) {
    auto document = std::make_shared<OpenapiDocument>();
    auto openapi = get(
        "/openapi.json", "getOpenapi", "System", "This document",
        [version = std::move(version), document, &table](const http::Request& request,
                                                         const Caller&) -> Result<http::Response> {
            return document->answer(request, table, version);
        },
        false);
    openapi.access = http::Access::everyone;
    openapi.query_checked = false;
    http::Answer object;
    object.status = 200;
    object.description = "OpenAPI 3.1.";
    object.schema = R"({"type":"object"})";
    http::Answer unchanged;
    unchanged.status = 304;
    unchanged.description = "`If-None-Match` names what this is still.";
    unchanged.media_type.clear();
    add_answers(openapi, {std::move(object), std::move(unchanged)});
    table.add(std::move(openapi));

    std::vector<WebAsset> all(assets.begin(), assets.end());
    constexpr std::string_view script = "text/javascript; charset=utf-8";
    all.push_back({"/docs/start.js", script, swagger_start});
    all.push_back({"/redoc/start.js", script, redoc_start});
    table.add(hidden("/docs",
                     [assets, html = with_paths(swagger_page, all)](
                         const http::Request&, const Caller&) -> Result<http::Response> {
                         return page(assets, html,
                                     {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"});
                     }));
    table.add(hidden("/redoc",
                     [assets, html = with_paths(redoc_page, all)](
                         const http::Request&, const Caller&) -> Result<http::Response> {
                         return page(assets, html, {"/redoc/redoc.standalone.js"});
                     }));
    table.add(moved("/docs/", "/docs"));
    table.add(moved("/redoc/", "/redoc"));
    table.add(
        hidden("/favicon.ico", [](const http::Request&, const Caller&) -> Result<http::Response> {
            auto response = http::Response::empty(200);
            response.body = favicon;
            response.with("Content-Type", "image/x-icon")
                .with("Cache-Control", "public, max-age=86400");
            return response;
        }));
    for (const WebAsset& asset : all) {
        table.add(
            hidden(path_of(asset),
                   [asset](const http::Request& request, const Caller&) -> Result<http::Response> {
                       return asset_response(request, asset);
                   }));
    }
}

}  // namespace helios::api
