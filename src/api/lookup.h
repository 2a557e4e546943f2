#pragma once
/// Finding a case. Private to the room.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/about.h"
#include "api/kept.h"
#include "http/message.h"
#include "model/position.h"
#include "reconcile/flow.h"

namespace helios::api {

/// Either what was asked for, or the answer that says why not.
template <class T>
struct Found {
    std::optional<T> value;
    std::optional<http::Response> response;
};

/// What has come for a key and is no event yet, at most a page of each: what waits, then what three
/// attempts have not helped.
Result<std::vector<store::QuarantineRow>> quarantined_for(store::Queries& rows,
                                                          const TenantId& tenant,
                                                          std::string_view key);

/// Cheap to copy; thread-safe. What it refers to outlives the routes.
class Cases {
public:
    Cases(const Kept& kept, const About& about) : kept_(kept), about_(&about) {}

    const Kept& kept() const { return kept_; }

    /// not_found: the flow was never active here; with the nearest name. Absent: none is asked for.
    Status check_flow(const TenantId& tenant, const std::optional<std::string>& flow) const;

    /// The case of `key`; flow absent: the primary one. invalid: no flow at all, or no possible
    /// key.
    Result<store::CaseId> id_of(const TenantId& tenant, std::optional<std::string> flow,
                                std::string_view key) const;

    /// Reads. "Not found" is true, as all that was acknowledged before this read has been taken in.
    /// invalid: the request's `after` is no position of this log.
    template <class Read>
    auto find(const http::Request& request, const store::CaseId& id, Read read) const
        -> Result<Found<typename decltype(read())::value_type>> {
        using Value = typename decltype(read())::value_type;
        HELIOS_TRY(check_after(request));
        auto value = read();
        if (!value) {
            if (value.error().kind == ErrorKind::not_found) {
                return Found<Value>{std::nullopt, no_such_case(id)};
            }
            return fail(std::move(value).error());
        }
        return Found<Value>{*std::move(value), std::nullopt};
    }

private:
    Status check_after(const http::Request& request) const;
    http::Response no_such_case(const store::CaseId& id) const;

    Kept kept_;
    const About* about_;
};

/// Puts deadlines where absences of Helios since that revision have moved them, if legs are
/// awaited; the log's revisions say what was known when they were made. One per request: it keeps
/// the flows it has read.
class DeadlineMover {
public:
    explicit DeadlineMover(store::Queries& rows) : rows_(rows) {}
    Status move(model::Verdict& verdict);

private:
    Result<const reconcile::Flow*> flow_of(const model::Verdict& verdict);

    store::Queries& rows_;
    std::map<std::pair<std::string, std::uint32_t>, std::optional<reconcile::Flow>> flows_;
};

}  // namespace helios::api
