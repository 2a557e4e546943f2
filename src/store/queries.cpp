#include "store/queries.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "store/connection.h"
#include "store/money_sum.h"
#include "store/projection.h"

namespace helios::store {
namespace {

constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

std::int64_t start_of(const TimeRange& range) {
    return range.start ? to_nanos(*range.start) : std::numeric_limits<std::int64_t>::min();
}
std::int64_t end_of(const TimeRange& range) {
    return range.end ? to_nanos(*range.end) : unbounded;
}

void bind_optional(Statement& s, int index, const std::optional<std::string>& text) {
    if (text) {
        s.bind(index, *text);
    } else {
        s.bind_null(index);
    }
}

/// Bodies are ours: one that can't be decoded means a damaged file.
Result<model::Verdict> verdict_of(std::string_view body) {
    auto verdict = model::decode_verdict(body);
    if (!verdict) {
        return fail(ErrorKind::corrupt,
                    "store: a stored verdict can't be decoded: " + verdict.error().what,
                    "run `helios store rebuild`");
    }
    return verdict;
}

EventRow event_of(const Statement& s) {
    EventRow row;
    row.log_time = s.time(0);
    row.pointer = {static_cast<model::TopicId>(s.integer(1)),
                   static_cast<std::uint32_t>(s.integer(2)),
                   static_cast<std::uint64_t>(s.integer(3))};
    row.source = s.text(4);
    row.scope = s.text(5);
    row.event_id = s.text(6);
    row.identity = static_cast<model::IdentityKind>(s.integer(7));
    row.type = s.text(8);
    row.key = s.text(9);
    if (!s.is_null(10)) {
        row.customer = std::string(s.text(10));
    }
    row.event_time = s.optional_time(11);
    return row;
}

QuarantineRow quarantine_of(const Statement& s) {
    QuarantineRow row;
    row.dlq_id = s.text(0);
    row.confirmation = s.integer(1) != 2;  // model::RecordType::quarantined
    row.reason = s.text(2);
    row.detail = s.text(3);
    row.source = s.text(4);
    row.endpoint = s.text(5);
    row.scope = s.text(6);
    row.event_id = s.text(7);
    row.event_type = s.text(8);
    row.key = s.text(9);
    row.first_at = s.time(10);
    row.last_at = s.time(11);
    row.times = static_cast<std::uint64_t>(s.integer(12));
    row.partition = static_cast<std::uint32_t>(s.integer(13));
    row.offset = static_cast<std::uint64_t>(s.integer(14));
    return row;
}

CaseRecordPointer pointer_of(const Statement& s) {
    return {static_cast<std::uint32_t>(s.integer(0)), static_cast<std::uint64_t>(s.integer(1)),
            s.time(2)};
}

/// One row more than asked for was fetched: it says whether there is a next page, and is left out.
template <class Item>
bool cut_page(std::vector<Item>& items, std::size_t limit) {
    if (items.size() <= limit) {
        return false;
    }
    items.pop_back();
    return true;
}

/// Nearest rank: the least value that at least 99 % do not exceed.
Duration p99_of(std::vector<std::int64_t>& values) {
    const std::size_t rank = (values.size() * 99 + 99) / 100;
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), nth, values.end());
    return Duration{*nth};
}

Duration mean_of(const std::vector<std::int64_t>& values) {
    __extension__ typedef __int128 Wide;
    Wide sum = 0;
    for (const auto v : values) {
        sum += v;
    }
    return Duration{static_cast<std::int64_t>(sum / static_cast<Wide>(values.size()))};
}

}  // namespace

Result<model::Verdict> Queries::latest(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->latest);
    s->bind(1, id.tenant.text()).bind(2, id.key).bind(3, id.flow);
    if (s->row()) {
        return verdict_of(s->blob(0));
    }
    HELIOS_TRY(s->status());
    return fail(ErrorKind::not_found,
                fmt::format("flow {} has no case for key {}", id.flow, id.key));
}

Result<std::vector<model::Verdict>> Queries::revisions(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->revisions);
    s->bind(1, id.tenant.text())
        .bind(2, id.key)
        .bind(3, id.flow)
        .bind(4, static_cast<std::int64_t>(options_.page_rows_max));
    std::vector<model::Verdict> out;
    while (s->row()) {
        HELIOS_TRY_ASSIGN(auto verdict, verdict_of(s->blob(0)));
        out.push_back(std::move(verdict));
    }
    HELIOS_TRY(s->status());
    std::reverse(out.begin(), out.end());
    return out;
}

Result<std::vector<std::string>> Queries::flows_with(const TenantId& tenant, std::string_view key) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->flows_with);
    s->bind(1, tenant.text()).bind(2, key);
    std::vector<std::string> out;
    while (s->row()) {
        out.emplace_back(s->text(0));
    }
    HELIOS_TRY(s->status());
    return out;
}

Result<Page<model::Verdict, MismatchCursor>> Queries::mismatches(const MismatchFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->mismatches);
    s->bind(1, filter.tenant.text())
        .bind(2, start_of(filter.reconciled))
        .bind(3, end_of(filter.reconciled));
    // No cursor: one that stands before everything.
    s->bind(4, filter.after ? to_nanos(filter.after->reconciled_at) : unbounded);
    s->bind(5, filter.after ? std::string_view(filter.after->flow) : std::string_view{});
    s->bind(6, filter.after ? std::string_view(filter.after->key) : std::string_view{});
    s->bind(7, filter.after ? std::int64_t{filter.after->instance} : -1);
    if (filter.status) {
        s->bind(8, static_cast<std::int64_t>(*filter.status));
    } else {
        s->bind_null(8);
    }
    if (filter.kind) {
        s->bind(9, kind_bit(*filter.kind));
    } else {
        s->bind_null(9);
    }
    bind_optional(*s, 10, filter.flow);
    s->bind(11, static_cast<std::int64_t>(limit) + 1);
    Page<model::Verdict, MismatchCursor> page;
    while (s->row()) {
        HELIOS_TRY_ASSIGN(auto verdict, verdict_of(s->blob(0)));
        page.items.push_back(std::move(verdict));
    }
    HELIOS_TRY(s->status());
    if (cut_page(page.items, limit)) {
        const auto& last = page.items.back();
        page.next = MismatchCursor{last.reconciled_at.value_or(Instant{}), last.flow, last.key,
                                   last.instance};
    }
    return page;
}

Result<Stats> Queries::stats(const StatsFilter& filter) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    Stats stats;
    std::vector<std::int64_t> durations;
    {
        InUse s(connection->decided);
        s->bind(1, filter.tenant.text())
            .bind(2, start_of(filter.reconciled))
            .bind(3, end_of(filter.reconciled));
        bind_optional(*s, 4, filter.flow);
        while (s->row()) {
            ++stats.by_status.at(static_cast<std::size_t>(s->integer(0)));
            const std::int64_t kinds = s->integer(1);
            for (std::size_t kind = 0; kind < stats.by_kind.size(); ++kind) {
                stats.by_kind[kind] += static_cast<std::uint64_t>((kinds >> kind) & 1);
            }
            durations.push_back(s->integer(2));
        }
        HELIOS_TRY(s->status());
    }
    MoneySum sum;
    {
        InUse s(connection->broken_money);
        s->bind(1, filter.tenant.text())
            .bind(2, start_of(filter.reconciled))
            .bind(3, end_of(filter.reconciled));
        bind_optional(*s, 4, filter.flow);
        while (s->row()) {
            for (const auto& money : split_money(s->text(0))) {
                HELIOS_TRY(sum.add(money.currency, money.amount));
            }
        }
        HELIOS_TRY(s->status());
    }
    {
        InUse s(connection->pending);
        s->bind(1, filter.tenant.text());
        bind_optional(*s, 2, filter.flow);
        stats.by_status[0] = s->row() ? static_cast<std::uint64_t>(s->integer(0)) : 0;
        HELIOS_TRY(s->status());
    }
    if (!durations.empty()) {
        stats.mean_to_verdict = mean_of(durations);
        stats.p99_to_verdict = p99_of(durations);
    }
    stats.at_risk = sum.take();
    return stats;
}

Result<Page<EventRow, EventCursor>> Queries::events(const EventFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const std::size_t driver = filter.key ? 0 : filter.type ? 1 : filter.source ? 2 : 3;
    InUse s(connection->events.at(driver));
    s->bind(1, filter.tenant.text());
    bind_optional(*s, 2, filter.key);
    bind_optional(*s, 3, filter.type);
    bind_optional(*s, 4, filter.source);
    s->bind(5, start_of(filter.received)).bind(6, end_of(filter.received));
    s->bind(7, filter.after ? to_nanos(filter.after->log_time) : unbounded);
    s->bind(8, filter.after ? static_cast<std::int64_t>(filter.after->pointer.topic) : 0);
    s->bind(9, filter.after ? std::int64_t{filter.after->pointer.partition} : 0);
    s->bind(10, filter.after ? static_cast<std::int64_t>(filter.after->pointer.offset) : 0);
    s->bind(11, static_cast<std::int64_t>(limit) + 1);
    Page<EventRow, EventCursor> page;
    while (s->row()) {
        page.items.push_back(event_of(*s));
    }
    HELIOS_TRY(s->status());
    if (cut_page(page.items, limit)) {
        page.next = EventCursor{page.items.back().log_time, page.items.back().pointer};
    }
    return page;
}

Result<std::vector<EventRow>> Queries::events_by_id(const TenantId& tenant,
                                                    std::string_view event_id,
                                                    std::optional<std::string_view> source) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->events_by_id);
    s->bind(1, tenant.text())
        .bind(2, event_id)
        .bind(4, static_cast<std::int64_t>(options_.page_rows_max));
    if (source) {
        s->bind(3, *source);
    } else {
        s->bind_null(3);
    }
    std::vector<EventRow> out;
    while (s->row()) {
        out.push_back(event_of(*s));
    }
    HELIOS_TRY(s->status());
    return out;
}

Result<Page<QuarantineRow, QuarantineCursor>> Queries::quarantined(const QuarantineFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(filter.key ? connection->quarantined_by_key : connection->quarantined);
    s->bind(1, filter.tenant.text()).bind(2, start_of(filter.last)).bind(3, end_of(filter.last));
    s->bind(4, filter.after ? to_nanos(filter.after->last_at) : unbounded);
    s->bind(5, filter.after ? std::string_view(filter.after->dlq_id) : std::string_view{});
    bind_optional(*s, 6, filter.source);
    bind_optional(*s, 7, filter.reason);
    bind_optional(*s, 8, filter.key);
    s->bind(9, static_cast<std::int64_t>(limit) + 1);
    Page<QuarantineRow, QuarantineCursor> page;
    while (s->row()) {
        page.items.push_back(quarantine_of(*s));
    }
    HELIOS_TRY(s->status());
    if (cut_page(page.items, limit)) {
        page.next = QuarantineCursor{page.items.back().last_at, page.items.back().dlq_id};
    }
    return page;
}

Result<QuarantineRow> Queries::quarantined_item(const TenantId& tenant, std::string_view dlq_id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->quarantined_item);
    s->bind(1, tenant.text()).bind(2, dlq_id);
    if (s->row()) {
        return quarantine_of(*s);
    }
    HELIOS_TRY(s->status());
    return fail(ErrorKind::not_found, fmt::format("nothing in quarantine has the id {}", dlq_id));
}

namespace {

/// The least text greater than all that begin with `prefix`, by bytes.
std::string behind_all(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
        prefix.pop_back();
    }
    if (!prefix.empty()) {
        prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    }
    return prefix;
}

Result<std::vector<std::string>> texts_of(Statement& s) {
    std::vector<std::string> out;
    while (s.row()) {
        out.emplace_back(s.text(0));
    }
    HELIOS_TRY(s.status());
    return out;
}

}  // namespace

Result<std::vector<std::string>> Queries::quarantine_ids(const TenantId& tenant,
                                                         std::string_view prefix,
                                                         std::size_t limit) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto end = behind_all(std::string(prefix));
    InUse s(connection->quarantine_ids);
    s->bind(1, tenant.text())
        .bind(2, prefix)
        .bind(3, end)
        .bind(4, static_cast<std::int64_t>(limit));
    return texts_of(*s);
}

Result<std::vector<std::string>> Queries::event_ids(const TenantId& tenant, std::string_view prefix,
                                                    std::optional<std::string_view> source,
                                                    std::size_t limit) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto end = behind_all(std::string(prefix));
    InUse s(connection->event_ids);
    s->bind(1, tenant.text())
        .bind(2, prefix)
        .bind(3, end)
        .bind(5, static_cast<std::int64_t>(limit));
    if (source) {
        s->bind(4, *source);
    } else {
        s->bind_null(4);
    }
    return texts_of(*s);
}

Result<std::vector<FlowRow>> Queries::flows(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->flows);
    s->bind(1, tenant.text());
    std::vector<FlowRow> out;
    while (s->row()) {
        out.push_back({std::string(s->text(0)), static_cast<std::uint32_t>(s->integer(1)),
                       s->time(2), std::string(s->text(3)), std::string(s->text(4))});
    }
    HELIOS_TRY(s->status());
    return out;
}

Result<std::vector<model::AbsenceRecord>> Queries::absences(const CaseId& id, Instant t) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->absences);
    s->bind(1, id.tenant.text()).bind(2, id.key).bind(3, id.flow).bind(4, to_nanos(t));
    std::vector<model::AbsenceRecord> out;
    while (s->row()) {
        HELIOS_TRY_ASSIGN(auto absence, model::decode_absence(s->blob(0)));
        out.push_back(std::move(absence));
    }
    HELIOS_TRY(s->status());
    return out;
}

Result<CaseHistory> Queries::history(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    const auto limit = static_cast<std::int64_t>(options_.history_records_max);
    CaseHistory history;
    {
        InUse s(connection->case_legs);
        s->bind(1, id.tenant.text()).bind(2, id.key).bind(3, id.flow).bind(4, limit + 1);
        while (s->row()) {
            history.records.push_back(pointer_of(*s));
        }
        HELIOS_TRY(s->status());
    }
    if (history.records.empty()) {
        return history;
    }
    history.truncated = cut_page(history.records, options_.history_records_max);
    InUse s(connection->case_controls);
    s->bind(1, std::int64_t{history.records.front().partition})
        .bind(2, id.tenant.text())
        .bind(3, id.flow)
        .bind(4, limit);
    while (s->row()) {
        history.records.push_back(pointer_of(*s));
    }
    HELIOS_TRY(s->status());
    std::sort(history.records.begin(), history.records.end(),
              [](const auto& a, const auto& b) { return a.offset < b.offset; });
    return history;
}

Result<std::vector<CountRow>> Queries::counts(const CountFilter& filter) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    InUse s(connection->counts);
    s->bind(1, filter.tenant.text())
        .bind(2, start_of(filter.minutes))
        .bind(3, end_of(filter.minutes));
    bind_optional(*s, 4, filter.source);
    s->bind(5, static_cast<std::int64_t>(filter.limit) + 1);
    std::vector<CountRow> out;
    while (s->row()) {
        out.push_back({s->time(0), std::string(s->text(1)), std::string(s->text(2)),
                       std::string(s->text(3)), static_cast<std::uint64_t>(s->integer(4))});
    }
    HELIOS_TRY(s->status());
    if (out.size() > filter.limit) {
        return fail(ErrorKind::invalid,
                    fmt::format("more than {} counters lie in this range", filter.limit),
                    "narrow start_time and end_time");
    }
    return out;
}

}  // namespace helios::store
