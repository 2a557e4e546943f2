#include "store/queries.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "store/connection.h"
#include "store/money_sum.h"
#include "store/projection.h"

namespace helios::store {
namespace {

/// Bodies are ours: one that can't be decoded means a damaged file.
Result<model::Verdict> verdict_of(Blob body) {
    auto verdict = model::decode_verdict(body.bytes);
    if (!verdict) {
        return fail(ErrorKind::corrupt,
                    "store: a stored verdict can't be decoded: " + verdict.error().what,
                    "run `helios store rebuild`");
    }
    return verdict;
}

template <class S>
Result<std::vector<model::Verdict>> verdicts_of(Answer<S>& bodies) {
    std::vector<model::Verdict> verdicts;
    while (bodies.next()) {
        HELIOS_TRY_ASSIGN(auto verdict, verdict_of(bodies.row()));
        verdicts.push_back(std::move(verdict));
    }
    HELIOS_TRY(bodies.status());
    return verdicts;
}

/// As many rows as asked for, and one more: it says whether there is a next page.
std::int64_t one_more(std::size_t rows) {
    return static_cast<std::int64_t>(rows) + 1;
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
    auto answer = connection->ask<Latest>(id);
    if (answer.next()) {
        return verdict_of(answer.row());
    }
    HELIOS_TRY(answer.status());
    return fail(ErrorKind::not_found,
                fmt::format("flow {} has no case for key {}", id.flow, id.key));
}

Result<std::vector<model::Verdict>> Queries::revisions(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<Revisions>(
        AskedCase{id, static_cast<std::int64_t>(options_.page_rows_max)});
    HELIOS_TRY_ASSIGN(auto verdicts, verdicts_of(answer));
    std::reverse(verdicts.begin(), verdicts.end());
    return verdicts;
}

Result<std::vector<std::string>> Queries::flows_with(const TenantId& tenant, std::string_view key) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection->ask<FlowsWith>(AskedKey{tenant, key}).rows();
}

Result<Page<model::Verdict, MismatchCursor>> Queries::mismatches(const MismatchFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<Mismatches>(Asked<MismatchFilter>{filter, one_more(limit)});
    Page<model::Verdict, MismatchCursor> page;
    HELIOS_TRY_ASSIGN(page.items, verdicts_of(answer));
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
    const Asked<StatsFilter> asked{filter, 0};
    Stats stats;
    std::vector<std::int64_t> durations;
    {
        auto answer = connection->ask<Decided>(asked);
        while (answer.next()) {
            const DecidedCase decided = answer.row();
            ++stats.by_status.at(static_cast<std::size_t>(decided.status));
            for (std::size_t kind = 0; kind < stats.by_kind.size(); ++kind) {
                stats.by_kind[kind] += static_cast<std::uint64_t>((decided.kinds >> kind) & 1);
            }
            durations.push_back(decided.took_nanos);
        }
        HELIOS_TRY(answer.status());
    }
    MoneySum sum;
    {
        auto answer = connection->ask<BrokenMoney>(asked);
        while (answer.next()) {
            for (const auto& money : split_money(answer.row())) {
                HELIOS_TRY(sum.add(money.currency, money.amount));
            }
        }
        HELIOS_TRY(answer.status());
    }
    {
        auto answer = connection->ask<Pending>(asked);
        stats.by_status.at(static_cast<std::size_t>(model::VerdictStatus::pending)) =
            answer.next() ? answer.row() : 0;
        HELIOS_TRY(answer.status());
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
    const Asked<EventFilter> asked{filter, one_more(limit)};
    Page<EventRow, EventCursor> page;
    HELIOS_TRY_ASSIGN(page.items, filter.key      ? connection->ask<EventsByKey>(asked).rows()
                                  : filter.type   ? connection->ask<EventsByType>(asked).rows()
                                  : filter.source ? connection->ask<EventsBySource>(asked).rows()
                                                  : connection->ask<EventsByTime>(asked).rows());
    if (cut_page(page.items, limit)) {
        page.next = page.items.back().place();
    }
    return page;
}

Result<std::vector<EventRow>> Queries::events_by_id(const TenantId& tenant,
                                                    std::string_view event_id,
                                                    std::optional<std::string_view> source) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection
        ->ask<EventsById>(
            AskedById{tenant, event_id, source, static_cast<std::int64_t>(options_.page_rows_max)})
        .rows();
}

Result<std::vector<EventRecord>> Queries::records_under(const TenantId& tenant,
                                                        const EventRow& event) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection
        ->ask<RecordsUnder>(
            AskedRecords{tenant, event, static_cast<std::int64_t>(options_.page_rows_max)})
        .rows();
}

Result<Page<QuarantineRow, QuarantineCursor>> Queries::quarantined(const QuarantineFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const Asked<QuarantineFilter> asked{filter, one_more(limit)};
    Page<QuarantineRow, QuarantineCursor> page;
    HELIOS_TRY_ASSIGN(page.items, filter.key ? connection->ask<QuarantinedByKey>(asked).rows()
                                             : connection->ask<QuarantinedByTime>(asked).rows());
    if (cut_page(page.items, limit)) {
        page.next = QuarantineCursor{page.items.back().last_at, page.items.back().dlq_id};
    }
    return page;
}

Result<QuarantineRow> Queries::quarantined_item(const TenantId& tenant, std::string_view dlq_id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<QuarantinedItem>(AskedById{tenant, dlq_id, {}, 1});
    if (answer.next()) {
        return answer.row();
    }
    HELIOS_TRY(answer.status());
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

}  // namespace

Result<std::vector<std::string>> Queries::quarantine_ids(const TenantId& tenant,
                                                         std::string_view prefix,
                                                         std::size_t limit) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto end = behind_all(std::string(prefix));
    return connection
        ->ask<QuarantineIds>(AskedIds{tenant, prefix, end, {}, static_cast<std::int64_t>(limit)})
        .rows();
}

Result<std::vector<std::string>> Queries::event_ids(const TenantId& tenant, std::string_view prefix,
                                                    std::optional<std::string_view> source,
                                                    std::size_t limit) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto end = behind_all(std::string(prefix));
    return connection
        ->ask<EventIds>(AskedIds{tenant, prefix, end, source, static_cast<std::int64_t>(limit)})
        .rows();
}

Result<std::vector<FlowRow>> Queries::flows(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection->ask<ActivatedFlows>(tenant).rows();
}

Result<std::vector<model::AbsenceRecord>> Queries::absences(const CaseId& id, Instant t) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<Absences>(AskedCase{id, to_nanos(t)});
    std::vector<model::AbsenceRecord> out;
    while (answer.next()) {
        HELIOS_TRY_ASSIGN(auto absence, model::decode_absence(answer.row().bytes));
        out.push_back(std::move(absence));
    }
    HELIOS_TRY(answer.status());
    return out;
}

Result<CaseHistory> Queries::history(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    const auto limit = options_.history_records_max;
    CaseHistory history;
    HELIOS_TRY_ASSIGN(history.records,
                      connection->ask<CaseLegs>(AskedCase{id, one_more(limit)}).rows());
    if (history.records.empty()) {
        return history;
    }
    history.truncated = cut_page(history.records, limit);
    HELIOS_TRY_ASSIGN(
        const auto controls,
        connection
            ->ask<CaseControls>(AskedControls{id, history.records.front().pointer.partition.index,
                                              static_cast<std::int64_t>(limit)})
            .rows());
    history.records.insert(history.records.end(), controls.begin(), controls.end());
    std::sort(history.records.begin(), history.records.end(),
              [](const auto& a, const auto& b) { return a.pointer.offset < b.pointer.offset; });
    return history;
}

Result<std::vector<CountRow>> Queries::counts(const CountFilter& filter) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer =
        connection->ask<CountsInRange>(Asked<CountFilter>{filter, one_more(filter.limit)});
    HELIOS_TRY_ASSIGN(auto rows, answer.rows());
    if (rows.size() > filter.limit) {
        return fail(ErrorKind::invalid,
                    fmt::format("more than {} counters lie in this range", filter.limit),
                    "narrow start_time and end_time");
    }
    return rows;
}

}  // namespace helios::store
