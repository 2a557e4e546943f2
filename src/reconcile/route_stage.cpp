#include "reconcile/route_stage.h"

#include <algorithm>

#include "base/assert.h"
#include "model/counts.h"
#include "model/topics.h"
#include "reconcile/activate.h"
#include "reconcile/stage_log.h"
#include "telemetry/telemetry.h"

namespace helios::reconcile {
namespace {

constexpr std::string_view group = "route";
constexpr Duration lag_every = std::chrono::seconds(1);

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
                                 model::AbsenceCause::refused}) {
            absences[cause] = &m.counter(
                "helios_reconcile_absences_total",
                "Stretches of Helios' own absence, or pieces of them, handed on to cases.",
                {{"cause", std::string(model::to_string(cause))}});
        }
    }
    std::map<model::AbsenceCause, telemetry::Counter*> absences;
};

/// What one round appends, and what it counted.
struct RouteStage::Outputs {
    std::vector<log::Record> records;
    std::map<std::tuple<TenantId, std::string, Instant>, std::uint64_t>
        judged;  // tenant, source, minute
    std::size_t events = 0, case_records = 0, keyless = 0, unwanted = 0;
    std::size_t absences = 0;  // of absences_, taken into these outputs
};

RouteStage::RouteStage(const RouteOptions& options, log::Log& log, telemetry::Telemetry& telemetry,
                       const Clock& clock)
    : options_(options),
      log_(log),
      telemetry_(telemetry),
      clock_(clock),
      metrics_(std::make_unique<Metrics>(telemetry.metrics)),
      partitions_(log.partition_count(model::topic::cases)),
      records_max_(options.batch_records_max),
      presence_({options.absence_min, options.absence_max, options.grace}, log, clock),
      thread_("route", options.pace, options.retry_after, clock, telemetry.logger,
              metrics_->failures) {}

RouteStage::~RouteStage() {
    stop();
}

Status RouteStage::open() {
    if (!absence_recorded_) {
        HELIOS_TRY(record_start(log_, options_.grace, options_.absence_min));
        absence_recorded_ = true;
        presence_.turn();
    }
    return stand_at_committed();
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

Status RouteStage::stand_at_committed() {
    reader_.reset();
    log::Offsets from;
    for (const auto topic : model::event_topics) {
        for (const auto& id : log_.partitions_of(topic)) {
            from[id] = log::Offset{0};
        }
    }
    for (const auto& id : log_.partitions_of(model::topic::flows)) {
        from[id] = log::Offset{0};
    }
    HELIOS_TRY_ASSIGN(const auto committed, log_.committed(group));
    for (const auto& [id, offset] : committed) {
        from[id] = offset;
    }
    const log::TopicPartition flows{std::string(model::topic::flows), 0};
    router_.emplace();
    absences_.clear();
    HELIOS_TRY_ASSIGN(const auto history, read_flows(log_));
    for (const auto& record : history) {
        bool taken = record.offset < from[flows];
        if (record.absence && !taken) {
            HELIOS_TRY_ASSIGN(taken, is_handed_on(log_, record));
            if (!taken) {
                enqueue(*record.absence);
            }
        }
        if (!taken) {
            continue;
        }
        if (record.activation) {
            // What was refused when it was first read is refused again, in the same way.
            static_cast<void>(router_->activate(*record.activation, record.log_time));
        } else if (record.absence) {
            router_->take_absence(*record.absence);
        }
    }
    HELIOS_TRY_ASSIGN(reader_, log_.read(from));
    committed_ = std::move(from);
    return {};
}

void RouteStage::to_every_partition(const model::CaseRecord& record, Outputs& out) {
    const std::string value = model::encode(record);
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        log::Record copy;
        copy.topic = model::topic::cases;
        copy.partition = p;
        copy.type = static_cast<std::uint16_t>(model::RecordType::case_record);
        copy.version = model::case_record_version;
        copy.value = value;
        out.records.push_back(std::move(copy));
    }
}

void RouteStage::absences_until(Instant t, Outputs& out) {
    for (; out.absences < absences_.size() && absences_[out.absences].from <= t; ++out.absences) {
        router_->take_absence(absences_[out.absences]);
        to_every_partition(absences_[out.absences], out);
    }
}

void RouteStage::route_event(const log::StoredRecord& record, Outputs& out) {
    const auto event = model::decode_event(record.value);
    if (!event) {
        telemetry_.logger.error("reconcile", "an event record can't be decoded and was passed over",
                                {{"topic", record.topic},
                                 {"partition", record.partition},
                                 {"offset", record.offset.value},
                                 {"error", event.error().message()}});
        return;
    }
    ++out.events;
    ++out.judged[{event->tenant, event->source,
                  std::chrono::floor<std::chrono::minutes>(record.log_time)}];
    if (!router_->wants(*event)) {
        ++out.unwanted;
        return;
    }
    const auto payload = json::Document::parse(event->payload);
    if (!payload) {
        telemetry_.logger.error("reconcile", "an event's payload is not JSON and was passed over",
                                {{"topic", record.topic},
                                 {"offset", record.offset.value},
                                 {"error", payload.error().message()}});
        return;
    }
    const Arrival arrival{{model::topic_of(record.topic), record.partition, record.offset.value},
                          record.log_time};
    for (auto& leg : router_->on_event(*event, payload->root(), arrival, out.keyless)) {
        log::Record output;
        output.topic = model::topic::cases;
        output.type = static_cast<std::uint16_t>(model::RecordType::case_record);
        output.version = model::case_record_version;
        output.key = model::case_log_key(leg.tenant, leg.flow, leg.key);
        output.value = model::encode(model::CaseRecord(std::move(leg)));
        out.records.push_back(std::move(output));
        ++out.case_records;
    }
}

Result<std::size_t> RouteStage::take(const log::Batch& batch, Outputs& out) {
    for (const auto& record : batch.records) {
        absences_until(record.log_time, out);
        if (record.topic != model::topic::flows) {
            route_event(record, out);
            continue;
        }
        HELIOS_TRY_ASSIGN(const auto decoded, decode_flows_record(record));
        if (decoded.activation) {
            auto flow = router_->activate(*decoded.activation, record.log_time);
            if (flow) {
                to_every_partition(*flow, out);
            } else {
                telemetry_.logger.error(
                    "reconcile", "a flow on the log was not made active",
                    {{"flow", decoded.activation->flow}, {"error", flow.error().message()}});
            }
        } else if (decoded.level) {
            to_every_partition(
                model::LevelRecord{record.log_time, decoded.level->level, record.log_time}, out);
        }  // an absence has been handed on, or waits in absences_, since it was written
    }
    absences_until(batch.complete_below, out);
    return batch.records.size();
}

void RouteStage::add_counts(Outputs& out) {
    for (const auto& [where, n] : out.judged) {
        model::Counts counts(std::get<0>(where));
        counts.hop = "route";
        counts.source = std::get<1>(where);
        counts.minute = std::get<2>(where);
        counts.deltas["judged"] = n;
        log::Record record;
        record.topic = model::topic::counts;
        record.partition = 0;
        record.type = static_cast<std::uint16_t>(model::RecordType::counts);
        record.version = model::counts_version;
        record.key = counts.source;
        record.value = model::encode(counts);
        out.records.push_back(std::move(record));
    }
}

Result<std::size_t> RouteStage::step(Duration wait) {
    if (!reader_) {
        HELIOS_TRY(open());
    }
    HELIOS_TRY_ASSIGN(const auto batch,
                      reader_->poll(records_max_, options_.batch_bytes_max, wait));
    // After the poll, so that no record of the batch is from beyond an absence that has not been
    // noticed.
    const auto noticed = presence_.notice(batch.complete_below);
    if (is_stuck(batch, noticed)) {
        return 0;
    }
    if (auto written = write_down(noticed); !written) {
        reader_.reset();  // nothing from after the absence may be handed on before it
        return fail(std::move(written).error());
    }
    Outputs out;
    auto taken = take(batch, out);
    if (!taken) {
        reader_.reset();
        return fail(std::move(taken).error());
    }
    if (!batch.records.empty() || !out.records.empty()) {
        add_counts(out);
        log::Offsets to = committed_;
        for (const auto& [id, offset] : reader_->position()) {
            to[id] = std::max(to[id], offset);
        }
        if (auto done = commit(log_, std::move(out.records), group, committed_, to); !done) {
            reader_.reset();  // begin again from what is committed: the router has seen records
                              // that are not
            if (done.error().kind == ErrorKind::invalid) {
                records_max_ =
                    std::max<std::size_t>(1, std::min(records_max_, batch.records.size()) /
                                                 2);  // more than the log takes at once
            }
            return fail(std::move(done).error());
        }
        committed_ = std::move(to);
        records_max_ = std::min(options_.batch_records_max, records_max_ * 2);
        for (; out.absences > 0; --out.absences) {
            if (const auto counter = metrics_->absences.find(absences_.front().cause);
                counter != metrics_->absences.end()) {
                counter->second->add();
            }
            absences_.pop_front();
        }
        metrics_->events.add(static_cast<double>(out.events));
        metrics_->records.add(static_cast<double>(out.case_records));
        metrics_->keyless.add(static_cast<double>(out.keyless));
        metrics_->unwanted.add(static_cast<double>(out.unwanted));
    }
    frontier_.advance_to(batch.complete_below);
    show_lag();
    return taken;
}

void RouteStage::show_lag() {
    if (const Duration now = clock_.monotonic();
        now - lag_shown_ >= lag_every || lag_shown_ == Duration::zero()) {
        lag_shown_ = now;
        show_consumer_lag(log_, telemetry_, group, committed_);
    }
}

void RouteStage::start() {
    if (!reader_) {
        static_cast<void>(open());  // here, so that it comes before whatever the caller starts
                                    // next; a failure shows in the first step
    }
    thread_.start([this]() -> Status {
        HELIOS_TRY(step(options_.poll_wait));
        return {};
    });
}

}  // namespace helios::reconcile
