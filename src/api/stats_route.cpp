/// /api/v1/reconciliation/stats: figures over decided cases, of a range and of each stretch of it.

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>

#include "api/page.h"
#include "api/route_groups.h"
#include "base/assert.h"

namespace helios::api {
namespace {

constexpr std::string_view stats_example =
    R"({"status":{"pending":1,"matched":96,"partial":2,"mismatched":2},"kinds":{"missing":2,"amount":2},"decided":100,)"
    R"("matchRate":0.96,"timeToVerdictSeconds":{"mean":1.204,"p99":60.031},"atRisk":[{"currency":"USD","amount":"2598.00"}],)"
    R"("asOf":"2026-01-05T10:23:48.120Z"})";

/// What ?bucket= may say, shortest first.
struct Bucket {
    std::string_view word;
    Duration length;
};
constexpr std::array buckets{
    Bucket{"30s", std::chrono::seconds(30)}, Bucket{"1m", std::chrono::minutes(1)},
    Bucket{"5m", std::chrono::minutes(5)}, Bucket{"1h", std::chrono::hours(1)}};
constexpr std::int64_t buckets_max = 1000;
constexpr std::int64_t buckets_default = 60;  ///< without start_time

/// Buckets begin at multiples of their length since 1970; times of queries are not before that.
Instant floor_to(Duration length, Instant t) {
    return t - t.time_since_epoch() % length;
}

/// How many of them [start, end) touches.
std::int64_t buckets_in(Duration length, Instant start, Instant end) {
    return start < end
               ? (floor_to(length, end - Duration{1}) - floor_to(length, start)) / length + 1
               : 0;
}

/// [start, end), each stretch in one bucket: the first and the last may be shorter. invalid: there
/// would be too many.
Result<std::vector<store::TimeRange>> cut(const Bucket& bucket, Instant start, Instant end) {
    const auto many = buckets_in(bucket.length, start, end);
    if (many > buckets_max) {
        const auto* const fits = std::ranges::find_if(buckets, [&](const Bucket& longer) {
            return buckets_in(longer.length, start, end) <= buckets_max;
        });
        return fail(ErrorKind::invalid,
                    fmt::format("this range has {} buckets of {}, at most {} are answered", many,
                                bucket.word, buckets_max),
                    fits != buckets.end()
                        ? fmt::format("ask for bucket={}, or for a shorter range", fits->word)
                        : fmt::format("ask for at most {} hours, with bucket=1h", buckets_max - 1));
    }
    std::vector<store::TimeRange> parts;
    while (start < end) {
        const Instant next = std::min(end, floor_to(bucket.length, start) + bucket.length);
        parts.push_back({start, next});
        start = next;
    }
    return parts;
}

/// What is asked for. Without an end up to the end of the bucket that holds `now`, without a start
/// the last of them.
Result<std::vector<store::TimeRange>> parts_of(const store::TimeRange& range, const Bucket& bucket,
                                               Instant now) {
    constexpr Instant first{};
    const Instant end = range.end.value_or(
        std::max(floor_to(bucket.length, now) + bucket.length, range.start.value_or(first)));
    const Instant back = end - Duration{1} - (buckets_default - 1) * bucket.length;
    const Instant start = range.start.value_or(floor_to(bucket.length, std::max(first, back)));
    return cut(bucket, start, end);
}

/// To the microsecond: what is less is how close together records were stamped.
void write_seconds(json::Writer& out, std::string_view name,
                   const std::optional<Duration>& duration) {
    out.key(name);
    if (duration) {
        const auto micros = std::chrono::round<std::chrono::microseconds>(*duration).count();
        out.real(static_cast<double>(micros) / 1e6);
    } else {
        out.null();
    }
}

/// Members of the object that `out` is in. Pending cases belong to no stretch of time.
void write_figures(json::Writer& out, const store::Stats& stats, bool with_pending) {
    const auto count = [&](model::VerdictStatus status) {
        return stats.by_status.at(static_cast<std::size_t>(status));
    };
    std::uint64_t decided = 0;
    out.key("status").begin_object();
    if (with_pending) {
        constexpr auto pending = model::VerdictStatus::pending;
        out.field(model::to_string(pending), count(pending));
    }
    for (const auto status : store::decided_statuses) {
        out.field(model::to_string(status), count(status));
        decided += count(status);
    }
    out.end_object().key("kinds").begin_object();
    for (std::size_t i = 0; i < stats.by_kind.size(); ++i) {
        out.field(model::to_string(static_cast<model::FindingKind>(i)), stats.by_kind.at(i));
    }
    out.end_object().field("decided", decided).key("matchRate");
    if (decided == 0) {
        out.null();
    } else {
        out.real(static_cast<double>(count(model::VerdictStatus::matched)) /
                 static_cast<double>(decided));
    }
    out.key("timeToVerdictSeconds").begin_object();
    write_seconds(out, "mean", stats.mean_to_verdict);
    write_seconds(out, "p99", stats.p99_to_verdict);
    out.end_object().key("atRisk").begin_array();
    for (const auto& money : stats.at_risk) {
        out.begin_object()
            .field("currency", money.currency)
            .field("amount", money.amount)
            .end_object();
    }
    out.end_array();
}

void write_buckets(json::Writer& out, const std::vector<store::TimeRange>& parts,
                   const std::vector<store::Stats>& figures) {
    out.key("buckets").begin_array();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        out.begin_object()
            .field("from", format_rfc3339(*parts[i].start))
            .field("to", format_rfc3339(*parts[i].end));
        write_figures(out, figures[i], false);
        out.end_object();
    }
    out.end_array();
}

Result<http::Response> answer_stats(const Consistency& consistency, const Cases& cases,
                                    const http::Request& request, const Caller& caller) {
    const QueryReader query(request);
    HELIOS_TRY_ASSIGN(const auto range, query.range());
    const auto flow = query.text("flow");
    HELIOS_TRY(cases.check_flow(caller.tenant, flow));
    const Kept& kept = cases.kept();
    std::vector<store::TimeRange> parts{range};
    const auto word = query.text("bucket");
    if (word) {
        const auto* const bucket = std::ranges::find(buckets, *word, &Bucket::word);
        HELIOS_ASSERT(bucket != buckets.end(), "the route takes no other");
        HELIOS_TRY_ASSIGN(parts, parts_of(range, *bucket, kept.log.now()));
    }
    const Instant as_of = consistency.judged_before();
    HELIOS_TRY_ASSIGN(const auto stats, kept.rows.stats_of(caller.tenant, flow, parts));
    json::Writer out;
    out.begin_object();
    write_figures(out, stats.all, true);
    if (word) {
        write_buckets(out, parts, stats.parts);
    }
    write_as_of(out, as_of);
    return http::Response::json(200, out.end_object().take());
}

http::Param bucket_param() {
    std::vector<std::string> words;
    for (const Bucket& bucket : buckets) {
        words.emplace_back(bucket.word);
    }
    return closed_param("bucket",
                        "The same figures for each stretch of this length, too, at most 1,000. "
                        "Without end_time up to now, without start_time the last 60.",
                        std::move(words));
}

}  // namespace

void add_stats_route(http::RouteTable& table, const Consistency& consistency, const Cases& cases) {
    auto route = get(consistency, http::Reads::list, "/api/v1/reconciliation/stats",
                     "getReconciliationStats", "Verdicts",
                     "Counts, match rate, time to verdict, money at risk",
                     [consistency, cases](const http::Request& request, const Caller& caller) {
                         return answer_stats(consistency, cases, request, caller);
                     });
    route.description =
        "Over the latest revision of every case decided in the range. `pending` is the number of "
        "cases open now, whatever the range. `kinds` counts cases with at least one finding of "
        "that kind. /api/v1/reconciliation/cases lists what a number counts: `status=pending`, and "
        "with `by=reconciled` and the same range `status=…` and `kind=…`. Time to verdict runs "
        "from a case's opening to its first decision, in log time, to the microsecond; p99 "
        "(nearest "
        "rank) is within 1 %, everything else is exact. With `bucket` the figures are those of the "
        "`buckets` together: they begin at multiples of their length since 1970, UTC, the first "
        "and the last are cut where the range is, and one in which nothing was decided is there "
        "with zeros. One that ends after `asOf` is not complete.";
    route.params = range_params();
    route.params.push_back(query_param("flow", "Only this flow."));
    route.params.push_back(bucket_param());
    add_answers(route,
                {answer(200, "The figures.", "Stats", stats_example),
                 http::problem_answer(400, "A parameter is wrong, or there are too many buckets."),
                 no_such_flow()});
    table.add(std::move(route));
}

}  // namespace helios::api
