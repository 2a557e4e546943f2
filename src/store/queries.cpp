#include "store/queries.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>
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

CaseFilter CaseFilter::mismatches(TenantId of) {
    CaseFilter filter(std::move(of));
    filter.by = CaseTime::reconciled;
    filter.statuses = {model::VerdictStatus::partial, model::VerdictStatus::mismatched};
    return filter;
}

Result<std::vector<std::string>> Queries::flows_with_cases(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection->ask<FlowsOfCases>(tenant).rows();
}

namespace {

/// A case in the order of lists.
struct ListedCase {
    std::int64_t at = 0;
    std::string_view flow;
    std::string key;
    std::uint32_t instance = 0;
    friend auto operator<=>(const ListedCase&, const ListedCase&) = default;
};

/// Which cases of `flow` come behind the cursor, and before the end of the range: those less than
/// (before, before_key, before_instance).
void set_end(const CaseFilter& filter, AskedCases& asked) {
    asked.before = filter.times.end ? to_nanos(*filter.times.end) : unbounded;
    if (!filter.after) {
        return;
    }
    const auto& after = *filter.after;
    const std::int64_t at = to_nanos(after.at);
    if (asked.flow == after.flow && at < asked.before) {
        asked.before = at;
        asked.before_key = after.key;
        asked.before_instance = after.instance;
    } else {  // flows are in order, too: of a lesser one all of that time are behind the cursor
        const bool behind = asked.flow < after.flow && at < unbounded;
        asked.before = std::min(asked.before, behind ? at + 1 : at);
    }
}

/// The cases of one flow and status among `found`, of which the first `rows` stay.
template <class S>
Status add_cases(auto& connection, AskedCases asked, std::vector<ListedCase>& found) {
    const auto rows = static_cast<std::size_t>(asked.rows);
    if (found.size() == rows) {
        asked.start = std::max(asked.start, found.back().at);
    }
    auto answer = connection->template ask<S>(asked);
    const auto begin = static_cast<std::ptrdiff_t>(found.size());
    while (answer.next()) {
        auto row = answer.row();
        found.push_back({row.at, asked.flow, std::move(row.key), row.instance});
    }
    HELIOS_TRY(answer.status());
    std::inplace_merge(found.begin(), found.begin() + begin, found.end(), std::greater{});
    found.resize(std::min(found.size(), rows));
    return {};
}

/// The flows that a question is about.
Result<std::vector<std::string>> flows_of(auto& connection, const TenantId& tenant,
                                          const std::optional<std::string>& flow) {
    if (flow) {
        return std::vector{*flow};
    }
    return connection->template ask<FlowsOfCases>(tenant).rows();
}

}  // namespace

Result<Page<model::Verdict, CaseCursor>> Queries::cases(const CaseFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    HELIOS_TRY_ASSIGN(const auto flows, flows_of(connection, filter.tenant, filter.flow));
    const bool opened = filter.by == CaseTime::opened;
    std::vector<ListedCase> found;
    for (const auto& flow : flows) {
        for (const auto status : filter.statuses) {
            AskedCases asked{.tenant = filter.tenant, .flow = flow, .status = status};
            asked.kind = filter.kind;
            asked.start = filter.times.start ? to_nanos(*filter.times.start)
                                             : std::numeric_limits<std::int64_t>::min();
            asked.rows = one_more(limit);
            set_end(filter, asked);
            HELIOS_TRY(filter.kind
                           ? opened ? add_cases<CasesOfKindByOpening>(connection, asked, found)
                                    : add_cases<CasesOfKindByDecision>(connection, asked, found)
                       : opened ? add_cases<CasesByOpening>(connection, asked, found)
                                : add_cases<CasesByDecision>(connection, asked, found));
        }
    }
    Page<model::Verdict, CaseCursor> page;
    if (cut_page(found, limit)) {
        const auto& last = found.back();
        page.next = CaseCursor{filter.by, from_nanos(last.at), std::string(last.flow), last.key,
                               last.instance};
    }
    for (const auto& one : found) {
        auto answer = connection->ask<CaseBody>(
            AskedInstance{filter.tenant, one.flow, one.key, one.instance});
        HELIOS_TRY_ASSIGN(auto bodies, verdicts_of(answer));
        std::move(bodies.begin(), bodies.end(), std::back_inserter(page.items));
    }
    return page;
}

namespace {

/// Adds the decided cases of one flow and status.
Status add_decided(auto& connection, const AskedFigures& asked, Stats& stats,
                   std::vector<std::int64_t>& durations) {
    auto answer = connection->template ask<Decided>(asked);
    while (answer.next()) {
        const DecidedCase decided = answer.row();
        ++stats.by_status.at(static_cast<std::size_t>(asked.status));
        for (std::size_t kind = 0; kind < stats.by_kind.size(); ++kind) {
            stats.by_kind[kind] += static_cast<std::uint64_t>((decided.kinds >> kind) & 1);
        }
        durations.push_back(decided.took_nanos);
    }
    return answer.status();
}

Status add_money(auto& connection, const AskedFigures& asked, MoneySum& sum) {
    auto answer = connection->template ask<MoneyAtRisk>(asked);
    while (answer.next()) {
        for (const auto& money : split_money(answer.row())) {
            HELIOS_TRY(sum.add(money.currency, money.amount));
        }
    }
    return answer.status();
}

}  // namespace

Result<Stats> Queries::stats(const StatsFilter& filter) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    HELIOS_TRY_ASSIGN(const auto flows, flows_of(connection, filter.tenant, filter.flow));
    Stats stats;
    std::vector<std::int64_t> durations;
    MoneySum sum;
    for (const auto& flow : flows) {
        for (const auto status : {model::VerdictStatus::matched, model::VerdictStatus::partial,
                                  model::VerdictStatus::mismatched}) {
            HELIOS_TRY(add_decided(connection, {filter, flow, status}, stats, durations));
        }
        const AskedFigures asked{filter, flow};
        HELIOS_TRY(add_money(connection, asked, sum));
        auto answer = connection->ask<Pending>(asked);
        stats.by_status.at(static_cast<std::size_t>(model::VerdictStatus::pending)) +=
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

Result<std::vector<std::string>> Queries::sources(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection
        ->ask<SourcesOfEvents>(
            AskedWords{tenant, static_cast<std::int64_t>(options_.page_rows_max)})
        .rows();
}

Result<std::vector<std::string>> Queries::event_types(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection
        ->ask<TypesOfEvents>(AskedWords{tenant, static_cast<std::int64_t>(options_.page_rows_max)})
        .rows();
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
