/// /api/v1/counts: completeness, per hop, source and minute.

#include <chrono>
#include <map>

#include "api/page.h"
#include "api/route_groups.h"
#include "base/json.h"

namespace helios::api {
namespace {

constexpr Duration counts_default_range = std::chrono::hours(1);

/// source → hop → counter → sum.
using Totals = std::map<std::string, std::map<std::string, std::map<std::string, std::uint64_t>>>;

void write_hops(json::Writer& out,
                const std::map<std::string, std::map<std::string, std::uint64_t>>& hops) {
    out.key("hops").begin_object();
    for (const auto& [hop, counters] : hops) {
        out.key(hop).begin_object();
        for (const auto& [counter, value] : counters) {
            out.field(counter, value);
        }
        out.end_object();
    }
    out.end_object();
}

Result<std::string> render_counts(store::Queries& queries, const store::CountFilter& filter,
                                  const std::vector<store::CountRow>& rows, Instant as_of) {
    const auto& range = filter.minutes;
    std::map<std::pair<Instant, std::string>,
             std::map<std::string, std::map<std::string, std::uint64_t>>>
        minutes;
    Totals totals;
    for (const auto& row : rows) {
        minutes[{row.minute, row.source}][row.hop][row.counter] += row.value;
        totals[row.source][row.hop][row.counter] += row.value;
    }
    json::Writer out;
    out.begin_object();
    if (range.start) {
        out.field("startTime", format_rfc3339(*range.start));
    }
    if (range.end) {
        out.field("endTime", format_rfc3339(*range.end));
    }
    out.key("totals").begin_array();
    for (const auto& [source, hops] : totals) {
        out.begin_object().field("source", source);
        write_hops(out, hops);
        out.end_object();
    }
    out.end_array().key("items").begin_array();
    for (const auto& [id, hops] : minutes) {
        out.begin_object().field("minute", format_rfc3339(id.first)).field("source", id.second);
        write_hops(out, hops);
        out.end_object();
    }
    out.end_array();
    write_as_of(out, as_of);
    if (rows.empty()) {
        HELIOS_TRY(write_spelling_hint(out, queries, filter.tenant, SourcesOf::all, filter.source));
    }
    return out.end_object().take();
}

Result<http::Response> answer_counts(const Consistency& consistency, store::Queries& rows,
                                     const Clock& clock, const http::Request& request,
                                     const Caller& caller) {
    QueryReader query(request);
    store::CountFilter filter(caller.tenant);
    HELIOS_TRY_ASSIGN(filter.minutes, query.range());
    filter.source = query.text("source");
    if (!filter.minutes.start && !filter.minutes.end) {
        filter.minutes.start =
            std::chrono::floor<std::chrono::minutes>(clock.wall() - counts_default_range);
    }
    const Instant as_of = consistency.stored_before();
    HELIOS_TRY_ASSIGN(const auto counts, rows.counts(filter));
    HELIOS_TRY_ASSIGN(auto body, render_counts(rows, filter, counts, as_of));
    return http::Response::json(200, std::move(body));
}

}  // namespace

void add_counts_route(http::RouteTable& table, const Consistency& consistency, store::Queries& rows,
                      const Clock& clock) {
    auto route =
        get(consistency, http::Reads::list, "/api/v1/counts", "getCounts", "System",
            "Completeness: events per hop, source and minute",
            [consistency, &rows, &clock](const http::Request& request, const Caller& caller) {
                return answer_counts(consistency, rows, clock, request, caller);
            });
    route.description =
        "Every hop counts what passed it: gateway (received, appended, duplicate, conflict, "
        "quarantined, refused; by minute of "
        "receipt), route (judged) and store (stored), by minute of log "
        "time. Over a range that is over, appended = judged = stored, but for events on its edges. "
        "Without a range: the last "
        "hour.";
    route.params = range_params();
    route.params.push_back(query_param("source", "Only this source."));
    add_answers(
        route,
        {answer(
             200, "Sums per source, and per minute.", "Counts",
             R"({"startTime":"2026-01-05T09:23:00.000Z","totals":[{"source":"aws",)"
             R"("hops":{"gateway":{"received":3,"appended":3},"route":{"judged":3},"store":{"stored":3}}}],)"
             R"("items":[],"asOf":"2026-01-05T10:23:48.120Z"})"),
         http::problem_answer(400, "A parameter is wrong, or the range holds too many counters.")});
    table.add(std::move(route));
}

}  // namespace helios::api
