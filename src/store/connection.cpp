#include "store/connection.h"

#include "store/migrations.h"

namespace helios::store {
namespace {

#define EVENT_COLUMNS                                                                    \
    "SELECT log_time, topic, partition, \"offset\", source, scope, event_id, identity, " \
    "event_type, key, customer, event_time "                                             \
    "FROM events "
// ?1 tenant, ?2 key, ?3 type, ?4 source, ?5 start, ?6 end, ?7..?10 cursor, ?11 limit. What drives
// is an equality on its own index; the others may be NULL. Unary plus keeps the planner from
// choosing another index than the one named.
#define EVENT_RANGE                                                                              \
    " AND log_time >= ?5 AND log_time < ?6 AND (log_time, topic, partition, \"offset\") < (?7, " \
    "?8, ?9, ?10)"                                                                               \
    " ORDER BY log_time DESC, topic DESC, partition DESC, \"offset\" DESC LIMIT ?11"

constexpr Sql events_by_key_sql = EVENT_COLUMNS
    "INDEXED BY events_by_key WHERE tenant = ?1 AND key = ?2 AND key <> '' AND (?3 IS NULL OR "
    "event_type = ?3) AND (?4 IS NULL "
    "OR source = ?4)" EVENT_RANGE;
constexpr Sql events_by_type_sql = EVENT_COLUMNS
    "INDEXED BY events_by_type WHERE tenant = ?1 AND event_type = ?3 AND (?2 IS NULL OR key = ?2) "
    "AND (?4 IS NULL OR source = "
    "?4)" EVENT_RANGE;
constexpr Sql events_by_source_sql = EVENT_COLUMNS
    "INDEXED BY events_by_source WHERE tenant = ?1 AND source = ?4 AND (?2 IS NULL OR key = ?2) "
    "AND (?3 IS NULL OR event_type = "
    "?3)" EVENT_RANGE;
constexpr Sql events_by_time_sql = EVENT_COLUMNS
    "NOT INDEXED WHERE tenant = ?1 AND (?2 IS NULL OR key = ?2) AND (?3 IS NULL OR event_type = "
    "?3) AND (?4 IS NULL OR source = "
    "?4)" EVENT_RANGE;
#undef EVENT_COLUMNS
#undef EVENT_RANGE

#define QUARANTINE_COLUMNS                                                                        \
    "SELECT dlq_id, record_type, reason, detail, source, endpoint, scope, event_id, event_type, " \
    "key, first_at, last_at, times,"                                                              \
    " partition, \"offset\" FROM quarantine "

// ?1 tenant, ?2 start, ?3 end, ?4 ?5 cursor, ?6 source, ?7 reason, ?8 key, ?9 limit
#define QUARANTINE_RANGE                                                                       \
    " AND last_at >= ?2 AND last_at < ?3 AND last_at <= ?4 AND (last_at < ?4 OR dlq_id > ?5)"  \
    " AND (?6 IS NULL OR source = ?6) AND (?7 IS NULL OR reason = ?7) ORDER BY last_at DESC, " \
    "dlq_id LIMIT ?9"

constexpr Sql quarantined_sql = QUARANTINE_COLUMNS
    "INDEXED BY quarantine_by_time WHERE tenant = ?1 AND ?8 IS NULL" QUARANTINE_RANGE;
constexpr Sql quarantined_by_key_sql = QUARANTINE_COLUMNS
    "INDEXED BY quarantine_by_key WHERE tenant = ?1 AND key = ?8 AND key <> ''" QUARANTINE_RANGE;
constexpr Sql quarantined_item_sql = QUARANTINE_COLUMNS "WHERE tenant = ?1 AND dlq_id = ?2";
#undef QUARANTINE_COLUMNS
#undef QUARANTINE_RANGE

}  // namespace

Status Queries::Connection::prepare() {
    HELIOS_TRY_ASSIGN(latest, database.prepare(R"sql(
SELECT v.body FROM cases c JOIN verdicts v ON v.id = c.verdict
WHERE c.tenant = ?1 AND c.key = ?2 AND c.flow = ?3 ORDER BY c.instance DESC LIMIT 1)sql"));
    HELIOS_TRY_ASSIGN(revisions, database.prepare(R"sql(
SELECT body FROM verdicts WHERE tenant = ?1 AND key = ?2 AND flow = ?3 ORDER BY instance DESC, revision DESC LIMIT ?4)sql"));
    HELIOS_TRY_ASSIGN(
        flows_with,
        database.prepare(
            "SELECT DISTINCT flow FROM cases WHERE tenant = ?1 AND key = ?2 ORDER BY flow"));
    // ?1 tenant, ?2 start, ?3 end, ?4..?7 cursor, ?8 status, ?9 kind bit, ?10 flow, ?11 limit
    HELIOS_TRY_ASSIGN(mismatches, database.prepare(R"sql(
SELECT v.body FROM cases c INDEXED BY cases_broken JOIN verdicts v ON v.id = c.verdict
WHERE c.status IN (2, 3) AND c.tenant = ?1 AND c.reconciled_at >= ?2 AND c.reconciled_at < ?3
  AND c.reconciled_at <= ?4 AND (c.reconciled_at < ?4 OR (c.flow, c.key, c.instance) > (?5, ?6, ?7))
  AND (?8 IS NULL OR c.status = ?8) AND (?9 IS NULL OR c.kinds & ?9 <> 0) AND (?10 IS NULL OR c.flow = ?10)
ORDER BY c.reconciled_at DESC, c.flow, c.key, c.instance LIMIT ?11)sql"));
    HELIOS_TRY_ASSIGN(decided, database.prepare(R"sql(
SELECT status, kinds, first_reconciled_at - opened_at FROM cases INDEXED BY cases_decided
WHERE status <> 0 AND tenant = ?1 AND reconciled_at >= ?2 AND reconciled_at < ?3 AND (?4 IS NULL OR flow = ?4))sql"));
    HELIOS_TRY_ASSIGN(broken_money, database.prepare(R"sql(
SELECT at_risk FROM cases INDEXED BY cases_broken
WHERE status IN (2, 3) AND tenant = ?1 AND reconciled_at >= ?2 AND reconciled_at < ?3 AND (?4 IS NULL OR flow = ?4) AND at_risk <> '')sql"));
    HELIOS_TRY_ASSIGN(
        pending,
        database.prepare(
            "SELECT count(*) FROM cases INDEXED BY cases_pending WHERE status = 0 AND tenant "
            "= ?1 AND (?2 IS NULL OR flow = ?2)"));
    HELIOS_TRY_ASSIGN(events[0], database.prepare(events_by_key_sql));
    HELIOS_TRY_ASSIGN(events[1], database.prepare(events_by_type_sql));
    HELIOS_TRY_ASSIGN(events[2], database.prepare(events_by_source_sql));
    HELIOS_TRY_ASSIGN(events[3], database.prepare(events_by_time_sql));
    HELIOS_TRY_ASSIGN(events_by_id, database.prepare(R"sql(
SELECT log_time, topic, partition, "offset", source, scope, event_id, identity, event_type, key, customer, event_time
FROM events INDEXED BY events_by_id WHERE tenant = ?1 AND event_id = ?2 AND (?3 IS NULL OR source = ?3)
ORDER BY log_time DESC, topic DESC, partition DESC, "offset" DESC LIMIT ?4)sql"));
    // ?2 prefix, ?3 the least text behind all that begin with it
    HELIOS_TRY_ASSIGN(event_ids, database.prepare(R"sql(
SELECT DISTINCT event_id FROM events INDEXED BY events_by_id
WHERE tenant = ?1 AND event_id >= ?2 AND event_id < ?3 AND (?4 IS NULL OR source = ?4) ORDER BY event_id LIMIT ?5)sql"));
    HELIOS_TRY_ASSIGN(quarantine_ids, database.prepare(R"sql(
SELECT dlq_id FROM quarantine WHERE tenant = ?1 AND dlq_id >= ?2 AND dlq_id < ?3 ORDER BY dlq_id LIMIT ?4)sql"));
    HELIOS_TRY_ASSIGN(quarantined, database.prepare(quarantined_sql));
    HELIOS_TRY_ASSIGN(quarantined_by_key, database.prepare(quarantined_by_key_sql));
    HELIOS_TRY_ASSIGN(quarantined_item, database.prepare(quarantined_item_sql));
    HELIOS_TRY_ASSIGN(flows,
                      database.prepare("SELECT flow, version, activated_at, hash, text FROM flows "
                                       "WHERE tenant = ?1 ORDER BY flow, activated_at, version"));
    HELIOS_TRY_ASSIGN(case_legs, database.prepare(R"sql(
SELECT partition, "offset", at FROM case_records WHERE tenant = ?1 AND key = ?2 AND flow = ?3 ORDER BY partition, "offset" LIMIT ?4)sql"));
    HELIOS_TRY_ASSIGN(case_controls, database.prepare(R"sql(
SELECT partition, "offset", at FROM control_records
WHERE partition = ?1 AND kind = 1 AND tenant = ?2 AND flow = ?3 ORDER BY "offset" LIMIT ?4)sql"));
    HELIOS_TRY_ASSIGN(absences, database.prepare(R"sql(
SELECT body FROM control_records
WHERE partition = (SELECT partition FROM case_records WHERE tenant = ?1 AND key = ?2 AND flow = ?3 LIMIT 1)
  AND kind = 0 AND at > ?4 ORDER BY "offset")sql"));
    HELIOS_TRY_ASSIGN(counts, database.prepare(R"sql(
SELECT minute, source, hop, counter, value FROM counts
WHERE tenant = ?1 AND minute >= ?2 AND minute < ?3 AND (?4 IS NULL OR source = ?4) ORDER BY minute, source, hop, counter LIMIT ?5)sql"));
    return {};
}

Queries::Queries(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}
Queries::~Queries() = default;

Result<std::unique_ptr<Queries>> Queries::open(const Options& options, const Clock& clock) {
    HELIOS_TRY(options.validate());
    std::unique_ptr<Queries> queries(new Queries(options, clock));
    HELIOS_TRY_ASSIGN(auto first, queries->connect());
    queries->idle_.push_back(std::move(first));
    queries->open_ = 1;
    return queries;
}

Result<std::unique_ptr<Queries::Connection>> Queries::connect() const {
    const auto file = identify(options_.file);
    HELIOS_TRY_ASSIGN(Database database, Database::open(options_.file, Database::Mode::read));
    HELIOS_TRY(check_version(database));
    auto connection = std::make_unique<Connection>(std::move(database));
    connection->file = file;
    HELIOS_TRY(connection->prepare());
    return connection;
}

Result<Queries::Borrowed> Queries::borrow() {
    std::unique_ptr<Connection> connection;
    {
        std::unique_lock lock(mutex_);
        if (!returned_.wait_for(lock, options_.query_limit, [this] {
                return !idle_.empty() || open_ < options_.readers_max;
            })) {
            return fail(ErrorKind::exhausted, "store: all read connections are busy",
                        "retry; raise store.readers_max if it stays so");
        }
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        } else {
            ++open_;
        }
    }
    // The projector may have made the file anew; until it has, what is open answers.
    if (const auto now = identify(options_.file); connection && now && now != connection->file) {
        if (auto renewed = connect()) {
            connection = *std::move(renewed);
        }
    }
    if (!connection) {
        auto opened = connect();
        if (!opened) {
            std::lock_guard lock(mutex_);
            --open_;
            return fail(std::move(opened).error());
        }
        connection = *std::move(opened);
    }
    connection->database.set_deadline(clock_, options_.query_limit);
    return Borrowed(*this, std::move(connection));
}

Queries::Borrowed::~Borrowed() {
    if (!connection_) {
        return;  // moved from
    }
    {
        std::lock_guard lock(owner_->mutex_);
        owner_->idle_.push_back(std::move(connection_));
    }
    owner_->returned_.notify_one();
}

}  // namespace helios::store
