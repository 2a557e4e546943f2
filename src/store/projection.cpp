#include "store/projection.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/case_record.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/flow_activation.h"
#include "model/quarantined.h"
#include "model/redrive.h"
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

/// Eight bytes are enough: they only tell apart what shares an id.
std::int64_t content_number(const model::Event& event) {
    ByteWriter out;
    out.string(event.source);
    out.string(event.scope);
    if (event.identity == model::IdentityKind::native) {  // else the id says it
        const auto digest = model::content_of(event);
        out.raw({reinterpret_cast<const char*>(digest.data()), digest.size()});
    }
    return static_cast<std::int64_t>(xxh3_64(out.view()));
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

namespace {

/// What else there is of case records, a second time changes nothing.
bool goes_into_slices(const log::StoredRecord& record) {
    const auto type = static_cast<model::RecordType>(record.type);
    return type == model::RecordType::event || type == model::RecordType::case_record;
}

}  // namespace

void Projection::add(const log::StoredRecord& record, bool again) {
    rows_.next_offsets[record.at.partition] = Offset{record.at.offset.value + 1};
    if (again && !goes_into_slices(record)) {
        return;
    }
    switch (static_cast<model::RecordType>(record.type)) {
        case model::RecordType::event:
            return add_event(record);
        case model::RecordType::quarantined:
        case model::RecordType::sns_confirmation:
            return add_quarantined(record);
        case model::RecordType::quarantine_repeat:
            return add_quarantine_repeat(record);
        case model::RecordType::dlq_outcome:
            return add_dlq_outcome(record);
        case model::RecordType::redrive:
            return add_redrive(record);
        case model::RecordType::case_record:
            return add_case_record(record);
        case model::RecordType::verdict:
            return add_verdict(record);
        case model::RecordType::flow_activation:
            return add_flow(record);
        case model::RecordType::counts:
            return add_counts(record);
        case model::RecordType::engine_level:
        case model::RecordType::audit:
        case model::RecordType::absence:
            return;  // on helios.flows; the copies on helios.cases are what cases have met
    }
    skip(record, "a record type this Helios does not know");
}

void Projection::skip(const log::StoredRecord& record, std::string why) {
    undecodable_.push_back({record.at, std::move(why)});
}

void Projection::add_event(const log::StoredRecord& record) {
    auto event = model::decode_event(record.value);
    if (!event) {
        return skip(record, event.error().what);
    }
    const std::int64_t content = content_number(*event);
    EventRow row;
    row.pointer = record.at;
    row.log_time = record.log_time;
    row.content = content;
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
    rows_.events.emplace_back(std::move(event->tenant), std::move(row));
}

void Projection::add_quarantined(const log::StoredRecord& record) {
    auto item = model::decode_quarantined(record.value);
    if (!item) {
        return skip(record, item.error().what);
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
    row.pointer = record.at;
    row.bytes = record.key.size() + record.value.size();
    rows_.quarantine.emplace_back(OfTenant<QuarantineRow>(std::move(item->tenant), std::move(row)));
}

void Projection::add_quarantine_repeat(const log::StoredRecord& record) {
    auto repeat = model::decode_quarantine_repeat(record.value);
    if (!repeat) {
        return skip(record, repeat.error().what);
    }
    rows_.quarantine.emplace_back(QuarantineRepeatRow{
        std::move(repeat->tenant), std::move(repeat->id), repeat->times, repeat->last_received_at});
}

void Projection::add_dlq_outcome(const log::StoredRecord& record) {
    auto outcome = model::decode_dlq_outcome(record.value);
    if (!outcome) {
        return skip(record, outcome.error().what);
    }
    DlqOutcomeRow row;
    row.dlq_id = std::move(outcome->id);
    row.what = outcome->what;
    row.attempt = outcome->attempt;
    row.source = std::move(outcome->source);
    row.scope = std::move(outcome->scope);
    row.event_id = std::move(outcome->event_id);
    row.reason = std::move(outcome->reason);
    row.detail = std::move(outcome->detail);
    row.who = std::move(outcome->who);
    row.at = outcome->at;
    row.redrive = std::move(outcome->redrive);
    for (const auto& name : outcome->edited) {
        row.edited += (row.edited.empty() ? "" : " ") + name;
    }
    row.pointer = record.at;
    rows_.quarantine.emplace_back(
        OfTenant<DlqOutcomeRow>(std::move(outcome->tenant), std::move(row)));
}

void Projection::add_redrive(const log::StoredRecord& record) {
    auto redrive = model::decode_redrive(record.value);
    if (!redrive) {
        return skip(record, redrive.error().what);
    }
    rows_.redrives.push_back(*std::move(redrive));
}

void Projection::add_case_record(const log::StoredRecord& record) {
    if (record.at.partition.topic != model::topic::cases) {
        return;  // helios.flows holds what route reads of our absence; the cases have it where
                 // route handed it on
    }
    auto decoded = model::decode_case_record(record.value);
    if (!decoded) {
        return skip(record, decoded.error().what);
    }
    const CaseRecordPlace place{record.at, model::at_of(*decoded)};
    if (auto* leg = std::get_if<model::LegRecord>(&*decoded)) {
        rows_.case_legs.push_back(
            {{std::move(leg->tenant), std::move(leg->flow), std::move(leg->key)}, place});
    } else if (const auto* absence = std::get_if<model::AbsenceRecord>(&*decoded)) {
        rows_.controls.push_back({place, ControlKind::absence, {}, {}, 0, model::encode(*absence)});
    } else if (auto* flow = std::get_if<model::FlowRecord>(&*decoded)) {
        rows_.controls.push_back({place,
                                  ControlKind::flow,
                                  flow->tenant.text(),
                                  std::move(flow->flow),
                                  flow->version,
                                  {}});
    }  // a tick or a level leaves no trace here
}

void Projection::add_verdict(const log::StoredRecord& record) {
    auto verdict = model::decode_verdict(record.value);
    if (!verdict) {
        return skip(record, verdict.error().what);
    }
    CaseInstance of{std::move(verdict->tenant), std::move(verdict->flow), std::move(verdict->key),
                    verdict->instance};
    const std::size_t place = rows_.verdicts.size();
    rows_.verdicts.push_back({of,
                              verdict->revision,
                              record.at,
                              record.log_time,
                              record.value,
                              verdict->at,
                              verdict->opened_at,
                              verdict->reconciled_at,
                              {}});
    const auto [found, is_first] = rows_.cases.try_emplace(std::move(of));
    CaseRow& row = found->second;
    if (!is_first) {
        if (verdict->revision <= row.revision) {
            return;  // an older one that came late
        }
        rows_.verdicts.back().before = row.verdict;
    }
    row.revision = verdict->revision;
    row.verdict = place;
    row.status = verdict->status;
    row.kinds = kinds_of(*verdict);
    row.opened_at = verdict->opened_at;
    row.deadline = verdict->deadline;
    row.reconciled_at = verdict->reconciled_at;
    if (!row.first_reconciled_at) {
        row.first_reconciled_at = verdict->reconciled_at;
    }
    row.at_risk = join_money(verdict->at_risk);
}

void Projection::add_flow(const log::StoredRecord& record) {
    auto activation = model::decode_flow_activation(record.value);
    if (!activation) {
        return skip(record, activation.error().what);
    }
    rows_.flows.emplace_back(
        std::move(activation->tenant),
        FlowRow{std::move(activation->flow), activation->version, record.log_time,
                std::move(activation->hash), std::move(activation->text)});
}

void Projection::add_counts(const log::StoredRecord& record) {
    const auto counts = model::decode_counts(record.value);
    if (!counts) {
        return skip(record, counts.error().what);
    }
    for (const auto& [counter, delta] : counts->deltas) {
        rows_.counts[{counts->tenant, counts->minute, counts->source, counts->hop, counter}] +=
            delta;
    }
}

}  // namespace helios::store
