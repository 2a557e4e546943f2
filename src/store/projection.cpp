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

std::int64_t kinds_of(const model::Verdict& verdict) {
    std::int64_t kinds = 0;
    for (const auto& finding : verdict.findings) {
        kinds |= kind_bit(finding.kind);
    }
    return kinds;
}

}  // namespace

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
    Projection projection(database);
    HELIOS_TRY(projection.statements_.prepare(database));
    return projection;
}

void Projection::start() {
    sums_.clear();
    next_offsets_.clear();
    applied_ = {};
    undecodable_.clear();
}

Status Projection::apply(const log::StoredRecord& record) {
    ++applied_.records;
    next_offsets_[{model::topic_of(record.topic), record.partition}] = record.offset.value + 1;
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
    auto event = model::decode_event(record.value);
    if (!event) {
        skip(record, event.error().what);
        return {};
    }
    EventRow row;
    row.pointer = {model::topic_of(record.topic), record.partition, record.offset.value};
    row.log_time = record.log_time;
    row.source = std::move(event->source);
    row.scope = std::move(event->scope);
    row.event_id = std::move(event->id);
    row.identity = event->identity;
    row.type = std::move(event->type);
    row.key = std::move(event->key);
    if (!event->customer.empty()) {
        row.customer = std::move(event->customer);
    }
    row.event_time = event->time;
    const OfTenant<EventRow> owned(std::move(event->tenant), std::move(row));
    HELIOS_TRY(statements_.get<InsertEvent>().run(owned));
    if (database_->changes() == 1) {
        ++applied_.events;
        ++sums_[{owned.tenant, minute_of(owned.log_time), owned.source, "store", "stored"}];
    }
    return {};
}

Status Projection::apply_quarantined(const log::StoredRecord& record) {
    auto item = model::decode_quarantined(record.value);
    if (!item) {
        skip(record, item.error().what);
        return {};
    }
    QuarantineRow row;
    row.dlq_id = std::move(item->id);
    row.confirmation =
        static_cast<model::RecordType>(record.type) == model::RecordType::sns_confirmation;
    row.reason = std::move(item->reason);
    row.detail = std::move(item->detail);
    row.source = std::move(item->source);
    row.endpoint = std::move(item->endpoint);
    row.scope = std::move(item->scope);
    row.event_id = std::move(item->event_id);
    row.event_type = std::move(item->event_type);
    row.key = std::move(item->key);
    row.first_at = record.log_time;
    row.last_at = record.log_time;
    row.partition = record.partition;
    row.offset = record.offset.value;
    return statements_.get<UpsertQuarantined>().run(
        OfTenant<QuarantineRow>(std::move(item->tenant), std::move(row)));
}

Status Projection::apply_quarantine_repeat(const log::StoredRecord& record) {
    const auto repeat = model::decode_quarantine_repeat(record.value);
    if (!repeat) {
        skip(record, repeat.error().what);
        return {};
    }
    return statements_.get<RepeatQuarantined>().run(
        QuarantineRepeatRow{repeat->tenant, repeat->id, repeat->times, repeat->last_received_at});
}

Status Projection::apply_case_record(const log::StoredRecord& record) {
    if (record.topic != model::topic::cases) {
        return {};  // helios.flows holds what route reads of our absence; the cases have it where
                    // route handed it on
    }
    auto decoded = model::decode_case_record(record.value);
    if (!decoded) {
        skip(record, decoded.error().what);
        return {};
    }
    const CaseRecordPointer pointer{record.partition, record.offset.value, model::at_of(*decoded)};
    if (auto* leg = std::get_if<model::LegRecord>(&*decoded)) {
        return statements_.get<InsertCaseLeg>().run(CaseLegRow{
            {std::move(leg->tenant), std::move(leg->flow), std::move(leg->key)}, pointer});
    }
    if (const auto* absence = std::get_if<model::AbsenceRecord>(&*decoded)) {
        return statements_.get<InsertControl>().run(
            ControlRow{pointer, ControlKind::absence, {}, {}, 0, model::encode(*absence)});
    }
    if (auto* flow = std::get_if<model::FlowRecord>(&*decoded)) {
        return statements_.get<InsertControl>().run(ControlRow{pointer,
                                                               ControlKind::flow,
                                                               flow->tenant.text(),
                                                               std::move(flow->flow),
                                                               flow->version,
                                                               {}});
    }
    return {};  // a tick or a level: leaves no trace here
}

Status Projection::apply_verdict(const log::StoredRecord& record) {
    const auto verdict = model::decode_verdict(record.value);
    if (!verdict) {
        skip(record, verdict.error().what);
        return {};
    }
    const CaseId of{verdict->tenant, verdict->flow, verdict->key};
    HELIOS_TRY(statements_.get<InsertVerdict>().run(
        VerdictRow{of, verdict->instance, verdict->revision, record.partition, record.offset.value,
                   record.log_time, record.value}));
    if (database_->changes() == 0) {
        return {};  // this revision is here already
    }
    ++applied_.verdicts;
    const CaseRow row{of,
                      verdict->instance,
                      verdict->revision,
                      database_->last_insert_id(),
                      verdict->status,
                      kinds_of(*verdict),
                      verdict->opened_at,
                      verdict->deadline,
                      verdict->reconciled_at,
                      verdict->reconciled_at,
                      join_money(verdict->at_risk)};
    auto answer = statements_.get<UpsertCase>().ask(row);
    const bool updated = answer.next();
    const auto first_at = updated ? answer.row() : std::nullopt;
    while (answer.next()) {
    }
    HELIOS_TRY(answer.status());
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
    return statements_.get<UpsertFlow>().run(OfTenant<FlowRow>(
        activation->tenant, {activation->flow, activation->version, record.log_time,
                             activation->hash, activation->text}));
}

Status Projection::apply_counts(const log::StoredRecord& record) {
    const auto counts = model::decode_counts(record.value);
    if (!counts) {
        skip(record, counts.error().what);
        return {};
    }
    for (const auto& [counter, delta] : counts->deltas) {
        sums_[{counts->tenant, counts->minute, counts->source, counts->hop, counter}] += delta;
    }
    return {};
}

Status Projection::finish() {
    for (const auto& sum : sums_) {
        HELIOS_TRY(statements_.get<AddCount>().run(sum));
    }
    for (const auto& [id, next] : next_offsets_) {
        HELIOS_TRY(statements_.get<SetApplied>().run(AppliedRow{id.first, id.second, next}));
    }
    return {};
}

}  // namespace helios::store
