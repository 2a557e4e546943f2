#include "reconcile/offline.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "base/json.h"
#include "model/position.h"
#include "reconcile/activate.h"
#include "reconcile/engine.h"
#include "reconcile/router.h"

namespace helios::reconcile {
namespace {

// What begins a key in the scratch space ('c' is taken by closed cases).
constexpr char id_prefix = 'i';
constexpr char input_prefix = 'e';
constexpr char leg_prefix = 'l';
constexpr char verdict_prefix = 'v';

// Kinds of inputs; at one instant they take effect in this order.
constexpr char kind_absence = 'a';
constexpr char kind_flow = 'b';
constexpr char kind_event = 'c';

std::string bytes_of(const Digest128& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Error broken_scratch() {
    return {ErrorKind::corrupt, "scratch space gave back other bytes than it was given",
            "check the disk"};
}

}  // namespace

OfflineReconcile::OfflineReconcile(const OfflineOptions& options, std::vector<Flow> flows,
                                   std::unique_ptr<Spill> spill)
    : options_(options), flows_(std::move(flows)), spill_(std::move(spill)) {}
OfflineReconcile::~OfflineReconcile() = default;

Result<std::unique_ptr<OfflineReconcile>> OfflineReconcile::open(const OfflineOptions& options,
                                                                 std::vector<Flow> flows) {
    HELIOS_TRY_ASSIGN(auto spill, Spill::open(options.scratch));
    return std::unique_ptr<OfflineReconcile>(
        new OfflineReconcile(options, std::move(flows), std::move(spill)));
}

namespace {

/// What is remembered of an id: the line that counts. Order decides which of two does.
struct KnownId {
    std::string content;  ///< digest
    std::string rank;
    std::string place;
    std::string origin;

    static constexpr std::size_t content_size = sizeof(Digest128);
    static constexpr std::size_t rank_size = 2 * sizeof(std::int64_t) + sizeof(Digest128);

    std::string encoded() const {
        std::string out = content + rank;
        append_sortable(out, static_cast<std::int64_t>(place.size()));
        return out + place + origin;
    }
    static KnownId of(std::string_view bytes) {
        const auto next = [&bytes](std::size_t n) {
            const auto part = bytes.substr(0, n);
            bytes.remove_prefix(part.size());
            return std::string(part);
        };
        KnownId id;
        id.content = next(content_size);
        id.rank = next(rank_size);
        id.place = next(static_cast<std::size_t>(read_sortable(next(sizeof(std::int64_t)))));
        id.origin = bytes;
        return id;
    }
};

/// The order of events that were received at one instant: one that every permutation of the lines
/// agrees on.
std::string order_of(const model::Event& event) {
    std::string order;
    append_sortable(order, to_nanos(event.time.value_or(Instant::max())));
    for (const auto* part : {&event.source, &event.scope, &event.id}) {
        order += *part;
        order += '\0';
    }
    return order;
}

/// The log's own order at one instant: by topic, partition and offset. A text that is no position
/// of Helios orders by itself.
std::string order_of(std::string_view position) {
    const auto token = model::decode_position(position);
    if (!token) {
        return std::string(position) + '\0';
    }
    std::string order;
    append_sortable(order, model::rank_of(token->pointer.partition.topic));
    append_sortable(order, token->pointer.partition.index);
    append_sortable(order, static_cast<std::int64_t>(token->pointer.offset.value));
    return order;
}

}  // namespace

/// Of one id one event counts, whichever line it stands on: the one received first, then the
/// earliest by its own time.
Result<OfflineReconcile::Added> OfflineReconcile::add_once(const model::Event& event, Instant at,
                                                           std::string_view origin) {
    const std::string key = id_prefix + bytes_of(model::identity_of(event));
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
    const std::string encoded = model::encode(event);
    KnownId added;
    added.content = bytes_of(model::content_of(event.type, payload.root()));
    append_sortable(added.rank, to_nanos(at));
    append_sortable(added.rank, to_nanos(event.time.value_or(Instant::max())));
    added.rank += bytes_of(sha256_128(encoded));
    added.origin = origin;
    HELIOS_TRY_ASSIGN(const auto stored, spill_->get(key));
    const auto known = stored ? std::optional(KnownId::of(*stored)) : std::nullopt;
    const bool counts = !known || added.rank < known->rank;
    if (counts) {
        if (known) {
            HELIOS_TRY(spill_->remove(known->place));
        }
        added.place = next_place(at, kind_event, order_of(event), encoded);
        HELIOS_TRY(spill_->put(added.place, encoded));
        HELIOS_TRY(spill_->put(key, added.encoded()));
    }
    if (!known) {
        ++summary_.events;
        return Added::accepted;
    }
    if (known->content != added.content) {
        left_out_ = counts ? known->origin : added.origin;
        return fail(ErrorKind::conflict,
                    "event " + event.id + " from " + event.source +
                        " stands on another line with other content",
                    "the other one counts, received or happened first, whatever the order of "
                    "lines; give one of them an id of its "
                    "own");
    }
    ++summary_.duplicates;
    return Added::duplicate;
}

/// `order` and `content` decide at one instant, so that the order of lines does not; the number
/// only tells equal ones apart.
std::string OfflineReconcile::next_place(Instant at, char kind, std::string_view order,
                                         std::string_view content) {
    std::string key(1, input_prefix);
    append_sortable(key, to_nanos(at));
    key.push_back(kind);
    key += order;
    key += bytes_of(sha256_128(content));
    append_sortable(key, ++sequence_);
    return key;
}

Result<OfflineReconcile::Added> OfflineReconcile::add(const model::Event& event,
                                                      std::optional<Instant> received_at,
                                                      std::string_view position,
                                                      std::string_view origin) {
    if (has_receive_times_ && *has_receive_times_ != received_at.has_value()) {
        return fail(ErrorKind::invalid,
                    received_at ? "this line has receivedAt, earlier ones have none"
                                : "this line has no receivedAt, earlier ones have",
                    "an input is either an export with receive times or without; judge them apart");
    }
    has_receive_times_ = received_at.has_value();
    const Instant at = received_at.value_or(Instant{});
    if (position.empty()) {
        return add_once(event, at, origin);
    }
    const std::string encoded = model::encode(event);
    HELIOS_TRY(spill_->put(next_place(at, kind_event, order_of(position), encoded), encoded));
    ++summary_.events;
    return Added::accepted;
}

Status OfflineReconcile::add_flow(const model::FlowActivation& activation, Instant at) {
    if (!flows_.empty()) {
        return {};
    }
    HELIOS_TRY(parse_flow(activation.text, activation.flow + ".yaml"));
    has_control_flows_ = true;
    std::string order = activation.tenant.text() + '\0' + activation.flow + '\0';
    append_sortable(order, activation.version);
    const std::string encoded = model::encode(activation);
    return spill_->put(next_place(at, kind_flow, order, encoded), encoded);
}

/// Its place is its begin, as route's is: before whatever could let a deadline pass that it moves.
Status OfflineReconcile::add_absence(const model::AbsenceRecord& absence) {
    const std::string encoded = model::encode(absence);
    return spill_->put(next_place(absence.from, kind_absence, {}, encoded), encoded);
}

void OfflineReconcile::add_end(Instant at) {
    end_ = at;
}

Status OfflineReconcile::keep(std::vector<Revision>& revisions) {
    for (const Revision& revision : revisions) {
        const model::Verdict& v = revision.verdict;
        std::string key = verdict_prefix + model::case_log_key(v.tenant, v.flow, v.key) + '\0';
        append_sortable(key, v.instance);
        append_sortable(key, options_.revisions ? v.revision : 0);
        HELIOS_TRY(spill_->put(key, model::encode(v)));
    }
    revisions.clear();
    return {};
}

void OfflineReconcile::count_as_later(Instant at) {
    summary_.first_after_as_of =
        summary_.after_as_of == 0 ? at : std::min(summary_.first_after_as_of, at);
    ++summary_.after_as_of;
}

void OfflineReconcile::name_flows(const Router& router) {
    for (const auto& active : router.active()) {
        if (!active.replaced_at) {
            summary_.flows.push_back(active.flow);
        }
    }
}

/// Over all that begins with `prefix`; the loops that take long are all here.
Status OfflineReconcile::scan(
    char prefix, const std::function<Status(std::string_view, std::string_view)>& visit) {
    return spill_->scan(std::string(1, prefix),
                        [&](std::string_view key, std::string_view value) -> Status {
                            if (options_.stop && options_.stop()) {
                                return fail(ErrorKind::stopping, "interrupted");
                            }
                            return visit(key, value);
                        });
}

/// With receive times: one router and one engine over everything, as live.
Status OfflineReconcile::in_receive_order() {
    Router router;
    SpilledClosedCases closed(*spill_);
    Engine engine(closed);
    std::vector<Revision> revisions;
    for (const Flow& flow : flows_) {
        HELIOS_TRY_ASSIGN(const auto record,
                          router.activate(activation_of(default_tenant(), flow), earliest_instant));
        engine.on_record(record, revisions);
    }
    const auto take = [&](std::string_view key, std::string_view value) -> Status {
        const Instant at = from_nanos(read_sortable(key.substr(1)));
        const char kind = key[9];
        if (options_.as_of && at > *options_.as_of) {
            if (kind == kind_event) {
                count_as_later(at);
            }
            return {};
        }
        if (kind == kind_flow) {
            HELIOS_TRY_ASSIGN(const auto activation, model::decode_flow_activation(value));
            HELIOS_TRY_ASSIGN(const auto record, router.activate(activation, at));
            engine.on_record(record, revisions);
        } else if (kind == kind_absence) {
            HELIOS_TRY_ASSIGN(const auto absence, model::decode_absence(value));
            router.take_absence(absence);
            engine.on_record(absence, revisions);
        } else {
            HELIOS_TRY_ASSIGN(const auto event, model::decode_event(value));
            HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
            summary_.unwanted += router.wants(event) ? 0 : 1;
            for (auto& leg : router.on_event(event, payload.root(), {{}, at}, summary_.keyless)) {
                engine.on_record(std::move(leg), revisions);
            }
        }
        return keep(revisions);
    };
    HELIOS_TRY(scan(input_prefix, take));
    const Instant until = options_.as_of ? *options_.as_of : end_.value_or(Instant::max());
    engine.on_record(model::TickRecord{until}, revisions);
    HELIOS_TRY(keep(revisions));
    name_flows(router);
    return closed.health();
}

/// When a leg happened, for an input that doesn't say when it was received.
namespace {
std::optional<Instant> event_time_of(const model::LegRecord& leg) {
    return leg.event_time ? leg.event_time : leg.occurred;
}
}  // namespace

/// Every leg of every event into scratch space, sorted by case, then by event time, source and id.
Status OfflineReconcile::sort_legs(Router& router) {
    const auto flows = [&](std::string_view key, std::string_view value) -> Status {
        if (key[9] != kind_flow) {
            return {};
        }
        HELIOS_TRY_ASSIGN(const auto activation, model::decode_flow_activation(value));
        HELIOS_TRY(router.activate(activation, from_nanos(read_sortable(key.substr(1)))));
        return {};
    };
    const auto legs = [&](std::string_view key, std::string_view value) -> Status {
        if (key[9] != kind_event) {
            return {};
        }
        HELIOS_TRY_ASSIGN(const auto event, model::decode_event(value));
        HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
        summary_.unwanted += router.wants(event) ? 0 : 1;
        bool counted = false;
        for (const auto& leg : router.on_event(event, payload.root(), {}, summary_.keyless)) {
            const auto time = event_time_of(leg);
            if (options_.as_of && time && *time > *options_.as_of) {
                if (!counted) {
                    count_as_later(*time);
                }
                counted = true;
                continue;
            }
            if (!leg.opens) {
                continue;
            }
            std::string sorted =
                leg_prefix + model::case_log_key(leg.tenant, leg.flow, leg.key) + '\0';
            append_sortable(sorted,
                            time ? to_nanos(*time) : std::numeric_limits<std::int64_t>::min());
            sorted += event.source + '\0' + event.id + '\0' + event.scope + '\0' + leg.leg;
            HELIOS_TRY(spill_->put(sorted, model::encode(model::CaseRecord(leg))));
        }
        return {};
    };
    HELIOS_TRY(scan(input_prefix, flows));
    return scan(input_prefix, legs);
}

/// `legs` are sorted; those without any time come first and count as of the case's earliest.
Status OfflineReconcile::judge_case(const Router& router, std::vector<model::LegRecord>& legs) {
    MemoryClosedCases closed;
    EngineOptions options;
    options.one_case_per_key = true;  // no receive time says that a key was used again
    Engine engine(closed, options);
    for (const auto& active : router.active()) {
        engine.use_flow(active.tenant, active.flow);
    }
    const auto timed = std::find_if(legs.begin(), legs.end(),
                                    [](const auto& leg) { return event_time_of(leg).has_value(); });
    const Instant earliest = timed == legs.end() ? earliest_instant : *event_time_of(*timed);
    std::vector<Revision> revisions;
    for (auto& leg : legs) {
        leg.at = event_time_of(leg).value_or(earliest);
        leg.passed = leg.at;
        engine.on_record(std::move(leg), revisions);
    }
    legs.clear();
    engine.on_record(model::TickRecord{options_.as_of.value_or(Instant::max())}, revisions);
    return keep(revisions);
}

/// Without receive times: each case by itself, with an engine of its own.
Status OfflineReconcile::case_by_case() {
    Router router;
    for (const Flow& flow : flows_) {
        HELIOS_TRY(router.activate(activation_of(default_tenant(), flow), earliest_instant));
    }
    HELIOS_TRY(sort_legs(router));
    name_flows(router);
    std::vector<model::LegRecord> legs;  // of one case
    const auto gather = [&](std::string_view, std::string_view value) -> Status {
        HELIOS_TRY_ASSIGN(auto record, model::decode_case_record(value));
        auto* leg = std::get_if<model::LegRecord>(&record);
        if (leg == nullptr) {
            return fail(broken_scratch());
        }
        if (!legs.empty() && (legs.front().key != leg->key || legs.front().flow != leg->flow ||
                              legs.front().tenant != leg->tenant)) {
            HELIOS_TRY(judge_case(router, legs));
        }
        legs.push_back(std::move(*leg));
        return {};
    };
    HELIOS_TRY(scan(leg_prefix, gather));
    return legs.empty() ? Status{} : judge_case(router, legs);
}

Result<OfflineSummary> OfflineReconcile::emit(
    const std::function<void(const model::Verdict&)>& sink) {
    std::optional<model::Verdict> last;
    const auto count_last = [&] {
        if (last) {
            ++summary_.cases;
            switch (last->status) {
                case model::VerdictStatus::pending:
                    ++summary_.pending;
                    break;
                case model::VerdictStatus::matched:
                    ++summary_.matched;
                    break;
                case model::VerdictStatus::partial:
                    ++summary_.partial;
                    break;
                case model::VerdictStatus::mismatched:
                    ++summary_.mismatched;
                    break;
            }
        }
    };
    const auto visit = [&](std::string_view, std::string_view value) -> Status {
        HELIOS_TRY_ASSIGN(auto verdict, model::decode_verdict(value));
        sink(verdict);
        if (last && (last->key != verdict.key || last->instance != verdict.instance ||
                     last->flow != verdict.flow || last->tenant != verdict.tenant)) {
            count_last();
        }
        last = std::move(verdict);
        return {};
    };
    HELIOS_TRY(scan(verdict_prefix, visit));
    count_last();
    return summary_;
}

Result<OfflineSummary> OfflineReconcile::finish(
    const std::function<void(const model::Verdict&)>& sink) {
    if (flows_.empty() && !has_control_flows_) {
        HELIOS_TRY_ASSIGN(auto shipped, parse_flow(shipped_order_flow(), "flows/order.yaml"));
        flows_.push_back(std::move(shipped));
    }
    HELIOS_TRY(has_receive_times_.value_or(false) ? in_receive_order() : case_by_case());
    return emit(sink);
}

}  // namespace helios::reconcile
