#include "reconcile/offline.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "reconcile/activate.h"
#include "reconcile/offline_batch.h"
#include "reconcile/offline_ids.h"
#include "reconcile/offline_judge.h"
#include "reconcile/offline_tape.h"
#include "reconcile/scratch_file.h"
#include "reconcile/sorter.h"
#include "reconcile/workers.h"

namespace helios::reconcile {
namespace {

using model::Event;

constexpr std::size_t cases_at_once = 512;
constexpr std::size_t bytes_at_once = 1u << 20;
constexpr std::size_t batch_bytes = 512u << 10;  // room made for a batch
constexpr std::size_t batches_ahead = 6;
constexpr std::uint64_t told_every = 4096;  // of what is gone through one by one

std::string bytes_of(const Digest128& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string sortable(std::int64_t value) {
    std::string out;
    append_sortable(out, value);
    return out;
}

struct ControlFlow {
    std::string place;
    Instant at;
    model::FlowActivation activation;
};

struct ControlAbsence {
    std::string place;
    model::AbsenceRecord absence;
};

/// What judging a batch has come to.
struct Judged {
    Status status;
    OfflineSummary counts;
    std::vector<model::Verdict> verdicts;  ///< if nobody renders them
    std::string text;
};

using Render = std::function<void(const model::Verdict&, std::string&)>;

/// A flow that has been activated, and when.
using Activated = std::function<void(const Router::Active&, Instant)>;
const Activated nobody = [](const Router::Active&, Instant) {};

}  // namespace

struct OfflineReconcile::State {
    State(const OfflineOptions& of, std::vector<Flow> given)
        : options(of),
          flows(std::move(given)),
          workers(Workers::threads_of_this_machine()),
          tape(options.scratch, options.memory_bytes / 4, options.again),
          legs(std::make_unique<Sorter>(sorter(2), workers)),
          ids(sorter(4), sorter(16), workers, tape) {}

    /// A share of the memory.
    SorterOptions sorter(std::size_t part) const {
        const std::size_t memory = options.memory_bytes / part;
        return {.directory = options.scratch,
                .memory_bytes = memory,
                .chunk_bytes = std::min(options.chunk_bytes, std::max<std::size_t>(memory / 6, 1)),
                .stop = options.stop};
    }
    Status stopped() const {
        return options.stop && options.stop() ? fail(ErrorKind::stopping, "interrupted") : Status{};
    }
    /// For each of many: tells sometimes how far it is, and asks whether to go on.
    Status step(OfflineStep::Kind kind, std::uint64_t done, std::uint64_t all) const {
        if (done % told_every != 0) {
            return {};
        }
        if (options.step) {
            options.step({kind, done, all});
        }
        return stopped();
    }
    bool beyond_as_of(Instant at) const { return options.as_of && at > *options.as_of; }
    bool received() const { return has_receive_times.value_or(false); }

    Status activate_given(Router& router, const Activated& visit) const;
    Status activate_all(Router& router, const Activated& visit) const;
    void make_rules();
    bool extracted_early() const;
    void count(const Extracted& extracted);
    Status settle_ids();
    Status visit_counting(
        const std::function<Status(std::uint64_t, const TapedEvent&)>& visit) const;
    Status extract_one(Router& router, std::uint64_t number, const TapedEvent& taped,
                       LegWriter& writer);
    Status extract_all();
    Status extract_in_receive_order();
    Status make_judging();
    void note_time(Instant at);
    Status extract();
    Result<std::unique_ptr<CaseBatch>> next_batch();
    Status judge_all(const Render& render, const std::function<void(Judged&)>& take);

    const OfflineOptions options;
    std::vector<Flow> flows;
    Workers workers;  // outlives the sorters
    std::shared_ptr<const OfflineRules> rules;
    Tape tape;
    std::unique_ptr<Sorter> legs;
    OfflineIds ids;
    LeftOut left_out;
    std::uint64_t events = 0;  ///< taken, whether they count or not
    std::optional<bool> has_receive_times;
    Instant earliest = Instant::max();  ///< of the events' receive times
    Instant latest = Instant::min();    ///< likewise
    bool mixed_rules = false;           ///< not all legs were extracted by the same rules
    std::vector<ControlFlow> control_flows;
    std::vector<ControlAbsence> control_absences;
    std::optional<Instant> end;
    Judging judging;
    const Sorter::Record* leg = nullptr;  ///< read, but of the next batch
    std::uint64_t legs_read = 0;
    std::string leg_key;   // reused between legs that are taken
    std::string case_id;   ///< of the case whose legs were read last
    std::string same_leg;  ///< of the last leg: what tells it from others
    OfflineSummary summary;
};

/// Those that are given take effect before everything.
Status OfflineReconcile::State::activate_given(Router& router, const Activated& visit) const {
    for (const Flow& flow : flows) {
        HELIOS_TRY(router.activate(activation_of(default_tenant(), flow), earliest_instant));
        visit(router.active().back(), earliest_instant);
    }
    if (flows.empty() && control_flows.empty()) {
        HELIOS_TRY_ASSIGN(const auto shipped, parse_flow(shipped_order_flow(), "flows/order.yaml"));
        HELIOS_TRY(router.activate(activation_of(default_tenant(), shipped), earliest_instant));
        visit(router.active().back(), earliest_instant);
    }
    return {};
}

Status OfflineReconcile::State::activate_all(Router& router, const Activated& visit) const {
    HELIOS_TRY(activate_given(router, visit));
    for (const auto& one : control_flows) {
        if (!received() || !beyond_as_of(one.at)) {
            HELIOS_TRY(router.activate(one.activation, one.at));
            visit(router.active().back(), one.at);
        }
    }
    return {};
}

/// Of two versions of one flow it depends on the time of an event which one is active.
void OfflineReconcile::State::make_rules() {
    auto made = std::make_shared<OfflineRules>();
    made->as_of = options.as_of;
    made->settled = activate_all(made->router, nobody).has_value();
    std::set<std::pair<std::string, std::string>> names;
    for (const auto& active : made->router.active()) {
        made->settled =
            made->settled && names.emplace(active.tenant.text(), active.flow->name).second;
    }
    rules = std::move(made);
}

/// Whether the legs that were extracted while reading are those of the flows as they are known in
/// the end.
bool OfflineReconcile::State::extracted_early() const {
    if (mixed_rules || !rules->settled) {
        return false;
    }
    return !received() || std::all_of(control_flows.begin(), control_flows.end(), [&](auto& one) {
        return one.at <= earliest && !beyond_as_of(one.at);
    });
}

void OfflineReconcile::State::count(const Extracted& extracted) {
    summary.unwanted += extracted.unwanted ? 1 : 0;
    summary.keyless += extracted.keyless;
    if (extracted.later) {
        summary.first_after_as_of = summary.after_as_of == 0
                                        ? *extracted.later
                                        : std::min(summary.first_after_as_of, *extracted.later);
        ++summary.after_as_of;
    }
}

/// Every event that counts, in the order of lines.
Status OfflineReconcile::State::visit_counting(
    const std::function<Status(std::uint64_t, const TapedEvent&)>& visit) const {
    return tape.visit([&](std::uint64_t number, const TapedEvent& event) -> Status {
        HELIOS_TRY(step(OfflineStep::Kind::reading_again, number, events));
        return left_out.contains(number) ? Status{} : visit(number, event);
    });
}

OfflineReconcile::OfflineReconcile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OfflineReconcile::~OfflineReconcile() = default;

Result<std::unique_ptr<OfflineReconcile>> OfflineReconcile::open(const OfflineOptions& options,
                                                                 std::vector<Flow> flows) {
    auto state = std::make_unique<State>(options, std::move(flows));
    state->make_rules();
    return std::unique_ptr<OfflineReconcile>(new OfflineReconcile(std::move(state)));
}

Workers& OfflineReconcile::workers() const {
    return state_->workers;
}

std::shared_ptr<const OfflineRules> OfflineReconcile::rules() const {
    return state_->rules;
}

Status OfflineReconcile::take(const OfflineBatch& batch, std::size_t n) {
    State& s = *state_;
    const OfflineBatch::State& from = *batch.state_;
    const auto& item = from.items[n];
    if (s.has_receive_times && *s.has_receive_times != item.received) {
        return fail(ErrorKind::invalid,
                    item.received ? "this line has receivedAt, earlier ones have none"
                                  : "this line has no receivedAt, earlier ones have",
                    "an input is either an export with receive times or without; judge them apart");
    }
    s.has_receive_times = item.received;
    s.earliest = std::min(s.earliest, item.at);
    s.latest = std::max(s.latest, item.at);
    s.mixed_rules = s.mixed_rules || from.rules != s.rules;
    const std::uint64_t number = s.events++;
    if (item.positioned) {
        ++s.summary.events;
        s.count(item.extracted);
    } else {
        HELIOS_TRY(s.ids.add(item.identity, number, {s.tape.offset(), item.extracted}));
    }
    HELIOS_TRY(s.tape.append(std::string_view(from.bytes).substr(item.taped, item.taped_size)));
    auto& key = s.leg_key;
    for (std::size_t i = item.first_leg; i < item.first_leg + item.legs; ++i) {
        const auto& piece = from.legs[i];
        key.assign(from.bytes, piece.key, piece.key_size);
        set_leg_number(key.data() + key.size(), number);
        HELIOS_TRY(s.legs->add(
            key,
            std::string_view(from.bytes).substr(piece.key + piece.key_size, piece.value_size)));
    }
    return {};
}

Status OfflineReconcile::add(const Event& event, std::optional<Instant> received_at,
                             std::string_view position, std::string_view origin) {
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
    OfflineBatch batch(rules());
    batch.prepare({event, payload.root(), received_at, position, origin});
    return take(batch, 0);
}

Status OfflineReconcile::add_flow(const model::FlowActivation& activation, Instant at) {
    State& s = *state_;
    if (!s.flows.empty()) {
        return {};
    }
    HELIOS_TRY(parse_flow(activation.text, activation.flow + ".yaml"));
    std::string place = sortable(to_nanos(at));
    place += activation.tenant.text() + '\0' + activation.flow + '\0';
    append_sortable(place, activation.version);
    place += bytes_of(sha256_128(model::encode(activation)));
    const auto behind =
        std::upper_bound(s.control_flows.begin(), s.control_flows.end(), place,
                         [](const auto& p, const ControlFlow& one) { return p < one.place; });
    s.control_flows.insert(behind, {std::move(place), at, activation});
    s.mixed_rules = s.mixed_rules || s.events > 0;
    s.make_rules();
    return {};
}

/// Its place is its begin, as route's is: before whatever could let a deadline pass that it moves.
Status OfflineReconcile::add_absence(const model::AbsenceRecord& absence) {
    auto& all = state_->control_absences;
    std::string place = sortable(to_nanos(absence.from));
    place += bytes_of(sha256_128(model::encode(absence)));
    const auto behind =
        std::upper_bound(all.begin(), all.end(), place,
                         [](const auto& p, const ControlAbsence& one) { return p < one.place; });
    all.insert(behind, {std::move(place), absence});
    return {};
}

void OfflineReconcile::add_end(Instant at) {
    state_->end = at;
}

Status OfflineReconcile::State::settle_ids() {
    const auto all = ids.size();
    HELIOS_TRY_ASSIGN(const auto settled,
                      ids.settle(
                          left_out, [this](const Extracted& extracted) { count(extracted); },
                          [this, all](std::uint64_t done) {
                              return step(OfflineStep::Kind::comparing_ids, done, all);
                          }));
    summary.events += settled.counting;
    summary.duplicates += settled.duplicates;
    return {};
}

Status OfflineReconcile::close(
    const std::function<void(std::string_view origin, std::string_view why)>& conflict) {
    State& s = *state_;
    HELIOS_TRY(s.extracted_early() ? s.legs->end_adding() : Status{});
    HELIOS_TRY(s.settle_ids());
    HELIOS_TRY(s.ids.visit_conflicts(conflict));
    HELIOS_TRY(s.make_judging());
    return s.extract();
}

/// The legs of one event, by what is active at its time.
Status OfflineReconcile::State::extract_one(Router& router, std::uint64_t number,
                                            const TapedEvent& taped, LegWriter& writer) {
    std::string room;
    HELIOS_TRY_ASSIGN(const auto encoded, tape.encoded_of(taped, room));
    HELIOS_TRY_ASSIGN(const auto event, model::decode_event(encoded));
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
    Extracted extracted;
    EventPlace place{.number = number, .received = received(), .at = taped.at, .order = {}};
    if (received() || !taped.position.empty()) {
        append_order_of(place.order, event, taped.position, encoded);
    }
    extracted.unwanted = !router.wants(event);
    std::size_t keyless = 0;
    const auto all = router.on_event(event, payload.root(), {{}, taped.at}, keyless);
    extracted.keyless = keyless;
    HELIOS_TRY(writer.write(
        all, event, place, options.as_of, extracted,
        [this](std::string_view key, std::string_view value) { return legs->add(key, value); }));
    count(extracted);
    if (extracted.has_legs) {
        note_time(taped.at);
    }
    return {};
}

/// Without receive times: by the flows that are active in the end.
Status OfflineReconcile::State::extract_all() {
    Router router;
    HELIOS_TRY(activate_all(router, nobody));
    LegWriter writer;
    return visit_counting([&](std::uint64_t number, const TapedEvent& taped) {
        return extract_one(router, number, taped, writer);
    });
}

/// As route does: flows and absences take effect in their places between the events.
Status OfflineReconcile::State::extract_in_receive_order() {
    Sorter sorted(sorter(4), workers);
    std::string value;
    HELIOS_TRY(visit_counting([&](std::uint64_t number, const TapedEvent& taped) -> Status {
        if (beyond_as_of(taped.at)) {
            Extracted later;
            later.later = taped.at;
            count(later);
            return {};
        }
        value.clear();
        taped.append_bare_to(value);
        return sorted.add(
            sortable(to_nanos(taped.at)) + sortable(static_cast<std::int64_t>(number)), value);
    }));
    Router router;
    HELIOS_TRY(activate_given(router, nobody));
    LegWriter writer;
    auto flow = control_flows.begin();
    auto absence = control_absences.begin();
    for (std::uint64_t n = 0;; ++n) {
        HELIOS_TRY(step(OfflineStep::Kind::reading_again, n, sorted.size()));
        HELIOS_TRY_ASSIGN(const auto* record, sorted.next());
        const Instant at =
            record == nullptr ? Instant::max() : from_nanos(read_sortable(record->key));
        while (flow != control_flows.end() || absence != control_absences.end()) {
            const bool is_flow = absence == control_absences.end() ||
                                 (flow != control_flows.end() && flow->at < absence->absence.from);
            const Instant then = is_flow ? flow->at : absence->absence.from;
            if (then > at || beyond_as_of(then)) {
                break;
            }
            if (is_flow) {
                HELIOS_TRY(router.activate(flow->activation, flow->at));
                ++flow;
            } else {
                router.take_absence((absence++)->absence);
            }
        }
        if (record == nullptr) {
            break;
        }
        const auto number = static_cast<std::uint64_t>(read_sortable(record->key.substr(8)));
        const auto taped = TapedEvent::of(record->value);
        HELIOS_TRY(taped ? extract_one(router, number, *taped, writer) : broken_scratch());
    }
    return {};
}

/// Whatever the engine would have read lets deadlines pass, before an absence begins and in the
/// end.
void OfflineReconcile::State::note_time(Instant at) {
    judging.until = std::max(judging.until, at);
    const auto next = std::upper_bound(
        judging.absences.begin(), judging.absences.end(), at,
        [](Instant t, const Judging::Absence& one) { return t < one.record.from; });
    if (next != judging.absences.end()) {
        next->passed = std::max(next->passed, at);
    }
}

Status OfflineReconcile::State::make_judging() {
    judging.received = received();
    judging.revisions = options.revisions;
    judging.until =
        options.as_of.value_or(received() ? end.value_or(Instant::max()) : Instant::max());
    Instant last_end = Instant::min();
    for (const auto& one : control_absences) {
        if (received() && !beyond_as_of(one.absence.from)) {
            last_end = std::max(last_end, one.absence.to);
            judging.absences.push_back({one.absence, Instant::min(), last_end});
        }
    }
    Router router;
    HELIOS_TRY(activate_all(router, [this](const Router::Active& active, Instant at) {
        judging.flows.push_back({active.tenant, active.flow});
        if (received()) {
            note_time(at);
        }
    }));
    for (const auto& active : router.active()) {
        if (!active.replaced_at) {
            summary.flows.push_back(active.flow);
        }
    }
    return {};
}

/// The legs of all events that count are in the sorter then.
Status OfflineReconcile::State::extract() {
    if (!extracted_early()) {
        legs = std::make_unique<Sorter>(sorter(2), workers);
        summary.unwanted = summary.keyless = summary.after_as_of = 0;
        summary.first_after_as_of = {};
        HELIOS_TRY(received() ? extract_in_receive_order() : extract_all());
    } else if (!judging.absences.empty() || (end && *end < latest)) {
        HELIOS_TRY(visit_counting([this](std::uint64_t, const TapedEvent& taped) -> Status {
            if (taped.has_legs) {
                note_time(taped.at);
            }
            return {};
        }));
    }
    Instant passed = Instant::min();
    for (auto& absence : judging.absences) {
        absence.passed = passed = std::max(passed, absence.passed);
    }
    return {};
}

/// Cuts the sorted legs into batches of whole cases.
Result<std::unique_ptr<CaseBatch>> OfflineReconcile::State::next_batch() {
    auto batch = std::make_unique<CaseBatch>(batch_bytes);
    for (;;) {
        if (leg == nullptr) {
            HELIOS_TRY(step(OfflineStep::Kind::judging, legs_read++, legs->size()));
            HELIOS_TRY_ASSIGN(leg, legs->next());
            if (leg == nullptr) {
                return batch;
            }
        }
        if (!left_out.contains(leg_number(leg->key))) {
            const bool same_case = !case_id.empty() && leg->key.starts_with(case_id);
            if (!same_case) {
                if (batch->cases() >= cases_at_once || batch->bytes() >= bytes_at_once) {
                    return batch;
                }
                case_id = leg->key.substr(0, case_id_size(leg->key));
                same_leg.clear();
                batch->begin_case();
            }
            const auto same = leg->key.substr(0, same_leg_size(leg->value));
            if (!same.empty() && same == same_leg) {
                batch->replace_last_leg(leg->key, leg->value);
            } else {
                batch->add_leg(leg->key, leg->value);
            }
            same_leg = same;
        }
        leg = nullptr;
    }
}

namespace {

Judged judge(const Judging& judging, const CaseBatch& batch, const Render& render) {
    Judged out;
    out.text.reserve(render ? 2 * batch.bytes() : 0);  // about what is needed
    std::vector<model::CaseRecord> room;
    for (std::size_t n = 0; n < batch.cases(); ++n) {
        const auto legs = batch.decode_case(n, room);
        if (!legs) {
            out.status = std::unexpected(legs.error());
            return out;
        }
        auto verdicts = judge_case(judging, *legs);
        if (!verdicts) {
            out.status = std::unexpected(verdicts.error());
            return out;
        }
        count_cases(*verdicts, out.counts);
        for (auto& verdict : *verdicts) {
            if (render) {
                render(verdict, out.text);
            } else {
                out.verdicts.push_back(std::move(verdict));
            }
        }
    }
    return out;
}

void add_counts(const OfflineSummary& counts, OfflineSummary& to) {
    to.cases += counts.cases;
    to.pending += counts.pending;
    to.matched += counts.matched;
    to.partial += counts.partial;
    to.mismatched += counts.mismatched;
}

}  // namespace

Status OfflineReconcile::State::judge_all(const Render& render,
                                          const std::function<void(Judged&)>& take) {
    InOrder<Judged> ahead(workers);
    for (bool more = true; more || ahead.size() > 0;) {
        if (more) {
            HELIOS_TRY_ASSIGN(auto batch, next_batch());
            more = batch->cases() > 0;
            if (more) {
                ahead.start([this, &render, cases = std::shared_ptr<CaseBatch>(std::move(batch))] {
                    return judge(judging, *cases, render);
                });
            }
        }
        if (ahead.size() > (more ? batches_ahead : 0)) {
            auto judged = ahead.take();
            HELIOS_TRY(judged.status);
            add_counts(judged.counts, summary);
            take(judged);
        }
    }
    return {};
}

Result<OfflineSummary> OfflineReconcile::finish(
    const std::function<void(const model::Verdict&)>& sink) {
    HELIOS_TRY(state_->judge_all({}, [&](Judged& judged) {
        std::for_each(judged.verdicts.begin(), judged.verdicts.end(), sink);
    }));
    return state_->summary;
}

Result<OfflineSummary> OfflineReconcile::finish(
    const Render& render, const std::function<void(std::string_view)>& write) {
    HELIOS_TRY(state_->judge_all(render, [&](Judged& judged) { write(judged.text); }));
    return state_->summary;
}

}  // namespace helios::reconcile
