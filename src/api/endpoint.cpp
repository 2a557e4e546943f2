#include "api/endpoint.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/rfc3339.h"
#include "base/shown.h"
#include "http/coding.h"

namespace helios::api {

http::Response unavailable(const Error& error) {
    return http::problem(503, "Not caught up yet", error.what, error.hint);
}

http::Response not_ready(const std::vector<CheckOutcome>& outcomes, std::string_view title,
                         std::string_view hint) {
    json::Writer checks;
    checks.begin_array();
    std::string failing;
    for (const auto& outcome : outcomes) {
        write_check(checks, outcome);
        if (!outcome.status) {
            failing +=
                (failing.empty() ? "" : "; ") + outcome.name + ": " + outcome.status.error().what;
        }
    }
    checks.end_array();
    return http::problem(503, title, failing, hint, R"("checks":)" + checks.take());
}

void write_check(json::Writer& out, const CheckOutcome& outcome) {
    out.begin_object()
        .field("name", outcome.name)
        .field("status", outcome.status ? "ok" : "failing");
    if (!outcome.status) {
        out.field("detail", outcome.status.error().what);
        if (!outcome.status.error().hint.empty()) {
            out.field("hint", outcome.status.error().hint);
        }
    }
    out.end_object();
}

void write_as_of(json::Writer& out, Instant as_of) {
    out.field("asOf", format_rfc3339(as_of));
}

namespace {

bool is_one_thing(http::Reads reads) {
    return reads == http::Reads::one_record || reads == http::Reads::one_case;
}

void respond(http::Reads reads, const Answering& answering, const http::Request& request,
             const Caller& caller, http::Responder& responder) {
    auto outcome = answering(request, caller);
    if (outcome && outcome->status == 200 && is_one_thing(reads)) {
        // To be asked for again each time, by whom it was for: it may have changed.
        outcome->with("Cache-Control", "private, no-cache");
        outcome = http::with_etag(request, *std::move(outcome));
    }
    responder.send(http::with_security_headers(outcome ? *std::move(outcome)
                                                       : http::problem(outcome.error())));
}

}  // namespace

std::optional<std::string> QueryReader::text(std::string_view name) const {
    return request_.query_param(name);
}

Result<std::optional<Instant>> QueryReader::time(std::string_view name) const {
    const auto value = text(name);
    if (!value) {
        return std::nullopt;
    }
    constexpr std::string_view hint =
        "write RFC 3339 with a zone, for example 2026-01-05T10:23:45Z (a + in a URL is %2B)";
    const auto parsed = read_rfc3339(*value);
    if (!parsed && parsed.error() == TimeFault::range) {
        return fail(ErrorKind::invalid,
                    fmt::format("{}: \"{}\" is not between 1970 and 2200", name, shown(*value)),
                    fmt::format("for a range without that end leave {} out", name));
    }
    if (!parsed) {
        return fail(ErrorKind::invalid,
                    fmt::format("{}: \"{}\" is not a time", name, shown(*value)),
                    std::string(hint));
    }
    if (!parsed->had_zone) {
        return fail(ErrorKind::invalid,
                    fmt::format("{}: \"{}\" has no time zone", name, shown(*value)),
                    std::string(hint));
    }
    return parsed->at;
}

Result<store::TimeRange> QueryReader::range() const {
    store::TimeRange range;
    HELIOS_TRY_ASSIGN(range.start, time("start_time"));
    HELIOS_TRY_ASSIGN(range.end, time("end_time"));
    if (range.start && range.end && *range.start > *range.end) {
        return fail(ErrorKind::invalid, "start_time is after end_time",
                    "the range is [start_time, end_time)");
    }
    return range;
}

Result<bool> QueryReader::yes_or_no(std::string_view name) const {
    const auto value = text(name);
    if (value && *value != "true" && *value != "false") {
        return fail(ErrorKind::invalid,
                    fmt::format("{}: \"{}\" is neither true nor false", name, shown(*value)),
                    "true or false");
    }
    return value && *value == "true";
}

Result<std::size_t> QueryReader::limit(const Options& options) const {
    const auto value = text("limit");
    if (!value) {
        return options.page_items_default;
    }
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), limit);
    if (error != std::errc{} || end != value->data() + value->size() || limit == 0 ||
        limit > options.page_items_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("limit: \"{}\" is not a number from 1 to {}", shown(*value),
                                options.page_items_max),
                    "larger results come in pages: pass nextCursor as cursor");
    }
    return limit;
}

http::Param query_param(std::string name, std::string description, std::string schema) {
    return {http::Param::In::query, std::move(name),
            std::move(description), false,
            std::move(schema),      {}};
}

http::Param closed_param(std::string name, std::string description,
                         std::vector<std::string> values) {
    auto param = query_param(std::move(name), std::move(description));
    param.values = std::move(values);
    return param;
}

http::Param path_param(std::string name, std::string description) {
    return {http::Param::In::path,
            std::move(name),
            std::move(description),
            true,
            R"({"type":"string","minLength":1,"maxLength":1024,"pattern":"^[^\\u0000]*$"})",
            {}};
}

std::vector<http::Param> range_params() {
    // From 1970 to 2200: what the store's times, nanoseconds in 64 bits, can hold.
    constexpr std::string_view time =
        R"({"type":"string","format":"date-time","pattern":"^(19[7-9]|2[01][0-9])[0-9]-"})";
    return {query_param("start_time", "Inclusive; RFC 3339 with a zone.", std::string(time)),
            query_param("end_time", "Exclusive; RFC 3339 with a zone. Not before start_time.",
                        std::string(time))};
}

std::vector<http::Param> with_page_params(std::vector<http::Param> params, bool times) {
    if (times) {
        auto range = range_params();
        std::move(range.begin(), range.end(), std::back_inserter(params));
    }
    params.push_back(query_param("limit", "Items per page.",
                                 R"({"type":"integer","minimum":1,"maximum":1000,"default":100})"));
    params.push_back(query_param("cursor", "`nextCursor` of the page before, unchanged."));
    return params;
}

std::string schema_ref(std::string_view name) {
    return fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", name);
}

http::Answer answer(int status, std::string description, std::string_view schema,
                    std::string_view example) {
    http::Answer a;
    a.example = example;
    a.status = status;
    a.description = std::move(description);
    a.schema = schema_ref(schema);
    return a;
}

http::Answer no_such_flow() {
    return http::problem_answer(404, "`flow`: none of that name was ever active here.");
}

std::vector<std::string> statuses() {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < store::Stats{}.by_status.size(); ++i) {
        words.emplace_back(model::to_string(static_cast<model::VerdictStatus>(i)));
    }
    return words;
}

std::vector<std::string> finding_kinds() {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < store::Stats{}.by_kind.size(); ++i) {
        words.emplace_back(model::to_string(static_cast<model::FindingKind>(i)));
    }
    return words;
}

http::Route get(std::string path, std::string operation_id, std::string tag, std::string summary,
                Answering answering, bool blocking) {
    http::Route route;
    route.method = http::Method::get;
    route.path = std::move(path);
    route.access = http::Access::viewer;
    route.query_checked = true;
    route.handler = [answering = std::move(answering)](const http::Request& request,
                                                       const Caller& caller,
                                                       http::Responder responder) {
        respond(http::Reads::nothing, answering, request, caller, responder);
    };
    route.blocking = blocking;
    route.reads = http::Reads::nothing;
    route.operation_id = std::move(operation_id);
    route.tag = std::move(tag);
    route.summary = std::move(summary);
    return route;
}

http::Route get(const Consistency& consistency, http::Reads reads, std::string path,
                std::string operation_id, std::string tag, std::string summary,
                Answering answering) {
    HELIOS_ASSERT(reads != http::Reads::nothing, "what reads nothing derived needs no consistency");
    auto route =
        get(std::move(path), std::move(operation_id), std::move(tag), std::move(summary), {});
    route.handler = [consistency, reads, answering = std::move(answering)](
                        const http::Request& request, const Caller& caller,
                        http::Responder responder) {
        if (auto held = consistency.held_back(reads)) {
            responder.send(http::with_security_headers(*std::move(held)));
            return;
        }
        respond(reads, answering, request, caller, responder);
    };
    route.reads = reads;
    route.answers.push_back(http::problem_answer(429, "Too many questions at once; ask again."));
    route.answers.push_back(
        http::problem_answer(500, "What is stored is damaged; the log says what."));
    if (reads != http::Reads::stream) {
        route.answers.push_back(
            http::problem_answer(504, "It took longer than `store.query_limit`: ask for less."));
    }
    if (is_one_thing(reads)) {
        http::Answer unchanged;
        unchanged.status = 304;
        unchanged.description = "`If-None-Match` names what this is still.";
        unchanged.media_type.clear();
        route.answers.push_back(std::move(unchanged));
        route.answers.push_back(http::problem_answer(
            503,
            "What was acknowledged before this request has not all been taken in within a "
            "second; or the server was started and has "
            "not been ready yet. Ask again after `Retry-After` seconds."));
    } else {
        route.answers.push_back(http::problem_answer(
            503,
            "The server was started and has not been ready yet (`checks` says what "
            "is behind): ask again after `Retry-After` "
            "seconds."));
    }
    return route;
}

http::Route probe(http::Route route) {
    HELIOS_ASSERT(route.reads == http::Reads::nothing, "what is derived is waited for");
    route.blocking = false;
    route.probe = true;
    return route;
}

void add_answers(http::Route& route, std::vector<http::Answer> answers) {
    route.answers.insert(route.answers.begin(), std::make_move_iterator(answers.begin()),
                         std::make_move_iterator(answers.end()));
}

}  // namespace helios::api
