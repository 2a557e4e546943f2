#pragma once
/// Finding a case with read-your-writes. Private to the room.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/endpoint.h"
#include "model/position.h"
#include "reconcile/flow.h"

namespace helios::api {

/// The case of `key`; flow absent: the primary one. invalid: no flow at all, or no possible key.
Result<store::CaseId> case_of(const Dependencies& d, std::optional<std::string> flow, std::string_view key);

/// Waits until everything derived from the position is visible. invalid: not a position of this log. unavailable: not in time.
Status wait_for_position(const Dependencies& d, std::string_view after);

/// Puts deadlines where absences of Helios since that revision have moved them, if legs are awaited; the log's revisions say
/// what was known when they were made. One per request: it keeps the flows it has read.
class DeadlineMover {
public:
    explicit DeadlineMover(const Dependencies& d) : d_(d) {}
    Status move(model::Verdict& verdict);

private:
    Result<const reconcile::Flow*> flow_of(const model::Verdict& verdict);

    const Dependencies& d_;
    std::map<std::pair<std::string, std::uint32_t>, std::optional<reconcile::Flow>> flows_;
};

/// 404 with what waits in quarantine for the key, and which other flows have it.
http::Response no_such_case(const Dependencies& d, const store::CaseId& id);

/// Either what was asked for, or the answer that says why not.
template <class T>
struct Found {
    std::optional<T> value;
    std::optional<http::Response> response;
};

/// Reads; if there is nothing yet, waits for what was acknowledged before this read began and reads again. So an answer costs no
/// wait when it is there, and "not found" is said only when it is true.
template <class Read>
auto find_case(const Dependencies& d, const http::Request& request, const store::CaseId& id, Read read)
    -> Result<Found<typename decltype(read())::value_type>> {
    using Value = typename decltype(read())::value_type;
    const Instant acknowledged = d.barrier.now();
    if (const auto after = request.query_param("after")) {
        if (auto waited = wait_for_position(d, *after); !waited) {
            if (waited.error().kind == ErrorKind::unavailable) {
                return Found<Value>{std::nullopt, unavailable(waited.error())};
            }
            return fail(std::move(waited).error());
        }
    }
    auto value = read();
    if (!value && value.error().kind == ErrorKind::not_found) {
        if (const auto waited = d.barrier.wait(acknowledged, d.options.barrier_limit); !waited) {
            return Found<Value>{std::nullopt, unavailable(waited.error())};
        }
        value = read();
    }
    if (!value) {
        if (value.error().kind == ErrorKind::not_found) {
            return Found<Value>{std::nullopt, no_such_case(d, id)};
        }
        return fail(std::move(value).error());
    }
    return Found<Value>{*std::move(value), std::nullopt};
}

}  // namespace helios::api
