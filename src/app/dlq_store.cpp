#include "app/dlq_store.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace helios::app {

namespace {

/// In the order of the log.
struct Place {
    Instant first_at;
    Position pointer;
    std::string id;
    friend auto operator<=>(const Place&, const Place&) = default;
};

bool has(const std::optional<std::string>& wanted, const std::string& value) {
    return !wanted || *wanted == value;
}

/// A named item is held against the rest of the filter, too.
bool matches(const store::QuarantineRow& row, const gateway::DlqFilter& filter) {
    return (row.status == model::DlqStatus::waiting || row.status == model::DlqStatus::exhausted) &&
           has(filter.reason, row.reason) && has(filter.source, row.source) &&
           has(filter.type, row.event_type) && has(filter.key, row.key) &&
           (!filter.start || row.last_at >= *filter.start) &&
           (!filter.end || row.last_at < *filter.end);
}

std::vector<std::string> in_order(std::vector<Place> places) {
    std::ranges::sort(places);
    std::vector<std::string> ids;
    ids.reserve(places.size());
    for (auto& place : places) {
        if (ids.empty() || ids.back() != place.id) {
            ids.push_back(std::move(place.id));
        }
    }
    return ids;
}

}  // namespace

Result<gateway::KeptItem> DlqStore::find(const TenantId& tenant, std::string_view dlq_id) {
    HELIOS_TRY(wait());
    return look(tenant, dlq_id);
}

Result<gateway::KeptItem> DlqStore::look(const TenantId& tenant, std::string_view dlq_id) {
    HELIOS_TRY_ASSIGN(const auto row, rows_.quarantined_item(tenant, dlq_id));
    return kept(tenant, row);
}

Result<std::vector<std::string>> DlqStore::matching(const TenantId& tenant,
                                                    const gateway::DlqFilter& filter, Instant until,
                                                    std::size_t most) {
    HELIOS_TRY(wait());
    std::vector<Place> places;
    for (const auto& id : filter.ids) {
        const auto row = rows_.quarantined_item(tenant, id);
        if (!row && row.error().kind != ErrorKind::not_found) {
            return fail(row.error());
        }
        if (row && !row->confirmation && matches(*row, filter) && row->first_at < until) {
            places.push_back({row->first_at, row->pointer, row->dlq_id});
        }
    }
    if (!filter.ids.empty()) {
        return in_order(std::move(places));
    }
    store::QuarantineFilter asked(tenant);
    asked.reason = filter.reason;
    asked.source = filter.source;
    asked.type = filter.type;
    asked.key = filter.key;
    asked.last = {filter.start, filter.end};
    asked.limit = 1'000;
    do {
        HELIOS_TRY_ASSIGN(const auto page, rows_.quarantined(asked));
        for (const auto& row : page.items) {
            if (!row.confirmation && row.first_at < until) {
                places.push_back({row.first_at, row.pointer, row.dlq_id});
            }
        }
        if (places.size() > most) {
            return fail(ErrorKind::exhausted, fmt::format("more than {} items match", most),
                        "narrow the filter, for example by startTime and endTime");
        }
        asked.after = page.next;
    } while (asked.after);
    return in_order(std::move(places));
}

Result<bool> DlqStore::tried_in(const TenantId& tenant, std::string_view dlq_id,
                                std::string_view redrive) {
    HELIOS_TRY_ASSIGN(const auto outcomes, rows_.dlq_outcomes(tenant, dlq_id));
    return std::ranges::any_of(outcomes,
                               [&](const auto& outcome) { return outcome.redrive == redrive; });
}

Result<std::vector<gateway::OpenRedrive>> DlqStore::open_redrives() {
    HELIOS_TRY(wait());
    HELIOS_TRY_ASSIGN(const auto rows, rows_.open_redrives());
    std::vector<gateway::OpenRedrive> out;
    for (const auto& row : rows) {
        HELIOS_TRY_ASSIGN(auto tenant, TenantId::parse(row.tenant));
        model::RedriveRecord begin(std::move(tenant));
        begin.id = row.id;
        begin.filter = row.filter;
        begin.who = row.who;
        begin.until = row.until;
        begin.total = row.total;
        out.push_back(
            {std::move(begin), {row.accepted, row.duplicate, row.conflict, row.failed, 0}});
    }
    return out;
}

Status DlqStore::wait() const {
    HELIOS_TRY_ASSIGN(const auto to, barrier_.acknowledged());
    return barrier_.wait_stored(to, wait_max_);
}

Result<gateway::KeptItem> DlqStore::kept(const TenantId& tenant, const store::QuarantineRow& row) {
    gateway::KeptItem out(tenant);
    out.confirmation = row.confirmation;
    out.status = row.status;
    out.attempts = row.attempts;
    if (row.status == model::DlqStatus::accepted) {
        HELIOS_TRY_ASSIGN(const auto outcomes, rows_.dlq_outcomes(tenant, row.dlq_id));
        for (const auto& outcome : outcomes) {
            if (model::is_settled(outcome.what)) {
                out.became = outcome.event_id;
            }
        }
    }
    const auto batch = log_.read_at(row.pointer);
    const bool there = batch && !batch->records.empty() &&
                       (keep_for_ == Duration::zero() ||
                        batch->records.front().log_time >= log_.now() - keep_for_);
    if (there) {
        if (auto item = model::decode_quarantined(batch->records.front().value)) {
            out.item = *std::move(item);
            return out;
        }
    }
    out.expired = true;
    out.item.id = row.dlq_id;
    out.item.source = row.source;
    out.item.endpoint = row.endpoint;
    out.item.reason = row.reason;
    out.item.scope = row.scope;
    out.item.event_id = row.event_id;
    out.item.event_type = row.event_type;
    out.item.key = row.key;
    return out;
}

}  // namespace helios::app
