#include "api/lookup.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <set>

#include "api/known_position.h"
#include "api/render.h"
#include "base/shown.h"
#include "http/query.h"
#include "reconcile/absences.h"

namespace helios::api {
namespace {

constexpr std::size_t key_bytes_max = 1024;  // docs/contracts.md

/// The flows that were ever active for the tenant: given at start, activated, or with cases.
Result<std::set<std::string>> known_flows(const About& about, store::Queries& rows,
                                          const TenantId& tenant) {
    const auto& given = about.flows_of(tenant);
    std::set<std::string> names(given.begin(), given.end());
    HELIOS_TRY_ASSIGN(const auto versions, rows.flows(tenant));
    for (const auto& version : versions) {
        names.insert(version.flow);
    }
    HELIOS_TRY_ASSIGN(const auto flows, rows.flows_with_cases(tenant));
    names.insert(flows.begin(), flows.end());
    return names;
}

}  // namespace

Result<store::CaseId> Cases::id_of(const TenantId& tenant, std::optional<std::string> flow,
                                   std::string_view key) const {
    if (!flow) {
        const auto* primary = about_->primary_flow(tenant);
        if (primary == nullptr) {
            return fail(ErrorKind::invalid, "no flow is active, so there is no primary one",
                        "name one: ?flow=…");
        }
        flow = *primary;
    }
    if (key.empty() || key.size() > key_bytes_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("a key has 1 to {} bytes, this one {}", key_bytes_max, key.size()),
                    "no case has such a key: an event that names it waits in quarantine");
    }
    return store::CaseId{tenant, *std::move(flow), std::string(key)};
}

Status Cases::check_flow(const TenantId& tenant, const std::optional<std::string>& flow) const {
    const auto& given = about_->flows_of(tenant);
    if (!flow || std::find(given.begin(), given.end(), *flow) != given.end()) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto names, known_flows(*about_, kept_.rows, tenant));
    if (names.contains(*flow)) {
        return {};
    }
    return fail(ErrorKind::not_found,
                fmt::format("no flow \"{}\" was ever active here", shown(*flow)),
                names.empty() ? "none was: start the server with --flow FILE"
                              : http::suggestion(*flow, {names.begin(), names.end()}));
}

Result<std::vector<store::QuarantineRow>> quarantined_for(store::Queries& rows,
                                                          const TenantId& tenant,
                                                          std::string_view key) {
    store::QuarantineFilter filter(tenant);
    filter.key = key;
    HELIOS_TRY_ASSIGN(auto waiting, rows.quarantined(filter));
    filter.status = model::DlqStatus::exhausted;
    HELIOS_TRY_ASSIGN(auto exhausted, rows.quarantined(filter));
    std::ranges::move(exhausted.items, std::back_inserter(waiting.items));
    return std::move(waiting.items);
}

/// What was acknowledged before the request has been waited for, the positions' records included.
Status Cases::check_after(const http::Request& request) const {
    if (const auto after = request.query_param("after")) {
        HELIOS_TRY(read_positions(kept_.log, *after));
    }
    return {};
}

/// 404 with what waits in quarantine for the key, and which other flows have it.
http::Response Cases::no_such_case(const store::CaseId& id) const {
    const auto quarantined = quarantined_for(kept_.rows, id.tenant, id.key);
    const auto flows = kept_.rows.flows_with(id.tenant, id.key);
    json::Writer members;
    members.begin_object().field("flow", id.flow).field("key", id.key);
    write_quarantined_member(members,
                             quarantined ? *quarantined : std::vector<store::QuarantineRow>{});
    members.key("otherFlows").begin_array();
    for (const auto& flow : flows ? *flows : std::vector<std::string>{}) {
        members.string(flow);
    }
    members.end_array().end_object();
    // The likeliest reason first.
    const auto known = check_flow(id.tenant, id.flow);
    const bool waits = quarantined && !quarantined->empty();
    const std::string hint =
        !known && known.error().kind == ErrorKind::not_found ? known.error().message()
        : waits ? "events that name this key wait in quarantine: see `quarantined`"
                : "no event that was acknowledged so far names this key";
    return http::problem(404, "No such case",
                         fmt::format("flow {} has no case for key {}", id.flow, id.key), hint,
                         inside(members));
}

Status DeadlineMover::move(model::Verdict& verdict) {
    if (!model::awaits_legs(verdict)) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto pieces, rows_.absences({verdict.tenant, verdict.flow, verdict.key},
                                                        verdict.opened_at));
    if (pieces.empty()) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto* flow, flow_of(verdict));
    if (flow != nullptr) {
        std::vector<Instant> deadlines;
        reconcile::deadlines_moved(*flow, verdict.opened_at, reconcile::Absences(pieces),
                                   deadlines);
        verdict.deadline = *std::max_element(deadlines.begin(), deadlines.end());
    }
    return {};
}

/// nullptr: its text is not there, or can't be read; then a deadline stays as the engine knew it.
Result<const reconcile::Flow*> DeadlineMover::flow_of(const model::Verdict& verdict) {
    const auto [it, is_new] = flows_.try_emplace({verdict.flow, verdict.flow_version});
    if (is_new) {
        HELIOS_TRY_ASSIGN(const auto versions, rows_.flows(verdict.tenant));
        for (const auto& version : versions) {
            if (version.flow == verdict.flow && version.version == verdict.flow_version) {
                if (auto flow = reconcile::parse_flow(version.text, version.flow + ".yaml")) {
                    it->second = std::move(*flow);
                }
            }
        }
    }
    return it->second ? &*it->second : nullptr;
}

}  // namespace helios::api
