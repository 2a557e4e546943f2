/// Whose data it is can't be forgotten: a record, a key, a filter or a question without a tenant
/// does not compile. That this file does is the test; a new one of them gets its line here.

#include <gtest/gtest.h>
#include <string>
#include <type_traits>

#include "api/explanation.h"
#include "base/caller.h"
#include "gateway/dlq_items.h"
#include "model/audit.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/quarantined.h"
#include "model/redrive.h"
#include "model/verdict.h"
#include "reconcile/activate.h"
#include "reconcile/engine_stage.h"
#include "reconcile/explain.h"
#include "store/queries.h"

namespace helios::app {
namespace {

static_assert(!std::is_default_constructible_v<TenantId>);
static_assert(!std::is_convertible_v<std::string, TenantId>);
static_assert(!std::is_constructible_v<TenantId, std::string>);
static_assert(!std::is_constructible_v<TenantId, const char*>);

/// Made of a tenant, and of nothing less.
template <class... T>
constexpr bool begin_with_a_tenant =
    ((!std::is_default_constructible_v<T> && !std::is_constructible_v<T, std::string> &&
      std::is_constructible_v<T, TenantId>) &&
     ...);

static_assert(begin_with_a_tenant<model::Event, model::Quarantined, model::QuarantineRepeat>);
static_assert(begin_with_a_tenant<model::LegRecord, model::FlowRecord, model::Verdict>);
static_assert(begin_with_a_tenant<model::FlowActivation, model::AuditRecord, model::Counts>);
static_assert(begin_with_a_tenant<model::DlqOutcome, model::RedriveRecord>);
static_assert(begin_with_a_tenant<store::CaseFilter, store::StatsFilter, store::EventFilter>);
static_assert(begin_with_a_tenant<store::QuarantineFilter, store::CountFilter>);
static_assert(begin_with_a_tenant<api::ExplainRequest, reconcile::ExplainRequest>);
static_assert(begin_with_a_tenant<Caller, gateway::KeptItem>);

// Names of cases, where a flow and a key follow.
static_assert(!std::is_default_constructible_v<store::CaseId>);
static_assert(!std::is_constructible_v<store::CaseId, std::string, std::string>);

/// What says whose.
template <class T>
constexpr bool says_whose =
    std::is_same_v<T, TenantId> || (!std::is_default_constructible_v<T> && requires(const T& of) {
        requires std::is_same_v<decltype(of.tenant), TenantId>;
    });

/// A question whose first argument says whose the answer is.
template <class R, class Of, class First, class... Rest>
constexpr bool asks_of_a_tenant(R (Of::*)(First, Rest...)) {
    return says_whose<std::remove_cvref_t<First>>;
}
template <class R, class Of>
constexpr bool asks_of_a_tenant(R (Of::*)()) {
    return false;
}
template <class R, class First, class... Rest>
constexpr bool asks_of_a_tenant(R (*)(First, Rest...)) {
    return says_whose<std::remove_cvref_t<First>>;
}

using store::Queries;
static_assert(asks_of_a_tenant(&Queries::latest) && asks_of_a_tenant(&Queries::revisions));
static_assert(asks_of_a_tenant(&Queries::flows_with) && asks_of_a_tenant(&Queries::cases));
static_assert(asks_of_a_tenant(&Queries::flows_with_cases) && asks_of_a_tenant(&Queries::stats));
static_assert(asks_of_a_tenant(&Queries::events) && asks_of_a_tenant(&Queries::sources));
static_assert(asks_of_a_tenant(&Queries::event_types) && asks_of_a_tenant(&Queries::events_by_id));
static_assert(asks_of_a_tenant(&Queries::records_under) && asks_of_a_tenant(&Queries::quarantined));
static_assert(asks_of_a_tenant(&Queries::quarantined_item));
static_assert(asks_of_a_tenant(&Queries::dlq_outcomes) && asks_of_a_tenant(&Queries::redrive));
static_assert(asks_of_a_tenant(&Queries::quarantine_ids) && asks_of_a_tenant(&Queries::event_ids));
static_assert(asks_of_a_tenant(&Queries::flows) && asks_of_a_tenant(&Queries::absences));
static_assert(asks_of_a_tenant(&Queries::history) && asks_of_a_tenant(&Queries::counts));
// The server's own: how much there is, and what it has to go on with.
static_assert(!asks_of_a_tenant(&Queries::quarantine_size));
static_assert(!asks_of_a_tenant(&Queries::open_redrives));

using gateway::DlqItems;
static_assert(asks_of_a_tenant(&DlqItems::find) && asks_of_a_tenant(&DlqItems::look));
static_assert(asks_of_a_tenant(&DlqItems::matching) && asks_of_a_tenant(&DlqItems::tried_in));

static_assert(asks_of_a_tenant(&model::case_log_key));
static_assert(
    asks_of_a_tenant(static_cast<Digest128 (*)(const model::Event&)>(&model::identity_of)));
static_assert(
    asks_of_a_tenant(static_cast<Digest128 (*)(const TenantId&, std::string_view, std::string_view,
                                               std::string_view)>(&model::identity_of)));
static_assert(asks_of_a_tenant(&reconcile::activation_of));
static_assert(asks_of_a_tenant(&reconcile::Engine::use_flow));

}  // namespace
}  // namespace helios::app
