#pragma once
/// Finding a case. Private to the room.

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
Result<store::CaseId> case_of(const Dependencies& d, const TenantId& tenant,
                              std::optional<std::string> flow, std::string_view key);

/// The position must be one of this log: what was acknowledged before the request has been waited
/// for, it included. invalid.
Status check_after(const Dependencies& d, const http::Request& request);

/// Puts deadlines where absences of Helios since that revision have moved them, if legs are
/// awaited; the log's revisions say what was known when they were made. One per request: it keeps
/// the flows it has read.
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

/// Reads. "Not found" is true, as all that was acknowledged before this read has been taken in.
template <class Read>
auto find_case(const Dependencies& d, const http::Request& request, const store::CaseId& id,
               Read read) -> Result<Found<typename decltype(read())::value_type>> {
    using Value = typename decltype(read())::value_type;
    HELIOS_TRY(check_after(d, request));
    auto value = read();
    if (!value) {
        if (value.error().kind == ErrorKind::not_found) {
            return Found<Value>{std::nullopt, no_such_case(d, id)};
        }
        return fail(std::move(value).error());
    }
    return Found<Value>{*std::move(value), std::nullopt};
}

}  // namespace helios::api
