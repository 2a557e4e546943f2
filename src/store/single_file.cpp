#include "store/single_file.h"

#include <filesystem>
#include <utility>

#include "store/current_tables.h"
#include "store/dump.h"
#include "store/file_set.h"
#include "store/migrations.h"
#include "store/slices.h"

namespace helios::store {
namespace {

constexpr std::size_t rows_per_batch = 20'000;

struct FoundEvent : EventRow {
    std::string tenant;
};
constexpr std::tuple columns_of_event =
    std::tuple_cat(RecordColumns::columns, std::tuple{named("tenant", &FoundEvent::tenant)});

/// What was one table of rows and one of copies is one of records.
struct EventsOfOne {
    static constexpr SqlText sql{R"sql(
SELECT log_time, topic, partition, "offset", source, scope, event_id, content, identity, event_type,
  key, customer, event_time, tenant FROM events ORDER BY log_time, topic, partition, "offset")sql"};
    static constexpr std::tuple<> parameters{};
    using Row = FoundEvent;
    static constexpr auto columns = columns_of_event;
};
struct CopiesOfOne {
    static constexpr SqlText sql{R"sql(
SELECT c.log_time AS log_time, c.topic AS topic, c.partition AS partition, c."offset" AS "offset",
  e.source AS source, e.scope AS scope, e.event_id AS event_id, e.content AS content,
  e.identity AS identity, e.event_type AS event_type, e.key AS key, e.customer AS customer,
  e.event_time AS event_time, e.tenant AS tenant
FROM event_copies c JOIN events e
  ON e.tenant = c.tenant AND e.event_id = c.event_id AND e.content = c.content)sql"};
    static constexpr std::tuple<> parameters{};
    using Row = FoundEvent;
    static constexpr auto columns = columns_of_event;
};
struct FoundLeg {
    FoundCase of;
    CaseRecordPlace place;
};
struct LegsOfOne {
    static constexpr SqlText sql{R"sql(
SELECT tenant, key, flow, partition, "offset", at FROM case_records ORDER BY at)sql"};
    static constexpr std::tuple<> parameters{};
    using Row = FoundLeg;
    static constexpr std::tuple columns = with_case(
        named("partition", [](Row& row) -> auto& { return row.place.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.place.pointer.offset.value; }),
        named("at", [](Row& row) -> auto& { return row.place.at; }));
};

/// Hands rows to the slices, a batch at a time.
class Moving {
public:
    Moving(Slices& slices, const log::Offsets& applied) : slices_(slices), applied_(applied) {}

    template <class S>
    Status move(Database& from, auto add) {
        Prepared<S> statement;
        HELIOS_TRY(statement.prepare(from));
        auto answer = statement.ask();
        while (answer.next()) {
            HELIOS_TRY(add(rows_, answer.row()));
            if (rows_.events.size() + rows_.case_legs.size() >= rows_per_batch) {
                HELIOS_TRY(write());
            }
        }
        HELIOS_TRY(answer.status());
        return write();
    }

private:
    Status write() {
        HELIOS_TRY(slices_.write(rows_, applied_));
        rows_ = {};
        return {};
    }
    Slices& slices_;
    const log::Offsets& applied_;
    Rows rows_;
};

Status add_event(Rows& rows, FoundEvent&& found) {
    HELIOS_TRY_ASSIGN(auto tenant, TenantId::parse(found.tenant));
    rows.events.emplace_back(std::move(tenant), EventRow(std::move(found)));
    return {};
}

Status add_leg(Rows& rows, FoundLeg&& found) {
    HELIOS_TRY_ASSIGN(auto tenant, TenantId::parse(found.of.tenant));
    rows.case_legs.push_back(
        {{std::move(tenant), std::move(found.of.flow), std::move(found.of.key)}, found.place});
    return {};
}

}  // namespace

Status split_single_file(const Options& options) {
    const auto single = options.file.parent_path() / "store.db";
    std::error_code none;
    if (std::filesystem::exists(options.file, none) || !std::filesystem::exists(single, none)) {
        return {};
    }
    {
        HELIOS_TRY_ASSIGN(Database database, Database::open(single, Database::Mode::write));
        HELIOS_TRY_ASSIGN(const std::int64_t version, database.user_version());
        if (version >= first_migration && version < migration_to_slices) {
            HELIOS_TRY_ASSIGN(const auto applied, applied_offsets(database));
            HELIOS_TRY_ASSIGN(auto slices, Slices::open(options, {}, {}));
            Moving moving(*slices, applied);
            HELIOS_TRY(moving.move<EventsOfOne>(database, add_event));
            HELIOS_TRY(moving.move<CopiesOfOne>(database, add_event));
            HELIOS_TRY(moving.move<LegsOfOne>(database, add_leg));
        }
        HELIOS_TRY(migrate(database));
        HELIOS_TRY_ASSIGN(auto tables, CurrentTables::prepare(database, options.kinds_max));
        HELIOS_TRY(tables->sum_up());
        HELIOS_TRY(database.checkpoint());
    }
    std::filesystem::rename(single, options.file, none);
    if (none) {
        return fail(ErrorKind::unavailable, "store: " + single.string() + ": " + none.message());
    }
    return remove_file_set(single);
}

}  // namespace helios::store
