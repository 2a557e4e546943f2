#include "store/queries.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "store/case_sums.h"
#include "store/connection.h"
#include "store/damage.h"
#include "store/merge_kinds.h"
#include "store/projection.h"

namespace helios::store {
namespace {

constexpr Instant earliest_of_all{Duration{std::numeric_limits<std::int64_t>::min()}};
constexpr Instant latest_of_all{Duration{std::numeric_limits<std::int64_t>::max()}};

template <class S>
Result<std::vector<model::Verdict>> verdicts_of(Answer<S>& bodies) {
    std::vector<model::Verdict> verdicts;
    while (bodies.next()) {
        HELIOS_TRY_ASSIGN(auto verdict, stored_verdict(bodies.row().bytes));
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

/// Before it stands everything that is wanted: what comes after a cursor, or before the range's
/// end.
EventPlace before_of(const EventFilter& filter) {
    EventPlace before{filter.received.end.value_or(latest_of_all), {{TopicId{0}, 0}, Offset{0}}};
    if (filter.after) {
        before = std::min(before, *filter.after);
    }
    return before;
}

constexpr SliceRange all_times{earliest_of_all, latest_of_all};

SliceRange range_of(const TimeRange& range) {
    return {range.start.value_or(earliest_of_all), range.end.value_or(latest_of_all)};
}

/// Newest first.
bool is_newer(const EventRow& a, const EventRow& b) {
    return b.place() < a.place();
}

}  // namespace

Result<model::Verdict> Queries::latest(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<Latest>(id);
    if (answer.next()) {
        return stored_verdict(answer.row().bytes);
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
    HELIOS_TRY_ASSIGN(const auto open,
                      connection->template ask<OpenCases>(std::string_view(tenant.text())).rows());
    std::vector<std::string> flows;
    for (const OpenOfFlow& one : open) {
        flows.push_back(one.flow);
    }
    return flows;
}

}  // namespace

Result<std::vector<std::string>> Queries::flows_with_cases(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return flows_of(connection, tenant, {});
}

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

/// Adds decided cases of a flow one by one.
Status add_decided(auto& connection, AskedSums asked, CaseSums& sum) {
    const auto add = [&sum](auto&& answer) -> Status {
        while (answer.next()) {
            sum.add(answer.row());
        }
        return answer.status();
    };
    for (const auto status : decided_statuses) {
        asked.status = status;
        HELIOS_TRY(status == model::VerdictStatus::matched
                       ? add(connection->template ask<DecidedIn>(asked))
                       : add(connection->template ask<BrokenIn>(asked)));
    }
    return {};
}

/// Adds the decided cases of a flow that a range holds.
Status add_range(auto& connection, const TenantId& tenant, std::string_view flow,
                 const TimeRange& range, CaseSums& sum) {
    const CoveredRange covered = cover(range);
    for (const SumSpan& span : covered.spans) {
        auto answer = connection->template ask<SumsIn>(AskedSums{tenant, flow, span});
        while (answer.next()) {
            HELIOS_TRY_ASSIGN(const auto kept, CaseSums::decode(answer.row().bytes));
            sum.add(kept);
        }
        HELIOS_TRY(answer.status());
    }
    for (const TimeRange& edge : covered.edges) {
        const SumSpan span{SumLevel::half_minute, *edge.start, *edge.end};
        HELIOS_TRY(add_decided(connection, {tenant, flow, span}, sum));
    }
    return {};
}

}  // namespace

Result<Stats> Queries::stats(const StatsFilter& filter) {
    HELIOS_TRY_ASSIGN(auto figures,
                      stats_of(filter.tenant, filter.flow, std::span(&filter.reconciled, 1)));
    return std::move(figures.all);
}

Result<StatsOfParts> Queries::stats_of(const TenantId& tenant,
                                       const std::optional<std::string>& flow,
                                       std::span<const TimeRange> parts) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    HELIOS_TRY_ASSIGN(auto flows,
                      connection->ask<OpenCases>(std::string_view(tenant.text())).rows());
    std::erase_if(flows, [&](const OpenOfFlow& one) { return flow && *flow != one.flow; });
    StatsOfParts out;
    CaseSums all;
    for (const TimeRange& part : parts) {
        CaseSums sum;
        for (const OpenOfFlow& one : flows) {
            HELIOS_TRY(add_range(connection, tenant, one.flow, part, sum));
        }
        out.parts.push_back(sum.stats());
        all.add(sum);
    }
    out.all = all.stats();
    auto& pending = out.all.by_status.at(static_cast<std::size_t>(model::VerdictStatus::pending));
    for (const OpenOfFlow& one : flows) {
        pending += one.cases;
    }
    return out;
}

// ---- Events

/// Slice by slice, newest first: what lies in an older one is older.
Result<Page<EventRow, EventCursor>> Queries::events(const EventFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const EventPlace before = before_of(filter);
    SliceRange range = range_of(filter.received);
    range.end =
        std::min(range.end,
                 before.log_time == latest_of_all ? latest_of_all : before.log_time + Duration{1});
    Page<EventRow, EventCursor> page;
    const auto list = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        HELIOS_TRY(slice.list(filter, before, limit + 1, page.items));
        return page.items.size() <= limit;
    };
    HELIOS_TRY(connection->each_slice<NewestSlice>(range, list));
    if (cut_page(page.items, limit)) {
        page.next = page.items.back().place();
    }
    HELIOS_TRY(count_copies(*connection, filter.tenant, page.items));
    return page;
}

/// Copies of an event are in its slice and in those that begin within Options::copies_within: in as
/// many as the writer has looked for it in.
Status Queries::count_copies(Connection& connection, const TenantId& tenant,
                             std::vector<EventRow>& rows) const {
    if (rows.empty()) {
        return {};
    }
    const auto [oldest, newest] = std::ranges::minmax(rows, {}, &EventRow::log_time);
    const Instant behind = newest.log_time + options_.copies_within + Duration{1};
    std::size_t ahead = 0;
    return connection.each_slice<OldestSlice>(
        {oldest.log_time, behind},
        [&](SliceReader& reader, const SliceRange& slice) -> Result<bool> {
            std::vector<EventRow*> within;
            for (EventRow& row : rows) {
                if (row.log_time < slice.end &&
                    slice.start <= row.log_time + options_.copies_within) {
                    within.push_back(&row);
                }
            }
            HELIOS_TRY(reader.count_copies(tenant, within));
            ahead += slice.start > newest.log_time ? 1 : 0;
            return ahead < options_.slices_near_max;
        });
}

Result<std::vector<EventRow>> Queries::all_by_id(Connection& connection, const TenantId& tenant,
                                                 const AskedIdOfKind& id, bool copies) const {
    std::vector<EventRow> rows;
    const auto find = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        HELIOS_TRY(slice.by_id(tenant, id, copies, rows));
        return rows.size() < options_.page_rows_max;
    };
    HELIOS_TRY(connection.each_slice<NewestSlice>(all_times, find));
    std::ranges::sort(rows, is_newer);
    return rows;
}

/// Words of the kinds that there are; those of the kind that many share are not known.
Result<std::vector<std::string>> Queries::words_of(const TenantId& tenant,
                                                   std::optional<std::string> Kind::* word) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    std::set<std::string> words;
    const auto add_words = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        const std::string_view of = tenant.text();
        HELIOS_TRY_ASSIGN(const auto kinds, slice.ask<KindsOf>(of).rows());
        for (const Kind& kind : kinds) {
            if (kind.*word && words.size() < options_.page_rows_max) {
                words.insert(*(kind.*word));
            }
        }
        return words.size() < options_.page_rows_max;
    };
    HELIOS_TRY(connection->each_slice<NewestSlice>(all_times, add_words));
    return std::vector<std::string>(words.begin(), words.end());
}

Result<std::vector<std::string>> Queries::sources(const TenantId& tenant) {
    return words_of(tenant, &Kind::source);
}

Result<std::vector<std::string>> Queries::event_types(const TenantId& tenant) {
    return words_of(tenant, &Kind::name);
}

Result<std::vector<EventRow>> Queries::events_by_id(const TenantId& tenant,
                                                    std::string_view event_id,
                                                    std::optional<std::string_view> source) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const AskedIdOfKind id{event_id, 0, source, {}, rows_max()};
    HELIOS_TRY_ASSIGN(auto rows, all_by_id(*connection, tenant, id, false));
    rows.resize(std::min(rows.size(), options_.page_rows_max));
    HELIOS_TRY(count_copies(*connection, tenant, rows));
    return rows;
}

Result<std::vector<EventRecord>> Queries::records_under(const TenantId& tenant,
                                                        const EventRow& event) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const AskedIdOfKind id{event.event_id, 0, event.source, event.scope, rows_max()};
    HELIOS_TRY_ASSIGN(const auto rows, all_by_id(*connection, tenant, id, true));
    std::vector<EventRecord> records;
    for (auto row = rows.rbegin(); row != rows.rend() && records.size() < options_.page_rows_max;
         ++row) {
        records.push_back({row->place(), row->content});
    }
    return records;
}

// ---- Quarantine

struct Queries::QuarantinedOf {
    Connection& connection;
    const QuarantineFilter& filter;

    using Row = QuarantineRow;
    using Place = QuarantineCursor;
    static Place place_of(const Row& row) { return {row.last_at, row.dlq_id}; }
    Status fetch(std::int64_t kind, const Place& before, std::size_t rows,
                 std::deque<Row>& out) const {
        const AskedQuarantine asked{filter, kind, before, static_cast<std::int64_t>(rows)};
        return filter.key    ? take_rows(connection.ask<QuarantinedOfKindAndKey>(asked), out)
               : filter.type ? take_rows(connection.ask<QuarantinedOfKindAndType>(asked), out)
                             : take_rows(connection.ask<QuarantinedOfKind>(asked), out);
    }
};

Result<Page<QuarantineRow, QuarantineCursor>> Queries::quarantined(const QuarantineFilter& filter) {
    const std::size_t limit = std::min(filter.limit, options_.page_rows_max);
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(connection->database));
    const std::string_view tenant = filter.tenant.text();
    HELIOS_TRY_ASSIGN(auto kinds, connection->ask<QuarantineKindsOf>(tenant).rows());
    std::erase_if(kinds,
                  [&](const Kind& kind) { return !kind.may_hold(filter.source, filter.reason); });
    QuarantineCursor before{filter.last.end.value_or(latest_of_all), ""};
    if (filter.after) {
        before = std::min(before, *filter.after);
    }
    Page<QuarantineRow, QuarantineCursor> page;
    HELIOS_TRY(
        merge_kinds(QuarantinedOf{*connection, filter}, kinds, before, limit + 1, page.items));
    if (cut_page(page.items, limit)) {
        page.next = QuarantinedOf::place_of(page.items.back());
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

Result<std::vector<std::string>> Queries::quarantine_sources(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    HELIOS_TRY_ASSIGN(const auto kinds,
                      connection->ask<QuarantineKindsOf>(std::string_view(tenant.text())).rows());
    std::set<std::string> sources;
    for (const Kind& kind : kinds) {
        if (kind.source) {
            sources.insert(*kind.source);
        }
    }
    return std::vector<std::string>(sources.begin(), sources.end());
}

Result<QuarantineSize> Queries::quarantine_size() {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<HowMuchWaits>(model::topic::dlq);
    QuarantineSize size;
    while (answer.next()) {
        const auto row = answer.row();
        size.bytes = row.bytes;
        size.next_offsets[{model::topic::dlq, row.partition}] = Offset{row.next_offset};
    }
    HELIOS_TRY(answer.status());
    return size;
}

Result<std::vector<DlqOutcomeRow>> Queries::dlq_outcomes(const TenantId& tenant,
                                                         std::string_view dlq_id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto rows = static_cast<std::int64_t>(options_.page_rows_max);
    return connection->ask<DlqOutcomes>(AskedById{tenant, dlq_id, {}, rows}).rows();
}

Result<RedriveRow> Queries::redrive(const TenantId& tenant, std::string_view id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    auto answer = connection->ask<OneRedrive>(AskedById{tenant, id, {}, 1});
    if (answer.next()) {
        return answer.row();
    }
    HELIOS_TRY(answer.status());
    return fail(ErrorKind::not_found, fmt::format("no redrive has the id {}", id));
}

Result<std::vector<RedriveRow>> Queries::open_redrives() {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection->ask<OpenRedrives>().rows();
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
    const AskedIds asked{tenant, prefix, end, source, static_cast<std::int64_t>(limit)};
    std::set<std::string> ids;
    const auto add_ids = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        HELIOS_TRY_ASSIGN(auto found, slice.ask<EventIds>(asked).rows());
        ids.insert(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
        return true;
    };
    HELIOS_TRY(connection->each_slice<NewestSlice>(all_times, add_ids));
    std::vector<std::string> first(ids.begin(), ids.end());
    first.resize(std::min(first.size(), limit));
    return first;
}

Result<std::vector<FlowRow>> Queries::flows(const TenantId& tenant) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    return connection->ask<ActivatedFlows>(tenant).rows();
}

/// Where its legs stand, oldest first, at most `rows`; from slices since its first instance opened.
Result<std::vector<CaseRecordPlace>> Queries::legs_of(Connection& connection, const CaseId& id,
                                                      std::int64_t rows) const {
    HELIOS_TRY_ASSIGN(const auto opened, connection.ask<FirstOpened>(id).rows());
    std::vector<CaseRecordPlace> legs;
    const auto add_legs = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        HELIOS_TRY_ASSIGN(const auto found, slice.ask<CaseLegs>(AskedCase{id, rows}).rows());
        legs.insert(legs.end(), found.begin(), found.end());
        rows -= static_cast<std::int64_t>(found.size());
        return rows > 0;
    };
    HELIOS_TRY(connection.each_slice<OldestSlice>(
        {opened.empty() ? earliest_of_all : opened.front(), latest_of_all}, add_legs));
    return legs;
}

Result<std::vector<model::AbsenceRecord>> Queries::absences(const CaseId& id, Instant t) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    std::vector<model::AbsenceRecord> out;
    HELIOS_TRY_ASSIGN(const auto legs, legs_of(*connection, id, 1));
    if (legs.empty()) {
        return out;
    }
    auto answer = connection->ask<Absences>(AskedAbsences{legs.front().pointer.partition.index, t});
    while (answer.next()) {
        HELIOS_TRY_ASSIGN(auto absence, model::decode_absence(answer.row().bytes));
        out.push_back(std::move(absence));
    }
    HELIOS_TRY(answer.status());
    return out;
}

Result<CaseHistory> Queries::history(const CaseId& id) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const auto limit = options_.history_records_max;
    CaseHistory history;
    HELIOS_TRY_ASSIGN(history.records, legs_of(*connection, id, one_more(limit)));
    HELIOS_TRY_ASSIGN(const auto opened, connection->ask<FirstOpened>(id).rows());
    HELIOS_TRY_ASSIGN(const auto dropped, connection->ask<DroppedUntil>().rows());
    if (!opened.empty() && opened.front() < dropped.front()) {
        history.known_since = dropped.front();
    }
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

/// What this hop stored is counted in slices, everything else in the current file.
Result<std::vector<CountRow>> Queries::counts(const CountFilter& filter) {
    HELIOS_TRY_ASSIGN(auto connection, borrow());
    const Asked<CountFilter> asked{filter, one_more(filter.limit)};
    HELIOS_TRY_ASSIGN(auto rows, connection->ask<CountsInRange>(asked).rows());
    const auto add_stored = [&](SliceReader& slice, const SliceRange&) -> Result<bool> {
        HELIOS_TRY_ASSIGN(auto stored, slice.ask<StoredInRange>(asked).rows());
        rows.insert(rows.end(), std::make_move_iterator(stored.begin()),
                    std::make_move_iterator(stored.end()));
        return rows.size() <= filter.limit;
    };
    HELIOS_TRY(connection->each_slice<NewestSlice>(range_of(filter.minutes), add_stored));
    if (rows.size() > filter.limit) {
        return fail(ErrorKind::invalid,
                    fmt::format("more than {} counters lie in this range", filter.limit),
                    "narrow start_time and end_time");
    }
    std::ranges::sort(rows, {}, [](const CountRow& row) {
        return std::tie(row.minute, row.source, row.hop, row.counter);
    });
    return rows;
}

}  // namespace helios::store
