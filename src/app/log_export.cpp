#include "app/log_export.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/shown.h"
#include "log/ordered_reader.h"
#include "model/audit.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/engine_level.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/position.h"
#include "model/quarantined.h"
#include "model/redrive.h"
#include "model/topics.h"
#include "model/verdict.h"

namespace helios::app {
namespace {

constexpr std::size_t records_per_poll = 4096;
constexpr std::size_t bytes_per_poll = 8u << 20;

/// Where they begin now.
Result<log::Offsets> from_start(log::Log& log, const std::vector<TopicId>& topics) {
    std::vector<Partition> ids;
    for (const auto topic : topics) {
        const auto of_topic = log.partitions_of(topic);
        ids.insert(ids.end(), of_topic.begin(), of_topic.end());
    }
    return log::log_start(log, ids);
}

/// Calls `visit` for every durable record of `topics`, in the log's order, until the end of the
/// log.
template <class Visit>
Status scan(log::Log& log, const std::vector<TopicId>& topics, Visit visit) {
    const auto until = log.low_watermark();
    HELIOS_TRY_ASSIGN(auto from, from_start(log, topics));
    HELIOS_TRY_ASSIGN(const auto reader, log::read_in_order(log, std::move(from), model::rank_of));
    while (true) {
        HELIOS_TRY_ASSIGN(const auto batch,
                          reader->poll(records_per_poll, bytes_per_poll, Duration::zero()));
        for (const auto& record : batch.records) {
            HELIOS_TRY(visit(record));
        }
        if (batch.records.empty() || batch.complete_below >= until) {
            return {};
        }
    }
}

struct CasesSummary {
    std::vector<model::AbsenceRecord>
        absences;           ///< by their begin; every partition holds the same ones
    Instant engine_time{};  ///< the latest `at`: as far as the engine has come
};

Result<CasesSummary> summarise_cases(log::Log& log) {
    CasesSummary summary;
    const auto scanned =
        scan(log, {model::topic::cases}, [&](const log::StoredRecord& record) -> Status {
            HELIOS_TRY_ASSIGN(const auto decoded, model::decode_case_record(record.value));
            if (const auto* absence = std::get_if<model::AbsenceRecord>(&decoded);
                absence == nullptr) {
                summary.engine_time = std::max(summary.engine_time, model::at_of(decoded));
            } else if (record.at.partition.index == 0) {
                summary.absences.push_back(*absence);
            }
            return {};
        });
    if (!scanned) {
        return fail(scanned.error());
    }
    const auto order = [](const auto& a, const auto& b) {
        return std::tie(a.from, a.to) < std::tie(b.from, b.to);
    };
    std::stable_sort(summary.absences.begin(), summary.absences.end(), order);
    const auto twice = std::unique(summary.absences.begin(),
                                   summary.absences.end());  // handed on again after a crash
    summary.absences.erase(twice, summary.absences.end());
    return summary;
}

/// A payload is kept as its sender wrote it, over several lines if he liked. Line breaks can only
/// stand between tokens (inside strings they are escaped), so a space in their place changes
/// nothing but the bytes that nobody reads.
std::string on_one_line(std::string_view json) {
    std::string out(json);
    std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return out;
}

std::string event_line(const log::Log& log, const log::StoredRecord& record,
                       const model::Event& event) {
    json::Writer out;
    out.begin_object()
        .field("source", event.source)
        .field("eventType", event.type)
        .field("id", event.id);
    if (event.identity == model::IdentityKind::content) {
        out.field("identity", "content");
    }
    if (event.tenant != default_tenant()) {
        out.field("tenant", event.tenant.text());
    }
    if (!event.scope.empty()) {
        out.field("scope", event.scope);
    }
    if (!event.time_as_sent.empty()) {
        out.key("time").raw(
            event.time_as_sent);  // what it could stand in for is found again by the same rules
    } else if (event.time) {
        out.field("time", format_rfc3339(*event.time));
    }
    out.field("receivedAt", format_rfc3339(record.log_time));
    out.field("position",
              model::encode_position({log::hash_of(log.id()), record.at, record.log_time}));
    out.key("payload")
        .raw(on_one_line(event.payload))
        .key("metadata")
        .raw(event.metadata.empty() ? "{}" : on_one_line(event.metadata));
    return out.end_object().take();
}

std::string flow_line(Instant at, const model::FlowActivation& flow) {
    json::Writer out;
    out.begin_object()
        .field("control", "flow")
        .field("at", format_rfc3339(at))
        .field("tenant", flow.tenant.text())
        .field("flow", flow.flow);
    out.field("version", std::uint64_t{flow.version})
        .field("hash", flow.hash)
        .field("text", flow.text);
    return out.end_object().take();
}

std::string absence_line(const model::AbsenceRecord& absence) {
    json::Writer out;
    out.begin_object().field("control", "absence").field("at", format_rfc3339(absence.to));
    out.field("from", format_rfc3339(absence.from)).field("to", format_rfc3339(absence.to));
    out.field("grace", format_duration(absence.grace)).field("max", format_duration(absence.max));
    out.key("sources").begin_array();
    for (const auto& source : absence.sources) {
        out.string(source);
    }
    return out.end_array().field("cause", model::to_string(absence.cause)).end_object().take();
}

std::string audit_line(const model::AuditRecord& record) {
    json::Writer out;
    out.begin_object().field("tenant", record.tenant.text()).field("who", record.who);
    out.field("from", record.from).field("what", record.what).field("before", record.before);
    out.field("after", record.after).field("reason", record.reason);
    out.field("outcome", record.outcome).field("requestId", record.request_id);
    out.field("writer", record.writer).field("number", record.number);
    return out.field("previous", to_hex(record.previous)).end_object().take();
}

std::string level_line(Instant at, const model::EngineLevel& level) {
    json::Writer out;
    out.begin_object().field("control", "level").field("at", format_rfc3339(at));
    return out.field("level", std::uint64_t{level.level}).end_object().take();
}

void describe_quarantined(json::Writer& out, const model::Quarantined& item) {
    out.key("quarantined")
        .begin_object()
        .field("id", item.id)
        .field("source", item.source)
        .field("reason", item.reason);
    out.field("detail", item.detail).field("key", item.key).field("eventId", item.event_id);
    write_bytes(out, "body", item.body);
    out.end_object();
}

void describe_case_record(json::Writer& out, const model::CaseRecord& record) {
    out.field("at", format_rfc3339(model::at_of(record)));
    if (const auto* leg = std::get_if<model::LegRecord>(&record)) {
        out.key("leg")
            .begin_object()
            .field("flow", leg->flow)
            .field("flowVersion", std::uint64_t{leg->flow_version})
            .field("key", leg->key);
        out.field("leg", leg->leg)
            .field("identity", leg->identity)
            .field("eventId", leg->event_id)
            .field("opens", leg->opens)
            .end_object();
    } else if (const auto* absence = std::get_if<model::AbsenceRecord>(&record)) {
        out.key("absence").raw(absence_line(*absence));
    } else {
        out.field("control", std::holds_alternative<model::TickRecord>(record) ? "tick" : "flow");
    }
}

void describe_outcome(json::Writer& out, const model::DlqOutcome& outcome) {
    out.key("dlqOutcome")
        .begin_object()
        .field("dlqId", outcome.id)
        .field("what", model::to_string(outcome.what))
        .field("attempt", std::uint64_t{outcome.attempt})
        .field("source", outcome.source)
        .field("scope", outcome.scope)
        .field("eventId", outcome.event_id)
        .field("reason", outcome.reason)
        .field("who", outcome.who)
        .field("at", format_rfc3339(outcome.at));
    if (!outcome.redrive.empty()) {
        out.field("redrive", outcome.redrive);
    }
    out.end_object();
}

void describe_value(json::Writer& out, const log::Log& log, const log::StoredRecord& record) {
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event:
            if (const auto event = model::decode_event(record.value)) {
                out.key("event").raw(event_line(log, record, *event));
                return;
            }
            break;
        case model::RecordType::verdict:
            if (const auto verdict = model::decode_verdict(record.value)) {
                out.key("verdict");
                model::write_json(out, *verdict);
                return;
            }
            break;
        case model::RecordType::flow_activation:
            if (const auto flow = model::decode_flow_activation(record.value)) {
                out.key("activation").raw(flow_line(record.log_time, *flow));
                return;
            }
            break;
        case model::RecordType::audit:
            if (const auto audit = model::decode_audit(record.value)) {
                out.key("audit").raw(audit_line(*audit));
                return;
            }
            break;
        case model::RecordType::engine_level:
            if (const auto level = model::decode_engine_level(record.value)) {
                out.key("level").raw(level_line(record.log_time, *level));
                return;
            }
            break;
        case model::RecordType::counts:
            if (const auto counts = model::decode_counts(record.value)) {
                out.key("counts")
                    .begin_object()
                    .field("hop", counts->hop)
                    .field("source", counts->source)
                    .field("minute", format_rfc3339(counts->minute));
                for (const auto& [name, delta] : counts->deltas) {
                    out.field(name, delta);
                }
                out.end_object();
                return;
            }
            break;
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation:
            if (const auto item = model::decode_quarantined(record.value)) {
                describe_quarantined(out, *item);
                return;
            }
            break;
        case model::RecordType::quarantine_repeat:
            if (const auto repeat = model::decode_quarantine_repeat(record.value)) {
                out.key("quarantinedAgain")
                    .begin_object()
                    .field("id", repeat->id)
                    .field("times", repeat->times)
                    .field("lastReceivedAt", format_rfc3339(repeat->last_received_at))
                    .end_object();
                return;
            }
            break;
        case model::RecordType::dlq_outcome:
            if (const auto outcome = model::decode_dlq_outcome(record.value)) {
                describe_outcome(out, *outcome);
                return;
            }
            break;
        case model::RecordType::redrive:
            if (const auto redrive = model::decode_redrive(record.value)) {
                out.key("redrive")
                    .begin_object()
                    .field("id", redrive->id)
                    .field("status", model::to_string(redrive->phase))
                    .field("who", redrive->who)
                    .field("at", format_rfc3339(redrive->at))
                    .field("total", redrive->total)
                    .key("filter")
                    .raw(redrive->filter)
                    .end_object();
                return;
            }
            break;
        case model::RecordType::absence:
            if (const auto absence = model::decode_absence(record.value)) {
                out.key("absence").raw(absence_line(*absence));
                return;
            }
            break;
        case model::RecordType::case_record:
            if (const auto decoded = model::decode_case_record(record.value)) {
                describe_case_record(out, *decoded);
                return;
            }
            break;
    }
    out.field("valueHex", to_hex(record.value));
}

}  // namespace

std::optional<Instant> dropped_until(log::Log& log) {
    for (const auto& kept : log.kept()) {
        if (kept.retention == log::RetentionClass::data && kept.begin.value > 0) {
            return kept.dropped_until;
        }
    }
    return std::nullopt;
}

Result<ExportCounts> export_log(log::Log& log, const LineSink& sink) {
    const auto start = dropped_until(log);
    HELIOS_TRY_ASSIGN(const auto summary, summarise_cases(log));
    ExportCounts counts;
    const auto control = [&](std::string_view line) {
        sink(line);
        ++counts.controls;
    };
    if (start) {
        json::Writer line;
        control(line.begin_object()
                    .field("control", "start")
                    .field("at", format_rfc3339(*start))
                    .end_object()
                    .view());
    }
    // Those that route has handed on; each stands before the first record from its begin on.
    auto absence = summary.absences.begin();
    const auto absences_until = [&](Instant t) {
        for (; absence != summary.absences.end() && absence->from <= t; ++absence) {
            control(absence_line(*absence));
        }
    };
    std::vector<TopicId> topics(model::event_topics.begin(), model::event_topics.end());
    topics.push_back(model::topic::flows);
    const auto scanned = scan(log, topics, [&](const log::StoredRecord& record) -> Status {
        absences_until(record.log_time);
        if (record.at.partition.topic != model::topic::flows) {
            HELIOS_TRY_ASSIGN(const auto event, model::decode_event(record.value));
            sink(event_line(log, record, event));
            ++counts.events;
        } else if (static_cast<model::RecordType>(record.type) ==
                   model::RecordType::flow_activation) {
            HELIOS_TRY_ASSIGN(const auto flow, model::decode_flow_activation(record.value));
            control(flow_line(record.log_time, flow));
        } else if (static_cast<model::RecordType>(record.type) == model::RecordType::engine_level) {
            HELIOS_TRY_ASSIGN(const auto level, model::decode_engine_level(record.value));
            control(level_line(record.log_time, level));
        }
        return {};
    });
    if (!scanned) {
        return fail(scanned.error());
    }
    absences_until(latest_instant);
    json::Writer end;
    control(end.begin_object()
                .field("control", "end")
                .field("at", format_rfc3339(summary.engine_time))
                .end_object()
                .view());
    return counts;
}

std::vector<std::string> describe_damage(log::Log& log) {
    struct Sum {
        log::Damage first;
        std::uint64_t stretches = 0;
        std::uint64_t bytes = 0;
    };
    std::map<std::string, Sum> files;
    for (const auto& damage : log.damage()) {
        Sum& sum = files[damage.file];
        if (sum.stretches++ == 0) {
            sum.first = damage;
        }
        sum.bytes += damage.end - damage.begin;
    }
    std::vector<std::string> lines;
    for (const auto& [file, sum] : files) {
        const auto& first = sum.first;
        lines.push_back(
            fmt::format("{} bytes {}..{}: {}", file, first.begin, first.end, first.what));
        if (sum.stretches > 1) {
            lines.back() += fmt::format("; and {} more stretches of this file, together {} bytes",
                                        sum.stretches - 1, sum.bytes);
        }
    }
    return lines;
}

bool report_left_out(log::Log& log) {
    const auto damages = describe_damage(log);
    for (const auto& damage : damages) {
        fmt::print(stderr, "damaged and left out: {}\n", damage);
    }
    return !damages.empty();
}

std::string describe_record(const log::Log& log, const log::StoredRecord& record, bool with_value) {
    json::Writer out;
    out.begin_object()
        .field("topic", log.name_of(record.at.partition.topic))
        .field("partition", std::uint64_t{record.at.partition.index})
        .field("offset", record.at.offset.value);
    out.field("logTime", format_rfc3339(record.log_time))
        .field("type", std::uint64_t{record.type})
        .field("version", std::uint64_t{record.version});
    std::string key(record.key);
    std::replace(key.begin(), key.end(), '\0',
                 '/');  // case keys join tenant, flow and key with NUL
    out.field("key", key).field("bytes", static_cast<std::uint64_t>(record.value.size()));
    if (with_value) {
        describe_value(out, log, record);
    }
    return out.end_object().take();
}

}  // namespace helios::app
