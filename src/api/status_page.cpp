/// GET /: who is there. JSON for programs, a plain page with links for browsers (the console comes
/// later).

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/accept.h"
#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

struct Link {
    std::string_view name;
    std::string_view path;
    std::string_view what;
};

constexpr std::array<Link, 10> links{{
    {"docs", "/docs", "API, to try out"},
    {"redoc", "/redoc", "API reference"},
    {"mismatches", "/api/v1/reconciliation/mismatches", "cases that are partial or mismatched"},
    {"cases", "/api/v1/reconciliation/cases", "cases of every status"},
    {"stats", "/api/v1/reconciliation/stats", "figures"},
    {"events", "/api/v1/events", "accepted events"},
    {"dlq", "/api/v1/dlq", "quarantine"},
    {"counts", "/api/v1/counts", "completeness per source and minute"},
    {"health", "/api/v1/health", "health in detail"},
    {"metrics", "/metrics", "Prometheus metrics"},
}};

constexpr std::string_view no_figures_yet =
    "<p>Figures come once this server has taken in what its log holds.</p>";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

http::Response status_json(const About& about, const Progress& progress, const TenantId& tenant) {
    const auto outcomes = progress.run_checks();
    const bool good = std::all_of(outcomes.begin(), outcomes.end(),
                                  [](const auto& o) { return o.status.has_value(); });
    json::Writer out;
    out.begin_object()
        .field("name", "Helios")
        .field("version", about.version)
        .field("status", good ? "running" : "not ready");
    out.field("ephemeral", about.ephemeral).key("flows").begin_array();
    for (const auto& flow : about.flows_of(tenant)) {
        out.string(flow);
    }
    out.end_array().key("links").begin_object().field("openapi", "/openapi.json");
    for (const auto& link : links) {
        out.field(link.name, link.path);
    }
    return http::Response::json(200, out.end_object().end_object().take());
}

std::string figures(store::Queries& rows, const TenantId& tenant, Instant now) {
    store::StatsFilter filter(tenant);
    filter.reconciled.start = now - std::chrono::hours(24);
    const auto stats = rows.stats(filter);
    if (!stats) {
        return fmt::format("<p>No figures: {}</p>", escaped(stats.error().message()));
    }
    std::string lines;
    for (std::size_t i = 0; i < stats->by_status.size(); ++i) {
        lines += fmt::format("<tr><td>{}</td><td class=n>{}</td></tr>",
                             model::to_string(static_cast<model::VerdictStatus>(i)),
                             stats->by_status[i]);
    }
    for (const auto& money : stats->at_risk) {
        lines += fmt::format("<tr><td>at risk</td><td class=n>{} {}</td></tr>",
                             escaped(money.amount), escaped(money.currency));
    }
    return fmt::format("<h2>Verdicts of the last 24 hours</h2><table>{}</table>", lines);
}

http::Response status_html(const About& about, const Progress& progress, std::string_view figures) {
    std::string checks;
    for (const auto& outcome : progress.run_checks()) {
        checks += fmt::format("<tr><td>{}</td><td>{}</td></tr>", escaped(outcome.name),
                              outcome.status ? "ok" : escaped(outcome.status.error().message()));
    }
    std::string list;
    for (const auto& link : links) {
        list += fmt::format("<li><a href=\"{0}\">{0}</a> {1}</li>", link.path, link.what);
    }
    auto response = http::Response::html(
        200,
        fmt::format("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                    "name=\"viewport\" "
                    "content=\"width=device-width, initial-scale=1\"><title>Helios</title>"
                    "<link rel=\"icon\" href=\"/favicon.ico\">"
                    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem "
                    "auto;padding:0 "
                    "1rem}}table{{border-collapse:collapse}}"
                    "td{{padding:.2rem .8rem .2rem "
                    "0;vertical-align:top}}.n{{text-align:right;font-variant-numeric:tabular-nums}}"
                    "</style></head>"
                    "<body><h1>Helios {}</h1>{}<h2>Ready</h2><table>{}</table>{}<h2>Where to "
                    "go</h2><ul>{}</ul></body></html>\n",
                    escaped(about.version),
                    about.ephemeral
                        ? "<p><strong>Ephemeral: nothing here survives this process.</strong></p>"
                        : "",
                    checks, figures, list));
    response.with("Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors "
                  "'none'; base-uri 'none'");
    return response;
}

}  // namespace

void add_status_page(http::RouteTable& table, const About& about, const Progress& progress,
                     store::Queries& rows, const Clock& clock) {
    auto route =
        get("/", "getStatus", "System", "Who is there",
            [&about, &progress, &rows, &clock](const http::Request& request,
                                               const Caller& caller) -> Result<http::Response> {
                const auto figures_now = [&] {
                    return progress.answerable() ? figures(rows, caller.tenant, clock.wall())
                                                 : std::string(no_figures_yet);
                };
                auto response = prefers(request, "text/html", "application/json")
                                    ? status_html(about, progress, figures_now())
                                    : status_json(about, progress, caller.tenant);
                response.with("Vary", "Accept");
                return response;
            });
    route.description = "A page for browsers (`Accept: text/html`), JSON for everybody else.";
    route.access = http::Access::everyone;
    route.query_checked = false;
    http::Answer html;
    html.status = 200;
    html.description = "The status.";
    html.media_type = "text/html";
    html.schema = R"({"type":"string"})";
    add_answers(route, {answer(200, "The status.", "ServerStatus"), std::move(html)});
    table.add(std::move(route));
}

}  // namespace helios::api
