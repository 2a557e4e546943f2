#pragma once
/// What the endpoints share: shape of a handler, query parameters, problems. Private to the room.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/consistency.h"
#include "api/options.h"
#include "base/json.h"
#include "http/route.h"
#include "model/event.h"
#include "store/rows.h"

namespace helios::api {

using Answering = std::function<Result<http::Response>(const http::Request&, const Caller&)>;

/// 503 with Retry-After: what barriers and failing parts answer.
http::Response unavailable(const Error& error);

/// 503: which checks fail, and why.
http::Response not_ready(const std::vector<CheckOutcome>& outcomes, std::string_view title,
                         std::string_view hint);
void write_check(json::Writer& out, const CheckOutcome& outcome);

/// The member that every list has.
void write_as_of(json::Writer& out, Instant as_of);

/// The query of a request, whose names its route has checked (http/query.h).
class QueryReader {
public:
    explicit QueryReader(const http::Request& request) : request_(request) {}

    std::optional<std::string> text(std::string_view name) const;
    Result<std::optional<Instant>> time(
        std::string_view name) const;        ///< invalid: no zone, or not RFC 3339
    Result<store::TimeRange> range() const;  ///< start_time, end_time; invalid if start > end
    Result<std::size_t> limit(const Options& options) const;
    Result<bool> yes_or_no(
        std::string_view name) const;  ///< absent: no; invalid: neither true nor false

private:
    const http::Request& request_;
};

/// Documentation of common parameters. A text has no NUL: http refuses it in any target.
http::Param query_param(
    std::string name, std::string description,
    std::string schema = R"({"type":"string","minLength":1,"pattern":"^[^\\u0000]*$"})");
/// One whose values are all known.
http::Param closed_param(std::string name, std::string description,
                         std::vector<std::string> values);
http::Param path_param(std::string name, std::string description);
std::vector<http::Param> range_params();  ///< of QueryReader::range
std::vector<http::Param> with_page_params(std::vector<http::Param> params, bool times = true);

/// {"$ref":"#/components/schemas/<name>"}
std::string schema_ref(std::string_view name);
http::Answer answer(int status, std::string description, std::string_view schema,
                    std::string_view example = {});
http::Answer no_such_flow();  ///< 404 of Cases::check_flow

/// Every word that there is, in the order of the model.
std::vector<std::string> statuses();
std::vector<std::string> finding_kinds();

/// A GET route that reads nothing derived, documented but for its parameters and answers, which the
/// caller adds to. It answers when `answering` does; errors become problems; every answer carries
/// the security headers.
http::Route get(std::string path, std::string operation_id, std::string tag, std::string summary,
                Answering answering, bool blocking = true);
/// One that does. What `reads` promises is kept before `answering` is asked (else 503), and what
/// that may answer is documented. Lists say asOf themselves. One thing has an ETag, and is 304 for
/// who has it already.
http::Route get(const Consistency& consistency, http::Reads reads, std::string path,
                std::string operation_id, std::string tag, std::string summary,
                Answering answering);
/// A route that reads nothing derived, and waits for nothing: on the thread of the probes.
http::Route probe(http::Route route);
void add_answers(http::Route& route, std::vector<http::Answer> answers);
}  // namespace helios::api
