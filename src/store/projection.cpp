#include "store/projection.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/json.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/flow_activation.h"
#include "model/quarantined.h"
#include "model/topics.h"

namespace helios::store {
namespace {

std::int64_t signed_offset(log::Offset offset) {
    return static_cast<std::int64_t>(offset.value);
}

std::int64_t kinds_of(const model::Verdict& verdict) {
    std::int64_t kinds = 0;
    for (const auto& finding : verdict.findings) {
        kinds |= kind_bit(finding.kind);
    }
    return kinds;
}

}  // namespace

std::int64_t topic_number(std::string_view name) {
    return static_cast<std::int64_t>(model::topic_of(name));
}

std::int64_t kind_bit(model::FindingKind kind) {
    return std::int64_t{1} << static_cast<unsigned>(kind);
}

std::string join_money(const std::vector<model::Money>& amounts) {
    std::string text;
    for (const auto& money : amounts) {
        if (!text.empty()) {
            text += '\n';
        }
        text += money.currency;
        std::replace(text.end() - static_cast<std::ptrdiff_t>(money.currency.size()), text.end(),
                     '\n',
                     ' ');  // a currency is whatever a payload says
        text += ' ';
        text += money.amount;
    }
    return text;
}

std::vector<model::Money> split_money(std::string_view text) {
    std::vector<model::Money> amounts;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        const auto blank = line.rfind(' ');  // the amount has none, a currency might
        if (blank != std::string_view::npos) {
            amounts.push_back(
                {std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
        }
        text.remove_prefix(line.size() == text.size() ? text.size() : line.size() + 1);
    }
    return amounts;
}

Instant minute_of(Instant t) {
    return std::chrono::floor<std::chrono::minutes>(t);
}

Result<Projection> Projection::prepare(Database& database) {
    Projection p(database);
    HELIOS_TRY_ASSIGN(p.insert_event_, database.prepare(R"sql(
INSERT INTO events(log_time, topic, partition, "offset", tenant, source, scope, event_id, identity, event_type, key, customer, event_time)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING)sql"));
    HELIOS_TRY_ASSIGN(p.upsert_quarantine_, database.prepare(R"sql(
INSERT INTO quarantine(tenant, dlq_id, record_type, reason, detail, source, endpoint, scope, event_id, event_type, key,
                       first_at, last_at, times, partition, "offset")
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 1, ?13, ?14)
ON CONFLICT(tenant, dlq_id) DO UPDATE SET last_at = excluded.last_at, times = times + 1,
  partition = excluded.partition, "offset" = excluded."offset"
WHERE excluded.last_at > last_at)sql"));
    HELIOS_TRY_ASSIGN(p.repeat_quarantined_, database.prepare(R"sql(
UPDATE quarantine SET times = times + ?3, last_at = max(last_at, ?4) WHERE tenant = ?1 AND dlq_id = ?2)sql"));
    HELIOS_TRY_ASSIGN(p.insert_case_record_, database.prepare(R"sql(
INSERT INTO case_records(tenant, key, flow, partition, "offset", at) VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING)sql"));
    HELIOS_TRY_ASSIGN(p.insert_control_, database.prepare(R"sql(
INSERT INTO control_records(partition, "offset", at, kind, tenant, flow, version, body)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING)sql"));
    HELIOS_TRY_ASSIGN(p.insert_verdict_, database.prepare(R"sql(
INSERT INTO verdicts(tenant, key, flow, instance, revision, partition, "offset", log_time, body)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING)sql"));
    HELIOS_TRY_ASSIGN(p.upsert_case_, database.prepare(R"sql(
INSERT INTO cases(tenant, key, flow, instance, revision, verdict, status, kinds, opened_at, deadline, reconciled_at, first_reconciled_at, at_risk)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)
ON CONFLICT(tenant, key, flow, instance) DO UPDATE SET revision = excluded.revision, verdict = excluded.verdict, status = excluded.status,
  kinds = excluded.kinds, opened_at = excluded.opened_at, deadline = excluded.deadline, reconciled_at = excluded.reconciled_at,
  first_reconciled_at = coalesce(first_reconciled_at, excluded.first_reconciled_at), at_risk = excluded.at_risk
WHERE excluded.revision > revision
RETURNING first_reconciled_at)sql"));
    HELIOS_TRY_ASSIGN(p.upsert_flow_, database.prepare(R"sql(
INSERT INTO flows(tenant, flow, version, activated_at, hash, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT(tenant, flow, version) DO UPDATE SET activated_at = excluded.activated_at WHERE excluded.activated_at > activated_at)sql"));
    HELIOS_TRY_ASSIGN(p.add_count_, database.prepare(R"sql(
INSERT INTO counts(tenant, minute, source, hop, counter, value) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT(tenant, minute, source, hop, counter) DO UPDATE SET value = value + excluded.value)sql"));
    HELIOS_TRY_ASSIGN(p.set_offset_, database.prepare(R"sql(
INSERT INTO applied_offsets(topic, partition, next_offset) VALUES(?1, ?2, ?3)
ON CONFLICT(topic, partition) DO UPDATE SET next_offset = excluded.next_offset)sql"));
    return p;
}

void Projection::start() {
    sums_.clear();
    next_offsets_.clear();
    applied_ = {};
    undecodable_.clear();
}

Status Projection::apply(const log::StoredRecord& record) {
    ++applied_.records;
    next_offsets_[{topic_number(record.topic), record.partition}] = record.offset.value + 1;
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event:
            return apply_event(record);
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation:
            return apply_quarantined(record);
        case model::RecordType::quarantine_repeat:
            return apply_quarantine_repeat(record);
        case model::RecordType::case_record:
            return apply_case_record(record);
        case model::RecordType::verdict:
            return apply_verdict(record);
        case model::RecordType::flow_activation:
            return apply_flow(record);
        case model::RecordType::counts:
            return apply_counts(record);
        case model::RecordType::engine_level:
        case model::RecordType::audit:
        case model::RecordType::absence:
            return {};  // on helios.flows; the copies on helios.cases are what cases have met
    }
    skip(record, "a record type this Helios does not know");
    return {};
}

void Projection::skip(const log::StoredRecord& record, std::string why) {
    ++applied_.undecodable;
    undecodable_.push_back(
        {{std::string(record.topic), record.partition}, record.offset, std::move(why)});
}

Status Projection::apply_event(const log::StoredRecord& record) {
    const auto event = model::decode_event(record.value);
    if (!event) {
        skip(record, event.error().what);
        return {};
    }
    insert_event_.bind(1, to_nanos(record.log_time))
        .bind(2, topic_number(record.topic))
        .bind(3, std::int64_t{record.partition})
        .bind(4, signed_offset(record.offset))
        .bind(5, event->tenant.text())
        .bind(6, event->source)
        .bind(7, event->scope)
        .bind(8, event->id)
        .bind(9, static_cast<std::int64_t>(event->identity))
        .bind(10, event->type)
        .bind(11, event->key)
        .bind_time(13, event->time);
    if (!event->customer.empty()) {
        insert_event_.bind(12, event->customer);
    } else {
        insert_event_.bind_null(12);
    }
    HELIOS_TRY(insert_event_.run());
    if (database_->changes() == 1) {
        ++applied_.events;
        ++sums_[{event->tenant.text(), to_nanos(minute_of(record.log_time)), event->source, "store",
                 "stored"}];
    }
    return {};
}

Status Projection::apply_quarantined(const log::StoredRecord& record) {
    const auto item = model::decode_quarantined(record.value);
    if (!item) {
        skip(record, item.error().what);
        return {};
    }
    return upsert_quarantine_.bind(1, item->tenant.text())
        .bind(2, item->id)
        .bind(3, std::int64_t{record.type})
        .bind(4, item->reason)
        .bind(5, item->detail)
        .bind(6, item->source)
        .bind(7, item->endpoint)
        .bind(8, item->scope)
        .bind(9, item->event_id)
        .bind(10, item->event_type)
        .bind(11, item->key)
        .bind(12, to_nanos(record.log_time))
        .bind(13, std::int64_t{record.partition})
        .bind(14, signed_offset(record.offset))
        .run();
}

Status Projection::apply_quarantine_repeat(const log::StoredRecord& record) {
    const auto repeat = model::decode_quarantine_repeat(record.value);
    if (!repeat) {
        skip(record, repeat.error().what);
        return {};
    }
    return repeat_quarantined_.bind(1, repeat->tenant.text())
        .bind(2, repeat->id)
        .bind(3, static_cast<std::int64_t>(repeat->times))
        .bind(4, to_nanos(repeat->last_received_at))
        .run();
}

Status Projection::apply_case_record(const log::StoredRecord& record) {
    if (record.topic != model::topic::cases) {
        return {};  // helios.flows holds what route reads of our absence; the cases have it where
                    // route handed it on
    }
    const auto decoded = model::decode_case_record(record.value);
    if (!decoded) {
        skip(record, decoded.error().what);
        return {};
    }
    const auto partition = std::int64_t{record.partition};
    if (const auto* leg = std::get_if<model::LegRecord>(&*decoded)) {
        return insert_case_record_.bind(1, leg->tenant.text())
            .bind(2, leg->key)
            .bind(3, leg->flow)
            .bind(4, partition)
            .bind(5, signed_offset(record.offset))
            .bind(6, to_nanos(leg->at))
            .run();
    }
    const auto* absence = std::get_if<model::AbsenceRecord>(&*decoded);
    const auto* flow = std::get_if<model::FlowRecord>(&*decoded);
    if (absence == nullptr && flow == nullptr) {
        return {};  // a tick or a level: leaves no trace here
    }
    return insert_control_.bind(1, partition)
        .bind(2, signed_offset(record.offset))
        .bind(3, to_nanos(model::at_of(*decoded)))
        .bind(4, std::int64_t{absence == nullptr})
        .bind(5, flow != nullptr ? std::string_view(flow->tenant.text()) : std::string_view{})
        .bind(6, flow != nullptr ? std::string_view(flow->flow) : std::string_view{})
        .bind(7, flow != nullptr ? std::int64_t{flow->version} : 0)
        .bind_blob(8, absence != nullptr ? model::encode(*absence) : std::string())
        .run();
}

Status Projection::apply_verdict(const log::StoredRecord& record) {
    const auto verdict = model::decode_verdict(record.value);
    if (!verdict) {
        skip(record, verdict.error().what);
        return {};
    }
    HELIOS_TRY(insert_verdict_.bind(1, verdict->tenant.text())
                   .bind(2, verdict->key)
                   .bind(3, verdict->flow)
                   .bind(4, std::int64_t{verdict->instance})
                   .bind(5, std::int64_t{verdict->revision})
                   .bind(6, std::int64_t{record.partition})
                   .bind(7, signed_offset(record.offset))
                   .bind(8, to_nanos(record.log_time))
                   .bind_blob(9, record.value)
                   .run());
    if (database_->changes() == 0) {
        return {};  // this revision is here already
    }
    ++applied_.verdicts;
    const auto at_risk = join_money(verdict->at_risk);
    upsert_case_.bind(1, verdict->tenant.text())
        .bind(2, verdict->key)
        .bind(3, verdict->flow)
        .bind(4, std::int64_t{verdict->instance})
        .bind(5, std::int64_t{verdict->revision})
        .bind(6, database_->last_insert_id())
        .bind(7, static_cast<std::int64_t>(verdict->status))
        .bind(8, kinds_of(*verdict))
        .bind(9, to_nanos(verdict->opened_at))
        .bind(10, to_nanos(verdict->deadline))
        .bind_time(11, verdict->reconciled_at)
        .bind(12, at_risk);
    const bool updated = upsert_case_.row();
    const auto first_at = updated ? upsert_case_.optional_time(0) : std::nullopt;
    HELIOS_TRY(upsert_case_.run());
    if (updated && verdict->reconciled_at) {
        applied_.decided.push_back({verdict->at, verdict->opened_at, *verdict->reconciled_at,
                                    first_at == verdict->reconciled_at});
    }
    return {};
}

Status Projection::apply_flow(const log::StoredRecord& record) {
    const auto activation = model::decode_flow_activation(record.value);
    if (!activation) {
        skip(record, activation.error().what);
        return {};
    }
    return upsert_flow_.bind(1, activation->tenant.text())
        .bind(2, activation->flow)
        .bind(3, std::int64_t{activation->version})
        .bind(4, to_nanos(record.log_time))
        .bind(5, activation->hash)
        .bind(6, activation->text)
        .run();
}

Status Projection::apply_counts(const log::StoredRecord& record) {
    const auto counts = model::decode_counts(record.value);
    if (!counts) {
        skip(record, counts.error().what);
        return {};
    }
    for (const auto& [counter, delta] : counts->deltas) {
        sums_[{counts->tenant.text(), to_nanos(counts->minute), counts->source, counts->hop,
               counter}] += delta;
    }
    return {};
}

Status Projection::finish() {
    for (const auto& [key, value] : sums_) {
        HELIOS_TRY(add_count_.bind(1, key.tenant)
                       .bind(2, key.minute)
                       .bind(3, key.source)
                       .bind(4, key.hop)
                       .bind(5, key.counter)
                       .bind(6, static_cast<std::int64_t>(value))
                       .run());
    }
    for (const auto& [id, next] : next_offsets_) {
        HELIOS_TRY(set_offset_.bind(1, id.first)
                       .bind(2, std::int64_t{id.second})
                       .bind(3, static_cast<std::int64_t>(next))
                       .run());
    }
    return {};
}

}  // namespace helios::store
