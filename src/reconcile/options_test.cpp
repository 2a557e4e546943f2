/// No option decides: what makes verdicts takes none, and does not even know that there are any. It
/// compiles: that is the test. Beside it: tools/tidy.py (rule_decides), which holds the files that
/// decide to it, property_test, which changes every option, and the app's list of what each is for.

// All that decides, and so first: what these headers need they include themselves.
#include "reconcile/engine.h"
#include "reconcile/extract.h"
#include "reconcile/judge.h"
#include "reconcile/router.h"

namespace helios {

/// Found where the room's own are not declared.
struct RouteOptions {
    static constexpr bool unknown = true;
};
struct EngineStageOptions {
    static constexpr bool unknown = true;
};

namespace reconcile {

static_assert(RouteOptions::unknown, "a header of what decides includes options");
static_assert(EngineStageOptions::unknown, "a header of what decides includes options");

}  // namespace reconcile
}  // namespace helios

#include <memory>
#include <type_traits>

#include "reconcile/engine_partitions.h"
#include "reconcile/options.h"

namespace helios::reconcile {
namespace {

/// Whatever an option could be.
struct Anything {
    template <class T>
    operator T() const;
};

template <class Options>
constexpr bool none_takes =
    !std::is_constructible_v<Engine, ClosedCases&, Options> &&
    !std::is_constructible_v<Engine, ClosedCases&, Keys, Options> &&
    !std::is_constructible_v<Router, Options> &&
    !std::is_constructible_v<EnginePartition, std::uint32_t, std::unique_ptr<log::State>, Options>;

static_assert(none_takes<reconcile::RouteOptions> && none_takes<reconcile::EngineStageOptions>);
static_assert(none_takes<std::size_t> && none_takes<Duration> && none_takes<bool>);
static_assert(std::is_constructible_v<Engine, ClosedCases&, Keys>);
static_assert(!std::is_constructible_v<Engine, ClosedCases&, Keys, Anything>);
static_assert(
    !std::is_constructible_v<EnginePartition, std::uint32_t, std::unique_ptr<log::State>, Anything>,
    "live, each partition's engine is made of its state alone");

// What they are told from call to call: records, when they came, and how much at a time.
static_assert(
    std::is_same_v<decltype(&Router::activate),
                   Result<model::FlowRecord> (Router::*)(const model::FlowActivation&, Instant)>);
static_assert(
    std::is_same_v<decltype(&Router::take_absence), void (Router::*)(const model::AbsenceRecord&)>);
static_assert(std::is_same_v<decltype(&Router::on_event),
                             std::vector<model::LegRecord> (Router::*)(
                                 const model::Event&, json::Value, const Arrival&, std::size_t&)>);
static_assert(std::is_same_v<decltype(&Engine::fire),
                             bool (Engine::*)(Instant, std::size_t, std::vector<Revision>&)>);
using OnRecord = void (Engine::*)(const model::CaseRecord&, std::vector<Revision>&);
static_assert(std::is_same_v<decltype(static_cast<OnRecord>(&Engine::on_record)), OnRecord>);
static_assert(
    std::is_same_v<decltype(&extract), std::optional<model::LegRecord> (*)(
                                           const Flow&, const Leg&, bool, const model::Event&,
                                           json::Value, const Arrival&)>);
static_assert(
    std::is_same_v<decltype(&judge),
                   Judgement (*)(const Case&, const std::vector<Instant>&, Instant, bool)>);

}  // namespace
}  // namespace helios::reconcile
