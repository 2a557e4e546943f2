#include "reconcile/route_stage.h"

#include <algorithm>

#include "base/assert.h"
#include "log/synchronous.h"
#include "model/counts.h"
#include "model/topics.h"
#include "reconcile/activate.h"
#include "reconcile/stage_options.h"
#include "telemetry/telemetry.h"
#include "telemetry/trace_scope.h"

namespace helios::reconcile {
namespace {

std::string group_of(const RouteOptions& options) {
    return options.lane ? "route-" + std::to_string(*options.lane) : "route";
}

/// On one machine what is activated in a millisecond applies to all events of it; a lane sees a
/// partition's events as soon as they are there.
log::StageOptions stage_options_of(const RouteOptions& options) {
    auto out = stage_options(options, group_of(options), "route");
    if (!options.lane) {
        out.rank = model::rank_of;
    }
    return out;
}

}  // namespace

struct RouteStage::Metrics {
    telemetry::Counter& events;
    telemetry::Counter& records;
    telemetry::Counter& keyless;
    telemetry::Counter& unwanted;
    telemetry::Counter& failures;

    explicit Metrics(telemetry::Metrics& m)
        : events(m.counter("helios_reconcile_routed_events_total", "Events consumed by route.")),
          records(
              m.counter("helios_reconcile_case_records_total", "Case records made from events.")),
          keyless(m.counter("helios_reconcile_keyless_total",
                            "Legs that wanted an event but found no key in it.")),
          unwanted(
              m.counter("helios_reconcile_unwanted_total", "Events that no active flow wants.")),
          failures(m.counter("helios_reconcile_route_failures_total",
                             "Rounds of route that failed and were begun again.")) {
        for (const auto cause : {model::AbsenceCause::start, model::AbsenceCause::sleep,
                                 model::AbsenceCause::refused, model::AbsenceCause::fetch}) {
            absences[cause] = &m.counter(
                "helios_reconcile_absences_total",
                "Stretches of Helios' own absence, or pieces of them, handed on to cases.",
                {{"cause", std::string(model::to_string(cause))}});
        }
    }
    std::map<model::AbsenceCause, telemetry::Counter*> absences;
};

/// What has been taken in since the last commit.
struct RouteStage::Round {
    std::map<std::tuple<TenantId, std::string, Instant>, std::uint64_t>
        judged;  // tenant, source, minute
    std::size_t events = 0, case_records = 0, keyless = 0, unwanted = 0;
    std::size_t absences = 0;  // of absences_, among the outputs
};

RouteStage::RouteStage(const RouteOptions& options, log::Log& log, telemetry::Telemetry& telemetry,
                       const Clock& clock)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      metrics_(std::make_unique<Metrics>(telemetry.metrics)),
      partitions_(log.partition_count(model::topic::cases)),
      round_(std::make_unique<Round>()),
      presence_({options.absence_min, options.absence_max, options.grace}, log, clock),
      stage_(stage_options_of(options), *this, log, telemetry, clock, metrics_->failures) {}

RouteStage::~RouteStage() {
    stop();
}

Result<log::Standing> RouteStage::restore(const log::Assignment& assignment) {
    if (!absence_recorded_ && watches()) {
        HELIOS_TRY(record_start(log_, options_.grace, options_.absence_min));
        absence_recorded_ = true;
        presence_.turn();
    }
    return stand_at_committed(assignment);
}

/// Before anything is handed on that is stamped from their begin on.
Status RouteStage::write_down(const std::vector<model::AbsenceRecord>& noticed) {
    for (const auto& piece : noticed) {
        HELIOS_TRY(record_absence(log_, piece));
        presence_.written(piece);
        enqueue(piece);
        tell(piece);
    }
    return {};
}

/// While the disk is full no deadline can pass, since no tick can be appended: pieces wait until
/// they are needed, and what is set aside for finishing what was begun stays for that.
bool RouteStage::is_stuck(const log::Batch& batch,
                          const std::vector<model::AbsenceRecord>& noticed) {
    return batch.records.empty() && !noticed.empty() && !log_.health();
}

/// One line for a stretch, however many pieces it has.
void RouteStage::tell(const model::AbsenceRecord& piece) {
    const bool goes_on =
        std::any_of(told_.all().begin(), told_.all().end(), [&](const auto& known) {
            return known.cause == piece.cause && known.sources == piece.sources &&
                   known.to >= piece.from;
        });
    told_.add(piece);
    if (!goes_on) {
        told_.forget_until(piece.from - options_.absence_max);
        telemetry_.logger.warn("reconcile", "Helios was away: open deadlines move",
                               {{"why", describe(piece)},
                                {"from", format_rfc3339(piece.from)},
                                {"to", format_rfc3339(piece.to)},
                                {"grace", format_duration(piece.grace)}});
    }
}

void RouteStage::enqueue(const model::AbsenceRecord& absence) {
    const auto later =
        std::upper_bound(absences_.begin(), absences_.end(), absence,
                         [](const auto& a, const auto& b) { return a.from < b.from; });
    absences_.insert(later, absence);
}

/// What it is assigned of its lane's events, or of all; helios.flows always.
log::Offsets RouteStage::inputs(const log::Assignment& assignment) const {
    log::Offsets from;
    for (const auto topic : model::event_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            if (id.index == options_.lane.value_or(id.index) && assignment.includes(id)) {
                from[id] = Offset{0};
            }
        }
    }
    from[{model::topic::flows, 0}] = Offset{0};
    return from;
}

Result<log::Standing> RouteStage::stand_at_committed(const log::Assignment& assignment) {
    *round_ = {};
    log::Offsets from = inputs(assignment);
    HELIOS_TRY_ASSIGN(const auto committed, log_.committed(group_of(options_)));
    for (const auto& [id, offset] : committed) {
        if (const auto input = from.find(id); input != from.end()) {
            input->second = offset;
        }
    }
    HELIOS_TRY_ASSIGN(const auto written, log_.ends_of(log::beginning_of(
                                              log_, {model::topic::cases, model::topic::counts})));
    HELIOS_TRY(take_history(from[{model::topic::flows, 0}]));
    return log::Standing{.read_from = from, .committed = from, .written = written};
}

/// What stands on helios.flows: below `flows_from` it has been handed on.
Status RouteStage::take_history(Offset flows_from) {
    router_.emplace();
    absences_.clear();
    unannounced_.clear();
    announced_below_ = {};
    HELIOS_TRY_ASSIGN(const auto history, read_flows(log_));
    for (const auto& record : history) {
        bool taken = record.offset < flows_from;
        if (record.absence && !taken && watches()) {
            HELIOS_TRY_ASSIGN(taken, is_handed_on(log_, record));
            if (!taken) {
                enqueue(*record.absence);
            }
        }
        if (options_.lane && !taken) {
            // A lane may meet events before it: what is active already is so from the beginning.
            if (auto copy = activate(record)) {
                unannounced_.push_back(std::move(*copy));
            }
            announced_below_ = Offset{record.offset.value + 1};
        } else if (taken && record.activation) {
            // What was refused when it was first read is refused again, in the same way.
            static_cast<void>(router_->activate(*record.activation, record.log_time));
        } else if (taken && record.absence) {
            router_->take_absence(*record.absence);
        }
    }
    return {};
}

void RouteStage::to_every_partition(const model::CaseRecord& record, log::Outputs& out) {
    const std::string value = model::encode(record);
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        log::Record copy;
        copy.topic = model::topic::cases;
        copy.partition = p;
        copy.type = static_cast<std::uint16_t>(model::RecordType::case_record);
        copy.version = model::case_record_version;
        copy.value = value;
        out.add(std::move(copy));
    }
}

void RouteStage::absences_until(Instant t, log::Outputs& out) {
    std::size_t& n = round_->absences;
    for (; n < absences_.size() && absences_[n].from <= t; ++n) {
        router_->take_absence(absences_[n]);
        to_every_partition(absences_[n], out);
    }
}

void RouteStage::route_event(const log::StoredRecord& record, log::Outputs& out) {
    const auto event = model::decode_event(record.value);
    if (!event) {
        telemetry_.logger.error("reconcile", "an event record can't be decoded and was passed over",
                                {{"topic", model::name_of(record.at.partition.topic)},
                                 {"partition", record.at.partition.index},
                                 {"offset", record.at.offset.value},
                                 {"error", event.error().message()}});
        return;
    }
    const telemetry::TraceScope scope(trace_id_of(event->traceparent));
    ++round_->events;
    ++round_->judged[{event->tenant, event->source,
                      std::chrono::floor<std::chrono::minutes>(record.log_time)}];
    if (!router_->wants(*event)) {
        ++round_->unwanted;
        return;
    }
    const auto payload = json::Document::parse(event->payload);
    if (!payload) {
        telemetry_.logger.error("reconcile", "an event's payload is not JSON and was passed over",
                                {{"topic", model::name_of(record.at.partition.topic)},
                                 {"offset", record.at.offset.value},
                                 {"error", payload.error().message()}});
        return;
    }
    const Arrival arrival{record.at, record.log_time};
    for (auto& leg : router_->on_event(*event, payload->root(), arrival, round_->keyless)) {
        if (options_.lane) {
            leg.passed.reset();
        }
        log::Record output;
        output.topic = model::topic::cases;
        output.type = static_cast<std::uint16_t>(model::RecordType::case_record);
        output.version = model::case_record_version;
        output.key = model::case_log_key(leg.tenant, leg.flow, leg.key);
        output.value = model::encode(model::CaseRecord(std::move(leg)));
        out.add(std::move(output));
        ++round_->case_records;
    }
}

/// What of a record of helios.flows every case partition must know: its copy. An absence is handed
/// on by itself, in its place.
std::optional<model::CaseRecord> RouteStage::activate(const FlowsRecord& record) {
    if (record.activation) {
        auto flow = router_->activate(*record.activation, record.log_time);
        if (!flow) {
            telemetry_.logger.error(
                "reconcile", "a flow on the log was not made active",
                {{"flow", record.activation->flow}, {"error", flow.error().message()}});
            return std::nullopt;
        }
        if (options_.lane) {
            flow->passed.reset();
        }
        return *std::move(flow);
    }
    if (record.level) {
        const auto passed = options_.lane ? std::nullopt : std::optional(record.log_time);
        return model::LevelRecord{record.log_time, record.level->level, passed};
    }
    return std::nullopt;
}

void RouteStage::announce(log::Outputs& out) {
    for (const auto& record : unannounced_) {
        to_every_partition(record, out);
    }
    unannounced_.clear();
}

Status RouteStage::take_flows_record(const log::StoredRecord& record, log::Outputs& out) {
    HELIOS_TRY_ASSIGN(const auto decoded, decode_flows_record(record));
    if (decoded.absence) {
        if (watches()) {
            // It waits in absences_ since it was written, or has been handed on: at the latest now,
            // since behind this position it is not looked for any more.
            absences_until(decoded.absence->from, out);
        } else {
            router_->take_absence(*decoded.absence);
        }
    } else if (record.at.offset >= announced_below_) {
        if (const auto copy = activate(decoded)) {
            to_every_partition(*copy, out);
        }
    }
    return {};
}

/// After the poll, so that no record of the batch is from beyond an absence that has not been
/// noticed; and nothing from after one may be handed on before it is written.
Result<bool> RouteStage::prepare(const log::Batch& batch) {
    if (!watches()) {
        return true;
    }
    const auto noticed = presence_.notice(batch.complete_below);
    if (is_stuck(batch, noticed)) {
        return false;
    }
    HELIOS_TRY(write_down(noticed));
    return true;
}

Result<log::Taken> RouteStage::apply(const log::StoredRecord& record, bool, log::Outputs& out) {
    announce(out);
    absences_until(record.log_time, out);
    if (record.at.partition.topic == model::topic::flows) {
        HELIOS_TRY(take_flows_record(record, out));
    } else {
        route_event(record, out);
    }
    return log::Taken::whole;
}

Status RouteStage::complete(const log::Batch& batch, log::Outputs& out) {
    absences_until(batch.complete_below, out);
    return {};
}

void RouteStage::sum_up(log::Outputs& out) {
    for (const auto& [where, n] : round_->judged) {
        model::Counts counts(std::get<0>(where));
        counts.hop = "route";
        counts.source = std::get<1>(where);
        counts.minute = std::get<2>(where);
        counts.deltas["judged"] = n;
        log::Record record;
        record.topic = model::topic::counts;
        record.partition = options_.lane.value_or(0);
        record.type = static_cast<std::uint16_t>(model::RecordType::counts);
        record.version = model::counts_version;
        record.key = counts.source;
        record.value = model::encode(counts);
        out.add(std::move(record));
    }
}

void RouteStage::committed() {
    for (; round_->absences > 0; --round_->absences) {
        if (const auto counter = metrics_->absences.find(absences_.front().cause);
            counter != metrics_->absences.end()) {
            counter->second->add();
        }
        absences_.pop_front();
    }
    metrics_->events.add(static_cast<double>(round_->events));
    metrics_->records.add(static_cast<double>(round_->case_records));
    metrics_->keyless.add(static_cast<double>(round_->keyless));
    metrics_->unwanted.add(static_cast<double>(round_->unwanted));
    *round_ = {};
}

void RouteStage::start() {
    if (!stage_.is_open()) {
        static_cast<void>(open());  // here, so that it comes before whatever the caller starts
                                    // next; a failure shows in the first step
    }
    stage_.start();
}

}  // namespace helios::reconcile
