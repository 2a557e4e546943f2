#pragma once
/// What the endpoints share: shape of a handler, query parameters, problems. Private to the room.

#include <functional>
#include <initializer_list>
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

http::Response with_security_headers(http::Response response);

/// 503 with Retry-After: what barriers and failing parts answer.
http::Response unavailable(const Error& error);

/// 503: which checks fail, and why.
http::Response not_ready(const std::vector<CheckOutcome>& outcomes, std::string_view title,
                         std::string_view hint);
void write_check(json::Writer& out, const CheckOutcome& outcome);

/// The member that every list has.
void write_as_of(json::Writer& out, Instant as_of);

/// The query of a request, read strictly: a name that is not among `known`, occurs twice or has no
/// value is refused rather than ignored, since an ignored filter answers another question than was
/// asked.
class QueryReader {
public:
    QueryReader(const http::Request& request, std::initializer_list<std::string_view> known);

    /// Call once, first. invalid: names the parameter and the nearest known one.
    Status check() const;

    std::optional<std::string> text(std::string_view name) const;
    Result<std::optional<Instant>> time(
        std::string_view name) const;        ///< invalid: no zone, or not RFC 3339
    Result<store::TimeRange> range() const;  ///< start_time, end_time; invalid if start > end
    Result<std::size_t> limit(const Options& options) const;
    Result<bool> yes_or_no(
        std::string_view name) const;  ///< absent: no; invalid: neither true nor false

private:
    const http::Request& request_;
    std::vector<std::string_view> known_;
};

/// Documentation of common parameters.
http::Param query_param(std::string name, std::string description,
                        std::string schema = R"({"type":"string"})");
http::Param path_param(std::string name, std::string description);
std::vector<http::Param> with_page_params(std::vector<http::Param> params, bool times = true);

/// {"$ref":"#/components/schemas/<name>"}
std::string schema_ref(std::string_view name);
http::Answer answer(int status, std::string description, std::string_view schema,
                    std::string_view example = {});
http::Answer problem_answer(int status, std::string description);

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
